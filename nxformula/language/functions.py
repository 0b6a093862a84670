"""The one table of functions, operators and constants: a new function is a new entry.

The table itself is data, `grammar/functions.json`, so that other implementations can read it. Here
the names of its type rules and interval rules become functions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nxformula._resources import resource
from nxformula.language.type_rules import Rule, rule
from nxformula.language.types import BOOL, REAL

_DATA: Final[dict[str, list[dict[str, Any]]]] = json.loads(
    resource("grammar", "functions.json").read_text(encoding="ascii")
)


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language.

    Attributes
    ----------
    name, signature, group, meaning : str
        For people.
    arity : tuple of int
        Fewest and most arguments.
    type : str
        Name of the rule for the types of arguments and result.
    rule : callable
        That rule: from the types of the arguments to the type of the result.
    units : str
        Name of the rule for units.
    derivative : tuple of str or None
        By each argument, in the language itself and the names of the signature.
    ufunc : str or None
        The NumPy function that computes it, argument by argument from the left where there are
        more than two; None for those that the engine composes from others.
    """

    name: str
    signature: str
    group: str
    meaning: str
    arity: tuple[int, int]
    type: str
    rule: Rule
    units: str
    derivative: tuple[str, ...] | None
    ufunc: str | None


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of the language.

    Attributes
    ----------
    symbol : str
        As it is written; `-x` and `not x` before their operand.
    precedence : int
        1 binds tightest.
    operands : str
        What it takes: numbers, integers or bools.
    result : str
        What it gives.
    interval : str or None
        Name of the rule for the interval of an integer result.
    units : str
        Name of the rule for units.
    ufunc : str
        The NumPy function that computes it.
    meaning : str
        For people.
    """

    symbol: str
    precedence: int
    operands: str
    result: str
    interval: str | None
    units: str
    ufunc: str
    meaning: str


def _function(entry: dict[str, Any]) -> Function:
    fewest, most = entry["arguments"]
    derivative = entry["derivative"]
    return Function(
        entry["name"],
        entry["signature"],
        entry["group"],
        entry["meaning"],
        (fewest, most),
        entry["type"],
        rule(entry["type"], entry.get("interval")),
        entry["units"],
        None if derivative is None else tuple(derivative),
        entry.get("numpy"),
    )


def _operator(entry: dict[str, Any]) -> Operator:
    return Operator(
        entry["symbol"],
        entry["precedence"],
        entry["operands"],
        entry["result"],
        entry.get("interval"),
        entry["units"],
        entry["numpy"],
        entry["meaning"],
    )


FUNCTIONS: Final = {entry["name"]: _function(entry) for entry in _DATA["functions"]}
OPERATORS: Final = {entry["symbol"]: _operator(entry) for entry in _DATA["operators"]}
#: Constants and their types.
CONSTANTS: Final = {
    entry["name"]: BOOL if entry["type"] == "bool" else REAL for entry in _DATA["constants"]
}
#: Names of the rules for units of the constants.
CONSTANT_UNITS: Final[Mapping[str, str]] = {
    entry["name"]: entry["units"] for entry in _DATA["constants"]
}
KEYWORDS: Final = frozenset({"let", "and", "or", "not", "else"})


def is_reserved(name: str) -> bool:
    """Whether the language uses this name, so that no symbol or `let` may have it.

    Examples
    --------
    >>> is_reserved("where"), is_reserved("group_median"), is_reserved("pedestal")
    (True, True, False)
    """
    return name in FUNCTIONS or name in CONSTANTS or name in KEYWORDS
