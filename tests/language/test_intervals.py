"""Interval rules: sound against brute force, tight at the corners, and with their exact values."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxformula.language import intervals
from nxformula.language.functions import FUNCTIONS
from nxformula.language.intervals import INT64, UINT64, Interval
from nxformula.language.types import INTEGER_DTYPES, Type, integer, narrowest

I64_LOW, I64_HIGH, U64_HIGH = -(2**63), 2**63 - 1, 2**64 - 1


def bounds(low: int, high: int) -> st.SearchStrategy[Interval]:
    ends = st.tuples(st.integers(low, high), st.integers(low, high))
    return ends.map(lambda pair: Interval(min(pair), max(pair)))


SMALL = bounds(-20, 20)
LARGE = bounds(I64_LOW, U64_HIGH) | bounds(-300, 300)
COUNTS = bounds(0, 63) | bounds(0, 3)
SMALL_COUNTS = bounds(0, 6)

Operation = Callable[..., int]
Rule = Callable[..., Interval]

BINARY: dict[str, tuple[Rule, Operation]] = {
    "+": (intervals.add, lambda x, y: x + y),
    "-": (intervals.subtract, lambda x, y: x - y),
    "*": (intervals.multiply, lambda x, y: x * y),
    "&": (intervals.bit_and, lambda x, y: x & y),
    "|": (intervals.bit_or, lambda x, y: x | y),
    "^": (intervals.bit_xor, lambda x, y: x ^ y),
    "min": (intervals.minimum, min),
    "max": (intervals.maximum, max),
}
SHIFTS: dict[str, tuple[Rule, Operation]] = {
    "<<": (intervals.shift_left, lambda x, n: x << n),
    ">>": (intervals.shift_right, lambda x, n: x >> n),
}
UNARY: dict[str, tuple[Rule, Operation]] = {
    "-": (intervals.negate, lambda x: -x),
    "abs": (intervals.absolute, abs),
}


def clipped(x: int, low: int, high: int) -> int:
    return min(max(x, low), high)


def every(interval: Interval) -> range:
    return range(interval.low, interval.high + 1)


def brute(operation: Operation, *operands: Interval) -> Interval:
    """The smallest interval that holds all results."""
    results = [operation(*values) for values in product(*map(every, operands))]
    return Interval(min(results), max(results))


def inside(data: st.DataObject, *operands: Interval) -> list[int]:
    return [data.draw(st.integers(*interval)) for interval in operands]


def holds(interval: Interval, value: int) -> bool:
    return interval.low <= value <= interval.high


def contains(outer: Interval, inner: Interval) -> bool:
    return outer.low <= inner.low <= inner.high <= outer.high


@pytest.mark.parametrize("operator", BINARY)
@settings(max_examples=150, deadline=None)
@given(a=SMALL, b=SMALL)
def test_binary_rules_hold_all_results_of_small_intervals(
    operator: str, a: Interval, b: Interval
) -> None:
    rule, operation = BINARY[operator]
    assert contains(rule(a, b), brute(operation, a, b))


@pytest.mark.parametrize("operator", BINARY)
@settings(max_examples=150, deadline=None)
@given(a=LARGE, b=LARGE, data=st.data())
def test_binary_rules_hold_results_of_large_values(
    operator: str, a: Interval, b: Interval, data: st.DataObject
) -> None:
    rule, operation = BINARY[operator]
    assert holds(rule(a, b), operation(*inside(data, a, b)))


@pytest.mark.parametrize("operator", SHIFTS)
@settings(max_examples=150, deadline=None)
@given(a=LARGE, count=COUNTS, data=st.data())
def test_shifts_hold_results_of_large_values(
    operator: str, a: Interval, count: Interval, data: st.DataObject
) -> None:
    rule, operation = SHIFTS[operator]
    assert holds(rule(a, count), operation(*inside(data, a, count)))


@pytest.mark.parametrize("operator", UNARY)
@settings(max_examples=100, deadline=None)
@given(a=LARGE, data=st.data())
def test_unary_rules_hold_results_of_large_values(
    operator: str, a: Interval, data: st.DataObject
) -> None:
    rule, operation = UNARY[operator]
    assert holds(rule(a), operation(*inside(data, a)))


@pytest.mark.parametrize("operator", ["+", "-", "*", "min", "max"])
@settings(max_examples=100, deadline=None)
@given(a=SMALL, b=SMALL)
def test_arithmetic_is_tight(operator: str, a: Interval, b: Interval) -> None:
    rule, operation = BINARY[operator]
    assert rule(a, b) == brute(operation, a, b)


@pytest.mark.parametrize("operator", SHIFTS)
@settings(max_examples=100, deadline=None)
@given(a=SMALL, count=SMALL_COUNTS)
def test_shifts_are_tight(operator: str, a: Interval, count: Interval) -> None:
    rule, operation = SHIFTS[operator]
    assert rule(a, count) == brute(operation, a, count)


@pytest.mark.parametrize("operator", UNARY)
@settings(max_examples=100, deadline=None)
@given(a=SMALL)
def test_unary_rules_are_tight(operator: str, a: Interval) -> None:
    rule, operation = UNARY[operator]
    assert rule(a) == brute(operation, a)


@settings(max_examples=100, deadline=None)
@given(bounds(-9, 9), bounds(-9, 9), bounds(-9, 9))
def test_clip_is_sound_and_tight(x: Interval, low: Interval, high: Interval) -> None:
    assert intervals.clip(x, low, high) == brute(clipped, x, low, high)


@settings(max_examples=100, deadline=None)
@given(st.lists(bounds(-9, 9), min_size=3, max_size=3))
def test_minimum_and_maximum_of_three_are_tight(operands: list[Interval]) -> None:
    assert intervals.minimum(*operands) == brute(min, *operands)
    assert intervals.maximum(*operands) == brute(max, *operands)


@settings(max_examples=100, deadline=None)
@given(st.lists(SMALL, min_size=1, max_size=5))
def test_hull_is_the_smallest_interval_around_all(parts: list[Interval]) -> None:
    hull = intervals.hull(*parts)
    assert all(part.within(hull) for part in parts)
    assert hull.low in {part.low for part in parts}
    assert hull.high in {part.high for part in parts}


@settings(max_examples=100, deadline=None)
@given(bounds(0, 40), bounds(0, 40))
def test_bits_of_what_is_never_negative_stay_so(a: Interval, b: Interval) -> None:
    assert intervals.bit_and(a, b).low >= 0
    assert intervals.bit_or(a, b).low == max(a.low, b.low)
    assert intervals.bit_xor(a, b).low == 0


def fail(position: int | None, message: str) -> NoReturn:
    raise AssertionError(message)


def ruled(name: str, *operands: Interval) -> Interval:
    found: Type = FUNCTIONS[name].rule([integer(operand) for operand in operands], fail)
    assert found.kind == "integer"
    return found.bounds


BITS_COUNT = bounds(0, 6)


@settings(max_examples=200, deadline=None)
@given(bounds(-70, 70), bounds(0, 6), BITS_COUNT)
def test_bits_is_sound(x: Interval, first: Interval, count: Interval) -> None:
    found = ruled("bits", x, first, count)
    assert contains(found, brute(lambda v, f, c: (v >> f) & ((1 << c) - 1), x, first, count))


@settings(max_examples=100, deadline=None)
@given(LARGE, COUNTS, COUNTS, st.data())
def test_bits_is_sound_for_large_values(
    x: Interval, first: Interval, count: Interval, data: st.DataObject
) -> None:
    v, f, c = inside(data, x, first, count)
    assert holds(ruled("bits", x, first, count), (v >> f) & (2**c - 1))


FUNCTION_VALUES: dict[str, tuple[int, Operation]] = {
    "abs": (1, abs),
    "floor": (1, lambda x: x),
    "round": (1, lambda x: x),
    "min": (3, min),
    "max": (3, max),
    "clip": (3, clipped),
}


@pytest.mark.parametrize("name", FUNCTION_VALUES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_functions_of_integers_hold_their_results(name: str, data: st.DataObject) -> None:
    count, operation = FUNCTION_VALUES[name]
    operands = [data.draw(LARGE) for _ in range(count)]
    assert holds(ruled(name, *operands), operation(*inside(data, *operands)))


@settings(max_examples=100, deadline=None)
@given(st.lists(SMALL, min_size=1, max_size=6), st.data())
def test_choose_is_the_hull_of_its_values(values: list[Interval], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(values) - 1))
    found = ruled("choose", Interval(number, len(values) - 1), *values)
    assert found == intervals.hull(*values)


# The values below are worked out by hand from the rules of the specification: corner values for
# operators, hull for branches, nothing learned from repeated operands.
@pytest.mark.parametrize(
    ("rule", "operands", "low", "high"),
    [
        (intervals.add, [(0, 65535), (-5, 5)], -5, 65540),
        (intervals.add, [(I64_LOW, 0), (-1, 0)], I64_LOW - 1, 0),
        (intervals.subtract, [(0, 65535), (0, 65535)], -65535, 65535),
        (intervals.subtract, [(3, 3), (3, 3)], 0, 0),
        (intervals.multiply, [(-3, 2), (-5, 7)], -21, 15),
        (intervals.multiply, [(0, 65535), (0, 65535)], 0, 4294836225),
        (intervals.multiply, [(-4, -2), (-3, -1)], 2, 12),
        (intervals.negate, [(-128, 127)], -127, 128),
        (intervals.negate, [(I64_LOW, I64_HIGH)], -I64_HIGH, 2**63),
        (intervals.shift_left, [(1, 1), (14, 14)], 16384, 16384),
        (intervals.shift_left, [(-3, 5), (0, 4)], -48, 80),
        (intervals.shift_left, [(1, 1), (0, 63)], 1, 2**63),
        (intervals.shift_right, [(0, 65535), (14, 14)], 0, 3),
        (intervals.shift_right, [(-32768, 32767), (14, 14)], -2, 1),
        (intervals.shift_right, [(-1, -1), (0, 63)], -1, -1),
        (intervals.shift_right, [(-5, 9), (1, 2)], -3, 4),
        (intervals.bit_and, [(0, 65535), (16383, 16383)], 0, 16383),
        (intervals.bit_and, [(-32768, 32767), (255, 255)], 0, 255),
        (intervals.bit_and, [(-32768, 32767), (-5, -1)], -32768, 32767),
        (intervals.bit_and, [(12, 12), (10, 10)], 0, 10),
        (intervals.bit_or, [(8, 20), (3, 5)], 8, 31),
        (intervals.bit_or, [(0, 0), (0, 0)], 0, 0),
        (intervals.bit_or, [(-1, 0), (0, 100)], -128, 127),
        (intervals.bit_xor, [(0, 65535), (16384, 16384)], 0, 65535),
        (intervals.bit_xor, [(5, 6), (5, 6)], 0, 7),
        (intervals.bit_xor, [(-9, 3), (0, 1)], -16, 15),
        (intervals.absolute, [(-128, 127)], 0, 128),
        (intervals.absolute, [(-9, -4)], 4, 9),
        (intervals.absolute, [(2, 3)], 2, 3),
        (intervals.absolute, [(I64_LOW, -1)], 1, 2**63),
        (intervals.minimum, [(0, 10), (5, 7)], 0, 7),
        (intervals.minimum, [(0, 10), (5, 7), (-1, 20)], -1, 7),
        (intervals.maximum, [(0, 10), (5, 7)], 5, 10),
        (intervals.maximum, [(0, 10), (5, 7), (-1, 20)], 5, 20),
        (intervals.clip, [(0, 65535), (10, 10), (100, 100)], 10, 100),
        (intervals.clip, [(0, 20), (5, 5), (100, 100)], 5, 20),
        (intervals.clip, [(0, 20), (50, 50), (10, 10)], 10, 10),
        (intervals.hull, [(0, 0), (2, 2), (-1, 1)], -1, 2),
    ],
)
def test_normative_values(rule: Rule, operands: list[tuple[int, int]], low: int, high: int) -> None:
    assert rule(*(Interval(*operand) for operand in operands)) == Interval(low, high)


@pytest.mark.parametrize(
    ("name", "operands", "low", "high"),
    [
        ("bits", [(0, 65535), (14, 14), (2, 2)], 0, 3),
        ("bits", [(0, 255), (6, 6), (4, 4)], 0, 3),
        ("bits", [(-32768, 32767), (3, 3), (4, 4)], 0, 15),
        ("bits", [(0, U64_HIGH), (63, 63), (1, 1)], 0, 1),
        ("bits", [(0, 65535), (0, 0), (0, 0)], 0, 0),
        ("floor", [(-3, 4)], -3, 4),
        ("round", [(-3, 4)], -3, 4),
        ("choose", [(0, 3), (0, 0), (1, 1), (-1, -1), (2, 2)], -1, 2),
    ],
)
def test_normative_values_of_functions(
    name: str, operands: list[tuple[int, int]], low: int, high: int
) -> None:
    assert ruled(name, *(Interval(*operand) for operand in operands)) == Interval(low, high)


def test_intervals_of_the_machine_types() -> None:
    assert INT64 == (I64_LOW, I64_HIGH)
    assert UINT64 == (0, U64_HIGH)
    assert INTEGER_DTYPES["int8"] == (-128, 127)
    assert INTEGER_DTYPES["uint16"] == (0, 65535)


@settings(max_examples=300, deadline=None)
@given(LARGE)
def test_narrowest_is_the_first_type_that_holds_the_interval(interval: Interval) -> None:
    found = narrowest(interval)
    holding = [name for name, values in INTEGER_DTYPES.items() if interval.within(values)]
    assert found == (holding[0] if holding else None)


@pytest.mark.parametrize(
    ("operands", "expected"),
    [
        ([(0, 255)], "uint8"),
        ([(0, 256)], "uint16"),
        ([(-1, 127)], "int8"),
        ([(-1, 128)], "int16"),
        ([(0, 255), (-1, -1)], "int16"),
        ([(0, 2**32)], "uint64"),
        ([(-1, 2**32)], "int64"),
        ([(-1, 0), (0, 2**63)], None),
        ([(0, 2**64)], None),
    ],
)
def test_narrowest_types(operands: list[tuple[int, int]], expected: Any) -> None:
    assert narrowest(*(Interval(*operand) for operand in operands)) == expected
