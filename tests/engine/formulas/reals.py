"""Productions of reals: all operations that every implementation must do exactly.

The sign of a zero that `min`, `max`, `clip` or a sorted group gives is open. So 0.0 is added,
which makes -0.0 to 0.0 and leaves everything else as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .writer import Writer


def leaf(w: Writer, depth: int) -> str:
    names = ("image", "line", "monitor", "one", "data", "raw", "two")
    literals = ("0.0", "1.5", "1e30", "1e300", "1e-40", "nan", "inf", "pi", "0.1", ".5", "-0.0")
    found = w.pick(*names, *names, *literals)
    return f"({found})" if found.startswith("-") else found


def arithmetic(w: Writer, depth: int) -> str:
    return f"({w.real(depth)} {w.pick('+', '-', '*', '/')} {w.real(depth)})"


def mixed(w: Writer, depth: int) -> str:
    return f"({w.integer(depth)} {w.pick('+', '-', '*', '/')} {w.real(depth)})"


def of_one(w: Writer, depth: int) -> str:
    name = w.pick("abs", "floor", "ceil", "round", "sign", "sqrt", "sqrt", "-")
    return f"({name}({w.real(depth)}))"


def chosen(w: Writer, depth: int) -> str:
    if w.chance(0.5):
        return f"where({w.condition(depth)}, {w.real(depth)}, {w.real(depth)})"
    values = ", ".join(w.real(depth) for _ in range(4))
    return f"choose({w.code(w.rng.choice((1, 3)), depth)}, {values})"


def extreme(w: Writer, depth: int) -> str:
    values = ", ".join(w.real(depth) for _ in range(w.rng.choice((2, 2, 3))))
    return f"({w.pick('min', 'max')}({values}) + 0.0)"


def clip(w: Writer, depth: int) -> str:
    return f"(clip({w.real(depth)}, {w.real(depth - 1)}, {w.real(depth - 1)}) + 0.0)"


def modulo(w: Writer, depth: int) -> str:
    divisor = w.integer(depth) if w.chance(0.3) else w.real(depth)
    return f"mod({w.real(depth) if w.chance(0.7) else w.integer(depth)}, {divisor})"


# Tables


def look_up(w: Writer, depth: int) -> str:
    match w.below(9):
        case 0 | 1:
            return f"gain[{w.index(depth)}]"
        case 2:
            return f"offset[cell = {w.index(depth)}, stage = {w.index(depth)}]"
        case 3:
            return (
                f"offset[stage = {w.pick('stage', 'raw & 3')}, cell = {w.pick('cell_id', 'tag')}]"
            )
        case 4:
            return f"ramp[step = {w.index(depth)}]"
        case 5:
            return f"columns[along = {w.code(1, depth)}]"
        case 6:
            return f"gain[{w.index(depth)}, else = {w.real(depth)}]"
        case 7:
            return f"gain[{w.index(depth)}, fast = {w.pick('position(slow)', w.integer(depth))}]"
    return f"codes[stage = where({w.condition(depth)}, {w.index(depth)}, -1)]"


def interp(w: Writer, depth: int) -> str:
    xs = w.pick("xs", "xs", f"stage_xs[stage = {w.index(depth)}]", "pixel_xs")
    ys = w.pick(
        "ys",
        "flat",
        f"stage_ys[stage = {w.index(depth)}]",
        f"stage_ys[stage = {w.index(depth)}, else = {w.real(depth)}]",
        f"ys[slow = {w.index(depth)}]",
        "pixel_xs",
    )
    inside = w.pick("((raw & 15) * 0.375 - 2)", "((data & 15) - 8)", "image", "raw & 7")
    x = w.pick(inside, f"mod({w.real(depth)}, 5.0)", w.real(depth), w.integer(depth))
    return f"interp({x}, {xs}, {ys})"


def poly(w: Writer, depth: int) -> str:
    table = w.pick(
        "curve",
        "counts",
        f"curves[stage = {w.index(depth)}]",
        f"curves[stage = {w.index(depth)}, else = {w.real(depth)}]",
        f"cells[stage = {w.index(depth)}, cell = {w.index(depth)}]",
        f"cells[cell = cell_id, stage = {w.pick('stage', 'raw & 3')}]",
    )
    return f"poly({w.pick(w.real(depth), w.integer(depth))}, {table})"


# Groups


def labels(w: Writer, depth: int) -> str:
    """An integer that has dimensions, `frame` not among them."""
    plain = w.pick(
        "raw",
        "raw & 1",
        "bank",
        "asic",
        "asic",
        "asic - 1",
        "position(slow)",
        "div(position(fast), 2)",
        "position(slow) * 10 + div(position(fast), 2)",
        "mod(position(fast), 2)",
        "0 * position(fast)",
        "codes[stage = clip(raw, 0, 2)]",
        "shift[cell = asic, else = -1]",
        "where(mask, position(fast), -1)",
        "to_integer(gain[0], -1, 2, -1)",
        "to_integer(line, 0, 1, 7)",
        "position(slow) ^ 0",
    )
    if w.chance(0.1):
        return f"to_integer({w.pick(*SORTED[:3])}(gain[1], {plain}), 0, 2, -1)"
    return plain


SORTED = ("group_median", "group_min", "group_max", "group_quantile")
SUMMED = ("group_mean", "group_sum", "group_count", "group_std")


def group(w: Writer, depth: int) -> str:
    function = w.pick(*SORTED, *SUMMED)
    rest = ""
    if function == "group_quantile":
        rest = f", {w.pick('0', '1', '0.5', '0.5', '0.25', '0.9', '0.99', '0.3', '1e0')}"
    if w.chance(0.3):
        value = f"where({w.condition(depth)}, {w.real(depth)}, nan)"
    else:
        value = w.pick(w.real(depth), w.real(depth), w.integer(depth), "image", "gain[stage]")
    found = f"{function}({value}, {labels(w, depth)}{rest})"
    return f"({found} + 0.0)" if function in SORTED else found


#: Functions of whole tables or whole groups: each formula of reals has one at its top, often.
OF_MANY = (interp, poly, group, group)
PRODUCTIONS = (
    arithmetic,
    arithmetic,
    arithmetic,
    mixed,
    mixed,
    of_one,
    of_one,
    chosen,
    chosen,
    extreme,
    clip,
    modulo,
    look_up,
    look_up,
    interp,
    poly,
    group,
    group,
)
