"""Evaluate a plan with NumPy, tile by tile, in scratch buffers that stay in the cache.

Where almost all elements of a tile take the same plane of a table (the gain stage of most pixels
is 0), the tile is computed with that plane as it is, and the few others are computed again on
their own. Both ways do the same operations on the same numbers: the result is the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.layout import (
    Array,
    Box,
    Grid,
    aligned,
    boxes,
    inner_dimension,
    make_grid,
    tile_shape,
)
from nxformula.engine.plan import Operation, Plan
from nxformula.engine.points import Points
from nxformula.engine.schedule import Schedule, Stage, make_schedule
from nxformula.engine.tables import (
    Found,
    MemoryTable,
    grid_offsets,
    lookup_key,
    memory_table,
)
from nxformula.language.symbols import Symbol

#: Bytes of all buffers together, temporary ones included; a tile is as large as this allows.
SCRATCH_BYTES: Final = 16 << 18
#: Bytes for elements that are computed one by one.
_POINT_BYTES: Final = 1 << 19
#: Most elements of a tile.
TILE: Final = 1 << 15
#: Elements that are computed again, as a share of a tile, up to which that is the faster way.
FEW: Final = 0.06


def evaluate(
    plan: Plan, symbols: Mapping[str, Symbol], arrays: Mapping[str, Array], out: Array
) -> None:
    """Evaluate a plan.

    Parameters
    ----------
    plan : Plan
        From `lower`.
    symbols : mapping of str to Symbol
        Dimensions of the arrays.
    arrays : mapping of str to ndarray
        Values in native byte order; the lengths of all dimensions agree with those of `out`.
    out : ndarray
        Receives the result; dimensions as in `plan.axes`, of any strides.
    """
    if out.size == 0:
        return
    sources = _sources(plan, symbols, arrays)
    grid = make_grid(plan.axes, out.shape, [*sources.values(), out])
    fitted = {number: grid.fit(array) for number, array in sources.items()}
    with np.errstate(all="ignore"):
        TileRun(plan, grid, fitted, grid.fit(out)).run()


def _sources(
    plan: Plan, symbols: Mapping[str, Symbol], arrays: Mapping[str, Array]
) -> dict[int, Array]:
    """The aligned array of each operation that reads a symbol."""
    sources: dict[int, Array] = {}
    for number, operation in enumerate(plan.operations):
        indexed: tuple[str, ...] = ()
        if operation.code == "load":
            name = str(operation.detail)
        elif operation.code in ("lookup", "inside"):
            name, indexed = operation.table.symbol, operation.table.dimensions
        else:
            continue
        sources[number] = aligned(arrays[name], symbols[name], indexed, plan.axes)
    return sources


#: Computes the value of one operation for the tile at hand.
_Step: TypeAlias = Callable[[], Array]


class TileRun:
    """One evaluation: its tiles, its scratch, and the values of the tile at hand.

    Attributes
    ----------
    box : tuple of slice
        The tile at hand.
    extents : tuple of int
        Its lengths.
    values : list of ndarray
        The value of every operation that ran, of length 1 where it does not vary.
    """

    def __init__(self, plan: Plan, grid: Grid, sources: dict[int, Array], out: Array) -> None:
        self.plan = plan
        self.out = out
        self.shape = grid.shape
        self.tile, self.inner, self.schedule = _fit_tile(plan, grid)
        elements = int(np.prod(self.tile))
        self.buffers = [np.empty(elements * size, np.uint8) for size in self.schedule.slot_bytes]
        self.values: list[Array] = [np.empty(0)] * len(plan.operations)
        self.box: Box = ()
        self.extents: tuple[int, ...] = ()
        self.destinations: list[Array] = []
        self.views: dict[tuple[int, ...], list[Array]] = {}
        self.elements: dict[tuple[tuple[int, ...], tuple[int, ...]], Array] = {}
        self.found: dict[object, Found] = {}
        self.offsets: list[Array] = []
        selects = any(operation.code == "select" for operation in plan.operations)
        self.mask_bytes = np.empty(8 * elements if selects else 0, np.uint8)
        self.usual: dict[int, int] = dict.fromkeys(self.schedule.selectors, 0)
        self.sources = {n: s for n, s in sources.items() if plan.operations[n].code == "load"}
        self.tables = {
            n: memory_table(
                source, len(plan.operations[n].arguments), plan.operations[n].table.planes
            )
            for n, source in sources.items()
            if n not in self.sources
        }
        size = max(64, min(8192, _POINT_BYTES // (8 * len(plan.operations))))
        self.points = Points(plan, self.sources, self.tables, out, size)
        self.steps = {
            stage: [
                (n, _STEPS[plan.operations[n].code](self, n, plan.operations[n])) for n in numbers
            ]
            for stage, numbers in self.schedule.stages.items()
        }

    def run(self) -> None:
        """Evaluate all tiles."""
        self._enter((slice(0, 1),) * len(self.shape))
        self._do(Stage.ONCE)
        for box in boxes(self.shape, self.tile, self.inner):
            if self.inner is None:
                self._do_box([box])
            else:
                steps = (slice(i, i + 1) for i in range(self.shape[self.inner]))
                self._do_box([_replaced(box, self.inner, step) for step in steps])
        self.points.flush()

    def _do_box(self, parts: Sequence[Box]) -> None:
        self._enter(parts[0])
        self.found.clear()
        self._do(Stage.TILE)
        for part in parts:
            self.box = part
            self.found.clear()
            self._do(Stage.INDEX)
            self._do_rest()

    def _do(self, stage: Stage) -> None:
        for number, step in self.steps[stage]:
            self.values[number] = step()

    # Scratch

    def _enter(self, box: Box) -> None:
        self.box = box
        self.extents = tuple(part.stop - part.start for part in box)
        if self.extents not in self.views:
            numbers = range(len(self.plan.operations))
            self.views[self.extents] = [self._view(number) for number in numbers]
        self.destinations = self.views[self.extents]

    def _view(self, number: int) -> Array:
        """A view of the tile's shape and the operation's dtype on its buffer."""
        slot = self.schedule.slots[number]
        if slot is None:
            return self.values[number]
        varies = self.schedule.shapes[number]
        shape = tuple(n if v else 1 for n, v in zip(self.extents, varies, strict=True))
        dtype = np.dtype(self.plan.operations[number].dtype)
        size = int(np.prod(shape)) * dtype.itemsize
        return self.buffers[slot][:size].view(dtype).reshape(shape)

    # Operations: each gives a step

    def _constant(self, number: int, operation: Operation) -> _Step:
        detail: Any = operation.detail
        value = np.full((1,) * len(self.shape), detail, operation.dtype)
        return lambda: value

    def _load(self, number: int, operation: Operation) -> _Step:
        array = self.sources[number]
        return lambda: cut(array, self.box)

    def _cast(self, number: int, operation: Operation) -> _Step:
        (argument,) = operation.arguments

        def step() -> Array:
            out = self.destinations[number]
            np.copyto(out, self.values[argument], casting="unsafe")
            return out

        return step

    def _apply(self, number: int, operation: Operation) -> _Step:
        function = getattr(np, str(operation.detail))
        values = self.values
        arguments = operation.arguments

        def step() -> Array:
            out = self.destinations[number]
            function(*[values[argument] for argument in arguments], out=out)
            return out

        return step

    def _select(self, number: int, operation: Operation) -> _Step:
        condition, a, b = operation.arguments

        def step() -> Array:
            out = self.destinations[number]
            _blend(self.values[condition], self.values[a], self.values[b], out, self.mask_bytes)
            return out

        return step

    def _pick(self, number: int, operation: Operation) -> _Step:
        choices = np.array(operation.detail, operation.dtype)
        (index,) = operation.arguments
        return lambda: choices.take(self.values[index], out=self.destinations[number], mode="clip")

    def _lookup(self, number: int, operation: Operation) -> _Step:
        table = self.tables[number]
        key = lookup_key(operation, table)

        def step() -> Array:
            if key not in self.found:
                self.found[key] = self._find(table, operation, self.destinations[number].shape)
            return table.take(self.found[key], self.destinations[number])

        return step

    def _inside(self, number: int, operation: Operation) -> _Step:
        table = self.tables[number]

        def step() -> Array:
            out = self.destinations[number]
            table.inside([self.values[argument] for argument in operation.arguments], out)
            return out

        return step

    def _find(self, table: MemoryTable, operation: Operation, shape: tuple[int, ...]) -> Found:
        indices = [self.values[argument] for argument in operation.arguments]
        buffers = self._index_buffers(shape)
        return table.find(indices, self.elements_of(table), table.start(self.box), buffers)

    def _index_buffers(self, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """Offsets of one kind of look-up, and a place for those of its index.

        Large arrays made anew for every tile would cost more than what is done in them.
        """
        number = len(self.found)
        while len(self.offsets) < number + 2:
            self.offsets.append(np.empty(int(np.prod(self.tile)), np.intp))
        size = int(np.prod(shape))
        # The place for the index is the one that the next kind of look-up takes over.
        at, index = self.offsets[number], self.offsets[number + 1]
        return at[:size].reshape(shape), index[:size].reshape(shape)

    def elements_of(self, table: MemoryTable) -> Array:
        """Offsets in a table's memory of the elements of the tile from the first."""
        key = table.grid_steps, self.extents
        if key not in self.elements:
            self.elements[key] = grid_offsets(*key)
        return self.elements[key]

    # The last stage: with the usual plane of each table and a few elements again, or all the same

    def _do_rest(self) -> None:
        out = self.out[self.box]
        self.destinations[-1] = out
        mask = self._unusual()
        if mask is None or np.count_nonzero(mask) > FEW * mask.size:
            self._do(Stage.REST)
            mask = None
        else:
            self._do_usual()
        if self.values[-1] is not out:
            np.copyto(out, self.values[-1])
        if mask is not None:
            self._note(mask)

    def _note(self, mask: Array) -> None:
        """Leave the marked elements of the tile to be computed one by one."""
        whole = mask if mask.shape == self.extents else np.broadcast_to(mask, self.extents)
        elements = np.flatnonzero(whole)
        if not elements.size:
            return
        if self.extents[:-1].count(1) < len(self.extents) - 1:
            at = np.unravel_index(elements, self.extents)
            starts = (part.start for part in self.box)
            shifted = tuple(a + start for a, start in zip(at, starts, strict=True))
            elements = np.ravel_multi_index(shifted, self.shape)
        else:
            elements += np.ravel_multi_index(tuple(p.start for p in self.box), self.shape)
        self.points.add(elements)

    def _do_usual(self) -> None:
        for number, step in self.steps[Stage.REST]:
            if number in self.schedule.choosing:
                self.values[number] = self._usual_plane(number)
            else:
                self.values[number] = step()

    def _unusual(self) -> Array | None:
        """Where an index differs from the most frequent one; None without look-ups to choose."""
        mask: Array | None = None
        for selector in self.schedule.selectors:
            index = self.values[selector]
            differs = index != self.usual[selector]
            if 2 * np.count_nonzero(differs) > differs.size:
                self.usual[selector] = _most_frequent(index)
                differs = index != self.usual[selector]
            mask = differs if mask is None else mask | differs
        return mask

    def _usual_plane(self, number: int) -> Array:
        table = self.tables[number]
        selector = self.schedule.choosing[number]
        places = [
            table.place(self.usual[n] if n == selector else int(self.values[n].item()))
            for n in self.plan.operations[number].arguments
        ]
        return table.plane(places, self.box)


