"""Operators of numbers."""

from __future__ import annotations

import operator

import numpy as np

from topics.kit import Topic, d, each, f, inf, integers, mp, nan, real, rounded, symbol

OPERATORS = {
    "+": ("plus", operator.add),
    "-": ("minus", operator.sub),
    "*": ("times", operator.mul),
    "/": ("divided-by", operator.truediv),
}


def arithmetic() -> Topic:
    topic = Topic("arithmetic", "The operators + - * / ** of numbers, each rounded once.")
    x = [0.1, 1.5, -2.75, 1e-3, 123456.789, 3.0, -0.0, 1e20]
    y = [0.2, -0.3, 7.0, 1e7, -987.654321, 3.0, 0.0, 1.0]
    for sign, (word, function) in OPERATORS.items():
        for kind, one in ((np.float32, "float32"), (np.float64, "float64")):
            given = [kind(value) for value in x], [kind(value) for value in y]
            topic.gives(
                f"{word}-{one}",
                f"x {sign} y",
                each(function, *given),
                dtype=one,
                x=symbol(one, "i", given[0]),
                y=symbol(one, "i", given[1]),
            )
    a, b = [7, -7, 0, 100, 1, 32767], [2, 2, 3, -7, 3, 3]
    given = {"a": integers("int16", a), "b": integers("int8", b)}
    for sign, (word, function) in OPERATORS.items():
        for one, to in (("float32", f), ("float64", d)):
            values = each(lambda p, q, to=to, function=function: function(to(p), to(q)), a, b)
            topic.gives(f"{word}-of-integers-as-{one}", f"a {sign} b", values, dtype=one, **given)
            values = each(lambda p, q, to=to, g=function: g(to(p), to(q)), a, y[:6])
            topic.gives(
                f"{word}-of-integer-and-real-{one}",
                f"a {sign} y",
                values,
                dtype=one,
                a=given["a"],
                y=real(y[:6]),
            )
    topic.gives("division-of-integers-is-real", "7 / 2", 3.5)
    topic.gives("division-of-whole-numbers-is-real", "6 / 2", 3.0)
    topic.gives("negation", "-x", [-1.5, 0.0, -0.0, inf], x=real([1.5, -0.0, 0.0, -inf]))
    topic.gives("negation-of-a-literal", "-1.5", -1.5)
    topic.gives("negation-of-real-zero", "-0.0", -0.0)
    topic.gives("negation-of-integer-zero", "-0", 0.0)
    topic.gives("integer-zero-times-a-negative", "0 * x", [-0.0], x=real([-1.0]))
    topic.gives("reciprocal", "1 / x", each(lambda v: d(1) / d(v), [3.0, 49.0]), x=real([3, 49]))
    bases = [2.0, 3.0, 10.0, 0.5, 1.1, 2.0, 7.25]
    powers = [10.0, 5.0, -3.0, 3.0, 100.0, 0.5, -0.75]
    for one, to in (("float32", f), ("float64", d)):
        given = [to(value) for value in bases], [to(value) for value in powers]
        values = [
            rounded(mp.power(mp.mpf(float(p)), mp.mpf(float(q))), type(p))
            for p, q in zip(*given, strict=True)
        ]
        topic.gives(
            f"power-{one}",
            "x ** y",
            values,
            dtype=one,
            ulp=4,
            x=symbol(one, "i", given[0]),
            y=symbol(one, "i", given[1]),
        )
    topic.gives("power-of-integers-is-real", "2 ** 3", 8.0, ulp=4)
    topic.gives("power-of-integers-with-negative-exponent", "10 ** -3", 0.001, ulp=4)
    topic.gives("power-of-powers", "9 ** 9 ** 9", inf)
    topic.gives("power-of-a-negative-integer", "(-2) ** 3", -8.0, ulp=4)
    topic.gives("left-to-right", "0.1 + 0.2 + 0.3", (0.1 + 0.2) + 0.3)
    topic.gives("right-to-left-in-parentheses", "0.1 + (0.2 + 0.3)", 0.1 + (0.2 + 0.3))
    topic.gives("no-cancellation", "(x + 1e16) - 1e16", [2.0], x=real([1.5]))
    topic.gives(
        "no-reciprocal",
        "x / 49 * 49",
        each(lambda v: d(v) / d(49) * d(49), [1.0, 5.0]),
        x=real([1.0, 5.0]),
    )
    return topic


