"""Comparisons and special values."""

from __future__ import annotations

import operator

from topics.kit import Topic, each, f, inf, integers, nan, real, single, symbol

COMPARISONS = {
    "==": ("equal", operator.eq),
    "!=": ("unequal", operator.ne),
    "<": ("less", operator.lt),
    "<=": ("less-equal", operator.le),
    ">": ("greater", operator.gt),
    ">=": ("greater-equal", operator.ge),
}


def comparisons() -> Topic:
    topic = Topic("comparisons", "Comparisons of numbers.")
    x = [1.0, 2.0, 2.0, nan, 1.0, nan, inf, -inf, 0.0, inf]
    y = [2.0, 1.0, 2.0, 1.0, nan, nan, inf, inf, -0.0, 1e308]
    a, b = [1, 2, -3, 0, 127], [2, 1, -3, -128, 127]
    u = [0, 65535, 1, 3, 127]
    m, r = [16777216, 16777217, 16777219, 5], [16777216.0, 16777216.0, 16777220.0, 5.5]
    for sign, (word, function) in COMPARISONS.items():
        text = f"x {sign} y"
        topic.gives(f"{word}-reals", text, each(function, x, y), dtype="bool", x=real(x), y=real(y))
        topic.gives(
            f"{word}-integers",
            text,
            each(function, a, b),
            dtype="bool",
            x=integers("int8", a),
            y=integers("int8", b),
        )
        topic.gives(
            f"{word}-integers-of-other-dtypes",
            text,
            each(function, a, u),
            dtype="bool",
            x=integers("int8", a),
            y=integers("uint16", u),
        )
        topic.gives(
            f"{word}-integer-and-real",
            text,
            each(function, m, r),
            dtype="bool",
            x=integers("int32", m),
            y=real(r),
        )
        values = each(lambda p, q, function=function: function(f(p), f(q)), m, r)
        topic.gives(
            f"{word}-integer-and-real-in-binary32",
            f"where(x {sign} y, 1.0, 0.0)",
            [float(v) for v in values],
            dtype="float32",
            x=integers("int32", m),
            y=real(r),
        )
        topic.gives(
            f"{word}-of-a-literal",
            f"x {sign} 2",
            each(lambda v, g=function: g(v, 2), x),
            dtype="bool",
            x=real(x),
        )
        topic.refuses(
            f"{word}-of-bools",
            f"b @{sign} true",
            "type",
            dtype="bool",
            b=symbol("bool", "i", [True]),
        )
        topic.refuses(
            f"{word}-of-bool-and-number",
            f"1 @{sign} b",
            "type",
            dtype="bool",
            b=symbol("bool", "i", [True]),
        )
    topic.gives(
        "int64-and-real",
        "a == 9007199254740992.0",
        [True, True, False],
        dtype="bool",
        a=integers("int64", [2**53, 2**53 + 1, 2**53 + 2]),
    )
    topic.gives(
        "int64-and-int64",
        "a == 9007199254740992",
        [True, False, False],
        dtype="bool",
        a=integers("int64", [2**53, 2**53 + 1, 2**53 + 2]),
    )
    topic.gives(
        "real-symbol-and-literal-in-binary32",
        "where(x == 0.1, 1, 0)",
        [1.0],
        dtype="float32",
        x=single([0.1]),
    )
    topic.gives(
        "single-symbol-and-literal-in-binary64",
        "where(x == 0.1, 1, 0)",
        [0.0],
        dtype="float64",
        x=single([0.1]),
    )
    topic.gives(
        "double-symbol-rounded-first",
        "where(x == 1, 1, 0)",
        [1.0, 0.0],
        dtype="float32",
        x=real([1.0 + 2.0**-40, 1.0 + 2.0**-20]),
    )
    return topic