_STEPS: Final[Mapping[str, Callable[[TileRun, int, Operation], _Step]]] = {
    "constant": TileRun._constant,
    "load": TileRun._load,
    "cast": TileRun._cast,
    "apply": TileRun._apply,
    "select": TileRun._select,
    "pick": TileRun._pick,
    "lookup": TileRun._lookup,
    "inside": TileRun._inside,
}


def _blend(condition: Array, a: Array, b: Array, out: Array, scratch: Array) -> None:
    """Write `a` where the condition holds, else `b`, without a branch for every element."""
    bits = np.dtype(f"i{out.itemsize}")
    mask = scratch[: condition.size * out.itemsize].view(bits).reshape(condition.shape)
    np.copyto(mask, condition)
    np.negative(mask, out=mask)
    target, other = out.view(bits), b.view(bits)
    np.bitwise_xor(a.view(bits), other, out=target)
    np.bitwise_and(target, mask, out=target)
    np.bitwise_xor(target, other, out=target)


def cut(array: Array, box: Box) -> Array:
    """The tile's part of an array on the grid."""
    pairs = zip(array.shape, box, strict=True)
    return array[tuple(slice(None) if n == 1 else part for n, part in pairs)]


def _replaced(box: Box, dimension: int, part: slice) -> Box:
    return (*box[:dimension], part, *box[dimension + 1 :])


