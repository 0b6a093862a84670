"""Decode chunks of the HDF5 filter bitshuffle/LZ4, whole or in part, and encode them.

HDF5 decodes one chunk at a time, always whole. Here chunks are decoded in several threads, and of
a chunk no more than the blocks that hold what is wanted. The work is done by the library that
hdf5plugin brings. Its functions have no bounds for what they read and write, so the lengths of all
blocks are checked before; and they are not part of any documented interface, so they must first
decode a chunk whose content is known, and encode it.

A chunk begins with its size and that of its blocks (8 and 4 bytes, big-endian); each block is a
length of 4 bytes and LZ4 data. What is left of the last block beyond a multiple of 8 elements
stands at the end as it is. Source: `bshuf_h5filter.c` of https://github.com/kiyo-masui/bitshuffle.
"""

from __future__ import annotations

import ctypes
import os
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.layout import Array

#: Number of the filter in HDF5, and its number for LZ4 among its own ways to compress.
FILTER: Final = 32008
LZ4: Final = 2

#: Bytes of a block, as the filter has them where nothing else is asked for.
_BLOCK_BYTES: Final = 8192
_HEADER: Final = struct.Struct(">QI")
_LENGTH: Final = struct.Struct(">I")
#: Blocks and the leftover are multiples of this many elements.
_MULTIPLE: Final = 8

