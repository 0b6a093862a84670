"""Integer operators for sympy: shifts and masks with constants are floors of quotients."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Final

from nxformula.language import limits
from nxformula.language.symbolic.expressions import Expression, commutative, inverted, opaque
from nxformula.language.symbolic.normal import normal

_OPERATIONS: Final = {"&": operator.and_, "|": operator.or_, "^": operator.xor}
#: Operands that change nothing.
_NEUTRAL: Final = {"&": -1, "|": 0, "^": 0}
#: Most places in a mask where ones begin or end.
_EDGES: Final = 16


def floor(value: Expression) -> Expression:
    """The floor; that of a floor divided by an integer is one floor."""
    import sympy

    found = sympy.floor(normal(value))
    nested = {}
    for outer in found.atoms(sympy.floor):
        factor, inner = outer.args[0].as_coeff_Mul()
        if inner.func == sympy.floor and factor.is_positive and (1 / factor).is_Integer:
            nested[outer] = sympy.floor(factor * inner.args[0])
    return found.xreplace(nested)


def modulo(x: Expression, y: Expression) -> Expression:
    """The remainder of the floored division."""
    return x - y * floor(x * inverted(y))


def shift(direction: str, value: Expression, count: Expression) -> Expression:
    """A shift, `<<` or `>>`."""
    if not (count.is_Integer and 0 <= count < 64):
        return opaque(direction, value, count)
    if direction == "<<" or count == 0:
        return value * 2**count
    return floor(value / 2**count)


def field(value: Expression, first: Expression, count: Expression) -> Expression:
    """The function `bits`."""
    import sympy

    if not (count.is_Integer and 0 <= count < 64):
        return opaque("bits", value, first, count)
    return bits("&", [shift(">>", value, first), sympy.Integer(2**count - 1)])


def bits(symbol: str, values: Sequence[Expression]) -> Expression:
    """A chain of `&`, `|` or `^`; with a constant, `x | c = x + c - (x & c)`, `^` with that twice.

    Of values that are not constant only the order is known not to matter.
    """
    import sympy

    constants = [int(value) for value in values if value.is_Integer]
    constant = reduce(_OPERATIONS[symbol], constants, _NEUTRAL[symbol])
    others = [normal(value) for value in values if not value.is_Integer]
    if symbol == "^":
        others = [value for value in set(others) if others.count(value) % 2]
    if not others:
        return sympy.Integer(constant)
    value = commutative(symbol, others)
    if constant == _NEUTRAL[symbol]:
        return value
    if not _is_mask(constant):
        return opaque(symbol, value, sympy.Integer(constant))
    common = _masked(value, constant)
    if symbol == "&":
        return common
    return value + constant - (common if symbol == "|" else 2 * common)


def _is_mask(constant: int) -> bool:
    """Whether an integer has only a few runs of ones."""
    positive = constant if constant >= 0 else ~constant
    edges = (positive ^ (positive >> 1)).bit_count()
    return positive < limits.INTEGER_LITERAL and edges <= _EDGES


def _masked(value: Expression, mask: int) -> Expression:
    """`value & mask`: a run of ones is what is below its end, less what is below its start."""
    import sympy

    if mask < 0:
        return value - _masked(value, ~mask)
    result = sympy.Integer(0)
    for place in range(mask.bit_length() + 1):
        is_set, was_set = mask >> place & 1, mask << 1 >> place & 1
        if is_set != was_set:
            result += (was_set - is_set) * _below(value, place)
    return result


def _below(value: Expression, place: int) -> Expression:
    """The bits below a place, of an integer that may be negative."""
    return value - 2**place * floor(value / 2**place) if place else 0