def _most_frequent(index: Array) -> int:
    """The most frequent of some samples of an index."""
    samples = index.reshape(-1)[:: max(1, index.size // 256)]
    values, counts = np.unique(samples, return_counts=True)
    return int(values[counts.argmax()])


def _fit_tile(plan: Plan, grid: Grid) -> tuple[tuple[int, ...], int | None, Schedule]:
    """The largest tile for which all buffers together stay below the bound."""
    elements = TILE
    while True:
        tile = tile_shape(grid.shape, elements)
        inner = inner_dimension(grid.shape, tile)
        schedule = make_schedule(plan, grid, tile, inner)
        needed = sum(schedule.slot_bytes) + _temporary_bytes(plan)
        if elements * needed <= SCRATCH_BYTES or elements <= 256:
            return tile, inner, schedule
        elements = max(256, SCRATCH_BYTES // needed & ~63)


def _temporary_bytes(plan: Plan) -> int:
    """Bytes per element of a tile that are needed beside the buffers of the operations."""
    codes = {operation.code for operation in plan.operations}
    mask = 8 if "select" in codes else 0
    tables = [o for o in plan.operations if o.code in ("lookup", "inside")]
    if not tables:
        return mask
    # Offsets of elements and indices, and where these are outside.
    indices = max(17 * len(o.arguments) for o in tables)
    return mask + indices + 16 * (1 + len({(o.arguments, o.table) for o in tables}))
