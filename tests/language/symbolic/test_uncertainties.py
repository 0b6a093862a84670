"""Uncertainties agree with the scatter of results of scattered values."""

from __future__ import annotations

import numpy as np
import pytest
from sampling.points import Given, slope, value

from nxformula.errors import FormulaTypeError, LimitError
from nxformula.language.parser import parse
from nxformula.language.symbolic import uncertainty

RNG = np.random.default_rng(2)
DRAWS = 200_000
VALUES = {"x": 0.6, "y": 1.7, "z": -2.3, "gain": 40.0, "dark": 900.0, "data": 17800.0}
ERRORS = {"x": 0.004, "y": 0.02, "z": 0.01, "gain": 0.3, "dark": 4.0, "data": 30.0}
#: One of each symbol.
ONCE: Given = {
    **{name: np.array([middle]) for name, middle in VALUES.items()},
    **{f"{name}_errors": np.array([sigma]) for name, sigma in ERRORS.items()},
    "m": np.array([True]),
    "g": np.array([1], "u1"),
    "raw": np.array([17800], "u2"),
    "raw_errors": np.array([3.0]),
    "t": (("k",), np.array([3.0, 7.0, 11.0])),
    "t_errors": (("k",), np.array([0.1, 0.05, 0.2])),
}
NOISE = {name: RNG.normal(size=DRAWS) for name in (*VALUES, "t")}


def scattered(names: list[str]) -> Given:
    """Draws of these symbols; all others as they are."""
    found = {
        name: np.broadcast_to(v, (DRAWS,))
        for name, v in ONCE.items()
        if name != "t" and not isinstance(v, tuple)
    }
    for name in names:
        if name in VALUES:
            found[name] = VALUES[name] + ERRORS[name] * NOISE[name]
    table = np.repeat(np.array([[3.0], [7.0], [11.0]]), DRAWS, 1)
    if "t" in names:
        table = table + np.array([[0.1], [0.05], [0.2]]) * NOISE["t"]
    return {**found, "t": (("k", "n"), table)}


FORMULAS = [
    ("x", ["x"]),
    ("-x / 3", ["x"]),
    ("x + y + z", ["x", "y", "z"]),
    ("x * y", ["x", "y"]),
    ("x * x", ["x"]),
    ("x - x + y", ["x", "y"]),
    ("x + x + x - y", ["x", "y"]),
    ("(data - dark) / gain", ["data", "dark", "gain"]),
    ("(data - dark) / gain", ["gain"]),
    ("let a = 2 * x; let b = 3 * x; a * b - a", ["x"]),
    ("let a = x * y; let b = x / y; a * b", ["x", "y"]),
    ("let a = x + y; let b = x - y; let c = a * b; c * c + a", ["x", "y"]),
    ("let net = data - dark; net / gain + net / (gain * gain)", ["data", "dark", "gain"]),
    ("let s = x; s - x", ["x", "y"]),
    ("where(m, x * y, z)", ["x", "y", "z"]),
    ("where(x > 0.3, x ** 3, y) / y", ["x", "y"]),
    ("choose(clip(g, 0, 2), x, y, z) * x", ["x", "y", "z"]),
    ("t[g] * x", ["t", "x"]),
    ("let a = t[g]; a * x / t[g] + a * a", ["t", "x"]),
    ("exp(x) * log(y) + sin(z)", ["x", "y", "z"]),
    ("sqrt(x * x + y * y)", ["x", "y"]),
    ("hypot(x, y) - atan2(z, x)", ["x", "y", "z"]),
    ("max(x, y) * min(x, z)", ["x", "y", "z"]),
    ("clip(x, 0, 1) * y ** x", ["x", "y"]),
    ("abs(z) / 2 ** x", ["x", "z"]),
    ("x * floor(y)", ["x"]),
]


@pytest.mark.parametrize(("text", "names"), FORMULAS)
def test_the_scatter_of_results(text: str, names: list[str]) -> None:
    if text == "let s = x; s - x":
        with pytest.raises(FormulaTypeError, match="nothing that has an uncertainty"):
            uncertainty(parse(text), names)
        return
    found = value(uncertainty(parse(text), names), ONCE)
    expected = value(text, scattered(names)).std()
    assert found.item() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("text", "names"), FORMULAS)
def test_the_sum_over_the_symbols(text: str, names: list[str]) -> None:
    """The definition: the root of the squares of what each symbol contributes."""
    if text == "let s = x; s - x":
        return
    squares = 0.0
    for name in names:
        sigma = 0.05 if name == "t" else ERRORS[name]
        if name in parse(text).names:
            squares += (slope(text, name, ONCE)[0].item() * sigma) ** 2
    found = value(uncertainty(parse(text), names), ONCE)
    assert found.item() == pytest.approx(squares**0.5, rel=1e-5)


