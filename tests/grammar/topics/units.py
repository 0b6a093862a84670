"""Units: what texts mean, the rule of every operator and function, and where errors are.

Values are so simple that they are written by hand: what counts here is units.
"""

from __future__ import annotations

from typing import Any

from topics.kit import Topic, inf, nan, symbol, words_of

#: Values of the symbols.
A, B, C, N, M = 2.0, 4.0, 8.0, 6, 3
TABLE = [1.0, 2.0, 4.0]
IMAGE, LABEL = [1.0, 2.0, 4.0, 8.0], [0, 0, 1, 1]


def given(formula: str, **units: str) -> dict[str, Any]:
    """The symbols of a formula, some of them with units."""
    found = {
        "a": symbol("float64", "", A),
        "b": symbol("float64", "", B),
        "c": symbol("float64", "", C),
        "zero": symbol("float64", "", 0.0),
        "n": symbol("uint8", "", N),
        "m": symbol("uint8", "", M),
        "p": symbol("bool", "", True),
        "t": symbol("float64", "k", TABLE),
        "s": symbol("float64", "k", TABLE),
        "image": symbol("float64", "i", IMAGE),
        "label": symbol("uint8", "i", LABEL),
    }
    for name, text in units.items():
        found[name]["units"] = text
    return {name: found[name] for name in found if name in words_of(formula)}


class Units(Topic):
    """Vectors with units; symbols that the formula does not name are left out."""

    def fits(
        self,
        name: str,
        formula: str,
        values: Any,
        result: str | None,
        declared: str | None = None,
        **units: str,
    ) -> None:
        is_inexact = "**" in formula or words_of(formula) & FUNCTIONS
        self.gives(
            name,
            formula,
            values,
            dtype="bool" if isinstance(values, bool) else "float64",
            ulp=4 if is_inexact else None,
            units=declared,
            gives_units=result,
            **given(formula, **units),
        )

    def fails(
        self,
        name: str,
        marked: str,
        declared: str | None = None,
        dtype: str = "float64",
        **units: str,
    ) -> None:
        symbols = given(marked, **units)
        self.refuses(name, marked, "unit", units=declared, dtype=dtype, **symbols)


#: Functions that are exact to 4 units in the last place.
FUNCTIONS = {
    *("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos"),
    *("atan", "atan2", "sinh", "cosh", "tanh", "hypot"),
}


