"""Syntax tree to text: the formula that a tree stands for, with the fewest parentheses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

from nxformula.errors import LimitError
from nxformula.language import limits
from nxformula.language.parser import children_of
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
    Unary,
)

#: A text and how tightly it binds.
_Piece: TypeAlias = tuple[str, int]

_ANYTHING: Final = 1
_NEGATION: Final = 3
_UNARY: Final = 11
_ATOM: Final = 13
_PRIMARY: Final = 14

#: How tightly an operator binds, and how tightly its operands must, as in the grammar.
_BINDING: Final[dict[str, tuple[int, int, int]]] = {
    "or": (1, 1, 2),
    "and": (2, 2, 3),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (4, 8, 8)),
    "|": (5, 5, 6),
    "^": (6, 6, 7),
    "&": (7, 7, 8),
    "<<": (8, 8, 9),
    ">>": (8, 8, 9),
    "+": (9, 9, 10),
    "-": (9, 9, 10),
    "*": (10, 10, 11),
    "/": (10, 10, 11),
    "**": (12, 13, 11),
}


def write(formula: Formula) -> str:
    """Write a formula anew: one definition a line, the fewest parentheses, no comments.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> print(write(parse("let a = ((x)*2); -(a + 0x0F)/(gain)  # per keV")))
    let a = x * 2;
    -(a + 0x0F) / gain
    """
    writer = Writer(formula.text)
    return writer.document(formula.lets, formula.result)


class Writer:
    """Writes nodes of one formula, and nodes made from them.

    Parameters
    ----------
    source : str
        Text of the formula: its numbers are written as they are spelled there. Numbers with an
        empty span are not from there.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        # The nodes are kept: their identities are the keys.
        self._pieces: dict[int, tuple[Node, _Piece]] = {}

    def document(self, lets: Iterable[Let], result: Node) -> str:
        """Definitions and a result as a whole text."""
        lines = [f"let {let.name} = {self.text(let.value)};\n" for let in lets]
        return "".join(lines) + self.text(result)

    def text(self, node: Node) -> str:
        """One expression.

        Raises
        ------
        LimitError
            Its text is longer than a formula may be: shared parts are written out.
        """
        pending = [node]
        while pending:
            top = pending[-1]
            if id(top) in self._pieces:
                pending.pop()
                continue
            missing = [child for child in children_of(top) if id(child) not in self._pieces]
            if missing:
                pending += missing
                continue
            pending.pop()
            self._pieces[id(top)] = top, self._limited(self._piece(top))
        return self._pieces[id(node)][1][0]

    def _limited(self, piece: _Piece) -> _Piece:
        if len(piece[0]) > limits.TEXT:
            message = f"the text of the result is longer than {limits.TEXT} characters"
            raise LimitError(f"{message}; name parts of the formula with 'let'", self._source)
        return piece

    def _piece(self, node: Node) -> _Piece:
        match node:
            case Literal():
                return self._number(node), _ATOM
            case Name(name=name):
                return name, _PRIMARY
            case Unary():
                return self._unary(node)
            case Binary(operator=operator, left=left, right=right):
                level, low, high = _BINDING[operator]
                return f"{self._within(left, low)} {operator} {self._within(right, high)}", level
            case Call(name=name, arguments=arguments):
                written = ", ".join(self._within(argument, _ANYTHING) for argument in arguments)
                return f"{name}({written})", _PRIMARY
            case Position(dimension=dimension):
                return f"position({dimension})", _PRIMARY
            case Index():
                return self._index(node), _PRIMARY
            case Let(name=name, value=value):
                return f"let {name} = {self._within(value, _ANYTHING)};", _ANYTHING

    def _number(self, node: Literal) -> str:
        start, end = node.span
        return self._source[start:end] if start < end else repr(node.value)

    def _unary(self, node: Unary) -> _Piece:
        if node.operator == "not":
            return f"not {self._within(node.operand, _PRIMARY)}", _NEGATION
        return f"-{self._within(node.operand, _ATOM)}", _UNARY

    def _index(self, node: Index) -> str:
        items = [
            f"{'' if item.dimension is None else f'{item.dimension} = '}"
            f"{self._within(item.value, _ANYTHING)}"
            for item in node.items
        ]
        if node.otherwise is not None:
            items.append(f"else = {self._within(node.otherwise, _ANYTHING)}")
        return f"{node.name}[{', '.join(items)}]"

    def _within(self, node: Node, level: int) -> str:
        text, found = self._pieces[id(node)][1]
        return text if found >= level else f"({text})"