def test_the_names_of_partners() -> None:
    found = uncertainty(parse("(data - dark[g]) / gain[stage = g, cell = c]"), ["dark", "gain"])
    assert {name for name in found.names if name.endswith("_errors")} == {
        "dark_errors",
        "gain_errors",
    }
    assert "dark_errors[g]" in found.text
    assert "gain_errors[stage = g, cell = c]" in found.text


def test_a_definition_counts_on_its_own() -> None:
    formula = parse("let counts = raw & 0x3FFF; (counts - dark) / gain + 0 * counts")
    found = uncertainty(formula, ["counts", "dark", "raw", "gain"])
    assert "raw_errors" not in found.names
    counts = 17800 & 0x3FFF
    given: Given = {**ONCE, "counts_errors": np.array([5.0])}
    expected = np.sqrt(5.0**2 + 4.0**2 + ((counts - 900) / 40 * 0.3) ** 2) / 40
    assert value(found, given).item() == pytest.approx(expected)


def test_a_definition_beside_what_it_is_made_of() -> None:
    formula = parse("let a = x * y; a + x")
    given: Given = {**ONCE, "a_errors": np.array([0.3])}
    assert value(uncertainty(formula, ["a", "x"]), given).item() == pytest.approx(
        np.hypot(0.3, 0.004)
    )


def test_an_entry_with_else() -> None:
    formula = parse("t[k = g, else = 2.0] * x")
    found = uncertainty(formula, ["t", "x"])
    given: Given = {**ONCE, "g": np.array([9], "u1")}
    # Outside of the table the constant is certain.
    assert value(found, given).item() == pytest.approx(2 * 0.004)
    assert value(found, ONCE).item() == pytest.approx(np.hypot(7 * 0.004, 0.6 * 0.05))


def test_different_entries_are_independent() -> None:
    found = uncertainty(parse("t[0] - t[1]"), ["t"])
    assert value(found, ONCE).item() == pytest.approx(np.hypot(0.1, 0.05))
    with pytest.raises(FormulaTypeError, match="perhaps with the same value"):
        uncertainty(parse("t[g] - t[h]"), ["t"])


def test_a_symbol_with_the_name_of_a_partner() -> None:
    # It is the partner: the formula already uses the uncertainty.
    found = uncertainty(parse("x + 2 * x_errors"), ["x"])
    assert value(found, ONCE).item() == pytest.approx(0.004)
    # So is a definition, and that of counts which follow Poisson's law is one.
    found = uncertainty(parse("let x_errors = sqrt(x); x * y"), ["x"])
    assert value(found, ONCE).item() == pytest.approx(
        np.sqrt(value(parse("x"), ONCE)) * value(parse("y"), ONCE)
    )


def test_nan_with_the_result() -> None:
    formula = parse("where(x > 0, 2 * x, nan)")
    found = uncertainty(formula, ["x"], nan_with_result=True)
    given: Given = {"x": np.array([3.0, -3.0]), "x_errors": np.array([0.5, 0.5])}
    np.testing.assert_allclose(value(found, given), [1.0, np.nan])


@pytest.mark.parametrize(
    ("text", "names", "why"),
    [
        ("x * 2", ["y"], "nothing"),
        ("x * 2", [], "nothing"),
        ("where(x > 1, y, z)", ["x"], "nothing"),
        ("t[g]", ["g"], "nothing"),
        ("x & 3", ["x"], "no derivative"),
        ("interp(x, xs, ys)", ["x"], "no derivative"),
        ("interp(y, xs, ys)", ["ys"], "no derivative"),
        ("group_mean(x, l)", ["x"], "no derivative"),
        ("floor(x)", ["x"], "hides"),
        ("round(x / 2) * x", ["x"], "hides"),
    ],
)
def test_what_has_no_uncertainty_is_refused(text: str, names: list[str], why: str) -> None:
    with pytest.raises(FormulaTypeError, match=why) as caught:
        uncertainty(parse(text), names)
    assert caught.value.kind == "type"


def test_one_name_is_not_several() -> None:
    with pytest.raises(TypeError, match="several names"):
        uncertainty(parse("x"), "x")


def test_chained_definitions_stay_small() -> None:
    def size(count: int) -> int:
        names = ["x", *(f"v{i}" for i in range(count))]
        pairs = zip(names[1:], names, strict=False)
        lets = "".join(f"let {new} = {old} * {old} + y;\n" for new, old in pairs)
        return len(uncertainty(parse(f"{lets}{names[-1]}"), ["x", "y"]).nodes)

    assert size(18) - size(12) == size(12) - size(6)


def test_large_formulas() -> None:
    long = "x" + " + 1" * 900
    assert uncertainty(parse(long), ["x"]).text == "x_errors"
    with pytest.raises(LimitError):
        uncertainty(parse("sqrt(" * 60 + "x" + ")" * 60), ["x"])
