"""Limits and numbers that are too large."""

from __future__ import annotations

from topics.kit import Topic, inf, integers, real, single, symbol


def _names(count: int, operator: str = "+") -> str:
    return operator.join(["a"] * count)


def limits() -> Topic:
    """At each limit: what every implementation accepts."""
    topic = Topic("limits", "Formulas just within the limits, which every implementation accepts.")
    a = {"a": single([1.0])}

    def accepts(name: str, text: str, value: float) -> None:
        topic.gives(name, text, [value], dtype="float32", **a)

    accepts("text", "a".ljust(16384), 1.0)
    accepts("brackets", "(" * 64 + "a" + ")" * 64, 1.0)
    accepts("calls", "sqrt(" * 64 + "a" + ")" * 64, 1.0)
    accepts("brackets-side-by-side", "+".join(["(a)"] * 300), 300.0)
    accepts("brackets-in-a-comment", "a #" + "([" * 200, 1.0)
    accepts("nodes", "-" + _names(1000), 998.0)
    topic.gives("nodes-of-numbers", "-" + "+".join(["1e0"] * 1000), 998.0, dtype="float32")
    accepts("nodes-around-comments", "-" + "+".join(["a"] * 900) + "#" + "+1" * 500 + "\n", 898.0)
    accepts("arguments", f"max({','.join(['a'] * 1999)})", 1.0)
    accepts("powers", _names(65, "**"), 1.0)
    accepts("powers-in-parentheses", "a**(" * 64 + "a" + ")" * 64, 1.0)
    lets = "let v0=a;" + "".join(f"let v{n}=v{n - 1};" for n in range(1, 64))
    accepts("definitions", lets + "v63", 1.0)
    accepts("real-literal", "a + 1." + "0" * 126, 2.0)
    accepts("hexadecimal-literal", "a + 0x" + "0" * 125 + "1", 2.0)
    topic.gives(
        "symbols",
        "+".join(f"s{n}" for n in range(64)),
        [64.0],
        dtype="float32",
        **{f"s{n}": single([1.0]) for n in range(64)},
    )
    topic.gives(
        "symbols-used-again",
        "+".join(f"s{n}+s{n}" for n in range(64)),
        [128.0],
        dtype="float32",
        **{f"s{n}": single([1.0]) for n in range(64)},
        unused=single([1.0]),
    )
    topic.gives(
        "rank",
        "t",
        [[[[[[[[1.0], [2.0]]]]]]]],
        dtype="float32",
        axes="a b c d e f g h",
        t=symbol("float32", "a b c d e f g h", [[[[[[[[1.0], [2.0]]]]]]]]),
    )
    topic.gives(
        "choices",
        f"choose(i & 63,{','.join(map(str, range(100, 164)))})",
        [100, 163],
        dtype="uint8",
        i=integers("uint8", [0, 63]),
    )
    topic.gives(
        "indices",
        "t[" * 64 + "i" + ", else=0]" * 64,
        [1, 0],
        dtype="uint8",
        i=integers("uint8", [1, 9]),
        t=symbol("uint8", "k", [0, 1, 2]),
    )
    topic.gives(
        "coefficients",
        "poly(x, c)",
        [64.0, 1.0],
        x=real([1.0, 0.0]),
        c=symbol("float64", "k", [1.0] * 64),
    )
    deep = "i&1"
    for _ in range(20):
        deep = f"(t[{deep},else=0]&abs(1))"
    topic.gives(
        "mixed-brackets",
        deep,
        [0, 1],
        dtype="uint8",
        i=integers("uint8", [0, 1]),
        t=symbol("uint8", "k", [0, 1]),
    )
    return topic


