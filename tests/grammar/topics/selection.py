"""Selection, and the conditions for it."""

from __future__ import annotations

from topics.kit import Topic, each, f, inf, integers, nan, real, symbol, words_of


def where_choose() -> Topic:
    topic = Topic("where_choose", "Selection by conditions and by small integers.")
    x, p = [1.5, -2.5, nan, inf], [True, False, True, False]
    a = [1, 2, 3, 4]
    given = {"p": symbol("bool", "i", p)}
    topic.gives("reals", "where(p, x, -x)", [1.5, 2.5, nan, -inf], x=real(x), **given)
    topic.gives(
        "integers",
        "where(p, a, -1)",
        [1, -1, 3, -1],
        dtype="int16",
        a=integers("uint8", a),
        **given,
    )
    topic.gives(
        "integer-and-real",
        "where(p, a, 0.5)",
        [1.0, 0.5, 3.0, 0.5],
        a=integers("uint8", a),
        **given,
    )
    topic.gives(
        "real-and-integer",
        "where(p, 0.5, a)",
        [0.5, 2.0, 0.5, 4.0],
        a=integers("uint8", a),
        **given,
    )
    topic.gives(
        "bools",
        "where(p, a > 2, a < 3)",
        [False, True, True, False],
        dtype="bool",
        a=integers("uint8", a),
        **given,
    )
    topic.gives("nan-not-selected", "where(p, 1, nan)", [1.0, nan, 1.0, nan], **given)
    topic.gives(
        "fault-not-selected", "where(a != 0, 1 / a, 0)", [0.0, 0.5], a=integers("uint8", [0, 2])
    )
    topic.gives(
        "nested",
        "where(a == 1, 10, where(a == 2, 20, where(a == 3, 30, 40)))",
        [10, 20, 30, 40],
        dtype="uint8",
        a=integers("uint8", a),
    )
    topic.gives("constant-condition", "where(true, a, 0)", a, dtype="uint8", a=integers("uint8", a))
    topic.gives(
        "condition-of-other-dimensions",
        "where(bad, nan, a)",
        [[1.0, nan], [3.0, nan]],
        axes="frame fast",
        bad=symbol("bool", "fast", [False, True]),
        a=symbol("uint8", "frame fast", [[1, 2], [3, 4]]),
    )
    topic.gives(
        "branches-of-other-dimensions",
        "where(p, a, b)",
        [[10, 20], [2, 2]],
        axes="slow fast",
        dtype="uint8",
        p=symbol("bool", "slow", [True, False]),
        a=symbol("uint8", "fast", [10, 20]),
        b=symbol("uint8", "slow", [1, 2]),
    )
    topic.gives("zero-with-a-sign", "where(p, -0.0, 0.0)", [-0.0, 0.0, -0.0, 0.0], **given)
    topic.gives(
        "precision-of-the-branches",
        "where(p, x, 0) - 0.1",
        [f(0.1) - f(0.1), -f(0.1)],
        dtype="float32",
        x=real([0.1, 0.1]),
        p=symbol("bool", "i", [True, False]),
    )
    two = {"s": integers("uint8", [0, 1, 2, 3])}
    topic.gives("choose-integers", "choose(s & 3, 0, 1, -1, 2)", [0, 1, -1, 2], dtype="int8", **two)
    topic.gives("choose-reals", "choose(s & 3, 0.5, 1.5, nan, inf)", [0.5, 1.5, nan, inf], **two)
    topic.gives("choose-mixed", "choose(s & 3, 1, 2, 0.5, 3)", [1.0, 2.0, 0.5, 3.0], **two)
    topic.gives(
        "choose-bools",
        "choose(s & 3, true, false, s > 1, s > 5)",
        [True, False, True, False],
        dtype="bool",
        **two,
    )
    topic.gives(
        "choose-symbols", "choose(s & 3, s, s + 10, -s, 0)", [0, 11, -2, 0], dtype="int16", **two
    )
    topic.gives(
        "choose-more-values-than-needed",
        "choose(s & 1, 5, 6, 7, 8)",
        [5, 6, 5, 6],
        dtype="uint8",
        **two,
    )
    topic.gives(
        "choose-more-symbols-than-needed",
        "choose(s & 1, s + 5, s + 10, s + 20, -s)",
        [5, 11, 7, 13],
        dtype="int16",
        **two,
    )
    topic.gives("choose-one-value", "choose(s & 0, 5)", [5] * 4, dtype="uint8", **two)
    topic.gives("choose-by-a-literal", "choose(2, 5, 6, s)", [0, 1, 2, 3], dtype="uint8", **two)
    topic.gives(
        "choose-by-clip", "choose(clip(s, 0, 2), 5, 6, 7)", [5, 6, 7, 7], dtype="uint8", **two
    )
    topic.gives(
        "choose-by-a-condition",
        "choose(where(s > 1, 1, 0), 5, 6)",
        [5, 5, 6, 6],
        dtype="uint8",
        **two,
    )
    topic.gives("choose-nan-not-selected", "choose(s & 1, s, nan)", [0.0, nan, 2.0, nan], **two)
    topic.gives(
        "choose-among-dimensions",
        "choose(s & 1, a, 0)",
        [[10, 20], [0, 0]],
        axes="slow fast",
        dtype="uint8",
        s=symbol("uint8", "slow", [0, 1]),
        a=symbol("uint8", "fast", [10, 20]),
    )
    topic.gives(
        "jungfrau",
        "let stage = data >> 14; let plane = choose(stage, 0, 1, -1, 2);"
        " ((data & 0x3FFF) - pedestal[plane]) / gain[plane]",
        [[2.5, nan], [-0.0, 15.0]],
        axes="slow fast",
        data=symbol("uint16", "slow fast", [[3100, 0x8000], [0x4000 + 14000, 0xC000 + 8000]]),
        pedestal=symbol(
            "float64",
            "stage slow fast",
            [[[3000.0] * 2] * 2, [[14000.0] * 2] * 2, [[9500.0] * 2] * 2],
        ),
        gain=symbol(
            "float64", "stage slow fast", [[[40.0] * 2] * 2, [[-1.5] * 2] * 2, [[-100.0] * 2] * 2]
        ),
    )
    return topic


