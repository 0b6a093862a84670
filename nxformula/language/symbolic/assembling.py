"""New formulas from the parts of others: templates filled in, definitions named and chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final

from nxformula.errors import LimitError
from nxformula.language.functions import is_reserved
from nxformula.language.parser import children_of, parse
from nxformula.language.symbolic.building import (
    NOWHERE,
    call,
    minus,
    name,
    negative,
    number,
    over,
    plus,
    power,
    times,
)
from nxformula.language.symbolic.writing import Writer
from nxformula.language.tree import (
    Binary,
    Call,
    Formula,
    Index,
    IndexItem,
    Let,
    Literal,
    Name,
    Node,
    Unary,
)


@cache
def template(text: str) -> Formula:
    """A formula that is part of this package."""
    return parse(text)


def substitute(pattern: Formula, values: Mapping[str, Node]) -> Node:
    """The result of a formula without definitions, with nodes in place of its names."""
    built: dict[int, Node] = {}
    for node in pattern.nodes:
        operands = [built[id(child)] for child in children_of(node)]
        built[id(node)] = _rebuilt(node, operands, values)
    return built[id(pattern.result)]


_OPERATIONS: Final = {"+": plus, "-": minus, "*": times, "/": over, "**": power}


def _rebuilt(node: Node, operands: Sequence[Node], values: Mapping[str, Node]) -> Node:
    match node:
        case Literal(value=value):
            return number(value)
        case Name(name=of):
            return values.get(of, name(of))
        case Unary(operator="-"):
            return negative(operands[0])
        case Binary(operator=operator) if operator in _OPERATIONS:
            return _OPERATIONS[operator](*operands)
        case Binary(operator=operator):
            return Binary(operator, operands[0], operands[1], NOWHERE)
        case Call(name=of):
            return call(of, *operands)
    raise AssertionError(f"templates are made of operators and calls, found {node}")


def partner(node: Name | Index, of: str) -> Node:
    """The same entry of another symbol; an entry outside of it is 0 where the first has `else`."""
    if isinstance(node, Name):
        return name(of)
    items = tuple(IndexItem(item.dimension, item.value, NOWHERE) for item in node.items)
    return Index(of, items, None if node.otherwise is None else number(0), NOWHERE)


class Names:
    """Names for new definitions.

    Parameters
    ----------
    taken : iterable of str
        What a definition may not be called.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def new(self, wanted: str) -> str:
        """The wanted name, or that with a number behind it.

        Examples
        --------
        >>> names = Names(["d_a", "d_a_2"])
        >>> names.new("d_a"), names.new("where"), names.new("b"), names.new("b")
        ('d_a_3', 'where_2', 'b', 'b_2')
        """
        found, count = wanted, 1
        while found in self._taken or is_reserved(found):
            count += 1
            found = f"{wanted}_{count}"
        self._taken.add(found)
        return found


def assemble(source: Formula, lets: Sequence[Let], result: Node) -> Formula:
    """A formula from the definitions that its result needs.

    Raises
    ------
    LimitError
        It is larger than a formula may be.
    """
    used = _used_names(result)
    kept: list[Let] = []
    for let in reversed(lets):
        if let.name in used:
            kept.append(let)
            used |= _used_names(let.value)
    try:
        return parse(Writer(source.text).document(reversed(kept), result))
    except LimitError as error:
        raise LimitError(f"the result is too large: {error.message}", source.text) from None


def with_result(source: Formula, result: Node) -> Formula:
    """A formula with all its definitions and another result.

    Raises
    ------
    LimitError
        It is larger than a formula may be.
    """
    return parse(Writer(source.text).document(source.lets, result))


def _used_names(node: Node) -> set[str]:
    found: set[str] = set()
    seen: set[int] = set()
    pending = [node]
    while pending:
        top = pending.pop()
        if id(top) in seen:
            continue
        seen.add(id(top))
        if isinstance(top, Name):
            found.add(top.name)
        pending += children_of(top)
    return found