Bytes: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a chunk that hold some of its elements.

    Attributes
    ----------
    start, stop : int
        Elements that they hold, from the first on.
    at : int
        Where in the chunk the first of them begins.
    length : int
        Bytes from there to the end of the last.
    block : int
        Elements of a block.
    """

    start: int
    stop: int
    at: int
    length: int
    block: int


class TooShortError(ValueError):
    """More of the chunk is needed to find the blocks."""


def find_blocks(chunk: Bytes, size: int, itemsize: int, first: int, stop: int) -> Blocks:
    """Find the blocks that hold some elements of a chunk, and check that they are within it.

    Parameters
    ----------
    chunk : bytes
        As it is stored, or its beginning.
    size : int
        Elements of the whole chunk.
    itemsize : int
        Bytes of an element.
    first, stop : int
        The elements wanted.

    Raises
    ------
    TooShortError
        The blocks go on beyond these bytes.
    ValueError
        This is no such chunk.
    """
    if len(chunk) < _HEADER.size:
        raise TooShortError("it ends before its header does")
    total, block_bytes = _HEADER.unpack_from(chunk)
    block = block_bytes // itemsize
    if total != size * itemsize or block_bytes % itemsize or block < 1 or block % _MULTIPLE:
        expected = size * itemsize
        found = f"{total} bytes in blocks of {block_bytes}"
        raise ValueError(f"its header says {found}, expected {expected} bytes")
    whole = size - size % _MULTIPLE
    begin = first // block
    end = -(-min(stop, whole) // block)
    at, offset = _HEADER.size, _HEADER.size
    unpack, step = _LENGTH.unpack_from, _LENGTH.size
    try:
        for number in range(end):
            if number == begin:
                at = offset
            offset += step + unpack(chunk, offset)[0]
    except struct.error:
        raise TooShortError("it ends before its blocks do") from None
    if begin >= end:
        at = offset
    # The last block holds the rest of the elements, which may be fewer; the leftover follows it.
    reach = min(end * block, whole)
    if stop > whole:
        reach, offset = size, offset + (size - whole) * itemsize
    if offset > len(chunk):
        raise TooShortError("it ends before its blocks do")
    return Blocks(begin * block, max(reach, begin * block), at, offset - at, block)


def is_enough(chunk: Bytes, size: int, itemsize: int, stop: int) -> bool:
    """Whether the beginning of a chunk holds the blocks up to an element.

    Parameters
    ----------
    chunk, size, itemsize, stop
        As for `find_blocks`.

    Raises
    ------
    ValueError
        This is no such chunk.
    """
    try:
        find_blocks(chunk, size, itemsize, stop - 1, stop)
    except TooShortError:
        return False
    return True


def decode(chunk: Bytes, blocks: Blocks, out: Array) -> None:
    """Decode some blocks.

    Parameters
    ----------
    chunk : bytes
        What `find_blocks` was given.
    blocks : Blocks
        What it found.
    out : ndarray
        Receives their elements: one-dimensional, contiguous.

    Raises
    ------
    ValueError
        The blocks are damaged.
    """
    function = decoder()
    assert function is not None
    assert out.flags.c_contiguous
    assert out.size == blocks.stop - blocks.start
    source = np.frombuffer(chunk, np.uint8)
    start, into = source.ctypes.data + blocks.at, out.ctypes.data
    read = function(start, into, out.size, out.itemsize, blocks.block)
    if read != blocks.length:
        raise ValueError("a block is damaged")


def encode(values: Array, out: Array) -> int:
    """Encode a chunk as the filter does.

    Parameters
    ----------
    values : ndarray
        All its elements, contiguous.
    out : ndarray of uint8
        Receives the chunk; of at least `most_bytes(values)` elements.

    Returns
    -------
    int
        Bytes of the chunk.

    Raises
    ------
    ValueError
        The library refuses.
    """
    function = encoder()
    assert function is not None
    assert values.flags.c_contiguous
    assert out.size >= most_bytes(values)
    out[: _HEADER.size] = np.frombuffer(_HEADER.pack(values.nbytes, _BLOCK_BYTES), np.uint8)
    block = _BLOCK_BYTES // values.itemsize
    into = out.ctypes.data + _HEADER.size
    written = int(function(values.ctypes.data, into, values.size, values.itemsize, block))
    if written < 0:
        raise ValueError(f"bitshuffle cannot encode {values.size} elements: error {written}")
    return _HEADER.size + written


def most_bytes(values: Array) -> int:
    """The most bytes that a chunk may take when it is encoded.

    Examples
    --------
    >>> most_bytes(np.zeros(4096, np.uint16))
    8308
    """
    blocks = values.nbytes // _BLOCK_BYTES + 1
    # LZ4 adds at most this to what it cannot compress, and the filter a length.
    added = _BLOCK_BYTES // 255 + 16 + _LENGTH.size
    return _HEADER.size + values.nbytes + blocks * added


@cache
def decoder() -> Any:
    """The function `bshuf_decompress_lz4`, if it is there and does what it should; else None."""
    function = _function("bshuf_decompress_lz4")
    return function if function is not None and _is_sound(function) else None


@cache
def encoder() -> Any:
    """The function `bshuf_compress_lz4`, if it is there and can be undone; else None."""
    function = _function("bshuf_compress_lz4")
    if function is None or decoder() is None:
        return None
    chunk, values = np.zeros(256, np.uint8), np.arange(20, dtype=np.uint16)
    written = function(values.ctypes.data, chunk.ctypes.data + _HEADER.size, 20, 2, 16)
    chunk[: _HEADER.size] = np.frombuffer(_KNOWN[: _HEADER.size], np.uint8)
    if not 0 < written < chunk.size - _HEADER.size:
        return None
    try:
        found = np.zeros(20, np.uint16)
        encoded = chunk[: _HEADER.size + written].tobytes()
        decode(encoded, find_blocks(encoded, 20, 2, 0, 20), found)
    except ValueError:
        return None
    return function if np.array_equal(found, values) else None


def _function(name: str) -> Any:
    """A function of the filter's library: two places, and three sizes."""
    try:
        import hdf5plugin

        path = os.path.join(hdf5plugin.PLUGIN_PATH, "libh5bshuf.so")
        function = getattr(ctypes.CDLL(path), name)
    except (ImportError, OSError, AttributeError):
        return None
    function.restype = ctypes.c_int64
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_size_t] * 3
    return function


#: 20 elements of uint16, 0 to 19, in blocks of 16, as h5py and hdf5plugin 7.1 have written them.
_KNOWN: Final = bytes.fromhex(
    "0000000000000028 00000020 00000012 9eaaaaccccf0f000ff00010050000000000010001100 12001300"
)


def _is_sound(function: Any) -> bool:
    """Whether the function decodes a chunk whose content is known."""
    out = np.zeros(20, np.uint16)
    source = np.frombuffer(_KNOWN, np.uint8)
    at = source.ctypes.data + _HEADER.size
    read = function(at, out.ctypes.data, 20, 2, 16)
    return bool(read == len(_KNOWN) - _HEADER.size and out.tolist() == [*range(20)])
