"""Formulas as LaTeX and as text with mathematical symbols."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest
from formulas.writer import Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from nxformula.errors import LimitError
from nxformula.language.functions import CONSTANTS, FUNCTIONS, OPERATORS
from nxformula.language.parser import parse
from nxformula.language.symbolic import to_latex, to_unicode

#: Commands of LaTeX that mathtext lacks, and what stands in for them.
STAND_INS = {r"\lnot": r"\neg", r"\land": r"\wedge", r"\lor": r"\vee"}
JUNGFRAU = """let stage = data >> 14; let counts = data & 0x3FFF;
let plane = choose(stage, 0, 1, -1, 2); (counts - pedestal[plane]) / gain_map[stage = plane]"""


def calls() -> list[str]:
    found = []
    for function in FUNCTIONS.values():
        fewest, most = function.arity
        for count in {fewest, min(most, fewest + 2)}:
            inside = ", ".join("xyzuv"[:count]) if function.name != "position" else "fast"
            found.append(f"{function.name}({inside})")
    return found


INFIX = [f"x {symbol} y" for symbol in OPERATORS if " x" not in symbol and symbol != "-x"]
EVERYTHING = [
    *calls(),
    *INFIX,
    "-x",
    "not x",
    *CONSTANTS,
    "1.50",
    "1e-5",
    "0xFF",
    "0b11",
    "t[k = x]",
]


def is_mathematics(latex: str) -> None:
    """Matplotlib reads it, apart from the environments that it does not know."""
    assert latex.isascii()
    assert latex.count("{") - latex.count(r"\{") == latex.count("}") - latex.count(r"\}")
    assert latex.count(r"\left") == latex.count(r"\right")
    assert latex.count(r"\begin{") == latex.count(r"\end{")
    plain = re.sub(r"\\(begin|end)\{\w+\}|(?<!\\)&", " ", latex.replace(r"\mathbin{\&}", "+"))
    plain = plain.replace("\\\\", " ").replace("\n", " ").replace(r"\mathbin{\mid}", "+")
    for command, other in STAND_INS.items():
        plain = re.sub(rf"\{command}\b", lambda _, new=other: new, plain)
    MathTextParser("path").parse(f"${plain}$")


@pytest.mark.parametrize("text", EVERYTHING)
def test_everything_has_a_form(text: str) -> None:
    formula = parse(text)
    is_mathematics(to_latex(formula))
    assert to_unicode(formula)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from("rib"))
def test_random_formulas(seed: int, kind: str) -> None:
    formula = parse(Writer(random.Random(seed)).formula(kind, 1))
    is_mathematics(to_latex(formula))
    assert len(to_unicode(formula).splitlines()) == len(formula.lets) + 1


def test_jungfrau_as_latex() -> None:
    assert to_latex(parse(JUNGFRAU)) == (
        r"""\begin{aligned}
\mathrm{stage} &= \mathrm{data} \gg 14 \\
\mathrm{counts} &= \mathrm{data} \mathbin{\&} \mathtt{0x3FFF} \\
\mathrm{plane} &= \begin{cases} 0 & \text{if } \mathrm{stage} = 0 \\"""
        r""" 1 & \text{if } \mathrm{stage} = 1 \\ -1 & \text{if } \mathrm{stage} = 2 \\"""
        r""" 2 & \text{if } \mathrm{stage} = 3 \end{cases} \\
& \frac{\mathrm{counts} - \mathrm{pedestal}_{\mathrm{plane}}}"""
        r"""{\mathrm{gain\_map}_{\mathrm{stage} = \mathrm{plane}}}
