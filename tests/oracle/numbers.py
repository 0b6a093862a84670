"""Functions of single numbers: Python's integers, and NumPy scalars of the format of reals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: The next wider format, in which functions that are not exact are computed.
WIDER: dict[type, type] = {np.float32: np.float64, np.float64: np.longdouble}


def _power(x: Any, y: Any) -> Any:
    # As arrays: NumPy takes a square root for a single exponent of 0.5, also of -inf and -0.0.
    return np.power(np.array([x, x]), np.array([y, y]))[0]


#: Functions that need not be exact.
INEXACT: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "log2", "log10")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot")},
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "**": _power,
}


def real_of(value: Any, real: type) -> Any:
    """A number in the format of reals, rounded once."""
    if isinstance(value, int):
        return real(_rounded(value, np.finfo(real).nmant + 1))
    return real(value)


def _rounded(value: int, digits: int) -> float:
    """An integer rounded once, half to even, to so many binary digits."""
    size = abs(value)
    shift = max(0, size.bit_length() - digits)
    whole, rest = divmod(size, 1 << shift)
    half = (1 << shift) >> 1
    if rest > half or (shift and rest == half and whole & 1):
        whole += 1
    return math.copysign(float(whole << shift), value)


def inexact(function: str, arguments: Sequence[Any], real: type) -> Any:
    """A function computed in the next wider format, and rounded once."""
    wider = WIDER[real]
    return real(INEXACT[function](*(wider(argument) for argument in arguments)))


def modulo(x: Any, y: Any) -> Any:
    """The remainder of reals with the sign of `y`, NaN where `y` is 0."""
    rest = np.fmod(x, y)
    if rest == 0:
        return np.copysign(rest, y)
    return rest + y if (rest < 0) != (y < 0) and not np.isnan(rest) else rest


def sign(x: Any) -> Any:
    """-1, 0, 1 or NaN."""
    return x if np.isnan(x) else type(x)(int(x > 0) - int(x < 0))


def extreme(which: Callable[..., Any], values: Sequence[Any]) -> Any:
    """`min` or `max` of reals, NaN if one is; the sign of a zero is open."""
    missing = [value for value in values if np.isnan(value)]
    return missing[0] if missing else which(values)


def clip(x: Any, low: Any, high: Any) -> Any:
    """Not below `low`, then not above `high`."""
    return extreme(min, [extreme(max, [x, low]), high])


def to_integer(x: Any, low: int, high: int, invalid: int) -> int:
    """Rounded half to even and held within the constants."""
    if isinstance(x, int):
        return min(max(x, low), high)
    if np.isnan(x):
        return invalid
    if np.isinf(x):
        return high if x > 0 else low
    return min(max(int(np.rint(x)), low), high)


def interpolated(x: Any, xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The table of `ys` at increasing `xs`, NaN outside."""
    for known, value in zip(xs, ys, strict=True):
        if x == known:
            return value
    for k in range(len(xs) - 1):
        if xs[k] < x < xs[k + 1]:
            part = (x - xs[k]) / (xs[k + 1] - xs[k])
            return ys[k] + part * (ys[k + 1] - ys[k])
    return type(x)(np.nan)


def polynomial(x: Any, coefficients: Sequence[Any]) -> Any:
    """Horner's scheme, from the highest coefficient; 0 of none."""
    if not coefficients:
        return type(x)(0)
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


#: Exact functions of reals, by name.
EXACT: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "sqrt": np.sqrt,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "sign": sign,
    "min": lambda *values: extreme(min, values),
    "max": lambda *values: extreme(max, values),
    "clip": clip,
    "mod": modulo,
    "interp": interpolated,
    "poly": polynomial,
}

#: Functions of integers that stay integers, by name.
OF_INTEGERS: dict[str, Callable[..., int]] = {
    "abs": abs,
    "floor": lambda x: x,
    "ceil": lambda x: x,
    "round": lambda x: x,
    "sign": lambda x: (x > 0) - (x < 0),
    "min": min,
    "max": max,
    "clip": lambda x, low, high: min(max(x, low), high),
    "mod": lambda x, y: x % y,
    "div": lambda x, y: x // y,
    "bits": lambda x, first, count: (x >> first) & ((1 << count) - 1),
}
