"""The arrays of a plan, fitted into one grid: where both backends begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nxformula.engine.layout import Array, Grid, aligned, make_grid
from nxformula.engine.plan import READS, Plan, source_name
from nxformula.language.symbols import Symbol


@dataclass(frozen=True, slots=True)
class Fitted:
    """Arrays as views on a grid.

    Attributes
    ----------
    grid : Grid
        The result's dimensions after merging.
    sources : dict of ndarray
        The array of each operation that reads one, by number: indexed dimensions first, then the
        grid's.
    out : ndarray
        Receives the result.
    """

    grid: Grid
    sources: dict[int, Array]
    out: Array


def fit_arrays(
    plan: Plan, symbols: Mapping[str, Symbol], arrays: Mapping[str, Array], out: Array
) -> Fitted:
    """Fit the arrays of a plan into one grid.

    Parameters
    ----------
    plan : Plan
        From `lower`.
    symbols : mapping of str to Symbol
        Dimensions of the arrays.
    arrays : mapping of str to ndarray
        Values in native byte order; the lengths of all dimensions agree with those of `out`.
    out : ndarray
        Dimensions as in `plan.axes`, of any strides; not empty.
    """
    sources: dict[int, Array] = {}
    for number, operation in enumerate(plan.operations):
        indexed: tuple[str, ...] = ()
        if operation.code in READS:
            name = source_name(operation)
        elif operation.code in ("lookup", "inside"):
            name, indexed = operation.table.symbol, operation.table.dimensions
        else:
            continue
        sources[number] = aligned(arrays[name], symbols[name], indexed, plan.axes)
    grid = make_grid(plan.axes, out.shape, [*sources.values(), out])
    fitted = {number: grid.fit(array) for number, array in sources.items()}
    return Fitted(grid, fitted, grid.fit(out))
