"""Productions of conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .writer import Writer

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def leaf(w: Writer, depth: int) -> str:
    return w.pick(
        "mask",
        "true",
        "false",
        "(data > 3)",
        "(raw != 0)",
        "isnan(image)",
        "isfinite(image)",
        "isfinite(monitor)",
        "isnan(raw)",
        "isfinite(data)",
        "(position(fast) > 1)",
    )


def of_integers(w: Writer, depth: int) -> str:
    return f"({w.integer(depth)} {w.pick(*COMPARISONS)} {w.integer(depth)})"


def of_reals(w: Writer, depth: int) -> str:
    return f"({w.real(depth)} {w.pick(*COMPARISONS)} {w.real(depth)})"


def of_both(w: Writer, depth: int) -> str:
    return f"({w.integer(depth)} {w.pick(*COMPARISONS)} {w.real(depth)})"


def predicate(w: Writer, depth: int) -> str:
    return f"{w.pick('isnan', 'isfinite')}({w.real(depth)})"


def joined(w: Writer, depth: int) -> str:
    return f"({w.condition(depth)} {w.pick('and', 'or')} {w.condition(depth)})"


def negated(w: Writer, depth: int) -> str:
    return f"(not ({w.condition(depth)}))"


def chosen(w: Writer, depth: int) -> str:
    parts = [w.condition(depth) for _ in range(3)]
    if w.chance(0.5):
        return f"where({', '.join(parts)})"
    return f"choose({w.code(2, depth)}, {', '.join(parts)})"


def table(w: Writer, depth: int) -> str:
    """A table of bools, inside or with the value for outside."""
    otherwise = w.pick("true", "mask", "(tag > 0)", w.condition(depth))
    match w.below(3):
        case 0:
            return f"flags[{w.code(2, depth)}]"
        case 1:
            return f"dead[{w.index(depth)}, else = {otherwise}]"
    return f"flags[{w.integer(depth)}, else = {otherwise}]"


PRODUCTIONS = (of_integers, of_reals, of_reals, of_both, predicate, joined, negated, chosen, table)
