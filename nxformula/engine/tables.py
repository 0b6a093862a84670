"""Look-ups of tables by index, for the numpy backend.

An element of a table stands at an offset in memory that is a sum: one part from its place on the
grid, one from each index. So a look-up is one `take` from the table's memory, whatever the order
in which the table was stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import TypeAlias

import numpy as np

from nxformula.engine.layout import Array, Box
from nxformula.engine.plan import Operation

#: Offsets in the table's memory, and where an index is outside the table (None: nowhere).
Found: TypeAlias = tuple[Array, Array | None]


@dataclass(frozen=True, slots=True)
class Codes:
    """Offsets for an index that `choose` makes: one for each of its codes.

    Attributes
    ----------
    places : tuple of int
        Places in the table, which may be outside.
    offsets : ndarray of intp
        Offsets of these places; 0 for those outside.
    outside : ndarray of bool or None
        Which are outside.
    """

    places: tuple[int, ...]
    offsets: Array
    outside: Array | None


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """A table as a line of memory.

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
    outside_value : float
        What stands for an element outside: NaN for reals. For integers and bools the plan selects
        another value there.
    """

    source: Array
    line: Array
    first: int
    steps: tuple[int, ...]
    grid_steps: tuple[int, ...]
    leading: int
    codes: Codes | None
    outside_value: float

    def start(self, box: Box) -> int:
        """Offset of the first element of a tile, all indices 0."""
        pairs = zip(box, self.grid_steps, strict=True)
        return self.first + sum(int(part.start) * step for part, step in pairs)

    def place(self, index: int) -> int:
        """Place in the table for the value of an index."""
        return index if self.codes is None else self.codes.places[index]

    def plane(self, places: Sequence[int], box: Box) -> Array:
        """A tile of the table where each index has one value: a view, or one NaN."""
        lengths = self.source.shape
        if any(not 0 <= place < n for place, n in zip(places, lengths, strict=False)):
            shape = (1,) * (self.source.ndim - self.leading)
            return np.full(shape, self.outside_value, self.source.dtype)
        pairs = zip(box, self.grid_steps, strict=True)
        tile = tuple(part if step else slice(None) for part, step in pairs)
        view: Array = self.source[tuple(places)][tile]
        return view

    def find(
        self,
        indices: Sequence[Array],
        elements: Array,
        start: int,
        buffers: tuple[Array, Array] | None = None,
    ) -> Found:
        """Where in `line` the elements for some indices are.

        Parameters
        ----------
        indices : sequence of ndarray
            One per indexed dimension, of one element or of the shape of `elements`.
        elements : ndarray of intp
            Offsets of the elements from the first of the tile, all indices 0.
        start : int
            Offset of the first element of the tile.
        buffers : tuple of ndarray of intp, optional
            Two arrays of the shape of the offsets; the first receives them.
        """
        at, offset = buffers if buffers else (None, None)
        at = np.add(elements, start, out=at)
        if self.codes is not None:
            (code,) = indices
            at = np.add(
                at,
                self.codes.offsets.take(code, out=_fitting(offset, code), mode="clip"),
                out=_own(at, buffers),
            )
            return at, _where_any(self.codes.outside, code)
        outside: Array | None = None
        for index, length, step in zip(indices, self.source.shape, self.steps, strict=False):
            inside, wrong = _clipped(index, length)
            at = np.add(at, inside * step, out=_own(at, buffers))
            if wrong is not None:
                outside = wrong if outside is None else outside | wrong
        return at, outside

    def take(self, found: Found, out: Array | None = None) -> Array:
        """The elements at some offsets."""
        at, outside = found
        if outside is not None and outside.shape != at.shape:
            outside = np.broadcast_to(outside, at.shape)
        if self.source.size == 0:
            values = np.empty(at.shape, self.source.dtype) if out is None else out
            values.fill(self.outside_value)
            return values
        values = self.line.take(at, out=out, mode="clip")
        if outside is not None:
            # Not a masked copy: that one takes a mispredicted branch for every change of the mask.
            values.reshape(-1)[np.flatnonzero(outside)] = self.outside_value
        return values

    def inside(self, indices: Sequence[Array], out: Array) -> None:
        """Write whether all indices are inside the table."""
        out[...] = True
        for index, length in zip(indices, self.source.shape, strict=False):
            place = index if self.codes is None else np.array(self.codes.places).take(index)
            out &= (place >= 0) & (place < length)


def memory_table(source: Array, leading: int, planes: tuple[int, ...] | None) -> MemoryTable:
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
    outside_value = nan if np.issubdtype(source.dtype, np.floating) else 0
    return MemoryTable(source, line, first, steps, grid_steps, leading, codes, outside_value)


def _codes(places: tuple[int, ...], length: int, step: int) -> Codes:
    at = np.array(places, np.intp)
    outside = (at < 0) | (at >= length)
    return Codes(places, np.where(outside, 0, at * step), outside if outside.any() else None)


def _fitting(buffer: Array | None, index: Array) -> Array | None:
    return buffer if buffer is not None and buffer.shape == index.shape else None


def _own(at: Array, buffers: tuple[Array, Array] | None) -> Array | None:
    """Offsets may be added to in place only where they have their full shape already."""
    return None if buffers is None else at


def _where_any(outside: Array | None, code: Array) -> Array | None:
    if outside is None:
        return None
    found = outside.take(code)
    return found if found.any() else None


def _clipped(index: Array, length: int) -> Found:
    """An index moved into a dimension, and where it was not (None: nowhere)."""
    if index.min() >= 0 and index.max() < length:
        return index.astype(np.intp, copy=False), None
    wrong = (index < 0) | (index >= length)
    return np.where(wrong, 0, index).astype(np.intp), wrong


def grid_offsets(steps: Sequence[int], extents: Sequence[int]) -> Array:
    """Offset of each element of a tile from its first; of length 1 where all steps are 0."""
    total: Array = np.zeros((1,) * len(steps), np.intp)
    for dimension, (step, extent) in enumerate(zip(steps, extents, strict=True)):
        if step:
            shape = [extent if i == dimension else 1 for i in range(len(steps))]
            total = total + (np.arange(extent) * step).reshape(shape)
    return total


def lookup_key(operation: Operation, table: MemoryTable) -> tuple[object, ...]:
    """What two look-ups must share to find the same offsets.

    The tables of one detector mostly do: same layout, same index.
    """
    lengths = table.source.shape[: table.leading]
    places = None if table.codes is None else table.codes.places
    return operation.arguments, places, lengths, table.steps, table.grid_steps, table.first
