"""Write frames chunk by chunk: encoded in threads, and handed to HDF5 as they are to be stored."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any, Final

import numpy as np

from nxformula.engine import bitshuffle
from nxformula.engine.layout import Array
from nxformula.engine.threads import cores, for_each

#: Bytes of chunks that are encoded before they are written.
_TOGETHER: Final = 32 << 20
#: Chunks of fewer bytes are left to HDF5: a thread would take longer to begin than to encode them.
_SMALL: Final = 4096


class ChunkWriter:
    """Writes frames to a dataset that has no values yet.

    Parameters
    ----------
    dataset : h5py.Dataset
        Where to write.

    Examples
    --------
    >>> import io, hdf5plugin
    >>> frames = np.arange(24, dtype="float32").reshape(3, 2, 4)
    >>> packed = {"chunks": (2, 2, 3), **hdf5plugin.Bitshuffle(cname="lz4")}
    >>> with h5py.File(io.BytesIO(), "w") as file:
    ...     new = file.create_dataset("data", frames.shape, "f4", **packed)
    ...     ChunkWriter(new).write(0, frames)
    ...     bool((new[...] == frames).all())
    True
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self._together = 0
        self._room: list[Array] = []
        if _is_ours(dataset):
            self._together = max(cores(), _TOGETHER // _chunk_bytes(dataset))

    def write(self, start: int, frames: Array) -> None:
        """Write some frames.

        Parameters
        ----------
        start : int
            Number of the first; the first of a chunk.
        frames : ndarray
            Of the dataset's dtype; the last is the last of a chunk, or of the dataset.
        """
        if not self._together:
            self.dataset.write_direct(frames, np.s_[:], np.s_[start : start + len(frames)])
            return
        chunks = self.dataset.chunks
        corners = [range(0, n, c) for n, c in zip(frames.shape, chunks, strict=True)]
        origins = list(product(*corners))
        for first in range(0, len(origins), self._together):
            some = origins[first : first + self._together]
            pieces = [_chunk_at(frames, origin, chunks) for origin in some]
            for (frame, *rest), encoded in zip(some, self._encode(pieces), strict=True):
                self.dataset.id.write_direct_chunk((start + frame, *rest), encoded)

    def _encode(self, pieces: list[Array]) -> list[memoryview]:
        sizes = [0] * len(pieces)
        while len(self._room) < len(pieces):
            self._room.append(np.empty(bitshuffle.most_bytes(pieces[0]), np.uint8))

        def encode(k: int) -> None:
            sizes[k] = bitshuffle.encode(pieces[k], self._room[k])

        for_each(encode, range(len(pieces)), cores())
        return [room[:size].data for room, size in zip(self._room, sizes, strict=False)]


def _is_ours(dataset: Any) -> bool:
    """Whether a dataset is compressed with bitshuffle/LZ4 and nothing else."""
    properties = dataset.id.get_create_plist()
    if not dataset.chunks or properties.get_nfilters() != 1 or dataset.dtype.kind not in "iuf":
        return False
    number, _, options, _ = properties.get_filter(0)
    usual = options[3:5] == (0, bitshuffle.LZ4) and dataset.dtype.isnative
    return (
        number == bitshuffle.FILTER
        and usual
        and _chunk_bytes(dataset) >= _SMALL
        and bitshuffle.encoder() is not None
    )


def _chunk_bytes(dataset: Any) -> int:
    return int(prod(dataset.chunks) * dataset.dtype.itemsize)


def _chunk_at(frames: Array, origin: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """A whole chunk; beyond the frames it is 0, as HDF5 fills it."""
    box = tuple(slice(k, k + n) for k, n in zip(origin, shape, strict=True))
    piece = frames[box]
    if piece.shape == shape:
        return np.ascontiguousarray(piece)
    chunk = np.zeros(shape, frames.dtype)
    chunk[tuple(slice(n) for n in piece.shape)] = piece
    return chunk
