"""Which integers an integer expression can give: pairs (lowest, highest)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]


def hull(*ranges: Range) -> Range:
    """The smallest range that holds all of them."""
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def of_corners(function: Callable[[int, int], int]) -> Callable[[Range, Range], Range]:
    """The rule of functions that have their extremes at the corners of their operands."""

    def rule(a: Range, b: Range) -> Range:
        corners = [function(x, y) for x in a for y in b]
        return min(corners), max(corners)

    return rule


def negative(a: Range) -> Range:
    """Of `-a`."""
    return -a[1], -a[0]


def absolute(a: Range) -> Range:
    """Of `abs(a)`: 0 is the lowest where `a` can be 0."""
    ends = sorted(abs(end) for end in a)
    return (0 if a[0] < 0 < a[1] else ends[0]), ends[1]


def sign(a: Range) -> Range:
    """Of `sign(a)`, which never falls."""
    low, high = ((end > 0) - (end < 0) for end in a)
    return low, high


def smallest(*ranges: Range) -> Range:
    """Of `min`."""
    return min(low for low, _ in ranges), min(high for _, high in ranges)


def largest(*ranges: Range) -> Range:
    """Of `max`."""
    return max(low for low, _ in ranges), max(high for _, high in ranges)


def clip(x: Range, low: Range, high: Range) -> Range:
    """Of `clip`, a `min` of a `max`."""
    return smallest(largest(x, low), high)


def _of_width(a: Range, b: Range) -> Range:
    """Every integer that needs no more bits than the ends of the operands."""
    width = 0
    while any(not -(1 << width) <= end < 1 << width for end in (*a, *b)):
        width += 1
    signed = a[0] < 0 or b[0] < 0
    return (-(1 << width) if signed else 0), (1 << width) - 1


def bit_and(a: Range, b: Range) -> Range:
    """Of `a & b`: an operand without negative values bounds it, since bits only vanish."""
    if a[0] < 0 and b[0] < 0:
        return _of_width(a, b)
    if a[0] < 0 or b[0] < 0:
        return 0, (b if a[0] < 0 else a)[1]
    return 0, min(a[1], b[1])


def bit_or(a: Range, b: Range) -> Range:
    """Of `a | b`: not below either operand, where neither has negative values."""
    low, high = _of_width(a, b)
    return (max(a[0], b[0]) if low == 0 else low), high


def bit_xor(a: Range, b: Range) -> Range:
    """Of `a ^ b`."""
    return _of_width(a, b)


def modulo(a: Range, b: Range) -> Range:
    """Of `mod(a, b)` for a divisor without 0: whatever `a`, between 0 and the divisor."""
    return (0, b[1] - 1) if b[0] > 0 else (b[0] + 1, 0)


def bits(x: Range, first: Range, count: Range) -> Range:
    """Of `bits(x, first, count)`, which is `(x >> first) & (2^count - 1)`."""
    low, high = ((1 << n) - 1 for n in count)
    return bit_and(OPERATORS[">>"](x, first), (low, high))


OPERATORS: dict[str, Callable[[Range, Range], Range]] = {
    "+": of_corners(lambda x, y: x + y),
    "-": of_corners(lambda x, y: x - y),
    "*": of_corners(lambda x, y: x * y),
    "<<": of_corners(lambda x, y: x << y),
    ">>": of_corners(lambda x, y: x >> y),
    "&": bit_and,
    "|": bit_or,
    "^": bit_xor,
}

FUNCTIONS: dict[str, Callable[..., Range]] = {
    "abs": absolute,
    "sign": sign,
    "floor": lambda a: a,
    "ceil": lambda a: a,
    "round": lambda a: a,
    "min": smallest,
    "max": largest,
    "clip": clip,
    "mod": modulo,
    "div": of_corners(lambda x, y: x // y),
    "bits": bits,
    "to_integer": lambda x, low, high, invalid: hull(low, high, invalid),
    "where": lambda condition, a, b: hull(a, b),
    "choose": lambda i, *values: hull(*values),
}