def units_texts() -> Topic:
    topic = Units("units_texts", "Texts of units that mean the same, and that mean none.", "units")
    same = {
        "plural": ("counts", "count"),
        "upper-case-name": ("COUNT", "count"),
        "adu": ("ADU", "count"),
        "adu-in-lower-case": ("adu", "count"),
        "dn": ("DN", "counts"),
        "electrons": ("electrons", "electron"),
        "photons-per-second": ("photons/s", "photon s-1"),
        "keV-per-adu": ("keV/ADU", "keV count-1"),
        "reciprocal": ("1/keV", "keV-1"),
        "caret": ("keV^-1", "keV-1"),
        "stars": ("keV ** -1", "keV-1"),
        "blank-is-a-product": ("m s-1", "m/s"),
        "point-is-a-product": ("kg.m2.s-2", "J"),
        "star-is-a-product": ("kg*m*m", "kg m2"),
        "per": ("m per s", "m/s"),
        "per-in-upper-case": ("m PER s", "m/s"),
        "from-the-left": ("m/s/s", "m s-2"),
        "product-after-a-quotient": ("J/kg K", "J K kg-1"),
        "brackets": ("J/(kg K)", "J kg-1 K-1"),
        "power-of-brackets": ("(m/s)2", "m2 s-2"),
        "nested-brackets": ("((m)/((s)))", "m/s"),
        "half": ("m^0.5", "m**0.500"),
        "sign-of-an-exponent": ("m+2", "m2"),
        "exponent-of-99": ("m99", "m^99"),
        "white-space": ("\t m\n /\r s ", "m/s"),
        "no-break-space": ("m\u00a0s-1", "m/s"),
        "angstrom": ("Angstrom", "angstrom"),
        "angstrom-sign": ("\u212b", "angstroms"),
        "letter-a-with-ring": ("\u00c5", "angstrom"),
        "micro-sign": ("\u00b5m", "um"),
        "greek-mu": ("\u03bcm", "micron"),
        "superscripts": ("cm\u207b\u00b9", "cm-1"),
        "minus-sign": ("s\u22121", "Hz"),
        "degree-sign": ("\u00b0", "deg"),
        "percent": ("%", "percent"),
        "empty": ("", "1"),
        "blank": (" ", "dimensionless"),
        "one": ("1", "unitless"),
        "radian-is-one": ("rad", "1"),
        "exponent-of-0": ("m0", "1"),
        "cancelled": ("keV/keV", "1"),
        "prefixed-name": ("kiloelectronvolt", "keV"),
        "joule": ("kg m^2/s^2", "J"),
        "ohm": ("V/A", "ohm"),
        "symbols-before-refused-names": ("cT", "centitesla"),
    }
    for name, (text, other) in same.items():
        topic.fits(name, "a", A, other, declared=other, a=text)
    other = {
        "scale": ("keV", "eV"),
        "prefixes-of-two-cases": ("meV", "MeV"),
        "count-and-electron": ("count", "electron"),
        "count-and-photon": ("count", "photon"),
        "count-and-one": ("count", "1"),
        "pixel-and-one": ("pixel", "1"),
        "degree-and-radian": ("deg", "rad"),
        "percent-and-one": ("%", "1"),
        "kelvin-and-celsius": ("K", "degC"),
        "millisecond-and-product": ("ms", "m s"),
        "second-and-siemens": ("s", "S"),
    }
    for name, (text, declared) in other.items():
        topic.fails(f"differ-{name}", "@a", declared, a=text)
    refused = {
        "ph": "ph",
        "ph-per-second": "ph/s",
        "e-minus": "e-",
        "e-minus-per-adu": "e-/ADU",
        "e": "e",
        "cts": "cts",
        "arbitrary": "a.u.",
        "unknown": "flurb",
        "symbol-in-another-case": "kev",
        "joined-symbols": "keVkeV",
        "prefix-alone": "k",
        "prefix-of-a-count": "kcount",
        "number": "12.398 keV",
        "number-1.0": "1.0 m",
        "number-joined": "1keV",
        "number-as-exponent": "m 2",
        "exponent-is-a-quotient": "m^1/2",
        "exponent-in-brackets": "m^(2)",
        "exponent-without-digit-before-the-point": "m^.5",
        "suffix-with-a-point": "m1.5",
        "blank-before-a-suffix": "m -1",
        "two-exponents": "m**2**2",
        "exponent-of-one": "1^2",
        "exponent-of-100": "m100",
        "exponent-of-100-on-the-way": "m99 m m-1",
        "four-decimals": "m^0.0001",
        "two-signs": "m//s",
        "sign-first": "/s",
        "sign-last": "m*",
        "per-first": "per s",
        "joined-brackets": "m(s)",
        "open-bracket": "(m",
        "closing-bracket": "m)",
        "empty-brackets": "()",
        "python": "__import__('os')",
        "power-tower": "9**9**9",
        "nul": "m\u0000",
        "wide-space": "m\u2003s",
        "cyrillic": "\u043a\u044d\u0412",
        "long": "m " * 64 + "m",
        "deep-and-open": "(" * 128,
    }
    for name, text in refused.items():
        topic.fails(f"refused-{name}", "1 + @a", a=text)
        topic.fails(f"refused-as-result-{name}", "1 @+ a", text)
    topic.fits("as-long-as-allowed", "a", A, "m^64", a="m " * 63 + "m ")
    topic.fits("of-an-unused-symbol", "b + a * 0", B, "m", a="m", b="m")
    return topic


