"""Give every node of a formula a type, an integer interval and named dimensions, or refuse it.

The checker runs before any value is read. What it accepts is defined for every input: no integer
can overflow, no index can leave a table unseen, and every dimension is accounted for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from nxformula.errors import (
    DimensionError,
    FormulaError,
    FormulaTypeError,
    LimitError,
)
from nxformula.language import limits, operators, types
from nxformula.language.calls import Calls
from nxformula.language.declarations import Lengths, check_declarations, check_symbol, listed
from nxformula.language.functions import CONSTANTS
from nxformula.language.intervals import Interval
from nxformula.language.lookups import Lookups
from nxformula.language.structure import check_free, check_known, function_of
from nxformula.language.symbols import Symbol
from nxformula.language.tree import (
    Binary,
    Call,
    Formula,
    Index,
    Let,
    Literal,
    Name,
    Node,
    Position,
    Span,
    Unary,
)
from nxformula.language.type_rules import described
from nxformula.language.types import REAL, Type


@dataclass(frozen=True, slots=True)
class Value:
    """Type and dimensions of a node."""

    type: Type
    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A formula that may be evaluated.

    Attributes
    ----------
    formula : Formula
        The syntax tree.
    symbols : dict of Symbol
        The symbols that the formula uses.
    axes : tuple of str
        Dimensions of the result, in the order of the result array.
    dtype : str
        Dtype of the result.
    values : dict of Value
        Type and dimensions by the identity of the node.
    definitions : dict of Node
        The values of the `let` definitions.
    lookups : dict of tuple of str
        For each `Index` node, by identity, the dimension of each of its items.
    along : dict of str
        For each table of `interp` and `poly`, by identity, the dimension that the function takes.
    """

    formula: Formula
    symbols: Mapping[str, Symbol]
    axes: tuple[str, ...]
    dtype: str
    values: Mapping[int, Value]
    definitions: Mapping[str, Node]
    lookups: Mapping[int, tuple[str, ...]]
    along: Mapping[int, str]

    def value(self, node: Node) -> Value:
        """Type and dimensions of a node of the formula."""
        return self.values[id(node)]


def check(
    formula: Formula,
    symbols: Mapping[str, Symbol],
    *,
    axes: tuple[str, ...],
    dtype: str = "float32",
    field: str | None = None,
) -> Checked:
    """Check a formula against its symbols.

    Parameters
    ----------
    formula : Formula
        A parsed formula.
    symbols : mapping of str to Symbol
        What is known of the symbols; more than the formula uses is fine.
    axes : tuple of str
        Dimensions of the result.
    dtype : str
        Dtype of the result.
    field : str, optional
        The symbol that is the calibrated field; a dimension that the result keeps cannot be
        indexed in it.

    Raises
    ------
    FormulaError
        Of the kind that says what is wrong, at the offending token.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> pixels = Symbol("uint16", ("slow", "fast"))
    >>> checked = check(parse("data >> 14"), {"data": pixels}, axes=("slow", "fast"))
    >>> str(checked.value(checked.formula.result).type)
    'integer in [0, 3]'
    """
    return _Checker(formula, symbols, tuple(axes), str(dtype), field).run()


