"""Text to syntax tree, with errors that say what to write instead.

The LALR tables are made from `grammar/nxformula.lark` once, and kept. Nodes are built while
parsing, and put in order by a loop: nothing here recurses on the size of a formula.
"""

from __future__ import annotations

import hashlib
import io
import math
import sys
from functools import cache
from typing import Any

import lark
from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from nxformula import _cache
from nxformula._resources import resource
from nxformula._version import __version__
from nxformula.errors import FormulaSyntaxError, LimitError
from nxformula.language import advice, limits
from nxformula.language.source import screen
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
    Position,
    Span,
    Unary,
)


def parse(text: str) -> Formula:
    """Parse a formula.

    Parameters
    ----------
    text : str
        The formula: zero or more `let NAME = expression;`, then one expression.

    Returns
    -------
    Formula
        The syntax tree.

    Raises
    ------
    FormulaSyntaxError
        The text is not a formula, or contains characters outside ASCII.
    LimitError
        The formula is larger than the limits of `nxformula.language.limits`.

    Examples
    --------
    >>> parse("(data & 0x3FFF) / gain").names
    ('data', 'gain')
    >>> parse("a & b == c")
    Traceback (most recent call last):
        ...
    nxformula.errors.FormulaSyntaxError: syntax error at line 1, column 7: '==' beside '&' needs...
        a & b == c
              ^^
    """
    screen(text)
    roots = _roots(text)
    if isinstance(roots, FormulaSyntaxError):
        # Not where it was found: Lark's own error cannot be sent to another process.
        raise roots
    formula = Formula(text, _in_order(roots), roots[-1])
    _limit(formula)
    return formula


def _roots(text: str) -> Any:
    """The nodes of the definitions and of the result, or what is wrong with the text."""
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        return _syntax_error(text, error)


@cache
def _parser() -> Lark:
    grammar = resource("grammar", "nxformula.lark").read_text(encoding="ascii")
    made_by = f"{grammar}\0{lark.__version__}\0{__version__}\0{sys.version}"
    key = hashlib.sha256(made_by.encode()).hexdigest()
    kept = _cache.find("grammar", key)
    if kept is not None:
        return Lark.load(io.BytesIO(kept))
    # A fifth of a second, which is most of what a short command takes.
    parser = Lark(grammar, parser="lalr", lexer="basic", start="formula", transformer=_Nodes())
    tables = io.BytesIO()
    parser.save(tables)
    _cache.keep("grammar", key, tables.getvalue())
    return parser


class _Nodes:
    """One method per rule of the grammar: from the parsed children to a node."""

    def formula(self, children: list[Node]) -> list[Node]:
        return children

    def let(self, children: list[Any]) -> Node:
        _, name, _, value, _ = children
        return Let(str(name), value, _span(name))

    def binary(self, children: list[Any]) -> Node:
        left, operator, right = children
        return Binary(str(operator), left, right, _span(operator))

    def unary(self, children: list[Any]) -> Node:
        operator, operand = children
        return Unary(str(operator), operand, _span(operator))

    def integer(self, children: list[Token]) -> Node:
        (token,) = children
        value = int(token, 0) if len(token) <= limits.LITERAL else limits.INTEGER_LITERAL
        return Literal(value, _span(token))

    def real(self, children: list[Token]) -> Node:
        (token,) = children
        return Literal(float(token) if len(token) <= limits.LITERAL else math.inf, _span(token))

    def name(self, children: list[Token]) -> Node:
        return Name(str(children[0]), _span(children[0]))

    def call(self, children: list[Any]) -> Node:
        name = children[0]
        arguments: tuple[Node, ...] = children[2] if len(children) > 3 else ()
        if name == "position" and len(arguments) == 1:
            (dimension,) = arguments
            if isinstance(dimension, Name):
                return Position(dimension.name, _span(name))
        return Call(str(name), arguments, _span(name))

    def index(self, children: list[Any]) -> Node:
        name, _, found, _ = children
        items = tuple(item for item in found if isinstance(item, IndexItem))
        otherwise = found[-1] if len(items) < len(found) else None
        return Index(str(name), items, otherwise, _span(name))

    def parentheses(self, children: list[Any]) -> Node:
        node: Node = children[1]
        return node

    def arguments(self, children: list[Any]) -> tuple[Node, ...]:
        return tuple(children[::2])

    def indices(self, children: list[Any]) -> list[IndexItem | Node]:
        return children[::2]

    def positional_index(self, children: list[Node]) -> IndexItem:
        return IndexItem(None, children[0], children[0].span)

    def named_index(self, children: list[Any]) -> IndexItem:
        return IndexItem(str(children[0]), children[2], _span(children[0]))

    def otherwise(self, children: list[Any]) -> Node:
        node: Node = children[2]
        return node


def _span(token: Token) -> Span:
    return token.start_pos or 0, token.end_pos or 0


def children_of(node: Node) -> tuple[Node, ...]:
    """The operands of a node, in the order of the text."""
    match node:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return left, right
        case Call(arguments=arguments):
            return arguments
        case Index(items=items, otherwise=otherwise):
            values = tuple(item.value for item in items)
            return values if otherwise is None else (*values, otherwise)
        case Let(value=value):
            return (value,)
    return ()


def _in_order(roots: list[Node]) -> tuple[Node, ...]:
    """All nodes of the trees, every node after its operands."""
    ordered: list[Node] = []
    stack = list(roots)
    while stack:
        node = stack.pop()
        ordered.append(node)
        stack.extend(children_of(node))
    return tuple(reversed(ordered))


def _limit(formula: Formula) -> None:
    """Refuse what only the tree shows: large literals, many definitions, towers of powers."""
    powers: dict[int, int] = {}
    lets = 0
    for node in formula.nodes:
        if isinstance(node, Literal):
            _limit_literal(formula.text, node)
        elif isinstance(node, Let):
            lets += 1
            if lets > limits.LETS:
                message = f"more than {limits.LETS} definitions"
                raise LimitError(message, formula.text, node.span)
        elif isinstance(node, Binary) and node.operator == "**":
            powers[id(node)] = height = powers.get(id(node.right), 0) + 1
            if height > limits.NESTING:
                message = f"powers are nested deeper than {limits.NESTING}"
                raise LimitError(message, formula.text, node.span)


def _limit_literal(text: str, node: Literal) -> None:
    if node.span[1] - node.span[0] > limits.LITERAL:
        raise LimitError(f"a number longer than {limits.LITERAL} characters", text, node.span)
    if isinstance(node.value, int) and node.value >= limits.INTEGER_LITERAL:
        raise LimitError("an integer literal must be below 2**64", text, node.span)
    if node.value == math.inf:
        raise LimitError("a real literal must be below 1.8e308", text, node.span)


def _syntax_error(text: str, error: UnexpectedInput) -> FormulaSyntaxError:
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        return FormulaSyntaxError(advice.about_character(text[at]), text, (at, at + 1))
    assert isinstance(error, UnexpectedToken)
    token: Token = error.token
    start, end = _span(token) if token.type != "$END" else (len(text), len(text))
    before = list(_parser().lex(text[:start]))
    message = advice.about_token(before, token, set(error.expected))
    return FormulaSyntaxError(message, text, (start, end))
