"""Named dimensions."""

from __future__ import annotations

import numpy as np

from topics.kit import Topic, symbol

IMAGE = symbol("uint8", "slow fast", [[1, 2, 3], [4, 5, 6]])


def dimensions() -> Topic:
    topic = Topic("dimensions", "Values meet by the names of their dimensions.")
    frames = symbol("float64", "frame", [10.0, 20.0])
    fast = symbol("float64", "fast", [1.0, 2.0, 3.0])
    outer = [[11.0, 12.0, 13.0], [21.0, 22.0, 23.0]]
    topic.gives("two-vectors", "a + b", outer, axes="frame fast", a=frames, b=fast)
    topic.gives(
        "two-vectors-transposed", "a + b", np.array(outer).T, axes="fast frame", a=frames, b=fast
    )
    topic.gives(
        "same-length-other-name",
        "a + b",
        [[2.0, 3.0], [3.0, 4.0]],
        axes="x y",
        a=symbol("float64", "x", [1.0, 2.0]),
        b=symbol("float64", "y", [1.0, 2.0]),
    )
    topic.gives(
        "same-name",
        "a + b",
        [2.0, 4.0],
        axes="x",
        a=symbol("float64", "x", [1.0, 2.0]),
        b=symbol("float64", "x", [1.0, 2.0]),
    )
    topic.gives(
        "scalar", "a * g", [5.0, 10.0], axes="frame", a=frames, g=symbol("float64", "", 0.5)
    )
    topic.gives(
        "only-scalars",
        "a * g",
        3.0,
        axes="",
        a=symbol("float64", "", 6.0),
        g=symbol("float64", "", 0.5),
    )
    topic.gives("no-symbols", "1 + 1", 2.0, axes="")
    topic.gives(
        "transposed-constant",
        "a - c",
        [[-1.0, -2.0, -3.0], [-1.0, -2.0, -3.0]],
        axes="slow fast",
        a=IMAGE,
        c=symbol("float64", "fast slow", [[2.0, 5.0], [4.0, 7.0], [6.0, 9.0]]),
    )
    topic.gives(
        "transposed-result", "a", [[1, 4], [2, 5], [3, 6]], axes="fast slow", dtype="uint8", a=IMAGE
    )
    topic.gives(
        "dropped-dimension",
        "a + b",
        [[11.0, 21.0], [12.0, 22.0]],
        axes="slow frame",
        a=symbol("float64", "frame .", [[10.0], [20.0]]),
        b=symbol("float64", "slow", [1.0, 2.0]),
    )
    topic.gives(
        "dropped-dimensions",
        "a + b",
        [2.0, 3.0],
        axes="slow",
        a=symbol("float64", ". .", [[1.0]]),
        b=symbol("float64", "slow", [1.0, 2.0]),
    )
    topic.gives(
        "dropped-dimension-first",
        "a",
        [1.0, 2.0],
        axes="frame",
        a=symbol("float64", ". frame .", [[[1.0], [2.0]]]),
    )
    data = np.array([[[1, 2], [3, 4]], [[9, 10], [11, 12]]])
    values = (data - np.array([1.0, 0.5])) * np.array([[1.0], [3.0]]) / np.array([[[2.0]], [[4.0]]])
    topic.gives(
        "per-frame-per-panel-per-pixel",
        "(data - p) * m / n",
        values,
        axes="frame panel fast",
        data=symbol("uint8", "frame panel fast", data),
        p=symbol("float64", "fast", [1.0, 0.5]),
        m=symbol("float64", "panel", [1.0, 3.0]),
        n=symbol("float64", "frame", [2.0, 4.0]),
    )
    topic.gives(
        "definition-of-fewer-dimensions",
        "let half = b / 2; a * half",
        [[5.0, 10.0, 15.0], [10.0, 20.0, 30.0]],
        axes="frame fast",
        a=frames,
        b=fast,
    )
    topic.gives(
        "axis-of-an-unused-branch",
        "where(true, a, b)",
        [[10.0] * 3, [20.0] * 3],
        axes="frame fast",
        a=frames,
        b=fast,
    )
    topic.gives(
        "axis-multiplied-by-zero",
        "a + 0 * b",
        [[10.0] * 3, [20.0] * 3],
        axes="frame fast",
        a=frames,
        b=fast,
    )
    topic.gives(
        "axis-shifted-away",
        "a + (c >> 8)",
        [[10.0] * 2, [20.0] * 2],
        axes="frame fast",
        a=frames,
        c=symbol("uint8", "fast", [1, 2]),
    )
    topic.gives(
        "axis-only-in-a-condition",
        "where(c > 1, a, 0)",
        [[0.0, 10.0], [0.0, 20.0]],
        axes="frame fast",
        a=frames,
        c=symbol("uint8", "fast", [1, 2]),
    )
    topic.gives(
        "axis-only-in-an-index",
        "t[c]",
        [6.0, 5.0],
        axes="fast",
        t=symbol("float64", "k", [5.0, 6.0]),
        c=symbol("uint8", "fast", [1, 0]),
    )
    topic.gives(
        "axis-only-in-else",
        "t[9, else = c]",
        [1.0, 0.0],
        axes="fast",
        t=symbol("float64", "k", [5.0, 6.0]),
        c=symbol("uint8", "fast", [1, 0]),
    )
    topic.gives(
        "empty-axis",
        "a + b",
        [[], []],
        axes="frame fast",
        a=frames,
        b=symbol("float64", "fast", []),
    )
    topic.gives(
        "empty-frames",
        "a + b",
        [],
        axes="frame",
        a=symbol("float64", "frame", []),
        b=symbol("float64", "", 1.0),
    )
    topic.gives(
        "axis-of-length-1",
        "a + b",
        [[11.0, 21.0]],
        axes="x frame",
        a=symbol("float64", "frame", [10.0, 20.0]),
        b=symbol("float64", "x", [1.0]),
    )
    topic.gives(
        "length-from-any-symbol",
        "a + b",
        [2.0, 4.0],
        axes="x",
        a=symbol("float64", "x", [1.0, 2.0], shape=[None]),
        b=symbol("float64", "x", [1.0, 2.0]),
    )
    topic.gives(
        "many-axes",
        "a + b",
        [[[[[3.0, 4.0]]]]],
        axes="p q r s t",
        a=symbol("float64", "t q r s", [[[[1.0]]], [[[2.0]]]]),
        b=symbol("float64", "p", [2.0]),
    )
    topic.gives(
        "symbol-with-unused-faults",
        "a",
        [1.0],
        axes="x",
        a=symbol("float64", "x", [1.0]),
        b=symbol("float64", "y y", [[1.0]]),
    )
    return topic


