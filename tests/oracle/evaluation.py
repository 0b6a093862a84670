"""The value of a formula, one node after the other and one element after the other."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np

from . import numbers
from .kinds import CONSTANTS, Survey, Symbols
from .parsing import Node, parse
from .reductions import reduced

Place: TypeAlias = tuple[int, ...]

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
}


def evaluate(
    text: str, symbols: Symbols, axes: Sequence[str], dtype: str, real: type | None = None
) -> np.ndarray:
    """Evaluate a formula that the checker accepts.

    Parameters
    ----------
    text : str
        The formula.
    symbols : mapping of str to tuple
        Axes and values of each symbol.
    axes : sequence of str
        Dimensions of the result.
    dtype : str
        Dtype of the result.
    real : type, optional
        Format of reals other than the language's: `np.float64` shows how accurate binary32 is.

    Returns
    -------
    ndarray
        Of `dtype`; with `real`, real results have that format.

    Examples
    --------
    >>> pixels = {"data": (["x"], np.array([3, 8], "uint16"))}
    >>> evaluate("(data - 4) / 2", pixels, ["x"], "float32")
    array([-0.5,  2. ], dtype=float32)
    """
    own = np.float32 if dtype == "float32" else np.float64
    with np.errstate(all="ignore"):
        return _Evaluation(text, symbols, axes, real or own).result(dtype)


class _Evaluation:
    def __init__(self, text: str, symbols: Symbols, axes: Sequence[str], real: type) -> None:
        self.nodes = parse(text)
        self.symbols = symbols
        self.axes = tuple(axes)
        self.real = real
        self.survey = Survey(self.nodes, symbols, axes)
        self.values: list[Mapping[Place, Any]] = []
        for number, node in enumerate(self.nodes):
            self.values.append(self._values(number, node))

    def result(self, dtype: str) -> np.ndarray:
        last = len(self.nodes) - 1
        is_real = np.dtype(dtype).kind == "f"
        out = np.empty(self._shape(self.axes), self.real if is_real else dtype)
        for place in np.ndindex(*out.shape):
            value = self._at(last, self.axes, place)
            out[place] = numbers.real_of(value, self.real) if is_real else value
        return out

    # Nodes

    def _shape(self, dimensions: Sequence[str]) -> Place:
        return tuple(self.survey.lengths[dimension] for dimension in dimensions)

    def _places(self, dimensions: Sequence[str]) -> Iterator[Place]:
        return product(*(range(length) for length in self._shape(dimensions)))

    def _at(self, number: int, dimensions: Sequence[str], place: Place) -> Any:
        """The value of a node at a place of more dimensions than it has."""
        own = self.survey.facts[number].dimensions
        return self.values[number][tuple(place[dimensions.index(d)] for d in own)]

    def _values(self, number: int, node: Node) -> Mapping[Place, Any]:
        if node.form == "let":
            return self.values[node.operands[0]]
        if node.form == "name" and node.word in self.survey.lets:
            return self.values[self.survey.lets[node.word]]
        if node.word.startswith("group_"):
            return self._grouped(number, node)
        facts = self.survey.facts[number]
        values = {
            place: self._value(number, node, dict(zip(facts.dimensions, place, strict=True)))
            for place in self._places(facts.dimensions)
        }
        if facts.range is not None and facts.along is None:
            low, high = facts.range
            assert all(low <= value <= high for value in values.values()), (node, facts.range)
        return values

    def _value(self, number: int, node: Node, at: Mapping[str, int]) -> Any:
        facts = self.survey.facts[number]
        dimensions, place = tuple(at), tuple(at.values())
        operands = [self._at(n, dimensions, place) for n in node.operands]
        match node.form:
            case "integer":
                return int(node.word, 0)
            case "real":
                return self.real(float(node.word))
            case "position":
                return at[str(node.dimensions[0])]
            case "name" if node.word in CONSTANTS:
                value = CONSTANTS[node.word]
                return value if isinstance(value, bool) else self.real(value)
            case "name" | "index":
                found = self._stored(number, node, operands, at)
            case _:
                found = self._computed(node.word, operands, facts.kind)
        wanted = facts.kind == "real" and facts.along is None
        return numbers.real_of(found, self.real) if wanted else found

    # Symbols

    def _stored(
        self, number: int, node: Node, operands: Sequence[Any], at: Mapping[str, int]
    ) -> Any:
        """A value of a symbol; of a whole table all values along its dimension."""
        facts = self.survey.facts[number]
        indices = dict(zip(facts.indexed, operands, strict=False))
        if facts.along is None:
            return self._element(node, indices, operands, at)
        entries = range(self.survey.length(node.word, facts.along))
        found = (self._element(node, {**indices, facts.along: k}, operands, at) for k in entries)
        return [numbers.real_of(value, self.real) for value in found]

    def _element(
        self,
        node: Node,
        indices: Mapping[str, int],
        operands: Sequence[Any],
        at: Mapping[str, int],
    ) -> Any:
        for dimension, index in indices.items():
            if not 0 <= index < self.survey.length(node.word, dimension):
                return operands[-1] if "else" in node.dimensions else self.real(np.nan)
        axes, array = self.symbols[node.word]
        place = {**at, **indices, ".": 0}
        element = array[tuple(place[axis] for axis in axes)]
        return self.real(element) if array.dtype.kind == "f" else element.item()

    # Operators and functions

    def _computed(self, word: str, operands: list[Any], kind: str) -> Any:
        match word:
            case "where":
                return operands[1] if operands[0] else operands[2]
            case "choose":
                return operands[1:][operands[0]]
            case "to_integer":
                return numbers.to_integer(*operands)
            case "not x":
                return not operands[0]
            case "-x":
                return -operands[0]
            case "isnan" | "isfinite":
                return bool(getattr(np, word)(self._reals(operands)[0]))
        if word in _OPERATORS:
            return self._operator(word, operands)
        if kind == "integer":
            return numbers.OF_INTEGERS[word](*operands)
        reals = self._reals(operands)
        if word in numbers.INEXACT:
            return numbers.inexact(word, reals, self.real)
        return numbers.EXACT[word](*reals)

    def _operator(self, word: str, operands: list[Any]) -> Any:
        if word == "/" or not all(isinstance(value, int) for value in operands):
            operands = self._reals(operands)
        value = _OPERATORS[word](*operands)
        return bool(value) if isinstance(value, np.bool_) else value

    def _reals(self, values: Sequence[Any]) -> list[Any]:
        """Numbers as reals; tables are already."""
        return [
            value if isinstance(value, list) else numbers.real_of(value, self.real)
            for value in values
        ]

    # Groups

    def _grouped(self, number: int, node: Node) -> Mapping[Place, Any]:
        dimensions = self.survey.facts[number].dimensions
        x, labels = node.operands[:2]
        over = self.survey.facts[labels].dimensions
        quantile = self._literal(node.operands[2]) if len(node.operands) > 2 else 0.0
        groups: dict[tuple[Any, ...], list[Place]] = {}
        for place in self._places(dimensions):
            apart = (i for d, i in zip(dimensions, place, strict=True) if d not in over)
            key = (self._at(labels, dimensions, place), *apart)
            groups.setdefault(key, []).append(place)
        found: dict[Place, Any] = {}
        for (label, *_), places in groups.items():
            value = self.real(np.nan)
            if label >= 0:
                own = self._reals([self._at(x, dimensions, place) for place in places])
                value = reduced(node.word, own, self.real, quantile)
            found.update(dict.fromkeys(places, value))
        return found

    def _literal(self, number: int) -> float:
        node = self.nodes[number]
        return float(int(node.word, 0) if node.form == "integer" else node.word)
