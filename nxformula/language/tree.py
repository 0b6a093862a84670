"""The syntax tree of a formula, as a flat list in the order of evaluation.

Every node comes after its operands, so that a pass over a formula is a loop over
`Formula.nodes`: nothing recurses, however deep a formula is. Nodes compare by identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

#: Offsets (start, end) of a token in the text.
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Literal:
    """A number; an int is an integer, a float a real."""

    value: int | float
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Name:
    """A symbol, a `let` or a constant."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unary:
    """`-` or `not`; the span is the operator's."""

    operator: str
    operand: Node
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Binary:
    """An infix operator with its operands; the span is the operator's."""

    operator: str
    left: Node
    right: Node
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call:
    """A function with its arguments; the span is the name's."""

    name: str
    arguments: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Position:
    """`position(DIMENSION)`; the span is the function name's."""

    dimension: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class IndexItem:
    """One index: of the dimension that it names, or of the only one possible (None)."""

    dimension: str | None
    value: Node
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Index:
    """A symbol with its indices and the value for outside; the span is the symbol's."""

    name: str
    items: tuple[IndexItem, ...]
    otherwise: Node | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Let:
    """A definition; the span is the defined name's."""

    name: str
    value: Node
    span: Span


Node: TypeAlias = Literal | Name | Unary | Binary | Call | Position | Index | Let


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Formula:
    """A parsed formula.

    Attributes
    ----------
    text : str
        The source.
    nodes : tuple of Node
        All nodes, operands first; `let` definitions in their order.
    result : Node
        The node whose value is the result: the last of `nodes`.

    Examples
    --------
    >>> import nxformula
    >>> formula = nxformula.parse("let adu = data & 0x3FFF; adu - pedestal")
    >>> formula.names
    ('data', 'pedestal')
    >>> [let.name for let in formula.lets]
    ['adu']
    """

    text: str
    nodes: tuple[Node, ...]
    result: Node

    @property
    def lets(self) -> tuple[Let, ...]:
        """The definitions, in their order."""
        return tuple(node for node in self.nodes if isinstance(node, Let))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that need a value from outside, in the order of first use."""
        from nxformula.language.functions import CONSTANTS

        inside = {let.name for let in self.lets} | set(CONSTANTS)
        used = (node.name for node in self.nodes if isinstance(node, Name | Index))
        return tuple(dict.fromkeys(name for name in used if name not in inside))

    def __repr__(self) -> str:
        return f"<Formula {self.text!r}>"
