"""Evaluate a plan for scattered elements of the result, all operations in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nxformula.engine.layout import Array
from nxformula.engine.plan import Operation, Plan
from nxformula.engine.tables import Found, MemoryTable, lookup_key


class Points:
    """Elements of the result that wait to be computed one by one.

    Parameters
    ----------
    plan : Plan
        The operations.
    sources : mapping of int to ndarray
        For each `load`, the symbol on the grid, of length 1 where it does not vary.
    tables : mapping of int to MemoryTable
        For each `lookup` and `inside`, the table.
    out : ndarray
        The result on the grid.
    size : int
        How many elements are computed together.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Mapping[int, Array],
        tables: Mapping[int, MemoryTable],
        out: Array,
        size: int,
    ) -> None:
        self.plan = plan
        self.sources = sources
        self.tables = tables
        self.out = out
        self.size = size
        self.waiting: list[Array] = []
        self.count = 0

    def add(self, elements: Array) -> None:
        """Note elements, as numbers in C order of the grid; compute when there are enough."""
        self.waiting.append(elements)
        self.count += elements.size
        if self.count >= self.size:
            self.flush()

    def flush(self) -> None:
        """Compute all that wait."""
        if not self.waiting:
            return
        elements = np.concatenate(self.waiting)
        self.waiting, self.count = [], 0
        for start in range(0, elements.size, self.size):
            part = elements[start : start + self.size]
            at = (part,) if self.out.ndim == 1 else np.unravel_index(part, self.out.shape)
            self.out[at] = _Evaluation(self, at).result()


class _Evaluation:
    def __init__(self, points: Points, at: Sequence[Array]) -> None:
        self.points = points
        self.at = at
        self.found: dict[object, Found] = {}

    def result(self) -> Array:
        values: list[Array] = []
        for number, operation in enumerate(self.points.plan.operations):
            arguments = [values[argument] for argument in operation.arguments]
            values.append(self._compute(number, operation, arguments))
        return values[-1]

    def _compute(self, number: int, operation: Operation, arguments: list[Array]) -> Array:
        match operation.code:
            case "constant":
                return np.full(1, _any(operation.detail), operation.dtype)
            case "load":
                source = self.points.sources[number]
                pairs = zip(source.shape, self.at, strict=True)
                taken: Array = source[tuple(0 if n == 1 else at for n, at in pairs)]
                return np.atleast_1d(taken)
            case "cast":
                return arguments[0].astype(operation.dtype)
            case "select":
                return np.where(*arguments)
            case "pick":
                return np.array(operation.detail, operation.dtype).take(arguments[0])
            case "lookup":
                return self._lookup(self.points.tables[number], operation, arguments)
            case "inside":
                inside = np.empty(np.broadcast_shapes(*(a.shape for a in arguments)), bool)
                self.points.tables[number].inside(arguments, inside)
                return inside
        found: Array = getattr(np, str(operation.detail))(*arguments)
        return found

    def _lookup(self, table: MemoryTable, operation: Operation, indices: list[Array]) -> Array:
        key = lookup_key(operation, table)
        if key not in self.found:
            elements: Any = 0
            for step, at in zip(table.grid_steps, self.at, strict=True):
                if step:
                    elements = elements + (at if step == 1 else at * step)
            self.found[key] = table.find(indices, np.atleast_1d(elements), table.first)
        return table.take(self.found[key])


def _any(value: object) -> Any:
    return value
