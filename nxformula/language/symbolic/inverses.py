"""Formulas solved for one of their symbols."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from nxformula.errors import FormulaTypeError, LimitError
from nxformula.language import limits
from nxformula.language.functions import is_reserved
from nxformula.language.parser import children_of
from nxformula.language.structure import check_structure
from nxformula.language.symbolic.assembling import assemble, substitute, template
from nxformula.language.symbolic.building import (
    call,
    is_nan,
    is_number,
    minus,
    name,
    negative,
    number,
    over,
    plus,
    power,
    select,
    times,
)
from nxformula.language.symbolic.derivatives import constant, need_known, only
from nxformula.language.symbolic.flow import Flow
from nxformula.language.symbolic.linear import Line, lines
from nxformula.language.tree import Binary, Call, Formula, Index, Name, Node, Unary

#: What gives back the argument `x` of a function from its value `y`.
_FUNCTIONS: Final[Mapping[str, str]] = {
    "sqrt": "y ** 2",
    "exp": "log(y)",
    "expm1": "log1p(y)",
    "log": "exp(y)",
    "log1p": "expm1(y)",
    "log2": "2 ** y",
    "log10": "10 ** y",
    "asin": "sin(y)",
    "acos": "cos(y)",
    "atan": "tan(y)",
    "sinh": "sign(y) * log(abs(y) + sqrt(y * y + 1))",
    "tanh": "log((1 + y) / (1 - y)) / 2",
}

_Solution = Callable[[Node, Node], Node]
#: What gives back the left and the right operand, from the value and the other operand.
_OPERATORS: Final[Mapping[str, tuple[_Solution, _Solution]]] = {
    "+": (minus, minus),
    "-": (plus, lambda y, left: minus(left, y)),
    "*": (over, over),
    "/": (times, lambda y, left: over(left, y)),
}


def inverse(formula: Formula, symbol: str, value: str = "value") -> Formula:
    """The formula that gives a symbol from the result, where that is unique.

    The symbol may occur several times where the formula is linear in it. Otherwise it must be
    reached through `+ - * / **`, a negation, functions of one argument that have an inverse, and
    selections whose condition does not depend on it. Solving for a table gives the entry that the
    formula looks up.

    Parameters
    ----------
    formula : Formula
        What to solve.
    symbol : str
        Solve for this symbol, or for this definition.
    value : str
        Name of the symbol in the new formula that holds the result of the given one.

    Returns
    -------
    Formula
        Right for every value that the given formula can have; a selected `nan` gives NaN.

    Raises
    ------
    UnknownNameError
        The formula has no such symbol or definition.
    FormulaTypeError
        There is no unique solution in closed form; the error points at what prevents it.
    LimitError
        The definitions written out have more than 10,000 nodes, or the result is larger than a
        formula may be.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> formula = parse("let counts = data & 0x3FFF; (counts - pedestal[g]) / gain[g]")
    >>> print(inverse(formula, "counts", "energy").text)
    energy * gain[g] + pedestal[g]
    >>> print(inverse(parse("where(stage == 0, x, 2 * x + 1) * 3"), "x").text)
    where(stage == 0, value / 3, (value / 3 - 1) / 2)
    >>> inverse(parse("x ** 2"), "x")
    Traceback (most recent call last):
        ...
    nxformula.errors.FormulaTypeError: type error at line 1, column 3: an even power of 'x' ...
    """
    check_structure(formula)
    need_known(formula, symbol)
    taken = [*formula.names, *(let.name for let in formula.lets)]
    if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value) or is_reserved(value) or value in taken:
        raise ValueError(f"{value!r} cannot be the name of the value; expected a new name")
    solved = _Solver(formula, symbol).solve(name(value))
    return assemble(formula, formula.lets, solved)


class _Solver:
    def __init__(self, formula: Formula, symbol: str) -> None:
        self._formula = formula
        self._symbol = symbol
        self._definitions = Flow(formula, (), steps=True).definitions
        self._dependent: set[int] = set()
        for node in formula.nodes:
            if self._is_dependent(node):
                self._dependent.add(id(node))
        self._lines: Mapping[int, Line] | None = None

    def _is_dependent(self, node: Node) -> bool:
        if isinstance(node, Name | Index) and node.name == self._symbol:
            return True
        if isinstance(node, Name) and node.name in self._definitions:
            return id(self._definitions[node.name]) in self._dependent
        return any(id(child) in self._dependent for child in children_of(node))

    def _depends(self, node: Node) -> bool:
        return id(node) in self._dependent

    def _fault(self, message: str, node: Node) -> FormulaTypeError:
        return FormulaTypeError(message, self._formula.text, node.span)

    def solve(self, value: Node) -> Node:
        """The symbol, from the value of the result."""
        result = self._formula.result
        if not self._depends(result):
            raise self._fault(f"the result does not depend on {self._symbol!r}", result)
        occurrences = Flow(self._formula, {self._symbol}, steps=True).occurrences()
        if not occurrences:
            message = f"{self._symbol!r} enters only by conditions and indices"
            raise self._fault(f"{message}, which have no inverse", result)
        only(self._formula, occurrences)
        # What is to be solved: a node and its value; or what has been: a selection to put together.
        tasks: list[tuple[Node, Node | None]] = [(result, value)]
        solved: list[Node] = []
        steps = 0
        while tasks:
            node, y = tasks.pop()
            steps += 1
            if steps > limits.EXPANDED:
                message = f"the definitions written out have more than {limits.EXPANDED} nodes"
                raise LimitError(message, self._formula.text)
            if y is None:
                self._join(node, solved)
            elif isinstance(node, Call) and node.name in ("where", "choose"):
                tasks += [(node, None), *self._branches(node, y)]
            elif isinstance(node, Name | Index) and node.name == self._symbol:
                solved.append(y)
            elif is_nan(node):
                solved.append(node)
            else:
                tasks.append(self._step(node, y))
        return solved[-1]

    def _branches(self, node: Call, y: Node) -> list[tuple[Node, Node | None]]:
        selector, *values = node.arguments
        if self._depends(selector):
            raise self._fault(f"what {node.name!r} selects depends on {self._symbol!r}", node)
        for value in values:
            if not self._depends(value) and not is_nan(value):
                message = f"one choice of {node.name!r} does not depend on {self._symbol!r}"
                raise self._fault(message, node)
        return [(value, y) for value in reversed(values)]

    def _join(self, node: Node, solved: list[Node]) -> None:
        assert isinstance(node, Call)
        selector, *values = node.arguments
        found = solved[-len(values) :]
        del solved[-len(values) :]
        solved.append(select(node.name, selector, found))

    def _step(self, node: Node, y: Node) -> tuple[Node, Node]:
        """One operation undone: an operand, and its value."""
        match node:
            case Name(name=found):
                return self._definitions[found], y
            case Unary(operator="-", operand=operand):
                return operand, negative(y)
            case Binary(left=left, right=right) if self._depends(left) and self._depends(right):
                return self._linear(node, y)
            case Binary(left=left, right=right) if _hides(node.operator, left, right):
                message = f"the value of {self._symbol!r} does not matter here: it is not unique"
                raise self._fault(message, node)
            case Binary(operator="**", left=left, right=right) if self._depends(left):
                return left, self._root(node, right, y)
            case Binary(operator="**", left=left, right=right):
                return right, over(call("log", y), call("log", left))
            case Binary(operator=operator, left=left, right=right) if operator in _OPERATORS:
                of_left, of_right = _OPERATORS[operator]
                return (
                    (left, of_left(y, right)) if self._depends(left) else (right, of_right(y, left))
                )
            case Call(name=function, arguments=(argument,)) if function in _FUNCTIONS:
                return argument, substitute(template(_FUNCTIONS[function]), {"y": y})
        what = getattr(node, "operator", None) or getattr(node, "name", "")
        raise self._fault(f"{what!r} of {self._symbol!r} has no unique inverse", node)

    def _root(self, node: Binary, exponent: Node, y: Node) -> Node:
        found = constant(exponent)
        if found is None:
            message = f"whether this power of {self._symbol!r} has one inverse is not known"
            raise self._fault(f"{message}; expected a number as exponent", node)
        if found % 2 == 0:
            raise self._fault(f"an even power of {self._symbol!r} has two inverses or none", node)
        if abs(found) == 1:
            return y if found == 1 else over(number(1), y)
        inverted = over(number(1), number(found))
        if found % 1 == 0:
            return times(call("sign", y), power(call("abs", y), inverted))
        exact = 1 / found
        return power(y, number(int(exact)) if exact % 1 == 0 else inverted)

    def _linear(self, node: Binary, y: Node) -> tuple[Node, Node]:
        """The symbol itself and its value, where the node is linear in it."""
        if self._lines is None:
            self._lines = lines(self._formula, self._symbol, self._dependent)
        line = self._lines.get(id(node))
        if line is None or is_number(line.slope, 0):
            message = f"{self._symbol!r} is on both sides of {node.operator!r}"
            raise self._fault(f"{message}, which is not linear in it", node)
        return name(self._symbol), over(minus(y, line.offset), line.slope)


def _hides(operator: str, left: Node, right: Node) -> bool:
    """Whether a number beside the symbol leaves nothing of it: `0 * x`, `0 / x`, `1 ** x`."""
    if operator == "**":
        return is_number(left, 0) or is_number(left, 1)
    return operator in ("*", "/") and (is_number(left, 0) or is_number(right, 0))
