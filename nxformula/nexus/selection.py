"""What stands in the brackets of `dataset[...]`, as h5py understands it."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index as as_index
from typing import Any, TypeAlias

import numpy as np

from nxformula.engine.layout import Array

#: The chosen places along one dimension: a range with a positive step, or increasing numbers.
Part: TypeAlias = range | Array


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of elements.

    Attributes
    ----------
    parts : tuple
        One per dimension.
    dropped : tuple of int
        Dimensions that were chosen by one number, and are gone from the result.
    """

    parts: tuple[Part, ...]
    dropped: tuple[int, ...]

    @property
    def full_shape(self) -> tuple[int, ...]:
        """Number of chosen places along every dimension."""
        return tuple(len(part) for part in self.parts)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the result."""
        lengths = enumerate(self.full_shape)
        return tuple(length for i, length in lengths if i not in self.dropped)


def select(args: Any, shape: tuple[int, ...]) -> Selection:
    """Understand an index.

    Parameters
    ----------
    args : object
        Integers, slices, an ellipsis, and at most one list or boolean array, as for h5py.
    shape : tuple of int
        Shape of the dataset.

    Raises
    ------
    IndexError, TypeError, ValueError
        As h5py raises them.

    Examples
    --------
    >>> select((0, slice(2, 8, 3)), (4, 10)).parts
    (range(0, 1), range(2, 8, 3))
    """
    given = args if isinstance(args, tuple) else (args,)
    if any(item is None for item in given):
        raise TypeError("Indexing with None (or np.newaxis) is not supported")
    if any(isinstance(item, str) for item in given):
        raise ValueError("Field names only allowed for compound types")
    if not shape and any(item is not Ellipsis for item in given):
        raise ValueError("Illegal slicing argument for scalar dataspace")
    items = _expanded(given, len(shape))
    parts: list[Part] = []
    dropped: list[int] = []
    for dimension, (item, length) in enumerate(zip(items, shape, strict=True)):
        if isinstance(item, slice):
            parts.append(_slice(item, length))
        elif _is_list(item):
            parts.append(_list(item, length))
        else:
            at = _number(item, length)
            parts.append(range(at, at + 1))
            dropped.append(dimension)
    if sum(isinstance(part, np.ndarray) for part in parts) > 1:
        raise TypeError("Only one indexing vector or array is currently allowed for fancy indexing")
    return Selection(tuple(parts), tuple(dropped))


def _expanded(items: tuple[Any, ...], rank: int) -> list[Any]:
    ellipses = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(ellipses) > 1:
        raise ValueError("Only one ellipsis may be used.")
    if len(items) - len(ellipses) > rank:
        found = len(items) - len(ellipses)
        raise ValueError(f"{found} indexing arguments for {rank} dimensions")
    at = ellipses[0] if ellipses else len(items)
    missing = [slice(None)] * (rank - len(items) + len(ellipses))
    return [*items[:at], *missing, *items[at + 1 :]]


def _slice(item: slice, length: int) -> range:
    start, stop, step = item.indices(length)
    if step < 1:
        raise ValueError(f"Step must be >= 1 (got {step})")
    return range(start, max(start, stop), step)


def _is_list(item: Any) -> bool:
    return isinstance(item, list | tuple | range) or (
        isinstance(item, np.ndarray) and item.ndim > 0
    )


def _list(item: Any, length: int) -> Array:
    found = np.asarray(item)
    if found.ndim != 1:
        raise TypeError("Only one-dimensional lists and boolean arrays can select")
    if found.dtype.kind == "b":
        if len(found) != length:
            message = f"boolean index has {len(found)} elements, the dimension {length}"
            raise TypeError(message)
        return np.flatnonzero(found)
    if found.size == 0:
        return np.zeros(0, np.intp)
    if found.dtype.kind not in "iu":
        raise TypeError(f"Indexing arrays must have integer dtypes, found {found.dtype}")
    if found.min() < -length or found.max() >= length:
        raise IndexError(f"Fancy indexing out of range for (0-{length - 1})")
    places: Array = np.where(found < 0, found + length, found)
    if np.any(np.diff(places) <= 0):
        raise TypeError("Indexing elements must be in increasing order")
    return places


def _number(item: Any, length: int) -> int:
    try:
        at = as_index(item)
    except TypeError:
        message = f"Illegal index {item!r} (must be a slice or number)"
        raise TypeError(message) from None
    if not -length <= at < length:
        raise IndexError(f"Index ({at}) out of range for (0-{length - 1})")
    return at + length if at < 0 else at
