"""The oracle itself, on values worked out by hand."""

from __future__ import annotations

import ast
import json
import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle import numbers
from oracle.evaluation import evaluate
from oracle.kinds import Survey
from oracle.parsing import parse

HERE = Path(__file__).parent
F = np.float32
TABLE = json.loads((HERE.parents[1] / "grammar" / "functions.json").read_text(encoding="ascii"))


def row(text: str, dtype: str = "float64", **values: Any) -> list[Any]:
    """A formula of symbols along x, as a list."""
    symbols = {name: (["x"], np.asarray(value)) for name, value in values.items()}
    return evaluate(text, symbols, ["x"], dtype).tolist()


def same(found: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether the numbers are the same, with the signs of zeros; NaN is NaN."""
    pairs = zip(found, expected, strict=True)
    return all(
        (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
        for a, b in pairs
    )


def imported(source: str) -> set[str]:
    """The packages that a module of the oracle imports, its own aside."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            found.add((node.module or "..").partition(".")[0])
    return found


@pytest.mark.parametrize("path", sorted(HERE.glob("*.py")), ids=lambda path: path.stem)
def test_shares_no_code_with_the_package(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    allowed = sys.stdlib_module_names - {"importlib", "runpy"} | {"numpy"}
    if path.name.startswith("test_"):
        allowed |= {"oracle", "pytest"}
    assert imported(source) <= allowed
    assert "__import__" not in source.replace('"__import__"', "")


def test_foreign_imports_are_seen() -> None:
    assert imported("import nxformula.engine as e") == {"nxformula"}
    assert imported("def f():\n    from nxformula import parse") == {"nxformula"}
    assert imported("from ..engine import plan") == {"engine"}
    assert imported("from .. import engine") == {""}
    assert imported("from . import numbers\nfrom .parsing import Node") == set()


class TestParsing:
    @pytest.mark.parametrize(
        ("text", "same_as"),
        [
            ("a + b * c", "a + (b * c)"),
            ("a - b - c", "(a - b) - c"),
            ("a / b * c", "(a / b) * c"),
            ("-a * b", "(-a) * b"),
            ("a ** b ** -c", "a ** (b ** (-c))"),
            ("a << b + c >> d", "(a << (b + c)) >> d"),
            ("a | b ^ c & d << 1", "a | (b ^ (c & (d << 1)))"),
            ("a < b or not c and d == e", "(a < b) or ((not c) and (d == e))"),
            ("t[x = 1, y = a + b, else = 0]", "(t[x = (1), y = (a + b), else = 0])"),
            ("a # comment\n+ b", "a + b"),
        ],
    )
    def test_precedence(self, text: str, same_as: str) -> None:
        assert parse(text) == parse(same_as)

    def test_literals(self) -> None:
        words = ["1", "0x1F", "0b11", "1.5", ".5", "1e2", "1.5e-3"]
        forms = [parse(word)[0].form for word in words]
        assert forms == ["integer"] * 3 + ["real"] * 4

    def test_index(self) -> None:
        (*_, node) = parse("t[a, stage = b, else = c]")
        assert (node.form, node.dimensions) == ("index", (None, "stage", "else"))


class TestNumbers:
    def test_one_rounding_of_integers(self) -> None:
        # In two roundings, through binary64, this would be 2**54.
        assert numbers.real_of((1 << 54) + (1 << 30) + 1, F) == F((1 << 54) + (1 << 31))
        assert numbers.real_of(-((1 << 24) + 1), F) == -F(1 << 24)
        assert numbers.real_of((1 << 24) + 3, F) == F((1 << 24) + 4)
        assert numbers.real_of((1 << 64) - 1, np.float64) == 2.0**64

    def test_mod(self) -> None:
        x = [5.5, -5.5, 5.5, -5.5, 6.0, -6.0, 1.0, 1.0, np.inf, -1e-30, 3.0]
        y = [2.0, 2.0, -2.0, -2.0, 2.0, -2.0, 0.0, np.inf, 2.0, 1.0, -np.inf]
        expected = [1.5, 0.5, -0.5, -1.5, 0.0, -0.0, np.nan, 1.0, np.nan, 1.0, -np.inf]
        assert same(row("mod(x, y)", x=x, y=y), expected)
        assert same(row("mod(x, 2.0)", x=[-0.0, 4.0]), [0.0, 0.0])
        assert row("mod(x, 3) * 10 + mod(x, -3)", "int64", x=[-7, 7, 6]) == [19, 8, 0]

    def test_mod_of_integers_that_may_be_zero_is_real(self) -> None:
        assert same(row("mod(x, y)", x=[7, 7], y=[0, 4]), [np.nan, 3.0])

    def test_div(self) -> None:
        assert row("div(x, 2)", "int64", x=[7, -7, -8]) == [3, -4, -4]

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_to_integer(self, dtype: str) -> None:
        x = np.array([0.5, 1.5, 2.5, -0.5, 1e30, -np.inf, np.nan, 3.2], dtype)
        assert row("to_integer(x, -2, 5, 99)", "int64", x=x) == [0, 2, 2, 0, 5, -2, 99, 3]
        top = row("to_integer(x, 0, 0x7FFFFFFFFFFFFFFF, 0)", "int64", x=[2.0**62, 2.0**63])
        assert top == [1 << 62, (1 << 63) - 1]

    def test_integers_of_integers(self) -> None:
        assert row("abs(x) + sign(x) * 100", "int64", x=np.array([-3, 0, 4], "i2")) == [-97, 0, 104]
        assert row("bits(x, 4, 8)", "int64", x=np.array([-1, 0x1234], "i4")) == [255, 0x23]
        assert row("x ^ -1", "int64", x=np.array([-1, 5], "i4")) == [0, -6]

    def test_rounding_and_signs(self) -> None:
        x = [2.5, 3.5, -0.4, -2.5, np.nan]
        assert same(row("round(x)", x=x), [2.0, 4.0, -0.0, -2.0, np.nan])
        assert same(row("ceil(x)", x=x), [3.0, 4.0, -0.0, -2.0, np.nan])
        assert same(row("floor(x)", x=x), [2.0, 3.0, -1.0, -3.0, np.nan])
        assert same(row("sign(x)", x=[-0.0, -7.0, np.inf, np.nan]), [0.0, -1.0, 1.0, np.nan])

    def test_power_is_that_of_c(self) -> None:
        assert same(row("x ** 0.5", x=[-np.inf, -0.0, 4.0]), [np.inf, 0.0, 2.0])
        assert same(row("x ** 0", x=[np.nan, 0.0]), [1.0, 1.0])
        assert same(row("1 ** x", x=[np.nan]), [1.0])

    def test_extremes_keep_nan(self) -> None:
        assert same(row("max(x, 1, 2.0)", x=[np.nan, 5.0]), [np.nan, 5.0])
        assert same(row("clip(x, 1.0, 0.0)", x=[0.5, np.nan]), [0.0, np.nan])

    def test_comparisons_meet_in_the_format_of_reals(self) -> None:
        x = np.array([(1 << 24) + 1])
        assert row("where(x == 16777216.0, 1, 0)", "float32", x=x) == [1]
        assert row("where(x == 16777216.0, 1, 0)", "float64", x=x) == [0]
        assert row("x == 16777216", "bool", x=x) == [False]

    def test_wide_mode(self) -> None:
        symbols = {"x": (["x"], np.array([0.1], "f4"))}
        wide = evaluate("x * x", symbols, ["x"], "float32", real=np.float64)
        assert wide.tolist() == [float(F(0.1)) ** 2]


class TestTables:
    XS = (1.0, 2.0, 4.0)
    YS = (10.0, 30.0, -10.0)

    def interp(self, x: list[float], dtype: str = "float64", n: int = 3) -> list[float]:
        symbols = {
            "x": (["x"], np.array(x, dtype)),
            "xs": (["knot"], np.array(self.XS[:n], dtype)),
            "ys": (["knot", "."], np.array(self.YS[:n], dtype)[:, np.newaxis]),
        }
        return evaluate("interp(x, xs, ys)", symbols, ["x"], dtype).tolist()

    def test_interp(self) -> None:
        x = [0.9, 1.0, 1.5, 2.0, 3.0, 4.0, 4.1, np.nan, np.inf]
        nan = np.nan
        assert same(self.interp(x), [nan, 10.0, 20.0, 30.0, 10.0, -10.0, nan, nan, nan])

    def test_interp_of_little(self) -> None:
        assert same(self.interp([1.0, 1.1], n=1), [10.0, np.nan])
        assert same(self.interp([1.0], n=0), [np.nan])

    def test_interp_rounds_every_operation(self) -> None:
        x = F(2.7)
        part = F(F(x - F(2)) / F(2))
        assert self.interp([2.7], "float32") == [float(F(30) + F(part * F(-40)))]

    def poly(self, x: list[float], coefficients: list[float]) -> list[float]:
        symbols = {"x": (["x"], np.array(x)), "c": (["order"], np.array(coefficients))}
        return evaluate("poly(x, c)", symbols, ["x"], "float64").tolist()

    def test_poly(self) -> None:
        assert self.poly([2.0, -1.0], [1.0, 2.0, 3.0]) == [17.0, 2.0]
        assert self.poly([2.0, np.nan], [5.0]) == [5.0, 5.0]
        assert self.poly([np.nan], []) == [0.0]

    def test_poly_rounds_every_operation(self) -> None:
        x, c = 1.1, [0.1, 0.2, 0.3]
        exact = Fraction(float(Fraction(c[2]) * Fraction(x))) + Fraction(c[1])
        exact = Fraction(float(Fraction(float(exact)) * Fraction(x))) + Fraction(c[0])
        assert self.poly([x], c) == [float(exact)]

    def test_index_and_rest(self) -> None:
        # Stored (x, order, stage); stage 2 is outside.
        table = np.arange(2 * 2 * 2, dtype="i2").reshape(2, 2, 2)
        symbols = {
            "g": (["x", "y"], np.array([[0, 1, 2], [1, 0, 0]], "u1")),
            "c": (["x", "order", "stage"], table),
        }
        found = evaluate("poly(10, c[stage = g])", symbols, ["y", "x"], "float32")
        assert same(found[:, 0].tolist(), [20.0, 31.0, np.nan])
        assert found[:, 1].tolist() == [75.0, 64.0, 64.0]

    def test_look_ups(self) -> None:
        symbols = {
            "g": (["x"], np.array([0, 1, -1], "i1")),
            "t": (["stage"], np.array([7, 9], "u2")),
        }
        assert same(evaluate("t[g]", symbols, ["x"], "float64").tolist(), [7.0, 9.0, np.nan])
        assert evaluate("t[g, else = -5]", symbols, ["x"], "int64").tolist() == [7, 9, -5]
        assert evaluate("t[g & 1]", symbols, ["x"], "int64").tolist() == [7, 9, 9]


class TestGroups:
    def groups(self, function: str, x: list[float], labels: list[int], dtype: str) -> list[float]:
        symbols = {"v": (["x"], np.array(x, dtype)), "g": (["x"], np.array(labels))}
        return evaluate(function.replace("(", "(v, g"), symbols, ["x"], dtype).tolist()

    @pytest.mark.parametrize(
        ("function", "expected"),
        [
            ("group_median()", [2.5, 9.0]),
            ("group_mean()", [2.5, 9.0]),
            ("group_sum()", [10.0, 9.0]),
            ("group_min()", [1.0, 9.0]),
            ("group_max()", [4.0, 9.0]),
            ("group_count()", [4.0, 1.0]),
            ("group_std()", [math.sqrt(1.25), 0.0]),
            ("group_quantile(, 0.5)", [2.0, 9.0]),
            ("group_quantile(, 1)", [4.0, 9.0]),
            ("group_quantile(, 0x0)", [1.0, 9.0]),
        ],
    )
    def test_functions(self, function: str, expected: list[float]) -> None:
        x = [4.0, 1.0, np.nan, 9.0, 3.0, 2.0, 5.0]
        found = self.groups(function, x, [0, 0, 0, 7, 0, 0, -1], "float64")
        a, b = expected
        assert same(found, [a, a, a, b, a, a, np.nan])

    def test_of_none(self) -> None:
        for function in ("median", "mean", "min", "max", "std"):
            found = self.groups(f"group_{function}()", [np.nan], [0], "float32")
            assert same(found, [np.nan])
        assert self.groups("group_sum()", [np.nan], [0], "float32") == [0]
        assert self.groups("group_count()", [np.nan], [0], "float32") == [0]

    def test_sums_in_binary64_rounded_at_the_end(self) -> None:
        big = 2.0**24
        assert self.groups("group_sum()", [big, 1.0, 1.0], [0] * 3, "float32") == [big + 2] * 3
        small = 2.0**-53
        assert self.groups("group_sum()", [1.0, small, small], [0] * 3, "float64") == [1.0] * 3

    def test_infinities_are_ordinary(self) -> None:
        found = self.groups("group_median()", [np.inf, 1.0, -np.inf], [0] * 3, "float32")
        assert found == [1.0] * 3

    def test_over_the_dimensions_of_the_labels(self) -> None:
        symbols = {
            "v": (["frame", "x"], np.array([[1, 2, 3], [10, 20, 60]], "u1")),
            "g": (["x"], np.array([0, 0, 1], "u1")),
        }
        found = evaluate("group_mean(v, g)", symbols, ["frame", "x"], "float32")
        assert found.tolist() == [[1.5, 1.5, 3], [15, 15, 60]]

    def test_values_spread_over_the_labels(self) -> None:
        symbols = {"v": (["frame"], np.array([1, 2])), "g": (["x"], np.array([0, 0, 1]))}
        found = evaluate("group_sum(v, g)", symbols, ["frame", "x"], "float32")
        assert found.tolist() == [[2, 2, 1], [4, 4, 2]]

    def test_order_is_that_of_the_result(self) -> None:
        values = np.array([[1.0, 2.0**60], [-(2.0**60), 1.0]])
        symbols = {"v": (["a", "b"], values), "g": (["b", "a"], np.zeros((2, 2), int))}
        # 1 + 2^60 - 2^60 + 1 and 1 - 2^60 + 2^60 + 1, the first 1 lost in both.
        assert evaluate("group_sum(v, g)", symbols, ["a", "b"], "float64")[0, 0] == 1
        values[0, 1], values[1, 0], values[1, 1] = 2.0**60, 1.0, -(2.0**60)
        assert evaluate("group_sum(v, g)", symbols, ["a", "b"], "float64")[0, 0] == 0
        values[0, 0], values[0, 1], values[1, 0] = 2.0**60, 1.0, -(2.0**60)
        values[1, 1] = 0
        assert evaluate("group_sum(v, g)", symbols, ["a", "b"], "float64")[0, 0] == 0
        assert evaluate("group_sum(v, g)", symbols, ["b", "a"], "float64")[0, 0] == 1


class TestDimensions:
    def test_names_not_places(self) -> None:
        symbols = {
            "d": (["x", "y"], np.array([[1, 2, 3], [4, 5, 6]])),
            "g": (["y", "."], np.array([[10], [20], [30]])),
        }
        found = evaluate("d + g", symbols, ["y", "x"], "int64")
        assert found.tolist() == [[11, 14], [22, 25], [33, 36]]

    def test_position(self) -> None:
        symbols = {"d": (["x", "y"], np.zeros((2, 3), "u1"))}
        found = evaluate("d + position(y) * 10 + position(x)", symbols, ["x", "y"], "int64")
        assert found.tolist() == [[0, 10, 20], [1, 11, 21]]

    def test_ranges(self) -> None:
        symbols = {"d": (["x"], np.array([0], "u2")), "s": (["x"], np.array([0], "i1"))}
        for text, expected in [
            ("d >> 14", (0, 3)),
            ("d & s", (0, 65535)),
            ("s & -3", (-128, 127)),
            ("d | 1", (1, 65535)),
            ("s ^ d", (-65536, 65535)),
            ("abs(s) - d", (-65535, 128)),
            ("div(s, -2)", (-64, 64)),
            ("mod(s, -2)", (-1, 0)),
            ("clip(s, 3, 2)", (2, 2)),
            ("bits(s, 2, 3)", (0, 7)),
            ("where(d > 3, s, 200)", (-128, 200)),
            ("to_integer(1.5, 0, 3, -9)", (-9, 3)),
            ("position(x) + d", (0, 65535)),
        ]:
            nodes = parse(text)
            assert Survey(nodes, symbols, ["x"]).facts[-1].range == expected, text


#: A call of each function that does not take just numbers.
SAMPLES = {
    "clip": "clip(x, 1, 2)",
    "bits": "bits(i, 1, 2)",
    "div": "div(i, 2)",
    "to_integer": "to_integer(x, 0, 3, 9)",
    "position": "position(x) + i",
    "where": "where(x > 1, x, i)",
    "choose": "choose(i & 1, x, i)",
    "interp": "interp(x, t, t)",
    "poly": "poly(x, t)",
    "group_quantile": "group_quantile(x, i, 0.25)",
}
SYMBOLS = {
    "x": (["x"], np.array([0.5, 0.25])),
    "i": (["x"], np.array([0, 1], "u1")),
    "t": (["knot"], np.array([0.0, 1.0])),
}


class TestComplete:
    """Every function and operator of the language is there."""

    @pytest.mark.parametrize("entry", TABLE["functions"], ids=lambda entry: entry["name"])
    def test_functions(self, entry: dict[str, Any]) -> None:
        name, fewest = entry["name"], entry["arguments"][0]
        second = "i" if entry["type"] == "grouped" else "0.5"
        text = SAMPLES.get(name, f"{name}({', '.join(['x', second][:fewest])})")
        dtype = "bool" if entry["type"] == "predicate" else "float64"
        found = evaluate(text, SYMBOLS, ["x"], dtype)
        assert np.isfinite(found).all()

    @pytest.mark.parametrize("entry", TABLE["operators"], ids=lambda entry: entry["symbol"])
    def test_operators(self, entry: dict[str, str]) -> None:
        operand = {"integers": "i", "integer": "i", "bools": "(x > 1)", "bool": "(x > 1)"}
        word = operand.get(entry["operands"], "x")
        symbol = entry["symbol"]
        text = symbol.replace("x", word) if symbol in ("-x", "not x") else f"{word} {symbol} {word}"
        dtype = "bool" if entry["result"] == "bool" else "float64"
        evaluate(text, SYMBOLS, ["x"], dtype)

    @pytest.mark.parametrize("entry", TABLE["constants"], ids=lambda entry: entry["name"])
    def test_constants(self, entry: dict[str, str]) -> None:
        dtype = "bool" if entry["type"] == "bool" else "float32"
        evaluate(f"where(i > 0, {entry['name']}, {entry['name']})", SYMBOLS, ["x"], dtype)
