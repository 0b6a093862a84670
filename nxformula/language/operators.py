"""Types of operators: what they take, what they give, and whether integers fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NoReturn, TypeAlias

from nxformula.language import intervals, types
from nxformula.language.functions import OPERATORS
from nxformula.language.intervals import INT64, SHIFT, Interval
from nxformula.language.types import BOOL, REAL, Type

#: Reports a fault, as an error of kind `type` at the operator.
Fail: TypeAlias = Callable[[str], NoReturn]

#: How the table names the operators before their operand.
BEFORE_OPERAND: Final = {"-": "-x", "not": "not x"}


def unary(operator: str, operand: Type, fail: Fail) -> Type:
    """Type of an operator before its operand."""
    if operator == "not":
        if operand.kind != "bool":
            fail(f"'not' takes a condition, found {operand}; write 'x == 0'")
        return BOOL
    _need_number(operator, operand, fail)
    return _arithmetic(operator, BEFORE_OPERAND[operator], [operand], fail)


def binary(operator: str, left: Type, right: Type, fail: Fail) -> Type:
    """Type of an operator between its operands."""
    entry = OPERATORS[operator]
    if entry.operands == "bools":
        for found in (left, right):
            if found.kind != "bool":
                fail(f"'{operator}' takes conditions, found {found}; write 'x != 0'")
        return BOOL
    if entry.operands == "integers":
        return _bitwise(operator, left, right, fail)
    for found in (left, right):
        _need_number(operator, found, fail)
    if entry.result == "bool":
        return BOOL
    return _arithmetic(operator, operator, [left, right], fail)


def need_fit(what: str, bounds: Sequence[Interval], fail: Fail) -> None:
    """Refuse integers that no dtype of at most 64 bits holds together."""
    if types.narrowest(*bounds) is None:
        whole = intervals.hull(*bounds)
        fail(f"{what} needs integers in {whole}, more than int64 or uint64 holds")


def _need_number(operator: str, found: Type, fail: Fail) -> None:
    if found.kind == "bool":
        fail(f"'{operator}' takes numbers, found a bool; write 'where(condition, 1, 0)'")


def _arithmetic(operator: str, symbol: str, operands: Sequence[Type], fail: Fail) -> Type:
    rule = OPERATORS[symbol].interval
    if rule is None or any(found.kind == "real" for found in operands):
        return REAL
    given = [found.bounds for found in operands]
    for interval in given:
        if not interval.within(INT64):
            fail(f"'{operator}' takes integers within int64, found {interval}")
    bounds: Interval = getattr(intervals, rule)(*given)
    if not bounds.within(INT64):
        message = f"'{operator}' may give {bounds}, more than int64 holds"
        fail(f"{message}; make one operand real")
    return types.integer(bounds)


def _bitwise(operator: str, left: Type, right: Type, fail: Fail) -> Type:
    for found in (left, right):
        if found.kind != "integer":
            fail(f"'{operator}' takes integers, found {found}")
    if operator in ("<<", ">>") and not right.bounds.within(SHIFT):
        fail(f"a shift count must be proven in {SHIFT}, found {right.bounds}")
    bounds: Interval = getattr(intervals, str(OPERATORS[operator].interval))(
        left.bounds, right.bounds
    )
    need_fit(f"'{operator}'", [left.bounds, right.bounds, bounds], fail)
    return types.integer(bounds)