def units_rules() -> Topic:
    topic = Units("units_rules", "The unit that operators and functions give.", "units")
    _sums(topic)
    _products(topic)
    _powers(topic)
    _functions(topic)
    _selection(topic)
    _declared(topic)
    return topic


SUMS = {
    "sum": ("a + b", 6.0),
    "difference": ("a - b", -2.0),
    "min": ("min(a, b)", 2.0),
    "max": ("max(a, b)", 4.0),
    "mod": ("mod(a, b)", 2.0),
    "hypot": ("hypot(a - a, b)", 4.0),
    "where": ("where(p, a, b)", 2.0),
    "choose": ("choose(n & 1, a, b)", 2.0),
    "clip": ("clip(a, a, b)", 2.0),
}
COMPARISONS = {
    "equal": ("a == b", False),
    "not-equal": ("a != b", True),
    "less": ("a < b", True),
    "less-or-equal": ("a <= b", True),
    "greater": ("a > b", False),
    "greater-or-equal": ("a >= b", False),
}


def _sums(topic: Units) -> None:
    for name, (text, value) in SUMS.items():
        topic.fits(f"{name}-same", text, value, "keV", a="keV", b="keV")
        topic.fits(f"{name}-same-in-other-words", text, value, "count", a="ADU", b="counts")
        topic.fits(f"{name}-first-open", text, value, "keV", b="keV")
        topic.fits(f"{name}-second-open", text, value, "keV", a="keV")
    for name, (text, truth) in COMPARISONS.items():
        topic.fits(f"{name}-same", text, truth, None, a="keV", b="keV")
        topic.fits(f"{name}-open", text, truth, None, a="keV")
        topic.fits(f"{name}-is-a-number", text, truth, None, declared="1", a="keV", b="keV")
    topic.fits("literal-takes-the-unit", "a + 1", 3.0, "keV", a="keV")
    topic.fits("literals-take-the-unit", "a + (1 + 2 * 3)", 9.0, "keV", a="keV")
    topic.fits("nan-takes-the-unit", "a + nan", nan, "keV", a="keV")
    topic.fits("inf-takes-the-unit", "inf - a", inf, "keV", a="keV")
    topic.fits("bits-take-the-unit", "a - (n & m)", 0.0, "keV", a="keV", n="count", m="count")
    topic.fits("literals-have-none", "1 + 2", 3.0, None, declared="keV")
    topic.fits("pi-is-one", "a + zero * pi", 2.0, "rad", a="rad", zero="1")


