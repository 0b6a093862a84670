"""The flat list of array operations that a formula becomes.

Operations are in static single assignment form, operands first. Equal operations are one, so a
sub-expression that stands twice is computed once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from nxformula.engine.ufuncs import ufunc

Code: TypeAlias = Literal[
    "constant",  # detail: the value
    "load",  # detail: the symbol
    "position",  # detail: the dimension
    "group",  # detail: number of the reduction
    "cast",
    "apply",  # detail: name of the NumPy function
    "select",  # arguments: condition, value where it holds, value elsewhere
    "pick",  # arguments: a small integer; detail: the value for each
    "lookup",  # arguments: indices; detail: Table
    "inside",  # arguments: indices; detail: Table
]


#: Operations that give an array as it is, and work for no element.
READS: Final = frozenset({"load", "position", "group"})


@dataclass(frozen=True, slots=True)
class Table:
    """A symbol that is indexed.

    Attributes
    ----------
    symbol : str
        Its name.
    dimensions : tuple of str
        The indexed dimensions, one per index.
    planes : tuple of int or None
        With one index that is a small integer code: the place in the table for each code.
    """

    symbol: str
    dimensions: tuple[str, ...]
    planes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One array operation; `arguments` are numbers of earlier operations."""

    code: Code
    arguments: tuple[int, ...]
    dtype: str
    dimensions: frozenset[str]
    detail: Hashable = None

    @property
    def table(self) -> Table:
        """The table of a look-up."""
        assert isinstance(self.detail, Table)
        return self.detail


def source_name(operation: Operation) -> str:
    """The name of the array that an operation of `READS` gives.

    Arrays that are no symbols have names that no symbol can have.
    """
    detail = str(operation.detail)
    return detail if operation.code == "load" else f"{operation.code}({detail})"


def position_name(dimension: str) -> str:
    """The name of the array of places along a dimension.

    Examples
    --------
    >>> position_name("slow")
    'position(slow)'
    """
    return f"position({dimension})"


@dataclass(frozen=True, slots=True)
class Cost:
    """What evaluating one element of the result costs, without look at the hardware.

    Attributes
    ----------
    operations : int
        Array operations that are done for every element of the result.
    bytes_read : int
        Bytes of all symbols that are read for one element: of constants at each index, so that
        a batch of frames reads less.
    """

    operations: int
    bytes_read: int


@dataclass(frozen=True, slots=True)
class Reduction:
    """A grouped reduction, which is evaluated before the operations that use it.

    Attributes
    ----------
    function : str
        Its name in the language.
    values, labels : Plan
        What is reduced, and which elements belong together.
    grouped : tuple of str
        Dimensions of the labels: those over which elements are grouped.
    axes : tuple of str
        Dimensions of what the reduction gives, in the order of the formula's result.
    quantile : float
        For `group_quantile`.
    """

    function: str
    values: Plan
    labels: Plan
    grouped: tuple[str, ...]
    axes: tuple[str, ...]
    quantile: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Operations, the last of which is the result.

    Attributes
    ----------
    operations : tuple of Operation
        In order of evaluation.
    axes : tuple of str
        Dimensions of the result in array order.
    reductions : tuple of Reduction
        All grouped reductions of the formula; those that this plan uses come first in its
        `group` operations.
    """

    operations: tuple[Operation, ...]
    axes: tuple[str, ...]
    reductions: tuple[Reduction, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the result."""
        return np.dtype(self.operations[-1].dtype)

    def used(self) -> tuple[int, ...]:
        """Numbers of the reductions that this plan needs, those first that others need."""
        found: set[int] = set()
        waiting: list[Plan] = [self]
        while waiting:
            for operation in waiting.pop().operations:
                number: Any = operation.detail
                if operation.code == "group" and number not in found:
                    found.add(number)
                    reduction = self.reductions[number]
                    waiting += (reduction.values, reduction.labels)
        return tuple(sorted(found))

    def parts(self) -> Iterator[Plan]:
        """The plans of the reductions that this plan needs, and at last this plan."""
        for number in self.used():
            yield self.reductions[number].labels
            yield self.reductions[number].values
        yield self

    def whole(self) -> frozenset[str]:
        """Dimensions along which elements are grouped: values are needed for all of each."""
        return frozenset().union(*(self.reductions[n].grouped for n in self.used()))

    def cost(self) -> Cost:
        """Static cost per element of the result; a reduction counts as one operation."""
        work = len(self.used())
        symbols: dict[str, int] = {}
        for part in self.parts():
            everywhere = frozenset(part.axes)
            work += sum(o.dimensions == everywhere and o.code not in READS for o in part.operations)
            for o in part.operations:
                if o.code in ("load", "lookup"):
                    name = str(o.table.symbol if o.code == "lookup" else o.detail)
                    symbols[name] = np.dtype(o.dtype).itemsize
        return Cost(work, sum(symbols.values()))


