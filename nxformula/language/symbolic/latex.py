"""Formulas as LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from nxformula.language.symbolic.rendering import ATOM, POWER, PRODUCT, Piece, Renderer
from nxformula.language.tree import Binary, Formula


def to_latex(formula: Formula) -> str:
    r"""LaTeX for a formula, for mathematics mode with the package amsmath.

    Definitions keep their names: they are lines of an `aligned` environment, the result the last.

    Raises
    ------
    LimitError
        It would be too long: each `choose` prints its selector once for every value.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> print(to_latex(parse("let a = x_1 & 0xF; sqrt(a - dark[g]) / 2")))
    \begin{aligned}
    \mathrm{a} &= \mathrm{x\_1} \mathbin{\&} \mathtt{0xF} \\
    & \frac{\sqrt{\mathrm{a} - \mathrm{dark}_{\mathrm{g}}}}{2}
    \end{aligned}
    """
    lets, result = _Latex(formula).lines()
    if not lets:
        return result
    lines = [rf"{name} &= {value} \\" for name, value in lets]
    return "\n".join([r"\begin{aligned}", *lines, f"& {result}", r"\end{aligned}"])


class _Latex(Renderer):
    operators: ClassVar[Mapping[str, str]] = {
        "or": r"\lor",
        "and": r"\land",
        "==": "=",
        "!=": r"\neq",
        "<": "<",
        "<=": r"\leq",
        ">": ">",
        ">=": r"\geq",
        "&": r"\mathbin{\&}",
        "|": r"\mathbin{\mid}",
        "^": r"\oplus",
        "<<": r"\ll",
        ">>": r"\gg",
        "+": "+",
        "-": "-",
        "*": r"\cdot",
    }
    functions: ClassVar[Mapping[tuple[str, int], str]] = {
        ("abs", 1): r"\left|{0}\right|",
        ("sqrt", 1): r"\sqrt{{{0}}}",
        ("floor", 1): r"\left\lfloor {0} \right\rfloor",
        ("ceil", 1): r"\left\lceil {0} \right\rceil",
        ("div", 2): r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor",
    }
    constants: ClassVar[Mapping[str, str]] = {
        "nan": r"\mathrm{NaN}",
        "inf": r"\infty",
        "pi": r"\pi",
        "true": r"\mathrm{true}",
        "false": r"\mathrm{false}",
    }
    parentheses = r"\left(", r"\right)"
    negation = r"\lnot "
    condition = r"\text{if } "
    remaining = r"\text{otherwise}"
    otherwise = r"\text{else } "

    #: Functions that have a command; all others are named as in the language.
    commands: ClassVar[Mapping[str, str]] = {
        **{name: rf"\{name}" for name in ("exp", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
        **{name: rf"\{name}" for name in ("min", "max")},
        "log": r"\ln",
        "log2": r"\log_{2}",
        "log10": r"\log_{10}",
        "asin": r"\arcsin",
        "acos": r"\arccos",
        "atan": r"\arctan",
    }

    def name(self, name: str) -> str:
        return rf"\mathrm{{{_escaped(name)}}}"

    def function(self, name: str) -> str:
        return self.commands.get(name) or rf"\operatorname{{{_escaped(name)}}}"

    def number(self, mantissa: str, exponent: str) -> Piece:
        if mantissa.startswith(("0x", "0b")):
            return rf"\mathtt{{{mantissa}}}", ATOM
        if not exponent:
            return mantissa, ATOM
        return rf"{mantissa} \times 10^{{{exponent}}}", PRODUCT

    def quotient(self, node: Binary) -> Piece:
        return rf"\frac{{{self.text(node.left)}}}{{{self.text(node.right)}}}", POWER

    def power(self, node: Binary) -> Piece:
        return f"{self.text(node.left, ATOM)}^{{{self.text(node.right)}}}", POWER

    def look_up(self, name: str, indices: Sequence[str]) -> str:
        separated = r",\ ".join(indices)
        return f"{name}_{{{separated}}}"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        inside = r" \\ ".join(f"{value} & {condition}" for value, condition in rows)
        return rf"\begin{{cases}} {inside} \end{{cases}}"


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")