def special_values() -> Topic:
    topic = Topic("special_values", "NaN, infinities, zeros with a sign, subnormal numbers.")
    x = real([1.0, -1.0, 0.0, -0.0, inf, -inf, nan])
    texts = {
        "divided-by-zero": ("x / 0", [inf, -inf, nan, nan, inf, -inf, nan]),
        "divided-by-negative-zero": ("x / -0.0", [-inf, inf, nan, nan, -inf, inf, nan]),
        "divided-by-infinity": ("x / inf", [0.0, -0.0, 0.0, -0.0, nan, nan, nan]),
        "times-zero": ("x * 0", [0.0, -0.0, 0.0, -0.0, nan, nan, nan]),
        "plus-infinity": ("x + inf", [inf, inf, inf, inf, inf, nan, nan]),
        "minus-infinity": ("x - inf", [-inf, -inf, -inf, -inf, nan, -inf, nan]),
        "plus-zero": ("x + 0.0", [1.0, -1.0, 0.0, 0.0, inf, -inf, nan]),
        "plus-negative-zero": ("x + -0.0", [1.0, -1.0, 0.0, -0.0, inf, -inf, nan]),
        "minus-itself": ("x - x", [0.0, 0.0, 0.0, 0.0, nan, nan, nan]),
        "plus-nan": ("x + nan", [nan] * 7),
        "negated": ("-x", [-1.0, 1.0, -0.0, 0.0, -inf, inf, nan]),
        "power-zero": ("x ** 0", [1.0] * 7),
        "power-one": ("x ** 1", [1.0, -1.0, 0.0, -0.0, inf, -inf, nan]),
        "power-two": ("x ** 2", [1.0, 1.0, 0.0, 0.0, inf, inf, nan]),
        "power-minus-one": ("x ** -1", [1.0, -1.0, inf, -inf, 0.0, -0.0, nan]),
        "power-minus-two": ("x ** -2", [1.0, 1.0, inf, inf, 0.0, 0.0, nan]),
        "power-half": ("x ** 0.5", [1.0, nan, 0.0, 0.0, inf, inf, nan]),
        "power-infinity": ("x ** inf", [1.0, 1.0, 0.0, 0.0, inf, inf, nan]),
        "power-nan": ("x ** nan", [1.0, nan, nan, nan, nan, nan, nan]),
        "one-to-the-power": ("1 ** x", [1.0] * 7),
        "zero-to-the-power": ("0 ** x", [0.0, inf, 1.0, 1.0, 0.0, inf, nan]),
        "two-to-the-power": ("2 ** x", [2.0, 0.5, 1.0, 1.0, inf, 0.0, nan]),
        "abs": ("abs(x)", [1.0, 1.0, 0.0, 0.0, inf, inf, nan]),
        "sign": ("sign(x)", [1.0, -1.0, 0.0, 0.0, 1.0, -1.0, nan]),
        "sqrt": ("sqrt(x)", [1.0, nan, 0.0, -0.0, inf, nan, nan]),
        "floor": ("floor(x)", [1.0, -1.0, 0.0, -0.0, inf, -inf, nan]),
        "ceil": ("ceil(x)", [1.0, -1.0, 0.0, -0.0, inf, -inf, nan]),
        "round": ("round(x)", [1.0, -1.0, 0.0, -0.0, inf, -inf, nan]),
        "min": ("min(x, 0.5)", [0.5, -1.0, 0.0, -0.0, 0.5, -inf, nan]),
        "max": ("max(x, 0.5)", [1.0, 0.5, 0.5, 0.5, inf, 0.5, nan]),
        "min-with-nan": ("min(x, nan)", [nan] * 7),
        "max-with-nan-first": ("max(nan, x, 1)", [nan] * 7),
        "clip": ("clip(x, -0.5, 0.5)", [0.5, -0.5, 0.0, -0.0, 0.5, -0.5, nan]),
        "clip-to-nan": ("clip(x, nan, 1)", [nan] * 7),
        "clip-to-infinities": ("clip(x, -inf, inf)", [1.0, -1.0, 0.0, -0.0, inf, -inf, nan]),
        "where-with-nan": ("where(x > 0, x, 5)", [1.0, 5.0, 5.0, 5.0, inf, 5.0, 5.0]),
        "where-leaves-the-rest-alone": ("where(x > 0, 1 / x, 0)", [1.0, 0, 0, 0, 0.0, 0, 0]),
    }
    for name, (text, values) in texts.items():
        topic.gives(name, text, values, x=x, ulp=4 if "**" in text else None)
    tests = {
        "isnan": ("isnan(x)", [False] * 6 + [True]),
        "isfinite": ("isfinite(x)", [True] * 4 + [False] * 3),
        "equal-to-itself": ("x == x", [True] * 6 + [False]),
        "unequal-to-itself": ("x != x", [False] * 6 + [True]),
        "equal-to-zero": ("x == 0", [False, False, True, True, False, False, False]),
        "less-than-infinity": ("x < inf", [True] * 4 + [False, True, False]),
    }
    for name, (text, values) in tests.items():
        topic.gives(name, text, values, dtype="bool", x=x)
    topic.gives("nan-is-not-nan", "nan == nan", False, dtype="bool")
    topic.gives("nan-as-a-result", "nan", nan)
    topic.gives("infinity-as-a-result", "-inf", -inf)
    topic.gives("pi-as-a-result", "pi", 3.141592653589793)
    topic.gives("pi-in-binary32", "pi", 3.1415927, dtype="float32")
    topic.gives("overflow", "x * 10", [inf, -inf], x=real([1e308, -1e308]))
    topic.gives(
        "overflow-in-binary32", "x * 10", [inf, -inf], dtype="float32", x=single([1e38, -1e38])
    )
    topic.gives(
        "overflow-on-reading",
        "x / 2",
        [inf, -inf, 1.0],
        dtype="float32",
        x=real([1e39, -1e300, 2.0]),
    )
    topic.gives(
        "subnormal",
        "x / 4",
        [5e-309, -5e-309, 5e-324, 0.0],
        x=real([2e-308, -2e-308, 2e-323, 4e-324]),
    )
    topic.gives(
        "subnormal-in-binary32",
        "x / 4",
        each(lambda v: f(v) / f(4), [2e-38, 6e-45, 3e-45]),
        dtype="float32",
        x=single([2e-38, 6e-45, 3e-45]),
    )
    topic.gives(
        "subnormal-in-and-out", "x", [1e-44, -1e-44], dtype="float32", x=single([1e-44, -1e-44])
    )
    topic.gives("underflow-keeps-the-sign", "x * 1e-200", [0.0, -0.0], x=real([1e-200, -1e-200]))
    topic.gives(
        "half-precision-symbol",
        "x * 2",
        [2.0**-23, inf, 131008.0],
        x=symbol("float16", "i", [2.0**-24, inf, 65504.0]),
    )
    return topic
