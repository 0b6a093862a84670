"""Chunks that are encoded here are, byte by byte, those that HDF5's own filter makes."""

from __future__ import annotations

import io
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxformula.engine import bitshuffle
from nxformula.nexus import chunk_writing
from nxformula.nexus.chunk_writing import ChunkWriter

DTYPES = ["uint8", "int16", "uint32", "int64", "float32", "float64"]
LZ4 = dict(hdf5plugin.Bitshuffle(cname="lz4"))


@pytest.fixture(autouse=True)
def no_chunk_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_writing, "_SMALL", 0)


def chunks_in(dataset: Any) -> dict[tuple[int, ...], tuple[int, bytes]]:
    found: list[Any] = []
    if dataset.chunks is None:
        return {}
    dataset.id.chunk_iter(found.append)
    return {info.chunk_offset: dataset.id.read_direct_chunk(info.chunk_offset) for info in found}


def written(values: np.ndarray, step: int, **options: Any) -> Any:
    """What this package writes, in blocks of a number of frames."""
    with h5py.File(io.BytesIO(), "w") as file:
        new = file.create_dataset("data", values.shape, values.dtype, **options)
        writer = ChunkWriter(new)
        for start in range(0, len(values), step):
            writer.write(start, values[start : start + step])
        return new[...], chunks_in(new)


def by_hdf5(values: np.ndarray, **options: Any) -> Any:
    with h5py.File(io.BytesIO(), "w") as file:
        return chunks_in(file.create_dataset("data", data=values, **options))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    dtype=st.sampled_from(DTYPES),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 40), st.integers(1, 60)),
    data=st.data(),
)
def test_chunks_are_those_of_hdf5(dtype: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    chunks = tuple(data.draw(st.integers(-(-length // 5), length)) for length in shape)
    step = chunks[0] * data.draw(st.integers(1, 3))
    values = np.random.default_rng(1).integers(0, 100, shape).astype(dtype)
    found, stored = written(values, step, chunks=chunks, **LZ4)
    np.testing.assert_array_equal(found, values)
    assert stored == by_hdf5(values, chunks=chunks, **LZ4)


@pytest.mark.parametrize("bound", [0, 1 << 30])
def test_more_chunks_than_are_encoded_together(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_writing, "_TOGETHER", bound)
    values = np.random.default_rng(2).random((9, 40, 50), np.float32)
    found, stored = written(values, 9, chunks=(1, 40, 50), **LZ4)
    np.testing.assert_array_equal(found, values)
    assert stored == by_hdf5(values, chunks=(1, 40, 50), **LZ4)


@pytest.mark.parametrize("content", ["random", "zeros", "nan"])
def test_what_cannot_be_compressed_fits(content: str) -> None:
    values = np.random.default_rng(3).integers(0, 1 << 64, 10_001, np.uint64)
    if content != "random":
        values[:] = 0
    if content == "nan":
        values.view("f8")[:] = np.nan
    out = np.empty(bitshuffle.most_bytes(values), np.uint8)
    size = bitshuffle.encode(values, out)
    assert size <= out.size
    chunk = out[:size].tobytes()
    again = np.empty_like(values)
    bitshuffle.decode(chunk, bitshuffle.find_blocks(chunk, 10_001, 8, 0, 10_001), again)
    np.testing.assert_array_equal(again, values)


def test_small_chunks_are_left_to_hdf5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_writing, "_SMALL", 4096)
    monkeypatch.setattr(bitshuffle, "encode", lambda *given: pytest.fail("encoded here"))
    values = np.random.default_rng(4).random((3, 8, 9), np.float32)
    found, _ = written(values, 1, chunks=(1, 8, 9), **LZ4)
    np.testing.assert_array_equal(found, values)


OTHERS: dict[str, dict[str, Any]] = {
    "gzip": {"chunks": (2, 8, 8), "compression": "gzip"},
    "none": {"chunks": (2, 8, 8)},
    "contiguous": {},
    "zstd": {"chunks": (2, 8, 8), **hdf5plugin.Bitshuffle(cname="zstd", clevel=3)},
    "large blocks": {"chunks": (2, 8, 8), **hdf5plugin.Bitshuffle(nelems=512, cname="lz4")},
    "two filters": {"chunks": (2, 8, 8), "fletcher32": True, **LZ4},
}


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_other_filters_are_left_to_hdf5(options: dict[str, Any]) -> None:
    values = np.random.default_rng(5).random((5, 16, 16), np.float32)
    found, _ = written(values, 2, **options)
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("dtype", [">f4", "bool"])
def test_dtypes_that_are_left_to_hdf5(dtype: str) -> None:
    values = (np.arange(5 * 16 * 16).reshape(5, 16, 16) % 2).astype(dtype)
    found, _ = written(values, 2, chunks=(2, 8, 8), **LZ4)
    np.testing.assert_array_equal(found, values)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bitshuffle, "encoder", lambda: None)
    values = np.random.default_rng(4).random((3, 8, 9), np.float32)
    found, _ = written(values, 1, chunks=(1, 8, 8), **LZ4)
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("wrong", ["nothing", "refusal", "other bytes"])
def test_a_library_that_does_something_else_is_not_used(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def function(source: int, into: int, size: int, itemsize: int, block: int) -> int:
        return {"nothing": 0, "refusal": -81, "other bytes": 26}[wrong]

    real = bitshuffle._function
    monkeypatch.setattr(
        bitshuffle, "_function", lambda name: function if "compress_" in name else real(name)
    )
    monkeypatch.setattr(bitshuffle, "decoder", lambda: real("bshuf_decompress_lz4"))
    bitshuffle.encoder.cache_clear()
    try:
        assert bitshuffle.encoder() is None
    finally:
        bitshuffle.encoder.cache_clear()