def limits_refused() -> Topic:
    topic = Topic(
        "limits_refused", "Formulas just beyond the limits of section 11.3.", conformance="limits"
    )
    a = {"a": single([1.0])}

    def refuses(name: str, text: str) -> None:
        topic.refuses(name, text, "limit", dtype="float32", **a)

    refuses("text", "a".ljust(16384) + "@ ")
    refuses("text-on-lines", "a".ljust(16000) + "\n" + " " * 383 + "@" + " " * 3)
    refuses("text-with-a-fault", "%".ljust(16384) + "@ ")
    refuses("brackets", "(" * 64 + "@(a" + ")" * 65)
    refuses("brackets-on-lines", "(" * 60 + "\n((((@(a" + ")" * 65)
    refuses("brackets-of-calls", "sqrt(" * 64 + "sqrt@(a" + ")" * 65)
    refuses("brackets-of-indices", "a[" * 64 + "a@[1" + "]" * 65)
    refuses("brackets-after-others", "(a)+" + "(" * 64 + "@(a" + ")" * 65)
    refuses("brackets-never-closed", "(" * 64 + "@" + "(" * 1000)
    refuses("brackets-before-a-fault", "(" * 64 + "@(%")
    refuses("nodes", _names(1000) + "+@a")
    refuses("nodes-of-operators", "-" + _names(1000) + "@+a")
    refuses("nodes-of-numbers", "+".join(["1.5"] * 1000) + "+@1.5")
    refuses("nodes-of-arguments", f"max({','.join(['a'] * 1999)},@a)")
    refuses("nodes-with-a-definition", "let b = a; " + _names(999) + "+@a+a")
    refuses("nodes-on-lines", _names(1000, "\n+") + "\n+@a")
    refuses("nodes-of-numbers-side-by-side", "08 " * 1000 + "@8")
    refuses("nodes-between-no-tokens", "% ." * 10 + _names(1000) + "+@a")
    refuses("brackets-after-closing-ones", ")]" + "(" * 66 + "@(")
    topic.refuses("brackets-that-do-not-match", "@)" + "(" * 65, "syntax", dtype="float32", **a)
    refuses("definitions", "".join(f"let v{n}=a;\n" for n in range(64)) + "let @v64=a;a")
    refuses("powers", "a @** " + _names(65, "**"))
    refuses("powers-in-parentheses", "a@**(" + "a**(" * 31 + _names(34, "**") + ")" * 32)
    refuses("real-literal", "a + @1." + "0" * 127)
    refuses("integer-literal", "a + @1" + "0" * 128)
    refuses("hexadecimal-literal", "a + @0x" + "0" * 126 + "1")
    topic.refuses(
        "symbols",
        "s0 + " + " + ".join(f"s{n}" for n in range(64)) + "\n + @s64 + s65",
        "limit",
        dtype="float32",
        **{f"s{n}": single([1.0]) for n in range(66)},
    )
    topic.refuses(
        "rank",
        "a + @t",
        "limit",
        axes="a b c d e f g h i",
        dtype="float32",
        a=single([1.0]),
        t=symbol("float32", "a b c d e f g h i"),
    )
    topic.refuses(
        "rank-with-a-dropped-dimension",
        "@t",
        "limit",
        axes="a b c d e f g h",
        dtype="float32",
        t=symbol("float32", "a b c d . e f g h"),
    )
    topic.refuses(
        "coefficients", "@poly(x, c)", "limit", x=real([1.0]), c=symbol("float64", "k", [1.0] * 65)
    )
    return topic


def literals() -> Topic:
    """Numbers that are too large; no limit of an implementation, but a rule."""
    topic = Topic("literals", "The largest numbers that a formula can write.")
    largest = {
        "decimal": "18446744073709551616",
        "hexadecimal": "0x10000000000000000",
        "binary": "0b1" + "0" * 64,
        "real": "1.8e308",
        "real-with-a-large-exponent": "1e999999999",
        "real-above-the-last-halfway": "1.7976931348623159e308",
    }
    for name, text in largest.items():
        topic.refuses(f"too-large-{name}", f"1.0 + @{text}", "limit")
    topic.refuses("too-large-before-a-fault-of-type", "(true + 1) * @1e400", "limit")
    topic.refuses("fault-of-grammar-before-a-large-number", "1e400 + @)", "syntax")
    topic.gives("largest-real", "1.797693134862315807937289714053e308", 1.7976931348623157e308)
    topic.gives("beyond-binary32", "1e39", inf, dtype="float32")
    topic.gives("rounded-to-binary32", "0.1", 0.1, dtype="float32")
    topic.gives("rounded-twice", "1.00000005960464477539062500000001", 1.0, dtype="float32")
    topic.gives("largest-int64", "9223372036854775807", 2**63 - 1, dtype="int64")
    topic.gives("below-int64-by-negation", "-9223372036854775807 - 1", -(2**63), dtype="int64")
    return topic
