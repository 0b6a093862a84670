"""Checked formula to plan: choose machine types, compose functions from array operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from nxformula.engine.plan import Builder, Operation, Plan, Table
from nxformula.language.checker import Checked
from nxformula.language.functions import FUNCTIONS
from nxformula.language.intervals import Interval
from nxformula.language.tree import Binary, Call, Index, Let, Literal, Name, Node, Unary
from nxformula.language.types import INTEGER_DTYPES, SYMBOL_DTYPES, Type, narrowest, real_dtype

_UFUNCS: Final = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "**": "power",
    "&": "bitwise_and",
    "|": "bitwise_or",
    "^": "bitwise_xor",
    "<<": "left_shift",
    ">>": "right_shift",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "and": "logical_and",
    "or": "logical_or",
}
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
    lowering = _Lowering(checked)
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


class _Lowering:
    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self.builder = Builder()
        self.real = real_dtype(checked.dtype)
        self.numbers: dict[int, int] = {}
        for node in checked.formula.nodes:
            self.numbers[id(node)] = self._node(node)

    def _type(self, node: Node) -> Type:
        return self.checked.value(node).type

    def _node(self, node: Node) -> int:
        constant = self._type(node).constant
        if constant is not None:
            return self.builder.constant(constant, narrowest(self._type(node).bounds) or "int64")
        match node:
            case Literal(value=value):
                return self._real(self.builder.constant(float(value), "float64"))
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
            case Index():
                return self._index(node)

    def _real(self, number: int) -> int:
        return self.builder.cast(number, self.real)

    def _number(self, node: Node) -> int:
        return self.numbers[id(node)]

    # Names and tables

    def _name(self, name: str) -> int:
        if name in self.checked.definitions:
            return self._number(self.checked.definitions[name])
        if name in _CONSTANTS:
            value = _CONSTANTS[name]
            is_bool = isinstance(value, bool)
            return self.builder.constant(value, "bool" if is_bool else self.real)
        symbol = self.checked.symbols[name]
        load = Operation("load", (), symbol.dtype, frozenset(symbol.dimensions), name)
        return self._stored(self.builder.add(load), symbol.dtype)

    def _stored(self, number: int, dtype: str) -> int:
        """A value as read: reals in the format of the formula."""
        return self._real(number) if SYMBOL_DTYPES[dtype].kind == "real" else number

    def _index(self, node: Index) -> int:
        symbol = self.checked.symbols[node.name]
        indexed = self.checked.lookups[id(node)]
        indices = tuple(self._number(item.value) for item in node.items)
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
        if node.otherwise is None and stored.kind == self._type(node).kind:
            return value
        inside = self.builder.add(
            Operation("inside", indices, "bool", self.builder.joined(indices), table)
        )
        if node.otherwise is None:
            nan = self.builder.constant(math.nan, self.real)
            return self.builder.select(inside, self._real(value), nan)
        return self._select_typed(self._type(node), inside, value, self._number(node.otherwise))

    # Operators

    def _unary(self, node: Unary) -> int:
        operand = self._number(node.operand)
        if node.operator == "not":
            return self.builder.apply("logical_not", (operand,), "bool")
        found = self._type(node)
        if found.kind == "integer":
            return self._integers("negative", [node.operand], found.bounds)
        constant = self.builder.operations[operand]
        if constant.code == "constant" and isinstance(constant.detail, float):
            return self.builder.constant(-constant.detail, self.real)
        return self.builder.apply("negative", (operand,), self.real)

    def _binary(self, node: Binary) -> int:
        found, ufunc = self._type(node), _UFUNCS[node.operator]
        pair = (self._number(node.left), self._number(node.right))
        if found.kind == "integer":
            return self._integers(ufunc, [node.left, node.right], found.bounds)
        if node.operator in ("and", "or"):
            return self.builder.apply(ufunc, pair, "bool")
        kinds = {self._type(node.left).kind, self._type(node.right).kind}
        if found.kind == "bool" and kinds == {"integer"}:
            dtype = self._common([node.left, node.right])
            # int64 beside uint64 has no common dtype; NumPy compares the two exactly.
            exact = pair if dtype is None else tuple(self.builder.cast(n, dtype) for n in pair)
            return self.builder.apply(ufunc, exact, "bool")
        reals = tuple(self._real(number) for number in pair)
        return self.builder.apply(ufunc, reals, "bool" if found.kind == "bool" else self.real)

    def _common(self, nodes: Sequence[Node], *others: Interval) -> str | None:
        """A dtype that holds these integers: one that an operand has already, if one does."""
        bounds = [*(self._type(node).bounds for node in nodes), *others]
        operations = (self.builder.operations[self._number(node)] for node in nodes)
        present = [o.dtype for o in operations if o.code != "constant"]
        for dtype in present:
            if all(interval.within(INTEGER_DTYPES[dtype]) for interval in bounds):
                return dtype
        return narrowest(*bounds)

    def _integers(self, ufunc: str, nodes: Sequence[Node], bounds: Interval) -> int:
        """A function of integers, computed in a dtype that holds operands and result."""
        dtype = self._common(nodes, bounds)
        assert dtype is not None, "the checker admits only what fits"
        numbers = [self.builder.cast(self._number(node), dtype) for node in nodes]
        return self._fold(ufunc, numbers, dtype)

    def _fold(self, ufunc: str, numbers: Sequence[int], dtype: str) -> int:
        first, *rest = numbers
        if not rest:
            return self.builder.apply(ufunc, (first,), dtype)
        for number in rest:
            first = self.builder.apply(ufunc, (first, number), dtype)
        return first

    # Functions

    def _call(self, node: Call) -> int:
        composed = _COMPOSED.get(node.name)
        if composed is not None:
            return composed(self, node)
        ufunc = FUNCTIONS[node.name].ufunc
        assert ufunc is not None
        found = self._type(node)
        if found.kind == "integer":
            return self._integers(ufunc, node.arguments, found.bounds)
        reals = [self._real(self._number(argument)) for argument in node.arguments]
        return self._fold(ufunc, reals, "bool" if found.kind == "bool" else self.real)

    def _whole(self, node: Call) -> int:
        """`floor` and `round`: integers are whole already."""
        (argument,) = node.arguments
        if self._type(argument).kind == "integer":
            return self._number(argument)
        ufunc = FUNCTIONS[node.name].ufunc
        assert ufunc is not None
        return self.builder.apply(ufunc, (self._number(argument),), self.real)

    def _where(self, node: Call) -> int:
        condition, a, b = (self._number(argument) for argument in node.arguments)
        return self._select_typed(self._type(node), condition, a, b)

    def _select_typed(self, found: Type, condition: int, a: int, b: int) -> int:
        if found.kind == "real":
            return self.builder.select(condition, self._real(a), self._real(b))
        if found.kind == "bool":
            return self.builder.select(condition, a, b)
        dtype = narrowest(found.bounds)
        assert dtype is not None, "the checker admits only what fits"
        return self.builder.select(
            condition, self.builder.cast(a, dtype), self.builder.cast(b, dtype)
        )

    def _choose(self, node: Call) -> int:
        found = self._type(node)
        index = self._number(node.arguments[0])
        values = [self._number(argument) for argument in node.arguments[1:]]
        bounds = self._type(node.arguments[0]).bounds
        dtype = self.real if found.kind == "real" else _own_dtype(found, self.real)
        values = [self.builder.cast(value, dtype) for value in values]
        operations = [self.builder.operations[value] for value in values]
        if all(operation.code == "constant" for operation in operations):
            return self.builder.pick(index, tuple(o.detail for o in operations), dtype)
        chosen = values[bounds.high]
        for code in range(bounds.high - 1, bounds.low - 1, -1):
            constant = self.builder.constant(code, self.builder.operations[index].dtype)
            equal = self.builder.apply("equal", (index, constant), "bool")
            chosen = self.builder.select(equal, values[code], chosen)
        return chosen

    def _bits(self, node: Call) -> int:
        x, first, count = node.arguments
        bounds = [self._type(argument).bounds for argument in node.arguments]
        masks = Interval((1 << bounds[2].low) - 1, (1 << bounds[2].high) - 1)
        dtype = self._common([x, first], masks)
        assert dtype is not None, "a mask of at most 63 bits fits wherever 64-bit data fit"
        cast = self.builder.cast
        shifted = self.builder.apply(
            "right_shift", (cast(self._number(x), dtype), cast(self._number(first), dtype)), dtype
        )
        if masks.low == masks.high:
            mask = self.builder.constant(masks.low, dtype)
        else:
            one = self.builder.constant(1, "uint64")
            power = (one, cast(self._number(count), "uint64"))
            top = self.builder.apply("left_shift", power, "uint64")
            mask = cast(self.builder.apply("subtract", (top, one), "uint64"), dtype)
        return self.builder.apply("bitwise_and", (shifted, mask), dtype)

    def _clip(self, node: Call) -> int:
        found = self._type(node)
        dtype = self.real
        if found.kind == "integer":
            common = self._common(node.arguments, found.bounds)
            assert common is not None, "the checker admits only what fits"
            dtype = common
        x, low, high = (self.builder.cast(self._number(a), dtype) for a in node.arguments)
        raised = self.builder.apply("maximum", (x, low), dtype)
        return self.builder.apply("minimum", (raised, high), dtype)

    def _isnan(self, node: Call) -> int:
        (argument,) = node.arguments
        if self._type(argument).kind == "integer":
            return self.builder.constant(False, "bool")
        return self.builder.apply("isnan", (self._number(argument),), "bool")


_COMPOSED: Final[Mapping[str, Callable[[_Lowering, Call], int]]] = {
    "where": _Lowering._where,
    "choose": _Lowering._choose,
    "bits": _Lowering._bits,
    "clip": _Lowering._clip,
    "floor": _Lowering._whole,
    "round": _Lowering._whole,
    "isnan": _Lowering._isnan,
}
