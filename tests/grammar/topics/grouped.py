"""Grouped reductions: one element after the other, in binary64, as specified."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from topics.kit import Topic, f, inf, integers, nan, real, single, symbol


def _count(values: list[float]) -> float:
    return float(len(values))


def _sum(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def _mean(values: list[float]) -> float:
    return _sum(values) / len(values) if values else nan


def _std(values: list[float]) -> float:
    mean, total = _mean(values), 0.0
    for value in values:
        total += (value - mean) * (value - mean)
    return math.sqrt(total / len(values)) if values and math.isfinite(total) else nan


def _median(values: list[float]) -> float:
    ordered, n = sorted(values), len(values)
    if not n:
        return nan
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) * 0.5


def _quantile(q: float) -> Callable[[list[float]], float]:
    return lambda values: sorted(values)[math.floor(q * (len(values) - 1))] if values else nan


REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "count": _count,
    "sum": _sum,
    "mean": _mean,
    "std": _std,
    "min": lambda values: min(values) if values else nan,
    "max": lambda values: max(values) if values else nan,
    "median": _median,
}


def reduced(function: Callable[[list[float]], float], x: Any, labels: Any, kind: type) -> list[Any]:
    """The reduction of one frame: x and labels as flat lists."""
    groups: dict[int, list[float]] = {}
    for value, label in zip(x, labels, strict=True):
        if label >= 0:
            groups.setdefault(label, [])
            if not math.isnan(kind(value)):
                groups[label].append(float(kind(value)))
    with np.errstate(all="ignore"):
        return [kind(function(groups[label])) if label >= 0 else kind(nan) for label in labels]


def grouped() -> Topic:
    topic = Topic("grouped", "Grouped reductions.", conformance="grouped")
    x = [3.0, 1.5, -2.0, nan, 7.25, 0.1, 0.2, 0.3, 5.0, nan, 2.0, 1e10]
    labels = [0, 0, 0, 0, 5, 1, 1, 1, -1, 7, 0, 5]
    given = {"x": real(x), "g": integers("int16", labels)}
    for name, function in REDUCTIONS.items():
        for one, kind in (("float32", np.float32), ("float64", np.float64)):
            topic.gives(
                f"{name}-{one}",
                f"group_{name}(x, g)",
                reduced(function, x, labels, kind),
                dtype=one,
                **given,
            )
    for q in (0, 0.25, 0.5, 0.9, 1, 1.0):
        topic.gives(
            f"quantile-{q}",
            f"group_quantile(x, g, {q})",
            reduced(_quantile(q), x, labels, np.float64),
            **given,
        )
    topic.gives(
        "quantile-of-many",
        "group_quantile(x, 0 * g, 0.3)",
        reduced(_quantile(0.3), range(11, 0, -1), [0] * 11, np.float64),
        x=real([float(v) for v in range(11, 0, -1)]),
        g=integers("uint8", [0] * 11),
    )
    _values(topic)
    _dimensions(topic)
    _common_mode(topic)
    _refused(topic)
    return topic


def _values(topic: Topic) -> None:
    """Rounding, order, infinities, labels."""
    ones = integers("uint8", [1] * 5)
    awkward = [1e16, 1.0, 1.0, -1e16, 1.0]
    topic.gives("sum-in-order", "group_sum(x, g)", [_sum(awkward)] * 5, x=real(awkward), g=ones)
    singles = [16777216.0, 1.0, 1.0, 1.0, 1.0]
    topic.gives(
        "sum-in-binary64",
        "group_sum(x, g)",
        [16777220.0] * 5,
        dtype="float32",
        x=single(singles),
        g=ones,
    )
    topic.gives(
        "mean-in-binary64",
        "group_mean(x, g)",
        [f(16777220.0 / 5)] * 5,
        dtype="float32",
        x=single(singles),
        g=ones,
    )
    topic.gives(
        "x-rounded-first",
        "group_sum(x, g)",
        [f(5 * float(f(0.1)))] * 5,
        dtype="float32",
        x=real([0.1] * 5),
        g=ones,
    )
    topic.gives(
        "sum-beyond-binary32",
        "group_mean(x, g)",
        [f(3e38)] * 5,
        dtype="float32",
        x=single([3e38] * 5),
        g=ones,
    )
    topic.gives(
        "sum-overflow-at-the-end",
        "group_sum(x, g)",
        [inf] * 5,
        dtype="float32",
        x=single([3e38] * 5),
        g=ones,
    )
    topic.gives(
        "mean-of-infinities",
        "group_mean(x, g)",
        [inf, inf, nan, nan, -inf],
        x=real([inf, 1.0, inf, -inf, -inf]),
        g=integers("uint8", [0, 0, 1, 1, 2]),
    )
    topic.gives(
        "std-of-infinity",
        "group_std(x, g)",
        [nan, nan, 0.0],
        x=real([inf, 1.0, 5.0]),
        g=integers("uint8", [0, 0, 1]),
    )
    topic.gives(
        "min-of-infinities",
        "group_min(x, g)",
        [-inf, -inf, inf],
        x=real([inf, -inf, inf]),
        g=integers("uint8", [0, 0, 1]),
    )
    topic.gives(
        "max-of-infinities",
        "group_max(x, g)",
        [inf, inf, -inf],
        x=real([inf, 1.0, -inf]),
        g=integers("uint8", [0, 0, 1]),
    )
    topic.gives(
        "median-of-infinities",
        "group_median(x, g)",
        [nan, nan, inf, inf],
        x=real([inf, -inf, inf, inf]),
        g=integers("uint8", [0, 0, 1, 1]),
    )
    topic.gives(
        "median-of-two-rounded",
        "group_median(x, g)",
        [f(0.5 * (float(f(0.1)) + float(f(0.3))))] * 2,
        dtype="float32",
        x=single([0.1, 0.3]),
        g=integers("uint8", [0, 0]),
    )
    topic.gives(
        "median-of-large-values",
        "group_median(x, g)",
        [inf, inf],
        x=real([1.7e308, 1.7e308 * (1 - 2.0**-40)]),
        g=integers("uint8", [0, 0]),
    )
    topic.gives(
        "median-of-large-values-of-binary32",
        "group_median(x, g)",
        [f(3.2e38)] * 2,
        dtype="float32",
        x=single([3.1e38, 3.3e38]),
        g=integers("uint8", [0, 0]),
    )
    topic.gives(
        "median-of-the-same-large-value",
        "group_median(x, g)",
        [inf, inf, 1.7e308, -inf, -inf],
        x=real([1.7e308, 1.7e308, 1.7e308, -1.7e308, -1.7e308]),
        g=integers("uint8", [0, 0, 1, 2, 2]),
    )
    topic.gives(
        "quantile-and-extremes-of-large-values",
        "where(g > 0, group_quantile(x, g, 0.5), group_max(x, g))",
        [1.7e308, 1.7e308, 1.7e308, 1.7e308],
        x=real([1.7e308] * 4),
        g=integers("uint8", [0, 0, 1, 1]),
    )
    topic.gives("std-of-one", "group_std(x, g)", [0.0], x=real([3.7]), g=integers("uint8", [0]))
    topic.gives(
        "sum-of-a-negative-zero", "group_sum(x, g)", [0.0], x=real([-0.0]), g=integers("uint8", [0])
    )
    topic.gives(
        "of-nothing-but-nan",
        "group_count(x, g) + group_sum(x, g)",
        [0.0, 0.0, 5.0],
        x=real([nan, nan, 4.0]),
        g=integers("uint8", [0, 0, 1]),
    )
    topic.gives(
        "of-integers",
        "group_mean(a, g)",
        [2.0, 2.0, -7.0],
        a=integers("int8", [1, 3, -7]),
        g=integers("uint8", [0, 0, 1]),
    )
    topic.gives(
        "of-large-integers",
        "group_max(a, g)",
        [16777216.0] * 2,
        dtype="float32",
        a=integers("int32", [16777217, 5]),
        g=integers("uint8", [0, 0]),
    )
    topic.gives("of-a-constant", "group_sum(1, g)", [2.0, 2.0, 1.0], g=integers("uint8", [3, 3, 4]))
    topic.gives(
        "labels-far-apart",
        "group_sum(x, g)",
        [4.0, 2.0, 4.0],
        x=real([1.0, 2.0, 3.0]),
        g=integers("int64", [2**62, 0, 2**62]),
    )
    topic.gives(
        "labels-negative",
        "group_count(x, g)",
        [nan, 1.0, nan],
        x=real([1.0, 2.0, 3.0]),
        g=integers("int64", [-1, 0, -(2**63)]),
    )
    topic.gives(
        "labels-by-an-expression",
        "group_sum(x, g >> 1)",
        [3.0, 3.0, 7.0, 7.0],
        x=real([1.0, 2.0, 3.0, 4.0]),
        g=integers("uint8", [0, 1, 2, 3]),
    )
    topic.gives(
        "labels-by-position",
        "group_sum(x, div(position(i), 2))",
        [3.0, 3.0, 7.0, 7.0],
        x=real([1.0, 2.0, 3.0, 4.0]),
    )
    topic.gives(
        "labels-by-a-table",
        "group_sum(x, t[i = g, else = -1])",
        [4.0, nan, 4.0],
        x=real([1.0, 2.0, 3.0], axes="j"),
        g=integers("uint8", [0, 5, 1], axes="j"),
        t=integers("int8", [4, 4]),
        axes="j",
    )
    topic.gives(
        "masked",
        "group_sum(where(good, x, nan), g)",
        [1.0, 1.0, 3.0],
        x=real([1.0, 2.0, 3.0]),
        g=integers("uint8", [0, 0, 1]),
        good=symbol("bool", "i", [True, False, True]),
    )
    topic.gives(
        "twice-with-other-labels",
        "10 * group_sum(x, g) + group_sum(x, h)",
        [13.0, 42.0, 43.0],
        x=real([1.0, 2.0, 2.0]),
        g=integers("uint8", [0, 1, 1]),
        h=integers("uint8", [0, 1, 0]),
    )
    topic.gives(
        "of-a-reduction",
        "group_max(x - group_mean(x, g), h)",
        [1.0, 1.0, 2.0, 2.0],
        x=real([1.0, 3.0, 10.0, 14.0]),
        g=integers("uint8", [0, 0, 1, 1]),
        h=integers("uint8", [0, 0, 1, 1]),
    )
    topic.gives(
        "labels-of-a-reduction",
        "group_sum(x, to_integer(group_max(x, g), 0, 9, 0))",
        [3.0, 3.0, 9.0, 9.0],
        x=real([1.0, 2.0, 4.0, 5.0]),
        g=integers("uint8", [7, 7, 8, 8]),
    )
    topic.gives(
        "comparison-for-a-bool",
        "x > group_median(x, g)",
        [False, True, False],
        dtype="bool",
        x=real([1.0, 3.0, 2.0]),
        g=integers("uint8", [0, 0, 1]),
    )


def _dimensions(topic: Topic) -> None:
    rows = {"g": symbol("uint8", "slow", [0, 0, 1])}
    data = np.array([[1.0, 2.0], [3.0, 4.0], [50.0, 60.0]])
    image = symbol("float64", "slow fast", data)
    topic.gives(
        "columns-kept-apart",
        "group_sum(x, g)",
        [[4.0, 6.0], [4.0, 6.0], [50.0, 60.0]],
        axes="slow fast",
        x=image,
        **rows,
    )
    topic.gives(
        "whole-image",
        "group_sum(x, g + 0 * h)",
        [[10.0] * 2] * 2 + [[110.0] * 2],
        axes="slow fast",
        x=image,
        h=symbol("uint8", "fast", [0, 0]),
        **rows,
    )
    cube = np.arange(12.0).reshape(3, 2, 2) ** 2
    for order in ("slow fast frame", "fast frame slow", "frame fast slow"):
        names = order.split()
        turned = np.moveaxis(cube, range(3), [names.index(n) for n in ("slow", "fast", "frame")])
        totals = np.zeros((3, 2, 2))
        for part in ([0, 1], [2]):
            totals[part] = cube[part].sum(axis=(0, 1))
        values = np.moveaxis(totals, range(3), [names.index(n) for n in ("slow", "fast", "frame")])
        topic.gives(
            f"axes-{order.replace(' ', '-')}",
            "x - group_sum(x, g + 0 * h)",
            turned - values,
            axes=order,
            x=symbol("float64", "slow fast frame", cube),
            h=symbol("uint8", "fast", [0, 0]),
            **rows,
        )
    topic.gives(
        "transposed",
        "group_sum(x, g)",
        [[4.0, 4.0, 50.0], [6.0, 6.0, 60.0]],
        axes="fast slow",
        x=image,
        **rows,
    )
    frames = symbol("float64", "frame slow", [[1.0, 2.0, 3.0], [10.0, 20.0, nan]])
    topic.gives(
        "frames-kept-apart",
        "group_mean(x, g)",
        [[1.5, 1.5, 3.0], [15.0, 15.0, nan]],
        axes="frame slow",
        x=frames,
        **rows,
    )
    topic.gives(
        "frames-last",
        "group_mean(x, g)",
        [[1.5, 15.0], [1.5, 15.0], [3.0, nan]],
        axes="slow frame",
        x=frames,
        **rows,
    )
    topic.gives(
        "x-without-the-dimension-of-the-labels",
        "group_sum(x, g) + 0 * y",
        [[2.0, 2.0, 1.0], [20.0, 20.0, 10.0]],
        axes="frame slow",
        x=symbol("float64", "frame", [1.0, 10.0]),
        y=symbol("uint8", "slow", [0] * 3),
        **rows,
    )
    topic.gives(
        "scalar-x",
        "group_sum(x, g)",
        [5.0, 5.0, 2.5],
        axes="slow",
        x=symbol("float64", "", 2.5),
        **rows,
    )
    topic.gives(
        "labels-of-one-dimension-x-of-another",
        "group_max(x, g)",
        [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]],
        axes="slow fast",
        x=symbol("float64", "fast", [1.0, 2.0]),
        **rows,
    )
    order = [[1e16, -1e16], [1.0, 0.5]]
    topic.gives(
        "sum-in-the-order-of-the-result",
        "group_sum(x, 0 * g)",
        [[1.5, 1.5], [1.5, 1.5]],
        axes="slow fast",
        x=symbol("float64", "slow fast", order),
        g=symbol("uint8", "slow fast", [[0, 0], [0, 0]]),
    )
    down = _sum([1e16, 1.0, -1e16, 0.5])
    topic.gives(
        "sum-in-the-order-of-the-transposed-result",
        "group_sum(x, 0 * g)",
        [[down, down], [down, down]],
        axes="fast slow",
        x=symbol("float64", "slow fast", order),
        g=symbol("uint8", "slow fast", [[0, 0], [0, 0]]),
    )
    topic.gives(
        "sum-not-in-the-order-of-storage",
        "group_sum(x, 0 * g)",
        [[1.5, 1.5], [1.5, 1.5]],
        axes="slow fast",
        x=symbol("float64", "fast slow", np.array(order).T),
        g=symbol("uint8", "fast slow", [[0, 0], [0, 0]]),
    )
    topic.gives(
        "empty",
        "group_sum(x, g)",
        [],
        axes="slow",
        x=symbol("float64", "slow", []),
        g=symbol("uint8", "slow", []),
    )
    topic.gives(
        "dimension-named-frames",
        "group_sum(x, g)",
        [3.0, 3.0],
        axes="frames",
        x=symbol("float64", "frames", [1.0, 2.0]),
        g=symbol("uint8", "frames", [0, 0]),
    )


def _common_mode(topic: Topic) -> None:
    """Median per row of an ASIC over good pixels of low signal, at least two of them."""
    data = np.array(
        [[[10, 11, 12, 500], [20, 22, 300, 400]], [[13, 13, 15, 16], [21, 600, 23, 25]]]
    )
    bad = np.array([[False, False, False, False], [False, False, False, True]])
    wanted = []
    for frame in data:
        part = []
        for row, masked in zip(frame, bad, strict=True):
            low = [float(v) for v, m in zip(row, masked, strict=True) if not m and v < 100]
            part.append([float(v) - (_median(low) if len(low) >= 3 else 0.0) for v in row])
        wanted.append(part)
    topic.gives(
        "common-mode",
        "let quiet = where(not bad and data < 100, data, nan);\n"
        "let shift = where(group_count(quiet, asic_row) >= 3, group_median(quiet, asic_row), 0);\n"
        "data - shift",
        wanted,
        axes="frame slow fast",
        dtype="float32",
        field="data",
        data=symbol("uint16", "frame slow fast", data),
        bad=symbol("bool", "slow fast", bad),
        asic_row=symbol("uint8", "slow fast", [[0] * 4, [1] * 4]),
    )


def _refused(topic: Topic) -> None:
    given = {
        "x": symbol("float64", "frame slow", shape=[2, 3]),
        "g": symbol("uint8", "slow", shape=[3]),
        "p": symbol("bool", "slow", shape=[3]),
        "r": symbol("float64", "slow", shape=[3]),
        "h": symbol("uint8", "frame", shape=[2]),
        "s": symbol("uint8", ""),
        "q": symbol("float64", ""),
    }
    types = {
        "labels-literal-real": "x + @group_mean(x, 1.0)",
        "labels-bool": "@group_count(x, p)",
        "quantile-of-a-symbol": "@group_quantile(x, g, q)",
        "quantile-of-an-expression": "@group_quantile(x, g, 1 / 2)",
        "quantile-of-a-definition": "let half = 0.5; @group_quantile(x, g, half)",
        "quantile-above-1": "@group_quantile(x, g, 1.5)",
        "quantile-2": "@group_quantile(x, g, 2)",
        "quantile-negative": "@group_quantile(x, g, -0.5)",
        "quantile-nan": "@group_quantile(x, g, nan)",
        "quantile-bool": "@group_quantile(x, g, true)",
    }
    for name, text in types.items():
        topic.refuses(f"refused-{name}", text, "type", axes="frame slow", **given)
    for name in ("group_count", "group_sum"):
        topic.refuses(
            f"refused-{name.replace('_', '-')}-as-integer",
            f"@{name}(x, g)",
            "type",
            axes="frame slow",
            dtype="int32",
            **given,
        )
    faults = {
        "labels-without-a-dimension": "x + @group_sum(x, s)",
        "labels-constant": "x + @group_sum(x, 0)",
        "labels-along-frame": "@group_sum(x, h + g)",
        "labels-only-along-frame": "x + @group_sum(r, h)",
        "labels-of-another-dimension": "group_sum(x, @k)",
    }
    for name, text in faults.items():
        topic.refuses(
            f"refused-{name}",
            text,
            "dimension",
            axes="frame slow",
            **given,
            k=symbol("uint8", "cell", shape=[3]),
        )
    for name in REDUCTIONS:
        word = f"group_{name}"
        topic.refuses(f"{name}-too-few", f"x + @{word}(x)", "arity", axes="frame slow", **given)
        topic.refuses(f"{name}-of-a-bool", f"@{word}(p, g)", "type", axes="frame slow", **given)
        topic.refuses(f"{name}-by-reals", f"@{word}(x, r)", "type", axes="frame slow", **given)
        topic.refuses(f"{name}-none", f"x + @{word}()", "arity", axes="frame slow", **given)
        topic.refuses(f"{name}-too-many", f"@{word}(x, g, 1)", "arity", axes="frame slow", **given)
    topic.refuses("quantile-too-few", "@group_quantile(x, g)", "arity", axes="frame slow", **given)
    topic.refuses(
        "quantile-too-many", "@group_quantile(x, g, 0.5, 1)", "arity", axes="frame slow", **given
    )
