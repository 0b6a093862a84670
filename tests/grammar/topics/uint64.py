"""Integers beyond int64."""

from __future__ import annotations

import operator

from topics.kit import Topic, d, each, f, integers, symbol


def uint64() -> Topic:
    topic = Topic("uint64", "Integers beyond int64.", conformance="uint64")
    top = 2**64 - 1
    values = [0, 1, 2**63 - 1, 2**63, top]
    a = {"a": integers("uint64", values)}
    other = [top, 3, 2**63, 2**62, 1]
    both = {**a, "b": integers("uint64", other)}
    topic.gives("in-and-out", "a", values, dtype="uint64", **a)
    topic.gives("as-float64", "a", each(d, values), **a)
    topic.gives("as-float32", "a", each(f, values), dtype="float32", **a)
    awkward = [2**63 + 2**39 + 1, 2**63 + 1024, 2**63 + 1025, 2**63 + 3072]
    topic.gives(
        "rounded-once-to-binary32",
        "a",
        each(f, awkward),
        dtype="float32",
        a=integers("uint64", awkward),
    )
    topic.gives(
        "rounded-once-to-binary64", "a * 1.0", each(d, awkward), a=integers("uint64", awkward)
    )
    for sign, word, function in (
        ("&", "and", operator.and_),
        ("|", "or", operator.or_),
        ("^", "xor", operator.xor),
    ):
        topic.gives(word, f"a {sign} b", each(function, values, other), dtype="uint64", **both)
        topic.gives(
            f"{word}-with-a-literal",
            f"a {sign} 0xFFFFFFFF00000000",
            [function(v, 0xFFFFFFFF00000000) for v in values],
            dtype="uint64",
            **a,
        )
    topic.gives("shift-right", "a >> 1", [v >> 1 for v in values], dtype="int64", **a)
    topic.gives("shift-right-by-63", "a >> 63", [v >> 63 for v in values], dtype="uint8", **a)
    topic.gives(
        "shift-right-by-a-symbol",
        "a >> (n & 63)",
        [top >> n for n in (0, 1, 63)],
        dtype="uint64",
        a=integers("uint64", [top] * 3),
        n=integers("uint8", [0, 1, 63]),
    )
    topic.gives(
        "shift-left-to-the-top",
        "1 << (n & 63)",
        [1, 2**62, 2**63],
        dtype="uint64",
        n=integers("uint8", [0, 62, 63]),
    )
    topic.gives(
        "field-of-bits", "(a & 0x0FE0000000000000) >> 53", [0, 0, 127, 0, 127], dtype="uint8", **a
    )
    topic.gives("bits", "bits(a, 60, 4)", [v >> 60 for v in values], dtype="uint8", **a)
    topic.gives("bits-all-but-one", "bits(a, 1, 63)", [v >> 1 for v in values], dtype="int64", **a)
    topic.gives(
        "shifted-into-int64-and-added",
        "(a >> 2) + (b >> 2)",
        each(lambda p, q: (p >> 2) + (q >> 2), values, other),
        dtype="int64",
        **both,
    )
    topic.gives(
        "masked-into-int64-and-subtracted",
        "(a & 0xFFFF) - (b & 0xFFFF)",
        each(lambda p, q: (p & 0xFFFF) - (q & 0xFFFF), values, other),
        dtype="int32",
        **both,
    )
    signed = [-1, 0, 2**63 - 1, -(2**63), 5]
    mixed = {**a, "s": integers("int64", signed)}
    for sign, word, function in (
        ("==", "equal", operator.eq),
        ("!=", "unequal", operator.ne),
        ("<", "less", operator.lt),
        ("<=", "less-equal", operator.le),
        (">", "greater", operator.gt),
        (">=", "greater-equal", operator.ge),
    ):
        topic.gives(
            f"{word}-to-int64", f"a {sign} s", each(function, values, signed), dtype="bool", **mixed
        )
        topic.gives(
            f"{word}-to-a-literal",
            f"a {sign} 9223372036854775808",
            [function(v, 2**63) for v in values],
            dtype="bool",
            **a,
        )
    topic.gives("minus-one-is-below", "a > -1", [True] * 5, dtype="bool", **a)
    topic.gives(
        "equal-to-a-real",
        "a == 9223372036854775808.0",
        [False, False, False, True, False],
        dtype="bool",
        a=integers("uint64", [0, 1, 2**62, 2**63, top]),
    )
    topic.gives(
        "equal-to-a-real-rounded",
        "a == 9223372036854775808.0",
        [True, True],
        dtype="bool",
        a=integers("uint64", [2**63 - 1, 2**63 + 1]),
    )
    topic.gives("plus-a-real", "a + 1.0", [d(v) + d(1) for v in values], **a)
    topic.gives("divided", "a / 2", [d(v) / d(2) for v in values], **a)
    topic.gives("abs", "abs(a)", values, dtype="uint64", **a)
    topic.gives(
        "min-with-a-literal", "min(a, 65535)", [0, 1, 65535, 65535, 65535], dtype="uint16", **a
    )
    topic.gives("max-of-both", "max(a, b)", each(max, values, other), dtype="uint64", **both)
    topic.gives("clip", "clip(a, 10, 20)", [10, 10, 20, 20, 20], dtype="uint8", **a)
    topic.gives("div", "div(a, 3)", [v // 3 for v in values], dtype="int64", **a)
    topic.gives("mod", "mod(a, 1000)", [v % 1000 for v in values], dtype="uint16", **a)
    topic.gives("where", "where(a > 5, a, 0)", [0, 0, *values[2:]], dtype="uint64", **a)
    topic.gives(
        "choose",
        "choose(a >> 63, 1, 18446744073709551615)",
        [1, 1, 1, top, top],
        dtype="uint64",
        **a,
    )
    topic.gives("sign", "sign(a)", [0, 1, 1, 1, 1], dtype="uint8", **a)
    topic.gives(
        "to-integer-of-an-integer",
        "to_integer(a, 0, 100, 7)",
        [0, 1, 100, 100, 100],
        dtype="uint8",
        **a,
    )
    topic.gives(
        "index",
        "t[a, else = 9]",
        [5, 6, 9, 9, 9],
        dtype="uint8",
        t=symbol("uint8", "k", [5, 6]),
        **a,
    )
    topic.gives(
        "table",
        "t[n & 1]",
        [top, 2**63],
        dtype="uint64",
        t=symbol("uint64", "k", [top, 2**63]),
        n=integers("uint8", [0, 1]),
    )
    topic.gives("literal", "18446744073709551615", top, dtype="uint64")
    topic.gives("literal-in-hexadecimal", "0xFFFFFFFFFFFFFFFF ^ 1", top - 1, dtype="uint64")
    topic.gives("literal-as-a-real", "18446744073709551615 * 1.0", 2.0**64)
    faults = {
        "plus": "a @+ 1",
        "plus-literal-first": "1 @+ a",
        "minus": "a @- a",
        "times": "a @* 0",
        "negated": "@-a",
        "literal-negated": "@-9223372036854775808",
        "literal-plus": "9223372036854775808 @+ 1",
        "shift-plus": "(1 << 63) @+ 1",
        "or-with-a-negative": "a @| -1",
        "and-with-a-negative": "a @& -1",
        "xor-with-int64": "a @^ s",
        "shift-left": "a @<< 1",
        "min-with-a-negative": "@min(a, -1)",
        "max-with-int64": "@max(a, s)",
        "clip-to-a-negative": "@clip(a, -1, 1)",
        "where-with-a-negative": "@where(a > 5, a, -1)",
        "choose-with-a-negative": "@choose(a >> 63, a, -1)",
        "div-by-a-negative": "@div(a, -1)",
        "mod-by-a-negative": "@mod(a, -2)",
        "to-integer-with-a-negative": "@to_integer(a, -1, 1, 0)",
        "to-integer-beyond-int64": "@to_integer(0.5, 0, 9223372036854775808, 0)",
        "else-negative": "@t[n, else = -1]",
        "abs-of-int64": "@abs(s)",
    }
    given = {**mixed, "n": integers("uint8", [0] * 5), "t": symbol("uint64", "k", [1])}
    for name, text in faults.items():
        topic.refuses(f"refused-{name}", text, "type", axes="i", **given)
    topic.refuses("refused-negative-as-uint64", "(a & 1) @- 1", "type", dtype="uint64", **a)
    topic.refuses("refused-as-int64", "@a", "type", dtype="int64", **a)
    topic.refuses("refused-as-uint32", "a @>> 31", "type", dtype="uint32", **a)
    return topic
