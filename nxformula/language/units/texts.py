"""Texts of units: what they mean, and how a derived unit is written.

A text is read here, a name at a time: pint only ever sees names of the table of units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NoReturn

from nxformula.errors import UnitError
from nxformula.language.units.names import unit_names

#: Characters of a unit's text.
TEXT: Final = 128
#: Largest exponent of a name, and the step of exponents.
EXPONENT: Final = 99
STEP: Final = Fraction(1, 1000)
#: What to say of other exponents.
BEYOND: Final = f"beyond {EXPONENT}, or has more than three decimals"
#: Scales whose decimal logarithms are this close are equal.
_CLOSE: Final = 4e-10
#: Characters of a text that a message shows.
_SHOWN: Final = 40
#: What texts of units look like, for messages.
_FORMS: Final = "write a unit as in 'count/keV' or 'm s-1'"

#: White space: that of ASCII, so that every implementation takes the same.
_BLANKS: Final = " \t\n\r\f\v"
_GAP: Final = f"[{_BLANKS}]*"
_LETTER: Final = r"(?:[^\W\d_]|[%°])"
_TOKEN: Final = re.compile(
    rf"""{_GAP}(?: (?P<name> {_LETTER}+ (?:_{_LETTER}+)* (?:-(?![0-9]))? )
              | (?P<number> [0-9]+ (?:\.[0-9]+)? (?:[eE][+-]?[0-9]+)? )
              | (?P<open> \( ) | (?P<close> \) )
              | (?P<operator> [*/.] ) )""",
    re.VERBOSE,
)
#: After a name or a bracket: `2`, `-1`, `^2`, `**-1`, `^0.5`.
_EXPONENT: Final = re.compile(
    rf"(?P<suffix>[+-]?[0-9]+)|{_GAP}(?:\^|\*\*){_GAP}(?P<power>[+-]?[0-9]+(?:\.[0-9]+)?)"
)


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A unit: scale and dimensions, and how it was written.

    Examples
    --------
    >>> gain = parse_unit("counts keV-1")
    >>> str(gain), str(parse_unit("count") / gain)
    ('counts keV-1', 'keV')
    >>> round(parse_unit("keV").ratio(parse_unit("eV"))), gain.ratio(parse_unit("photon"))
    (1000, None)
    """

    powers: Any
    written: str | None = None

    def __mul__(self, other: Unit) -> Unit:
        return Unit(self.powers * other.powers)

    def __truediv__(self, other: Unit) -> Unit:
        return Unit(self.powers / other.powers)

    def __pow__(self, exponent: Fraction) -> Unit:
        # pint keeps names with the exponent 0.
        return Unit(self.powers**exponent) if exponent else one()

    @property
    def exponents(self) -> Mapping[str, Fraction]:
        """Exponents by the first names of the table of units."""
        return {name: Fraction(exponent) for name, exponent in self.powers.items()}

    @property
    def is_within_limits(self) -> bool:
        """Whether no exponent is too large, or has too many decimals."""
        exponents = self.exponents.values()
        return all(abs(value) <= EXPONENT and not value % STEP for value in exponents)

    def ratio(self, other: Unit) -> float | None:
        """How many of the other unit this one is; None where the dimensions differ."""
        quotient = self / other
        if unit_names().has_dimension(quotient.powers):
            return None
        # A sum of logarithms, because powers of the scales leave the range of floats.
        scale = unit_names().logarithm
        found = sum(float(value) * scale(name) for name, value in quotient.exponents.items())
        return 1.0 if abs(found) < _CLOSE else 10.0 ** max(-300.0, min(300.0, found))

    def __str__(self) -> str:
        return self.written or _derived(self.exponents)


def one() -> Unit:
    """The unit of a number."""
    return Unit(unit_names().powers({}))


def _derived(exponents: Mapping[str, Fraction]) -> str:
    """A text for a unit, which reads back."""
    displayed = unit_names().displayed
    parts = sorted((displayed(name), exponent) for name, exponent in exponents.items())
    above = [_raised(name, exponent) for name, exponent in parts if exponent > 0]
    below = [_raised(name, -exponent) for name, exponent in parts if exponent < 0]
    return "/".join(["*".join(above) or "1", *below])


def _raised(name: str, exponent: Fraction) -> str:
    return name if exponent == 1 else f"{name}^{float(exponent):g}"


