"""Functions that are within some units in the last place."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from topics.kit import Topic, d, f, inf, integers, mp, nan, real, rounded, single, symbol

#: Functions of one argument: values inside the range, and what becomes of special arguments.
ONE: dict[str, tuple[Callable[[Any], Any], list[float], dict[float | str, float]]] = {
    "exp": (
        mp.exp,
        [1.0, -1.0, 0.1, 10.5, -30.25, 80.0],
        {0.0: 1.0, inf: inf, -inf: 0.0, 1e4: inf, -1e4: 0.0},
    ),
    "expm1": (
        mp.expm1,
        [1.0, -1.0, 1e-6, -1e-6, 10.5, -30.25],
        {0.0: 0.0, "-0": -0.0, inf: inf, -inf: -1.0},
    ),
    "log": (
        mp.log,
        [2.0, 0.5, 1e-30, 1e30, 1.0001, 10.0],
        {1.0: 0.0, 0.0: -inf, "-0": -inf, -1.0: nan, inf: inf, -inf: nan},
    ),
    "log1p": (
        mp.log1p,
        [1.0, -0.5, 1e-6, -1e-6, 1e30, 9.0],
        {0.0: 0.0, "-0": -0.0, -1.0: -inf, -2.0: nan, inf: inf},
    ),
    "log2": (
        lambda v: mp.log(v) / mp.log(2),
        [3.0, 0.3, 1e-30, 1e30, 1.0001, 10.0],
        {1.0: 0.0, 0.0: -inf, -1.0: nan, inf: inf},
    ),
    "log10": (
        mp.log10,
        [2.0, 0.3, 1e-30, 3e30, 1.0001, 7.0],
        {1.0: 0.0, 0.0: -inf, -1.0: nan, inf: inf},
    ),
    "sin": (mp.sin, [1.0, -1.0, 0.1, 3.0, 100.5, 1e5], {0.0: 0.0, "-0": -0.0, inf: nan, -inf: nan}),
    "cos": (mp.cos, [1.0, -1.0, 0.1, 3.0, 100.5, 1e5], {0.0: 1.0, "-0": 1.0, inf: nan, -inf: nan}),
    "tan": (mp.tan, [1.0, -1.0, 0.1, 3.0, 100.5, 1e5], {0.0: 0.0, "-0": -0.0, inf: nan, -inf: nan}),
    "asin": (
        mp.asin,
        [0.5, -0.5, 0.1, 0.999, 1.0, -1.0],
        {0.0: 0.0, "-0": -0.0, 1.5: nan, -1.5: nan, inf: nan},
    ),
    "acos": (mp.acos, [0.5, -0.5, 0.1, 0.999, 0.0, -1.0], {1.0: 0.0, 1.5: nan, -inf: nan}),
    "atan": (mp.atan, [0.5, -0.5, 0.1, 1.0, 1e10, -100.0], {0.0: 0.0, "-0": -0.0}),
    "sinh": (
        mp.sinh,
        [0.5, -0.5, 1e-4, 1.0, 20.25, -3.0],
        {0.0: 0.0, "-0": -0.0, inf: inf, -inf: -inf},
    ),
    "cosh": (mp.cosh, [0.5, -0.5, 1e-4, 1.0, 20.25, -3.0], {0.0: 1.0, inf: inf, -inf: inf}),
    "tanh": (
        mp.tanh,
        [0.5, -0.5, 1e-4, 1.0, 20.25, -3.0],
        {0.0: 0.0, "-0": -0.0, inf: 1.0, -inf: -1.0},
    ),
}


def functions_transcendental() -> Topic:
    topic = Topic(
        "functions_transcendental", "Functions within 4 units in the last place of the exact value."
    )
    for name, (function, inside, special) in ONE.items():
        for one, kind in (("float32", np.float32), ("float64", np.float64)):
            values = [kind(v) for v in inside]
            topic.gives(
                f"{name}-{one}",
                f"{name}(x)",
                [rounded(function(mp.mpf(float(v))), kind) for v in values],
                dtype=one,
                ulp=4,
                x=symbol(one, "i", values),
            )
            arguments = [-0.0 if v == "-0" else v for v in special] + [nan]
            topic.gives(
                f"{name}-special-{one}",
                f"{name}(x)",
                [*special.values(), nan],
                dtype=one,
                ulp=4,
                x=symbol(one, "i", arguments),
            )
    topic.gives(
        "exp-of-integers",
        "exp(a)",
        [d(mp.exp(v)) for v in (-3, 0, 5)],
        ulp=4,
        a=integers("int8", [-3, 0, 5]),
    )
    topic.gives(
        "log-of-integers",
        "log(a)",
        [d(mp.log(v)) for v in (1, 7, 65535)],
        ulp=4,
        dtype="float64",
        a=integers("uint16", [1, 7, 65535]),
    )
    topic.gives(
        "atan-of-infinity", "atan(x)", [d(mp.pi / 2), d(-mp.pi / 2)], ulp=4, x=real([inf, -inf])
    )
    topic.gives(
        "exp-of-a-literal-in-binary32",
        "exp(0.1)",
        f(mp.exp(mp.mpf(float(f(0.1))))),
        dtype="float32",
        ulp=4,
    )
    topic.gives(
        "sin-of-pi-in-binary32",
        "sin(pi)",
        f(mp.sin(mp.mpf(float(f(math.pi))))),
        dtype="float32",
        ulp=4,
    )
    topic.gives(
        "sin-of-a-large-angle", "sin(x)", [d(mp.sin(mp.mpf(10) ** 22))], ulp=4, x=real([1e22])
    )
    topic.gives(
        "exp-near-overflow",
        "exp(x)",
        [f(mp.exp(mp.mpf(88.5))), inf],
        dtype="float32",
        ulp=4,
        x=single([88.5, 89.0]),
    )
    topic.gives(
        "exp-with-subnormal-result",
        "exp(x)",
        [f(mp.exp(mp.mpf(-100)))],
        dtype="float32",
        ulp=4,
        x=single([-100.0]),
    )
    _two(topic)
    return topic


def _two(topic: Topic) -> None:
    """`atan2` and `hypot`."""
    y, x = [1.0, 1.0, -1.0, -1.0, 1e-10, 3.0], [1.0, -1.0, 1.0, -1.0, -1e10, 4.0]
    for one, kind in (("float32", np.float32), ("float64", np.float64)):
        p, q = [kind(v) for v in y], [kind(v) for v in x]
        given = {"y": symbol(one, "i", p), "x": symbol(one, "i", q)}
        exact = [(mp.mpf(float(m)), mp.mpf(float(n))) for m, n in zip(p, q, strict=True)]
        topic.gives(
            f"atan2-{one}",
            "atan2(y, x)",
            [rounded(mp.atan2(m, n), kind) for m, n in exact],
            dtype=one,
            ulp=4,
            **given,
        )
        topic.gives(
            f"hypot-{one}",
            "hypot(x, y)",
            [rounded(mp.sqrt(m * m + n * n), kind) for m, n in exact],
            dtype=one,
            ulp=4,
            **given,
        )
    pi = float(d(mp.pi))
    y = [0.0, -0.0, 0.0, -0.0, 1.0, -1.0, inf, -inf, inf, 1.0, -1.0, nan, 1.0]
    x = [1.0, 1.0, -1.0, -1.0, 0.0, -0.0, inf, inf, -inf, inf, -inf, 1.0, nan]
    angles = [0.0, -0.0, pi, -pi, pi / 2, -pi / 2, pi / 4, -pi / 4, 3 * pi / 4, 0.0, -pi, nan, nan]
    topic.gives("atan2-special", "atan2(y, x)", angles, ulp=4, y=real(y), x=real(x))
    topic.gives(
        "atan2-of-zeros",
        "atan2(y, x)",
        [0.0, -0.0, pi, -pi],
        ulp=4,
        y=real([0.0, -0.0, 0.0, -0.0]),
        x=real([0.0, 0.0, -0.0, -0.0]),
    )
    topic.gives(
        "atan2-of-integers",
        "atan2(a, b)",
        [d(mp.atan2(3, -4))],
        ulp=4,
        a=integers("int8", [3]),
        b=integers("int8", [-4]),
    )
    topic.gives(
        "hypot-special",
        "hypot(x, y)",
        [inf, inf, inf, nan, 3.0, 0.0],
        ulp=4,
        x=real([inf, nan, -inf, nan, -3.0, -0.0]),
        y=real([1.0, inf, nan, 1.0, 0.0, 0.0]),
    )
    topic.gives(
        "hypot-without-overflow",
        "hypot(x, x)",
        [d(mp.sqrt(2) * mp.mpf(1e300))],
        ulp=4,
        x=real([1e300]),
    )
    topic.gives("hypot-of-integers", "hypot(a, 4)", [5.0], ulp=4, a=integers("uint8", [3]))
