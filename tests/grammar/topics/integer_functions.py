"""Functions that give integers."""

from __future__ import annotations

from topics.kit import Topic, each, inf, integers, nan, real, single, symbol


def integers_functions() -> Topic:
    topic = Topic("integers_functions", "bits, div, to_integer and position.")
    a = [0, 0x3FFF, 0x4001, 0xBEEF, 0xFFFF]
    given = {"a": integers("uint16", a)}
    for first, count in ((0, 14), (14, 2), (0, 0), (4, 8), (0, 16), (15, 1), (8, 63), (63, 63)):
        topic.gives(
            f"bits-{first}-{count}",
            f"bits(a, {first}, {count})",
            [(v >> first) & ((1 << count) - 1) for v in a],
            dtype="uint16",
            **given,
        )
    s = [-1, -5, 5, -128]
    topic.gives(
        "bits-of-negatives",
        "bits(s, 1, 4)",
        [(v >> 1) & 15 for v in s],
        dtype="uint8",
        s=integers("int8", s),
    )
    topic.gives(
        "bits-of-negatives-all",
        "bits(s, 0, 63)",
        [v & (2**63 - 1) for v in s],
        dtype="int64",
        s=integers("int8", s),
    )
    topic.gives(
        "bits-chosen-by-symbols",
        "bits(a, n & 15, m & 7)",
        each(lambda v, n, m: (v >> n) & ((1 << m) - 1), a, [0, 1, 14, 8, 15], [1, 7, 2, 0, 3]),
        dtype="uint16",
        n=integers("uint8", [0, 1, 14, 8, 15]),
        m=integers("uint8", [1, 7, 2, 0, 3]),
        **given,
    )
    topic.gives("bits-as-a-real", "bits(a, 0, 4) / 2", [(v & 15) / 2 for v in a], **given)
    p, q = [7, -7, 8, -8, 0, 127, -128], [2, 3, 2, 3, 5, 7, 1]
    for divisor in (1, 2, 3, -1, -3, 128):
        word = f"minus-{-divisor}" if divisor < 0 else str(divisor)
        topic.gives(
            f"div-by-{word}",
            f"div(s, {divisor})",
            [v // divisor for v in p],
            dtype="int16",
            s=integers("int8", p),
        )
    topic.gives(
        "div-by-a-symbol",
        "div(s, max(n, 1))",
        each(lambda m, n: m // n, p, q),
        dtype="int8",
        s=integers("int8", p),
        n=integers("uint8", q),
    )
    topic.gives(
        "div-exactly",
        "div(l, 3)",
        [(2**62 + 1) // 3, (-(2**62) - 1) // 3],
        dtype="int64",
        l=integers("int64", [2**62 + 1, -(2**62) - 1]),
    )
    topic.gives("div-as-a-real", "div(s, 2) / 4", [(v // 2) / 4 for v in p], s=integers("int8", p))
    x = [2.5, 3.5, -2.5, 0.5, 1e30, -1e30, nan, inf, -inf, -0.2, 99.5, 100.49]
    topic.gives(
        "to-integer",
        "to_integer(x, -10, 100, -99)",
        [2, 4, -2, 0, 100, -10, -99, 100, -10, 0, 100, 100],
        dtype="int8",
        x=real(x),
    )
    topic.gives(
        "to-integer-binary32",
        "to_integer(x, -10, 100, -99) * 1.0",
        [2.0, 4.0, -2.0, 0.0, 100.0, -10.0, -99.0, 100.0, -10.0, 0.0, 100.0, 100.0],
        dtype="float32",
        x=single(x),
    )
    topic.gives(
        "to-integer-of-integers",
        "to_integer(s, -5, 50, 0)",
        [-5, -1, 0, 50, 50],
        dtype="int8",
        s=integers("int8", [-128, -1, 0, 50, 127]),
    )
    topic.gives(
        "to-integer-of-a-wide-integer",
        "to_integer(s, -5, 50, 0)",
        [-5, 50],
        dtype="int8",
        s=integers("int64", [-(2**63), 2**63 - 1]),
    )
    top = 2**63 - 1
    topic.gives(
        "to-integer-int64",
        f"to_integer(x, -{top} - 1, {top}, 0)",
        [top, top, -top - 1, -top - 1, 2**62, 2**53, 0],
        dtype="int64",
        x=real([1e19, 2.0**63, -(2.0**63), -1e19, 2.0**62, 9007199254740992.0, nan]),
    )
    topic.gives(
        "to-integer-just-inside-int64",
        f"to_integer(x, 0, {top}, 0)",
        [2**63 - 1024],
        dtype="int64",
        x=real([9223372036854774784.0]),
    )
    topic.gives(
        "to-integer-with-limits-that-are-no-reals",
        "to_integer(x, -9007199254740993, 9007199254740993, 0)",
        [9007199254740992, 9007199254740993, -9007199254740993],
        dtype="int64",
        x=real([9007199254740992.0, 9007199254740994.0, -1e300]),
    )
    topic.gives(
        "to-integer-with-limits-between-reals",
        f"to_integer(x, -{2**53 + 3}, {2**53 + 3}, 0)",
        [2**53 + 3, -(2**53) - 3, 2**53 + 2],
        dtype="int64",
        x=real([2.0**53 + 4, -(2.0**53) - 4, 2.0**53 + 2]),
    )
    topic.gives(
        "to-integer-of-an-integer-beyond-binary32",
        "where(to_integer(a, 0, 20000000, 0) == 16777217, 1, 0)",
        [1.0, 0.0],
        dtype="float32",
        a=integers("uint32", [16777217, 16777216]),
    )
    topic.gives(
        "to-integer-with-limits-beyond-binary32",
        "where(to_integer(x, 0, 16777217, 0) == 16777217, 1.0, 0.0)",
        [0.0, 1.0, 1.0],
        dtype="float32",
        x=single([16777216.0, 16777218.0, inf]),
    )
    topic.gives(
        "to-integer-with-invalid-outside",
        "to_integer(x, 0, 10, 255)",
        [0, 10, 255],
        dtype="uint8",
        x=real([-5.0, 50.0, nan]),
    )
    topic.gives(
        "to-integer-with-constant-expressions",
        "let low = -(1 << 4); to_integer(x, low, 2 * 8 - 1, low)",
        [-16, 15, -16, 3],
        dtype="int8",
        x=real([-100.0, 100.0, nan, 3.2]),
    )
    topic.gives(
        "to-integer-of-one-value",
        "to_integer(x, 5, 5, 5)",
        [5, 5],
        dtype="uint8",
        x=real([1.0, nan]),
    )
    topic.gives("to-integer-of-a-constant-nan", "to_integer(nan, -5, 5, 99)", 99, dtype="int8")
    topic.gives(
        "to-integer-of-a-quotient-of-zeros",
        "to_integer(0 / 0, 0, 5, 7) + a",
        [8, 9],
        dtype="uint16",
        a=integers("uint8", [1, 2]),
    )
    topic.gives("to-integer-of-a-constant-infinity", "to_integer(-inf, -5, 5, 9)", -5, dtype="int8")
    topic.gives(
        "to-integer-as-an-index",
        "t[to_integer(x, 0, 1, -1)]",
        [7.0, 8.0, nan],
        x=real([0.2, 5.0, nan]),
        t=symbol("float64", "k", [7.0, 8.0]),
    )
    return topic


def position() -> Topic:
    topic = Topic("position", "The place of an element along an axis of the result.")
    image = {"a": symbol("uint8", "slow fast", [[1, 2, 3], [4, 5, 6]])}
    topic.gives(
        "fast",
        "position(fast) + 0 * a",
        [[0, 1, 2], [0, 1, 2]],
        axes="slow fast",
        dtype="int16",
        **image,
    )
    topic.gives(
        "slow",
        "position(slow) + 0 * a",
        [[0, 0, 0], [1, 1, 1]],
        axes="slow fast",
        dtype="int16",
        **image,
    )
    topic.gives(
        "in-parentheses",
        "position((slow)) + 0 * a",
        [[0, 0, 0], [1, 1, 1]],
        axes="slow fast",
        dtype="int16",
        **image,
    )
    topic.gives(
        "both",
        "10 * position(slow) + position(fast) + 0 * a",
        [[0, 1, 2], [10, 11, 12]],
        axes="slow fast",
        dtype="int16",
        **image,
    )
    topic.gives(
        "transposed",
        "10 * position(slow) + position(fast) + 0 * a",
        [[0, 10], [1, 11], [2, 12]],
        axes="fast slow",
        dtype="int16",
        **image,
    )
    topic.gives(
        "as-a-real", "position(fast) / 2 + 0 * a", [[0.0, 0.5, 1.0]] * 2, axes="slow fast", **image
    )
    topic.gives(
        "alone-in-a-definition",
        "let x = position(fast); where(x == 1, nan, a)",
        [[1.0, nan, 3.0], [4.0, nan, 6.0]],
        axes="slow fast",
        **image,
    )
    topic.gives(
        "dimension-with-the-name-of-a-symbol",
        "position(a) + a",
        [5, 7, 9],
        axes="a",
        dtype="int16",
        a=symbol("uint8", "a", [5, 6, 7]),
    )
    topic.gives(
        "dimension-with-the-name-of-a-definition",
        "let fast = 7; position(fast) + a",
        [[1, 3, 5], [4, 6, 8]],
        axes="slow fast",
        dtype="int16",
        **image,
    )
    topic.gives(
        "dimension-with-the-name-of-a-function",
        "position(sqrt) + a",
        [1, 3],
        axes="sqrt",
        dtype="int16",
        a=symbol("uint8", "sqrt", [1, 2]),
    )
    topic.gives(
        "periodic-constants",
        "a - t[mod(position(fast), 2)]",
        [[-9.0, -18.0, -7.0], [-6.0, -15.0, -4.0]],
        axes="slow fast",
        t=symbol("float64", "k", [10.0, 20.0]),
        **image,
    )
    topic.gives(
        "module-of-a-row",
        "a - t[div(position(slow), 1)]",
        [[-9.0, -8.0, -7.0], [-16.0, -15.0, -14.0]],
        axes="slow fast",
        t=symbol("float64", "k", [10.0, 20.0]),
        **image,
    )
    topic.gives(
        "proven-by-the-length",
        "t[position(fast)] + 0 * a",
        [[7, 8, 9]] * 2,
        axes="slow fast",
        dtype="int16",
        t=symbol("uint8", "k", [7, 8, 9]),
        **image,
    )
    topic.refuses(
        "longer-than-the-table",
        "where(@b[position(fast)], a, 0)",
        "type",
        axes="fast",
        a=symbol("uint8", "fast", shape=[3]),
        b=symbol("bool", "k", shape=[2]),
    )
    topic.refuses(
        "of-unknown-length",
        "where(@b[position(fast)], a, 0)",
        "type",
        axes="fast",
        a=symbol("uint8", "fast"),
        b=symbol("bool", "k", shape=[2]),
    )
    topic.gives(
        "of-unknown-length-up-to-2-to-53",
        "1023 * position(fast) + a",
        [1, 1025],
        axes="fast",
        dtype="int64",
        a=symbol("uint8", "fast", [1, 2], shape=[None]),
    )
    unknown = {"a": symbol("uint8", "fast", [1, 2], shape=[None])}
    text = "1024 * position(fast) @+ {} + 0 * a"
    topic.gives(
        "of-unknown-length-just-within-int64",
        text.replace("@", "").format(1023),
        [1023, 2047],
        axes="fast",
        dtype="int64",
        **unknown,
    )
    topic.refuses(
        "of-unknown-length-just-beyond-int64",
        text.format(1024),
        "type",
        axes="fast",
        dtype="int64",
        **unknown,
    )
    topic.refuses(
        "of-unknown-length-from-0",
        "where(@b[min(position(fast), 1) - 1], a, 0)",
        "type",
        axes="fast",
        b=symbol("bool", "k", shape=[2]),
        **unknown,
    )
    for length in (0, 1):
        topic.gives(
            f"of-length-{length}",
            "t[position(fast)] + a",
            [9] * length,
            axes="fast",
            dtype="int16",
            a=symbol("uint8", "fast", [5] * length),
            t=symbol("uint8", "k", [4]),
        )
    topic.refuses(
        "of-unknown-length-beyond-int64",
        "1025 @* position(fast) + a",
        "type",
        axes="fast",
        dtype="int64",
        a=symbol("uint8", "fast"),
    )
    topic.gives(
        "length-known-from-a-later-symbol",
        "t[position(fast)] + a + b",
        [9, 12],
        axes="fast",
        dtype="int32",
        a=symbol("uint8", "fast", [1, 2], shape=[None]),
        b=symbol("uint8", "fast", [1, 2]),
        t=symbol("uint8", "k", [7, 8]),
    )
    topic.refuses(
        "length-not-known-from-an-indexed-dimension",
        "where(@b[position(fast)], a, c[fast = 0])",
        "type",
        axes="fast",
        a=symbol("uint8", "fast"),
        c=symbol("uint8", "fast", shape=[2]),
        b=symbol("bool", "k", shape=[2]),
    )
    topic.gives(
        "empty", "position(fast) + a", [], axes="fast", dtype="int16", a=symbol("uint8", "fast", [])
    )
    topic.gives(
        "along-an-axis-that-the-operand-has-not",
        "a + position(fast) + 0 * b",
        [[5, 6], [6, 7]],
        axes="slow fast",
        dtype="int32",
        a=symbol("uint8", "slow", [5, 6]),
        b=symbol("uint8", "fast", [0, 0]),
    )
    faults = {
        "no-axis": "@position(frame) + a",
        "a-symbol-s-name": "@position(a) + a",
        "a-constant-s-name": "@position(pi) + a",
    }
    for name, text in faults.items():
        topic.refuses(name, text, "dimension", axes="slow fast", **image)
    topic.refuses("alone", "@position(fast)", "dimension", axes="fast", a=symbol("uint8", "fast"))
    topic.refuses("misspelt", "@position(fats) + a", "dimension", axes="slow fast", **image)
    topic.refuses(
        "of-an-unknown-name-in-a-sum",
        "position(@fats + 1) + a",
        "unknown-name",
        axes="slow fast",
        **image,
    )
    topic.refuses("of-nothing", "@position() + a", "arity", axes="slow fast", **image)
    topic.refuses("of-two", "@position(a, a) + a", "arity", axes="slow fast", **image)
    return topic
