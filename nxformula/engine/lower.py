"""Checked formula to plan: choose machine types, compose functions from array operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from nxformula.engine.compositions import COMPOSED
from nxformula.engine.plan import Builder, Operation, Plan, Table
from nxformula.language.checker import Checked
from nxformula.language.functions import FUNCTIONS, OPERATORS
from nxformula.language.intervals import Interval
from nxformula.language.tree import Binary, Call, Index, Let, Literal, Name, Node, Position, Unary
from nxformula.language.types import INTEGER_DTYPES, SYMBOL_DTYPES, Type, narrowest, real_dtype

_CONSTANTS: Final = {"nan": math.nan, "inf": math.inf, "pi": math.pi, "true": True, "false": False}


def lower(checked: Checked, result: str | None = None) -> Plan:
    """Make the plan of a checked formula, or of one of its definitions.

    Parameters
    ----------
    checked : Checked
        The formula.
    result : str, optional
        A `let` whose value is wanted instead of the result: its dtype is the narrowest that holds
        it, its axes are those of the formula that it depends on.

    Raises
    ------
    KeyError
        There is no such `let`.
    """
    lowering = Lowering(checked)
    root = checked.formula.result if result is None else checked.definitions[result]
    number = lowering.numbers[id(root)]
    value = checked.value(root)
    dtype = checked.dtype if result is None else _own_dtype(value.type, lowering.real)
    axes = tuple(axis for axis in checked.axes if result is None or axis in value.dimensions)
    builder = lowering.builder
    return builder.plan(builder.cast(number, dtype), axes)


def _own_dtype(found: Type, real: str) -> str:
    if found.kind == "integer":
        return narrowest(found.bounds) or "int64"
    return "bool" if found.kind == "bool" else real


class Lowering:
    """The state of one lowering: the operations so far, and the number of each node's value.

    Attributes
    ----------
    checked : Checked
        The formula.
    builder : Builder
        The operations.
    real : str
        Dtype of reals.
    numbers : dict of int
        By identity of the node.
    """

    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self.builder = Builder()
        self.real = real_dtype(checked.dtype)
        self.numbers: dict[int, int] = {}
        for node in checked.formula.nodes:
            self.numbers[id(node)] = self._node(node)

    def type(self, node: Node) -> Type:
        """Type of a node."""
        return self.checked.value(node).type

    def _node(self, node: Node) -> int:
        constant = self.type(node).constant
        if constant is not None:
            return self.builder.constant(constant, narrowest(self.type(node).bounds) or "int64")
        match node:
            case Literal(value=value):
                return self.as_real(self.builder.constant(float(value), "float64"))
            case Name(name=name):
                return self._name(name)
            case Let(value=value):
                return self.numbers[id(value)]
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
            case Position(dimension=dimension):
                own = frozenset({dimension})
                return self.builder.add(Operation("position", (), "int64", own, dimension))
            case Index():
                return self.index(node)

    def as_real(self, number: int) -> int:
        """The value in the format of reals."""
        return self.builder.cast(number, self.real)

    def number(self, node: Node) -> int:
        """Number of the operation that gives the value of a node."""
        return self.numbers[id(node)]

    # Names and tables

    def _name(self, name: str) -> int:
        if name in self.checked.definitions:
            return self.number(self.checked.definitions[name])
        if name in _CONSTANTS:
            value = _CONSTANTS[name]
            is_bool = isinstance(value, bool)
            return self.builder.constant(value, "bool" if is_bool else self.real)
        symbol = self.checked.symbols[name]
        load = Operation("load", (), symbol.dtype, frozenset(symbol.dimensions), name)
        return self._stored(self.builder.add(load), symbol.dtype)

    def _stored(self, number: int, dtype: str) -> int:
        """A value as read: reals in the format of the formula."""
        return self.as_real(number) if SYMBOL_DTYPES[dtype].kind == "real" else number

    def index(self, node: Index | Name, entry: int | None = None) -> int:
        """A look-up; `entry` is the index along the dimension that a function takes of a table."""
        symbol = self.checked.symbols[node.name]
        items = node.items if isinstance(node, Index) else ()
        otherwise = node.otherwise if isinstance(node, Index) else None
        indexed = self.checked.lookups.get(id(node), ())
        indices = tuple(self.number(item.value) for item in items)
        if entry is not None:
            indexed = (*indexed, self.checked.along[id(node)])
            indices = (*indices, entry)
        planes = None
        if len(indices) == 1 and self.builder.operations[indices[0]].code == "pick":
            pick = self.builder.operations[indices[0]]
            assert isinstance(pick.detail, tuple)
            indices, planes = pick.arguments, pick.detail
        table = Table(node.name, indexed, planes)
        kept = frozenset(symbol.dimensions) - frozenset(indexed)
        dimensions = kept | self.builder.joined(indices)
        value = self.builder.add(Operation("lookup", indices, symbol.dtype, dimensions, table))
        value = self._stored(value, symbol.dtype)
        stored = SYMBOL_DTYPES[symbol.dtype]
        if otherwise is None and stored.kind == self.type(node).kind:
            return value
        inside = self.builder.add(
            Operation("inside", indices, "bool", self.builder.joined(indices), table)
        )
        if otherwise is None:
            nan = self.builder.constant(math.nan, self.real)
            return self.builder.select(inside, self.as_real(value), nan)
        return self.select_typed(self.type(node), inside, value, self.number(otherwise))

    # Operators

    def _unary(self, node: Unary) -> int:
        operand = self.number(node.operand)
        if node.operator == "not":
            return self.builder.apply("logical_not", (operand,), "bool")
        found = self.type(node)
        if found.kind == "integer":
            return self.integers("negative", [node.operand], found.bounds)
        constant = self.builder.operations[operand]
        if constant.code == "constant" and isinstance(constant.detail, float):
            return self.builder.constant(-constant.detail, self.real)
        return self.builder.apply("negative", (operand,), self.real)

    def _binary(self, node: Binary) -> int:
        found, ufunc = self.type(node), OPERATORS[node.operator].ufunc
        pair = (self.number(node.left), self.number(node.right))
        if found.kind == "integer":
            return self.integers(ufunc, [node.left, node.right], found.bounds)
        if node.operator in ("and", "or"):
            return self.builder.apply(ufunc, pair, "bool")
        kinds = {self.type(node.left).kind, self.type(node.right).kind}
        if found.kind == "bool" and kinds == {"integer"}:
            dtype = self._shared([node.left, node.right])
            # int64 beside uint64 has no common dtype; NumPy compares the two exactly.
            exact = pair if dtype is None else tuple(self.builder.cast(n, dtype) for n in pair)
            return self.builder.apply(ufunc, exact, "bool")
        reals = tuple(self.as_real(number) for number in pair)
        exponent = self.builder.operations[reals[1]]
        if ufunc == "power" and exponent.code == "constant" and exponent.detail == 2:
            # One rounding, as the best that a power may be; and machine code has it.
            return self.builder.apply("multiply", (reals[0], reals[0]), self.real)
        return self.builder.apply(ufunc, reals, "bool" if found.kind == "bool" else self.real)

    def common(self, nodes: Sequence[Node], *others: Interval) -> str:
        """A dtype that holds these integers and intervals."""
        dtype = self._shared(nodes, *others)
        assert dtype is not None, "the checker admits only what fits"
        return dtype

    def _shared(self, nodes: Sequence[Node], *others: Interval) -> str | None:
        """A dtype that holds these integers: one that an operand has already, if one does."""
        bounds = [*(self.type(node).bounds for node in nodes), *others]
        operations = (self.builder.operations[self.number(node)] for node in nodes)
        present = [o.dtype for o in operations if o.code != "constant"]
        for dtype in present:
            if all(interval.within(INTEGER_DTYPES[dtype]) for interval in bounds):
                return dtype
        return narrowest(*bounds)

    def integers(self, ufunc: str, nodes: Sequence[Node], bounds: Interval) -> int:
        """A function of integers, computed in a dtype that holds operands and result."""
        dtype = self.common(nodes, bounds)
        numbers = [self.builder.cast(self.number(node), dtype) for node in nodes]
        return self._fold(ufunc, numbers, dtype)

    def _fold(self, ufunc: str, numbers: Sequence[int], dtype: str) -> int:
        first, *rest = numbers
        if not rest:
            return self.builder.apply(ufunc, (first,), dtype)
        for number in rest:
            first = self.builder.apply(ufunc, (first, number), dtype)
        return first

    def select_typed(self, found: Type, condition: int, a: int, b: int) -> int:
        """One of two values, in the dtype of the type that both have together."""
        if found.kind == "real":
            return self.builder.select(condition, self.as_real(a), self.as_real(b))
        if found.kind == "bool":
            return self.builder.select(condition, a, b)
        dtype = self.own_dtype(found)
        return self.builder.select(
            condition, self.builder.cast(a, dtype), self.builder.cast(b, dtype)
        )

    def own_dtype(self, found: Type) -> str:
        """The narrowest dtype for values of a type."""
        return _own_dtype(found, self.real)

    # Functions

    def _call(self, node: Call) -> int:
        composed = COMPOSED.get(node.name)
        if composed is not None:
            return composed(self, node)
        return self.simple(node)

    def simple(self, node: Call) -> int:
        """A function that is one NumPy function of integers or of reals."""
        ufunc = FUNCTIONS[node.name].ufunc
        assert ufunc is not None
        found = self.type(node)
        if found.kind == "integer":
            return self.integers(ufunc, node.arguments, found.bounds)
        reals = [self.as_real(self.number(argument)) for argument in node.arguments]
        return self._fold(ufunc, reals, "bool" if found.kind == "bool" else self.real)
