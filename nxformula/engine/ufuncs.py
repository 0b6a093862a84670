"""The NumPy functions of operations, made to give the same bits wherever an element stands."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from nxformula.engine.layout import Array


def ufunc(name: str) -> Callable[..., Any]:
    """The function of an operation; it takes arrays, and `out` as NumPy's functions do."""
    if name == "power":
        return _power
    function: Callable[..., Any] = getattr(np, name)
    return function


def _power(base: Array, exponent: Array, out: Array | None = None) -> Any:
    # NumPy computes a constant exponent of 2 or 0.5 in another way than one from an array, and so
    # would give other bits to an element that is computed on its own.
    shape = np.broadcast_shapes(base.shape, exponent.shape) if out is None else out.shape
    if prod(shape) != 1:
        return np.power(base, np.array(np.broadcast_to(exponent, shape)), out=out)
    # A single exponent counts as a constant, depending on where the base and the result are.
    result = np.power(base.repeat(2), exponent.repeat(2))[:1].reshape(shape)
    if out is None:
        return result
    out[...] = result
    return out