def whole_numbers() -> Topic:
    topic = Topic("integers", "Integers are exact; what might not fit is refused.")
    top, low = 2**63 - 1, -(2**63)
    exact = {
        "unsigned-difference-below-zero": ("a - b", "uint16", "uint16", 5, 9, -4),
        "sum-beyond-the-dtype": ("a + b", "uint8", "uint8", 255, 255, 510),
        "product-beyond-the-dtype": ("a * b", "uint16", "uint16", 65535, 65535, 65535**2),
        "product-of-negatives": ("a * b", "int8", "int8", -128, -128, 16384),
        "negation-of-the-lowest": ("-a - b", "int8", "int8", -128, 0, 128),
        "negation-of-unsigned": ("-a + b", "uint8", "uint8", 200, 1, -199),
        "mixed-signs": ("a - b", "int32", "uint32", -(2**31), 2**32 - 1, -(2**31) - 2**32 + 1),
        "large-product": ("a * b", "uint32", "int32", 2**32 - 1, -(2**31), -(2**63) + 2**31),
    }
    for name, (text, one, two, a, b, value) in exact.items():
        topic.gives(name, text, [value], dtype="int64", a=integers(one, [a]), b=integers(two, [b]))
    topic.gives("literal-beyond-2-to-53", "9007199254740992 + 1", 2**53 + 1, dtype="int64")
    topic.gives(
        "exact-until-the-end",
        "(a * a - (a - 1) * (a + 1)) * 1.5",
        [1.5],
        a=integers("uint16", [65535]),
    )
    topic.gives(
        "exact-until-the-end-in-binary32",
        "a * 4099 - a * 4098",
        [65521.0],
        dtype="float32",
        a=integers("uint16", [65521]),
    )
    topic.gives(
        "rounded-before-a-real",
        "a * 1.0 - 16777216",
        [0.0],
        dtype="float32",
        a=integers("uint32", [16777217]),
    )
    topic.gives("constants-fold", "3 * (4 - 5) + 2", -1, dtype="int8")
    topic.gives("largest", f"{top - 1} + 1", top, dtype="int64")
    topic.gives("lowest", f"-{top} - 1", low, dtype="int64")
    topic.gives("abs-within", "abs(a)", [127, 128], dtype="uint8", a=integers("int8", [127, -128]))
    mixed = {"a": integers("uint32", [2**32 - 1]), "b": integers("uint32", [2**32 - 1])}
    topic.gives("real-product", "1.0 * a * b", [float(2**32 - 1) ** 2], **mixed)
    faults = {
        "sum": "9223372036854775807 @+ a",
        "sum-of-large": "9223372036854775807 @+ 1",
        "difference": "-9223372036854775807 @- 2",
        "product": "b @* b",
        "product-of-three": "c * 2147483648 @* 2",
        "product-of-definitions": "let x = c * 65536;\nx @* x",
        "negation-of-the-lowest": "@-(-9223372036854775807 - 1)",
        "sum-not-used-by-a-condition": "where(b < 10, b @* b, 0)",
        "sum-not-used": "let x = b @* b; 1",
        "difference-of-itself": "(b @* b) - 1",
        "sum-inside-a-function": "abs(b @* 4294967296)",
        "sum-inside-an-index": "t[b @* b]",
        "sum-before-a-real": "b @* b * 1.0",
    }
    given = {
        "a": integers("uint8", [1]),
        "b": integers("uint32", [2]),
        "c": integers("uint32", [3]),
        "t": symbol("float32", "k", [1.0, 2.0]),
    }
    for name, text in faults.items():
        topic.refuses(f"refused-{name}", text, "type", **given)
    topic.refuses(
        "refused-int64-plus-one", "a @+ 1", "type", dtype="int64", a=integers("int64", [0])
    )
    topic.refuses("refused-negated-int64", "@-a", "type", dtype="int64", a=integers("int64", [0]))
    topic.gives("int64-plus-a-real-one", "a + 1.0", [float(top)], a=integers("int64", [top]))
    topic.gives("int64-as-it-is", "a", [top, low], dtype="int64", a=integers("int64", [top, low]))
    topic.gives(
        "int64-held",
        "clip(a, -100, 100) + 1",
        [101, -99],
        dtype="int8",
        a=integers("int64", [top, low]),
    )
    topic.gives(
        "int64-shifted",
        "(a >> 1) + 1",
        [2**62, -(2**62) + 1],
        dtype="int64",
        a=integers("int64", [top, low]),
    )
    return topic


