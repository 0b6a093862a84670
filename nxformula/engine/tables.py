"""Look-ups of tables by index, for the numpy backend.

An element of a table stands at an offset in memory that is a sum: one part from its place on the
grid, one from each index. So a look-up is one `take` from the table's memory, whatever the order
in which the table was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final

import numpy as np

from nxformula.engine.layout import Array, Box
from nxformula.engine.plan import Operation


@dataclass(slots=True)
class Found:
    """Offsets in a table's memory, and where all indices are inside (None: everywhere)."""

    at: Array
    inside: Array | None
    _nan: dict[int, Array] = field(default_factory=dict)

    def nan_bits(self, itemsize: int) -> Array | None:
        """All bits set, which is NaN, where an index is outside, else none; None: nowhere."""
        if self.inside is None:
            return None
        if itemsize not in self._nan:
            bits = np.dtype(f"i{itemsize}").type
            self._nan[itemsize] = np.subtract(self.inside, 1, dtype=bits)
        return self._nan[itemsize]


#: Up to this length the offsets for an index are themselves looked up.
_SHORT: Final = 4096


@dataclass(frozen=True, slots=True)
class Codes:
    """Offsets for an index that `choose` makes: one for each of its codes.

    Attributes
    ----------
    places : tuple of int
        Places in the table, which may be outside.
    offsets : ndarray of intp
        Offsets of these places; 0 for those outside.
    outside : tuple of int
        The codes whose place is outside.
    """

    places: tuple[int, ...]
    offsets: Array
    outside: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """A table as a line of memory; without indexed dimensions, any array on the grid.

    Attributes
    ----------
    source : ndarray
        Indexed dimensions first, then the grid's (of length 1 where the table does not vary).
    line : ndarray
        All memory between the table's first and last element, in one dimension.
    first : int
        Where in `line` the element with all indices 0 is.
    steps : tuple of int
        From one element to the next along each dimension of `source`, in elements.
    grid_steps : tuple of int
        The same along the grid, 0 where the table does not vary.
    leading : int
        Number of indexed dimensions.
    codes : Codes or None
        Where `choose` gives the only index.
    """

    source: Array
    line: Array
    first: int
    steps: tuple[int, ...]
    grid_steps: tuple[int, ...]
    leading: int
    codes: Codes | None

    def start(self, box: Box) -> int:
        """Offset of the first element of a tile, all indices 0."""
        pairs = zip(box, self.grid_steps, strict=True)
        return self.first + sum(int(part.start) * step for part, step in pairs)

    def place(self, index: int) -> int:
        """Place in the table for the value of an index."""
        return index if self.codes is None else self.codes.places[index]

    def plane(self, places: Sequence[int]) -> Array | None:
        """The part of the table where each index has one value, None if one is outside."""
        lengths = self.source.shape
        if any(not 0 <= place < n for place, n in zip(places, lengths, strict=False)):
            return None
        view: Array = self.source[tuple(places)]
        return view

    def find(
        self, indices: Sequence[Array], elements: Array, start: int, at: Array, scratch: Array
    ) -> Found:
        """Where in `line` the elements for some indices are.

        Parameters
        ----------
        indices : sequence of ndarray
            One per indexed dimension; they broadcast with `elements`.
        elements : ndarray of intp
            Offsets of the elements from the first of the tile, all indices 0.
        start : int
            Offset of the first element of the tile.
        at : ndarray of intp
            Receives the offsets.
        scratch : ndarray of intp
            Of the same shape; used only beside a second index.
        """
        inside: Array | None = None
        wide: list[int] = []
        for number, index in enumerate(indices):
            own = self._inside(number, index)
            if own is not None:
                inside = own if inside is None else inside & own
            if index.size > 1:
                wide.append(number)
            elif own is None:
                start += self.place(int(index.item())) * self.steps[number]
        base = elements
        for number in wide:
            index = indices[number]
            free = at if base is elements else scratch
            offset = self._offset(number, index, start, _fitting(free, index))
            base = np.add(base, offset, out=at)
            start = 0
        if base is elements:
            np.add(elements, start, out=at)
        return Found(at, inside)

    def _inside(self, number: int, index: Array) -> Array | None:
        """Where an index is inside; None: everywhere."""
        inside: Array
        if self.codes is None:
            length = self.source.shape[number]
            if index.min() >= 0 and index.max() < length:
                return None
            inside = (index >= 0) & (index < length)
            return inside
        outside = [index == code for code in self.codes.outside]
        found = [where for where in outside if where.any()]
        return ~np.logical_or.reduce(found) if found else None

    def _offset(self, number: int, index: Array, start: int, out: Array | None) -> Array:
        """Offsets for one index, any where it is outside."""
        length, step = self.source.shape[number], self.steps[number]
        if self.codes is not None:
            return (self.codes.offsets + start).take(index, out=out, mode="clip")
        if 0 < length <= _SHORT:
            return (np.arange(length) * step + start).take(index, out=out, mode="clip")
        offset = index.astype(np.intp).clip(0, max(0, length - 1))
        offset *= step
        offset += start
        return offset

    def take(self, found: Found, out: Array) -> None:
        """Write the elements at some offsets: NaN outside, any value for integers and bools.

        The plan selects another value there wherever the table cannot hold NaN.
        """
        if not self.source.size:
            out.fill(0)
        else:
            self.line.take(found.at, out=out, mode="clip")
        nan = found.nan_bits(out.itemsize) if out.dtype.kind == "f" else None
        if nan is not None:
            # Not a masked copy: that one takes a mispredicted branch for every change of the mask.
            bits = out.view(nan.dtype)
            np.bitwise_or(bits, nan, out=bits)

    def inside(self, indices: Sequence[Array], out: Array) -> None:
        """Write whether all indices are inside the table."""
        out[...] = True
        for index, length in zip(indices, self.source.shape, strict=False):
            place = index if self.codes is None else np.array(self.codes.places).take(index)
            out &= (place >= 0) & (place < length)


