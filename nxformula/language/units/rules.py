"""Rules that give the unit of an operator's or function's result from those of its operands.

The tables of operators, functions and constants name them. A rule refuses only what is wrong for
certain: what is not known may have any unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Final, NoReturn, TypeAlias

from nxformula.errors import UnitError
from nxformula.language.tree import Span
from nxformula.language.units.texts import BEYOND, Unit, one, parse_unit


class Open(Enum):
    """What has no known unit.

    A number that the text of the formula gives, `nan` and `inf` too, takes the unit of what stands
    beside it, and is a plain number in products. Anything else may have any unit, also in products.
    """

    NUMBER = "number"
    UNSPECIFIED = "unspecified"


Value: TypeAlias = Unit | Open
NUMBER: Final = Open.NUMBER
UNSPECIFIED: Final = Open.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Site:
    """Where a rule is applied.

    Attributes
    ----------
    name : str
        Operator or function, for messages.
    text : str
        The formula.
    span : Span
        The place of the operator or of the function's name.
    exponent : Fraction or None
        The second operand, where it is a number that the text gives.
    """

    name: str
    text: str
    span: Span
    exponent: Fraction | None = None

    def fail(self, message: str) -> NoReturn:
        """Refuse the formula."""
        raise UnitError(message, self.text, self.span)

    def limited(self, unit: Unit) -> Unit:
        """Refuse a unit with unreasonable exponents."""
        if not unit.is_within_limits:
            self.fail(f"'{self.name}' gives a unit in which an exponent is {BEYOND}")
        return unit


Rule: TypeAlias = Callable[[Sequence[Value], Site], Value]


def rule(name: str) -> Rule:
    """The rule of this name."""
    return _RULES[name]


def factor(a: Unit, b: Unit) -> str:
    """The factor between two units of one dimension, for messages; else an empty text.

    Examples
    --------
    >>> factor(parse_unit("eV"), parse_unit("keV")), factor(parse_unit("eV"), parse_unit("count"))
    ('1000', '')
    """
    ratio = a.ratio(b)
    return "" if ratio is None else f"{max(ratio, 1 / ratio):g}"


def is_same(a: Unit, b: Unit) -> bool:
    """Whether dimensions and scales are equal."""
    return a.ratio(b) == 1


def same(operands: Sequence[Value], site: Site) -> Value:
    """All of one unit, which is the result's."""
    units = [value for value in operands if isinstance(value, Unit)]
    for other in units[1:]:
        if not is_same(units[0], other):
            _refuse_pair(units[0], other, site)
    return units[0] if units else _open(operands)


def _refuse_pair(first: Unit, other: Unit, site: Site) -> NoReturn:
    times = factor(first, other)
    if times:
        how = f", which differ by the factor {times}; multiply the {other} by a symbol in "
        advice = f"{how}{first / other}"
    else:
        advice = "; correct the formula, or the units of its symbols"
    found = f"found {_shown(first)} and {_shown(other)}"
    site.fail(f"'{site.name}' takes values of one unit, {found}{advice}")


def _shown(unit: Unit) -> str:
    return f"{unit} (no unit)" if str(unit) == "1" else str(unit)


def _open(operands: Sequence[Value]) -> Open:
    """What comes of operands without known units: of numbers alone a number."""
    is_number = bool(operands) and all(value is NUMBER for value in operands)
    return NUMBER if is_number else UNSPECIFIED


def _need(value: Value, wanted: Unit, what: str, site: Site) -> None:
    """Refuse another unit than the one wanted."""
    if not isinstance(value, Unit) or is_same(value, wanted):
        return
    times = factor(value, wanted)
    if times:
        how = f", which differs from {wanted} by the factor {times}; multiply it by a symbol in "
        advice = f"{how}{wanted / value}"
    else:
        advice = f"; divide it by a value in {value}"
    site.fail(f"'{site.name}' takes {what}, found {value}{advice}")


def _need_number(operands: Sequence[Value], site: Site) -> None:
    for value in operands:
        _need(value, one(), "a number without unit", site)


def _keep(operands: Sequence[Value], site: Site) -> Value:
    return operands[0]


def _product(operands: Sequence[Value], site: Site) -> Value:
    return _multiplied(operands, site, Unit.__mul__)


def _quotient(operands: Sequence[Value], site: Site) -> Value:
    return _multiplied(operands, site, Unit.__truediv__)


def _multiplied(
    operands: Sequence[Value], site: Site, combine: Callable[[Unit, Unit], Unit]
) -> Value:
    first, second = operands
    if UNSPECIFIED in operands or second is NUMBER:
        return UNSPECIFIED if UNSPECIFIED in operands else first
    left = first if isinstance(first, Unit) else one()
    assert isinstance(second, Unit)
    return site.limited(combine(left, second))


def _power(operands: Sequence[Value], site: Site) -> Value:
    base, exponent = operands
    _need(exponent, one(), "an exponent without unit", site)
    if not isinstance(base, Unit):
        return one() if base is NUMBER and exponent is not NUMBER else base
    if site.exponent is not None:
        return site.limited(base**site.exponent)
    if not is_same(base, one()):
        site.fail(f"{base} under '{site.name}' needs a literal exponent, as in 'x ** 2'")
    return one()


def _root(operands: Sequence[Value], site: Site) -> Value:
    (base,) = operands
    return site.limited(base ** Fraction(1, 2)) if isinstance(base, Unit) else base


def _dimensionless(operands: Sequence[Value], site: Site) -> Value:
    _need_number(operands, site)
    return one()


def _angle(operands: Sequence[Value], site: Site) -> Value:
    for value in operands:
        _need(value, parse_unit("rad"), "an angle in rad", site)
    return one()


def _to_angle(operands: Sequence[Value], site: Site) -> Value:
    _need_number(operands, site)
    return parse_unit("rad")


def _same_to_angle(operands: Sequence[Value], site: Site) -> Value:
    same(operands, site)
    return parse_unit("rad")


def _to_dimensionless(operands: Sequence[Value], site: Site) -> Value:
    return one()


def _number(operands: Sequence[Value], site: Site) -> Value:
    return NUMBER


def _unspecified(operands: Sequence[Value], site: Site) -> Value:
    return _open([value if value is NUMBER else UNSPECIFIED for value in operands])


def _compare(operands: Sequence[Value], site: Site) -> Value:
    same(operands, site)
    return UNSPECIFIED


def _condition(operands: Sequence[Value], site: Site) -> Value:
    return UNSPECIFIED


def _branches(operands: Sequence[Value], site: Site) -> Value:
    return same(operands[1:], site)


def _interp(operands: Sequence[Value], site: Site) -> Value:
    x, xs, ys = operands
    same([x, xs], site)
    return ys


def _poly(operands: Sequence[Value], site: Site) -> Value:
    """Coefficients of one unit can only belong to powers of a plain number."""
    x, coefficients = operands
    if isinstance(coefficients, Unit):
        _need(x, one(), "x without unit beside coefficients with one", site)
    return coefficients


_RULES: Final[Mapping[str, Rule]] = {
    "same": same,
    "keep": _keep,
    "product": _product,
    "quotient": _quotient,
    "power": _power,
    "root": _root,
    "dimensionless": _dimensionless,
    "angle": _angle,
    "to_angle": _to_angle,
    "same_to_angle": _same_to_angle,
    "to_dimensionless": _to_dimensionless,
    "number": _number,
    "unspecified": _unspecified,
    "compare": _compare,
    "condition": _condition,
    "branches": _branches,
    "interp": _interp,
    "poly": _poly,
}
