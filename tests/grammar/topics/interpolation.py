"""Tables as arguments: interpolation and polynomials."""

from __future__ import annotations

import numpy as np

from topics.kit import Topic, each, inf, integers, nan, real, symbol


def interpolated(x: float, xs: list[float], ys: list[float], kind: type = np.float64) -> object:
    """The definition of `interp`, one operation at a time."""
    x, xs, ys = kind(x), [kind(v) for v in xs], [kind(v) for v in ys]
    for k, at in enumerate(xs):
        if x == at:
            return ys[k]
        if k + 1 < len(xs) and at < x < xs[k + 1]:
            part = (x - at) / (xs[k + 1] - at)
            return ys[k] + part * (ys[k + 1] - ys[k])
    return kind(nan)


def polynomial(x: float, coefficients: list[float], kind: type = np.float64) -> object:
    """Horner's scheme, one operation at a time."""
    total = kind(coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * kind(x) + kind(coefficient)
    return total


def interp_poly() -> Topic:
    topic = Topic("interp_poly", "Interpolation in tables, and polynomials.")
    xs, ys = [0.0, 1.0, 3.0, 7.0, 7.5], [10.0, 11.1, 9.9, 30.3, -0.7]
    x = [0.0, 0.3, 1.0, 2.0, 2.9999, 3.0, 6.9, 7.0, 7.25, 7.5, -0.1, 7.6, nan, inf, -inf, -0.0]
    for one, kind in (("float32", np.float32), ("float64", np.float64)):
        values = each(lambda v, kind=kind: interpolated(v, xs, ys, kind), x)
        topic.gives(
            f"interp-{one}",
            "interp(x, xs, ys)",
            values,
            dtype=one,
            x=symbol(one, "i", [kind(v) for v in x]),
            xs=symbol(one, "k", xs),
            ys=symbol(one, "k", ys),
        )
    table = {"xs": symbol("float64", "k", xs), "ys": symbol("float64", "k", ys)}
    topic.gives(
        "interp-doubles-in-binary32",
        "interp(x, xs, ys)",
        each(lambda v: interpolated(v, xs, ys, np.float32), x),
        dtype="float32",
        x=real(x),
        **table,
    )
    counts = [0, 1, 2, 5, 9]
    topic.gives(
        "interp-of-integers",
        "interp(a, xs, ys)",
        each(lambda v: interpolated(v, [0, 2, 5], [1, 10, 100]), counts),
        a=integers("uint8", counts),
        xs=symbol("uint8", "k", [0, 2, 5]),
        ys=symbol("int16", "k", [1, 10, 100]),
    )
    topic.gives(
        "interp-of-one-point",
        "interp(x, xs, ys)",
        [5.0, nan, nan],
        x=real([2.0, 1.0, 3.0]),
        xs=symbol("float64", "k", [2.0]),
        ys=symbol("float64", "k", [5.0]),
    )
    topic.gives(
        "interp-of-no-point",
        "interp(x, xs, ys)",
        [nan],
        x=real([2.0]),
        xs=symbol("float64", "k", []),
        ys=symbol("float64", "k", []),
    )
    topic.gives(
        "interp-with-infinite-ends",
        "interp(x, xs, ys)",
        [1.0, 2.0, 4.0, nan],
        x=real([-inf, 0.0, inf, nan]),
        xs=symbol("float64", "k", [-inf, 0.0, inf]),
        ys=symbol("float64", "k", [1.0, 2.0, 4.0]),
    )
    topic.gives(
        "interp-with-nan-values",
        "interp(x, xs, ys)",
        [1.0, nan, nan, nan, 3.0],
        x=real([0.0, 0.5, 1.0, 1.5, 2.0]),
        xs=symbol("float64", "k", [0.0, 1.0, 2.0]),
        ys=symbol("float64", "k", [1.0, nan, 3.0]),
    )
    topic.gives(
        "interp-at-a-point-beside-nan",
        "interp(x, xs, ys)",
        [1.0, 3.0],
        x=real([0.0, 2.0]),
        xs=symbol("float64", "k", [0.0, 1.0, 2.0]),
        ys=symbol("float64", "k", [1.0, nan, 3.0]),
    )
    topic.gives(
        "interp-per-pixel",
        "interp(x, xs, ys)",
        [[5.0, 50.0], [7.5, 75.0]],
        axes="slow fast",
        x=symbol("float64", "slow", [0.5, 0.75]),
        xs=symbol("float64", "k", [0.0, 1.0]),
        ys=symbol("float64", "fast k", [[0.0, 10.0], [0.0, 100.0]]),
    )
    topic.gives(
        "interp-with-positions-per-pixel",
        "interp(x, xs, ys)",
        [0.5, 0.25],
        axes="fast",
        x=symbol("float64", "fast", [0.5, 0.5]),
        xs=symbol("float64", "k fast", [[0.0, 0.0], [1.0, 2.0]]),
        ys=symbol("float64", "k", [0.0, 1.0]),
    )
    topic.gives(
        "interp-with-an-index",
        "interp(x, xs, ys[module = m])",
        [5.0, 50.0, nan],
        x=real([0.5, 0.5, 0.5]),
        xs=symbol("float64", "k", [0.0, 1.0]),
        m=integers("uint8", [0, 1, 2]),
        ys=symbol("float64", "module k", [[0.0, 10.0], [0.0, 100.0]]),
    )
    topic.gives(
        "interp-in-an-expression",
        "1 / interp(x + 1, xs, ys)",
        [1 / interpolated(1.5, xs, ys)],
        x=real([0.5]),
        **table,
    )
    topic.gives(
        "interp-twice-in-one-table",
        "interp(interp(x, xs, ys), xs, ys)",
        [interpolated(float(interpolated(7.3, xs, ys)), xs, ys)],
        x=real([7.3]),
        **table,
    )
    for name, wrong in {
        "falling": [1.0, 0.0, 2.0],
        "equal": [0.0, 1.0, 1.0],
        "nan": [0.0, nan, 1.0],
        "falling-at-the-end": [0.0, 2.0, 1.0],
        "equal-zeros": [-0.0, 0.0, 1.0],
    }.items():
        topic.refuses(
            f"interp-{name}",
            "1 + @interp(x, xs, ys)",
            "type",
            x=real([0.5]),
            xs=symbol("float64", "k", wrong),
            ys=symbol("float64", "k", [1.0, 2.0, 3.0]),
        )
    topic.refuses(
        "interp-equal-in-binary32",
        "@interp(x, xs, ys)",
        "type",
        dtype="float32",
        x=real([0.5]),
        xs=symbol("float64", "k", [1.0, 1.0 + 2.0**-40]),
        ys=symbol("float64", "k", [1.0, 2.0]),
    )
    topic.refuses(
        "interp-falling-for-one-pixel",
        "@interp(x, xs, ys)",
        "type",
        axes="fast",
        x=symbol("float64", "fast", [0.5, 0.5]),
        xs=symbol("float64", "fast k", [[0.0, 1.0], [1.0, 0.0]]),
        ys=symbol("float64", "k", [1.0, 2.0]),
    )
    topic.refuses(
        "interp-falling-where-no-index-selects",
        "@interp(x, xs[m = 0], ys)",
        "type",
        x=real([0.5]),
        xs=symbol("float64", "m k", [[0.0, 1.0], [1.0, 0.0]]),
        ys=symbol("float64", "k", [1.0, 2.0]),
    )
    c = [0.7, -1.3, 0.31, 2.9e-3]
    x = [0.0, 1.0, -2.5, 1e3, inf, nan]
    for one, kind in (("float32", np.float32), ("float64", np.float64)):
        values = each(lambda v, kind=kind: polynomial(v, c, kind), x)
        topic.gives(
            f"poly-{one}",
            "poly(x, c)",
            values,
            dtype=one,
            x=symbol(one, "i", [kind(v) for v in x]),
            c=symbol(one, "k", c),
        )
    topic.gives(
        "poly-of-integers",
        "poly(a, c)",
        [1.0, 6.0, 321.0],
        a=integers("uint8", [0, 1, 10]),
        c=symbol("int8", "k", [1, 2, 3]),
    )
    topic.gives(
        "poly-of-one-coefficient",
        "poly(x, c)",
        [4.5, 4.5, 4.5],
        x=real([0.0, nan, inf]),
        c=symbol("float64", "k", [4.5]),
    )
    topic.gives(
        "poly-of-no-coefficient",
        "poly(x, c)",
        [0.0, 0.0],
        x=real([1.0, nan]),
        c=symbol("float64", "k", []),
    )
    topic.gives(
        "poly-in-a-sum",
        "1 + poly(x, c) * 2",
        [1 + polynomial(0.3, c) * 2],
        x=real([0.3]),
        c=symbol("float64", "k", c),
    )
    topic.gives(
        "poly-per-pixel",
        "poly(x, c)",
        [[3.0, 30.0], [5.0, 50.0]],
        axes="frame fast",
        x=symbol("float64", "frame", [1.0, 2.0]),
        c=symbol("float64", "fast k", [[1.0, 2.0], [10.0, 20.0]]),
    )
    topic.gives(
        "poly-with-an-index",
        "poly(x, c[stage = s])",
        [3.0, 30.0, nan],
        x=real([1.0] * 3),
        s=integers("int8", [0, 1, -1]),
        c=symbol("float64", "k stage", [[1.0, 10.0], [2.0, 20.0]]),
    )
    topic.gives(
        "poly-with-an-index-and-else",
        "poly(x, c[stage = s, else = 1])",
        [5.0, 3.0],
        x=real([2.0, 2.0]),
        s=integers("int8", [0, -1]),
        c=symbol("float64", "k stage", [[1.0], [2.0]]),
    )
    return topic
