"""Rounding to the format of the formula; dtypes."""

from __future__ import annotations

import numpy as np

from topics.kit import Topic, d, each, f, inf, integers, nan, real, single, symbol

INTEGER_DTYPES = {
    f"{sign}int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for bits in (8, 16, 32, 64)
    for sign in ("u", "")
}


def float32_rounding() -> Topic:
    topic = Topic("float32_rounding", "With a result of float32, all reals are binary32.")
    big = [16777217, 16777219, 2**31 - 1, -16777217, 2**31 - 65, -(2**31)]

    def gives(name: str, text: str, values: object, **symbols: object) -> None:
        topic.gives(name, text, values, dtype="float32", **symbols)

    gives("integer-result", "a", each(f, big), a=integers("int32", big))
    gives("integer-beside-a-real", "a + 0.0", each(f, big), a=integers("int32", big))
    gives(
        "large-integer-rounded-once",
        "a * 1.0",
        each(f, [2**54 + 2**30 + 1, 2**62 + 2**38 + 1]),
        a=integers("int64", [2**54 + 2**30 + 1, 2**62 + 2**38 + 1]),
    )
    gives("integer-literal", "16777217 * 1.0", f(16777217))
    gives(
        "integers-add-before-rounding",
        "a + 1",
        each(lambda v: f(v + 1), big),
        a=integers("int32", big),
    )
    gives("integers-divided", "a / 3", each(lambda v: f(v) / f(3), big), a=integers("int32", big))
    gives("literal", "x + 0.1", each(lambda v: f(v) + f(0.1), [0.3, 1e6]), x=single([0.3, 1e6]))
    gives("literal-alone", "0.1", f(0.1))
    gives("literal-beyond-the-range", "x * 1e39", [inf, nan], x=single([1.0, 0.0]))
    gives("literal-below-the-range", "x * 1e-50", [0.0, -0.0], x=single([1.0, -1.0]))
    third = [1 / 3, 2 / 3, 1e10 + 1, 1 + 2.0**-24, 1 + 3 * 2.0**-24]
    gives("double-symbol", "x", each(f, third), x=real(third))
    gives(
        "double-symbols-in-a-sum",
        "x + y",
        each(lambda p, q: f(p) + f(q), third, third[::-1]),
        x=real(third),
        y=real(third[::-1]),
    )
    gives(
        "double-symbol-before-cancellation",
        "x - 1",
        each(lambda v: f(v) - f(1), third),
        x=real(third),
    )
    gives(
        "half-precision-symbol",
        "x / 3",
        each(lambda v: f(np.float16(v)) / f(3), [0.1, 1000.5, 6e-8]),
        x=symbol("float16", "i", [0.1, 1000.5, 6e-8]),
    )
    x, y, z = [1.1, 1e8, 3.3, 0.7], [1.7, 1.3, -3.3, 0.3], [-1.87, -1.3e8, 10.89, -0.21]
    given = {"x": single(x), "y": single(y), "z": single(z)}
    gives(
        "no-fused-multiply-add",
        "x * y + z",
        each(lambda p, q, r: f(p) * f(q) + f(r), x, y, z),
        **given,
    )
    gives(
        "no-fused-multiply-subtract",
        "x * y - z",
        each(lambda p, q, r: f(p) * f(q) - f(r), x, y, z),
        **given,
    )
    gives(
        "no-wider-format-in-between",
        "x * y * z",
        each(lambda p, q, r: f(p) * f(q) * f(r), x, y, z),
        **given,
    )
    gives(
        "sums-from-the-left",
        "x + y + z",
        each(lambda p, q, r: f(p) + f(q) + f(r), x, y, z),
        **given,
    )
    gives("overflow-in-between", "x * 1e38 / 1e38", [inf], x=single([10.0]))
    gives(
        "division-not-by-reciprocal",
        "x / y",
        each(lambda p, q: f(p) / f(q), x, y),
        x=given["x"],
        y=given["y"],
    )
    gives(
        "square-root",
        "sqrt(x)",
        each(lambda v: np.sqrt(f(v)), [2.0, 3.0, 1e-40, 0.1]),
        x=single([2.0, 3.0, 1e-40, 0.1]),
    )
    gives(
        "pedestal-and-gain",
        "((data & 0x3FFF) - pedestal) / gain",
        each(
            lambda v, p, g: (f(v & 0x3FFF) - f(p)) / f(g),
            [0x4FFF, 3001, 0xC000],
            [2989.37, 3000.12, 15000.5],
            [-1.51, 41.3, -0.107],
        ),
        data=integers("uint16", [0x4FFF, 3001, 0xC000]),
        pedestal=single([2989.37, 3000.12, 15000.5]),
        gain=real([-1.51, 41.3, -0.107]),
    )
    gives(
        "where-rounds-integers",
        "where(x > 0, a, x)",
        [16777216.0, -2.5],
        x=single([1.0, -2.5]),
        a=integers("int32", [16777217, 1]),
    )
    gives(
        "integers-of-where-stay-exact",
        "where(x > 0, a, 0) - 16777216",
        [1.0, -16777216.0],
        x=single([1.0, -2.5]),
        a=integers("int32", [16777217, 1]),
    )
    gives("min-of-integer-and-real", "min(a, 1e9)", [16777216.0], a=integers("int32", [16777217]))
    gives(
        "definition-is-not-more-exact",
        "let p = x * y; p + z",
        each(lambda p, q, r: f(p) * f(q) + f(r), x, y, z),
        **given,
    )
    return topic