@lru_cache(maxsize=1024)
def parse_unit(text: str) -> Unit:
    """Read the text of a unit.

    Parameters
    ----------
    text : str
        Names with exponents, as in `count/keV`, `1/keV`, `keV-1`, `m s-1`, `kg.m^2`,
        `photon/(m2 s)`. Products and quotients are read from the left. An empty text is 1.

    Raises
    ------
    UnitError
        The text is not a unit; without a place, because it is no part of a formula.

    Examples
    --------
    >>> str(parse_unit("1/keV") * parse_unit("eV"))
    'eV/keV'
    >>> parse_unit("ph")
    Traceback (most recent call last):
        ...
    nxformula.errors.UnitError: unit error: cannot read the unit 'ph': write 'photon'; UDUNITS ...
    """
    if len(text) > TEXT:
        raise UnitError(f"the text has {len(text)} characters; the limit is {TEXT}")
    return _Reader(text).read()


class _Reader:
    """Reads one text from the left; what stands before an open bracket waits on a stack."""

    def __init__(self, text: str) -> None:
        self.written = text.strip()
        self.names = unit_names()
        self.text = text.translate(self.names.characters).strip(_BLANKS)
        self.at = 0
        self.left = one()
        self.divides = False
        self.needs_operand = True
        self.waiting: list[tuple[Unit, bool]] = []

    def read(self) -> Unit:
        advice = self.names.advice(self.text)
        if advice:
            self._refuse(advice)
        self.needs_operand = bool(self.text)
        while self.at < len(self.text):
            self._step()
        if self.needs_operand or self.waiting:
            self._refuse(f"a {'name' if self.needs_operand else 'closing bracket'} is missing")
        return Unit(self.left.powers, self.written)

    def _refuse(self, why: str) -> NoReturn:
        raise UnitError(f"cannot read the unit {_shown(self.written)}: {why}")

    def _step(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            self._refuse(f"{self.text[self.at :].strip(_BLANKS)[0]!r} cannot stand there; {_FORMS}")
        kind = str(match.lastgroup)
        token = match[kind]
        is_operand = kind in ("name", "number", "open") and token.lower() != "per"
        apart = match.start(kind) > match.start() or self.at == 0
        if is_operand and not self.needs_operand and not apart:
            self._refuse(f"{_shown(token)} needs a blank or '*' before it")
        if not is_operand and self.needs_operand:
            self._refuse(f"a name is missing before {token!r}")
        self.at = match.end()
        self._take(kind, token)

    def _take(self, kind: str, token: str) -> None:
        if kind == "open":
            self.waiting.append((self.left, self.divides))
            self.left, self.divides = self._number("1"), False
            self.needs_operand = True
        elif kind == "close":
            self._close()
        elif kind == "number":
            self._combine(self._number(token))
        elif kind == "operator" or token.lower() == "per":
            self.divides, self.needs_operand = token not in "*.", True
        else:
            self._combine(self._exponent(self._name(token)))

    def _close(self) -> None:
        if not self.waiting:
            self._refuse("an opening bracket is missing")
        inner = self._exponent(self.left)
        self.left, self.divides = self.waiting.pop()
        self._combine(inner)

    def _combine(self, unit: Unit) -> None:
        found = self.left / unit if self.divides else self.left * unit
        self.left, self.divides, self.needs_operand = self._limited(found), False, False

    def _limited(self, unit: Unit) -> Unit:
        if not unit.is_within_limits:
            self._refuse(f"an exponent is {BEYOND}")
        return unit

    def _number(self, token: str) -> Unit:
        if token != "1":
            self._refuse(f"it has the number {_shown(token)}, and only 1 can stand in a unit")
        return one()

    def _name(self, token: str) -> Unit:
        found = self.names.find(token)
        if found is None:
            near = self.names.near(token)
            hint = f"; did you mean {near!r}?" if near else ""
            advice = self.names.advice(token)
            self._refuse(
                f"for {token!r} {advice}" if advice else f"{_shown(token)} is unknown{hint}"
            )
        return Unit(found)

    def _exponent(self, unit: Unit) -> Unit:
        match = _EXPONENT.match(self.text, self.at)
        if match is None:
            return unit
        self.at = match.end()
        exponent = Fraction(match["suffix"] or match["power"])
        return self._limited(unit**exponent)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
