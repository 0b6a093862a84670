"""Evaluate a plan with NumPy, tile by tile, in scratch buffers that stay in the cache.

Where almost all elements of a tile take the same plane of a table (the gain stage of most pixels
is 0), the tile is computed with that plane as it is, and the few others are computed again on
their own. Both ways do the same operations on the same numbers: the result is the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import nan, prod
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.blend import blend
from nxformula.engine.choice import Choice
from nxformula.engine.fitting import Fitted, fit_arrays
from nxformula.engine.layout import Array, Box, Windows, boxes
from nxformula.engine.plan import READS, Operation, Plan
from nxformula.engine.points import Points
from nxformula.engine.schedule import POINT_BYTES, Stage, fit_tile, temporary_bytes
from nxformula.engine.tables import MemoryTable, Offsets, lookup_key, memory_table
from nxformula.engine.ufuncs import ufunc
from nxformula.language.symbols import Symbol

#: Most elements of a tile.
TILE: Final = 1 << 15
#: Elements that are computed again, as a share of a tile, up to which that is the faster way, were
#: look-ups all that is read: each such element pays for every read, a gathered tile for look-ups.
FEW: Final = 0.18


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
    fitted = fit_arrays(plan, symbols, arrays, out)
    with np.errstate(all="ignore"):
        TileRun(plan, fitted).run()


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

    def __init__(self, plan: Plan, fitted: Fitted) -> None:
        grid, sources, out = fitted.grid, fitted.sources, fitted.out
        self.plan = plan
        self.out = out
        self.shape = grid.shape
        self.sources = {n: s for n, s in sources.items() if plan.operations[n].code in READS}
        self.tables = {
            n: memory_table(
                source, len(plan.operations[n].arguments), plan.operations[n].table.planes
            )
            for n, source in sources.items()
            if n not in self.sources
        }
        kinds = {lookup_key(plan.operations[n], table) for n, table in self.tables.items()}
        self.temporary = temporary_bytes(plan, len(kinds))
        self.tile, self.inner, self.schedule = fit_tile(plan, grid, TILE, self.temporary)
        elements = prod(self.tile)
        self.buffers = [np.empty(elements * size, np.uint8) for size in self.schedule.slot_bytes]
        self.values: list[Array] = [np.empty(0)] * len(plan.operations)
        self.box: Box = ()
        self.extents: tuple[int, ...] = ()
        self.destinations: list[Array] = []
        self.views: dict[tuple[int, ...], list[Array]] = {}
        self.windows = Windows()
        self.offsets = Offsets(elements)
        selects = any(operation.code == "select" for operation in plan.operations)
        self.mask_bytes = np.empty(8 * elements if selects else 0, np.uint8)
        reads = sum(o.code in READS or o.code == "lookup" for o in plan.operations)
        self.few = FEW * len(self.schedule.choosing) / max(1, reads)
        self.choice = Choice(self.schedule, elements)
        self.points: Points | None = None
        self.steps = {
            stage: [
                (n, _STEPS[plan.operations[n].code](self, n, plan.operations[n])) for n in numbers
            ]
            for stage, numbers in self.schedule.stages.items()
        }
        self.usual_steps = [
            (n, self._usual_plane(n, plan.operations[n]) if n in self.schedule.choosing else step)
            for n, step in self.steps[Stage.REST]
        ]
        self.part_of_out = self.windows.of(out)

    def run(self) -> None:
        """Evaluate all tiles; only once."""
        self._enter((slice(0, 1),) * len(self.shape))
        self._do(self.steps[Stage.ONCE])
        for box in boxes(self.shape, self.tile, self.inner):
            if self.inner is None:
                self._do_box([box])
            else:
                steps = (slice(i, i + 1) for i in range(self.shape[self.inner]))
                self._do_box([_replaced(box, self.inner, step) for step in steps])
        if self.points is not None:
            self.points.flush()
        # The steps refer to this object: without them it is free at once, scratch and all, and
        # does not wait for the garbage collector.
        self.steps.clear()
        self.usual_steps.clear()

    def _do_box(self, parts: Sequence[Box]) -> None:
        self._enter(parts[0])
        self._do(self.steps[Stage.TILE])
        for part in parts:
            if part is not self.box:
                self._move(part)
            self._do(self.steps[Stage.INDEX])
            self._do_rest()

    def _do(self, steps: Sequence[tuple[int, _Step]]) -> None:
        values = self.values
        for number, step in steps:
            values[number] = step()

    def _do_rest(self) -> None:
        """The last stage: with the usual planes and a few elements again, or all the same."""
        out = self.part_of_out()
        last = len(self.values) - 1
        if last in self.schedule.stages[Stage.REST]:
            self.destinations[last] = out
        unusual, mask = self.choice.unusual(self.values)
        if mask is not None and unusual <= self.few * mask.size:
            self._do(self.usual_steps)
        else:
            unusual = 0
            self._do(self.steps[Stage.REST])
        if self.values[last] is not out:
            np.copyto(out, self.values[last])
        if unusual and mask is not None:
            self._note(mask)

    def _note(self, mask: Array) -> None:
        """Leave the marked elements of the tile to be computed one by one."""
        if self.points is None:
            live = sum(self.schedule.slot_bytes) + self.temporary
            size = max(64, POINT_BYTES // live)
            self.points = Points(self.plan, self.sources, self.tables, self.out, size)
        whole = mask if mask.shape == self.extents else np.broadcast_to(mask, self.extents)
        self.points.add(whole, self.box)

    # Scratch

    def _enter(self, box: Box) -> None:
        self.extents = tuple(part.stop - part.start for part in box)
        if self.extents not in self.views:
            self.views[self.extents] = [
                self.values[number] if slot is None else self._view(number, slot)
                for number, slot in enumerate(self.schedule.slots)
            ]
        self.destinations = self.views[self.extents]
        self._move(box)

    def _move(self, box: Box) -> None:
        self.box = box
        self.windows.move(box)
        self.offsets.clear()

    def _view(self, number: int, slot: int) -> Array:
        """A view of the tile's shape and the operation's dtype on a buffer."""
        varies = self.schedule.shapes[number]
        shape = tuple(n if v else 1 for n, v in zip(self.extents, varies, strict=True))
        dtype = np.dtype(self.plan.operations[number].dtype)
        size = prod(shape) * dtype.itemsize
        return self.buffers[slot][:size].view(dtype).reshape(shape)

    # Operations: each gives a step

    def _constant(self, number: int, operation: Operation) -> _Step:
        detail: Any = operation.detail
        value = np.array(detail, operation.dtype)
        return lambda: value

    def _load(self, number: int, operation: Operation) -> _Step:
        return self.windows.of(self.sources[number])

    def _cast(self, number: int, operation: Operation) -> _Step:
        (argument,) = operation.arguments

        def step() -> Array:
            out = self.destinations[number]
            np.copyto(out, self.values[argument], casting="unsafe")
            return out

        return step

    def _apply(self, number: int, operation: Operation) -> _Step:
        function = ufunc(str(operation.detail))
        values = self.values
        arguments = operation.arguments

        def step() -> Array:
            out = self.destinations[number]
            function(*[values[argument] for argument in arguments], out=out)
            return out

        def step_of_two() -> Array:
            out = self.destinations[number]
            function(values[arguments[0]], values[arguments[1]], out=out)
            return out

        return step_of_two if len(arguments) == 2 else step

    def _select(self, number: int, operation: Operation) -> _Step:
        condition, a, b = operation.arguments

        def step() -> Array:
            out = self.destinations[number]
            blend(self.values[condition], self.values[a], self.values[b], out, self.mask_bytes)
            return out

        return step

    def _pick(self, number: int, operation: Operation) -> _Step:
        choices = np.array(operation.detail, operation.dtype)
        (index,) = operation.arguments
        return lambda: choices.take(self.values[index], out=self.destinations[number], mode="clip")

    def _lookup(self, number: int, operation: Operation) -> _Step:
        table = self.tables[number]
        key = lookup_key(operation, table)
        plane = self._plane(table, operation.dtype)

        def step() -> Array:
            indices = [self.values[argument] for argument in operation.arguments]
            if all(index.size == 1 for index in indices):
                return plane([table.place(int(index.item())) for index in indices])
            out = self.destinations[number]
            table.take(self.offsets.find(key, table, indices, self.box, out.shape), out)
            return out

        return step

    def _plane(self, table: MemoryTable, dtype: str) -> Callable[[Sequence[int]], Array]:
        """Gives the tile's part of a table where each index has one value: a view, or one NaN."""
        outside = np.full((1,) * len(self.shape), nan if dtype.startswith("float") else 0, dtype)
        planes: dict[tuple[int, ...], _Step] = {}

        def part(places: Sequence[int]) -> Array:
            key = tuple(places)
            if key not in planes:
                # As many as a table is long; the views are small, but not to be kept for ever.
                if len(planes) > 64:
                    planes.clear()
                found = table.plane(places)
                planes[key] = self.windows.of(outside if found is None else found)
            return planes[key]()

        return part

    def _usual_plane(self, number: int, operation: Operation) -> _Step:
        """As `_lookup`, with the usual value of the index that varies within the tile."""
        table = self.tables[number]
        plane = self._plane(table, operation.dtype)
        selector = self.schedule.choosing[number]

        def step() -> Array:
            usual = self.choice.usual[selector]
            indices = [
                usual if argument == selector else int(self.values[argument].item())
                for argument in operation.arguments
            ]
            return plane([table.place(index) for index in indices])

        return step

    def _inside(self, number: int, operation: Operation) -> _Step:
        table = self.tables[number]

        def step() -> Array:
            out = self.destinations[number]
            table.inside([self.values[argument] for argument in operation.arguments], out)
            return out

        return step


_STEPS: Final[Mapping[str, Callable[[TileRun, int, Operation], _Step]]] = {
    "constant": TileRun._constant,
    "load": TileRun._load,
    "position": TileRun._load,
    "group": TileRun._load,
    "cast": TileRun._cast,
    "apply": TileRun._apply,
    "select": TileRun._select,
    "pick": TileRun._pick,
    "lookup": TileRun._lookup,
    "inside": TileRun._inside,
}


def _replaced(box: Box, dimension: int, part: slice) -> Box:
    return (*box[:dimension], part, *box[dimension + 1 :])
