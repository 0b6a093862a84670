"""Tables that are indexed."""

from __future__ import annotations

import numpy as np

from topics.kit import Topic, d, each, f, integers, nan, symbol

MAPS = symbol(
    "float64",
    "stage slow fast",
    [[[10.0, 11.0, 12.0], [13.0, 14.0, 15.0]], [[20.0, 21.0, 22.0], [23.0, 24.0, 25.0]]],
)


def indexing() -> Topic:
    topic = Topic("indexing", "Tables indexed by named dimensions; what is outside.")
    t = symbol("float64", "k", [1.5, 2.5, 3.5])
    topic.gives("literal", "t[1]", 2.5, t=t)
    topic.gives("named", "t[k = 1]", 2.5, t=t)
    topic.gives("first-and-last", "t[0] + t[2]", 5.0, t=t)
    codes = {"i": integers("int16", [0, 2, 3, -1, 32767, -32768, 1]), "t": t}
    topic.gives("outside-is-nan", "t[i]", [1.5, 3.5, nan, nan, nan, nan, 2.5], **codes)
    topic.gives("outside-with-else", "t[i, else = -9]", [1.5, 3.5, -9, -9, -9, -9, 2.5], **codes)
    topic.gives(
        "else-of-an-expression",
        "t[i, else = i * 2]",
        [1.5, 3.5, 6, -2, 65534, -65536, 2.5],
        **codes,
    )
    topic.gives("else-nan", "t[i, else = nan]", [1.5, 3.5, nan, nan, nan, nan, 2.5], **codes)
    topic.gives("expression", "t[i + 1 - 1]", [1.5, 3.5, nan, nan, nan, nan, 2.5], **codes)
    topic.gives("in-an-expression", "1 - t[i] * 2", [-2.0, -6.0, nan, nan, nan, nan, -4.0], **codes)
    topic.gives(
        "index-of-an-index",
        "t[u[i, else = -1]]",
        [2.5, 1.5, nan],
        t=t,
        u=symbol("uint8", "j", [1, 0]),
        i=integers("uint8", [0, 1, 9]),
    )
    topic.gives(
        "through-a-definition",
        "let plane = choose(i & 3, 0, 2, -1, 1); t[plane]",
        [1.5, 3.5, nan, 2.5],
        t=t,
        i=integers("uint8", [0, 1, 2, 3]),
    )
    g = symbol("uint8", "k", [5, 6, 7])
    some = {"i": integers("uint8", [0, 1, 2, 3]), "g": g}
    topic.gives("integers-proven-inside", "g[i & 1] << 1", [10, 12, 10, 12], dtype="uint16", **some)
    topic.gives("integers-not-proven-are-reals", "g[i] / 2", [2.5, 3.0, 3.5, nan], **some)
    topic.gives("integers-with-else", "g[i, else = 0]", [5, 6, 7, 0], dtype="uint8", **some)
    topic.gives(
        "integers-with-negative-else", "g[i, else = -1]", [5, 6, 7, -1], dtype="int16", **some
    )
    topic.gives("integers-with-real-else", "g[i, else = 0.5]", [5.0, 6.0, 7.0, 0.5], **some)
    topic.gives("integers-with-nan-else", "g[i, else = nan]", [5.0, 6.0, 7.0, nan], **some)
    topic.gives("reals-with-integer-else", "t[i, else = 3]", [1.5, 2.5, 3.5, 3.0], t=t, i=some["i"])
    m = symbol("bool", "k", [True, False, True])
    topic.gives(
        "bools-proven-inside",
        "m[i & 1]",
        [True, False, True, False],
        dtype="bool",
        m=m,
        i=some["i"],
    )
    topic.gives(
        "bools-with-else",
        "m[i, else = false]",
        [True, False, True, False],
        dtype="bool",
        m=m,
        i=some["i"],
    )
    topic.gives(
        "bools-with-else-true",
        "m[i, else = true]",
        [True, False, True, True],
        dtype="bool",
        m=m,
        i=some["i"],
    )
    topic.gives(
        "else-of-a-bool-expression",
        "m[i, else = i > 5]",
        [True, False, True, False],
        dtype="bool",
        m=m,
        i=some["i"],
    )
    topic.gives(
        "large-integers-stay-exact",
        "g[i & 1]",
        [2**62 + 1, -(2**62) - 1],
        dtype="int64",
        g=symbol("int64", "k", [2**62 + 1, -(2**62) - 1]),
        i=integers("uint8", [0, 1]),
    )
    topic.gives(
        "large-integers-not-proven-are-rounded",
        "g[i]",
        [d(2**62 + 1), nan],
        g=symbol("int64", "k", [2**62 + 1]),
        i=integers("uint8", [0, 1]),
    )
    topic.gives(
        "singles-of-a-double-result",
        "t[i & 1] * 3",
        each(lambda v: d(f(v)) * d(3), [0.1, 0.2]),
        t=symbol("float32", "k", [0.1, 0.2]),
        i=integers("uint8", [0, 1]),
    )
    topic.gives(
        "doubles-of-a-single-result",
        "t[i & 1] * 3",
        each(lambda v: f(v) * f(3), [0.1, 0.2]),
        dtype="float32",
        t=symbol("float64", "k", [0.1, 0.2]),
        i=integers("uint8", [0, 1]),
    )
    topic.gives(
        "empty-table", "t[i]", [nan, nan], t=symbol("float64", "k", []), i=integers("uint8", [0, 1])
    )
    topic.gives(
        "empty-table-with-else",
        "t[i, else = 4]",
        [4, 4],
        dtype="uint8",
        t=symbol("uint8", "k", []),
        i=integers("uint8", [0, 1]),
    )
    topic.gives(
        "table-of-one",
        "t[0 * i]",
        [7.0, 7.0],
        t=symbol("float64", "k", [7.0]),
        i=integers("uint8", [0, 1]),
    )
    stages = {"stage": symbol("uint8", "slow fast", [[0, 1, 0], [1, 1, 2]]), "maps": MAPS}
    chosen = [[10.0, 21.0, 12.0], [23.0, 24.0, nan]]
    topic.gives("map-by-pixel", "maps[stage]", chosen, axes="slow fast", **stages)
    topic.gives("map-by-pixel-named", "maps[stage = stage]", chosen, axes="slow fast", **stages)
    turned = np.array(MAPS["values"]).transpose(2, 1, 0)
    topic.gives(
        "table-stored-the-other-way-round",
        "maps[stage]",
        chosen,
        axes="slow fast",
        stage=stages["stage"],
        maps=symbol("float64", "fast slow stage", turned),
    )
    topic.gives(
        "table-with-a-dropped-dimension",
        "maps[stage]",
        [[1.0, 2.0, 1.0], [2.0, 2.0, nan]],
        axes="slow fast",
        stage=stages["stage"],
        maps=symbol("float64", "stage .", [[1.0], [2.0]]),
    )
    cells = symbol(
        "float64",
        "cell stage fast",
        [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]],
    )
    both = {
        "c": cells,
        "s": symbol("uint8", "slow fast", [[0, 1, 0], [1, 0, 1]]),
        "n": symbol("uint16", "slow", [1, 0]),
    }
    wanted = [[7.0, 11.0, 9.0], [4.0, 2.0, 6.0]]
    topic.gives("two-indices", "c[cell = n, stage = s]", wanted, axes="slow fast", **both)
    topic.gives(
        "two-indices-in-the-other-order", "c[stage = s, cell = n]", wanted, axes="slow fast", **both
    )
    topic.gives(
        "two-indices-of-three-with-a-literal",
        "c[stage = 1, cell = n]",
        [[10.0, 11.0, 12.0], [4.0, 5.0, 6.0]],
        axes="slow fast",
        c=cells,
        n=both["n"],
    )
    topic.gives(
        "two-indices-one-outside",
        "c[stage = s + 1, cell = n]",
        [[10.0, nan, 12.0], [nan, 5.0, nan]],
        axes="slow fast",
        **both,
    )
    topic.gives(
        "two-indices-with-else",
        "c[stage = s + 1, cell = n, else = 0]",
        [[10.0, 0.0, 12.0], [0.0, 5.0, 0.0]],
        axes="slow fast",
        **both,
    )
    topic.gives(
        "two-indices-both-proven",
        "c[stage = s & 1, cell = n & 1]",
        [[70, 80], [10, 50]],
        axes="slow fast",
        dtype="uint8",
        c=symbol("uint8", "cell stage fast", [[[10, 20], [40, 50]], [[70, 80], [100, 110]]]),
        s=symbol("uint8", "slow fast", [[0, 0], [0, 1]]),
        n=symbol("uint8", "slow", [1, 0]),
    )
    topic.refuses(
        "two-indices-one-not-proven",
        "@c[stage = s & 1, cell = n]",
        "type",
        axes="slow fast",
        dtype="uint8",
        c=symbol("uint8", "cell stage fast", shape=[2, 2, 2]),
        s=symbol("uint8", "slow fast", shape=[2, 2]),
        n=symbol("uint8", "slow", shape=[2]),
    )
    topic.gives(
        "all-dimensions-indexed",
        "c[cell = 1, stage = 0, fast = 2] + 0 * n",
        [9.0, 9.0],
        axes="slow",
        c=cells,
        n=both["n"],
    )
    topic.gives(
        "dimension-of-the-result-indexed",
        "a - dark[fast = 0]",
        [[-9.0, -8.0], [-17.0, -16.0]],
        axes="slow fast",
        a=symbol("uint8", "slow fast", [[1, 2], [3, 4]]),
        dark=symbol("float64", "slow fast", [[10.0, 99.0], [20.0, 99.0]]),
    )
    topic.gives(
        "neighbour-along-the-result",
        "b[fast = position(fast) + 1] - b",
        [10.0, 20.0, nan],
        axes="fast",
        b=symbol("float64", "fast", [1.0, 11.0, 31.0]),
    )
    topic.gives(
        "reversed-along-the-result",
        "b[fast = 2 - position(fast)] + 0 * b",
        [3.0, 2.0, 1.0],
        axes="fast",
        b=symbol("float64", "fast", [1.0, 2.0, 3.0]),
    )
    topic.gives(
        "one-channel-of-the-field",
        "data[channel = 0] - data[channel = 1]",
        [-9, -18],
        axes="fast",
        dtype="int16",
        field="data",
        data=symbol("uint8", "channel fast", [[1, 2], [10, 20]]),
    )
    topic.gives(
        "dimension-with-the-name-of-a-symbol", "t[t = 1]", 2.0, t=symbol("float64", "t", [1.0, 2.0])
    )
    topic.gives(
        "dimension-with-the-name-of-a-function",
        "t[sqrt = 1]",
        2.0,
        t=symbol("float64", "sqrt", [1.0, 2.0]),
    )
    topic.gives("blanks-and-comments", "t [ # a table\n k = 1 , else = 0 ]", 2.5, t=t)
    topic.gives(
        "same-table-twice",
        "t[i] - t[i + 1]",
        [-1.0, -1.0, nan],
        t=t,
        i=integers("uint8", [0, 1, 2]),
    )
    topic.gives(
        "length-unknown",
        "t[i]",
        [2.5, nan],
        i=integers("uint8", [1, 3]),
        t=symbol("float64", "k", [1.5, 2.5, 3.5], shape=[None]),
    )
    topic.refuses(
        "length-unknown-is-not-proven",
        "@g[i & 1]",
        "type",
        dtype="uint8",
        i=integers("uint8", [0, 1]),
        g=symbol("uint8", "k"),
    )
    topic.gives(
        "length-unknown-with-else",
        "g[i, else = 0]",
        [6, 0],
        dtype="uint8",
        i=integers("uint8", [1, 2]),
        g=symbol("uint8", "k", [5, 6], shape=[None]),
    )
    topic.gives(
        "interval-of-the-dtype-not-of-the-values",
        "g[0] + 65280",
        65286,
        dtype="uint16",
        g=symbol("uint8", "k", [6]),
    )
    topic.refuses(
        "interval-of-the-dtype",
        "g[0] @+ 65281",
        "type",
        dtype="uint16",
        g=symbol("uint8", "k", [6]),
    )
    topic.gives(
        "interval-with-else",
        "g[i, else = 300]",
        [6, 300],
        dtype="uint16",
        i=integers("uint8", [0, 1]),
        g=symbol("uint8", "k", [6]),
    )
    topic.refuses(
        "interval-with-else-too-large",
        "@g[i, else = 300]",
        "type",
        dtype="uint8",
        i=integers("uint8", [0, 1]),
        g=symbol("uint8", "k", [6]),
    )
    return topic
