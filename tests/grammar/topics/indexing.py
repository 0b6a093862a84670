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
    _one_index(topic)
    _planes(topic)
    _several(topic)
    return topic


def _one_index(topic: Topic) -> None:
    """An index with one value for all elements."""
    t = symbol("float64", "k", [1.5, 2.5, 3.5])
    for value, name in ((-1, "minus-one"), (-3, "minus-the-length"), (2, "last"), (3, "length")):
        expected = t["values"][value] if 0 <= value < 3 else nan
        n = symbol("int8", "", value)
        topic.gives(f"scalar-{name}", "t[n]", expected, t=t, n=n)
        topic.gives(
            f"scalar-{name}-of-planes",
            "x + maps[stage = n]",
            [[expected + 1, expected + 2], [expected + 3, expected + 4]],
            axes="slow fast",
            x=symbol("float64", "slow fast", [[1.0, 2.0], [3.0, 4.0]]),
            maps=symbol("float64", "stage slow fast", [[[v] * 2] * 2 for v in t["values"]]),
            n=n,
        )
        topic.gives(
            f"same-for-all-{name}", "t[i]", [expected] * 12, t=t, i=integers("int8", [value] * 12)
        )


def _planes(topic: Topic) -> None:
    """Most elements take the same plane of a table, a few another."""
    count = 48
    x = [float(v) for v in range(count)]
    one = [0] * 17 + [1] + [0] * (count - 18)
    two = [0] * 30 + [-1] + [0] * (count - 31)
    a = np.array([x, [100.0 + v for v in x]])
    b = np.array([[0.5] * count, [0.25] * count])
    tables = {"a": symbol("float64", "k i", a), "b": symbol("float64", "k i", b)}
    g, h = integers("int8", one), integers("int8", two)

    def taken(table: np.ndarray, places: list[int]) -> list[float]:
        rows = enumerate(places)
        return [table[k, i] if 0 <= k < len(table) else nan for i, k in rows]

    topic.gives("one-element-in-another-plane", "a[g]", taken(a, one), a=tables["a"], g=g)
    topic.gives("one-element-outside", "a[h]", taken(a, two), a=tables["a"], h=h)
    topic.gives(
        "two-indices-with-one-other-plane-each",
        "a[g] + b[h]",
        each(lambda p, q: p + q, taken(a, one), taken(b, two)),
        g=g,
        h=h,
        **tables,
    )
    codes = [0, 1, 2, 3] * 3
    p, q = [1.0, 2.0, 3.0], [10.0, 20.0, 30.0]
    topic.gives(
        "two-choices-by-the-same-code",
        "p[choose(s & 3, 0, 1, -1, 2)] + q[choose(s & 3, 2, 1, 0, 0)]",
        [(31.0, 22.0, nan, 13.0)[code] for code in codes],
        p=symbol("float64", "k", p),
        q=symbol("float64", "k", q),
        s=integers("uint8", codes),
    )


def _several(topic: Topic) -> None:
    """Several indices of one table."""
    cube = np.arange(24.0).reshape(2, 3, 4)
    table = symbol("float64", "a b c", cube)
    i, j, k = [0, 1, 0, 1, 0], [2, 0, 1, 2, 0], [3, 0, 1, 2, 3]
    places = {name: integers("int8", found) for name, found in (("i", i), ("j", j), ("k", k))}
    topic.gives(
        "three-indices",
        "t[a = i, b = j, c = k]",
        each(lambda p, q, r: cube[p, q, r], i, j, k),
        t=table,
        **places,
    )
    topic.gives(
        "two-indices-beside-a-literal",
        "t[a = i, b = 1, c = k]",
        each(lambda p, r: cube[p, 1, r], i, k),
        t=table,
        i=places["i"],
        k=places["k"],
    )
    topic.gives(
        "two-indices-after-a-literal",
        "t[a = 1, b = j, c = k]",
        each(lambda q, r: cube[1, q, r], j, k),
        t=table,
        j=places["j"],
        k=places["k"],
    )
    out, far = [-1, 0, 1, 0, 1], [0, 3, 1, 2, -9]
    topic.gives(
        "each-index-outside-elsewhere",
        "t[a = i, b = j, c = 2]",
        [nan, nan, cube[1, 1, 2], cube[0, 2, 2], nan],
        t=table,
        i=integers("int8", out),
        j=integers("int8", far),
    )
    topic.gives(
        "each-index-outside-elsewhere-with-else",
        "t[a = i, b = j, c = 2, else = -1]",
        [-1.0, -1.0, cube[1, 1, 2], cube[0, 2, 2], -1.0],
        t=table,
        i=integers("int8", out),
        j=integers("int8", far),
    )