def errors_dimensions() -> Topic:
    topic = Topic("errors_dimensions", "Dimensions and lengths that do not fit.")
    given = {
        "a": symbol("float64", "slow fast", shape=[2, 3]),
        "maps": symbol("float64", "stage slow fast", shape=[4, 2, 3]),
        "cells": symbol("float64", "cell stage fast", shape=[5, 4, 3]),
        "t": symbol("float64", "k", shape=[7]),
        "u": symbol("float64", "k", shape=[6]),
        "v": symbol("float64", "j", shape=[7]),
        "w": symbol("float64", "k"),
        "n": symbol("uint8", "slow", shape=[2]),
        "short": symbol("float64", "slow", shape=[3]),
        "frames": symbol("uint8", "frame", shape=[9]),
        "flat": symbol("uint8", "slow fast", shape=[2, 3]),
        "twice": symbol("float64", "slow slow", shape=[2, 2]),
        "many": symbol("float64", "slow", shape=[2, 3]),
        "dropped": symbol("float64", "slow .", shape=[2, 3]),
        "empty": symbol("float64", "slow .", shape=[2, 0]),
        "scalar": symbol("float64", ""),
    }
    faults = {
        "table-not-indexed": "a - @maps",
        "table-half-indexed": "a - @cells[stage = 0]",
        "dimension-not-of-the-result": "a + @frames",
        "dimension-not-of-the-result-in-a-definition": "let x = @frames * 2;\na",
        "dimension-not-of-the-result-in-an-index": "a + maps[@frames]",
        "lengths-differ": "a + @short",
        "lengths-differ-from-a-later-one": "short + @a",
        "lengths-differ-under-an-index": "a + t[@short]",
        "lengths-differ-in-a-table": "short + @maps[0]",
        "index-without-a-name-of-many": "a + cells[@0]",
        "index-without-a-name-beside-a-named-one": "a + cells[stage = 0, @1]",
        "index-without-a-name-of-none": "a + flat[@0]",
        "index-without-a-name-of-a-scalar": "a + scalar[@0]",
        "index-without-a-name-at-the-operator": "a + cells[n @+ 1]",
        "index-without-a-name-at-the-function": "a + cells[@abs(n)]",
        "index-without-a-name-in-parentheses": "a + cells[(n @+ 1)]",
        "two-indices-without-a-name": "a + maps[0, @1]",
        "index-of-an-unknown-dimension": "a + maps[@stages = 0]",
        "index-of-an-unknown-dimension-second": "a + cells[stage = 0, @memory = 0]",
        "index-of-a-dimension-twice": "a + maps[stage = 0, @stage = 1]",
        "index-of-a-dimension-twice-without-a-name": "a + maps[stage = 0, @0]",
        "index-of-a-dropped-dimension": "a + maps[@slow2 = 0]",
        "index-of-a-scalar": "a + scalar[@k = 0]",
        "dimension-named-twice": "a + @twice",
        "more-lengths-than-names": "a + @many",
        "dropped-dimension-of-length-3": "a + @dropped",
        "dropped-dimension-of-length-0": "a + @empty",
        "missing-axis": "@n",
        "missing-axis-at-the-operator": "n @+ 1",
        "missing-axes": "@2.5",
        "missing-axis-only-by-position": "n @+ position(fast)",
        "missing-axis-by-an-index": "@maps[stage = 0, slow = 1]",
        "interp-without-a-dimension": "interp(a, @a, t)",
        "interp-with-two-dimensions": "interp(a, t, @cells)",
        "interp-with-a-scalar": "interp(a, @scalar, t)",
        "interp-with-other-lengths": "@interp(a, t, u)",
        "interp-with-other-dimensions": "@interp(a, t, v)",
        "interp-with-an-unknown-length": "interp(a, @w, t)",
        "interp-of-a-table": "interp(@t, t, t)",
        "interp-with-an-expression-of-a-table": "interp(a, @t * 2, t)",
        "interp-with-a-definition-of-a-table": "let x = @t;\ninterp(a, x, t)",
        "poly-without-a-dimension": "poly(a, @n)",
        "poly-with-an-unknown-length": "poly(a, @w)",
        "poly-with-two-dimensions": "poly(a, @cells)",
        "poly-with-an-index-that-leaves-none": "poly(a, @t[0])",
        "result-after-its-type": "n @> 1",
    }
    for name, text in faults.items():
        kind = "type" if name == "result-after-its-type" else "dimension"
        topic.refuses(name, text, kind, axes="slow fast", **given)
    topic.refuses(
        "field-indexed-along-the-result",
        "data[@fast = 0] + data",
        "dimension",
        axes="slow fast",
        field="data",
        data=given["a"],
    )
    topic.refuses(
        "field-indexed-along-the-result-second",
        "data[channel = 0, @fast = 0]",
        "dimension",
        axes="slow fast",
        field="data",
        data=symbol("float64", "channel slow fast"),
    )
    topic.refuses(
        "field-with-a-channel-left",
        "@data * 2",
        "dimension",
        axes="slow fast",
        field="data",
        data=symbol("float64", "channel slow fast"),
    )
    topic.refuses("axes-repeated", "a", "dimension", axes="slow slow", placed=False, a=given["a"])
    topic.refuses(
        "axis-that-is-dropped", "a", "dimension", axes="slow .", placed=False, a=given["a"]
    )
    topic.refuses(
        "axes-before-names", "b + a", "dimension", axes="slow slow", placed=False, a=given["a"]
    )
    topic.refuses(
        "lengths-known-only-later",
        "x + y",
        "dimension",
        axes="i",
        placed=False,
        x=symbol("float64", "i", [1.0, 2.0], shape=[None]),
        y=symbol("float64", "i", [1.0, 2.0, 3.0], shape=[None]),
    )
    topic.refuses(
        "dropped-dimension-known-only-later",
        "x",
        "dimension",
        axes="i",
        placed=False,
        x=symbol("float64", "i .", [[1.0, 2.0]], shape=[None, None]),
    )
    return topic