def _products(topic: Units) -> None:
    rows: list[tuple[str, str, float, str | None, dict[str, str]]] = [
        ("product", "a * b", 8.0, "keV count", {"a": "keV", "b": "count"}),
        ("product-cancels", "a * b", 8.0, "keV", {"a": "count", "b": "keV/count"}),
        ("quotient", "a / b", 0.5, "count/keV", {"a": "count", "b": "keV"}),
        ("quotient-of-one-unit", "a / b", 0.5, "1", {"a": "keV", "b": "keV"}),
        ("quotient-of-two-scales", "a / b", 0.5, "eV/keV", {"a": "eV", "b": "keV"}),
        ("literal-first", "2 * a", 4.0, "keV", {"a": "keV"}),
        ("literal-second", "a * 2", 4.0, "keV", {"a": "keV"}),
        ("by-a-literal", "a / 2", 1.0, "keV", {"a": "keV"}),
        ("of-a-literal", "2 / a", 1.0, "1/keV", {"a": "keV"}),
        ("of-minus-a-literal", "-2 / a", -1.0, "keV-1", {"a": "keV"}),
        ("by-bits-of-literals", "a * (1 << 2)", 8.0, "keV", {"a": "keV"}),
        ("by-chosen-literals", "a * where(p, 1, -1)", 2.0, "keV", {"a": "keV"}),
        ("by-a-root-of-a-literal", "a * sqrt(4)", 4.0, "keV", {"a": "keV"}),
        ("by-a-sum-of-literals", "a * (1 + 2)", 6.0, "keV", {"a": "keV"}),
        ("by-nan", "a * nan", nan, "keV", {"a": "keV"}),
        ("by-one-or-nan", "a * where(p, 1, nan)", 2.0, "keV", {"a": "keV"}),
        ("by-an-empty-unit", "a * b", 8.0, "keV", {"a": "keV", "b": ""}),
        ("div", "div(n, 2)", 3.0, "count", {"n": "count"}),
        ("div-of-two", "div(n, m + 1)", 1.0, "count/s", {"n": "count", "m": "s"}),
        ("negation", "-a", -2.0, "keV", {"a": "keV"}),
    ]
    for name, text, value, unit, units in rows:
        topic.fits(f"products-{name}", text, value, unit, **units)
    for name, text, value in (
        ("symbol", "a * b", 8.0),
        ("divisor", "a / b", 0.5),
        ("dividend", "b / a", 2.0),
        ("bits", "a * (n & m)", 4.0),
        ("shift", "a * (n >> 1)", 6.0),
        ("bits-function", "a * bits(n, 1, 2)", 6.0),
    ):
        topic.fits(f"open-product-{name}", text, value, None, declared="K", a="keV")
    topic.fits("open-sum-is-closed", "a * b + c", 16.0, "count", a="keV", c="count")
    topic.fits("open-by-position", "image * position(i)", [0.0, 2.0, 8.0, 24.0], None, image="K")
    topic.fits("position-takes-it", "image - position(i)", [1.0, 1.0, 2.0, 5.0], "K", image="K")


def _powers(topic: Units) -> None:
    rows: list[tuple[str, str, float, str | None, dict[str, str]]] = [
        ("square", "a ** 2", 4.0, "m2", {"a": "m"}),
        ("negative", "a ** -1", 0.5, "s/m", {"a": "m/s"}),
        ("half", "b ** 0.5", 2.0, "m", {"b": "m2"}),
        ("tenth-is-exact", "(b / b) ** 0.1 * a", 2.0, "m", {"a": "m", "b": "K"}),
        ("tenth", "a ** 0.1 * 0 + b", 4.0, "m", {"a": "m10", "b": "m"}),
        ("zero", "a ** 0", 1.0, "1", {"a": "m"}),
        ("hexadecimal", "a ** 0x2", 4.0, "m2", {"a": "m"}),
        ("of-a-number-by-a-symbol", "a ** b", 16.0, "1", {"a": "1", "b": "1"}),
        ("by-an-open-exponent", "a ** b", 16.0, "1", {"a": "rad"}),
        ("of-a-literal", "2 ** b", 16.0, "1", {"b": "1"}),
        ("of-a-literal-by-an-open-one", "c * 2 ** b", 128.0, "m", {"c": "m"}),
        ("of-literals", "c * 2 ** 3", 64.0, "m", {"c": "m"}),
        ("of-an-open-base", "b ** 2 + 0 * a", 16.0, "K", {"a": "K"}),
        ("root", "sqrt(b)", 2.0, "m", {"b": "m2"}),
        ("root-with-a-half", "sqrt(b)", 2.0, "count^0.5", {"b": "count"}),
        ("root-of-a-square", "sqrt(b * b)", 4.0, "count", {"b": "count"}),
        ("root-of-an-open-one", "sqrt(b) + a", 4.0, "K", {"a": "K"}),
        ("exponent-of-99", "a ** 99 / a ** 98", 2.0, "m", {"a": "m"}),
    ]
    for name, text, value, unit, units in rows:
        topic.fits(f"powers-{name}", text, value, unit, **units)