class _Checker:
    def __init__(
        self,
        formula: Formula,
        symbols: Mapping[str, Symbol],
        axes: tuple[str, ...],
        dtype: str,
        field: str | None,
    ) -> None:
        self.formula = formula
        self.symbols = symbols
        self.axes = axes
        self.dtype = dtype
        self.lookups = Lookups(formula.text, axes, field)
        self.calls = Calls(formula, symbols, axes)
        self.values: dict[int, Value] = {}
        self.definitions: dict[str, Node] = {}
        self.used: dict[str, Symbol] = {}
        self.lengths = Lengths(formula.text)
        self.carried: set[str] = set()

    def run(self) -> Checked:
        check_declarations(self.symbols, self.axes, self.dtype, self.formula.text)
        for node in self.formula.nodes:
            self.values[id(node)] = self._value(node)
        self._check_result()
        return Checked(
            self.formula,
            self.used,
            self.axes,
            self.dtype,
            self.values,
            self.definitions,
            self.lookups.dimensions,
            self.calls.along,
        )

    def _fail(self, error: type[FormulaError], message: str, span: Span | None) -> NoReturn:
        raise error(message, self.formula.text, span)

    def _value(self, node: Node) -> Value:
        match node:
            case Literal(value=value):
                is_integer = isinstance(value, int)
                return Value(types.integer(Interval(value, value)) if is_integer else REAL)  # type: ignore[arg-type]
            case Name():
                return self._name(node)
            case Index():
                return self._index(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
            case Position():
                bounds = self.calls.positions(node)
                return Value(types.integer(bounds), (node.dimension,))
            case Let():
                return self._let(node)

    # Names

    def _name(self, node: Name) -> Value:
        if node.name in self.definitions:
            return self.values[id(self.definitions[node.name])]
        if node.name in CONSTANTS:
            return Value(CONSTANTS[node.name])
        symbol = self._symbol(node)
        kept = self._kept(node, symbol, symbol.dimensions)
        return Value(types.SYMBOL_DTYPES[symbol.dtype], kept)

    def _kept(self, node: Name | Index, symbol: Symbol, left: tuple[str, ...]) -> tuple[str, ...]:
        """What the result gets of the dimensions of a symbol that no index takes."""
        kept = self.calls.take_table(node, symbol, left)
        self.lookups.check_leftover(node.name, kept, node.span)
        self.lengths.check(node.name, symbol, kept, node.span)
        self.carried.update(kept)
        return kept

    def _symbol(self, node: Name | Index) -> Symbol:
        name, span = node.name, node.span
        check_known(node, self.formula, {**self.symbols, **self.definitions})
        if name not in self.used:
            check_symbol(name, self.symbols[name], self.formula.text, span)
            self.used[name] = self.symbols[name]
            if len(self.used) > limits.SYMBOLS:
                self._fail(LimitError, f"more than {limits.SYMBOLS} symbols", span)
        return self.symbols[name]

    def _index(self, node: Index) -> Value:
        if node.name in self.definitions or node.name in CONSTANTS:
            message = f"only symbols can be indexed; {node.name!r} is not one"
            self._fail(FormulaTypeError, message, node.span)
        symbol = self._symbol(node)
        kept = self._kept(node, symbol, self.lookups.resolve(node, symbol))
        operands = [self.values[id(item.value)] for item in node.items]
        otherwise = None if node.otherwise is None else self.values[id(node.otherwise)]
        found = self.lookups.type_of(node, symbol, [v.type for v in operands], otherwise)
        if otherwise is not None:
            operands.append(otherwise)
        return Value(found, _join(kept, *(value.dimensions for value in operands)))

    def _let(self, node: Let) -> Value:
        check_free(node, self.formula, self.definitions, self.symbols)
        self.definitions[node.name] = node.value
        return self.values[id(node.value)]

    # Operators and functions

    def _unary(self, node: Unary) -> Value:
        operand = self.values[id(node.operand)]
        found = operators.unary(node.operator, operand.type, self._type_fault(node.span))
        return Value(found, operand.dimensions)

    def _binary(self, node: Binary) -> Value:
        left, right = self.values[id(node.left)], self.values[id(node.right)]
        fail = self._type_fault(node.span)
        found = operators.binary(node.operator, left.type, right.type, fail)
        return Value(found, _join(left.dimensions, right.dimensions))

    def _type_fault(self, span: Span) -> operators.Fail:
        def fail(message: str) -> NoReturn:
            self._fail(FormulaTypeError, message, span)

        return fail

    def _call(self, node: Call) -> Value:
        function = function_of(node, self.formula, {**self.symbols, **self.definitions})
        operands = [self.values[id(argument)] for argument in node.arguments]

        def fail(position: int | None, message: str) -> NoReturn:
            which = "" if position is None else f"argument {position + 1} of "
            self._fail(FormulaTypeError, f"{which}'{function.signature}': {message}", node.span)

        found = function.rule([operand.type for operand in operands], fail)
        self.calls.check(node, [operand.dimensions for operand in operands])
        if found.kind == "integer":
            integers = [v.type.bounds for v in operands if v.type.kind == "integer"]
            what = f"'{node.name}'"
            operators.need_fit(what, [*integers, found.bounds], self._type_fault(node.span))
        return Value(found, _join(*(operand.dimensions for operand in operands)))

    # Result

    def _check_result(self) -> None:
        node = self.formula.result
        value = self.values[id(node)]
        self._check_result_type(value.type, node.span)
        known = self.carried.intersection(value.dimensions)
        missing = [axis for axis in self.axes if axis not in known]
        if missing:
            message = (
                f"the result has the dimensions {listed(value.dimensions)}, without "
                f"{listed(missing)} of the declared axes {listed(self.axes)}; "
                "check 'formula_axes' and the axes of the symbols"
            )
            self._fail(DimensionError, message, node.span)

    def _check_result_type(self, found: Type, span: Span) -> None:
        declared = types.SYMBOL_DTYPES[self.dtype]
        if declared.kind == "real" and found.kind == "bool":
            message = "the result is a bool; write 'where(..., 1, 0)' or declare dtype bool"
        elif declared.kind != "real" and found.kind != declared.kind:
            message = f"the result is {described(found)}, which the dtype {self.dtype} cannot hold"
        elif declared.kind == "integer" and not found.bounds.within(declared.bounds):
            message = f"the result is in {found.bounds}, outside the dtype {self.dtype}"
        else:
            return
        self._fail(FormulaTypeError, message, span)


def _join(*dimensions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in dimensions for name in names))