\end{aligned}"""
    )


def test_jungfrau_as_text() -> None:
    assert to_unicode(parse(JUNGFRAU)).splitlines() == [
        "stage = data ≫ 14",
        "counts = data & 0x3FFF",
        "plane = { 0 if stage = 0; 1 if stage = 1; -1 if stage = 2; 2 if stage = 3 }",
        "(counts - pedestal[plane]) / gain_map[stage = plane]",
    ]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("gain_mode", r"\mathrm{gain\_mode}"),
        ("_a__b_", r"\mathrm{\_a\_\_b\_}"),
        ("where(m, a, b)", r"\begin{cases} \mathrm{a} & \text{if } \mathrm{m} \\ "
         r"\mathrm{b} & \text{otherwise} \end{cases}"),
        ("t[i, else = 0]", r"\mathrm{t}_{\mathrm{i},\ \text{else } 0}"),
        ("1.5e-3", r"1.5 \times 10^{-3}"),
        ("1E+05", r"1 \times 10^{05}"),
        ("a - (b - c)", r"\mathrm{a} - \left(\mathrm{b} - \mathrm{c}\right)"),
        ("(a ** b) ** c", r"\left(\mathrm{a}^{\mathrm{b}}\right)^{\mathrm{c}}"),
        ("a * -b", r"\mathrm{a} \cdot \left(-\mathrm{b}\right)"),
        ("(-a) ** 2", r"\left(-\mathrm{a}\right)^{2}"),
        ("to_integer(a, 0, 1, 2)", r"\operatorname{to\_integer}\left(\mathrm{a}, 0, 1, 2\right)"),
        ("not (a and b)", r"\lnot \left(\mathrm{a} \land \mathrm{b}\right)"),
        ("(a & 3) == 1", r"\left(\mathrm{a} \mathbin{\&} 3\right) = 1"),
    ],
)  # fmt: skip
def test_forms(text: str, latex: str) -> None:
    assert to_latex(parse(text)) == latex


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a - (b - c)", "a - b - c"),
        ("a / (b / c)", "a / b / c"),
        ("a / (b * c)", "a / b * c"),
        ("a * (b + c)", "a * b + c"),
        ("a ** (b ** c)", "(a ** b) ** c"),
        ("(-a) ** 2", "-(a ** 2)"),
        ("(a + b) ** 2", "a + b ** 2"),
        ("2 ** (a + b)", "2 ** a + b"),
        ("(a / b) ** c", "a / b ** c"),
        ("(a & b) == c", "a & (b == c)"),
        ("(a and b) or c", "a and (b or c)"),
        ("not (a and b)", "(not a) and b"),
        ("(a << b) + c", "a << (b + c)"),
        ("a - where(m, b, c)", "where(m, a - b, c)"),
        ("where(m, a, b) * c", "where(m, a, b * c)"),
        ("where(where(m, a > 1, b > 1), a, b)", "where(m, where(a > 1, a, b), b)"),
        ("(1e5) ** 2", "1 * 10 ** 5 ** 2"),
        ("(t[i]) ** 2", "t[i ** 2]"),
        ("-(a + b)", "-a + b"),
        ("sqrt(a) ** 2", "sqrt(a ** 2)"),
    ],
)
def test_different_formulas_look_different(one: str, other: str) -> None:
    for render in (to_latex, to_unicode):
        assert render(parse(one)) != render(parse(other))


def test_large_formulas() -> None:
    for text in ("1" + " + 1" * 900, "(" * 60 + "x" + ")" * 60, "-(" * 60 + "x" + ")" * 60):
        assert to_latex(parse(text)).count("x") == text.count("x")
        assert to_unicode(parse(text))
    assert len(to_latex(parse("where(m, a, " * 60 + "x" + ")" * 60))) < 10_000


def test_selectors_within_selectors_are_refused() -> None:
    formula = parse("choose(" * 60 + "x" + ", 0, 1, 2)" * 60)
    for render in (to_latex, to_unicode):
        with pytest.raises(LimitError, match="name parts of it with 'let'"):
            render(formula)


def test_sympy_is_only_for_equality() -> None:
    code = (
        "import sys, nxformula\n"
        "from nxformula.language.symbolic import *\n"
        "f = nxformula.parse('(data - dark) / gain')\n"
        "write(f), to_latex(f), to_unicode(f), derivative(f, 'gain'), inverse(f, 'data')\n"
        "uncertainty(f, ['dark'])\n"
        "assert 'sympy' not in sys.modules\n"
        "assert equal(f, f)\n"
        "assert 'sympy' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
