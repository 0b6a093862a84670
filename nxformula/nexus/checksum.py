"""Checksums of constants: what makes a calibration reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from nxformula.engine.layout import tile_shape
from nxformula.nexus.digest import digest
from nxformula.nexus.parts import read_parts

_BLOCK = 1 << 22


def checksum(dataset: Any) -> str:
    """The digest of a dataset, whatever its storage.

    Examples
    --------
    >>> import h5py
    >>> with h5py.File("x.h5", "w", driver="core", backing_store=False) as f:
    ...     checksum(f.create_dataset("gain", data=np.array([1, 2], ">f4")))
    'sha256:80d47c14e54a9cb46e32214b62d103d6225b563a4e280764676653f51ea1e369'
    """
    blocks = (read_parts(dataset, parts) for parts in _in_order(dataset.shape))
    return digest(dataset.dtype.name, dataset.shape, blocks)


def _in_order(shape: tuple[int, ...]) -> Iterator[tuple[range, ...]]:
    """Blocks of a dataset, one after the other in C order."""
    tile = tile_shape(shape, _BLOCK)
    starts = [range(0, n, t) for n, t in zip(shape, tile, strict=True)]
    for corner in product(*starts):
        limits = zip(corner, tile, shape, strict=True)
        yield tuple(range(a, min(a + t, n)) for a, t, n in limits)
