"""Chunks that h5py and hdf5plugin have written, decoded whole and in part; and damaged ones."""

from __future__ import annotations

import io
import random

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxformula.engine import bitshuffle

DTYPES = st.sampled_from(("uint8", "uint16", "int32", "float32", "int64"))


def stored(values: np.ndarray, elements: int) -> bytes:
    """The one chunk of a dataset, as HDF5 stores it."""
    with h5py.File(io.BytesIO(), "w") as file:
        options = hdf5plugin.Bitshuffle(nelems=elements, cname="lz4")
        dataset = file.create_dataset("x", data=values, chunks=values.shape, **options)
        return bytes(dataset.id.read_direct_chunk((0,))[1])


def decoded(chunk: bytes, values: np.ndarray, first: int, stop: int) -> tuple[np.ndarray, slice]:
    blocks = bitshuffle.find_blocks(chunk, values.size, values.itemsize, first, stop)
    out = np.empty(blocks.stop - blocks.start, values.dtype)
    bitshuffle.decode(chunk, blocks, out)
    return out, slice(blocks.start, blocks.stop)


@settings(deadline=None)
@given(DTYPES, st.integers(1, 3000), st.sampled_from((0, 16, 64, 512)), st.data())
def test_any_part_of_any_chunk(dtype: str, size: int, elements: int, data: st.DataObject) -> None:
    values = np.random.default_rng(size).integers(0, 90, size).astype(dtype)
    chunk = stored(values, elements)
    first = data.draw(st.integers(0, size - 1))
    stop = data.draw(st.integers(first + 1, size))
    out, part = decoded(chunk, values, first, stop)
    assert part.start <= first
    assert part.stop >= stop
    np.testing.assert_array_equal(out, values[part])


def test_only_the_blocks_that_are_needed() -> None:
    values = np.arange(4096, dtype=np.uint16)
    chunk = stored(values, 64)
    out, part = decoded(chunk, values, 130, 131)
    assert part == slice(128, 192)
    assert out.tolist() == list(range(128, 192))


def test_the_beginning_of_a_chunk_is_enough() -> None:
    values = np.arange(4096, dtype=np.uint16)
    chunk = stored(values, 64)
    blocks = bitshuffle.find_blocks(chunk, 4096, 2, 0, 130)
    end = blocks.at + blocks.length
    assert bitshuffle.is_enough(chunk[:end], 4096, 2, 130)
    assert not bitshuffle.is_enough(chunk[: end - 1], 4096, 2, 130)
    assert not bitshuffle.is_enough(b"", 4096, 2, 130)
    with pytest.raises(bitshuffle.TooShortError):
        bitshuffle.find_blocks(chunk[:-1], 4096, 2, 0, 4096)


@pytest.mark.parametrize(("at", "byte"), [(0, 1), (6, 9), (7, 9), (11, 0), (11, 1), (11, 6)])
def test_a_header_that_cannot_be(at: int, byte: int) -> None:
    chunk = bytearray(stored(np.arange(4096, dtype=np.uint16), 64))
    chunk[at] = byte
    with pytest.raises(ValueError, match="its header says"):
        bitshuffle.find_blocks(bytes(chunk), 4096, 2, 0, 4096)


def test_forged_lengths_do_not_lead_outside() -> None:
    values = np.random.default_rng(1).integers(0, 1000, 5000).astype(np.uint16)
    sound = stored(values, 512)
    rng = random.Random(3)
    for _ in range(3000):
        chunk = bytearray(sound)
        for _ in range(rng.randint(1, 4)):
            chunk[rng.randrange(len(chunk))] = rng.randrange(256)
        chunk = chunk[: rng.choice((len(chunk), rng.randrange(len(chunk))))]
        guarded = np.full(values.size + 64, 0xABCD, np.uint16)
        try:
            blocks = bitshuffle.find_blocks(chunk, values.size, 2, 0, values.size)
            assert blocks.at + blocks.length <= len(chunk)
            bitshuffle.decode(chunk, blocks, guarded[: values.size])
        except ValueError:
            continue
        finally:
            assert (guarded[values.size :] == 0xABCD).all()


def test_damaged_data_are_an_error() -> None:
    values = np.random.default_rng(1).integers(0, 1000, 5000).astype(np.uint16)
    chunk = bytearray(stored(values, 512))
    chunk[16:40] = bytes(24)
    with pytest.raises(ValueError, match="damaged"):
        decoded(bytes(chunk), values, 0, values.size)


def test_a_library_that_does_otherwise_is_not_used() -> None:
    assert not bitshuffle._is_sound(lambda *arguments: 29)
    assert not bitshuffle._is_sound(lambda *arguments: 0)
