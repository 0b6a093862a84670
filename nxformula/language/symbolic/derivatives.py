"""Derivatives of formulas, as formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from nxformula.errors import FormulaTypeError, UnknownNameError
from nxformula.language.functions import FUNCTIONS
from nxformula.language.structure import check_structure
from nxformula.language.symbolic.assembling import Names, assemble, substitute, template
from nxformula.language.symbolic.building import (
    NOWHERE,
    call,
    is_nan,
    is_negative,
    is_number,
    minus,
    name,
    negative,
    number,
    over,
    plus,
    power,
    same,
    select,
    times,
)
from nxformula.language.symbolic.flow import Flow, is_condition, is_step, values_of
from nxformula.language.tree import (
    Binary,
    Call,
    Formula,
    Index,
    Let,
    Literal,
    Name,
    Node,
    Unary,
)

_ZERO: Final = number(0)
_ONE: Final = number(1)


def derivative(formula: Formula, symbol: str) -> Formula:
    """The derivative of a formula, as a formula with the same definitions.

    Conditions, indices and labels choose among values and count as constant; so do functions with
    steps, such as `floor`. A chosen `nan` stays NaN. The derivative with respect to a table is
    that with respect to the entry that the formula looks up.

    Parameters
    ----------
    formula : Formula
        What to differentiate.
    symbol : str
        With respect to which symbol, or which definition: what the definition is made of then
        counts as constant where it occurs outside of it.

    Returns
    -------
    Formula
        The derivative. One that is constant has no dimensions.

    Raises
    ------
    UnknownNameError
        The formula has no such symbol or definition.
    FormulaTypeError
        The value of the symbol goes through bit operators, `bits`, `interp`, `poly` or a grouped
        reduction, or the formula looks up different entries of it, or one with `else`. Where a
        definition holds what comes out, the derivative with respect to that can be taken.
    LimitError
        The derivative is larger than a formula may be.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> formula = parse("let counts = data & 0x3FFF; (counts - pedestal[g]) / gain[g]")
    >>> print(derivative(formula, "counts").text)
    1 / gain[g]
    >>> print(derivative(formula, "gain").text)
    let counts = data & 0x3FFF;
    (pedestal[g] - counts) / gain[g] / gain[g]
    >>> print(derivative(parse("let e = x * a; where(e < 5, e ** 3, log(e))"), "x").text)
    let e = x * a;
    where(e < 5, 3 * e ** 2 * a, a / e)
    """
    check_structure(formula)
    need_known(formula, symbol)
    flow = Flow(formula, {symbol}, steps=False)
    variables = flow.occurrences()
    if not variables:
        return assemble(formula, [], _ZERO)
    variable = only(formula, variables)
    names = Names([*formula.names, *flow.definitions])
    differentiation = Differentiation(flow, variable, names)
    lets = [new for let in formula.lets for new in (let, *differentiation.lets.get(let.name, ()))]
    return assemble(formula, lets, differentiation.result)


def need_known(formula: Formula, symbol: str) -> None:
    """Refuse what is neither a symbol nor a definition of the formula."""
    known = [*formula.names, *(let.name for let in formula.lets)]
    if symbol not in known:
        close = get_close_matches(symbol, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        message = f"{symbol!r} is not a symbol or a definition of the formula{hint}"
        raise UnknownNameError(message, formula.text)


def only(formula: Formula, occurrences: Sequence[Name | Index]) -> Name | Index:
    """The one entry of a symbol that a formula uses.

    Raises
    ------
    FormulaTypeError
        There are several, or `else` may stand in for it.
    """
    variable = occurrences[-1]
    if len(occurrences) > 1:
        message = f"the formula takes more than one value from {variable.name!r}"
    elif isinstance(variable, Index) and variable.otherwise is not None:
        message = f"the formula has an 'else' for {variable.name!r}"
    else:
        return variable
    advice = "name the value with 'let' and use that name"
    raise FormulaTypeError(f"{message}; {advice}", formula.text, variable.span)


class Differentiation:
    """The derivative of a formula with respect to one variable.

    Parameters
    ----------
    flow : Flow
        Where values go in the formula.
    variable : Name or Index
        One of its variables.
    names : Names
        Gives names to the derivatives of definitions.
    suffix : str
        The end of these names.

    Attributes
    ----------
    result : Node
        The derivative of the result.
    lets : dict of tuple of Let
        By the name of a definition, the one of its derivative.
    """

    def __init__(self, flow: Flow, variable: Name | Index, names: Names, suffix: str = "") -> None:
        self._flow = flow
        self._variable = variable
        self._names = names
        self._suffix = suffix
        # What is missing is 0.
        self._found: dict[int, Node] = {}
        self.lets: dict[str, tuple[Let, ...]] = {}
        named = {id(value): let for let, value in flow.definitions.items()}
        for node in flow.nodes:
            found = self._differentiated(node)
            if id(node) in named:
                found = self._defined(named[id(node)], found)
            if not is_number(found, 0):
                self._found[id(node)] = found
        self.result = self._of(flow.formula.result)

    def _of(self, node: Node) -> Node:
        return self._found.get(id(node), _ZERO)

    def _fault(self, message: str, node: Node) -> FormulaTypeError:
        return FormulaTypeError(message, self._flow.formula.text, node.span)

    def _defined(self, let: str, found: Node) -> Node:
        """The derivative of a definition: a definition of its own where it is not short."""
        if isinstance(negative(found) if is_negative(found) else found, Literal | Name):
            return found
        new = self._names.new(f"d_{let}{self._suffix}")
        self.lets[let] = (Let(new, found, NOWHERE),)
        return name(new)

    def _differentiated(self, node: Node) -> Node:
        if isinstance(node, Name | Index):
            return self._entry(node)
        if is_condition(node) or all(id(child) not in self._found for child in values_of(node)):
            return _ZERO
        match node:
            case Unary(operand=operand):
                return negative(self._of(operand))
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
        return _ZERO

    def _entry(self, node: Name | Index) -> Node:
        if same(node, self._variable):
            return _ONE
        if isinstance(node, Name):
            value = self._flow.definitions.get(node.name)
            # A definition that is another variable has nothing below it in the flow.
            return _ZERO if value is None else self._of(value)
        if node.otherwise is not None and id(node.otherwise) in self._found:
            message = f"{self._variable.name!r} only counts where the index is outside the table"
            raise self._fault(f"{message}, which has no expression; take it out of 'else'", node)
        return _ZERO

    def _binary(self, node: Binary) -> Node:
        a, b = node.left, node.right
        da, db = self._of(a), self._of(b)
        match node.operator:
            case "+":
                return plus(da, db)
            case "-":
                return minus(da, db)
            case "*" if same(a, b):
                return times(times(number(2), a), da)
            case "*":
                return plus(times(da, b), times(a, db))
            case "/":
                # Divided first: the product of `a` and `db` may be of integers that do not fit.
                return minus(over(da, b), times(over(over(a, b), b), db))
            case "**":
                return plus(_power_by_base(a, b, da), _power_by_exponent(node, db))
        raise self._no_derivative(node.operator, node)

    def _no_derivative(self, what: str, node: Node) -> FormulaTypeError:
        through = f"the value of {self._variable.name!r} goes through {what!r}"
        advice = "name what comes out with 'let' and use that name"
        return self._fault(f"{through}, which has no derivative; {advice}", node)

    def _call(self, node: Call) -> Node:
        if node.name in ("where", "choose"):
            return self._selection(node)
        if node.name in ("min", "max"):
            return self._extreme(node)
        function = FUNCTIONS.get(node.name)
        if function is None or function.derivative is None:
            raise self._no_derivative(node.name, node)
        if is_step(node):
            message = f"{node.name!r} hides the uncertainty of {self._variable.name!r}"
            raise self._fault(f"{message}: its derivative is 0 but for jumps", node)
        values = dict(zip(_parameters(node.name), node.arguments, strict=True))
        result = _ZERO
        for text, argument in zip(function.derivative, node.arguments, strict=True):
            inner = self._of(argument)
            if not is_number(inner, 0):
                result = plus(result, times(substitute(template(text), values), inner))
        return result

    def _selection(self, node: Call) -> Node:
        selector, *values = node.arguments
        found = [value if is_nan(value) else self._of(value) for value in values]
        return select(node.name, selector, found)

    def _extreme(self, node: Call) -> Node:
        """`min` and `max`, two arguments after the other."""
        templates = FUNCTIONS[node.name].derivative
        assert templates is not None
        so_far, result = node.arguments[0], self._of(node.arguments[0])
        for count, argument in enumerate(node.arguments[1:], 2):
            values = {"a": so_far, "b": argument}
            of_first, of_second = (substitute(template(text), values) for text in templates)
            result = plus(times(of_first, result), times(of_second, self._of(argument)))
            so_far = call(node.name, *node.arguments[:count])
        return result


def _power_by_base(a: Node, b: Node, da: Node) -> Node:
    if is_number(da, 0):
        return _ZERO
    exponent = constant(b)
    if exponent is None:
        outer = times(b, power(a, minus(b, _ONE)))
    elif exponent == 2:
        # A power is real: with an integer 2, the product of integers might be refused.
        outer = times(number(2.0), a)
    else:
        less = Decimal(repr(exponent)) - 1
        outer = times(b, power(a, number(int(less) if isinstance(exponent, int) else float(less))))
    return times(outer, da)


def _power_by_exponent(node: Binary, db: Node) -> Node:
    return db if is_number(db, 0) else times(times(node, call("log", node.left)), db)


def constant(node: Node) -> int | float | None:
    """The value of a literal, or of a literal behind a minus."""
    match node:
        case Literal(value=value):
            return value
        case Unary(operator="-", operand=Literal(value=value)):
            return -value
    return None


def _parameters(function: str) -> Mapping[str, None]:
    inside = FUNCTIONS[function].signature.partition("(")[2].rstrip(")")
    return dict.fromkeys(parameter.strip() for parameter in inside.split(","))
