"""Selection by bits, for the numpy backend."""

from __future__ import annotations

import numpy as np

from nxformula.engine.layout import Array


def blend(condition: Array, a: Array, b: Array, out: Array, scratch: Array) -> None:
    """Write `a` where the condition holds, else `b`, without a branch for every element."""
    bits = np.dtype(f"i{out.itemsize}")
    mask = scratch[: condition.size * out.itemsize].view(bits).reshape(condition.shape)
    np.copyto(mask, condition)
    np.negative(mask, out=mask)
    target, other = out.view(bits), b.view(bits)
    if a.size == b.size == 1:
        np.bitwise_and(mask, a.view(bits) ^ other, out=target)
    else:
        np.bitwise_xor(a.view(bits), other, out=target)
        np.bitwise_and(target, mask, out=target)
    np.bitwise_xor(target, other, out=target)
