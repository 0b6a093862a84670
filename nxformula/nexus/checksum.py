"""Checksums of constants: what makes a calibration reproducible."""

from __future__ import annotations

from typing import Any

from nxformula.nexus.digest import digest
from nxformula.nexus.parts import read_blocks


def checksum(dataset: Any) -> str:
    """The digest of a dataset, whatever its storage.

    Examples
    --------
    >>> import h5py
    >>> with h5py.File("x.h5", "w", driver="core", backing_store=False) as f:
    ...     checksum(f.create_dataset("gain", data=np.array([1, 2], ">f4")))
    'sha256:80d47c14e54a9cb46e32214b62d103d6225b563a4e280764676653f51ea1e369'
    """
    blocks = (block for _, block in read_blocks(dataset))
    return digest(dataset.dtype.name, dataset.shape, blocks)
