"""Rules that give the type of a function's result from the types of its arguments.

The function table names them, so that functions alike in this share one rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn, TypeAlias

from nxformula.language import intervals
from nxformula.language.intervals import INT64, SHIFT, Interval
from nxformula.language.types import BOOL, REAL, Type, integer

#: Reports a fault of argument number i (None: of the call), as an error of kind `type`.
Fail: TypeAlias = Callable[[int | None, str], NoReturn]
Rule: TypeAlias = Callable[[Sequence[Type], Fail], Type]


def rule(name: str, interval: str | None) -> Rule:
    """The rule of this name; `numeric` takes the name of an interval rule besides."""
    if name == "numeric":
        assert interval is not None
        return _numeric(getattr(intervals, interval))
    return _RULES[name]


def described(found: Type) -> str:
    """A type as it stands in messages, with its article."""
    return f"an {found}" if found.kind == "integer" else f"a {found}"


def _numbers(types: Sequence[Type], fail: Fail) -> None:
    for position, found in enumerate(types):
        if found.kind == "bool":
            fail(position, "expected a number, found a bool")


def _integer(types: Sequence[Type], position: int, fail: Fail) -> Interval:
    found = types[position]
    if found.kind != "integer":
        fail(position, f"expected an integer, found {described(found)}")
    return found.bounds


def _real(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    return REAL


def _predicate(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    return BOOL


def _numeric(interval_of: Callable[..., Interval]) -> Rule:
    """Integers give an integer with this interval; one real makes the result real."""

    def numeric(types: Sequence[Type], fail: Fail) -> Type:
        _numbers(types, fail)
        if any(found.kind == "real" for found in types):
            return REAL
        return integer(interval_of(*(found.bounds for found in types)))

    return numeric


def unify(types: Sequence[Type], fail: Fail, first: int = 0) -> Type:
    """The type of a value that is one of several: all bool, or numbers; a real makes it real.

    `first` is the position of the first of them among the arguments.
    """
    for position, found in enumerate(types, first):
        if (found.kind == "bool") != (types[0].kind == "bool"):
            fail(position, f"expected {'a bool' if types[0] == BOOL else 'a number'}, as before")
    if types[0].kind == "bool":
        return BOOL
    if any(found.kind == "real" for found in types):
        return REAL
    return integer(intervals.hull(*(found.bounds for found in types)))


def _where(types: Sequence[Type], fail: Fail) -> Type:
    if types[0].kind != "bool":
        fail(0, f"expected a condition, found {described(types[0])}; write 'x != 0'")
    return unify(types[1:], fail, 1)


def _choose(types: Sequence[Type], fail: Fail) -> Type:
    allowed = Interval(0, len(types) - 2)
    if types[0].kind != "integer" or not types[0].bounds.within(allowed):
        fail(0, f"expected an integer proven in {allowed}, found {described(types[0])}")
    return unify(types[1:], fail, 1)


def _bits(types: Sequence[Type], fail: Fail) -> Type:
    x = _integer(types, 0, fail)
    for position in (1, 2):
        found = types[position]
        if found.kind != "integer" or not found.bounds.within(SHIFT):
            fail(position, f"expected an integer proven in {SHIFT}, found {described(found)}")
    first, count = types[1].bounds, types[2].bounds
    mask = Interval((1 << count.low) - 1, (1 << count.high) - 1)
    return integer(intervals.bit_and(intervals.shift_right(x, first), mask))


def _mod(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    if any(found.kind == "real" for found in types) or 0 in types[1].bounds.values:
        return REAL
    return integer(intervals.modulo(types[0].bounds, types[1].bounds))


def _div(types: Sequence[Type], fail: Fail) -> Type:
    a, b = _integer(types, 0, fail), _integer(types, 1, fail)
    if 0 in b.values:
        fail(1, f"expected a divisor proven not to be 0, found {described(types[1])}")
    return integer(intervals.divide(a, b))


def _to_integer(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    constants = []
    for position in (1, 2, 3):
        value = types[position].constant
        if value is None or not types[position].bounds.within(INT64):
            found = described(types[position])
            fail(position, f"expected a constant integer within int64, found {found}")
        constants.append(value)
    low, high, invalid = constants
    if low > high:
        fail(2, f"expected at least {low}, found {high}")
    return integer(intervals.hull(Interval(low, high), Interval(invalid, invalid)))


def _labels(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    if types[1].kind != "integer":
        fail(1, f"expected integer labels, found {described(types[1])}")
    return REAL


_RULES: Final[Mapping[str, Rule]] = {
    "real": _real,
    "predicate": _predicate,
    "where": _where,
    "choose": _choose,
    "bits": _bits,
    "mod": _mod,
    "div": _div,
    "to_integer": _to_integer,
    "position": _real,
    "interp": _real,
    "poly": _real,
    "grouped": _labels,
}
