"""Checksums of constants: what makes a calibration reproducible."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from nxformula.engine.layout import tile_shape
from nxformula.nexus.parts import read_parts

_BLOCK = 1 << 22


def checksum(dataset: Any) -> str:
    """SHA-256 over dtype, shape and values of a dataset, whatever its storage.

    The digest is taken over the text `dtype[length,length,...]`, a line feed, and the values in C
    order and little-endian byte order.

    Examples
    --------
    >>> import h5py
    >>> with h5py.File("x.h5", "w", driver="core", backing_store=False) as f:
    ...     checksum(f.create_dataset("gain", data=np.array([1, 2], ">f4")))
    'sha256:80d47c14e54a9cb46e32214b62d103d6225b563a4e280764676653f51ea1e369'
    """
    shape = dataset.shape
    digest = hashlib.sha256()
    digest.update(f"{dataset.dtype.name}[{','.join(map(str, shape))}]\n".encode())
    for parts in _in_order(shape):
        values = read_parts(dataset, parts)
        digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))).data)
    return f"sha256:{digest.hexdigest()}"


def _in_order(shape: tuple[int, ...]) -> Iterator[tuple[range, ...]]:
    """Blocks of a dataset, one after the other in C order."""
    tile = tile_shape(shape, _BLOCK)
    starts = [range(0, n, t) for n, t in zip(shape, tile, strict=True)]
    for corner in product(*starts):
        limits = zip(corner, tile, shape, strict=True)
        yield tuple(range(a, min(a + t, n)) for a, t, n in limits)