def logic() -> Topic:
    topic = Topic("logic", "and, or and not, of conditions only.")
    p, q = [True, True, False, False], [True, False, True, False]
    given = {"p": symbol("bool", "i", p), "q": symbol("bool", "i", q)}
    texts = {
        "and": ("p and q", each(lambda a, b: a and b, p, q)),
        "or": ("p or q", each(lambda a, b: a or b, p, q)),
        "not": ("not p", [not a for a in p]),
        "not-and": ("not (p and q)", each(lambda a, b: not (a and b), p, q)),
        "and-not": ("p and not q", each(lambda a, b: a and not b, p, q)),
        "true": ("p and true", p),
        "false": ("p or false", p),
        "and-of-three": ("p and q and p", each(lambda a, b: a and b, p, q)),
        "or-of-three": ("p or q or p", each(lambda a, b: a or b, p, q)),
        "and-or": ("p and q or not p", each(lambda a, b: (a and b) or not a, p, q)),
        "definition": ("let both = p and q; not both", each(lambda a, b: not (a and b), p, q)),
        "where": ("where(p, q, not q)", each(lambda a, b: b if a else not b, p, q)),
    }
    for name, (text, values) in texts.items():
        topic.gives(
            name, text, values, dtype="bool", **{k: given[k] for k in given if k in words_of(text)}
        )
    topic.gives("constants", "true and not false", True, dtype="bool")
    topic.gives(
        "range",
        "0 <= x and x < 10",
        [False, True, True, False, False],
        dtype="bool",
        x=real([-1.0, 0.0, 9.5, 10.0, nan]),
    )
    topic.gives(
        "mask",
        "(m & 0xFFFF) == 0 or m == 0x10001",
        [True, False, True, True],
        dtype="bool",
        m=integers("uint32", [0, 1, 0x80000000, 0x10001]),
    )
    faults = {
        "and-of-an-integer": "p @and 1",
        "or-of-an-integer": "1 @or p",
        "and-of-a-real": "p @and 1.0",
        "not-of-an-integer": "@not a",
        "not-of-a-real": "@not (1.5)",
        "or-of-a-mask": "p @or (a & 1)",
        "and-of-numbers": "a @and a",
        "bool-plus-bool": "p @+ p",
        "bool-times-number": "p @* 2",
        "number-minus-bool": "1 @- p",
        "bool-divided": "p @/ 2",
        "power-of-a-bool": "2 @** p",
        "negated-bool": "@-p",
        "negated-true": "@-true",
    }
    for name, text in faults.items():
        topic.refuses(
            f"refused-{name}",
            text,
            "type",
            axes="i",
            dtype="bool",
            p=given["p"],
            a=integers("uint8", [1, 2, 3, 4]),
        )
    return topic
