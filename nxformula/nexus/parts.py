"""Parts of datasets and arrays: one choice of places for each dimension."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array, tile_shape
from nxformula.nexus.files import reading
from nxformula.nexus.selection import Part

#: Elements of a block.
_BLOCK: Final = 1 << 22


def as_slice(part: Part) -> Any:
    """A part as an index of an array or dataset."""
    if isinstance(part, range):
        return slice(part.start, part.stop, part.step)
    return part


def cut_parts(values: Array, parts: tuple[Part, ...]) -> Array:
    """Part of an array; a view unless the places are listed one by one."""
    cut: Array = values[tuple(as_slice(part) for part in parts)]
    return cut


def read_parts(dataset: Any, parts: tuple[Part, ...]) -> Array:
    """Part of a dataset, all dimensions kept, in native byte order.

    Raises
    ------
    CorruptFileError
        HDF5 cannot read or decompress it.
    """
    with reading(f"'{dataset.name}'", dataset.file.filename):
        if 0 in (len(part) for part in parts):
            values = np.empty(tuple(len(part) for part in parts), dataset.dtype)
        elif parts:
            values = dataset[tuple(as_slice(part) for part in parts)]
        else:
            values = np.asarray(dataset[()])
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def read_blocks(values: Any) -> Iterator[tuple[tuple[int, ...], Array]]:
    """All of a dataset, or a number, in blocks in C order, each with the place where it begins.

    Raises
    ------
    CorruptFileError
        HDF5 cannot read or decompress it.
    """
    if not isinstance(values, h5py.Dataset):
        yield (), np.asarray(values)
        return
    tile = tile_shape(values.shape, _BLOCK)
    starts = [range(0, n, t) for n, t in zip(values.shape, tile, strict=True)]
    for corner in product(*starts):
        limits = zip(corner, tile, values.shape, strict=True)
        yield corner, read_parts(values, tuple(range(a, min(a + t, n)) for a, t, n in limits))