def float64() -> Topic:
    topic = Topic("float64", "With any other result, all reals are binary64.")
    x, y, z = [1.1, 1e16, 3.3], [1.7, 1.3, -3.3], [-1.87, 1.0, 10.89]
    given = {"x": real(x), "y": real(y), "z": real(z)}
    topic.gives(
        "no-fused-multiply-add",
        "x * y + z",
        each(lambda p, q, r: d(p) * d(q) + d(r), x, y, z),
        **given,
    )
    topic.gives(
        "single-symbols-are-widened", "x * x", each(lambda v: d(f(v)) * d(f(v)), x), x=single(x)
    )
    topic.gives(
        "single-and-double",
        "x - y",
        each(lambda p, q: d(f(p)) - d(q), x, y),
        x=single(x),
        y=real(y),
    )
    topic.gives("single-and-literal", "x - 0.1", each(lambda v: d(f(v)) - d(0.1), x), x=single(x))
    topic.gives(
        "single-constants-of-a-double-result",
        "x / 3",
        each(lambda v: d(f(v)) / d(3), x),
        x=single(x),
    )
    large = [2**53 + 1, 2**62 + 1, -(2**53) - 3]
    topic.gives("integer", "a", each(d, large), a=integers("int64", large))
    topic.gives("integer-beside-a-real", "a + 0.0", each(d, large), a=integers("int64", large))
    topic.gives(
        "comparison-for-a-bool", "x == 0.1", [False, True], dtype="bool", x=real([f(0.1), 0.1])
    )
    topic.gives(
        "comparison-of-a-single-for-a-bool", "x == 0.1", [False], dtype="bool", x=single([0.1])
    )
    topic.gives(
        "condition-for-an-integer",
        "where(x + 1e-10 > x, a, 0)",
        [7],
        dtype="uint8",
        x=single([1.0]),
        a=integers("uint8", [7]),
    )
    topic.gives(
        "to-integer-for-an-integer",
        "to_integer(x * 3, 0, 2000000000, -1)",
        [50331651, 3],
        dtype="int64",
        x=real([16777217.0, 1.0]),
    )
    topic.gives(
        "square-root",
        "sqrt(x)",
        each(lambda v: np.sqrt(d(v)), [2.0, 3.0, 1e-310]),
        x=real([2.0, 3.0, 1e-310]),
    )
    return topic


