"""When each operation runs, and in which scratch buffer its value lives.

An operation that varies nowhere runs once per call; one that does not vary along the inner
dimension (normally `frame`) runs once per tile; the rest runs for every tile of every frame. Of
the rest, what the indices of tables need comes first (stage `INDEX`), so that the backend can look
at the indices of a tile before it decides how to do the look-ups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

import numpy as np

from nxformula.engine.layout import Grid, inner_dimension, tile_shape
from nxformula.engine.plan import READS, Plan

#: Bytes of all buffers for a tile, temporary ones included; a tile is as large as this allows.
SCRATCH_BYTES: Final = 13 << 17
#: Bytes for elements that are computed one by one.
POINT_BYTES: Final = 1 << 18
#: Bytes that Python needs for the steps and views of one operation.
_OPERATION_BYTES: Final = 3 << 9


class Stage(IntEnum):
    """Parts of the evaluation, in the order in which they run."""

    ONCE = 0
    TILE = 1
    INDEX = 2
    REST = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """The order and the buffers of a plan on a grid.

    Attributes
    ----------
    stages : dict of tuple of int
        Numbers of the operations that run in each stage.
    shapes : tuple of tuple of bool
        For each operation, the dimensions of the grid along which it varies.
    selectors : tuple of int
        Indices of tables that vary within a tile; their look-ups are `choosing`.
    choosing : dict of int
        Look-ups in stage REST with one index that varies within a tile: that index.
    slots : tuple of int or None
        The scratch buffer of each operation; None for what needs none.
    slot_bytes : tuple of int
        Bytes per element of each buffer.
    """

    stages: dict[Stage, tuple[int, ...]]
    shapes: tuple[tuple[bool, ...], ...]
    selectors: tuple[int, ...]
    choosing: dict[int, int]
    slots: tuple[int | None, ...]
    slot_bytes: tuple[int, ...]


def make_schedule(plan: Plan, grid: Grid, tile: Sequence[int], inner: int | None) -> Schedule:
    """Schedule a plan; `inner` is the dimension of the grid along which tiles step innermost."""
    shapes = tuple(grid.varies(operation.dimensions) for operation in plan.operations)
    wide = [any(v and n > 1 for v, n in zip(shape, tile, strict=True)) for shape in shapes]
    stage = [_first_stage(shape, inner) for shape in shapes]
    selectors, choosing = _selectors(plan, wide, stage)
    for number in _ancestors(plan, selectors):
        if stage[number] == Stage.REST:
            stage[number] = Stage.INDEX
    stages = {s: tuple(n for n, at in enumerate(stage) if at == s) for s in Stage}
    slots, slot_bytes = _assign(plan, stage, shapes)
    return Schedule(stages, shapes, selectors, choosing, slots, slot_bytes)


@lru_cache(maxsize=64)
def fit_tile(
    plan: Plan, grid: Grid, elements: int, temporary: int
) -> tuple[tuple[int, ...], int | None, Schedule]:
    """The largest tile of at most so many elements whose buffers together fit the bound."""
    budget = max(SCRATCH_BYTES // 4, SCRATCH_BYTES - _OPERATION_BYTES * len(plan.operations))
    while True:
        tile = tile_shape(grid.shape, elements)
        inner = inner_dimension(grid.shape, tile)
        schedule = make_schedule(plan, grid, tile, inner)
        needed = sum(schedule.slot_bytes) + temporary
        if elements * needed <= budget or elements <= 256:
            return tile, inner, schedule
        elements = max(256, budget // needed & ~63)


def temporary_bytes(plan: Plan, kinds: int) -> int:
    """Bytes per element that are needed beside the buffers of the operations.

    `kinds` is the number of look-ups with different offsets.
    """
    codes = {operation.code for operation in plan.operations}
    needed = 9 if "select" in codes else 1
    needed += 8 * any(operation.detail == "power" for operation in plan.operations)
    tables = [o for o in plan.operations if o.code in ("lookup", "inside")]
    if not tables:
        return needed
    # For each kind of look-up the offsets, where they are inside, and that as bits; scratch for a
    # second index; an index as NumPy converts it; masks; where each element is in a tile.
    widest = max(np.dtype(o.dtype).itemsize for o in tables)
    several = 8 if any(len(o.arguments) > 1 for o in tables) else 0
    return needed + (9 + widest) * kinds + several + 8 + 3 + 8


def _first_stage(shape: tuple[bool, ...], inner: int | None) -> Stage:
    if not any(shape):
        return Stage.ONCE
    return Stage.TILE if inner is not None and not shape[inner] else Stage.REST


def _selectors(
    plan: Plan, wide: Sequence[bool], stage: Sequence[Stage]
) -> tuple[tuple[int, ...], dict[int, int]]:
    """Indices worth looking at before the look-ups, and the look-ups that they choose for."""
    candidates: dict[int, int] = {}
    for number, operation in enumerate(plan.operations):
        if operation.code == "lookup" and stage[number] == Stage.REST:
            changing = [argument for argument in operation.arguments if wide[argument]]
            if len(changing) == 1:
                candidates[number] = changing[0]
    # A look-up on the way to another one's index runs before the choice is made.
    early = _ancestors(plan, set(candidates.values()))
    choosing = {number: index for number, index in candidates.items() if number not in early}
    return tuple(sorted(set(choosing.values()))), choosing


def _ancestors(plan: Plan, numbers: Sequence[int] | set[int]) -> set[int]:
    needed = set(numbers)
    for number in range(max(needed, default=-1), -1, -1):
        if number in needed:
            needed.update(plan.operations[number].arguments)
    return needed


def _assign(
    plan: Plan, stage: Sequence[Stage], shapes: Sequence[tuple[bool, ...]]
) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """Scratch buffers by linear scan: a buffer is free again after its value's last use."""
    slots: list[int | None] = [None] * len(plan.operations)
    sizes: list[int] = []
    free: dict[int, list[int]] = {}
    order = sorted(range(len(plan.operations)), key=lambda number: (stage[number], number))
    ending: dict[int, list[int]] = {}
    for value, use in _last_uses(plan, stage).items():
        ending.setdefault(use, []).append(value)
    for number in order:
        operation = plan.operations[number]
        done = [(slots[value], value) for value in ending.get(number, ())]
        in_place = [s for s, v in done if operation.code == "apply" and shapes[v] == shapes[number]]
        _release(in_place, sizes, free)
        if operation.code not in READS and operation.code != "constant":
            size = np.dtype(operation.dtype).itemsize
            if not free.setdefault(size, []):
                free[size].append(len(sizes))
                sizes.append(size)
            slots[number] = free[size].pop()
        _release([s for s, _ in done if s not in in_place], sizes, free)
    return tuple(slots), tuple(sizes)


def _release(slots: list[int | None], sizes: list[int], free: dict[int, list[int]]) -> None:
    for slot in slots:
        if slot is not None:
            free.setdefault(sizes[slot], []).append(slot)


def _last_uses(plan: Plan, stage: Sequence[Stage]) -> dict[int, int]:
    """For each value that can give up its buffer, the operation after which it may.

    A value used in a later stage than its own stays: it serves all later frames of a tile.
    """
    last: dict[int, int] = {}
    lasting: set[int] = set()
    for number, operation in enumerate(plan.operations):
        for argument in operation.arguments:
            last[argument] = number
            if stage[argument] != stage[number]:
                lasting.add(argument)
    return {argument: use for argument, use in last.items() if argument not in lasting}