_SCALAR: Final[frozenset[str]] = frozenset()


@dataclass(slots=True)
class Builder:
    """Collects operations, each once."""

    operations: list[Operation] = field(default_factory=list)
    numbers: dict[Hashable, int] = field(default_factory=dict)
    reductions: list[Reduction] = field(default_factory=list)
    reduced: dict[Hashable, int] = field(default_factory=dict)

    def add(self, operation: Operation) -> int:
        """The number of this operation, new or already there."""
        # The repr tells 0.0 from -0.0, 1 from True, and makes all NaN one.
        key = (operation.code, operation.arguments, operation.dtype, repr(operation.detail))
        if key not in self.numbers:
            self.numbers[key] = len(self.operations)
            self.operations.append(operation)
        return self.numbers[key]

    def constant(self, value: float, dtype: str) -> int:
        """A constant."""
        return self.add(Operation("constant", (), dtype, _SCALAR, value))

    def apply(self, function: str, arguments: tuple[int, ...], dtype: str) -> int:
        """A NumPy function of values; of constants it is a constant."""
        operations = [self.operations[number] for number in arguments]
        if all(operation.code == "constant" for operation in operations):
            values = [np.array(o.detail, dtype=o.dtype) for o in operations]
            with np.errstate(all="ignore"):
                return self.constant(ufunc(function)(*values).item(), dtype)
        return self.add(Operation("apply", arguments, dtype, self.joined(arguments), function))

    def select(self, condition: int, a: int, b: int) -> int:
        """The first of two values where a condition holds, else the second."""
        holds = self.operations[condition]
        if holds.code == "constant":
            return a if holds.detail else b
        arguments = (condition, a, b)
        dtype = self.operations[a].dtype
        return self.add(Operation("select", arguments, dtype, self.joined(arguments)))

    def pick(self, index: int, values: tuple[Any, ...], dtype: str) -> int:
        """The constant with the number that an integer gives."""
        operation = self.operations[index]
        if operation.code == "constant":
            number: Any = operation.detail
            return self.constant(values[number], dtype)
        return self.add(Operation("pick", (index,), dtype, operation.dimensions, values))

    def joined(self, arguments: tuple[int, ...]) -> frozenset[str]:
        """All dimensions of some values."""
        return _SCALAR.union(*(self.operations[number].dimensions for number in arguments))

    def cast(self, number: int, dtype: str) -> int:
        """The value in another dtype."""
        operation = self.operations[number]
        if operation.dtype == dtype:
            return number
        if operation.code == "constant":
            # Through the dtype of the constant, so that an integer is rounded only once.
            stored = np.array(operation.detail, dtype=operation.dtype)
            # NaN gives any integer: `to_integer` selects another there.
            with np.errstate(over="ignore", invalid="ignore"):
                return self.constant(stored.astype(dtype).item(), dtype)
        return self.add(Operation("cast", (number,), dtype, operation.dimensions))

    def plan(self, result: int, axes: tuple[str, ...]) -> Plan:
        """The operations that the result needs, renumbered."""
        needed = {result}
        for number in range(result, -1, -1):
            if number in needed:
                needed.update(self.operations[number].arguments)
        order = sorted(needed)
        renumbered = {old: new for new, old in enumerate(order)}
        operations = tuple(_renumber(self.operations[old], renumbered) for old in order)
        return Plan(operations, axes, tuple(self.reductions))

    def reduce(
        self,
        function: str,
        values: int,
        labels: int,
        grouped: tuple[str, ...],
        axes: tuple[str, ...],
        quantile: float,
    ) -> int:
        """A grouped reduction; the arguments as in `Reduction`."""
        key = function, values, labels, grouped, axes, quantile
        if key not in self.reduced:
            reduced = self.plan(values, self._own(values, axes))
            by = self.plan(labels, self._own(labels, axes))
            self.reduced[key] = len(self.reductions)
            self.reductions.append(Reduction(function, reduced, by, grouped, axes, quantile))
        dtype = self.operations[values].dtype
        return self.add(Operation("group", (), dtype, frozenset(axes), self.reduced[key]))

    def _own(self, number: int, axes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(axis for axis in axes if axis in self.operations[number].dimensions)


def _renumber(operation: Operation, numbers: dict[int, int]) -> Operation:
    arguments = tuple(numbers[number] for number in operation.arguments)
    return Operation(
        operation.code, arguments, operation.dtype, operation.dimensions, operation.detail
    )
