"""Constants of the formulas of one file, kept in memory once read, within a bound."""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock
from typing import Any, Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.files import reading
from nxformula.nexus.selection import Part

#: Bytes of constants kept for one open file.
_KEPT_BYTES: Final = 1 << 30
#: Share of a constant that a read must want to be worth reading it whole.
_WORTH_WHOLE: Final = 0.25


class Constants:
    """A cache of whole constants; those used longest ago go first."""

    def __init__(self, limit: int = _KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[str, str, str], Array] = OrderedDict()
        self._lock = Lock()

    def read(self, dataset: Any, parts: tuple[Part, ...], dtype: str) -> Array:
        """Part of a constant, in a dtype.

        Parameters
        ----------
        dataset : h5py.Dataset
            The constant.
        parts : tuple
            The places wanted along each of its dimensions.
        dtype : str
            What to convert to.
        """
        # Whoever holds HDF5's own lock may wait for this one: HDF5 is not called within it.
        key = dataset.file.filename, dataset.name, dtype
        whole = self._found(key)
        if whole is None and self._is_worth(dataset.shape, parts, dtype):
            everything = tuple(range(length) for length in dataset.shape)
            whole = read_parts(dataset, everything).astype(dtype, copy=False)
            self._keep(key, whole)
        if whole is not None:
            return cut_parts(whole, parts)
        return read_parts(dataset, parts).astype(dtype, copy=False)

    def _is_worth(self, shape: tuple[int, ...], parts: tuple[Part, ...], dtype: str) -> bool:
        wanted = math.prod(len(part) for part in parts)
        every = math.prod(shape)
        size = np.dtype(dtype).itemsize
        return wanted >= _WORTH_WHOLE * every and every * size <= self._limit

    def _found(self, key: tuple[str, str, str]) -> Array | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: tuple[str, str, str], values: Array) -> None:
        with self._lock:
            self._kept[key] = values
            while sum(kept.nbytes for kept in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)


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
