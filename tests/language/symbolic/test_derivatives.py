"""Derivatives of formulas agree with differences of their values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling.points import Given, slope, value
from sampling.reals import real_formulas

from nxformula.errors import FormulaError, FormulaTypeError, LimitError, UnknownNameError
from nxformula.language.functions import FUNCTIONS
from nxformula.language.parser import parse
from nxformula.language.symbolic import derivative

RNG = np.random.default_rng(1)
COUNT = 40
SYMBOLS: Given = {
    "x": RNG.uniform(0.2, 0.9, COUNT),
    "y": RNG.uniform(1.1, 1.5, COUNT),
    "z": RNG.uniform(-1.5, -0.3, COUNT),
    "g": RNG.integers(0, 3, COUNT).astype("u1"),
    "m": RNG.random(COUNT) < 0.5,
    "t": (("k",), RNG.uniform(0.3, 0.8, 3)),
    "u": (("k", "n"), RNG.uniform(0.3, 0.8, (3, COUNT))),
    "xs": (("knot",), np.linspace(-9, 9, 7)),
    "ys": (("knot",), RNG.normal(size=7)),
}


def agrees(text: str, symbol: str, symbols: Given = SYMBOLS, enough: float = 1) -> None:
    found = value(derivative(parse(text), symbol), symbols)
    expected, trusted = slope(text, symbol, symbols)
    found, trusted = np.broadcast_arrays(found, trusted)
    assert trusted.mean() >= enough
    assert found[trusted] == pytest.approx(
        np.broadcast_to(expected, found.shape)[trusted], 1e-6, 1e-6
    )


def smooth_calls() -> list[tuple[str, str]]:
    found = []
    for function in FUNCTIONS.values():
        if function.derivative is None or set(function.derivative) == {"0"}:
            continue
        if function.group != "elementwise":
            continue
        for names in (("x", "y", "z"), ("y", "z", "x")):
            names = names[: len(function.derivative)]
            found += [(f"{function.name}({', '.join(names)})", name) for name in names]
    outside = {"asin(y)", "acos(y)"}
    return [case for case in found if case[0] not in outside]


@pytest.mark.parametrize(("text", "symbol"), smooth_calls())
def test_every_smooth_function(text: str, symbol: str) -> None:
    agrees(text, symbol)


def test_every_elementwise_function_is_known() -> None:
    named = {text.partition("(")[0] for text, _ in smooth_calls()}
    steps = {"floor", "ceil", "round", "sign", "isnan", "isfinite"}
    assert named | steps == {f.name for f in FUNCTIONS.values() if f.group == "elementwise"}


@pytest.mark.parametrize(
    "text",
    [
        *(f"x {operator} y" for operator in ("+", "-", "*", "/", "**")),
        *(f"y {operator} x" for operator in ("-", "/", "**")),
        *("-x", "-(x - y)", "x * x", "x ** 2", "z - x ** 3", "x ** -1", "x ** 0.5", "x ** 1"),
        "x ** 0",
        *("2 ** x", "x ** x", "(x * y) ** (x + z)", "(z + 0 * x) ** 3 * x", "x / (x + y) / x"),
        *("(x - y) / x", "x - (y - x)", "x - -x", "-x * -x / -y", "1 / (1 / x)", "z ** 2 * x"),
        *("sqrt(x * x + y)", "exp(-(x ** 2) / 2)", "log(x * y) * sin(x)", "abs(z * x)"),
        "abs(x + z)",
        *("min(x, y)", "min(x, y, 2 * x, x ** 2)", "max(y, x, z, 1.5 * x)", "max(x, x ** 2)"),
        *("clip(x, 0.4, 0.7)", "clip(y, x, 2 * x)", "clip(y, 3 * x, x)", "clip(x * 2, x, 1)"),
        *("mod(y, x)", "mod(x * 10, y)", "mod(z, x)", "atan2(x, x * y)", "hypot(x, 3 * x)"),
        *("where(m, x, y)", "where(x < 0.5, x ** 2, 3 * x)"),
        "where(m, where(g == 1, x, -x), x / y)",
        *("where(m, x, 1) * where(m, x, 2)", "where(m, x, 1) + where(m, 2, x)"),
        "where(not m, 0, x)",
        *("choose(mod(g, 3), x, x ** 2, -x)", "choose(mod(g, 3), 1, 2, x)"),
        "choose(mod(g, 3), y, z, 3.0) * x",
        *("t[g] * x", "t[k = g] / x", "x / u[g]", "where(isfinite(x), t[g] + x, 0)"),
        *("let a = x * x; a * a", "let a = x + y; let b = a * z; let c = a / b; a - b * c + x"),
        *("let a = y * 2; a * x", "let a = x; let b = a; let c = b; c * x", "let a = -x; a * a"),
        *("let a = x; let b = 2 * y; b + a", "let c = x * 0; c + x"),
        "let d_a = y; let a = x * d_a; a",
        *("floor(y) * x", "x * (g + 1)", "x + where(m, 0, 0)", "x * where(m, 1, 0)"),
        "x * x * position(n)",
        *("interp(y, xs, ys) * x", "poly(y, ys) + x ** 2", "x * group_mean(y, g)"),
        "let far = x > 0.5; where(far and m, x * x, 2)",
    ],
)  # fmt: skip
def test_operators_and_definitions(text: str) -> None:
    agrees(text, "x", enough=0.8)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("t[g] * x", "t"),
        ("(x - t[k = g]) / t[k = g]", "t"),
        ("u[g] ** 2 * t[g]", "u"),
        ("exp(u[k = g]) + t[0]", "u"),
        ("t[0] * t[0] + x", "t"),
        ("let e = t[g] * x; e * e + t[g]", "t"),
    ],
)
def test_by_an_entry_of_a_table(text: str, symbol: str) -> None:
    agrees(text, symbol)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(real_formulas(), st.sampled_from("xyz"))
def test_random_formulas(text: str, symbol: str) -> None:
    try:
        found = derivative(parse(text), symbol)
    except UnknownNameError:
        assert symbol not in parse(text).names
        return
    # Kinks of `min` and the like, and what overflows, are left out.
    expected, trusted = slope(text, symbol, SYMBOLS)
    with np.errstate(all="ignore"):
        got = np.broadcast_to(value(found, SYMBOLS), (COUNT,))
    expected, trusted = np.broadcast_to(expected, (COUNT,)), np.broadcast_to(trusted, (COUNT,))
    trusted = trusted & np.isfinite(got)
    scale = 1 + np.abs(expected)
    assert (np.abs(got - expected)[trusted] <= 1e-4 * scale[trusted]).all(), (text, found.text)


@pytest.mark.parametrize(
    "text",
    [
        *("floor(x)", "ceil(2 * x)", "round(x)", "sign(x)", "to_integer(x, 0, 9, 0)", "y"),
        *("div(to_integer(x, 0, 9, 0), 2)", "where(x > 0.5, 1, 2)", "t[to_integer(x, 0, 2, 0)]"),
        *("floor(x) * ceil(x)", "choose(to_integer(x, 0, 1, 0), y, z)", "x - x", "0 * x"),
        *("where(isnan(x), 1, 2)", "let a = x > 1; where(a, y, z)", "floor(x * x) ** 2"),
        "group_mean(y, to_integer(x, 0, 1, 0))",
    ],
)
def test_what_jumps_has_the_derivative_0(text: str) -> None:
    text = f"{text} + 0 * x" if "x" not in text else text
    assert derivative(parse(text), "x").text == "0"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2 * (x & 3)", "&"),
        ("y + (x >> 2)", ">>"),
        ("1 << x", "<<"),
        ("(x ^ 1) * 2", "^"),
        ("(x | 1) * 2", "|"),
        ("bits(x, 0, 2)", "bits"),
        ("interp(x, xs, ys)", "interp"),
        ("poly(x, c)", "poly"),
        ("poly(y, x)", "poly"),
        ("group_median(x, l) + 1", "group_median"),
        ("x[i] - x[j]", "x[j"),
        ("x[i] * x", "x"),
        ("x[i, else = 0] * 2", "x[i"),
        ("y[i, else = x] * 2", "y[i"),
    ],
)
def test_what_has_no_derivative_is_refused(text: str, at: str) -> None:
    with pytest.raises(FormulaTypeError) as caught:
        derivative(parse(text), "x")
    error = caught.value
    assert error.kind == "type"
    assert error.span is not None
    assert text[error.span[0] :].startswith(at[:1])


def test_by_a_definition() -> None:
    formula = parse("let counts = data & 0x3FFF; let net = counts - dark; net * net / data")
    assert derivative(formula, "net").text == (
        "let counts = data & 0x3FFF;\nlet net = counts - dark;\n2 * net / data"
    )
    # The definition is the variable: what is inside it does not count.
    assert "2 * net" in derivative(formula, "counts").text


def test_a_chosen_nan_stays() -> None:
    found = derivative(parse("where(m, nan, x * x)"), "x")
    assert found.text == "where(m, nan, 2 * x)"
    at_points = value(found, SYMBOLS)
    assert (np.isnan(at_points) == SYMBOLS["m"]).all()


@pytest.mark.parametrize(
    "step", ["{0} * {0}", "{0} / (1 + {0})", "sqrt({0} * y + {0})", "sin({0})"]
)
def test_chained_definitions_stay_small(step: str) -> None:
    def text(count: int) -> str:
        names = ["x", *(f"v{i}" for i in range(count))]
        pairs = zip(names[1:], names, strict=False)
        lets = "".join(f"let {new} = {step.format(old)};\n" for new, old in pairs)
        return f"{lets}{names[-1]}"

    sizes = [len(derivative(parse(text(count)), "x").nodes) for count in (6, 12, 18)]
    assert sizes[2] - sizes[1] == sizes[1] - sizes[0]
    short: Given = {"x": np.array([0.31, 0.42]), "y": np.array([0.5, 0.25])}
    agrees(text(4), "x", short)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("i / (2 * j)", "j"),
        ("i / (j * j)", "j"),
        ("x / i", "i"),
        ("i / x", "x"),
        ("l / x", "x"),
        ("3 - max(l, 5) / x", "x"),
        ("3 - abs(j) / x", "x"),
        ("i / (5 - j * 3)", "j"),
        ("l ** 2 * x", "l"),
        ("x / l / l", "l"),
    ],
)
def test_integers_of_any_size(text: str, symbol: str) -> None:
    """No product of integers that was none in the formula: it might not fit."""
    symbols: Given = {
        "i": np.array([-(2**62), 2**62, 17], "i8"),
        "j": np.array([100, 200, 300], "i4"),
        "l": np.array([2**63 + 2**40, 2**41, 7], "u8"),
        "x": np.array([0.5, 2.5, 4.5]),
    }
    reals: Given = {name: np.array(given, "f8") for name, given in symbols.items()}
    found = derivative(parse(text), symbol)
    assert value(found, symbols) == pytest.approx(value(found, reals))


def test_large_formulas() -> None:
    assert derivative(parse("x" + " + 1" * 900), "x").text == "1"
    assert derivative(parse("(" * 60 + "x" + ")" * 60), "x").text == "1"
    assert derivative(parse("-(" * 60 + "x" + ")" * 60), "x").text == "1"
    with pytest.raises(LimitError):
        derivative(parse("sqrt(" * 60 + "x" + ")" * 60), "x")


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'gain'"):
        derivative(parse("data * gain"), "gian")
    for text in ("a * squrt(x)", "let a = b; let b = x; a", "sqrt(x, x)"):
        with pytest.raises(FormulaError):
            derivative(parse(text), "x")
