"""Virtual datasets as what they are made of: boxes of other datasets.

Reading through HDF5 a virtual dataset of thousands of frames takes its time with every source.
Where each source gives a box of elements, its part is read from the source itself, chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.links import Resolver
from nxformula.nexus.selection import Part

#: Sources beyond which it is left to HDF5 whether they overlap.
_MOST: Final = 4096

#: Begin and length along each dimension.
Box: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A box of a virtual dataset and the box of another dataset that fills it."""

    box: Box
    dataset: Any
    origin: Box

    def part(self, parts: Sequence[Part], out: Array) -> tuple[tuple[Part, ...], Array] | None:
        """What is wanted of this source, and where it belongs; None if nothing is."""
        inner: list[Part] = []
        place: list[Any] = []
        for part, (start, length) in zip(parts, self.box, strict=True):
            at, end = within(part, start, start + length)
            if at == end:
                return None
            place.append(slice(at, end))
            inner.append(from_start(part[at:end], start))
        wanted: list[Part] = []
        index: list[Any] = []
        long = [d for d, (_, length) in enumerate(self.box) if length > 1]
        view = out[tuple(place)]
        for start, length in self.origin:
            if length == 1:
                wanted.append(range(start, start + 1))
                index.append(np.newaxis)
            else:
                dimension = long.pop(0)
                wanted.append(from_start(inner[dimension], -start))
                index.append(slice(None))
        kept = tuple(slice(None) if length > 1 else 0 for _, length in self.box)
        return tuple(wanted), view[kept][tuple(index)]


def sources_of(dataset: Any, resolver: Resolver) -> list[Source] | None:
    """The boxes that fill a virtual dataset; None if it is not filled by boxes alone."""
    mappings = dataset.virtual_sources()
    if len(mappings) > _MOST:
        return None
    found: list[Source] = []
    for mapping in mappings:
        box, origin = _box(mapping.vspace), _box(mapping.src_space)
        if box is None or origin is None:
            return None
        if [n for _, n in box if n > 1] != [n for _, n in origin if n > 1]:
            return None
        source = resolver.virtual_source(dataset, mapping.file_name, mapping.dset_name)
        inside = len(source.shape) == len(origin) and all(
            start + length <= limit
            for (start, length), limit in zip(origin, source.shape, strict=True)
        )
        if not inside or source.dtype != dataset.dtype:
            return None
        found.append(Source(box, source, origin))
    return found if _fill([source.box for source in found], dataset.shape) else None


def _box(space: Any) -> Box | None:
    """The box that a selection is, if it is one."""
    if space.get_select_type() == h5py.h5s.SEL_ALL:
        return tuple((0, int(length)) for length in space.shape)
    if space.get_select_type() != h5py.h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        return None
    box = []
    for start, stride, count, block in zip(*space.get_regular_hyperslab(), strict=True):
        if h5py.h5s.UNLIMITED in (count, block) or (count > 1 and stride != block):
            return None
        box.append((int(start), int(count * block)))
    return tuple(box)


def _fill(boxes: Sequence[Box], shape: tuple[int, ...]) -> bool:
    """Whether boxes fill a shape without overlap."""
    if sum(prod(length for _, length in box) for box in boxes) != prod(shape):
        return False
    starts = np.array([[start for start, _ in box] for box in boxes], np.int64)
    stops = np.array([[start + length for start, length in box] for box in boxes], np.int64)
    if np.any(stops > np.array(shape)):
        return False
    for k in range(len(boxes) - 1):
        apart = (starts[k + 1 :] >= stops[k]) | (stops[k + 1 :] <= starts[k])
        if not np.all(np.any(apart, axis=1)):
            return False
    return True


def within(part: Part, start: int, stop: int) -> tuple[int, int]:
    """The first of some places that is not before a box, and the first that is behind it."""
    if isinstance(part, range):
        first = max(0, -(-(start - part.start) // part.step))
        end = max(first, -(-(stop - part.start) // part.step))
        return min(first, len(part)), min(end, len(part))
    return int(np.searchsorted(part, start)), int(np.searchsorted(part, stop))


def from_start(part: Part, start: int) -> Part:
    """Places counted from another one."""
    if isinstance(part, range):
        return range(part.start - start, part.stop - start, part.step)
    return part - start


def parts_of(
    sources: Sequence[Source], parts: Sequence[Part], out: Array
) -> Iterator[tuple[Any, tuple[Part, ...], Array]]:
    """The datasets that part of a virtual dataset is read from, the places there, and where to."""
    for source in sources:
        found = source.part(parts, out)
        if found is not None:
            yield source.dataset, *found