def memory_table(
    source: Array, leading: int = 0, planes: tuple[int, ...] | None = None
) -> MemoryTable:
    """Prepare a table; copies it only if its elements do not stand at even steps in memory."""
    itemsize = source.dtype.itemsize
    if any(stride % itemsize for stride in source.strides):
        source = np.ascontiguousarray(source)
    steps = tuple(stride // itemsize for stride in source.strides)
    ranges = list(zip(source.shape, steps, strict=True))
    upward = source[tuple(slice(None, None, 1 if step >= 0 else -1) for step in steps)]
    size = sum((n - 1) * abs(step) for n, step in ranges) + 1 if source.size else 0
    line = np.lib.stride_tricks.as_strided(upward, (size,), (itemsize,), writeable=False)
    first = sum((n - 1) * -step for n, step in ranges if step < 0)
    grid_steps = tuple(step if n > 1 else 0 for n, step in ranges[leading:])
    codes = None if planes is None else _codes(planes, source.shape[0], steps[0])
    return MemoryTable(source, line, first, steps, grid_steps, leading, codes)


def _codes(places: tuple[int, ...], length: int, step: int) -> Codes:
    at = np.array(places, np.intp)
    inside = (at >= 0) & (at < length)
    return Codes(places, np.where(inside, at * step, 0), tuple(np.flatnonzero(~inside).tolist()))


def _fitting(buffer: Array, index: Array) -> Array | None:
    return buffer if buffer.shape == index.shape else None


def grid_offsets(steps: Sequence[int], extents: Sequence[int]) -> Array:
    """Offset of each element of a tile from its first; of length 1 where all steps are 0."""
    total: Array = np.zeros((1,) * len(steps), np.intp)
    for dimension, (step, extent) in enumerate(zip(steps, extents, strict=True)):
        if step:
            shape = [extent if i == dimension else 1 for i in range(len(steps))]
            total = total + (np.arange(extent) * step).reshape(shape)
    return total


class Offsets:
    """Offsets that the look-ups of one tile share, in buffers that serve all tiles.

    Large arrays made anew for every tile would cost more than what is done in them.
    """

    def __init__(self, elements: int) -> None:
        self.size = elements
        self.found: dict[object, Found] = {}
        self.buffers: list[Array] = []
        self.elements: dict[object, Array] = {}

    def clear(self) -> None:
        """Forget the offsets: the next tile begins."""
        self.found.clear()

    def find(
        self,
        key: object,
        table: MemoryTable,
        indices: Sequence[Array],
        box: Box,
        shape: tuple[int, ...],
    ) -> Found:
        """As `MemoryTable.find`, once for all look-ups of a tile with the same key."""
        if key not in self.found:
            extents = tuple(part.stop - part.start for part in box)
            steps = table.grid_steps, extents
            if steps not in self.elements:
                self.elements[steps] = grid_offsets(*steps)
            self.found[key] = table.find(
                indices, self.elements[steps], table.start(box), *self._buffers(shape, len(indices))
            )
        return self.found[key]

    def _buffers(self, shape: tuple[int, ...], indices: int) -> tuple[Array, Array]:
        """For the offsets of one kind of look-up, and scratch if it has several indices."""
        at = len(self.found)
        # What the next kind of look-up writes to is scratch for this one.
        scratch = at + 1 if indices > 1 else at
        while len(self.buffers) <= scratch:
            self.buffers.append(np.empty(self.size, np.intp))
        size = prod(shape)
        buffers = self.buffers[at], self.buffers[scratch]
        return buffers[0][:size].reshape(shape), buffers[1][:size].reshape(shape)


def lookup_key(operation: Operation, table: MemoryTable) -> tuple[object, ...]:
    """What two look-ups must share to find the same offsets.

    The tables of one detector mostly do: same layout, same index.
    """
    lengths = table.source.shape[: table.leading]
    places = None if table.codes is None else table.codes.places
    return operation.arguments, places, lengths, table.steps, table.grid_steps, table.first