def bits() -> Topic:
    topic = Topic("bits", "Bit operators and shifts, on two's complement of unlimited width.")
    a = [0, 1, 0x3FFF, 0x4001, 0xFFFF, 0xAAAA]
    b = [0xFFFF, 3, 0x00FF, 0x4000, 0x0F0F, 0x5555]
    given = {"a": integers("uint16", a), "b": integers("uint16", b)}
    signed = [-1, -5, 5, -128, 127, 0]
    other = [0x0F, 0x03, -2, 0x7F, -128, -1]
    both = {"a": integers("int8", signed), "b": integers("int8", other)}
    for sign, word, function in (
        ("&", "and", operator.and_),
        ("|", "or", operator.or_),
        ("^", "xor", operator.xor),
    ):
        topic.gives(word, f"a {sign} b", each(function, a, b), dtype="uint16", **given)
        topic.gives(
            f"{word}-signed", f"a {sign} b", each(function, signed, other), dtype="int8", **both
        )
        values = each(lambda p, q, function=function: function(p, q), signed, a)
        topic.gives(
            f"{word}-of-mixed-widths",
            f"a {sign} b",
            values,
            dtype="int32",
            a=both["a"],
            b=given["a"],
        )
        topic.gives(
            f"{word}-with-a-literal",
            f"a {sign} 0x3FFF",
            [function(p, 0x3FFF) for p in a],
            dtype="uint16",
            a=given["a"],
        )
        topic.gives(
            f"{word}-as-a-real",
            f"(a {sign} b) / 2",
            [function(p, q) / 2 for p, q in zip(a, b, strict=True)],
            dtype="float32",
            **given,
        )
    topic.gives(
        "gain-bits",
        "data >> 14",
        [0, 1, 2, 3],
        dtype="uint8",
        data=integers("uint16", [0x3FFF, 0x4000, 0xBFFF, 0xFFFF]),
    )
    topic.gives("shift-right-signed", "a >> 1", [v >> 1 for v in signed], dtype="int8", a=both["a"])
    topic.gives(
        "shift-right-by-all", "a >> 63", [v >> 63 for v in signed], dtype="int8", a=both["a"]
    )
    topic.gives("shift-right-by-0", "a >> 0", signed, dtype="int8", a=both["a"])
    topic.gives("shift-left", "a << 4", [v << 4 for v in a], dtype="uint32", a=given["a"])
    topic.gives("shift-left-signed", "a << 8", [v << 8 for v in signed], dtype="int16", a=both["a"])
    topic.gives(
        "shift-left-beyond-32-bits", "a << 40", [v << 40 for v in a], dtype="int64", a=given["a"]
    )
    topic.gives(
        "shift-by-a-symbol",
        "a >> (n & 15)",
        [0xFFFF >> n for n in range(6)],
        dtype="uint16",
        a=integers("uint16", [0xFFFF] * 6),
        n=integers("uint8", list(range(6))),
    )
    topic.gives(
        "one-shifted-by-a-symbol",
        "1 << (n & 31)",
        [1, 1 << 14, 1 << 31],
        dtype="uint32",
        n=integers("uint8", [0, 14, 31]),
    )
    topic.gives("lowest-int64-by-shift", "-1 << 63", -(2**63), dtype="int64")
    topic.gives(
        "flip-with-a-mask", "a ^ 0xFFFF", [v ^ 0xFFFF for v in a], dtype="uint16", a=given["a"]
    )
    topic.gives("flip-with-minus-one", "a ^ -1", [~v for v in a], dtype="int32", a=given["a"])
    topic.gives("minus-one-and-a-mask", "-1 & 0xFF", 255, dtype="uint8")
    topic.gives(
        "test-of-a-bit",
        "where((m & 0x100) != 0, nan, 1.0)",
        [1.0, nan, nan],
        m=integers("uint32", [0xFF, 0x100, 0xFFFFFFFF]),
    )
    topic.gives(
        "mask-by-shift",
        "a & ((1 << 14) - 1)",
        [v & 0x3FFF for v in a],
        dtype="uint16",
        a=given["a"],
    )
    topic.gives(
        "parts-put-together",
        "(a >> 8) | ((a & 0xFF) << 8)",
        [(v >> 8) | ((v & 0xFF) << 8) for v in a],
        dtype="uint16",
        a=given["a"],
    )
    faults = {
        "and-of-a-real": "x @& 1",
        "or-of-a-real": "1 @| x",
        "xor-of-a-real": "x @^ x",
        "shift-of-a-real": "x @<< 1",
        "shift-by-a-real": "a @>> 1.0",
        "and-of-bools": "true @& false",
        "or-of-bool-and-integer": "true @| 1",
        "shift-of-a-bool": "true @<< 1",
        "and-of-a-quotient": "(a / 2) @& 1",
        "and-of-a-power": "a @& (2 ** 14 - 1)",
        "shift-count-64": "a @>> 64",
        "shift-count-negative": "a @>> -1",
        "shift-count-not-proven": "a @>> a",
        "shift-count-perhaps-negative": "a @<< s",
        "shift-count-perhaps-64": "a @<< (a & 64)",
        "shift-left-beyond-64-bits": "a @<< 49",
        "shift-left-of-a-negative-beyond-64-bits": "s @<< 57",
        "shift-left-of-one-and-a-sign": "-2 @<< 63",
    }
    given = {"x": real([1.0]), "a": integers("uint16", [1]), "s": integers("int8", [1])}
    for name, text in faults.items():
        topic.refuses(f"refused-{name}", text, "type", axes="i", **given)
    return topic
