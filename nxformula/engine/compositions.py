"""Functions that are made of several array operations, as operations of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from nxformula.language.functions import FUNCTIONS
from nxformula.language.intervals import Interval
from nxformula.language.tree import Call, Index, Literal, Name, Node

if TYPE_CHECKING:
    from nxformula.engine.lower import Lowering

#: From a call to the number of the operation that gives its value.
_Composition: TypeAlias = "Callable[[Lowering, Call], int]"


# Selection


def _where(lowering: Lowering, node: Call) -> int:
    condition, a, b = (lowering.number(argument) for argument in node.arguments)
    return lowering.select_typed(lowering.type(node), condition, a, b)


def _choose(lowering: Lowering, node: Call) -> int:
    builder, found = lowering.builder, lowering.type(node)
    index = lowering.number(node.arguments[0])
    bounds = lowering.type(node.arguments[0]).bounds
    dtype = lowering.own_dtype(found)
    values = [builder.cast(lowering.number(argument), dtype) for argument in node.arguments[1:]]
    operations = [builder.operations[value] for value in values]
    if all(operation.code == "constant" for operation in operations):
        return builder.pick(index, tuple(o.detail for o in operations), dtype)
    chosen = values[bounds.high]
    for code in range(bounds.high - 1, bounds.low - 1, -1):
        constant = builder.constant(code, builder.operations[index].dtype)
        equal = builder.apply("equal", (index, constant), "bool")
        chosen = builder.select(equal, values[code], chosen)
    return chosen


# Elementwise


def _whole(lowering: Lowering, node: Call) -> int:
    """`floor`, `ceil` and `round`: integers are whole already."""
    (argument,) = node.arguments
    if lowering.type(argument).kind == "integer":
        return lowering.number(argument)
    return lowering.simple(node)


def _clip(lowering: Lowering, node: Call) -> int:
    found = lowering.type(node)
    dtype = lowering.real
    if found.kind == "integer":
        dtype = lowering.common(node.arguments, found.bounds)
    x, low, high = (lowering.builder.cast(lowering.number(a), dtype) for a in node.arguments)
    raised = lowering.builder.apply("maximum", (x, low), dtype)
    return lowering.builder.apply("minimum", (raised, high), dtype)


def _is(answer: bool) -> _Composition:
    """`isnan` and `isfinite`, with the answer for all integers."""

    def composition(lowering: Lowering, node: Call) -> int:
        (argument,) = node.arguments
        if lowering.type(argument).kind == "integer":
            return lowering.builder.constant(answer, "bool")
        return lowering.simple(node)

    return composition


# Integers


def _bits(lowering: Lowering, node: Call) -> int:
    x, first, count = node.arguments
    builder = lowering.builder
    counts = lowering.type(count).bounds
    masks = Interval((1 << counts.low) - 1, (1 << counts.high) - 1)
    # A mask of at most 63 bits fits wherever 64-bit data fit.
    dtype = lowering.common([x, first], masks)
    numbers = [builder.cast(lowering.number(a), dtype) for a in (x, first)]
    shifted = builder.apply("right_shift", (numbers[0], numbers[1]), dtype)
    if masks.low == masks.high:
        mask = builder.constant(masks.low, dtype)
    else:
        one = builder.constant(1, "uint64")
        power = (one, builder.cast(lowering.number(count), "uint64"))
        top = builder.apply("left_shift", power, "uint64")
        mask = builder.cast(builder.apply("subtract", (top, one), "uint64"), dtype)
    return builder.apply("bitwise_and", (shifted, mask), dtype)


def _to_integer(lowering: Lowering, node: Call) -> int:
    x, *constants = node.arguments
    low, high, invalid = (_constant(lowering, node) for node in constants)
    builder, found = lowering.builder, lowering.type(x)
    if found.kind == "integer":
        dtype = lowering.common([x], Interval(low, high))
        raised = builder.apply(
            "maximum",
            (builder.cast(lowering.number(x), dtype), builder.constant(low, dtype)),
            dtype,
        )
        return builder.apply("minimum", (raised, builder.constant(high, dtype)), dtype)
    dtype = lowering.own_dtype(lowering.type(node))
    value = lowering.number(x)
    # Reals within the constants, rounded inwards: only these are converted.
    lowest, highest = _inside(low, lowering.real, True), _inside(high, lowering.real, False)
    whole = builder.apply("rint", (value,), lowering.real)
    bottom, top = (builder.constant(bound, lowering.real) for bound in (lowest, highest))
    held = builder.apply("maximum", (whole, bottom), lowering.real)
    held = builder.apply("minimum", (held, top), lowering.real)
    result = builder.cast(builder.cast(held, "int64"), dtype)
    for comparison, bound, constant in (("greater", top, high), ("less", bottom, low)):
        beyond = builder.apply(comparison, (whole, bound), "bool")
        result = builder.select(beyond, builder.constant(constant, dtype), result)
    isnan = builder.apply("isnan", (value,), "bool")
    return builder.select(isnan, builder.constant(invalid, dtype), result)


def _constant(lowering: Lowering, node: Node) -> int:
    value = lowering.type(node).constant
    assert value is not None, "the checker admits only constants"
    return value


def _inside(bound: int, real: str, upwards: bool) -> float:
    """The integer-valued real nearest to a bound on its inner side."""
    value = np.dtype(real).type(bound)
    while int(value) < bound if upwards else int(value) > bound:
        value = np.nextafter(value, np.dtype(real).type(math.inf if upwards else -math.inf))
    return float(value)


# Tables


def _poly(lowering: Lowering, node: Call) -> int:
    builder = lowering.builder
    x = lowering.as_real(lowering.number(node.arguments[0]))
    table = node.arguments[1]
    entries = [
        _entry(lowering, table, builder.constant(k, "int64"))
        for k in range(_length(lowering, table))
    ]
    if not entries:
        return builder.constant(0.0, lowering.real)
    total = entries.pop()
    while entries:
        product = builder.apply("multiply", (total, x), lowering.real)
        total = builder.apply("add", (product, entries.pop()), lowering.real)
    return total


def _interp(lowering: Lowering, node: Call) -> int:
    builder, real = lowering.builder, lowering.real
    x = lowering.as_real(lowering.number(node.arguments[0]))
    xs, ys = node.arguments[1:]
    last = _length(lowering, xs) - 1
    nan = builder.constant(math.nan, real)
    if last < 0:
        return nan

    def constant(value: int) -> int:
        return builder.constant(value, "int64")

    lower = _search(lowering, x, xs, last)
    upper = builder.apply(
        "minimum", (builder.apply("add", (lower, constant(1)), "int64"), constant(last)), "int64"
    )
    x0, x1, y0, y1 = (_entry(lowering, t, k) for t in (xs, ys) for k in (lower, upper))
    part = builder.apply("subtract", (x, x0), real)
    part = builder.apply("divide", (part, builder.apply("subtract", (x1, x0), real)), real)
    rise = builder.apply("multiply", (part, builder.apply("subtract", (y1, y0), real)), real)
    between = builder.apply("add", (y0, rise), real)
    value = builder.select(builder.apply("equal", (x, x0), "bool"), y0, between)
    first, end = (_entry(lowering, xs, constant(k)) for k in (0, last))
    above = builder.apply("greater_equal", (x, first), "bool")
    below = builder.apply("less_equal", (x, end), "bool")
    inside = builder.apply("logical_and", (above, below), "bool")
    return builder.select(inside, value, nan)


def _search(lowering: Lowering, x: int, xs: Node, last: int) -> int:
    """The last entry of increasing `xs` that is not above x, 0 if there is none: by bisection.

    The number of steps depends on the length of the table alone.
    """
    builder = lowering.builder
    found = builder.constant(0, "int64")
    step = 1 << last.bit_length() >> 1
    while step:
        further = builder.apply("add", (found, builder.constant(step, "int64")), "int64")
        end = builder.constant(last, "int64")
        exists = builder.apply("less_equal", (further, end), "bool")
        entry = _entry(lowering, xs, builder.apply("minimum", (further, end), "int64"))
        reached = builder.apply("greater_equal", (x, entry), "bool")
        good = builder.apply("logical_and", (exists, reached), "bool")
        found = builder.select(good, further, found)
        step >>= 1
    return found


def _entry(lowering: Lowering, table: Node, index: int) -> int:
    assert isinstance(table, Name | Index)
    return lowering.as_real(lowering.index(table, index))


def _length(lowering: Lowering, table: Node) -> int:
    assert isinstance(table, Name | Index)
    length = lowering.checked.symbols[table.name].length(lowering.checked.along[id(table)])
    assert length is not None, "the checker admits only tables of known length"
    return length


# Grouped reductions


def _grouped(lowering: Lowering, node: Call) -> int:
    x, labels, *rest = node.arguments
    quantile = float(rest[0].value) if rest and isinstance(rest[0], Literal) else 0.0
    axes = lowering.checked.axes
    grouped = set(lowering.checked.value(labels).dimensions)
    every = grouped.union(lowering.checked.value(x).dimensions)
    return lowering.builder.reduce(
        node.name,
        lowering.as_real(lowering.number(x)),
        lowering.number(labels),
        tuple(axis for axis in axes if axis in grouped),
        tuple(axis for axis in axes if axis in every),
        quantile,
    )


COMPOSED: Final[Mapping[str, _Composition]] = {
    "where": _where,
    "choose": _choose,
    "clip": _clip,
    "floor": _whole,
    "ceil": _whole,
    "round": _whole,
    "isnan": _is(False),
    "isfinite": _is(True),
    "bits": _bits,
    "to_integer": _to_integer,
    "poly": _poly,
    "interp": _interp,
    **{name: _grouped for name, entry in FUNCTIONS.items() if entry.type == "grouped"},
}
