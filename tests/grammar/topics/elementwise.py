"""Functions of numbers that are exact."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from topics.kit import Topic, d, each, inf, integers, nan, real, single, symbol


def floored(x: float, y: float, kind: type = np.float64) -> Any:
    """The definition of `mod`, with `fmod` exact."""
    x, y = kind(x), kind(y)
    if math.isnan(x) or math.isinf(x) or math.isnan(y) or y == 0:
        return kind(nan)
    rest = math.fmod(x, y)
    if rest == 0:
        return kind(math.copysign(0.0, y))
    return kind(rest) + y if (rest < 0) != (y < 0) else kind(rest)


def functions_elementwise() -> Topic:
    topic = Topic("functions_elementwise", "Exact functions of reals and of integers.")
    x = [2.5, -2.5, 3.5, 0.5, -0.5, 0.49999999999999994, -0.3, 1e300, 2251799813685249.5, 7.0]
    ceil = [3.0, -2.0, 4.0, 1.0, -0.0, 1.0, -0.0, 1e300, 2251799813685250.0, 7.0]
    floor = [2.0, -3.0, 3.0, 0.0, -1.0, 0.0, -1.0, 1e300, 2251799813685249.0, 7.0]
    nearest = [2.0, -2.0, 4.0, 0.0, -0.0, 0.0, -0.0, 1e300, 2251799813685250.0, 7.0]
    given = {"x": real(x)}
    topic.gives("ceil", "ceil(x)", ceil, **given)
    topic.gives("floor", "floor(x)", floor, **given)
    topic.gives("round", "round(x)", nearest, **given)
    topic.gives("abs", "abs(x)", [abs(v) for v in x], **given)
    topic.gives("sign", "sign(x)", [math.copysign(1, v) for v in x], **given)
    half = [2.5, 3.5, -0.5, 8388607.5, 0.50000006, -1.4999999]
    singles = {"x": single(half)}
    topic.gives(
        "round-binary32",
        "round(x)",
        [2.0, 4.0, -0.0, 8388608.0, 1.0, -1.0],
        dtype="float32",
        **singles,
    )
    topic.gives(
        "floor-binary32",
        "floor(x)",
        [2.0, 3.0, -1.0, 8388607.0, 0.0, -2.0],
        dtype="float32",
        **singles,
    )
    topic.gives(
        "ceil-binary32",
        "ceil(x)",
        [3.0, 4.0, -0.0, 8388608.0, 1.0, -1.0],
        dtype="float32",
        **singles,
    )
    a = [-128, -7, -1, 0, 1, 100, 127]
    whole = {"a": integers("int8", a)}
    for name in ("floor", "ceil", "round"):
        topic.gives(f"{name}-of-integers", f"{name}(a)", a, dtype="int8", **whole)
    topic.gives("abs-of-integers", "abs(a)", [abs(v) for v in a], dtype="int16", **whole)
    topic.gives("sign-of-integers", "sign(a)", [-1, -1, -1, 0, 1, 1, 1], dtype="int8", **whole)
    topic.gives("sign-of-unsigned", "sign(a)", [0, 1], dtype="uint8", a=integers("uint16", [0, 9]))
    b = [5, -7, 0, -3, 1, -100, 126]
    both = {**whole, "b": integers("int16", b)}
    topic.gives("min-of-integers", "min(a, b)", each(min, a, b), dtype="int16", **both)
    topic.gives("max-of-integers", "max(a, b)", each(max, a, b), dtype="int16", **both)
    topic.gives(
        "min-of-three-integers",
        "min(a, b, 0)",
        each(lambda p, q: min(p, q, 0), a, b),
        dtype="int16",
        **both,
    )
    topic.gives(
        "max-of-four-integers",
        "max(a, b, 0, -b)",
        each(lambda p, q: max(p, q, 0, -q), a, b),
        dtype="int32",
        **both,
    )
    topic.gives(
        "min-of-integer-and-real",
        "min(a, x)",
        [-128.0, -7.0, -1.0, 0.0, 0.5, 0.5, 0.5],
        **whole,
        x=real([0.5] * 7),
    )
    topic.gives(
        "max-of-reals",
        "max(x, y)",
        [3.0, -1.0, inf],
        x=real([3.0, -2.0, -inf]),
        y=real([2.0, -1.0, inf]),
    )
    topic.gives(
        "min-of-many", "min(9, 8, 7, 6, 5, 4, 3, 2, 1, x)", [1.0, -1.0], x=real([5.0, -1.0])
    )
    topic.gives(
        "clip-of-reals",
        "clip(x, -0.5, 2.5)",
        [2.5, -0.5, 2.5, 0.5, -0.5, 0.49999999999999994, -0.3, 2.5, 2.5, 2.5],
        **given,
    )
    topic.gives(
        "clip-of-integers", "clip(a, -5, 50)", [-5, -5, -1, 0, 1, 50, 50], dtype="int8", **whole
    )
    topic.gives("clip-with-bounds-swapped", "clip(a, 50, -5)", [-5] * 7, dtype="int8", **whole)
    topic.gives("clip-of-reals-with-bounds-swapped", "clip(x, 2.5, -0.5)", [-0.5] * 10, **given)
    topic.gives(
        "clip-by-symbols-with-bounds-swapped",
        "clip(a, b + 3, b)",
        each(lambda p, q: min(max(p, q + 3), q), a, b),
        dtype="int32",
        **both,
    )
    topic.gives(
        "clip-by-symbols",
        "clip(a, b, b + 3)",
        each(lambda p, q: min(max(p, q), q + 3), a, b),
        dtype="int32",
        **both,
    )
    topic.gives(
        "clip-of-integer-to-reals",
        "clip(a, -1.5, 1.5)",
        [-1.5, -1.5, -1.0, 0.0, 1.0, 1.5, 1.5],
        **whole,
    )
    tests = [1.0, nan, inf, -inf, 0.0]
    topic.gives(
        "isnan", "isnan(x)", [False, True, False, False, False], dtype="bool", x=real(tests)
    )
    topic.gives(
        "isfinite", "isfinite(x)", [True, False, False, False, True], dtype="bool", x=real(tests)
    )
    topic.gives("isnan-of-integers", "isnan(a)", [False] * 7, dtype="bool", **whole)
    topic.gives("isfinite-of-integers", "isfinite(a)", [True] * 7, dtype="bool", **whole)
    topic.gives(
        "isnan-of-a-rounded-value",
        "where(isfinite(x), 1, 0)",
        [0.0, 1.0],
        dtype="float32",
        x=real([1e39, 1e38]),
    )
    roots = [0.0, -0.0, 1.0, 2.0, 1e-308, 1e308, -1.0, 144.0]
    for one, kind in (("float32", np.float32), ("float64", np.float64)):
        values = each(kind, roots)
        topic.gives(
            f"sqrt-{one}", "sqrt(x)", each(np.sqrt, values), dtype=one, x=symbol(one, "i", values)
        )
    topic.gives("sqrt-of-integers", "sqrt(a)", each(lambda v: np.sqrt(d(v)), a), **whole)
    _mod(topic)
    return topic


def _mod(topic: Topic) -> None:
    p, q = [7, -7, 7, -7, 6, -6, 0, -1], [3, 3, -3, -3, 3, 3, -5, 127]
    topic.gives(
        "mod-by-three", "mod(a, 3)", [v % 3 for v in p], dtype="uint8", a=integers("int8", p)
    )
    topic.gives(
        "mod-by-minus-three", "mod(a, -3)", [v % -3 for v in p], dtype="int8", a=integers("int8", p)
    )
    topic.gives(
        "mod-by-a-range",
        "mod(a, clip(b, 1, 5))",
        each(lambda m, n: m % min(max(n, 1), 5), p, q),
        dtype="int8",
        a=integers("int8", p),
        b=integers("int8", q),
    )
    topic.gives(
        "mod-that-may-divide-by-zero",
        "mod(a, b)",
        [1.0, 2.0, nan, nan],
        a=integers("int8", [7, -7, 5, 0]),
        b=integers("int8", [3, 3, 0, 0]),
    )
    topic.gives("mod-by-literal-zero", "mod(a, 0)", [nan, nan], a=integers("uint8", [0, 7]))
    x = [7.5, -7.5, 7.5, -7.5, 6.0, -6.0, 6.0, 0.0, -0.0, 1e20, -1e-20, 5.0, -5.0, 5.0, 5.3]
    y = [2.0, 2.0, -2.0, -2.0, 3.0, 3.0, -3.0, -2.0, 2.0, 3.0, 3.0, inf, inf, -inf, 0.1]
    for one, kind in (("float32", np.float32), ("float64", np.float64)):
        values = each(lambda m, n, kind=kind: floored(m, n, kind), x, y)
        topic.gives(
            f"mod-{one}",
            "mod(x, y)",
            values,
            dtype=one,
            x=symbol(one, "i", [kind(v) for v in x]),
            y=symbol(one, "i", [kind(v) for v in y]),
        )
    topic.gives(
        "mod-without-a-value",
        "mod(x, y)",
        [nan] * 6,
        x=real([inf, -inf, nan, 1.0, 1.0, 0.0]),
        y=real([1.0, inf, 1.0, nan, 0.0, -0.0]),
    )
    topic.gives(
        "mod-of-integer-and-real",
        "mod(a, 2.5)",
        each(lambda v: floored(v, 2.5), p),
        a=integers("int8", p),
    )
