"""Productions of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .writer import Writer


def leaf(w: Writer, depth: int) -> str:
    name = w.pick("data", "raw", "tag", "two", "data", "asic")
    match w.below(7):
        case 0:
            return w.pick(name, name, "cell_id", "stage")
        case 1:
            return w.pick("0", "1", "3", "7", "0xFF", "65535", "(-1)", "(-300)", "0b101")
        case 2:
            return f"({name} >> {w.below(64)})"
        case 3:
            return f"position({w.pick('frame', 'slow', 'fast')})"
    return f"({name} & {w.pick('1', '3', '15', '0x3FFF')})"


def arithmetic(w: Writer, depth: int) -> str:
    return f"({w.integer(depth)} {w.pick('+', '-', '*')} {w.integer(depth)})"


def negative(w: Writer, depth: int) -> str:
    return f"(-({w.integer(depth)}))"


def bitwise(w: Writer, depth: int) -> str:
    return f"({w.integer(depth)} {w.pick('&', '|', '^')} {w.integer(depth)})"


def shifted(w: Writer, depth: int) -> str:
    count = f"{w.below(20)}" if w.chance(0.7) else w.code(7, depth)
    return f"({w.integer(depth)} {w.pick('>>', '<<')} {count})"


def chosen(w: Writer, depth: int) -> str:
    if w.chance(0.5):
        return f"where({w.condition(depth)}, {w.integer(depth)}, {w.integer(depth)})"
    values = ", ".join(w.integer(depth) for _ in range(3))
    return f"choose({w.code(2, depth)}, {values})"


def extreme(w: Writer, depth: int) -> str:
    values = ", ".join(w.integer(depth) for _ in range(w.rng.choice((2, 2, 3))))
    return f"{w.pick('min', 'max')}({values})"


def clip(w: Writer, depth: int) -> str:
    return f"clip({w.integer(depth)}, {w.integer(depth - 1)}, {w.integer(depth - 1)})"


def of_one(w: Writer, depth: int) -> str:
    return w.pick("abs", "floor", "ceil", "round", "sign", "abs") + f"({w.integer(depth)})"


def bits(w: Writer, depth: int) -> str:
    if w.chance(0.2):
        return f"bits({w.integer(depth)}, {w.code(3, depth)}, {w.code(3, depth)})"
    return f"bits({w.integer(depth)}, {w.below(64)}, {w.rng.choice((0, 1, 5, 19, 40, 63))})"


def divided(w: Writer, depth: int) -> str:
    return f"{w.pick('div', 'mod')}({w.integer(depth)}, {divisor(w, depth)})"


def divisor(w: Writer, depth: int) -> str:
    """An integer proven not to be 0."""
    match w.below(4):
        case 0:
            return f"max({w.integer(depth)}, 1)"
        case 1:
            return f"min({w.integer(depth)}, -1)"
        case 2:
            return f"(({w.integer(depth)} & 14) | 1)"
    return w.pick("3", "-7", "1", "-1", "256", "1000003", "0xFFFFFFFFFF")


def to_integer(w: Writer, depth: int) -> str:
    constants = w.pick(
        "-5, 5, 99",
        "0, 65535, 0",
        "0, 0xFFFF - 1, -1",
        "-(1 << 31), (1 << 31) - 1, 0",
        "0, 0x7FFFFFFFFFFFFFFF, -1",
        "-0x7FFFFFFFFFFFFFFF - 1, 0x7FFFFFFFFFFFFFFF, 7",
        "16777217, 0x1000001 << 20, 3",
        "-4, -4, 0",
    )
    return f"to_integer({w.real(depth) if w.chance(0.8) else w.integer(depth)}, {constants})"


def table(w: Writer, depth: int) -> str:
    """A table of integers, inside or with the value for outside."""
    name, dimension, last = w.rng.choice(
        [("codes", "stage", 2), ("steps", "step", 4), ("shift", "cell", 3)]
    )
    match w.below(5):
        case 0 | 1:
            return f"{name}[{dimension} = {w.code(last, depth)}]"
        case 2:
            return f"{name}[{w.below(last + 1)}]"
        case 3:
            return f"codes[fast = position(fast), {w.code(2, depth)}]"
    index = w.index(depth)
    return f"{name}[{dimension} = {index}, else = {w.integer(depth)}]"


PRODUCTIONS = (
    arithmetic,
    arithmetic,
    negative,
    bitwise,
    bitwise,
    shifted,
    chosen,
    chosen,
    extreme,
    clip,
    of_one,
    bits,
    divided,
    divided,
    to_integer,
    table,
    table,
)
