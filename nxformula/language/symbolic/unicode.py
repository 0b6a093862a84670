"""Formulas as plain text with mathematical symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from nxformula.language.symbolic.rendering import ATOM, POWER, PRODUCT, SIGNED, Piece, Renderer
from nxformula.language.tree import Binary, Formula, Literal, Node, Unary


def to_unicode(formula: Formula) -> str:
    """A formula as text with mathematical symbols: one definition a line, the result last.

    Raises
    ------
    LimitError
        It would be too long: each `choose` prints its selector once for every value.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> print(to_unicode(parse("let a = x & 0xF; where(a <= 2, a * b ** 2, pi)")))
    a = x & 0xF
    { a · b² if a ≤ 2; π otherwise }
    """
    lets, result = _Unicode(formula).lines()
    return "\n".join([*(f"{name} = {value}" for name, value in lets), result])


_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Unicode(Renderer):
    operators: ClassVar[Mapping[str, str]] = {
        "or": "\N{LOGICAL OR}",
        "and": "∧",
        "==": "=",
        "!=": "≠",
        "<": "<",
        "<=": "≤",
        ">": ">",
        ">=": "≥",
        "&": "&",
        "|": "|",
        "^": "⊕",
        "<<": "≪",
        ">>": "≫",
        "+": "+",
        "-": "-",
        "*": "·",
    }
    functions: ClassVar[Mapping[tuple[str, int], str]] = {
        ("abs", 1): "|{0}|",
        ("sqrt", 1): "√({0})",
        ("floor", 1): "⌊{0}⌋",
        ("ceil", 1): "⌈{0}⌉",
    }
    constants: ClassVar[Mapping[str, str]] = {
        "nan": "NaN",
        "inf": "∞",
        "pi": "π",
        "true": "true",
        "false": "false",
    }
    parentheses = "(", ")"
    negation = "¬"
    condition = "if "
    remaining = "otherwise"
    otherwise = "else "

    #: Functions with a usual name; all others are named as in the language.
    usual: ClassVar[Mapping[str, str]] = {
        "log": "ln",
        "log2": "log₂",
        "log10": "log₁₀",
        "asin": "arcsin",
        "acos": "arccos",
        "atan": "arctan",
    }

    def name(self, name: str) -> str:
        return name

    def function(self, name: str) -> str:
        return self.usual.get(name, name)

    def number(self, mantissa: str, exponent: str) -> Piece:
        if not exponent:
            return mantissa, ATOM
        return f"{mantissa}·10{exponent.translate(_SUPERSCRIPTS)}", PRODUCT

    def quotient(self, node: Binary) -> Piece:
        level = min(PRODUCT, self.level(node.left))
        return f"{self.text(node.left, SIGNED)} / {self.text(node.right, POWER)}", level

    def power(self, node: Binary) -> Piece:
        base = self.text(node.left, ATOM)
        raised = self._superscript(node.right)
        return f"{base}{raised}" if raised else f"{base}^{self.text(node.right, ATOM)}", POWER

    def _superscript(self, node: Node) -> str:
        """An integer as a superscript; nothing for any other exponent."""
        literal = node.operand if isinstance(node, Unary) else node
        if not isinstance(literal, Literal) or not isinstance(literal.value, int):
            return ""
        sign = "" if literal is node else "-"
        return f"{sign}{literal.value}".translate(_SUPERSCRIPTS)

    def look_up(self, name: str, indices: Sequence[str]) -> str:
        return f"{name}[{', '.join(indices)}]"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        return f"{{ {'; '.join(f'{value} {condition}' for value, condition in rows)} }}"