def dtypes() -> Topic:
    topic = Topic("dtypes", "Dtypes of symbols and of the result.")
    for dtype, (low, high) in INTEGER_DTYPES.items():
        if dtype == "uint64":
            continue
        ends = {"a": integers(dtype, [low, high, 1])}
        topic.gives(f"{dtype}-in-and-out", "a", [low, high, 1], dtype=dtype, **ends)
        topic.gives(f"{dtype}-as-float64", "a", each(d, [low, high, 1]), **ends)
        topic.gives(f"{dtype}-as-float32", "a", each(f, [low, high, 1]), dtype="float32", **ends)
        if dtype != "int64":
            topic.refuses(f"{dtype}-too-large", f"{high} @+ (a & 1)", "type", dtype=dtype, **ends)
        if low < 0:
            topic.refuses(
                f"{dtype}-too-small", f"{low + 1} @- (a & 3)", "type", dtype=dtype, **ends
            )
        else:
            topic.refuses(f"{dtype}-negative", "(a & 1) @- 1", "type", dtype=dtype, **ends)
        if dtype != "int64":
            wide = integers("int64", [2**62, -(2**62), 1])
            topic.refuses(f"{dtype}-of-int64", "@w", "type", dtype=dtype, w=wide)
            topic.gives(
                f"{dtype}-of-int64-held",
                f"clip(w, {low}, {high})",
                [high, low, 1],
                dtype=dtype,
                w=wide,
            )
    topic.gives(
        "bool-in-and-out", "m", [True, False], dtype="bool", m=symbol("bool", "i", [True, False])
    )
    halves = [0.1, 65504.0, 2.0**-24, -0.0]
    topic.gives(
        "float16-as-float64", "x", each(np.float16, halves), x=symbol("float16", "i", halves)
    )
    topic.gives(
        "float16-as-float32",
        "x",
        each(np.float16, halves),
        dtype="float32",
        x=symbol("float16", "i", halves),
    )
    values = [0.1, -1e30, 5e-324, nan, inf]
    topic.gives("float64-in-and-out", "x", values, x=real(values))
    topic.gives("float64-as-float32", "x", each(f, values), dtype="float32", x=real(values))
    topic.gives(
        "float32-in-and-out", "x", each(f, values), dtype="float32", x=single(each(f, values))
    )
    topic.gives("float32-as-float64", "x", each(f, values), x=single(each(f, values)))
    topic.gives(
        "integer-of-mixed-dtypes",
        "a * b - c",
        [255 * 127 + 5],
        dtype="int32",
        a=integers("uint8", [255]),
        b=integers("int8", [127]),
        c=integers("int16", [-5]),
    )
    given = {"a": integers("uint8", [1]), "x": real([1.0]), "m": symbol("bool", "i", [True])}
    faults = {
        "real-as-integer": ("@x", "int32"),
        "quotient-as-integer": ("a @/ 1", "int32"),
        "power-as-integer": ("a @** 2", "int64"),
        "sqrt-as-integer": ("@sqrt(a)", "uint8"),
        "literal-as-integer": ("@1.0", "uint8"),
        "mixed-as-integer": ("a @+ x", "int64"),
        "where-with-a-real-as-integer": ("@where(m, a, nan)", "int64"),
        "bool-as-integer": ("@m", "uint8"),
        "bool-as-float32": ("@m", "float32"),
        "bool-as-float64": ("a @> 0", "float64"),
        "integer-as-bool": ("@a", "bool"),
        "real-as-bool": ("@x", "bool"),
        "definition-as-integer": ("let y = x;\n@y", "uint8"),
        "parentheses-do-not-count": ("((a @+ x))", "uint8"),
        "true-as-a-number": ("@true", "float64"),
        "complex-symbol": ("a + @c", "float64"),
    }
    for name, (text, dtype) in faults.items():
        more = {"c": symbol("complex64", "i")} if name == "complex-symbol" else {}
        topic.refuses(f"refused-{name}", text, "type", axes="i", dtype=dtype, **given, **more)
    topic.gives(
        "unused-symbol-of-another-dtype",
        "a",
        [1],
        dtype="uint8",
        a=given["a"],
        c=symbol("uint8", "i", [0]),
    )
    for dtype in ("float16", "complex64"):
        topic.refuses(
            f"refused-result-{dtype}", "a", "type", dtype=dtype, placed=False, a=given["a"]
        )
    return topic
