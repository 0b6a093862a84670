"""Units: their texts, the rule of every operator and function, and the errors with their places."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pint
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import nxformula
from nxformula import Symbol
from nxformula.errors import FormulaError, UnitError
from nxformula.language.checker import check
from nxformula.language.functions import CONSTANT_UNITS, FUNCTIONS, OPERATORS
from nxformula.language.units import check_units
from nxformula.language.units.rules import rule
from nxformula.language.units.texts import TEXT, Unit, one, parse_unit

SCHEMAS = Path(__file__).parents[2] / "schemas" / "units"
TABLE = json.loads((SCHEMAS / "units-1.json").read_text(encoding="ascii"))

#: Symbols without units; tests give some of them units.
SYMBOLS: dict[str, dict[str, Any]] = {
    **{name: {"dtype": "float64"} for name in "abcxyz"},
    **{name: {"dtype": "uint8"} for name in "nmk"},
    "p": {"dtype": "bool"},
    "q": {"dtype": "bool"},
    "image": {"dtype": "float32", "axes": ("i",), "shape": (4,)},
    "label": {"dtype": "uint8", "axes": ("i",), "shape": (4,)},
    "table": {"dtype": "float32", "axes": ("stage",), "shape": (4,)},
    "codes": {"dtype": "int16", "axes": ("stage",), "shape": (4,)},
    "xs": {"dtype": "float32", "axes": ("knot",), "shape": (4,)},
    "ys": {"dtype": "float32", "axes": ("knot",), "shape": (4,)},
}


def derived(text: str, units: dict[str, str | None], declared: str | None = None) -> Unit | None:
    """What the units of symbols make of a formula."""
    formula = nxformula.parse(text)
    symbols = {name: Symbol(**SYMBOLS[name], units=units.get(name)) for name in formula.names}
    axes = ("i",) if any("i" in symbol.axes for symbol in symbols.values()) else ()
    for dtype in ("float64", "bool"):
        try:
            checked = check(formula, symbols, axes=axes, dtype=dtype)
        except FormulaError as error:
            if dtype == "bool" or error.kind != "type":
                raise
        else:
            break
    return check_units(checked, declared)


def unit_of(text: str, **units: str) -> str | None:
    found = derived(text, dict(units))
    return None if found is None else str(found)


def refused(text: str, declared: str | None = None, **units: str) -> UnitError:
    """The error of a formula; `@` marks its place and is left out."""
    at = text.index("@")
    with pytest.raises(UnitError) as caught:
        derived(text.replace("@", "", 1), dict(units), declared)
    assert caught.value.span is not None
    assert caught.value.span[0] == at
    assert caught.value.kind == "unit"
    return caught.value


def alike(a: str, b: str) -> bool:
    return parse_unit(a).ratio(parse_unit(b)) == 1


# The table of names


def test_the_table_follows_its_schema() -> None:
    schema = json.loads((SCHEMAS / "units-1.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(TABLE)) == []


def test_no_text_has_two_meanings() -> None:
    names = Counter(
        prefix + name
        for unit in TABLE["units"]
        for prefix in ["", *[p["name"] for p in TABLE["prefixes"] if unit["prefixes"]]]
        for name in unit["names"]
    )
    symbols = Counter(
        prefix + symbol
        for unit in TABLE["units"]
        for entry in [{"symbols": [""]}, *(TABLE["prefixes"] if unit["prefixes"] else [])]
        for prefix in entry["symbols"]
        for symbol in unit["symbols"]
    )
    assert [text for text, times in (names + symbols).items() if times > 1] in ([], ["bar"])
    refused = {text for entry in TABLE["refused"] for text in entry["texts"]}
    assert refused & set(names) == set()
    assert {text for text in refused if text in symbols} == set()


#: Dimensions of ours that pint counts as pure numbers, or does not have. (Its gauss is that of the
#: CGS system, which has other dimensions.)
OWN = {"count", "electron", "photon", "neutron", "pixel", "frame", "pulse", "celsius", "fahrenheit"}


@pytest.fixture(scope="module")
def reference() -> Any:
    """A registry as pint ships it: facts that this project did not write."""
    return pint.UnitRegistry()


@pytest.mark.parametrize(
    "unit",
    [
        unit
        for unit in TABLE["units"]
        if not OWN & {*unit["dimensions"]} and "gauss" not in unit["names"]
    ],
    ids=lambda unit: unit["names"][0],
)
def test_scales_and_dimensions_are_those_of_pint(unit: dict[str, Any], reference: Any) -> None:
    found = reference.Quantity(1, unit["names"][0]).to_base_units()
    # pint's base unit of mass is the kilogram, as ours; angles are numbers in both.
    assert float(unit["scale"]) == pytest.approx(found.magnitude, rel=1e-9)
    dimensions = {
        name.strip("[]"): value
        for name, value in reference.get_dimensionality(unit["names"][0]).items()
    }
    renamed = {"substance": "amount", "luminosity": "luminosity"}
    assert {renamed.get(name, name): value for name, value in dimensions.items()} == unit[
        "dimensions"
    ]


@pytest.mark.parametrize("prefix", TABLE["prefixes"], ids=lambda prefix: prefix["name"])
def test_prefixes_are_those_of_pint(prefix: dict[str, Any], reference: Any) -> None:
    expected = reference.Quantity(1, prefix["name"] + "metre").to("metre").magnitude
    assert float(prefix["factor"]) == pytest.approx(expected, rel=1e-12)
    for text in [prefix["name"] + "metre", *[symbol + "m" for symbol in prefix["symbols"]]]:
        assert parse_unit(text).ratio(parse_unit("m")) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "other", "ratio"),
    [
        # CODATA 2018 and the SI brochure
        ("eV", "J", 1.602176634e-19),
        ("Da", "kg", 1.66053906660e-27),
        ("angstrom", "nm", 0.1),
        ("barn", "m2", 1e-28),
        ("atm", "Pa", 101325),
        ("torr", "Pa", 101325 / 760),
        ("mbar", "Pa", 100),
        ("gauss", "T", 1e-4),
        ("deg", "rad", math.pi / 180),
        ("arcmin", "deg", 1 / 60),
        ("arcsec", "deg", 1 / 3600),
        ("%", "1", 0.01),
        ("ppm", "%", 1e-4),
        ("day", "s", 86400),
        ("L", "cm3", 1000),
        ("kg", "g", 1000),
        ("N", "kg m s-2", 1),
        ("J", "N m", 1),
        ("W", "V A", 1),
        ("ohm", "V/A", 1),
        ("F", "C/V", 1),
        ("T", "Wb/m2", 1),
        ("H", "Wb/A", 1),
        ("Hz", "1/s", 1),
        ("lx", "lm/m2", 1),
        ("keV/count", "eV/count", 1000),
    ],
)
def test_ratios_of_units(text: str, other: str, ratio: float) -> None:
    assert parse_unit(text).ratio(parse_unit(other)) == pytest.approx(ratio, rel=1e-9)


# Texts


@pytest.mark.parametrize(
    ("text", "same"),
    [
        *[(text, "count") for text in ("counts", "Count", "COUNTS", "ADU", "adu", "DN", "dn")],
        *[(text, "electron") for text in ("electrons", "Electron")],
        *[(text, "photon") for text in ("photons", "PHOTONS")],
        *[(text, "1/keV") for text in ("keV-1", "keV^-1", "keV**-1", "keV ^ -1", "1 / keV")],
        *[(text, "m/s") for text in ("m s-1", "m*s-1", "m.s-1", "m per s", "meter per second")],
        *[(text, "angstrom") for text in ("Angstrom", "angstroms", "ANGSTROM", "\u00c5", "\u212b")],
        *[(text, "degree") for text in ("deg", "degrees", "Degrees", "\u00b0")],
        *[(text, "1") for text in ("", "  ", "dimensionless", "unitless", "1", "1/1", "m/m", "m0")],
        ("rad", "1"),
        ("%", "percent"),
        ("photons/s", "photon s^-1"),
        ("keV/ADU", "keV count-1"),
        ("kg.m2.s-2", "J"),
        ("kg m^2/s^2", "J"),
        ("m/s/s", "m s-2"),
        ("(m/s)2", "m2 s-2"),
        ("(m/s)^-1", "s/m"),
        ("photon/(m2 s)", "photon m-2 s-1"),
        ("1/(m s)", "m-1 s-1"),
        ("m^0.5", "m**0.500"),
        ("cT", "centitesla"),
        ("pH", "picohenry"),
        ("m+2", "m2"),
        ("cm\u207b\u00b9", "cm-1"),
        ("m s\u22121", "m s-1"),
        ("\u00b5m", "um"),
        ("\u03bcm", "um"),
        ("micron", "um"),
        ("micrometers", "um"),
        ("k\u2126", "kiloohm"),
        ("electron_volt", "eV"),
        (" \tkeV\n", "keV"),
        ("m\u00a0s-1", "m/s"),
        ("m\n*\ns", "m s"),
        ("(" * 60 + "keV" + ")" * 60, "keV"),
    ],
)
def test_texts_that_mean_the_same(text: str, same: str) -> None:
    assert alike(text, same)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("count", "electron"),
        ("count", "photon"),
        ("electron", "photon"),
        ("count", "1"),
        ("pixel", "1"),
        ("deg", "rad"),
        ("%", "1"),
        ("K", "degC"),
        ("degC", "degF"),
        ("meV", "MeV"),
        ("ms", "Ms"),
        ("m s", "ms"),
        ("min", "m"),
        ("h", "H"),
        ("g", "gauss"),
        ("m/s s", "m/(s s)"),
    ],
)
def test_texts_that_differ(text: str, other: str) -> None:
    assert not alike(text, other)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("ph", "write 'photon'"),
        ("Ph", "write 'photon'"),
        ("ph/s", "write 'photon'"),
        ("1/(ph s)", "write 'photon'"),
        ("e-", "write 'electron'"),
        ("e", "write 'electron'"),
        ("e-/ADU", "for 'e-' write 'electron'"),
        ("ADU/e-", "write 'electron'"),
        ("ct", "write 'count'"),
        ("cts/s", "write 'count/s'"),
        ("cts/keV", "write 'count'"),
        ("cps", "write 'count/s'"),
        ("msec", "write 'ms'"),
        ("usec", "write 'us'"),
        ("a.u.", "leave the units out"),
        ("arb. units", "leave the units out"),
        ("unknown", "leave the units out"),
        ("n/a", "leave the units out"),
        ("kev", "did you mean 'keV'?"),
        ("KEV", "did you mean 'keV'?"),
        ("Mev", "did you mean 'MeV'?"),
        ("mev", "did you mean 'meV'?"),
        ("MEV", "did you mean 'MeV'?"),
        ("hz", "did you mean 'Hz'?"),
        ("photn", "did you mean 'photon'?"),
        ("angstroem", "did you mean 'angstrom'?"),
        ("flurbs", "'flurbs' is unknown"),
        ("bits", "'bits' is unknown"),
        ("keVkeV", "'keVkeV' is unknown"),
        ("kpixel", "unknown"),
        ("mdeg", "unknown"),
        ("12.398 keV", "only 1 can stand in a unit"),
        ("2", "only 1"),
        ("10 m", "only 1"),
        ("1.0", "only 1"),
        ("1e3 m", "only 1"),
        ("m 2", "only 1"),
        ("m^1/2", "only 1"),
        ("m-1.5", "only 1"),
        ("1keV", "needs a blank or '*' before it"),
        ("m^1e5", "needs a blank"),
        ("m(s)", "needs a blank"),
        ("9**9**9", "only 1"),
        ("m**9**9", "a name is missing before '*'"),
        ("m//s", "a name is missing before '/'"),
        ("/s", "a name is missing before '/'"),
        ("per s", "a name is missing before 'per'"),
        ("m*", "a name is missing"),
        ("m per", "a name is missing"),
        ("()", "a name is missing before ')'"),
        ("(m", "a closing bracket is missing"),
        ("m)", "an opening bracket is missing"),
        ("m +2", "'+' cannot stand there"),
        ("m - 1", "'-' cannot stand there"),
        ("m^(1/2)", "'^' cannot stand there"),
        ("m^.5", "'^' cannot stand there"),
        ("__import__('os')", "'_' cannot stand there"),
        ("m; import os", "';' cannot stand there"),
        ("m\0", "cannot stand there"),
        ("m\x1b[31m", "cannot stand there"),
        ("\ud800", "cannot stand there"),
        ("m\u200b", "cannot stand there"),
        ("m\u2003s", "cannot stand there"),
        ("m\x1cs", "cannot stand there"),
        ("\uff11", "cannot stand there"),
        ("\u043a\u044d\u0412", "is unknown"),
        ("m100", "beyond 99"),
        ("m-100", "beyond 99"),
        ("m50 m50", "beyond 99"),
        ("(m50)2", "beyond 99"),
        ("m^0.3333", "more than three decimals"),
        ("m^" + "9" * 100, "beyond 99"),
        ("m^0." + "3" * 100, "more than three decimals"),
        ("x" * TEXT, "is unknown"),
        ("x" * (TEXT + 1), "limit is 128"),
        ("keV " * 25_000, "limit is 128"),
        ("(" * 100_000, "limit is 128"),
        ("(" * TEXT, "a name is missing"),
        ("9" * TEXT, "only 1"),
        ("m-" * 60, "unknown"),
        ("a_" * 64, "unknown"),
    ],
)
def test_texts_that_are_refused(text: str, part: str) -> None:
    parse_unit("m")
    before = time.perf_counter()
    with pytest.raises(UnitError) as caught:
        parse_unit(text)
    elapsed = time.perf_counter() - before
    assert part in str(caught.value)
    assert caught.value.kind == "unit"
    assert caught.value.span is None
    assert len(caught.value.message) < 250
    assert str(caught.value).isprintable()
    assert elapsed < 0.05


@given(st.text(max_size=20) | st.text("keVmsphon0123456789 -+*/^.()%_1", max_size=20))
@settings(deadline=None, max_examples=300)
def test_any_text_is_a_unit_or_an_error(text: str) -> None:
    try:
        found = parse_unit(text)
    except UnitError as error:
        shown = str(error)
    else:
        shown = str(found * one())
        assert found.ratio(parse_unit(str(found))) == 1
        assert found.ratio(parse_unit(shown)) == 1
    assert shown.isprintable()


def test_a_text_is_shown_as_it_was_written_until_it_is_combined() -> None:
    assert str(parse_unit(" ADU / keV ")) == "ADU / keV"
    assert str(parse_unit("ADU/keV") * parse_unit("keV")) == "count"
    assert str(parse_unit("")) == str(one()) == "1"
    assert str(parse_unit("m2") / parse_unit("s")) == "m^2/s"
    assert str(parse_unit("eV") / parse_unit("m s2")) == "eV/m/s^2"
    assert str(one() / parse_unit("keV")) == "1/keV"
    assert str(parse_unit("m") ** Fraction(1, 2)) == "m^0.5"
    assert str(parse_unit("\u00c5") * one()) == "angstrom"
    assert str(parse_unit("m") ** Fraction(0)) == "1"


@pytest.mark.parametrize("exponent", [99, -99])
def test_extreme_scales_do_not_overflow(exponent: int) -> None:
    ratio = (parse_unit("yg") ** Fraction(exponent)).ratio(parse_unit("Yg") ** Fraction(exponent))
    assert ratio is not None
    assert ratio > 0
    assert not math.isinf(ratio)
    assert ratio != 1


# Rules

#: Operators and functions by what their rule is, as the language says it.
SAME = ["a + b", "a - b", "min(a, b)", "max(a, b)", "mod(a, b)", "hypot(a, b)"]
COMPARE = [f"a {operator} b" for operator in ("==", "!=", "<", "<=", ">", ">=")]
KEEP = ["-a", "abs(a)", "round(a)", "floor(a)", "ceil(a)", "to_integer(a, 0, 9, -1)", "(a)"]
GROUPED = ["median", "mean", "sum", "min", "max", "std"]
NUMBERS = ["exp", "expm1", "log", "log1p", "log2", "log10", "sinh", "cosh", "tanh"]
ANGLES = ["sin", "cos", "tan"]
INVERSES = ["asin", "acos", "atan"]
BITS = ["n << 1", "n >> 1", "n & m", "n ^ m", "n | m", "bits(n, 0, 2)"]


def test_every_rule_has_a_function() -> None:
    used = {entry.units for entry in [*FUNCTIONS.values(), *OPERATORS.values()]}
    for name in used | set(CONSTANT_UNITS.values()):
        assert callable(rule(name))


@pytest.mark.parametrize("text", SAME)
class TestSame:
    def test_equal_units(self, text: str) -> None:
        assert unit_of(text, a="keV", b="keV") == "keV"
        assert unit_of(text, a="counts", b="ADU") == "counts"
        assert unit_of(text, a="J", b="kg m2 s-2") == "J"

    def test_one_open(self, text: str) -> None:
        assert unit_of(text, a="keV") == "keV"
        assert unit_of(text, b="keV") == "keV"
        assert unit_of(text.replace("b", "3"), a="keV") == "keV"
        assert unit_of(text.replace("b", "nan"), a="keV") == "keV"
        assert unit_of(text.replace("b", "(n & m)"), a="keV") == "keV"

    def test_another_dimension(self, text: str) -> None:
        name = text.split("(")[0] if "(" in text else text[2]
        error = refused(text.replace(name, "@" + name), a="keV", b="count")
        assert error.message.startswith(f"'{name}' takes values of one unit, found keV and count;")
        assert "factor" not in error.message

    def test_another_scale(self, text: str) -> None:
        name = text.split("(")[0] if "(" in text else text[2]
        marked = text.replace(name, "@" + name)
        for a, b in (("keV", "eV"), ("eV", "keV")):
            error = refused(marked, a=a, b=b)
            assert f"found {a} and {b}, which differ by the factor 1000;" in error.message
            assert f"multiply the {b} by a symbol in {a}/{b}" in error.message
        assert "found 1 (no unit) and %" in refused(marked, a="", b="%").message
        refused(marked, a="1", b="deg")


@pytest.mark.parametrize("text", COMPARE)
def test_comparisons(text: str) -> None:
    assert unit_of(text, a="keV", b="keV") is None
    assert unit_of(text, a="keV") is None
    assert unit_of(text.replace("b", "3"), a="keV") is None
    at = text.replace("a ", "a @")
    assert "factor 1000" in refused(at, a="keV", b="eV").message
    assert "found keV and count" in refused(at, a="keV", b="count").message


def test_more_than_two_values() -> None:
    assert unit_of("min(a, 3, b, c)", b="keV", c="keV") == "keV"
    assert unit_of("clip(a, 0, b)", b="keV") == "keV"
    for text in ("@min(a, b, 1, c)", "@max(a, b, c)", "@clip(a, b, c)", "@clip(1, b, c)"):
        assert "found keV and eV" in refused(text, b="keV", c="eV").message


@pytest.mark.parametrize("text", KEEP)
def test_what_keeps_the_unit(text: str) -> None:
    assert unit_of(text, a="ADU") == "ADU"
    assert unit_of(f"{text} * b", b="keV") is None


@pytest.mark.parametrize("name", GROUPED)
def test_grouped_reductions_keep_the_unit(name: str) -> None:
    assert unit_of(f"group_{name}(image, label)", image="ADU") == "ADU"
    assert unit_of(f"group_{name}(image, label)", image="ADU", label="keV") == "ADU"
    assert unit_of(f"group_{name}(where(image > 0, image, nan), label)", image="ADU") == "ADU"
    assert unit_of(f"b * group_{name}(image, label)", b="keV") is None


def test_other_grouped_reductions() -> None:
    assert unit_of("group_quantile(image, label, 0.5)", image="ADU") == "ADU"
    assert unit_of("group_count(image, label)", image="ADU") == "1"
    refused("image @- group_count(image, label)", image="ADU")
    refused("image @- group_median(a * image, label)", image="ADU", a="keV")


@pytest.mark.parametrize(
    ("text", "units", "expected"),
    [
        ("a * b", {"a": "keV", "b": "count"}, "count*keV"),
        ("a / b", {"a": "keV", "b": "count"}, "keV/count"),
        ("a / b", {"a": "keV", "b": "eV"}, "keV/eV"),
        ("a / b", {"a": "keV", "b": "keV"}, "1"),
        ("a * b", {"a": "count", "b": "keV/count"}, "keV"),
        ("a * b * c", {"a": "m", "b": "m", "c": "1/m"}, "m"),
        ("2 * a", {"a": "keV"}, "keV"),
        ("a * 2", {"a": "counts"}, "counts"),
        ("a / 2", {"a": "counts"}, "counts"),
        ("2 / a", {"a": "keV"}, "1/keV"),
        ("-2 / a", {"a": "keV"}, "1/keV"),
        ("(1 + 2) * 3 / a", {"a": "keV"}, "1/keV"),
        ("a * (1 << 4)", {"a": "keV"}, "keV"),
        ("a * where(p, 1, -1)", {"a": "keV"}, "keV"),
        ("a * where(p, 1, nan)", {"a": "keV"}, "keV"),
        ("a * where(p, inf, 0)", {"a": "keV"}, "keV"),
        ("a * sqrt(2)", {"a": "keV"}, "keV"),
        ("a * 2 ** 3", {"a": "keV"}, "keV"),
        ("a * 2 ** n", {"a": "keV"}, "keV"),
        ("a * pi", {"a": "rad"}, "rad"),
        ("a * b", {"a": "keV"}, None),
        ("b / a", {"a": "keV"}, None),
        ("a * (n & m)", {"a": "keV"}, None),
        ("a * position(i) + 0 * image", {"a": "keV"}, None),
        ("a * codes[n]", {"a": "keV"}, None),
        ("a * codes[n]", {"a": "keV", "codes": "1/keV"}, "1"),
        ("a * b + c", {"a": "keV", "c": "count"}, "count"),
        ("div(n, k + 1)", {"n": "count", "k": "frame"}, "count/frame"),
        ("div(n, 2)", {"n": "count"}, "count"),
        ("div(n, k + 1)", {"n": "count"}, None),
    ],
)
def test_products_and_quotients(text: str, units: dict[str, str], expected: str | None) -> None:
    assert unit_of(text, **units) == expected


@pytest.mark.parametrize(
    ("text", "units", "expected"),
    [
        ("a ** 2", {"a": "m"}, "m^2"),
        ("a ** -2", {"a": "m/s"}, "s^2/m^2"),
        ("a ** 0.5", {"a": "m2"}, "m"),
        ("a ** 1.5", {"a": "m"}, "m^1.5"),
        ("a ** 0", {"a": "m"}, "1"),
        ("a ** 0.1", {"a": "m10"}, "m"),
        ("a ** 1e1", {"a": "m"}, "m^10"),
        ("a ** 0x2", {"a": "m"}, "m^2"),
        ("(-a) ** 2", {"a": "m"}, "m^2"),
        ("a ** b", {"a": "1"}, "1"),
        ("a ** b", {"a": "1", "b": "1"}, "1"),
        ("a ** b", {"a": "rad"}, "1"),
        ("a ** 2", {"b": "m"}, None),
        ("a ** b", {"b": "1"}, None),
        ("2 ** b", {"b": "1"}, "1"),
        ("sqrt(a)", {"a": "m2"}, "m"),
        ("sqrt(a)", {"a": "count"}, "count^0.5"),
        ("sqrt(a * b)", {"a": "count", "b": "count"}, "count"),
        ("sqrt(sqrt(a))", {"a": "m"}, "m^0.25"),
        ("sqrt(a) * b", {"b": "m"}, None),
    ],
)
def test_powers_and_roots(text: str, units: dict[str, str], expected: str | None) -> None:
    assert unit_of(text, **units) == expected


@pytest.mark.parametrize(
    ("text", "units", "part"),
    [
        ("a @** b", {"a": "m"}, "needs a literal exponent"),
        ("a @** n", {"a": "m", "n": "1"}, "needs a literal exponent"),
        ("a @** (1 / 2)", {"a": "m"}, "needs a literal exponent"),
        ("a @** b", {"a": "%"}, "needs a literal exponent"),
        ("a @** b", {"b": "keV"}, "an exponent without unit"),
        ("2 @** b", {"b": "%"}, "factor 100"),
        ("a @** 100", {"a": "m"}, "beyond 99"),
        ("a @** 0.3333", {"a": "m"}, "three decimals"),
        ("a @** 1e300", {"a": "m"}, "beyond 99"),
        ("a @** 18446744073709551615", {"a": "m"}, "beyond 99"),
        ("a @** 1e-300", {"a": "m"}, "three decimals"),
        ("(a ** 50) @* (a ** 50)", {"a": "m"}, "beyond 99"),
        ("1 / (a @** 50)", {"a": "m2"}, "beyond 99"),
        ("@sqrt(sqrt(sqrt(sqrt(a))))", {"a": "m"}, "three decimals"),
        ("a @* sqrt(a)", {"a": "m^99"}, "beyond 99"),
        ("@sqrt(a)", {"a": "m^0.001"}, "three decimals"),
    ],
)
def test_powers_that_are_refused(text: str, units: dict[str, str], part: str) -> None:
    assert part in refused(text, **units).message


@pytest.mark.parametrize("name", NUMBERS)
def test_functions_of_numbers(name: str) -> None:
    assert unit_of(f"{name}(a)", a="1") == "1"
    assert unit_of(f"{name}(a) * b", b="keV") == "keV"
    assert unit_of(f"{name}(a / b)", a="keV", b="keV") == "1"
    assert unit_of(f"{name}(a)", a="rad") == "1"
    assert "found keV;" in refused(f"@{name}(a)", a="keV").message
    assert "divide it by a value in keV" in refused(f"@{name}(a)", a="keV").message
    assert "differs from 1 by the factor 57.2958" in refused(f"@{name}(a)", a="deg").message
    assert "differs from 1 by the factor 100;" in refused(f"@{name}(a)", a="%").message
    refused(f"@{name}(a / b)", a="keV", b="eV")


@pytest.mark.parametrize("name", ANGLES)
def test_functions_of_angles(name: str) -> None:
    assert unit_of(f"{name}(a)", a="rad") == "1"
    assert unit_of(f"{name}(a)", a="1") == "1"
    assert unit_of(f"b * {name}(a)", b="m") == "m"
    assert unit_of(f"{name}(a * b)", a="deg", b="rad/deg") == "1"
    assert "takes an angle in rad, found deg" in refused(f"@{name}(a)", a="deg").message
    assert "factor 57.2958" in refused(f"@{name}(a)", a="deg").message
    assert "factor 1000;" in refused(f"@{name}(a)", a="mrad").message
    refused(f"@{name}(a)", a="keV")


@pytest.mark.parametrize("name", INVERSES)
def test_functions_that_give_angles(name: str) -> None:
    assert unit_of(f"{name}(a)", a="1") == "rad"
    assert unit_of(f"{name}(a) + b", b="rad") == "rad"
    assert unit_of(f"sin({name}(a)) * b", b="m") == "m"
    refused(f"@{name}(a)", a="%")
    refused(f"@{name}(a)", a="m")
    refused(f"{name}(a) @+ b", b="deg")


def test_the_angle_of_a_point() -> None:
    assert unit_of("atan2(a, b)", a="mm", b="mm") == "rad"
    assert unit_of("atan2(a, 1)", a="mm") == "rad"
    assert unit_of("atan2(a, b) * c", c="m") == "m*rad"
    assert "factor 1000" in refused("@atan2(a, b)", a="mm", b="m").message
    refused("@atan2(a, b)", a="mm", b="keV")


def test_signs_and_conditions() -> None:
    assert unit_of("sign(a)", a="keV") == "1"
    assert unit_of("sign(a) * b", a="keV", b="count") == "count"
    for text in ("isnan(a)", "isfinite(a)", "not p", "p and q", "p or q", "p and a > 0", "true"):
        assert unit_of(text, a="keV") is None
    assert unit_of("where(a > 0 and not q, b, c)", a="keV", b="m", c="m") == "m"
    assert unit_of("not p", p="keV") is None


@pytest.mark.parametrize("text", BITS)
def test_bit_operators_leave_the_unit_open(text: str) -> None:
    assert unit_of(text, n="count", m="keV") is None
    assert unit_of(f"a - ({text})", a="count", n="keV") == "count"
    assert unit_of(f"a * ({text})", a="count", n="count", m="count") is None


def test_positions_have_no_unit() -> None:
    assert unit_of("image - position(i)", image="mm") == "mm"
    assert unit_of("image * position(i)", image="mm") is None


def test_selection() -> None:
    assert unit_of("where(p, a, b)", a="keV", b="keV") == "keV"
    assert unit_of("where(p, a, 0)", a="keV") == "keV"
    assert unit_of("where(p, nan, a)", a="keV") == "keV"
    assert unit_of("where(p, b, a)", a="keV") == "keV"
    assert unit_of("where(p, 1, 0)", p="keV") is None
    assert unit_of("choose(n & 1, a, b)", a="keV", b="keV") == "keV"
    assert unit_of("choose(n & 1, 0, b)", n="count", b="keV") == "keV"
    assert "factor 1000" in refused("@where(p, a, b)", a="keV", b="eV").message
    assert "found keV and count" in refused("@choose(n & 1, a, b)", a="keV", b="count").message


def test_tables() -> None:
    assert unit_of("table[n]", table="keV") == "keV"
    assert unit_of("table[stage = n]", table="keV", n="count") == "keV"
    assert unit_of("table[n, else = 0]", table="keV") == "keV"
    assert unit_of("table[n, else = a]", table="keV", a="keV") == "keV"
    assert unit_of("table[n, else = a]", a="keV") == "keV"
    assert unit_of("(a - table[n]) / table[n + 1]", a="keV", table="keV") == "1"
    message = refused("1 + @table[n, else = a]", table="keV", a="eV").message
    assert message.startswith("'else' takes values of one unit, found keV and eV, which differ")
    refused("table[n] @+ a", table="keV", a="count")


def test_interpolation() -> None:
    assert unit_of("interp(a, xs, ys)", a="K", xs="K", ys="keV") == "keV"
    assert unit_of("interp(a, xs, ys)", xs="K", ys="keV") == "keV"
    assert unit_of("interp(3, xs, ys)", xs="K", ys="keV") == "keV"
    assert unit_of("interp(a, xs, ys)", a="K", ys="keV") == "keV"
    assert unit_of("interp(a, xs, ys)", a="K", xs="K") is None
    assert "found K and mK" in refused("@interp(a, xs, ys)", a="K", xs="mK", ys="keV").message
    refused("@interp(a, xs, ys)", a="degC", xs="K", ys="keV")


def test_polynomials() -> None:
    assert unit_of("poly(a, ys)", a="1", ys="keV") == "keV"
    assert unit_of("poly(a, ys)", ys="keV") == "keV"
    assert unit_of("poly(2, ys)", ys="keV") == "keV"
    assert unit_of("poly(a, ys)", a="count") is None
    assert "found count" in refused("@poly(a, ys)", a="count", ys="keV").message
    assert "factor 100" in refused("@poly(a, ys)", a="%", ys="keV").message


def test_constants() -> None:
    assert unit_of("a * nan", a="keV") == "keV"
    assert unit_of("a + inf", a="keV") == "keV"
    assert unit_of("a + pi", a="rad") == "rad"
    assert "found deg and 1 (no unit)" in refused("a @+ pi", a="deg").message
    assert unit_of("where(true, a, nan)", a="keV") == "keV"


def test_definitions_carry_units() -> None:
    text = "let e = a / b; let again = e; again + c"
    assert unit_of(text, a="count", b="count/keV", c="keV") == "keV"
    refused("let e = a / b; let again = e; again @+ c", a="count", b="count/keV", c="eV")
    refused("let unused = a @+ b; c", a="keV", b="eV", c="keV")
    assert unit_of("let two = 2; a * two", a="keV") == "keV"
    refused("let two = 2; a @** two", a="keV")


def test_nothing_is_checked_where_nothing_has_units() -> None:
    assert unit_of("sin(exp(a) + 1) * pi ** b") is None
    assert derived("a + b", {"c": "keV"}) is None


def test_places_are_lines_and_columns() -> None:
    error = refused("let x = a;\n  x\n\t@- b", a="keV", b="eV")
    assert (error.line, error.column) == (3, 2)
    error = refused("a +\n  @exp(b)", b="eV")
    assert (error.line, error.column) == (2, 3)
    assert str(error).splitlines()[-1] == "      ^^^"


def test_the_first_error_in_evaluation_order_counts() -> None:
    refused("@exp(a) + log(a)", a="keV")
    refused("(a @+ b) + exp(a)", a="keV", b="eV")
    refused("let x = @sin(a); x + exp(a)", a="keV")
    refused("@a + exp(b)", a="flurb", b="keV")
    refused("@exp(b) + a", a="flurb", b="keV")


def test_symbols_whose_units_cannot_be_read() -> None:
    error = refused("1 + @a", a="ph")
    assert error.message.startswith("units of 'a': cannot read the unit 'ph': write 'photon';")
    assert "units of 'table'" in str(refused("1 + @table[n]", table="e-"))
    assert derived("b", {"a": "ph", "b": "keV"}) is not None


# The declared unit of the result


def test_the_declared_unit() -> None:
    for declared in ("keV", "keV ", "count keV/ADU"):
        found = derived("a / b", {"a": "counts", "b": "counts/keV"}, declared)
        assert str(found) == "keV"
    assert derived("a / b", {"a": "counts"}, "keV") is None
    assert derived("a / 2", {}, "keV") is None
    assert derived("2", {}, "keV") is None
    assert str(derived("exp(a)", {}, "1")) == "1"
    assert str(derived("exp(a)", {}, "")) == "1"


@pytest.mark.parametrize(
    ("text", "declared", "part"),
    [
        ("a @/ b", "eV", "the result is in keV, declared is eV, which differ by the factor 1000;"),
        ("a @/ b", "count", "the result is in keV, declared is count;"),
        ("a @/ b", "", "the result is in keV, declared is 1;"),
        ("@exp(a / a)", "keV", "the result is in 1, declared is keV"),
        ("let x = a; @x", "keV", "the result is in count, declared is keV"),
        ("(@a)", "keV", "the result is in count, declared is keV"),
        ("@-a", "keV", "the result is in count"),
        ("@table[n]", "keV", "the result is in K"),
        ("@a", "ph", "units of the result: cannot read the unit 'ph': write 'photon'"),
        ("a @> 0", "keV", "the result is a bool, which has no unit; declared is keV"),
        ("@c", "x" * 1000, "limit is 128"),
    ],
)
def test_another_declared_unit(text: str, declared: str, part: str) -> None:
    units = {"a": "count", "b": "count/keV", "table": "K"}
    assert part in refused(text, declared, **units).message


def test_a_bool_can_be_declared_a_number() -> None:
    assert derived("a > 0", {"a": "keV"}, "1") is None
    assert derived("a > 0", {"a": "keV"}, "") is None


# Missing and empty units


def test_empty_units_are_those_of_a_number_and_missing_ones_are_open() -> None:
    assert Symbol("uint8").units is None
    assert Symbol("uint8", units=" ").units == ""
    assert unit_of("a", a="") == "1"
    assert derived("a * b", {"a": "", "b": "keV"}) is not None
    assert derived("a * b", {"a": None, "b": "keV"}) is None
    refused("a @+ b", a="", b="keV")


def test_compile_and_evaluate_check_units() -> None:
    symbols = {"a": Symbol("float32", units="keV"), "b": Symbol("float32", units="eV")}
    with pytest.raises(UnitError) as caught:
        nxformula.compile("a + b", symbols, axes=())
    assert (caught.value.line, caught.value.column) == (1, 3)
    with pytest.raises(UnitError):
        nxformula.compile("a / b", symbols, axes=(), units="keV")
    with pytest.raises(UnitError):
        nxformula.evaluate("a + b", {"a": ((), 1.0, "keV"), "b": ((), 1.0, "eV")}, axes=())
    assert nxformula.evaluate("a + b", {"a": ((), 1.0, "eV"), "b": ((), 2.0)}, axes=()) == 3


# Properties

#: Symbols with units, and their exponents of count, length, time and energy.
KNOWN = {
    "a": ("count", (1, 0, 0, 0)),
    "b": ("m", (0, 1, 0, 0)),
    "c": ("s", (0, 0, 1, 0)),
    "x": ("eV", (0, 0, 0, 1)),
    "y": ("count/(eV s)", (1, 0, -1, -1)),
    "z": ("m2 s^-0.5", (0, 2, Fraction(-1, 2), 0)),
}
BASES = ("count", "m", "s", "eV")
Vector = tuple[Fraction, ...]


def leaves() -> st.SearchStrategy[tuple[str, Vector]]:
    known = [(name, tuple(map(Fraction, vector))) for name, (_, vector) in KNOWN.items()]
    return st.sampled_from([*known, ("2.5", (Fraction(0),) * 4)])


def grown(inner: st.SearchStrategy[tuple[str, Vector]]) -> st.SearchStrategy[tuple[str, Vector]]:
    def product(pair: Any) -> tuple[str, Vector]:
        (left, a), (right, b) = pair
        return f"({left} * {right})", tuple(x + y for x, y in zip(a, b, strict=True))

    def quotient(pair: Any) -> tuple[str, Vector]:
        (left, a), (right, b) = pair
        return f"({left} / {right})", tuple(x - y for x, y in zip(a, b, strict=True))

    def power(pair: Any) -> tuple[str, Vector]:
        (base, a), exponent = pair
        return f"({base} ** {exponent})", tuple(x * Fraction(exponent) for x in a)

    def root(one: tuple[str, Vector]) -> tuple[str, Vector]:
        return f"sqrt({one[0]})", tuple(x / 2 for x in one[1])

    pairs = st.tuples(inner, inner)
    exponents = st.sampled_from(["2", "-1", "0.5", "0", "-2"])
    powers = st.tuples(inner, exponents).map(power)
    return pairs.map(product) | pairs.map(quotient) | powers | inner.map(root)


@given(st.recursive(leaves(), grown, max_leaves=6))
@settings(deadline=None, max_examples=200)
def test_units_of_products_are_sums_of_exponents(tree: tuple[str, Vector]) -> None:
    text, vector = tree
    units: dict[str, str | None] = {name: unit for name, (unit, _) in KNOWN.items()}
    # Beyond this, exponents on the way could be larger than 99, or have more than three decimals.
    assume(text.count("**") < 4)
    assume(text.count("sqrt") + text.count("** 0.5") < 3)
    found = derived(text, units)
    parts = [f"{name}^{float(value):g}" for name, value in zip(BASES, vector, strict=True)]
    expected = parse_unit(" ".join(parts))
    assert (found or one()).ratio(expected) == 1
    times_keV = (found or one()).ratio(expected * parse_unit("keV") / parse_unit("eV"))
    assert times_keV == pytest.approx(1e-3)
    if found is not None:
        assert parse_unit(str(found)).ratio(found) == 1


NAMES = st.sampled_from(["count", "keV", "mm", "photon", "deg", "%", "kg", "us", "degC", "Ohm"])
EXPONENTS = st.sampled_from([1, 2, -1, -2, Fraction(1, 2), Fraction(-3, 2), Fraction(1, 1000), 9])


@given(st.lists(st.tuples(NAMES, EXPONENTS), max_size=6))
@settings(deadline=None, max_examples=200)
def test_derived_texts_read_back(parts: list[tuple[str, Fraction]]) -> None:
    found = one()
    for name, exponent in parts:
        found = found * parse_unit(name) ** Fraction(exponent)
    again = parse_unit(str(found))
    assert again.ratio(found) == 1
    assert again.exponents == found.exponents
    assert str(again * one()) == str(found)