def _functions(topic: Units) -> None:
    keep = {
        "abs": ("abs(-a)", 2.0),
        "floor": ("floor(a)", 2.0),
        "ceil": ("ceil(a)", 2.0),
        "round": ("round(a)", 2.0),
        "to_integer": ("to_integer(a, 0, 9, -1)", 2.0),
    }
    for name, (text, value) in keep.items():
        topic.fits(f"keep-{name}", text, value, "ADU", a="count")
    at_zero = {"exp": 1, "expm1": 0, "log1p": 0, "sinh": 0, "cosh": 1, "tanh": 0}
    at_zero |= {"sin": 0, "cos": 1, "tan": 0}
    for name, value in at_zero.items():
        topic.fits(f"number-{name}", f"{name}(zero)", float(value), "1", zero="1")
        topic.fits(f"radian-{name}", f"{name}(zero)", float(value), "1", zero="rad")
        topic.fits(f"open-{name}", f"a * {name}(zero)", A * value, "m", a="m")
    for name in ("log", "log2", "log10"):
        topic.fits(f"number-{name}", f"{name}(a / a)", 0.0, "1", a="keV")
    for name in ("asin", "atan"):
        topic.fits(f"angle-{name}", f"{name}(zero)", 0.0, "rad", zero="1")
    topic.fits("angle-acos", "acos(a / a)", 0.0, "rad", a="keV")
    topic.fits("angle-atan2", "atan2(zero, a)", 0.0, "rad", zero="mm", a="mm")
    topic.fits("angle-atan2-open", "atan2(zero, 1)", 0.0, "rad", zero="mm")
    topic.fits("angle-times-radius", "a * asin(zero)", 0.0, "m rad", a="m", zero="1")
    topic.fits("sign", "sign(a)", 1.0, "1", a="keV")
    topic.fits("isnan", "isnan(a)", False, None, a="keV")
    topic.fits("isfinite", "isfinite(a)", True, None, a="keV")
    topic.fits("not", "not p", False, None, p="keV")
    topic.fits("and-or", "a > 1 and b > 1 or p", True, None, a="keV", b="count")


def _selection(topic: Units) -> None:
    topic.fits("where-condition", "where(c > 1, a, 0)", 2.0, "keV", a="keV", c="count")
    topic.fits("where-nan", "where(p, nan, a)", nan, "keV", a="keV")
    topic.fits("choose-index", "choose(n & 1, a, b)", 2.0, "keV", n="count", a="keV")
    topic.fits("clip-to-literals", "clip(a, 0, 1)", 1.0, "keV", a="keV")
    topic.fits("table", "t[n - 4]", 4.0, "keV", t="keV", n="count")
    topic.fits("table-of-a-dimension", "t[k = 1]", 2.0, "keV", t="keV")
    topic.fits("table-else-literal", "t[n, else = 0]", 0.0, "keV", t="keV")
    topic.fits("table-else-same", "t[n, else = a]", 2.0, "ADU", t="count", a="DN")
    topic.fits("table-open-else", "t[n, else = a]", 2.0, "keV", a="keV")
    topic.fits("interp", "interp(a, t, s)", 2.0, "keV", a="K", t="K", s="keV")
    topic.fits("interp-open-x", "interp(a, t, s)", 2.0, "keV", t="K", s="keV")
    topic.fits("interp-literal", "interp(2, t, s)", 2.0, "keV", t="K", s="keV")
    topic.fits("interp-open-ys", "interp(a, t, s)", 2.0, None, declared="m", a="K", t="K")
    topic.fits("poly", "poly(a, t)", 21.0, "keV", a="1", t="keV")
    topic.fits("poly-open-x", "poly(a, t)", 21.0, "keV", t="keV")
    topic.fits("poly-open-coefficients", "poly(a, t)", 21.0, None, declared="m", a="K")
    topic.fits("definitions", "let e = a / b; let f = e; f + c", 8.5, "keV", a="J", b="J/keV")
    topic.fits("definition-of-a-literal", "let two = 2; a * two", 4.0, "keV", a="keV")
    topic.fits("definition-of-an-open-value", "let x = a * b; x + c", 16.0, "keV", a="m", c="keV")


