"""Which parts of a formula give the result its value, and which only choose among values."""

from __future__ import annotations

from collections.abc import Collection

from nxformula.language.functions import FUNCTIONS, OPERATORS
from nxformula.language.parser import children_of
from nxformula.language.symbolic.building import same
from nxformula.language.tree import Binary, Call, Formula, Index, Name, Node, Unary


def is_step(node: Call) -> bool:
    """Whether a function is constant but for jumps, as `floor`."""
    derivative = FUNCTIONS[node.name].derivative if node.name in FUNCTIONS else None
    return derivative is not None and set(derivative) == {"0"}


def is_condition(node: Node) -> bool:
    """Whether a node is a comparison, a predicate, or conditions joined."""
    match node:
        case Unary(operator=operator):
            return operator == "not"
        case Binary(operator=operator):
            return OPERATORS[operator].result == "bool"
        case Call(name=name):
            return name in FUNCTIONS and FUNCTIONS[name].type == "predicate"
    return False


def values_of(node: Node) -> tuple[Node, ...]:
    """The operands whose values enter the value of a node: no conditions, indices or labels."""
    if is_condition(node):
        return ()
    if isinstance(node, Index):
        return () if node.otherwise is None else (node.otherwise,)
    if isinstance(node, Call) and node.name in FUNCTIONS:
        if FUNCTIONS[node.name].type == "grouped":
            return node.arguments[:1]
        if FUNCTIONS[node.name].group == "selection":
            return node.arguments[1:]
    return children_of(node)


class Flow:
    """The nodes from which the result takes its value.

    Parameters
    ----------
    formula : Formula
        The formula.
    variables : collection of str
        Symbols and definitions that count as variables: what makes up such a definition is left
        out.
    steps : bool
        Whether a value goes through functions such as `floor`.

    Attributes
    ----------
    nodes : list of Node
        These nodes, operands first.
    definitions : dict of Node
        The values of all `let` definitions.
    """

    def __init__(self, formula: Formula, variables: Collection[str], *, steps: bool) -> None:
        self.formula = formula
        self.definitions = {let.name: let.value for let in formula.lets}
        self._variables = variables
        self._steps = steps
        reached = {id(formula.result)}
        for node in reversed(formula.nodes):
            if id(node) in reached:
                reached.update(id(child) for child in self._below(node))
        self.nodes = [node for node in formula.nodes if id(node) in reached]

    def _below(self, node: Node) -> tuple[Node, ...]:
        if isinstance(node, Name | Index) and node.name in self._variables:
            return ()
        if isinstance(node, Name) and node.name in self.definitions:
            return (self.definitions[node.name],)
        if isinstance(node, Call) and is_step(node) and not self._steps:
            return ()
        return values_of(node)

    def occurrences(self) -> list[Name | Index]:
        """The variables as they occur, each look-up of a table with other indices on its own."""
        found: list[Name | Index] = []
        used = (node for node in self.nodes if isinstance(node, Name | Index))
        for node in used:
            if node.name in self._variables and not any(same(node, other) for other in found):
                found.append(node)
        return found
