"""Check the units of a formula, and find the unit of its result.

A loop over the nodes in the order of evaluation, after the checker: the rule of every operator and
function stands in its table, under `units`. pint is imported only if a symbol or the result has
units.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NoReturn

from nxformula.errors import UnitError
from nxformula.language.checker import Checked
from nxformula.language.functions import CONSTANT_UNITS, FUNCTIONS, OPERATORS
from nxformula.language.operators import BEFORE_OPERAND
from nxformula.language.tree import (
    Binary,
    Call,
    Index,
    Let,
    Literal,
    Name,
    Node,
    Position,
    Span,
    Unary,
)
from nxformula.language.units.rules import (
    NUMBER,
    UNSPECIFIED,
    Site,
    Value,
    factor,
    is_same,
    rule,
    same,
)
from nxformula.language.units.texts import Unit, one, parse_unit

_POSITION: Final = "position"


def check_units(checked: Checked, units: str | None = None) -> Unit | None:
    """Check that units fit everywhere in a formula.

    Units are compared, never converted: `+ - where min max clip mod` and comparisons need equal
    dimensions and scales. What has no units (symbols without, results of bit operators) may have
    any; literals, `nan` and `inf` take the unit of what stands beside them and are plain numbers in
    products.

    Parameters
    ----------
    checked : Checked
        A formula that the checker accepted.
    units : str, optional
        The units that its result is declared to have; an empty text is a number without unit.

    Returns
    -------
    Unit or None
        What the units of the symbols make of the result; `str` gives its text. None where they
        leave it open, and for a bool.

    Raises
    ------
    UnitError
        At the operator or function that is given units that do not fit, at a symbol whose units
        cannot be read, and at the operator of the result if it has another unit than declared.

    Examples
    --------
    >>> from nxformula.language.checker import check
    >>> from nxformula.language.parser import parse
    >>> from nxformula.language.symbols import Symbol
    >>> symbols = {
    ...     "signal": Symbol("float32", ("x",), units="counts"),
    ...     "gain": Symbol("float32", units="counts/keV"),
    ...     "shift": Symbol("float32", units="eV"),
    ... }
    >>> print(check_units(check(parse("signal / gain"), symbols, axes=("x",)), "keV"))
    keV
    >>> check_units(check(parse("signal / gain - shift"), symbols, axes=("x",)))
    Traceback (most recent call last):
        ...
    nxformula.errors.UnitError: unit error at line 1, column 15: '-' takes values of one unit, ...
        signal / gain - shift
                      ^
    """
    known = [symbol.units for symbol in checked.symbols.values() if symbol.units is not None]
    if units is None and not known:
        return None
    return _Check(checked).run(units)


class _Check:
    def __init__(self, checked: Checked) -> None:
        self.checked = checked
        self.text = checked.formula.text
        self.values: dict[int, Value] = {}

    def run(self, declared: str | None) -> Unit | None:
        for node in self.checked.formula.nodes:
            found = self._value(node)
            is_bool = self.checked.value(node).type.kind == "bool"
            self.values[id(node)] = UNSPECIFIED if is_bool else found
        result = self.checked.formula.result
        found = self.values[id(result)]
        if declared is not None:
            self._check_result(found, self._parsed(declared, "the result", result.span))
        return found if isinstance(found, Unit) else None

    def _parsed(self, text: str, what: str, span: Span) -> Unit:
        try:
            return parse_unit(text)
        except UnitError as error:
            raise UnitError(f"units of {what}: {error.message}", self.text, span) from None

    def _fail(self, message: str, span: Span) -> NoReturn:
        raise UnitError(message, self.text, span)

    def _value(self, node: Node) -> Value:
        match node:
            case Literal():
                return NUMBER
            case Name():
                return self._name(node)
            case Index():
                return self._index(node)
            case Let():
                return self.values[id(node.value)]
            case Position():
                return self._ruled(node, FUNCTIONS[_POSITION].units, _POSITION, ())
            case Unary(operator=operator):
                entry = OPERATORS[BEFORE_OPERAND[operator]]
                return self._ruled(node, entry.units, operator, (node.operand,))
            case Binary(operator=operator):
                return self._binary(node, operator)
            case Call(name=name):
                return self._ruled(node, FUNCTIONS[name].units, name, node.arguments)

    def _ruled(self, node: Node, rule_name: str, name: str, operands: Sequence[Node]) -> Value:
        site = Site(name, self.text, node.span)
        return rule(rule_name)([self.values[id(operand)] for operand in operands], site)

    def _binary(self, node: Binary, operator: str) -> Value:
        site = Site(operator, self.text, node.span, _constant(node.right))
        operands = [self.values[id(node.left)], self.values[id(node.right)]]
        return rule(OPERATORS[operator].units)(operands, site)

    def _name(self, node: Name) -> Value:
        if node.name in self.checked.definitions:
            return self.values[id(self.checked.definitions[node.name])]
        if node.name in CONSTANT_UNITS:
            return self._ruled(node, CONSTANT_UNITS[node.name], node.name, ())
        return self._symbol(node)

    def _symbol(self, node: Name | Index) -> Value:
        units = self.checked.symbols[node.name].units
        if units is None:
            return UNSPECIFIED
        return self._parsed(units, repr(node.name), node.span)

    def _index(self, node: Index) -> Value:
        table = self._symbol(node)
        if node.otherwise is None:
            return table
        site = Site("else", self.text, node.span)
        return same([table, self.values[id(node.otherwise)]], site)

    def _check_result(self, found: Value, declared: Unit) -> None:
        result = self.checked.formula.result
        if self.checked.value(result).type.kind == "bool":
            if not is_same(declared, one()):
                message = f"the result is a bool, which has no unit; declared is {declared}"
                self._fail(message, result.span)
        elif isinstance(found, Unit) and not is_same(found, declared):
            times = factor(found, declared)
            how = f", which differ by the factor {times}" if times else ""
            message = f"the result is in {found}, declared is {declared}{how}"
            self._fail(f"{message}; declare {found}, or correct the symbols' units", result.span)


def _constant(node: Node) -> Fraction | None:
    """The value of a literal, with a minus sign or without; 0.1 is one tenth."""
    if isinstance(node, Unary) and isinstance(node.operand, Literal):
        return -Fraction(str(node.operand.value))
    return Fraction(str(node.value)) if isinstance(node, Literal) else None