def _declared(topic: Units) -> None:
    topic.fits("declared-in-other-words", "a / b", 0.5, "keV", declared="1/(count/keV) ADU",
               a="counts", b="counts/keV")  # fmt: skip
    topic.fits("declared-and-open", "a / b", 0.5, None, declared="keV", a="count")
    topic.fits("declared-and-nothing-known", "a / b", 0.5, None, declared="keV")
    topic.fits("declared-number", "exp(zero)", 1.0, "1", declared="")
    topic.fits("declared-bool", "a > 1", True, None, declared="", a="keV")


def units_errors() -> Topic:
    topic = Units("units_errors", "Units that do not fit, and where.", "units")
    for name, (text, _) in [*SUMS.items(), *COMPARISONS.items()]:
        if name == "hypot":
            text = "hypot(a, b)"
        at = text.index("(") if "(" in text else text.index(" ") + 1
        marked = f"@{text}" if "(" in text else f"{text[:at]}@{text[at:]}"
        dtype = "bool" if name in COMPARISONS else "float64"
        topic.fails(f"{name}-of-other-dimensions", marked, dtype=dtype, a="keV", b="count")
        topic.fails(f"{name}-of-other-scales", marked, dtype=dtype, a="keV", b="eV")
        topic.fails(f"{name}-of-a-number", marked, dtype=dtype, a="keV", b="1")
        topic.fails(f"{name}-of-percent", marked, dtype=dtype, a="", b="%")
    numbers = ("exp", "expm1", "log", "log1p", "log2", "log10", "sinh", "cosh", "tanh")
    for name in (*numbers, "sin", "cos", "tan", "asin", "acos", "atan"):
        for what, unit in (("keV", "keV"), ("degrees", "deg"), ("percent", "%"), ("mrad", "mrad")):
            topic.fails(f"{name}-of-{what}", f"1 + @{name}(a)", a=unit)
    faults: dict[str, tuple[str, dict[str, str]]] = {
        "atan2-of-other-scales": ("@atan2(a, b)", {"a": "mm", "b": "m"}),
        "pi-and-degrees": ("a @+ pi", {"a": "deg"}),
        "pi-and-keV": ("a @- pi", {"a": "keV"}),
        "angle-and-degrees": ("asin(a / a) @+ b", {"a": "m", "b": "deg"}),
        "count-of-min-of-three": ("@min(a, 1, b)", {"a": "keV", "b": "eV"}),
        "clip-low": ("@clip(a, b, 9)", {"a": "keV", "b": "eV"}),
        "clip-high": ("@clip(a, 0, b)", {"a": "keV", "b": "eV"}),
        "else": ("1 + @t[n, else = a]", {"t": "keV", "a": "eV"}),
        "table": ("t[n] @- a", {"t": "keV", "a": "eV"}),
        "interp-x": ("@interp(a, t, s)", {"a": "mK", "t": "K", "s": "keV"}),
        "poly-x": ("1 + @poly(a, t)", {"a": "count", "t": "keV"}),
        "poly-x-in-percent": ("@poly(a, t)", {"a": "%", "t": "keV"}),
        "exponent-is-a-symbol": ("a @** b", {"a": "m"}),
        "exponent-is-a-definition": ("let two = 2; a @** two", {"a": "m"}),
        "exponent-is-a-quotient": ("a @** (1 / 2)", {"a": "m"}),
        "exponent-has-a-unit": ("2 @** a", {"a": "keV"}),
        "exponent-in-percent": ("b @** a", {"a": "%"}),
        "power-of-percent": ("a @** b", {"a": "%"}),
        "exponent-of-100": ("a @** 100", {"a": "m"}),
        "exponent-of-four-decimals": ("a @** 0.0001", {"a": "m"}),
        "product-beyond-99": ("a ** 50 @* a ** 50", {"a": "m"}),
        "quotient-beyond-99": ("1 / a ** 50 @/ a ** 50", {"a": "m"}),
        "root-of-four-decimals": ("@sqrt(sqrt(sqrt(sqrt(a))))", {"a": "m"}),
        "difference-after-a-product": ("a * b @- c", {"a": "count", "b": "keV/count", "c": "eV"}),
        "nested": ("abs(-(a @+ b))", {"a": "keV", "b": "eV"}),
        "definition": ("let x = a;\n  x\n\t@- b", {"a": "keV", "b": "eV"}),
        "unused-definition": ("let x = a @+ b; c", {"a": "keV", "b": "eV", "c": "keV"}),
        "in-a-condition": ("where(a @> b, 1, 0)", {"a": "keV", "b": "eV"}),
        "in-an-index": ("t[n @- m]", {"n": "count", "m": "s"}),
        "first-of-two": ("@exp(a) + log(a)", {"a": "keV"}),
        "operand-before-operator": ("a + @exp(b)", {"a": "keV", "b": "eV"}),
        "left-before-right": ("(a @+ b) * exp(a)", {"a": "keV", "b": "eV"}),
        "text-before-rule": ("@a + exp(b)", {"a": "ph", "b": "keV"}),
        "rule-before-text": ("@exp(b) + a", {"a": "ph", "b": "keV"}),
        "text-of-a-table": ("1 + @t[n]", {"t": "e-"}),
    }  # fmt: skip
    for name, (text, units) in faults.items():
        topic.fails(name, text, **units)
    known = {"a": "count", "b": "count/keV"}
    results = {
        "scale": ("a @/ b", "eV"),
        "dimension": ("a @/ b", "count"),
        "number": ("a @/ b", ""),
        "of-a-number": ("@exp(a / a)", "keV"),
        "of-a-name": ("(@a)", "keV"),
        "of-a-definition": ("let x = a; @x", "keV"),
        "of-a-negation": ("@-a", "keV"),
        "text": ("a @/ b", "ph"),
    }
    for name, (text, declared) in results.items():
        topic.fails(f"result-{name}", text, declared, **known)
    topic.fails("result-bool", "a @> 0", "keV", dtype="bool", a="keV")
    topic.fails("result-of-nothing-known", "@a", "flurb")
    topic.fails("rule-before-result", "a @+ b", "flurb", **known)
    text = "exp(a) + @t"
    topic.refuses("dimension-before-units", text, "dimension", **given(text, a="keV"))
    text = "a / b @- exp(a)"
    topic.refuses("type-before-units", text, "type", dtype="int8", **given(text, **known))
    return topic


