"""What machine code is made for: dtypes, and along which dimensions of the grid arrays vary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nxformula.engine.fitting import Fitted
from nxformula.engine.layout import Array
from nxformula.engine.plan import Plan, source_name


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """How an array lies on the grid.

    Attributes
    ----------
    dtype : str
        Of its elements.
    lengths : tuple of int
        Of its indexed dimensions.
    varies : tuple of bool
        For each dimension of the grid.
    dense : bool
        Whether neighbours along the last dimension of the grid are neighbours in memory.
    """

    dtype: str
    lengths: tuple[int, ...]
    varies: tuple[bool, ...]
    dense: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """How all arrays of a plan lie on its grid.

    Attributes
    ----------
    rank : int
        Dimensions of the grid.
    out : ArrayLayout
        Of the result.
    sources : tuple of ArrayLayout
        Of each array that is read, once.
    source_of : tuple of tuple of int
        Number of each operation that reads an array, with that of the array.
    varies : tuple of tuple of bool
        Of each operation, for each dimension of the grid.
    """

    rank: int
    out: ArrayLayout
    sources: tuple[ArrayLayout, ...]
    source_of: tuple[tuple[int, int], ...]
    varies: tuple[tuple[bool, ...], ...]


def layout_of(plan: Plan, fitted: Fitted) -> tuple[Layout, list[Array]]:
    """The layout of fitted arrays, and the arrays in its order."""
    known: dict[tuple[str, tuple[str, ...]], int] = {}
    arrays: list[Array] = []
    pairs: list[tuple[int, int]] = []
    for number, array in fitted.sources.items():
        operation = plan.operations[number]
        if operation.code in ("lookup", "inside"):
            key = operation.table.symbol, operation.table.dimensions
        else:
            key = source_name(operation), ()
        if key not in known:
            known[key] = len(arrays)
            arrays.append(array)
        pairs.append((number, known[key]))
    rank = len(fitted.grid.shape)
    sources = tuple(_array_layout(array, rank) for array in arrays)
    varies = tuple(fitted.grid.varies(operation.dimensions) for operation in plan.operations)
    return Layout(rank, _array_layout(fitted.out, rank), sources, tuple(pairs), varies), arrays


def _array_layout(array: Array, rank: int) -> ArrayLayout:
    leading = array.ndim - rank
    varies = tuple(length > 1 for length in array.shape[leading:])
    dense = varies[-1] and array.strides[-1] == array.itemsize
    return ArrayLayout(array.dtype.name, array.shape[:leading], varies, dense)


def numbers_of(shape: tuple[int, ...], out: Array, arrays: list[Array]) -> Iterator[int]:
    """What the code is told of the arrays, as `Program.parameters` names it."""
    yield from shape
    yield from out.strides
    for array in arrays:
        yield from array.strides
