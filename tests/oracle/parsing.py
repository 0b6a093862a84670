"""Tokens and a precedence-climbing parser: from text to a list of nodes, operands first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n]+|#[^\n]*)"
    r"|(?P<real>[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)"
    r"|(?P<integer>0x[0-9A-Fa-f]+|0b[01]+|[0-9]+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|<<|>>|[=!<>]=|[-+*/&^|<>=;,()\[\]])"
)

#: How tightly infix operators bind; `**`, `-` and `not` before an operand bind tighter still.
_BINDING = {
    operator: strength
    for strength, operators in enumerate(
        ("or", "and", "== != < <= > >=", "|", "^", "&", "<< >>", "+ -", "* /"), start=1
    )
    for operator in operators.split()
}


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a formula.

    Attributes
    ----------
    form : str
        "integer", "real", "name", "operator", "call", "position", "index" or "let".
    word : str
        The literal, the name, or the operator; `-x` and `not x` stand before their operand.
    operands : tuple of int
        Places of the operands in the list of nodes.
    dimensions : tuple of (str or None)
        Of an index: the dimension that each operand indexes, None where none is named, and "else"
        for the value outside. Of `position`: its dimension.
    """

    form: str
    word: str
    operands: tuple[int, ...] = ()
    dimensions: tuple[str | None, ...] = ()


def parse(text: str) -> list[Node]:
    """All nodes of a formula, operands first; the last is the result.

    Examples
    --------
    >>> [node.word for node in parse("let a = 2 ** -x; a * (3 + a)")]
    ['2', 'x', '-x', '**', 'a', 'a', '3', 'a', '+', '*']
    """
    parser = _Parser(text)
    parser.formula()
    return parser.nodes


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"no token at {text[at:]!r}")
        at = match.end()
        if match.lastgroup != "blank":
            yield str(match.lastgroup), match[0]
    yield "end", ""


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.nodes: list[Node] = []

    @property
    def next(self) -> str:
        return self.tokens[self.at][1]

    def take(self) -> tuple[str, str]:
        self.at += 1
        return self.tokens[self.at - 1]

    def taken(self, word: str) -> bool:
        """Take the next token if it is this one."""
        found = self.next == word
        self.at += found
        return found

    def need(self, word: str) -> None:
        if not self.taken(word):
            raise ValueError(f"expected {word!r}, found {self.next!r}")

    def add(self, form: str, word: str, operands: list[int], *dimensions: str | None) -> int:
        self.nodes.append(Node(form, word, tuple(operands), dimensions))
        return len(self.nodes) - 1

    def formula(self) -> None:
        while self.taken("let"):
            _, name = self.take()
            self.need("=")
            value = self.expression()
            self.need(";")
            self.add("let", name, [value])
        self.expression()
        self.need("")

    def expression(self, weakest: int = 1) -> int:
        """An expression of operators that bind at least so tightly."""
        left = self.operand()
        while _BINDING.get(self.next, 0) >= weakest:
            _, operator = self.take()
            right = self.expression(_BINDING[operator] + 1)
            left = self.add("operator", operator, [left, right])
        return left

    def operand(self) -> int:
        for prefix in ("-", "not"):
            if self.taken(prefix):
                written = "-x" if prefix == "-" else "not x"
                return self.add("operator", written, [self.atom()])
        base = self.atom()
        if self.taken("**"):
            return self.add("operator", "**", [base, self.operand()])
        return base

    def atom(self) -> int:
        kind, word = self.take()
        if kind in ("integer", "real"):
            return self.add(kind, word, [])
        if word == "(":
            inner = self.expression()
            self.need(")")
            return inner
        if kind != "name":
            raise ValueError(f"expected an operand, found {word!r}")
        if self.taken("("):
            return self.call(word)
        if self.taken("["):
            return self.index(word)
        return self.add("name", word, [])

    def call(self, function: str) -> int:
        if function == "position":
            _, dimension = self.take()
            self.need(")")
            return self.add("position", function, [], dimension)
        arguments: list[int] = []
        while not self.taken(")"):
            if arguments:
                self.need(",")
            arguments.append(self.expression())
        return self.add("call", function, arguments)

    def index(self, symbol: str) -> int:
        dimensions: list[str | None] = []
        values: list[int] = []
        while not self.taken("]"):
            if values:
                self.need(",")
            dimensions.append(self.dimension())
            values.append(self.expression())
        return self.add("index", symbol, values, *dimensions)

    def dimension(self) -> str | None:
        """Take `NAME =` if it is there; `else` is found here too."""
        if self.tokens[self.at][0] != "name" or self.tokens[self.at + 1][1] != "=":
            return None
        _, name = self.take()
        self.need("=")
        return name