def units_grouped() -> Topic:
    topic = Units("units_grouped", "Units of grouped reductions.", "units")
    rows = {
        "group_median": ("image, label", [1.5, 1.5, 6.0, 6.0]),
        "group_mean": ("image, label", [1.5, 1.5, 6.0, 6.0]),
        "group_sum": ("image, label", [3.0, 3.0, 12.0, 12.0]),
        "group_min": ("image, label", [1.0, 1.0, 4.0, 4.0]),
        "group_max": ("image, label", [2.0, 2.0, 8.0, 8.0]),
        "group_std": ("image, label", [0.5, 0.5, 2.0, 2.0]),
        "group_quantile": ("image, label, 0.5", [1.0, 1.0, 4.0, 4.0]),
    }
    for name, (arguments, values) in rows.items():
        text = f"{name}({arguments})"
        topic.fits(name, text, values, "count", image="ADU", label="keV")
        topic.fits(f"{name}-open", f"{text} + 0 * a", values, "keV", a="keV")
        topic.fails(f"{name}-beside-another", f"a @- {text}", image="ADU", a="keV")
    topic.fits("group_count", "group_count(image, label)", [2.0] * 4, "1", image="ADU")
    topic.fails("group_count-beside-its-values", "image @- group_count(image, label)", image="ADU")
    return topic
