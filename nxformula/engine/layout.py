"""Fit arrays with named dimensions into one grid, and cut the grid into tiles.

Neighbouring dimensions that every array treats alike become one, so that most detectors are a
line of pixels per frame. A tile is a box of this grid, small enough that everything computed for
it stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias

import numpy as np

from nxformula.language.symbols import DROPPED, Symbol

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Box: TypeAlias = tuple[slice, ...]


def aligned(array: Array, symbol: Symbol, indexed: Sequence[str], axes: Sequence[str]) -> Array:
    """A view with the indexed dimensions first, then one dimension for every result axis.

    Parameters
    ----------
    array : ndarray
        The symbol's values, dimensions as in `symbol.axes`.
    indexed : sequence of str
        Dimensions that an index takes.
    axes : sequence of str
        Dimensions of the result; those that the symbol has not are of length 1.

    Examples
    --------
    >>> gain = Symbol("float32", ("fast", "slow", ".", "stage"))
    >>> aligned(np.zeros((5, 4, 1, 3)), gain, ["stage"], ["frame", "slow", "fast"]).shape
    (3, 1, 4, 5)
    """
    dropped = tuple(i for i, axis in enumerate(symbol.axes) if axis == DROPPED)
    array = array.squeeze(dropped)
    names = symbol.dimensions
    present = [axis for axis in axes if axis in names and axis not in indexed]
    array = array.transpose([names.index(axis) for axis in (*indexed, *present)])
    spread = tuple(slice(None) if axis in present else np.newaxis for axis in axes)
    return array[(slice(None),) * len(indexed) + spread]


@dataclass(frozen=True, slots=True)
class Grid:
    """The result's dimensions after merging; at least one, without those of length 1.

    Attributes
    ----------
    groups : tuple of tuple of int
        Numbers of the result's dimensions in each dimension of the grid.
    names : tuple of frozenset of str
        The same by name.
    shape : tuple of int
        Lengths of the grid.
    rank : int
        Number of the result's dimensions.
    """

    groups: tuple[tuple[int, ...], ...]
    names: tuple[frozenset[str], ...]
    shape: tuple[int, ...]
    rank: int

    def varies(self, dimensions: frozenset[str]) -> tuple[bool, ...]:
        """For each dimension of the grid, whether something with these dimensions varies there."""
        return tuple(not names.isdisjoint(dimensions) for names in self.names)

    def fit(self, array: Array) -> Array:
        """An aligned array as a view on the grid; leading index dimensions stay."""
        leading = array.ndim - self.rank
        lengths = array.shape[leading:]
        shape = [prod(lengths[i] for i in group) for group in self.groups]
        return array.reshape((*array.shape[:leading], *shape), copy=False)


def make_grid(axes: Sequence[str], shape: Sequence[int], arrays: Sequence[Array]) -> Grid:
    """Merge neighbouring dimensions wherever all arrays allow it without a copy.

    Parameters
    ----------
    axes, shape
        The result's dimensions.
    arrays : sequence of ndarray
        Aligned arrays; only their last `len(axes)` dimensions count.
    """
    groups: list[list[int]] = []
    for i in (i for i, length in enumerate(shape) if length > 1):
        if groups and all(_mergeable(array, len(axes), groups[-1][-1], i) for array in arrays):
            groups[-1].append(i)
        else:
            groups.append([i])
    # A single element is a grid of one dimension: NumPy turns arrays without any into scalars.
    groups = groups or [[]]
    return Grid(
        tuple(tuple(group) for group in groups),
        tuple(frozenset(axes[i] for i in group) for group in groups),
        tuple(prod(shape[i] for i in group) for group in groups),
        len(axes),
    )


def _mergeable(array: Array, rank: int, i: int, j: int) -> bool:
    """Whether an array either has neither of two dimensions, or steps evenly through both."""
    leading = array.ndim - rank
    lengths = array.shape[leading + i], array.shape[leading + j]
    if lengths == (1, 1):
        return True
    steps = array.strides[leading + i], array.strides[leading + j]
    return 1 not in lengths and steps[0] == steps[1] * lengths[1]


def tile_shape(shape: Sequence[int], elements: int) -> tuple[int, ...]:
    """Lengths of a tile of at most this many elements, whole along the last dimensions.

    Examples
    --------
    >>> tile_shape((8, 512, 1024), 4096), tile_shape((1000, 16), 128)
    ((1, 4, 1024), (8, 16))
    """
    tile: list[int] = []
    for length in reversed(shape):
        extent = max(1, min(length, elements))
        elements = elements // extent if extent == length else 1
        tile.append(extent)
    return tuple(reversed(tile))


def inner_dimension(shape: Sequence[int], tile: Sequence[int]) -> int | None:
    """The dimension of the grid to step along innermost: the first, where tiles are thin in it.

    This is normally `frame`: the constants of one tile serve all frames before the next tile.
    """
    return 0 if len(shape) > 1 and tile[0] == 1 else None


def boxes(shape: Sequence[int], tile: Sequence[int], skip: int | None) -> Iterator[Box]:
    """All tiles; with the whole of dimension `skip`, if one is given."""
    ranges = [
        [slice(0, n)] if i == skip else [slice(a, min(a + t, n)) for a in range(0, n, t)]
        for i, (n, t) in enumerate(zip(shape, tile, strict=True))
    ]
    return product(*ranges)


class Windows:
    """The parts of arrays on the grid that belong to the tile at hand.

    Arrays that vary along the same dimensions share one window, made once per tile.
    """

    def __init__(self) -> None:
        self.patterns: dict[tuple[bool, ...], int] = {}
        self.current: list[Box] = []
        self.box: Box = ()

    def move(self, box: Box) -> None:
        """Go to a tile."""
        self.box = box
        self.current[:] = [_window(pattern, box) for pattern in self.patterns]

    def of(self, array: Array) -> Callable[[], Array]:
        """A function that gives the part of an array at the tile at hand."""
        pattern = tuple(n != 1 for n in array.shape)
        if not any(pattern):
            return lambda: array
        if pattern not in self.patterns:
            self.patterns[pattern] = len(self.current)
            self.current.append(_window(pattern, self.box) if self.box else ())
        number, current = self.patterns[pattern], self.current
        return lambda: array[current[number]]


def _window(pattern: tuple[bool, ...], box: Box) -> Box:
    return tuple(part if v else slice(None) for part, v in zip(box, pattern, strict=True))
