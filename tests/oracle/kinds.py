"""What is known of each node before any value: its kind, its dimensions, and of which table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from . import intervals
from .intervals import Range
from .parsing import Node

#: Axes, in the order of storage, and values of each symbol.
Symbols: TypeAlias = Mapping[str, tuple[Sequence[str], np.ndarray]]

#: Names and values of the constants.
CONSTANTS = {"nan": np.nan, "inf": np.inf, "pi": np.pi, "true": True, "false": False}
#: Arguments that are whole tables, by function.
TABLES = {"interp": (1, 2), "poly": (1,)}

_BOOL = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or", "not x", "isnan", "isfinite"})
_REAL = frozenset({"/", "**"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a node.

    Attributes
    ----------
    kind : str
        "bool", "integer" or "real".
    dimensions : tuple of str
        In the order of the result's dimensions.
    range : tuple of int or None
        Of an integer: its lowest and highest value.
    indexed : tuple of str
        Of an index: the dimension of each of its items.
    along : str or None
        Of a whole table: the dimension that the function takes.
    """

    kind: str
    dimensions: tuple[str, ...] = ()
    range: Range | None = None
    indexed: tuple[str, ...] = ()
    along: str | None = None


class Survey:
    """The facts of all nodes of a formula.

    Attributes
    ----------
    facts : list of Facts
        One for each node.
    lengths : dict of int
        Length of each dimension of the result.
    lets : dict of int
        The node that each definition names.
    """

    def __init__(self, nodes: Sequence[Node], symbols: Symbols, axes: Sequence[str]) -> None:
        self.nodes = nodes
        self.symbols = symbols
        self.axes = axes
        self.facts: list[Facts] = []
        self.lets: dict[str, int] = {}
        self.tables = {
            node.operands[i]
            for node in nodes
            if node.form == "call"
            for i in TABLES.get(node.word, ())
        }
        self.lengths = dict(self._lengths())
        for number, node in enumerate(nodes):
            self.facts.append(self._of(number, node))
            if node.form == "let":
                self.lets[node.word] = node.operands[0]

    def length(self, symbol: str, dimension: str) -> int:
        """Length of a dimension of a symbol."""
        axes, array = self.symbols[symbol]
        return int(array.shape[list(axes).index(dimension)])

    def _lengths(self) -> Iterator[tuple[str, int]]:
        for node in self.nodes:
            if node.form in ("name", "index") and node.word in self.symbols:
                for axis in self.symbols[node.word][0]:
                    if axis in self.axes and axis not in node.dimensions:
                        yield axis, self.length(node.word, axis)

    def _ordered(self, dimensions: Iterable[str]) -> tuple[str, ...]:
        found = set(dimensions)
        return tuple(axis for axis in self.axes if axis in found)

    def _joined(self, numbers: Iterable[int]) -> tuple[str, ...]:
        return self._ordered(d for n in numbers for d in self.facts[n].dimensions)

    def _of(self, number: int, node: Node) -> Facts:
        match node.form:
            case "integer":
                value = int(node.word, 0)
                return Facts("integer", (), (value, value))
            case "real":
                return Facts("real")
            case "let":
                return self.facts[node.operands[0]]
            case "position":
                (dimension,) = node.dimensions
                last = max(0, self.lengths[str(dimension)] - 1)
                return Facts("integer", (str(dimension),), (0, last))
            case "name" if node.word in self.lets:
                return self.facts[self.lets[node.word]]
            case "name" if node.word in CONSTANTS:
                return Facts("bool" if isinstance(CONSTANTS[node.word], bool) else "real")
            case "name" | "index":
                return self._stored(number, node)
        return self._computed(node)

    # Symbols

    def _stored(self, number: int, node: Node) -> Facts:
        axes = [axis for axis in self.symbols[node.word][0] if axis != "."]
        outside = [axis for axis in axes if axis not in self.axes and axis not in node.dimensions]
        indexed = tuple(name or outside[0] for name in node.dimensions if name != "else")
        left = [axis for axis in axes if axis not in indexed]
        along = None
        if number in self.tables:
            (along,) = (axis for axis in left if axis not in self.axes)
            left.remove(along)
        own = self._ordered(left)
        kind, bounds = self._kind_of_stored(node, indexed)
        return Facts(
            kind, self._ordered((*own, *self._joined(node.operands))), bounds, indexed, along
        )

    def _kind_of_stored(self, node: Node, indexed: Sequence[str]) -> tuple[str, Range | None]:
        dtype = self.symbols[node.word][1].dtype
        if dtype.kind == "f":
            return "real", None
        bounds = None if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        kind = "integer" if bounds else "bool"
        if "else" in node.dimensions:
            other = self.facts[node.operands[node.dimensions.index("else")]]
            if other.kind == "real":
                return "real", None
            return kind, intervals.hull(bounds, other.range) if bounds and other.range else None
        for dimension, operand in zip(indexed, node.operands, strict=True):
            low, high = self.facts[operand].range or (0, 0)
            if not 0 <= low <= high < self.length(node.word, dimension):
                return "real", None
        return kind, bounds

    # Operators and functions

    def _computed(self, node: Node) -> Facts:
        dimensions = self._joined(node.operands)
        kind = self._kind_of_result(node)
        if kind != "integer":
            return Facts(kind, dimensions)
        ranges = [self.facts[n].range for n in node.operands]
        if node.word == "-x":
            rule = intervals.negative
        else:
            rule = intervals.OPERATORS.get(node.word) or intervals.FUNCTIONS[node.word]
        return Facts(kind, dimensions, rule(*ranges))

    def _kind_of_result(self, node: Node) -> str:
        if node.word in _BOOL:
            return "bool"
        if node.word in _REAL:
            return "real"
        if node.word in ("to_integer", "bits"):
            return "integer"
        whole = node.word in intervals.FUNCTIONS or node.form == "operator"
        if not whole:
            return "real"
        decide = node.operands[1:] if node.word in ("where", "choose") else node.operands
        kinds = {self.facts[n].kind for n in decide}
        if node.word == "mod" and kinds == {"integer"}:
            low, high = self.facts[node.operands[1]].range or (0, 0)
            return "real" if low <= 0 <= high else "integer"
        return kinds.pop() if len(kinds) == 1 else "real"
