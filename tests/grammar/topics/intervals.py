"""The intervals of integers."""

from __future__ import annotations

from topics.kit import Topic, integers, symbol, words_of


def intervals() -> Topic:
    """Each interval, made visible by a table that is exactly as long.

    `t[expression - low]` is an integer only if the index is proven inside.
    """
    topic = Topic(
        "intervals",
        "The interval of each operator and function: an integer table is exactly as long.",
    )
    u8, i8 = integers("uint8", [3]), integers("int8", [-3])
    few = {"u": u8, "s": i8, "b": symbol("bool", "i", [True])}
    cases = {
        "literal": ("7", 7, 7, 7),
        "sum": ("(u & 3) + (u & 4)", 0, 7, 3),
        "sum-of-negatives": ("clip(s, -5, -1) + clip(s, 2, 4)", -3, 3, -1),
        "difference": ("(u & 3) - (u & 4)", -4, 3, 3),
        "difference-of-itself": ("(u & 3) - (u & 3)", -3, 3, 0),
        "negation": ("-(u & 7)", -7, 0, -3),
        "product": ("(u & 3) * 5", 0, 15, 15),
        "product-of-signs": ("clip(s, -5, 2) * clip(s, -3, 4)", -20, 15, 9),
        "product-of-negatives": ("clip(s, -5, -2) * clip(s, -7, -3)", 6, 35, 9),
        "product-of-signs-the-other-way": ("clip(u, 1, 3) * clip(s, -5, 2)", -15, 6, -9),
        "product-of-a-negative-range": ("clip(s, -5, -2) * clip(u, 1, 3)", -15, -2, -9),
        "product-with-itself": ("clip(s, -4, 3) * clip(s, -4, 3)", -12, 16, 9),
        "shift-left": ("(u & 3) << 2", 0, 12, 12),
        "shift-left-of-negative": ("clip(s, -3, 2) << 1", -6, 4, -6),
        "shift-left-by-a-range": ("1 << (u & 3)", 1, 8, 8),
        "shift-left-of-a-range-by-a-range": ("clip(s, -3, 2) << (u & 1)", -6, 4, -6),
        "shift-left-of-a-positive-range": ("clip(u, 2, 3) << clip(u, 1, 2)", 4, 12, 12),
        "shift-left-of-negatives": ("clip(s, -3, -2) << clip(u, 1, 3)", -24, -4, -24),
        "shift-right": ("u >> 4", 0, 15, 0),
        "shift-right-of-negative": ("s >> 4", -8, 7, -1),
        "shift-right-by-a-range": ("clip(s, -9, 20) >> (u & 3)", -9, 20, -1),
        "shift-right-of-a-positive-range": ("clip(u, 16, 40) >> clip(u, 1, 2)", 4, 20, 4),
        "shift-right-of-negatives": ("clip(s, -9, -5) >> clip(u, 1, 3)", -5, -1, -1),
        "and": ("u & 12", 0, 12, 0),
        "and-of-two-ranges": ("clip(u, 0, 9) & clip(u, 0, 20)", 0, 9, 3),
        "and-with-a-negative": ("s & 5", 0, 5, 5),
        "and-of-a-negative-range": ("clip(s, -100, -50) & clip(u, 0, 6)", 0, 6, 2),
        "and-of-negatives": ("clip(s, -5, -2) & clip(s, -3, -1)", -8, 7, -3),
        "and-of-mixed-signs": ("clip(s, -5, 9) & clip(s, -3, 1)", -16, 15, -3),
        "or": ("clip(u, 3, 9) | clip(u, 5, 6)", 5, 15, 7),
        "or-with-a-literal": ("(u & 3) | 8", 8, 15, 11),
        "or-with-a-negative": ("clip(s, -3, 3) | 4", -8, 7, -3),
        "or-of-negatives": ("clip(s, -5, -2) | clip(s, -9, -1)", -16, 15, -3),
        "or-of-zeros": ("(u & 0) | 0", 0, 0, 0),
        "xor": ("(u & 4) ^ 1", 0, 7, 1),
        "xor-of-ranges": ("clip(u, 3, 9) ^ clip(u, 5, 6)", 0, 15, 6),
        "xor-with-a-negative": ("clip(s, -4, 3) ^ 3", -4, 3, -2),
        "xor-with-itself": ("(u & 3) ^ (u & 3)", 0, 3, 0),
        "xor-of-minus-one-and-zero": ("clip(s, -1, 0) ^ 0", -1, 0, -1),
        "abs": ("abs(clip(s, -3, 5))", 0, 5, 3),
        "abs-of-negatives": ("abs(clip(s, -9, -3))", 3, 9, 3),
        "abs-of-positives": ("abs(clip(u, 2, 6))", 2, 6, 3),
        "abs-from-one": ("abs(clip(u, 1, 6))", 1, 6, 3),
        "abs-to-minus-one": ("abs(clip(s, -6, -1))", 1, 6, 3),
        "floor": ("floor(clip(s, -9, -3))", -9, -3, -3),
        "ceil": ("ceil(clip(s, -9, -3))", -9, -3, -3),
        "round": ("round(clip(s, -9, -3))", -9, -3, -3),
        "sign": ("sign(s)", -1, 1, -1),
        "sign-of-positives": ("sign(clip(u, 1, 9))", 1, 1, 1),
        "sign-of-unsigned": ("sign(u)", 0, 1, 1),
        "sign-of-negatives": ("sign(clip(s, -9, -2))", -1, -1, -1),
        "sign-of-what-is-not-positive": ("sign(clip(s, -9, 0))", -1, 0, -1),
        "sign-of-one-bit": ("sign(u & 1)", 0, 1, 1),
        "min": ("min(clip(u, 2, 9), clip(u, 4, 7))", 2, 7, 3),
        "min-of-three": ("min(clip(u, 2, 9), clip(u, 1, 20), 5)", 1, 5, 3),
        "max": ("max(clip(u, 2, 9), clip(u, 4, 7))", 4, 9, 4),
        "max-of-three": ("max(clip(u, 2, 9), clip(u, 1, 6), 3)", 3, 9, 3),
        "clip": ("clip(u, 4, 7)", 4, 7, 4),
        "clip-to-ranges": ("clip(u & 15, u & 3, clip(u, 6, 9))", 0, 9, 3),
        "clip-with-bounds-swapped": ("clip(u, 7, 4)", 4, 4, 4),
        "mod": ("mod(s, 5)", 0, 4, 2),
        "mod-of-a-small-range": ("mod(u & 1, 5)", 0, 4, 1),
        "mod-by-a-negative": ("mod(s, -5)", -4, 0, -3),
        "mod-by-a-range": ("mod(s, clip(u, 3, 6))", 0, 5, 0),
        "mod-by-a-negative-range": ("mod(s, clip(s, -6, -2))", -5, 0, 0),
        "mod-by-one": ("mod(u, 1)", 0, 0, 0),
        "div": ("div(u, 16)", 0, 15, 0),
        "div-of-negatives": ("div(clip(s, -9, 7), 4)", -3, 1, -1),
        "div-by-a-negative": ("div(clip(s, -9, 7), -4)", -2, 2, 0),
        "div-by-a-range": ("div(clip(s, -9, 7), clip(u, 2, 5))", -5, 3, -1),
        "div-of-positives-by-a-range": ("div(clip(u, 7, 9), clip(u, 2, 5))", 1, 4, 2),
        "div-of-negatives-by-a-range": ("div(clip(s, -9, -7), clip(u, 2, 5))", -5, -2, -3),
        "div-by-a-negative-range": ("div(clip(s, -9, 7), clip(s, -5, -2))", -4, 4, 1),
        "bits": ("bits(u, 4, 2)", 0, 3, 0),
        "bits-beyond-the-dtype": ("bits(u, 6, 8)", 0, 3, 0),
        "bits-of-a-negative": ("bits(s, 4, 3)", 0, 7, 7),
        "bits-with-a-range-of-counts": ("bits(u, 0, clip(u, 1, 3))", 0, 7, 3),
        "to-integer": ("to_integer(0.5 * u, 2, 9, 4)", 2, 9, 2),
        "to-integer-with-invalid-outside": ("to_integer(0.5 * u, 2, 9, -1)", -1, 9, 2),
        "to-integer-of-an-integer": ("to_integer(u, 2, 9, 12)", 2, 12, 3),
        "where": ("where(b, u & 3, clip(s, -2, 1))", -2, 3, 3),
        "where-learns-nothing": ("where(u < 4, u, 3)", 0, 255, 3),
        "choose": ("choose(u & 1, 4, 9)", 4, 9, 9),
        "choose-with-values-out-of-reach": ("choose(u & 1, 4, 9, 12)", 4, 12, 9),
        "definition": ("x + x", 0, 6, 6),
        "dtype-uint8": ("u", 0, 255, 3),
        "dtype-int8": ("s", -128, 127, -3),
    }
    for name, (text, low, high, value) in cases.items():
        words = "let x = u & 3; " if name == "definition" else ""
        shift = f"- {low}" if low >= 0 else f"+ {-low}"
        index = f"({text}) {shift}" if low else text
        length = high - low + 1
        given = {key: few[key] for key in few if key in words_of(words + text)}
        axes = "i" if given else ""
        table = symbol("uint16", "k", list(range(1000, 1000 + length)))
        result = 1000 + value - low
        topic.gives(
            f"{name}-exact",
            f"{words}t[{index}]",
            [result] if given else result,
            axes=axes,
            dtype="uint16",
            t=table,
            **given,
        )
        short = symbol("uint16", "k", shape=[length - 1])
        topic.refuses(
            f"{name}-high",
            f"{words}@t[{index}]",
            "type",
            axes=axes,
            dtype="uint16",
            t=short,
            **given,
        )
        shift = f"- {low + 1}" if low >= -1 else f"+ {-low - 1}"
        topic.refuses(
            f"{name}-low",
            f"{words}@t[({text}) {shift}]",
            "type",
            axes=axes,
            dtype="uint16",
            t=symbol("uint16", "k", shape=[length]),
            **given,
        )
    return topic
