"""Inverses: what a formula gives, put into its inverse, gives the symbol again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling.points import Given, value

from nxformula.errors import FormulaError, FormulaTypeError, LimitError, UnknownNameError
from nxformula.language.parser import parse
from nxformula.language.symbolic import inverse

RNG = np.random.default_rng(3)
COUNT = 30
JUNGFRAU = (
    "let stage = data >> 14;\n"
    "let counts = data & 0x3FFF;\n"
    "let plane = choose(stage, 0, 1, -1, 2);\n"
    "(counts - pedestal[plane]) / gain[plane]"
)
SYMBOLS: Given = {
    "x": RNG.uniform(0.1, 0.9, COUNT),
    "y": RNG.uniform(1.1, 2.3, COUNT),
    "z": RNG.uniform(-1.5, -0.3, COUNT),
    "m": RNG.random(COUNT) < 0.5,
    "g": RNG.integers(0, 3, COUNT).astype("u1"),
    "t": (("k",), RNG.uniform(0.3, 0.8, 3)),
}


def comes_back(text: str, symbol: str, symbols: Given = SYMBOLS) -> None:
    solved = inverse(parse(text), symbol)
    assert symbol not in solved.names
    found = value(solved, {**symbols, "value": value(text, symbols)})
    assert found == pytest.approx(symbols[symbol], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        *("x", "-x", "x + y", "y - x", "x * z", "y / x", "x / y / z", "1 / (1 / x)"),
        "-(y - 2 * x)",
        *("(x - y) / z * 3 + 1", "y * (z - (x + y)) / z", "x ** 3", "x ** -1", "x ** 1"),
        "x ** 0.5",
        *("x ** -3", "x ** 1.5", "x ** 2.5 - y", "2 ** x", "y ** (x * z)", "sqrt(x)", "exp(x + y)"),
        *("expm1(-x)", "log(x * y)", "log1p(x)", "log2(x)", "log10(x / y)", "asin(x)", "acos(-x)"),
        *("atan(3 * x)", "sinh(x)", "sinh(-x * y)", "tanh(x)", "1 / (y + exp(-x))"),
        *("let a = x * 2; let b = a + y; b / z", "let a = y; let b = a * a; x * b - a"),
        *("x + x", "3 * x - x * y", "x * (y + 1) + x / z - (2 - x)", "-x - y * (x - 1)"),
        *("let a = x + 1; let b = a * y; b - a", "let a = x / 2; a + a + (a - x) * 3"),
        *("where(m, x, 2 * x)", "where(m, x + 1, y - x) * z", "where(m, x, y * x) + x"),
        *("choose(mod(g, 3), x, x / 2, y - x)", "where(g == 0, log(x), where(m, x ** 3, -x))"),
        *("t[g] * x + y", "x / t[k = g] + x", "(x - t[g]) / where(m, y, z)", "x * floor(y)"),
        *("x + (2 & 3)", "x * group_mean(y, g)"),
    ],
)  # fmt: skip
def test_the_symbol_comes_back(text: str) -> None:
    comes_back(text, "x")


def test_jungfrau() -> None:
    formula = parse(JUNGFRAU)
    plane = "let stage = data >> 14;\nlet plane = choose(stage, 0, 1, -1, 2);\n"
    assert inverse(formula, "counts", "energy").text == (
        f"{plane}energy * gain[plane] + pedestal[plane]"
    )
    rest = plane.replace(";\nlet plane", ";\nlet counts = data & 0x3FFF;\nlet plane")
    assert inverse(formula, "gain", "energy").text == (f"{rest}(counts - pedestal[plane]) / energy")
    assert inverse(formula, "pedestal", "energy").text == f"{rest}counts - energy * gain[plane]"
    with pytest.raises(FormulaTypeError, match="'data'"):
        inverse(formula, "data", "energy")


def test_jungfrau_in_numbers() -> None:
    shape = (COUNT,)
    symbols: Given = {
        "data": (RNG.integers(0, 1 << 14, shape) | (RNG.choice([0, 1, 3], shape) << 14)).astype(
            "u2"
        ),
        "pedestal": (("stage", "n"), RNG.uniform(100, 3000, (3, COUNT))),
        "gain": (("stage", "n"), RNG.uniform(0.1, 40, (3, COUNT))),
    }
    energy = value(JUNGFRAU, symbols)
    known = {**symbols, "energy": energy}
    formula = parse(JUNGFRAU)
    plane = np.array([0, 1, -1, 2])[np.asarray(symbols["data"]) >> 14]
    counts = value(inverse(formula, "counts", "energy"), known)
    assert counts == pytest.approx(np.asarray(symbols["data"]) & 0x3FFF)
    for name in ("pedestal", "gain"):
        used = symbols[name][1][plane, np.arange(COUNT)]
        assert value(inverse(formula, name, "energy"), known) == pytest.approx(used)


COEFFICIENTS = st.sampled_from(["1", "2", "y", "z", "0.5", "(y * z)", "t[g]"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from("+-"), COEFFICIENTS, COEFFICIENTS), min_size=1, max_size=5)
)
def test_linear_formulas(parts: list[tuple[str, str, str]]) -> None:
    text = "7 * x"
    for sign, slope, offset in parts:
        text = f"({text} {sign} {slope} * (x {sign} {offset})) / {offset}"
    slope = value(f"{text} + 0 * x", {**SYMBOLS, "x": np.ones(COUNT)}) - value(
        text, {**SYMBOLS, "x": np.zeros(COUNT)}
    )
    if (np.abs(slope) > 1e-3).all():
        solved = inverse(parse(text), "x")
        found = value(solved, {**SYMBOLS, "value": value(text, SYMBOLS)})
        assert found == pytest.approx(SYMBOLS["x"], rel=1e-6, abs=1e-6)


def test_a_chosen_nan_gives_nan() -> None:
    solved = inverse(parse("where(m, nan, x * 2)"), "x")
    assert solved.text == "where(m, nan, value / 2)"
    text = "where(m, x, nan) + x"
    found = value(inverse(parse(text), "x"), {**SYMBOLS, "value": value(text, SYMBOLS)})
    expected = np.where(np.asarray(SYMBOLS["m"]), SYMBOLS["x"], np.nan)
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x ** 2", "even power"),
        ("x ** -2", "even power"),
        ("x ** y", "number as exponent"),
        ("x * x", "not linear"),
        ("x * x - y", "not linear"),
        ("(x + 1) / (x - 1)", "not linear"),
        ("x + sqrt(x)", "not linear"),
        ("x ** x", "not linear"),
        ("x - x", "not linear"),
        ("0 * x", "not unique"),
        ("x * 0.0 + y", "not unique"),
        ("0 / x", "not unique"),
        ("x / 0", "not unique"),
        ("1 ** x", "not unique"),
        ("sin(x)", "no unique inverse"),
        ("abs(x)", "no unique inverse"),
        ("cosh(x)", "no unique inverse"),
        ("x & 3", "no unique inverse"),
        ("x >> 2", "no unique inverse"),
        ("bits(x, 0, 2)", "no unique inverse"),
        ("floor(x)", "no unique inverse"),
        ("mod(x, 2)", "no unique inverse"),
        ("min(x, y)", "no unique inverse"),
        ("clip(x, 0, 1)", "no unique inverse"),
        ("interp(x, xs, ys)", "no unique inverse"),
        ("group_mean(x, l)", "no unique inverse"),
        ("hypot(x, y)", "no unique inverse"),
        ("x > 2", "only by conditions|no unique inverse"),
        ("not x", "only by conditions|no unique inverse"),
        ("where(x > 1, y, z)", "only by conditions"),
        ("where(x > 1, x, 2 * x)", "selects depends"),
        ("where(m, x, y)", "does not depend"),
        ("choose(i, x, x, 1)", "does not depend"),
        ("t[x]", "only by conditions and indices"),
        ("t[x] * x", "no|depends"),
        ("x[i] + x[j]", "more than one value"),
        ("x[i, else = 0] * 2", "'else'"),
        ("let x2 = 3; y * x2 + 0 * 2 + isnan(x)", "only by|no unique"),
        ("let a = x; y", "does not depend"),
    ],
)
def test_what_has_no_inverse_is_refused(text: str, why: str) -> None:
    with pytest.raises(FormulaTypeError, match=why) as caught:
        inverse(parse(text), "x")
    assert caught.value.kind == "type"
    assert caught.value.span is not None


def test_names() -> None:
    with pytest.raises(UnknownNameError):
        inverse(parse("a + b"), "c")
    for taken in ("a", "sqrt", "let", "1a", "a b", "", "pi"):
        with pytest.raises(ValueError, match="cannot be the name"):
            inverse(parse("a + b"), "b", taken)
    with pytest.raises(FormulaError):
        inverse(parse("let a = b; let b = x; a"), "x")


def test_large_formulas() -> None:
    assert inverse(parse("(" * 60 + "x" + ")" * 60), "x").text == "value"
    assert inverse(parse("-(" * 60 + "x" + ")" * 60), "x").text == "value"
    assert inverse(parse("y" + " + 1" * 900 + " + x"), "x").names == ("value", "y")
    for text in ("x" + " + 1" * 900, "x" + " + x" * 900, "x + 1 * (" * 60 + "x" + ")" * 60):
        given: Given = {"x": np.array([0.5, 0.75])}
        comes_back(text, "x", given)


def test_definitions_that_would_be_large() -> None:
    lets = "".join(f"let v{i + 1} = v{i} + v{i};" for i in range(18)).replace("v0", "x")
    comes_back(f"{lets}v18", "x", {"x": np.array([0.5, 0.75])})
    lets = "".join(f"let v{i + 1} = where(m, v{i}, -v{i});" for i in range(18)).replace("v0", "x")
    with pytest.raises(LimitError):
        inverse(parse(f"{lets}v18"), "x")
