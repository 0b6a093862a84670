"""Evaluate a plan for scattered elements of the result, all operations in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.layout import Array, Box
from nxformula.engine.plan import Operation, Plan
from nxformula.engine.tables import Found, MemoryTable, lookup_key, memory_table
from nxformula.engine.ufuncs import ufunc

#: So many elements are worth the calls: fewer wait for those of the next tiles.
_WORTH: Final = 4096


class Points:
    """Elements of the result that wait to be computed one by one.

    Parameters
    ----------
    plan : Plan
        The operations.
    sources : mapping of int to ndarray
        For each `load`, the symbol on the grid, of length 1 where it does not vary.
    tables : mapping of int to MemoryTable
        For each `lookup` and `inside`, the table.
    out : ndarray
        The result on the grid.
    size : int
        Most elements that are computed together.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Mapping[int, Array],
        tables: Mapping[int, MemoryTable],
        out: Array,
        size: int,
    ) -> None:
        self.plan = plan
        self.sources = sources
        even = {n: s for n, s in sources.items() if not any(x % s.itemsize for x in s.strides)}
        self.tables = {**tables, **{n: memory_table(source) for n, source in even.items()}}
        self.out = out
        self.size = size
        self.waiting: list[list[Array]] = []
        self.count = 0
        self.constants: list[Any] = [
            np.array(operation.detail, operation.dtype) if operation.code == "constant" else None
            for operation in plan.operations
        ]
        ending = _ending(plan)
        self.steps = [
            (number, _STEPS[operation.code](self, number, operation), ending.get(number, ()))
            for number, operation in enumerate(plan.operations)
            if operation.code != "constant"
        ]

    def add(self, mask: Array, box: Box) -> None:
        """Note the marked elements of a tile; compute when there are enough."""
        elements = marked(mask.reshape(-1))
        if mask.ndim == 1:
            elements += box[0].start
            self.waiting.append([elements])
        else:
            self.waiting.append(_places(elements, mask.shape, box))
        self.count += elements.size
        if self.count >= min(_WORTH, self.size):
            self.flush()

    def flush(self) -> None:
        """Compute all that wait."""
        if not self.waiting:
            return
        places = [np.concatenate(parts) for parts in zip(*self.waiting, strict=True)]
        self.waiting, count, self.count = [], self.count, 0
        for start in range(0, count, self.size):
            self._compute(_Batch([place[start : start + self.size] for place in places]))

    def _compute(self, batch: _Batch) -> None:
        values = batch.values = self.constants.copy()
        for number, step, ending in self.steps:
            values[number] = step(batch)
            for argument in ending:
                values[argument] = None
        out = self.out
        if out.flags.c_contiguous:
            steps = tuple(stride // out.itemsize for stride in out.strides)
            out.reshape(-1)[batch.offsets(steps)] = values[-1]
        else:
            out[tuple(batch.places)] = values[-1]

    # Operations: each gives a step

    def _load(self, number: int, operation: Operation) -> _Step:
        table = self.tables.get(number)
        if table is not None:
            line, first, steps = table.line, table.first, table.grid_steps
            if not first:
                return lambda batch: line.take(batch.offsets(steps))
            return lambda batch: line.take(batch.offsets(steps) + first)
        source = self.sources[number]

        def step(batch: _Batch) -> Array:
            pairs = zip(source.shape, batch.places, strict=True)
            return np.atleast_1d(source[tuple(0 if n == 1 else place for n, place in pairs)])

        return step

    def _cast(self, number: int, operation: Operation) -> _Step:
        (argument,) = operation.arguments
        dtype = np.dtype(operation.dtype)
        return lambda batch: batch.values[argument].astype(dtype)

    def _apply(self, number: int, operation: Operation) -> _Step:
        function = ufunc(str(operation.detail))
        if len(operation.arguments) == 1:
            (argument,) = operation.arguments
            return lambda batch: function(batch.values[argument])
        a, b = operation.arguments
        return lambda batch: function(batch.values[a], batch.values[b])

    def _select(self, number: int, operation: Operation) -> _Step:
        condition, a, b = operation.arguments
        return lambda batch: np.where(batch.values[condition], batch.values[a], batch.values[b])

    def _pick(self, number: int, operation: Operation) -> _Step:
        choices = np.array(operation.detail, operation.dtype)
        (index,) = operation.arguments
        return lambda batch: choices.take(batch.values[index])

    def _lookup(self, number: int, operation: Operation) -> _Step:
        table = self.tables[number]
        key = lookup_key(operation, table)

        def step(batch: _Batch) -> Array:
            found = batch.found.get(key)
            if found is None:
                indices = [batch.values[argument] for argument in operation.arguments]
                found = batch.found[key] = _find(table, indices, batch.offsets(table.grid_steps))
            values = np.empty(found.at.shape, operation.dtype)
            table.take(found, values)
            return values

        return step

    def _inside(self, number: int, operation: Operation) -> _Step:
        table = self.tables[number]

        def step(batch: _Batch) -> Array:
            indices = [batch.values[argument] for argument in operation.arguments]
            inside = np.empty(np.broadcast_shapes(*(index.shape for index in indices)), bool)
            table.inside(indices, inside)
            return inside

        return step


#: Computes the values of one operation.
_Step: TypeAlias = "Callable[[_Batch], Array]"

_STEPS: Final[Mapping[str, Callable[[Points, int, Operation], _Step]]] = {
    "load": Points._load,
    "position": Points._load,
    "group": Points._load,
    "cast": Points._cast,
    "apply": Points._apply,
    "select": Points._select,
    "pick": Points._pick,
    "lookup": Points._lookup,
    "inside": Points._inside,
}


class _Batch:
    """The values of some elements; `places` are their coordinates on the grid."""

    def __init__(self, places: Sequence[Array]) -> None:
        self.places = places
        self.values: list[Any] = []
        self.found: dict[object, Found] = {}
        self._offsets: dict[tuple[int, ...], Array] = {}

    def offsets(self, steps: tuple[int, ...]) -> Array:
        """Offsets of the elements in an array with these steps along the grid."""
        if steps not in self._offsets:
            pairs = zip(self.places, steps, strict=True)
            parts = [place if step == 1 else place * step for place, step in pairs if step]
            self._offsets[steps] = sum(parts[1:], parts[0]) if parts else np.zeros(1, np.intp)
        return self._offsets[steps]


def marked(mask: Array) -> Array:
    """Where a mask holds, as `flatnonzero`.

    NumPy mispredicts a branch for every mark of a sparse mask. To look for words of eight elements
    with a mark first, then only at those, takes half the time unless there are hardly any.
    """
    if mask.size % 8 or np.count_nonzero(mask) < mask.size // 64:
        return mask.nonzero()[0]
    words = (mask.view(np.uint64) != 0).nonzero()[0]
    within = mask.reshape(-1, 8).take(words, axis=0).reshape(-1).nonzero()[0]
    places: Array = words.take(within >> 3)
    places <<= 3
    within &= 7
    places += within
    return places


def _places(elements: Array, shape: tuple[int, ...], box: Box) -> list[Array]:
    """Coordinates on the grid of some elements of a tile."""
    places: Sequence[Array] = [elements] * len(shape)
    if sum(n > 1 for n in shape) > 1:
        places = np.unravel_index(elements, shape)
    return [
        place + part.start if n > 1 else np.full(elements.size, part.start)
        for n, place, part in zip(shape, places, box, strict=True)
    ]


def _find(table: MemoryTable, indices: Sequence[Array], offsets: Array) -> Found:
    shape = offsets.shape
    if any(index.shape != shape for index in indices):
        shape = np.broadcast_shapes(shape, *(index.shape for index in indices))
    at = np.empty(shape, np.intp)
    scratch = np.empty(shape, np.intp) if len(indices) > 1 else at
    return table.find(indices, offsets, table.first, at, scratch)


def _ending(plan: Plan) -> dict[int, list[int]]:
    """After which operation which values are not needed any more."""
    last = {a: n for n, operation in enumerate(plan.operations) for a in operation.arguments}
    ending: dict[int, list[int]] = {}
    for argument, number in last.items():
        ending.setdefault(number, []).append(argument)
    return ending
