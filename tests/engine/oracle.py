"""A plain evaluator of the language, one element at a time, to test the engine against.

It shares nothing with the package but the parser: integers are Python's, reals NumPy scalars of
the format that the formula computes in. Slow, and meant to be read beside the language's rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nxformula.language.parser import parse
from nxformula.language.tree import Binary, Call, Formula, Index, Let, Literal, Name, Node, Unary

REAL_NAMES = {"nan": np.nan, "inf": np.inf, "pi": np.pi}
BOOL_NAMES = {"true": True, "false": False}
ARITHMETIC = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}
BITWISE = {
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
}
COMPARISONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def rounded(value: int, digits: int) -> float:
    """An integer rounded once, half to even, to so many binary digits."""
    size = abs(value)
    shift = max(0, size.bit_length() - digits)
    whole, rest = divmod(size, 1 << shift)
    if 2 * rest > 1 << shift or (2 * rest == 1 << shift and whole & 1):
        whole += 1
    return float(whole << shift) * (-1 if value < 0 else 1)


class Oracle:
    """The value of a formula at any element.

    Parameters
    ----------
    text : str
        The formula.
    symbols : mapping of str to tuple
        Axes and array of each symbol.
    axes : sequence of str
        Axes of the result.
    real : type
        `np.float32` or `np.float64`.
    last : bool
        Which of two zeros of different sign `min` and `max` give; the language leaves it open.
    """

    def __init__(
        self,
        text: str,
        symbols: Mapping[str, tuple[Sequence[str], np.ndarray]],
        axes: Sequence[str],
        real: type,
        last: bool = True,
    ) -> None:
        self.formula: Formula = parse(text)
        self.symbols = symbols
        self.axes = axes
        self.real = real
        self.last = last
        self.kinds: dict[int, str] = {}
        self.lets: dict[str, Node] = {}
        for node in self.formula.nodes:
            if isinstance(node, Let):
                self.lets[node.name] = node.value
            self.kinds[id(node)] = self.kind(node)

    # Kinds: "b", "i", "r"

    def kind(self, node: Node) -> str:
        match node:
            case Literal(value=value):
                return "i" if isinstance(value, int) else "r"
            case Name(name=name):
                return self.kind_of_name(name)
            case Let(value=value):
                return self.kinds[id(value)]
            case Unary(operand=operand):
                return self.kinds[id(operand)]
            case Binary(operator=operator, left=a, right=b):
                return self.kind_of_operator(operator, [a, b])
            case Call():
                return self.kind_of_call(node)
            case Index():
                return self.kind_of_index(node)

    def kind_of_name(self, name: str) -> str:
        if name in self.lets:
            return self.kinds[id(self.lets[name])]
        if name in REAL_NAMES or name in BOOL_NAMES:
            return "r" if name in REAL_NAMES else "b"
        return {"b": "b", "i": "i", "u": "i", "f": "r"}[self.symbols[name][1].dtype.kind]

    def kind_of_operator(self, operator: str, operands: Sequence[Node]) -> str:
        if operator in BITWISE:
            return "i"
        if operator in COMPARISONS or operator in ("and", "or"):
            return "b"
        return "r" if operator in ("/", "**") else self.joined(operands)

    def joined(self, nodes: Sequence[Node]) -> str:
        kinds = {self.kinds[id(node)] for node in nodes}
        return kinds.pop() if len(kinds) == 1 else "r"

    def kind_of_call(self, node: Call) -> str:
        if node.name in ("sqrt", "exp", "log"):
            return "r"
        if node.name == "isnan":
            return "b"
        if node.name == "bits":
            return "i"
        skip = node.name in ("where", "choose")
        return self.joined(node.arguments[1:] if skip else node.arguments)

    def kind_of_index(self, node: Index) -> str:
        stored = self.kind_of_name(node.name)
        if node.otherwise is not None:
            both = {stored, self.kinds[id(node.otherwise)]}
            return both.pop() if len(both) == 1 else "r"
        proven = all(
            self.is_proven(item.value, n)
            for item, n in zip(node.items, self.indexed_shape(node), strict=True)
        )
        return stored if proven else "r"

    def is_proven(self, index: Node, length: int) -> bool:
        """The forms that the tests write for an index that is inside; all others are not."""
        if isinstance(index, Literal):
            return index.value < length
        if isinstance(index, Call) and index.name == "clip":
            low, high = index.arguments[1:]
            return low.value == 0 and high.value < length  # type: ignore[union-attr]
        return False

    # Values

    def at(self, place: Mapping[str, int]) -> Any:
        """The result at a place, given by dimension."""
        values: dict[int, Any] = {}
        for node in self.formula.nodes:
            values[id(node)] = self.value(node, values, place)
        return values[id(self.formula.result)]

    def value(self, node: Node, values: dict[int, Any], place: Mapping[str, int]) -> Any:
        match node:
            case Literal(value=value):
                return value if isinstance(value, int) else self.real(value)
            case Name(name=name):
                return self.named(name, values, place)
            case Let(value=inner):
                return values[id(inner)]
            case Unary(operator=operator, operand=operand):
                return not values[id(operand)] if operator == "not" else -values[id(operand)]
            case Binary(operator=operator, left=a, right=b):
                return self.operator(operator, values[id(a)], values[id(b)])
            case Call():
                found = self.call(node.name, [values[id(a)] for a in node.arguments])
                return self.as_kind(found, self.kinds[id(node)])
            case Index():
                return self.as_kind(self.index(node, values, place), self.kinds[id(node)])

    def as_kind(self, value: Any, kind: str) -> Any:
        return self.to_real(value) if kind == "r" else value

    def to_real(self, value: Any) -> Any:
        if isinstance(value, int):
            return self.real(rounded(value, np.finfo(self.real).nmant + 1))
        return self.real(value)

    def named(self, name: str, values: dict[int, Any], place: Mapping[str, int]) -> Any:
        if name in self.lets:
            return values[id(self.lets[name])]
        if name in BOOL_NAMES:
            return BOOL_NAMES[name]
        if name in REAL_NAMES:
            return self.real(REAL_NAMES[name])
        return self.stored(name, place)

    def stored(self, name: str, place: Mapping[str, int]) -> Any:
        axes, array = self.symbols[name]
        element = array[tuple(0 if axis == "." else place[axis] for axis in axes)]
        return self.real(element) if array.dtype.kind == "f" else element.item()

    def operator(self, operator: str, a: Any, b: Any) -> Any:
        if operator in BITWISE:
            return BITWISE[operator](a, b)
        if operator in ("and", "or"):
            return (a and b) if operator == "and" else (a or b)
        if operator in ("/", "**") or not (isinstance(a, int) and isinstance(b, int)):
            a, b = self.to_real(a), self.to_real(b)
        if operator in COMPARISONS:
            return bool(COMPARISONS[operator](a, b))
        return ARITHMETIC[operator](a, b)

    def call(self, name: str, arguments: list[Any]) -> Any:
        first, *rest = arguments
        match name:
            case "where":
                return rest[0] if first else rest[1]
            case "choose":
                return rest[first]
            case "bits":
                return (first >> rest[0]) & ((1 << rest[1]) - 1)
            case "abs":
                return abs(first)
            case "isnan":
                return bool(not isinstance(first, int) and np.isnan(first))
            case "floor" | "round":
                whole = np.floor if name == "floor" else np.rint
                return first if isinstance(first, int) else whole(first)
            case "min" | "max":
                return self.extreme(min if name == "min" else max, arguments)
            case "clip":
                raised = self.extreme(max, arguments[:2])
                return self.extreme(min, [raised, arguments[2]])
        return getattr(np, name)(self.to_real(first))

    def extreme(self, which: Any, arguments: list[Any]) -> Any:
        if all(isinstance(argument, int) for argument in arguments):
            return which(arguments)
        reals = [self.to_real(argument) for argument in arguments]
        if any(np.isnan(x) for x in reals):
            return self.real(np.nan)
        # Python's min and max give the first of equal ones.
        return which(reversed(reals) if self.last else reals)

    def indexed(self, node: Index) -> list[str]:
        names = [item.dimension for item in node.items]
        axes = self.symbols[node.name][0]
        free = [a for a in axes if a != "." and a not in self.axes and a not in names]
        return [name or free[0] for name in names]

    def indexed_shape(self, node: Index) -> list[int]:
        axes, array = self.symbols[node.name]
        return [array.shape[list(axes).index(name)] for name in self.indexed(node)]

    def index(self, node: Index, values: dict[int, Any], place: Mapping[str, int]) -> Any:
        indices = [values[id(item.value)] for item in node.items]
        shape = self.indexed_shape(node)
        if all(0 <= i < n for i, n in zip(indices, shape, strict=True)):
            names = self.indexed(node)
            return self.stored(node.name, {**place, **dict(zip(names, indices, strict=True))})
        return self.real(np.nan) if node.otherwise is None else values[id(node.otherwise)]


def evaluate(
    text: str,
    symbols: Mapping[str, tuple[Sequence[str], np.ndarray]],
    axes: Sequence[str],
    shape: Sequence[int],
    dtype: str,
    last: bool = True,
) -> np.ndarray:
    """The whole result, element by element."""
    oracle = Oracle(text, symbols, axes, np.float32 if dtype == "float32" else np.float64, last)
    out = np.empty(tuple(shape), dtype)
    with np.errstate(all="ignore"):
        for at in np.ndindex(*shape):
            value = oracle.at(dict(zip(axes, at, strict=True)))
            out[at] = oracle.to_real(value) if out.dtype.kind == "f" else value
    return out
