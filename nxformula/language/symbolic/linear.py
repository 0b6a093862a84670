"""Formulas that are linear in a symbol: their slope and offset."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from nxformula.language.symbolic.building import (
    is_nan,
    minus,
    negative,
    number,
    over,
    plus,
    select,
    times,
)
from nxformula.language.tree import Binary, Call, Formula, Index, Name, Node, Unary


@dataclass(frozen=True, slots=True)
class Line:
    """`slope * symbol + offset`, neither of which contains the symbol."""

    slope: Node
    offset: Node


def lines(formula: Formula, symbol: str, dependent: Collection[int]) -> Mapping[int, Line]:
    """The nodes that are linear in a symbol, by identity.

    Parameters
    ----------
    formula : Formula
        The formula.
    symbol : str
        A symbol, or a definition.
    dependent : collection of int
        Identities of the nodes that depend on it.
    """
    definitions = {let.name: let.value for let in formula.lets}
    found: dict[int, Line] = {}

    def line_of(node: Node) -> Line | None:
        if isinstance(node, Name | Index) and node.name == symbol:
            return Line(number(1), number(0))
        if isinstance(node, Name):
            return found.get(id(definitions[node.name]))
        if isinstance(node, Call) and node.name in ("where", "choose"):
            return _selected(node, dependent, found)
        operands = [
            found.get(id(operand)) if id(operand) in dependent else Line(number(0), operand)
            for operand in _arithmetic(node)
        ]
        return _combined(node, [line for line in operands if line is not None], len(operands))

    for node in formula.nodes:
        line = line_of(node) if id(node) in dependent else None
        if line is not None:
            found[id(node)] = line
    return found


def _arithmetic(node: Node) -> tuple[Node, ...]:
    match node:
        case Unary(operator="-", operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return left, right
    return ()


def _selected(node: Call, dependent: Collection[int], found: Mapping[int, Line]) -> Line | None:
    selector, *values = node.arguments
    if id(selector) in dependent:
        return None
    chosen = [Line(number(1), value) if is_nan(value) else found.get(id(value)) for value in values]
    known = [line for line in chosen if line is not None]
    if len(known) < len(chosen):
        return None
    slope = select(node.name, selector, [line.slope for line in known])
    return Line(slope, select(node.name, selector, [line.offset for line in known]))


_BOTH: Final[Mapping[str, Callable[[Node, Node], Node]]] = {"+": plus, "-": minus}


def _combined(node: Node, lines: list[Line], wanted: int) -> Line | None:
    if not lines or len(lines) < wanted:
        return None
    first, last = lines[0], lines[-1]
    match node:
        case Unary():
            return Line(negative(first.slope), negative(first.offset))
        case Binary(operator=operator) if operator in _BOTH:
            operation = _BOTH[operator]
            slope = operation(first.slope, last.slope)
            return Line(slope, operation(first.offset, last.offset))
        case Binary(operator="*", right=right) if right is last.offset:
            return Line(times(first.slope, right), times(first.offset, right))
        case Binary(operator="*", left=left) if left is first.offset:
            return Line(times(left, last.slope), times(left, last.offset))
        case Binary(operator="/", right=right) if right is last.offset:
            return Line(over(first.slope, right), over(first.offset, right))
    return None
