"""Formulas as mathematics is printed: what LaTeX and Unicode have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, TypeAlias

from nxformula.errors import LimitError
from nxformula.language.functions import CONSTANTS
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

#: What is printed, and how tightly it binds.
Piece: TypeAlias = tuple[str, int]

CASES: Final = 0
ANYTHING: Final = 0
OR: Final = 1
AND: Final = 2
COMPARISON: Final = 3
BITS: Final = 4
SUM: Final = 5
SIGNED: Final = 6
PRODUCT: Final = 7
POWER: Final = 8
ATOM: Final = 9

#: How tightly an operator binds, and how tightly its operands must not to need parentheses. Nobody
#: reads bit operators beside arithmetic the same way, so these take only names and powers.
_BINDING: Final[Mapping[str, tuple[int, int, int]]] = {
    "or": (OR, OR, AND),
    "and": (AND, AND, COMPARISON),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (COMPARISON, SUM, SUM)),
    **dict.fromkeys(("&", "|", "^", "<<", ">>"), (BITS, POWER, POWER)),
    "+": (SUM, SUM, PRODUCT),
    "-": (SUM, SUM, PRODUCT),
    "*": (PRODUCT, SIGNED, POWER),
    "/": (PRODUCT, SIGNED, POWER),
}
_ASSOCIATIVE: Final = frozenset("&|^")
#: Most characters of a printed expression.
_LONGEST: Final = 1 << 18


class Renderer(ABC):
    """Prints the nodes of one formula, operands first.

    Subclasses say how names, numbers, powers, look-ups and choices look.
    """

    #: What an operator looks like.
    operators: ClassVar[Mapping[str, str]]
    #: What a function with a number of arguments looks like, `{0}` the first, where it is special.
    functions: ClassVar[Mapping[tuple[str, int], str]]
    constants: ClassVar[Mapping[str, str]]
    parentheses: ClassVar[tuple[str, str]]
    negation: ClassVar[str]
    #: What stands before the condition of a value, and in place of it for the remaining cases.
    condition: ClassVar[str]
    remaining: ClassVar[str]
    #: What stands before the value for indices outside a table.
    otherwise: ClassVar[str]

    def __init__(self, formula: Formula) -> None:
        self._formula = formula
        self._pieces: dict[int, Piece] = {}
        self._rows: dict[int, list[tuple[str, str]]] = {}
        for node in formula.nodes:
            self._pieces[id(node)] = self._limited(self._piece(node), node)

    def _limited(self, piece: Piece, node: Node) -> Piece:
        # The selector of a `choose` is printed once for each value, that inside of it once more.
        if len(piece[0]) > _LONGEST:
            message = f"printed, this has more than {_LONGEST} characters"
            raise LimitError(
                f"{message}; name parts of it with 'let'", self._formula.text, node.span
            )
        return piece

    def lines(self) -> tuple[list[tuple[str, str]], str]:
        """Names and values of the definitions, and the result."""
        lets = self._formula.lets
        return [(self.name(let.name), self.text(let.value)) for let in lets], self.text(
            self._formula.result
        )

    def text(self, node: Node, level: int = ANYTHING) -> str:
        """A node, in parentheses where it binds less tightly than this."""
        text, found = self._pieces[id(node)]
        return text if found >= level else self.enclosed(text)

    def enclosed(self, text: str) -> str:
        """Something in parentheses."""
        opening, closing = self.parentheses
        return f"{opening}{text}{closing}"

    @abstractmethod
    def name(self, name: str) -> str:
        """A name of a symbol, a definition or a dimension."""

    @abstractmethod
    def function(self, name: str) -> str:
        """The name of a function."""

    @abstractmethod
    def number(self, mantissa: str, exponent: str) -> Piece:
        """A number as it is spelled; the exponent may be empty."""

    @abstractmethod
    def quotient(self, node: Binary) -> Piece:
        """A division."""

    @abstractmethod
    def power(self, node: Binary) -> Piece:
        """A power."""

    @abstractmethod
    def look_up(self, name: str, indices: Sequence[str]) -> str:
        """A symbol with its indices."""

    @abstractmethod
    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        """Values, each with its condition."""

    def _piece(self, node: Node) -> Piece:
        match node:
            case Literal():
                start, end = node.span
                return self._spelled(self._formula.text[start:end])
            case Name(name=name):
                return (self.constants[name] if name in CONSTANTS else self.name(name)), ATOM
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
            case Position(dimension=dimension):
                return f"{self.function('position')}{self.enclosed(self.name(dimension))}", ATOM
            case Index():
                return self.look_up(self.name(node.name), self._indices(node)), ATOM
            case Let(value=value):
                return self._pieces[id(value)]

    def _spelled(self, digits: str) -> Piece:
        if digits.startswith(("0x", "0b")):
            return self.number(digits, "")
        mantissa, _, exponent = digits.lower().partition("e")
        return self.number(mantissa, exponent.removeprefix("+"))

    def _unary(self, node: Unary) -> Piece:
        if node.operator == "not":
            return f"{self.negation}{self.text(node.operand, ATOM)}", COMPARISON
        return f"-{self.text(node.operand, PRODUCT)}", SIGNED

    def _binary(self, node: Binary) -> Piece:
        if node.operator == "/":
            return self.quotient(node)
        if node.operator == "**":
            return self.power(node)
        level, low, high = _BINDING[node.operator]
        if isinstance(node.left, Binary) and node.left.operator == node.operator in _ASSOCIATIVE:
            low = level
        left, right = self.text(node.left, low), self.text(node.right, high)
        if node.operator == "*":
            level = min(level, self.level(node.left))
        return f"{left} {self.operators[node.operator]} {right}", level

    def level(self, node: Node) -> int:
        """How tightly a node binds as the first factor of a product."""
        found = self._pieces[id(node)][1]
        return found if found >= SIGNED else ATOM

    def _call(self, node: Call) -> Piece:
        match node:
            case Call(name="where", arguments=(condition, value, rest)):
                return self._choice(node, self._where(condition, value, rest))
            case Call(name="choose", arguments=(selector, first, *others)):
                return self._choice(node, self._choose(selector, [first, *others]))
        return self._function(node), ATOM

    def _function(self, node: Call) -> str:
        arguments = [self.text(argument) for argument in node.arguments]
        special = self.functions.get((node.name, len(arguments)))
        if special is not None:
            return special.format(*arguments)
        return f"{self.function(node.name)}{self.enclosed(', '.join(arguments))}"

    def _indices(self, node: Index) -> list[str]:
        found = [
            self.text(item.value)
            if item.dimension is None
            else f"{self.name(item.dimension)} = {self.text(item.value)}"
            for item in node.items
        ]
        if node.otherwise is not None:
            found.append(f"{self.otherwise}{self.text(node.otherwise)}")
        return found

    def _choice(self, node: Node, rows: list[tuple[str, str]]) -> Piece:
        self._rows[id(node)] = rows
        return self.cases(rows), CASES

    def _where(self, condition: Node, value: Node, rest: Node) -> list[tuple[str, str]]:
        """The rows of a `where`; one in the place of its last value adds its own."""
        first = self.text(value), f"{self.condition}{self.text(condition)}"
        is_where = isinstance(rest, Call) and rest.name == "where"
        below = self._rows.get(id(rest)) if is_where else None
        return [first, *(below or [(self.text(rest), self.remaining)])]

    def _choose(self, selector: Node, values: Sequence[Node]) -> list[tuple[str, str]]:
        which = f"{self.condition}{self.text(selector, SUM)} {self.operators['==']} "
        return [(self.text(value), f"{which}{count}") for count, value in enumerate(values)]
