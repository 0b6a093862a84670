"""In which loop each operation stands.

The loops are, from outside: tiles of pixels, frames, the pixels of a tile. "Pixels" are the last
dimension of the grid, "frames" the first, if there are several; the tiles go through the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from nxformula.engine.llvm.layouts import Layout
from nxformula.engine.plan import READS, Operation, Plan


class Level(Enum):
    """What an operation is computed for; the values name the results."""

    CALL = "call"
    WORK = "work"
    TILE = "tile"
    FRAME = "frame"
    PIXEL = "pixel"


#: Levels whose values can be used at a level, beside its own.
VISIBLE: Final = {
    Level.CALL: (),
    Level.WORK: (Level.CALL,),
    Level.TILE: (Level.CALL, Level.WORK),
    Level.FRAME: (Level.CALL, Level.WORK),
    Level.PIXEL: (Level.CALL, Level.WORK, Level.FRAME),
}


@dataclass(frozen=True, slots=True)
class Placement:
    """The level of each operation.

    Attributes
    ----------
    levels : tuple of Level
        By number of the operation. `TILE` is what differs between pixels and not between frames.
    kept : tuple of int
        Operations of `TILE` whose values are kept in memory for the frames.
    again : frozenset of int
        Operations of `TILE` that are done for every frame, because they only read.
    """

    levels: tuple[Level, ...]
    kept: tuple[int, ...]
    again: frozenset[int]


def place(plan: Plan, layout: Layout) -> Placement:
    """Place the operations of a plan."""
    levels = tuple(_level(varies) for varies in layout.varies)
    last = len(levels) - 1
    kept: set[int] = set()
    again: set[int] = set()
    for number in range(last, -1, -1):
        used = [*plan.operations[number].arguments] if _is_inner(number, levels, again) else []
        used += [number] if number == last else []
        for argument in used:
            if levels[argument] is Level.TILE:
                (again if _only_reads(plan, levels, argument) else kept).add(argument)
    return Placement(levels, tuple(sorted(kept)), frozenset(again))


def _is_inner(number: int, levels: tuple[Level, ...], again: set[int]) -> bool:
    return levels[number] is Level.PIXEL or number in again


def _level(varies: tuple[bool, ...]) -> Level:
    *others, pixels = varies
    frames = bool(others) and others[0]
    if pixels:
        # Without frames every pixel comes once: there is nothing to keep.
        return Level.PIXEL if frames or not others else Level.TILE
    if frames:
        return Level.FRAME
    return Level.WORK if any(others) else Level.CALL


def _only_reads(plan: Plan, levels: tuple[Level, ...], number: int) -> bool:
    """Whether a value is an element as it is stored, or that in another dtype."""
    operation: Operation = plan.operations[number]
    while operation.code == "cast":
        operation = plan.operations[operation.arguments[0]]
    varying = any(levels[argument] is Level.TILE for argument in operation.arguments)
    return operation.code in READS or (operation.code == "lookup" and not varying)
