"""The digest of values, whatever holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np


def digest(dtype: str, shape: tuple[int, ...], blocks: Iterable[np.ndarray[Any, Any]]) -> str:
    """SHA-256 over dtype, shape and values.

    The digest is taken over the text `dtype[length,length,...]`, a line feed, and the values in C
    order and little-endian byte order.

    Parameters
    ----------
    dtype : str
        Name of the NumPy dtype.
    shape : tuple of int
        Shape of all values.
    blocks : iterable of ndarray
        The values, one block after the other in C order.

    Examples
    --------
    >>> digest("float32", (2,), [np.array([1, 2], ">f4")])
    'sha256:80d47c14e54a9cb46e32214b62d103d6225b563a4e280764676653f51ea1e369'
    """
    found = hashlib.sha256()
    found.update(f"{dtype}[{','.join(map(str, shape))}]\n".encode())
    for values in blocks:
        found.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).data)
    return f"sha256:{found.hexdigest()}"
