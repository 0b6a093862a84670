"""Quotients of polynomials in a form that equal ones share, as far as that is cheap.

Every step is bounded by an estimate made beforehand: sympy's own simplification may take for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import comb, prod
from typing import Any, Final, TypeAlias

Expression: TypeAlias = Any

#: Terms beyond which an argument is left as it is, and beyond which a comparison is refused.
ARGUMENT_TERMS: Final = 500
TERMS: Final = 5000
#: Functions whose value is 0 or 1.
_INDICATORS: Final = frozenset({"positive", "not negative", "zero", "bool", "isnan", "isfinite"})
_CAP: Final = 1 << 40


def normal(expression: Expression) -> Expression:
    """An expression as a quotient of expanded polynomials, or itself where that may be large."""
    import sympy

    if expression.is_Atom or terms(expression) > ARGUMENT_TERMS:
        return expression
    numerator, denominator = (
        _expanded(part) for part in sympy.fraction(sympy.together(expression))
    )
    if denominator == 0:
        return expression
    if not denominator.is_Add:
        return _expanded(numerator / denominator)
    content, denominator = denominator.as_content_primitive()
    if denominator.could_extract_minus_sign():
        content, denominator = -content, -denominator
    return sympy.Mul(_expanded(numerator / content), sympy.Pow(denominator, -1))


def is_zero(expression: Expression) -> bool:
    """Whether an expression of not too many terms is 0 as a quotient of polynomials."""
    import sympy

    return bool(_expanded(sympy.fraction(sympy.together(expression))[0]) == 0)


def _expanded(expression: Expression) -> Expression:
    plain = expression.expand(power_base=False, log=False)
    return _with_indicators(plain)


def _with_indicators(expression: Expression) -> Expression:
    """An expanded sum without powers of what is 0 or 1, and without terms that always are 0."""
    import sympy

    applied = expression.atoms(sympy.core.function.AppliedUndef)
    indicators = {function for function in applied if function.func.__name__ in _INDICATORS}
    if not indicators:
        return expression
    powers = {
        power: power.base
        for power in expression.atoms(sympy.Pow)
        if power.base in indicators and power.exp.is_Integer and power.exp > 1
    }
    summands = sympy.Add.make_args(expression.xreplace(powers))
    return sympy.Add(*(summand for summand in summands if not _never(summand)))


def _never(summand: Expression) -> bool:
    """Whether a product needs one value to be equal to two different numbers."""
    zeros = [f.args[0] for f in summand.as_ordered_factors() if f.func.__name__ == "zero"]
    return any(
        number.is_Rational and number != 0
        for count, one in enumerate(zeros)
        for other in zeros[:count]
        for number in (one - other, one + other)
    )


def terms(expression: Expression) -> int:
    """At most how many terms numerator and denominator have when expanded."""
    numerator, below = _estimate(expression)
    return min(_CAP, numerator * _size(below))


#: By factors of a denominator: their number of terms, and their exponent.
_Below: TypeAlias = Mapping[Expression, tuple[int, int]]


def _size(below: _Below) -> int:
    return min(_CAP, prod(_power(count, exponent) for count, exponent in below.values()))


def _power(count: int, exponent: int) -> int:
    """Terms of a power of a sum."""
    if count == 1:
        return 1
    return _CAP if exponent > 64 else min(_CAP, comb(count + exponent - 1, exponent))


def _estimate(expression: Expression) -> tuple[int, _Below]:
    """Terms of the numerator, and the factors of the denominator."""
    if expression.is_Add:
        return _sum([_estimate(part) for part in expression.args])
    if expression.is_Mul:
        return _product([_estimate(part) for part in expression.args])
    if expression.is_Pow and expression.exp.is_Integer:
        count, below = _estimate(expression.base)
        exponent = int(expression.exp)
        if exponent < 0:
            return _power(_size(below), -exponent), {expression.base: (count, -exponent)}
        raised = {base: (size, times * exponent) for base, (size, times) in below.items()}
        return _power(count, exponent), raised
    return 1, {}


def _sum(parts: list[tuple[int, _Below]]) -> tuple[int, _Below]:
    common: dict[Expression, tuple[int, int]] = {}
    for _, below in parts:
        for base, (size, exponent) in below.items():
            common[base] = size, max(exponent, common.get(base, (size, 0))[1])
    total = 0
    for count, below in parts:
        lacking = {b: (size, e - below.get(b, (size, 0))[1]) for b, (size, e) in common.items()}
        total += count * _size(lacking)
    return min(_CAP, total), common


def _product(parts: list[tuple[int, _Below]]) -> tuple[int, _Below]:
    common: dict[Expression, tuple[int, int]] = {}
    for _, below in parts:
        for base, (size, exponent) in below.items():
            common[base] = size, exponent + common.get(base, (size, 0))[1]
    return min(_CAP, prod(count for count, _ in parts)), common


class Sizes:
    """Sizes of expressions, each counted once."""

    def __init__(self) -> None:
        self._known: dict[Expression, int] = {}

    def of(self, expression: Expression) -> int:
        """Number of sympy's objects, those that occur twice counted twice."""
        pending = [expression]
        while pending:
            top = pending[-1]
            missing = [part for part in top.args if part not in self._known]
            if missing:
                pending += missing
                continue
            pending.pop()
            self._known[top] = min(_CAP, 1 + sum(self._known[part] for part in top.args))
        return self._known[expression]
