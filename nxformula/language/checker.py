"""Give every node of a formula a type, an integer interval and named dimensions, or refuse it.

The checker runs before any value is read. What it accepts is defined for every input: no integer
can overflow, no index can leave a table unseen, and every dimension is accounted for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

from nxformula.errors import (
    ArityError,
    DimensionError,
    FormulaError,
    FormulaSyntaxError,
    FormulaTypeError,
    LimitError,
    UnknownNameError,
)
from nxformula.language import functions, intervals, limits, types
from nxformula.language.declarations import Lengths, check_declarations, check_symbol, listed
from nxformula.language.functions import CONSTANTS, FUNCTIONS
from nxformula.language.intervals import INT64, SHIFT, Interval
from nxformula.language.lookups import Lookups
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
    Span,
    Unary,
)
from nxformula.language.types import BOOL, REAL, Type

_ARITHMETIC: Mapping[str, Callable[[Interval, Interval], Interval]] = {
    "+": intervals.add,
    "-": intervals.subtract,
    "*": intervals.multiply,
}
_BITWISE: Mapping[str, Callable[[Interval, Interval], Interval]] = {
    "&": intervals.bit_and,
    "|": intervals.bit_or,
    "^": intervals.bit_xor,
    "<<": intervals.shift_left,
    ">>": intervals.shift_right,
}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


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
    """

    formula: Formula
    symbols: Mapping[str, Symbol]
    axes: tuple[str, ...]
    dtype: str
    values: Mapping[int, Value]
    definitions: Mapping[str, Node]
    lookups: Mapping[int, tuple[str, ...]]

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
        self.values: dict[int, Value] = {}
        self.definitions: dict[str, Node] = {}
        self.used: dict[str, Symbol] = {}
        self.lengths = Lengths(formula.text)

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
            case Let():
                return self._let(node)

    # Names

    def _name(self, node: Name) -> Value:
        if node.name in self.definitions:
            return self.values[id(self.definitions[node.name])]
        if node.name in CONSTANTS:
            return Value(CONSTANTS[node.name])
        symbol = self._symbol(node.name, node.span)
        self.lookups.check_leftover(node.name, symbol.dimensions, node.span)
        self.lengths.check(node.name, symbol, symbol.dimensions, node.span)
        return Value(types.SYMBOL_DTYPES[symbol.dtype], symbol.dimensions)

    def _symbol(self, name: str, span: Span) -> Symbol:
        if name not in self.symbols:
            self._unknown(name, span)
        if name not in self.used:
            check_symbol(name, self.symbols[name], self.formula.text, span)
            self.used[name] = self.symbols[name]
            if len(self.used) > limits.SYMBOLS:
                self._fail(LimitError, f"more than {limits.SYMBOLS} symbols", span)
        return self.symbols[name]

    def _unknown(self, name: str, span: Span) -> NoReturn:
        if name in FUNCTIONS or name in functions.RESERVED:
            signature = FUNCTIONS[name].signature if name in FUNCTIONS else f"{name}(...)"
            self._fail(FormulaSyntaxError, f"{name!r} is a function; write {signature!r}", span)
        later = any(let.name == name for let in self.formula.lets)
        known = [*self.symbols, *self.definitions, *CONSTANTS]
        hint = "; it is defined further down" if later else _meant(name, known)
        self._fail(UnknownNameError, f"{name!r} is not a symbol or a definition{hint}", span)

    def _index(self, node: Index) -> Value:
        if node.name in self.definitions or node.name in CONSTANTS:
            message = f"only symbols can be indexed; {node.name!r} is not one"
            self._fail(FormulaTypeError, message, node.span)
        symbol = self._symbol(node.name, node.span)
        kept = self.lookups.resolve(node, symbol)
        self.lengths.check(node.name, symbol, kept, node.span)
        operands = [self.values[id(item.value)] for item in node.items]
        otherwise = None if node.otherwise is None else self.values[id(node.otherwise)]
        found = self.lookups.type_of(node, symbol, [v.type for v in operands], otherwise)
        if otherwise is not None:
            operands.append(otherwise)
        return Value(found, _join(kept, *(value.dimensions for value in operands)))

    def _let(self, node: Let) -> Value:
        name = node.name
        taken = (
            "already defined"
            if name in self.definitions
            else "a symbol"
            if name in self.symbols
            else "part of the language"
            if functions.is_reserved(name)
            else None
        )
        if taken:
            message = f"{name!r} is {taken}; a definition needs a new name"
            self._fail(FormulaSyntaxError, message, node.span)
        self.definitions[name] = node.value
        return self.values[id(node.value)]

    # Operators and functions

    def _unary(self, node: Unary) -> Value:
        operand = self.values[id(node.operand)]
        found = operand.type
        if node.operator == "not":
            if found.kind != "bool":
                message = f"'not' takes a condition, found {found}; write 'x == 0'"
                self._fail(FormulaTypeError, message, node.span)
            return operand
        self._need_number("-", found, node.span)
        if found.kind == "integer":
            self._need_int64("-", [found.bounds], node.span)
            found = types.integer(intervals.negate(found.bounds))
            self._need_int64("-", [found.bounds], node.span)
        return Value(found, operand.dimensions)

    def _binary(self, node: Binary) -> Value:
        left, right = self.values[id(node.left)], self.values[id(node.right)]
        found = self._operator(node.operator, left.type, right.type, node.span)
        return Value(found, _join(left.dimensions, right.dimensions))

    def _operator(self, operator: str, left: Type, right: Type, span: Span) -> Type:
        if operator in ("and", "or"):
            for found in (left, right):
                if found.kind != "bool":
                    message = f"'{operator}' takes conditions, found {found}; write 'x != 0'"
                    self._fail(FormulaTypeError, message, span)
            return BOOL
        if operator in _BITWISE:
            return self._bitwise(operator, left, right, span)
        for found in (left, right):
            self._need_number(operator, found, span)
        if operator in _COMPARISONS:
            return BOOL
        if operator in _ARITHMETIC and left.kind == right.kind == "integer":
            self._need_int64(operator, [left.bounds, right.bounds], span)
            bounds = _ARITHMETIC[operator](left.bounds, right.bounds)
            if not bounds.within(INT64):
                message = f"'{operator}' may give {bounds}, more than int64 holds"
                self._fail(FormulaTypeError, f"{message}; make one operand real", span)
            return types.integer(bounds)
        return REAL

    def _bitwise(self, operator: str, left: Type, right: Type, span: Span) -> Type:
        for found in (left, right):
            if found.kind != "integer":
                message = f"'{operator}' takes integers, found {found}"
                self._fail(FormulaTypeError, message, span)
        if operator in ("<<", ">>") and not right.bounds.within(SHIFT):
            message = f"a shift count must be proven in {SHIFT}, found {right.bounds}"
            self._fail(FormulaTypeError, message, span)
        bounds = _BITWISE[operator](left.bounds, right.bounds)
        self._need_fit(f"'{operator}'", [left.bounds, right.bounds, bounds], span)
        return types.integer(bounds)

    def _need_number(self, operator: str, found: Type, span: Span) -> None:
        if found.kind == "bool":
            message = f"'{operator}' takes numbers, found a bool; write 'where(condition, 1, 0)'"
            self._fail(FormulaTypeError, message, span)

    def _need_int64(self, operator: str, bounds: list[Interval], span: Span) -> None:
        for interval in bounds:
            if not interval.within(INT64):
                message = f"'{operator}' takes integers within int64, found {interval}"
                self._fail(FormulaTypeError, message, span)

    def _need_fit(self, what: str, bounds: list[Interval], span: Span) -> None:
        if types.narrowest(*bounds) is None:
            whole = intervals.hull(*bounds)
            message = f"{what} needs integers in {whole}, more than int64 or uint64 holds"
            self._fail(FormulaTypeError, message, span)

    def _call(self, node: Call) -> Value:
        function = FUNCTIONS.get(node.name)
        if function is None:
            self._unknown_function(node)
        fewest, most = function.arity
        given = len(node.arguments)
        if not fewest <= given <= most:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            message = f"'{function.signature}' takes {wanted} arguments, found {given}"
            self._fail(ArityError, message, node.span)
        operands = [self.values[id(argument)] for argument in node.arguments]

        def fail(position: int | None, message: str) -> NoReturn:
            which = "" if position is None else f"argument {position + 1} of "
            self._fail(FormulaTypeError, f"{which}'{function.signature}': {message}", node.span)

        found = function.rule([operand.type for operand in operands], fail)
        if found.kind == "integer":
            integers = [v.type.bounds for v in operands if v.type.kind == "integer"]
            self._need_fit(f"'{node.name}'", [*integers, found.bounds], node.span)
        return Value(found, _join(*(operand.dimensions for operand in operands)))

    def _unknown_function(self, node: Call) -> NoReturn:
        if node.name in functions.RESERVED:
            message = f"{node.name!r} is a function that this release does not provide yet"
        elif node.name in self.symbols or node.name in self.definitions:
            message = f"{node.name!r} is not a function; a table is indexed with '[...]'"
        else:
            message = f"{node.name!r} is not a function{_meant(node.name, FUNCTIONS)}"
        self._fail(UnknownNameError, message, node.span)

    # Result

    def _check_result(self) -> None:
        node = self.formula.result
        value = self.values[id(node)]
        self._check_result_type(value.type, node.span)
        missing = [axis for axis in self.axes if axis not in value.dimensions]
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
            message = f"the result is {_article(found)}, which the dtype {self.dtype} cannot hold"
        elif declared.kind == "integer" and not found.bounds.within(declared.bounds):
            message = f"the result is in {found.bounds}, outside the dtype {self.dtype}"
        else:
            return
        self._fail(FormulaTypeError, message, span)


def _article(found: Type) -> str:
    return f"an {found}" if found.kind == "integer" else f"a {found}"


def _join(*dimensions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in dimensions for name in names))


def _meant(name: str, known: Mapping[str, object] | list[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
