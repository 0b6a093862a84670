"""Read a dataset by its chunks: decoded in threads, and of each no more than is wanted.

HDF5 has one lock for everything, and decodes whole chunks. Here it says where the chunks are; what
they hold is read and decoded beside it. Whatever is unusual about a dataset, a file or a chunk is
left to HDF5: it knows best, and what is wrong it names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from threading import Lock
from typing import Any, Final

import numpy as np

from nxformula.engine import bitshuffle
from nxformula.engine.buffers import Buffers
from nxformula.engine.layout import Array
from nxformula.engine.threads import for_each
from nxformula.errors import CorruptFileError
from nxformula.nexus.files import reading
from nxformula.nexus.parts import as_slice, read_parts
from nxformula.nexus.selection import Part

#: Chunks whose places in the file are noted, all at once; of more HDF5 is asked one by one.
_NOTED: Final = 1 << 16
#: Elements that are worth a thread.
_THREAD_ELEMENTS: Final = 1 << 18
#: Of a chunk of which less than this share seems needed, only the beginning is read.
_BEGINNING: Final = 0.8
#: Bytes by which a chunk may be larger than what it holds.
_OVERHEAD: Final = 1 << 20


class UnusualChunkError(Exception):
    """A chunk that was never written or is not compressed: HDF5 is to read it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is wanted of one chunk.

    Attributes
    ----------
    origin : tuple of int
        Where the chunk begins in the dataset.
    inner : tuple
        The places wanted, counted from there.
    outer : tuple of slice
        Where they belong in the result.
    """

    origin: tuple[int, ...]
    inner: tuple[Part, ...]
    outer: tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk is in the file."""

    offset: int
    size: int


