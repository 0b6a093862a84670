"""Grouped reductions: one value for all elements that share a label, as for the common mode.

A reduction needs all elements along the dimensions of its labels at once. So a plan is evaluated
for blocks of another dimension (normally some frames): first its reductions, then the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Final

import numpy as np

from nxformula.engine.backends import Evaluator
from nxformula.engine.layout import Array
from nxformula.engine.plan import Plan, Reduction
from nxformula.engine.reductions import Groups, reduce_groups
from nxformula.engine.threads import cores, for_each
from nxformula.language.symbols import Symbol

#: Elements of the result for which reductions are evaluated together, if one frame has fewer.
_BLOCK: Final = 1 << 22
#: Elements of the rows that are reduced at a time: what a core keeps near.
_TILE: Final = 1 << 17


def evaluate(
    evaluator: Evaluator,
    plan: Plan,
    symbols: Mapping[str, Symbol],
    arrays: Mapping[str, Array],
    lengths: Mapping[str, int],
    out: Array,
    threads: int | None = None,
) -> None:
    """Evaluate a plan, its grouped reductions included.

    Parameters
    ----------
    evaluator : Evaluator
        Evaluates plans without reductions.
    plan, symbols, arrays, out
        As for `numpy_backend.evaluate`.
    lengths : mapping of str to int
        Lengths of all dimensions of the result.
    threads : int, optional
        How many may work.
    """
    used = plan.used()
    if not used or not out.size:
        evaluator(plan, symbols, arrays, out, threads)
        return
    axis = _axis_of_blocks(plan, symbols)
    labels: dict[int, Groups] = {}
    if axis is None:
        _Block(evaluator, plan, symbols, arrays, lengths, labels).evaluate(out, threads)
        return
    step = max(1, _BLOCK * lengths[axis] // out.size)
    for start in range(0, lengths[axis], step):
        block = slice(start, min(start + step, lengths[axis]))
        parts = {name: _part(array, symbols[name], axis, block) for name, array in arrays.items()}
        own = {**lengths, axis: block.stop - block.start}
        of_out = tuple(block if name == axis else slice(None) for name in plan.axes)
        _Block(evaluator, plan, symbols, parts, own, labels).evaluate(out[of_out], threads)


def _axis_of_blocks(plan: Plan, symbols: Mapping[str, Symbol]) -> str | None:
    """The first dimension along which elements have nothing to do with each other."""
    indexed = {
        dimension
        for part in plan.parts()
        for operation in part.operations
        if operation.code in ("lookup", "inside")
        for dimension in operation.table.dimensions
    }
    free = [axis for axis in plan.axes if axis not in plan.whole() | indexed]
    return free[0] if free else None


def _part(array: Array, symbol: Symbol, axis: str, block: slice) -> Array:
    return array[tuple(block if name == axis else slice(None) for name in symbol.axes)]


class _Block:
    """The evaluation of one block; `labels` are shared by all blocks."""

    def __init__(
        self,
        evaluator: Evaluator,
        plan: Plan,
        symbols: Mapping[str, Symbol],
        arrays: Mapping[str, Array],
        lengths: Mapping[str, int],
        labels: dict[int, Groups],
    ) -> None:
        self.evaluator = evaluator
        self.plan = plan
        self.symbols = dict(symbols)
        self.arrays = dict(arrays)
        self.lengths = lengths
        self.labels = labels

    def evaluate(self, out: Array, threads: int | None) -> None:
        """Evaluate the reductions one after the other, then the plan."""
        for number in self.plan.used():
            reduction = self.plan.reductions[number]
            name = f"group({number})"
            self.symbols[name] = Symbol(reduction.values.dtype.name, reduction.axes)
            self.arrays[name] = self._reduce(number, reduction, threads)
        self.evaluator(self.plan, self.symbols, self.arrays, out, threads)

    def _values(self, plan: Plan, axes: Sequence[str]) -> Array:
        """The values of a plan, spread over dimensions along which it does not vary."""
        values = np.empty([self.lengths[axis] for axis in plan.axes], plan.dtype)
        self.evaluator(plan, self.symbols, self.arrays, values)
        spread = tuple(slice(None) if axis in plan.axes else np.newaxis for axis in axes)
        return np.broadcast_to(values[spread], [self.lengths[axis] for axis in axes])

    def _groups(self, number: int, reduction: Reduction) -> Groups:
        # Labels have no dimension of the blocks, nor has what they are made from.
        if number not in self.labels:
            same = (n for n in self.labels if self._has_labels_of(reduction, n))
            other = next(same, None)
            if other is not None:
                self.labels[number] = self.labels[other]
            else:
                self.labels[number] = Groups(self._values(reduction.labels, reduction.grouped))
        return self.labels[number]

    def _has_labels_of(self, reduction: Reduction, number: int) -> bool:
        other = self.plan.reductions[number]
        return other.labels == reduction.labels and other.grouped == reduction.grouped

    def _reduce(self, number: int, reduction: Reduction, threads: int | None) -> Array:
        groups = self._groups(number, reduction)
        values = self._values(reduction.values, reduction.axes)
        apart = [axis for axis in reduction.axes if axis not in reduction.grouped]
        order = [reduction.axes.index(axis) for axis in (*apart, *reduction.grouped)]
        moved = values.transpose(order)
        rows = moved.reshape(prod(moved.shape[: len(apart)]), -1)
        reduced = np.empty(rows.shape, values.dtype)
        step = max(1, _TILE // max(1, rows.shape[1]))

        def work(start: int) -> None:
            part = slice(start, start + step)
            reduce_groups(reduction.function, rows[part], groups, reduction.quantile, reduced[part])

        for_each(work, range(0, len(rows), step), threads or cores())
        return reduced.reshape(moved.shape).transpose(np.argsort(order))
