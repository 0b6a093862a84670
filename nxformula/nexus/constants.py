"""Constants of the formulas of one file, kept in memory once read, within a bound."""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.parts import cut_parts, read_parts
from nxformula.nexus.selection import Part

#: Bytes of constants kept for one open file.
_KEPT_BYTES: Final = 1 << 30
#: Share of a constant that all reads together must have wanted to be worth reading it whole.
_WORTH_WHOLE: Final = 0.25

#: Of a kept constant: file, path, dtype, order of its dimensions in memory.
_Key: TypeAlias = tuple[str, str, str, tuple[int, ...]]


class Constants:
    """A cache of whole constants; those used longest ago go first."""

    def __init__(self, limit: int = _KEPT_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[_Key, Array] = OrderedDict()
        self._wanted: dict[_Key, int] = {}
        self._lock = Lock()

    def read(
        self,
        dataset: Any,
        place: tuple[str, str],
        parts: tuple[Part, ...],
        dtype: str,
        order: tuple[int, ...],
    ) -> Array:
        """Part of a constant, in a dtype.

        Parameters
        ----------
        dataset : h5py.Dataset
            The constant.
        place : tuple of str
            Its file and path.
        parts : tuple
            The places wanted along each of its dimensions.
        dtype : str
            What to convert to.
        order : tuple of int
            The dimensions in the order in which they are kept in memory, whatever the order in the
            file: pixels are read one after the other, stages and memory cells are not.
        """
        # Whoever holds HDF5's own lock may wait for this one: HDF5 is not called within it.
        key = *place, dtype, order
        whole = self._found(key)
        if whole is None and self._is_worth(key, dataset.shape, parts):
            everything = tuple(range(length) for length in dataset.shape)
            whole = _in_order(read_parts(dataset, everything), dtype, order)
            self._keep(key, whole)
        if whole is not None:
            return cut_parts(whole, parts)
        return _in_order(read_parts(dataset, parts), dtype, order)

    def _is_worth(self, key: _Key, shape: tuple[int, ...], parts: tuple[Part, ...]) -> bool:
        every = math.prod(shape)
        with self._lock:
            wanted = self._wanted.get(key, 0) + math.prod(len(part) for part in parts)
            self._wanted[key] = wanted
        size = np.dtype(key[2]).itemsize
        return wanted >= _WORTH_WHOLE * every and every * size <= self._limit

    def _found(self, key: _Key) -> Array | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: _Key, values: Array) -> None:
        with self._lock:
            self._kept[key] = values
            while sum(kept.nbytes for kept in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)


def _in_order(values: Array, dtype: str, order: tuple[int, ...]) -> Array:
    """An array in a dtype, with its dimensions in some order in memory; seen as before."""
    moved = np.ascontiguousarray(values.transpose(order), dtype=dtype).reshape(
        [values.shape[dimension] for dimension in order]
    )
    return moved.transpose(np.argsort(order))