class Chunks:
    """The chunks of one dataset.

    Parameters
    ----------
    dataset : h5py.Dataset
        Compressed with bitshuffle/LZ4 and nothing else: `chunks_of` looks.
    buffers : Buffers
        Memory for chunks as they are stored.
    """

    def __init__(self, dataset: Any, buffers: Buffers) -> None:
        self.dataset = dataset
        self.shape: tuple[int, ...] = dataset.chunks
        self.size = prod(self.shape)
        #: The first dimension along which a chunk has several places.
        self._lead = next((d for d, n in enumerate(self.shape) if n > 1), len(self.shape) - 1)
        self._lock = Lock()
        self._places: dict[tuple[int, ...], Place] | None = None
        self._handle = _handle(dataset.file)
        self._buffers = buffers

    def read(self, parts: Sequence[Part], out: Array, threads: int) -> None:
        """Read part of the dataset.

        Parameters
        ----------
        parts : sequence
            The places wanted along each dimension.
        out : ndarray
            Receives them; of the dataset's dtype, of any strides.
        threads : int
            How many may decode.

        Raises
        ------
        CorruptFileError
            A chunk cannot be read or decoded.
        ValueError
            The file is closed.
        """
        if not self.dataset:
            raise ValueError("the file is closed")
        along = [list(_split(part, n)) for part, n in zip(parts, self.shape, strict=True)]
        pieces = [_piece(combined) for combined in product(*along)]
        count = max(1, min(threads, out.size // _THREAD_ELEMENTS))
        each = 1 if len(pieces) >= count else count

        def read(piece: Piece) -> None:
            self._read(piece, out[piece.outer], each)

        for_each(read, pieces, count if each == 1 else 1)

    def _read(self, piece: Piece, out: Array, threads: int) -> None:
        try:
            self._decode(piece, out, threads)
        except (ValueError, OSError) as error:
            # Not left to HDF5: its filter goes where forged lengths lead.
            path = self.dataset.file.filename
            message = (
                f"'{self.dataset.name}' in {path} cannot be read: chunk {piece.origin}: {error}"
            )
            raise CorruptFileError(message, path) from None
        except UnusualChunkError:
            wanted = [
                _moved(part, start) for part, start in zip(piece.inner, piece.origin, strict=True)
            ]
            out[...] = read_parts(self.dataset, tuple(wanted))

    def _decode(self, piece: Piece, out: Array, threads: int) -> None:
        """Read a chunk, or its beginning, and decode it; in parts, where several threads may."""
        lead = self._lead
        row = prod(self.shape[lead + 1 :])
        stop = (int(piece.inner[lead][-1]) + 1) * row
        bounds = [len(piece.inner[lead]) * k // threads for k in range(threads + 1)]
        with self._chunk(piece.origin, stop) as chunk:

            def decode(part: slice) -> None:
                inner = (*piece.inner[:lead], piece.inner[lead][part], *piece.inner[lead + 1 :])
                self._decode_part(chunk, inner, out[(slice(None),) * lead + (part,)])

            parts = [slice(a, b) for a, b in pairwise(bounds) if a < b]
            for_each(decode, parts, threads)

    def _decode_part(self, chunk: bitshuffle.Bytes, inner: tuple[Part, ...], out: Array) -> None:
        lead = self._lead
        row = prod(self.shape[lead + 1 :])
        first, stop = int(inner[lead][0]) * row, (int(inner[lead][-1]) + 1) * row
        item = self.dataset.dtype.itemsize
        blocks = bitshuffle.find_blocks(chunk, self.size, item, first, stop)
        is_exact = (blocks.start, blocks.stop) == (first, stop) and out.size == stop - first
        if is_exact and out.flags.c_contiguous:
            bitshuffle.decode(chunk, blocks, out.reshape(-1))
            return
        begin, end = min(first, blocks.start), max(stop, blocks.stop)
        values = np.empty(end - begin, out.dtype)
        bitshuffle.decode(chunk, blocks, values[blocks.start - begin : blocks.stop - begin])
        rows = values[first - begin : stop - begin].reshape(-1, *self.shape[lead + 1 :])
        others = [as_slice(part) for part in inner[lead + 1 :]]
        along = as_slice(_moved(inner[lead], -first // row))
        out[...] = rows[(along, *others)].reshape(out.shape)

    # Bytes

    @contextmanager
    def _chunk(self, origin: tuple[int, ...], stop: int) -> Iterator[bitshuffle.Bytes]:
        """A chunk as it is stored, or as much of it as its first elements take."""
        item = self.dataset.dtype.itemsize
        place = self._place(origin)
        if place is None or self._handle is None:
            yield self._asked(origin)
            return
        if place.size > self.size * item + self.size * item // 128 + _OVERHEAD:
            raise ValueError(f"it takes {place.size} bytes")
        with self._buffers.lend(place.size) as buffer:
            share = stop / self.size
            if share < _BEGINNING:
                size = min(place.size, int(place.size * share * 1.1) + 4096)
                beginning = self._bytes(place.offset, buffer[:size])
                if bitshuffle.is_enough(beginning, self.size, item, stop):
                    yield beginning
                    return
            yield self._bytes(place.offset, buffer)

    def _asked(self, origin: tuple[int, ...]) -> bytes:
        """A chunk as HDF5 finds it."""
        try:
            mask, chunk = self.dataset.id.read_direct_chunk(origin)
        except (OSError, RuntimeError) as error:
            raise UnusualChunkError from error
        if mask:
            raise UnusualChunkError
        return bytes(chunk)

    def _bytes(self, offset: int, buffer: Array) -> memoryview:
        """Bytes of the file."""
        read = os.preadv(self._handle or 0, [buffer.data], offset)
        return buffer.data[:read]

    def _place(self, origin: tuple[int, ...]) -> Place | None:
        """Where a chunk is; None if HDF5 is to be asked for it."""
        with self._lock:
            if self._places is None:
                self._places = self._noted()
        if not self._places:
            return None
        if origin not in self._places:
            raise UnusualChunkError
        return self._places[origin]

    def _noted(self) -> dict[tuple[int, ...], Place]:
        lengths = zip(self.dataset.shape, self.shape, strict=True)
        if self._handle is None or prod(-(-n // chunk) for n, chunk in lengths) > _NOTED:
            return {}
        places: dict[tuple[int, ...], Place] = {}

        def note(info: Any) -> None:
            if not info.filter_mask:
                places[info.chunk_offset] = Place(info.byte_offset, info.size)

        with reading(f"'{self.dataset.name}'", self.dataset.file.filename):
            self.dataset.id.chunk_iter(note)
        return places


def chunks_of(dataset: Any, buffers: Buffers) -> Chunks | None:
    """The chunks of a dataset, if they can be read here; else None."""
    if not dataset.chunks or dataset.is_virtual or dataset.dtype.kind not in "iuf":
        return None
    properties = dataset.id.get_create_plist()
    if properties.get_nfilters() != 1:
        return None
    number, _, options, _ = properties.get_filter(0)
    is_lz4 = number == bitshuffle.FILTER and options[4:5] == (bitshuffle.LZ4,)
    if not is_lz4 or options[2] != dataset.dtype.itemsize or bitshuffle.decoder() is None:
        return None
    return Chunks(dataset, buffers)


def _handle(file: Any) -> int | None:
    """The number by which the system knows an open file, if its bytes are where HDF5 says."""
    if file.driver != "sec2" or file.mode != "r" or file.userblock_size:
        return None
    return int(file.id.get_vfd_handle())


def _split(part: Part, length: int) -> Iterator[tuple[int, Part, slice]]:
    """The chunks that some places fall into: where each begins, the places in it and their number.

    Examples
    --------
    >>> list(_split(range(3, 9, 2), 4))
    [(0, range(3, 5, 2), slice(0, 1, None)), (4, range(1, 5, 2), slice(1, 3, None))]
    """
    at = 0
    while at < len(part):
        start = int(part[at]) // length * length
        if isinstance(part, range):
            end = at + len(range(part[at], min(part.stop, start + length), part.step))
        else:
            end = int(np.searchsorted(part, start + length))
        yield start, _moved(part[at:end], -start), slice(at, end)
        at = end


def _moved(part: Part, by: int) -> Part:
    if isinstance(part, range):
        return range(part.start + by, part.stop + by, part.step)
    return part + by


def _piece(combined: Sequence[tuple[int, Part, slice]]) -> Piece:
    origins, inner, outer = zip(*combined, strict=True)
    return Piece(tuple(origins), tuple(inner), tuple(outer))
