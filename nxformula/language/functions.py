"""The one table of functions: a new function is a new entry.

The checker takes types and intervals from it, the engine the array operation, the command line
and the documentation the signature and the meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from nxformula.language import intervals, limits
from nxformula.language.intervals import SHIFT, Interval
from nxformula.language.types import BOOL, REAL, Type, integer

#: Constants and their types.
CONSTANTS: Final = {"nan": REAL, "inf": REAL, "pi": REAL, "true": BOOL, "false": BOOL}

#: Functions of version 1 of the language that this release does not provide yet; their names
#: belong to the language all the same.
RESERVED: Final = frozenset(
    [
        "expm1",
        "log1p",
        "log2",
        "log10",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "atan2",
        "sinh",
        "cosh",
        "tanh",
        "hypot",
        "ceil",
        "sign",
        "mod",
        "isfinite",
        "div",
        "to_integer",
        "position",
        "interp",
        "poly",
        "group_median",
        "group_mean",
        "group_sum",
        "group_min",
        "group_max",
        "group_count",
        "group_std",
        "group_quantile",
    ]
)

#: Reports a fault of argument number i (None: of the call), as an error of kind `type`.
Fail: TypeAlias = Callable[[int | None, str], NoReturn]
Rule: TypeAlias = Callable[[Sequence[Type], Fail], Type]

#: Most arguments of `choose` (an index and 64 values), and of functions that take any number.
_CHOICES: Final = 65
_ANY: Final = limits.NODES


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the language.

    Attributes
    ----------
    name, signature, meaning : str
        For people.
    arity : tuple of int
        Fewest and most arguments.
    rule : callable
        From the types of the arguments to the type of the result.
    ufunc : str or None
        The NumPy function that computes it, argument by argument from the left where there are
        more than two; None for those that the engine composes from others.
    """

    name: str
    signature: str
    meaning: str
    arity: tuple[int, int]
    rule: Rule
    ufunc: str | None = None


def _numbers(types: Sequence[Type], fail: Fail) -> None:
    for position, found in enumerate(types):
        if found.kind == "bool":
            fail(position, "expected a number, found a bool")


def _real(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    return REAL


def _predicate(types: Sequence[Type], fail: Fail) -> Type:
    _numbers(types, fail)
    return BOOL


def _numeric(interval_of: Callable[..., Interval]) -> Rule:
    """Integers give an integer with this interval; one real makes the result real."""

    def rule(types: Sequence[Type], fail: Fail) -> Type:
        _numbers(types, fail)
        if any(found.kind == "real" for found in types):
            return REAL
        return integer(interval_of(*(found.bounds for found in types)))

    return rule


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
        fail(0, f"expected a condition, found {_article(types[0])}; write 'x != 0'")
    return unify(types[1:], fail, 1)


def _choose(types: Sequence[Type], fail: Fail) -> Type:
    allowed = Interval(0, len(types) - 2)
    if types[0].kind != "integer" or not types[0].bounds.within(allowed):
        fail(0, f"expected an integer proven in {allowed}, found {_article(types[0])}")
    return unify(types[1:], fail, 1)


def _bits(types: Sequence[Type], fail: Fail) -> Type:
    if types[0].kind != "integer":
        fail(0, f"expected an integer, found {_article(types[0])}")
    for position in (1, 2):
        found = types[position]
        if found.kind != "integer" or not found.bounds.within(SHIFT):
            fail(position, f"expected an integer proven in {SHIFT}, found {_article(found)}")
    x, first, count = (found.bounds for found in types)
    mask = Interval((1 << count.low) - 1, (1 << count.high) - 1)
    return integer(intervals.bit_and(intervals.shift_right(x, first), mask))


def _article(found: Type) -> str:
    return f"an {found}" if found.kind == "integer" else f"a {found}"


_TABLE: Final = (
    Function(
        "where",
        "where(condition, a, b)",
        "a where the condition holds, else b; NaN comes only from the chosen one",
        (3, 3),
        _where,
    ),
    Function(
        "choose",
        "choose(i, v0, v1, ..., vn)",
        "the value number i; i must be proven in 0..n, n at most 63",
        (2, _CHOICES),
        _choose,
    ),
    Function(
        "bits",
        "bits(x, first, count)",
        "count bits of the integer x from bit first: (x >> first) & (2^count - 1)",
        (3, 3),
        _bits,
    ),
    Function("abs", "abs(x)", "absolute value", (1, 1), _numeric(intervals.absolute), "absolute"),
    Function("sqrt", "sqrt(x)", "square root, correctly rounded", (1, 1), _real, "sqrt"),
    Function("exp", "exp(x)", "e to the power x", (1, 1), _real, "exp"),
    Function("log", "log(x)", "natural logarithm", (1, 1), _real, "log"),
    Function(
        "min",
        "min(a, b, ...)",
        "the smallest; NaN if one is NaN",
        (2, _ANY),
        _numeric(intervals.minimum),
        "minimum",
    ),
    Function(
        "max",
        "max(a, b, ...)",
        "the largest; NaN if one is NaN",
        (2, _ANY),
        _numeric(intervals.maximum),
        "maximum",
    ),
    Function(
        "clip",
        "clip(x, low, high)",
        "min(max(x, low), high)",
        (3, 3),
        _numeric(intervals.clip),
    ),
    Function(
        "floor",
        "floor(x)",
        "the largest integer value not above x",
        (1, 1),
        _numeric(lambda x: x),
        "floor",
    ),
    Function(
        "round",
        "round(x)",
        "the nearest integer value, half to even",
        (1, 1),
        _numeric(lambda x: x),
        "rint",
    ),
    Function("isnan", "isnan(x)", "whether x is NaN", (1, 1), _predicate, "isnan"),
)

FUNCTIONS: Final = {function.name: function for function in _TABLE}


def is_reserved(name: str) -> bool:
    """Whether the language uses this name, so that no symbol or `let` may have it.

    Examples
    --------
    >>> is_reserved("where"), is_reserved("group_median"), is_reserved("pedestal")
    (True, True, False)
    """
    return name in FUNCTIONS or name in CONSTANTS or name in KEYWORDS or name in RESERVED


KEYWORDS: Final = frozenset({"let", "and", "or", "not", "else"})
