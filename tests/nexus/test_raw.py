"""Raw data are what h5py reads, however they are stored; what is damaged is an error."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nxformula
from nxformula.errors import CorruptFileError
from nxformula.nexus import chunks, evaluation
from nxformula.nexus.access import Access
from nxformula.nexus.chunks import Chunks
from nxformula.nexus.files import FilePool
from nxformula.nexus.links import Resolver
from nxformula.nexus.raw import RawData
from nxformula.nexus.selection import select

LZ4 = dict(hdf5plugin.Bitshuffle(cname="lz4"))
SMALL_BLOCKS = dict(hdf5plugin.Bitshuffle(nelems=16, cname="lz4"))


class Reader:
    """Reads parts of a dataset as the formula's evaluation does."""

    def __init__(self, file: h5py.File, folder: Path) -> None:
        access = Access(file.filename, (str(folder),))
        self.raw = RawData(Resolver(FilePool(file), access))
        self.file = file

    def read(self, name: str, index: Any, threads: int = 1) -> np.ndarray:
        dataset = self.file[name]
        selection = select(index, dataset.shape)
        place = self.file.filename, name
        dtype = dataset.dtype.newbyteorder("=").name
        with self.raw.read(dataset, place, selection.parts, dtype, threads) as values:
            return values.reshape(selection.shape).copy()

    def way(self, name: str) -> Any:
        return self.raw._way(self.file[name], (self.file.filename, name))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[[Callable[[h5py.File], None]], Reader]]:
    """Makes a file with a function, and opens it."""
    opened: list[h5py.File] = []

    def make(write: Callable[[h5py.File], None]) -> Reader:
        path = tmp_path / f"raw{len(opened)}.h5"
        with h5py.File(path, "w") as file:
            write(file)
        opened.append(h5py.File(path))
        return Reader(opened[-1], tmp_path)

    yield make
    for file in opened:
        file.close()


def chosen(values: np.ndarray, index: Any) -> np.ndarray:
    """What h5py gives; NumPy puts the dimension of a list elsewhere."""
    selection = select(index, values.shape)
    return values[np.ix_(*map(list, selection.parts))].reshape(selection.shape)


def noise(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(5).integers(0, 200, shape).astype(dtype)


def indices(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    """Numbers, slices with steps, and one list of places."""
    own = []
    for length in shape:
        places = st.integers(0, length - 1)
        cut = st.builds(slice, places, st.integers(0, length), st.integers(1, 3))
        own.append(st.one_of(places, cut, st.just(slice(None))))
    basic = st.tuples(*own)

    def with_list(at: int) -> st.SearchStrategy[tuple[Any, ...]]:
        listed = st.sets(st.integers(0, shape[at] - 1), min_size=1).map(sorted)
        return st.tuples(*own[:at], listed, *own[at + 1 :])

    return st.one_of(basic, *(with_list(at) for at in range(len(shape))))


LAYOUTS = [
    ((9, 20, 33), (1, 20, 33)),
    ((9, 20, 33), (4, 20, 33)),
    ((9, 20, 33), (1, 7, 16)),
    ((9, 20, 33), (2, 20, 10)),
    ((5, 4, 6, 7), (1, 1, 6, 7)),
    ((50,), (16,)),
]


@pytest.mark.parametrize(("shape", "chunk"), LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", ["uint16", ">i4", "float32"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), threads=st.integers(1, 3))
def test_any_part(
    made: Any,
    monkeypatch: pytest.MonkeyPatch,
    shape: tuple[int, ...],
    chunk: tuple[int, ...],
    dtype: str,
    data: st.DataObject,
    threads: int,
) -> None:
    monkeypatch.setattr(chunks, "_THREAD_ELEMENTS", 1)
    values = noise(shape, dtype)
    reader = made(lambda file: file.create_dataset("x", data=values, chunks=chunk, **SMALL_BLOCKS))
    assert isinstance(reader.way("/x"), Chunks)
    index = data.draw(indices(shape))
    np.testing.assert_array_equal(reader.read("/x", index, threads), chosen(values, index))
    reader.file.close()


def test_hdf5_is_not_asked_for_values(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    values = noise((6, 64, 64))
    reader = made(lambda file: file.create_dataset("x", data=values, chunks=(1, 64, 64), **LZ4))
    monkeypatch.setattr(chunks, "read_parts", lambda *_: pytest.fail("HDF5 reads"))
    np.testing.assert_array_equal(reader.read("/x", np.s_[1:5, 3:], 2), values[1:5, 3:])


def test_of_many_chunks_hdf5_is_asked_one_by_one(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_NOTED", 3)
    monkeypatch.setattr(chunks, "read_parts", lambda *_: pytest.fail("HDF5 reads"))
    values = noise((6, 64, 64))
    reader = made(lambda file: file.create_dataset("x", data=values, chunks=(1, 64, 64), **LZ4))
    np.testing.assert_array_equal(reader.read("/x", np.s_[1:5, 3:], 2), values[1:5, 3:])


OTHERS: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunked": {"chunks": (1, 20, 33)},
    "gzip": {"chunks": (1, 20, 33), "compression": "gzip"},
    "shuffle and LZ4": {"chunks": (1, 20, 33), "shuffle": True, **LZ4},
    "zstd": {"chunks": (1, 20, 33), **hdf5plugin.Bitshuffle(cname="zstd")},
    "bitshuffle alone": {"chunks": (1, 20, 33), **hdf5plugin.Bitshuffle(cname="none")},
}


@pytest.mark.parametrize("options", OTHERS.values(), ids=list(OTHERS))
def test_what_else_there_is_hdf5_reads(made: Any, options: dict[str, Any]) -> None:
    values = noise((9, 20, 33))
    reader = made(lambda file: file.create_dataset("x", data=values, **options))
    assert reader.way("/x") is None
    np.testing.assert_array_equal(reader.read("/x", np.s_[2:5, ::3], 2), values[2:5, ::3])


def test_a_file_with_a_user_block(tmp_path: Path) -> None:
    values = noise((3, 20, 33))
    with h5py.File(tmp_path / "u.h5", "w", userblock_size=512) as file:
        file.create_dataset("x", data=values, chunks=(1, 20, 33), **LZ4)
    with h5py.File(tmp_path / "u.h5") as file:
        np.testing.assert_array_equal(Reader(file, tmp_path).read("/x", np.s_[1:]), values[1:])


def test_chunks_that_were_never_written(made: Any) -> None:
    def write(file: h5py.File) -> None:
        dataset = file.create_dataset(
            "x", (5, 20, 33), "uint16", chunks=(1, 20, 33), fillvalue=7, **LZ4
        )
        dataset[2] = 3

    found = made(write).read("/x", ...)
    assert (found[2] == 3).all()
    assert (np.delete(found, 2, axis=0) == 7).all()


@pytest.mark.parametrize("noted", [0, 100])
def test_a_chunk_that_was_stored_uncompressed(
    made: Any, noted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "_NOTED", noted)
    values = noise((3, 20, 33))

    def write(file: h5py.File) -> None:
        dataset = file.create_dataset("x", data=values, chunks=(1, 20, 33), **LZ4)
        dataset.id.write_direct_chunk((1, 0, 0), (values[1] + 1).tobytes(), filter_mask=1)

    found = made(write).read("/x", ...)
    np.testing.assert_array_equal(found, values + np.array([0, 1, 0], np.uint16)[:, None, None])


def test_damaged_chunks(tmp_path: Path) -> None:
    """An error or some values; HDF5's own filter crashes where forged lengths lead outside."""
    values = noise((1, 64, 64))
    path = tmp_path / "damaged.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", data=values, chunks=(1, 64, 64), **SMALL_BLOCKS)
        place = dataset.id.get_chunk_info(0)
    sound = path.read_bytes()
    rng = random.Random(1)
    refused = 0
    for _ in range(200):
        content = bytearray(sound)
        for _ in range(rng.randint(1, 3)):
            content[place.byte_offset + rng.randrange(place.size)] = rng.randrange(256)
        path.write_bytes(content)
        with h5py.File(path) as file:
            message = _refusal(Reader(file, tmp_path))
        refused += bool(message)
        assert not message or "'/x' in " in message
        assert not message or "chunk (0, 0, 0): " in message
    assert 20 < refused < 200


def _refusal(reader: Reader) -> str:
    try:
        assert reader.read("/x", ...).shape == (1, 64, 64)
    except CorruptFileError as error:
        return error.message
    return ""


def test_a_file_cut_short_while_it_is_open(tmp_path: Path) -> None:
    values = noise((4, 64, 64))
    path = tmp_path / "cut.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", data=values, chunks=(1, 64, 64), **LZ4)
        place = dataset.id.get_chunk_info(3)
    with h5py.File(path) as file:
        reader = Reader(file, tmp_path)
        np.testing.assert_array_equal(reader.read("/x", 0), values[0])
        with open(path, "r+b") as stream:
            stream.truncate(place.byte_offset + 20)
        with pytest.raises(CorruptFileError, match=r"'/x' in .* cannot be read"):
            reader.read("/x", 3)


def test_a_closed_file(made: Any) -> None:
    reader = made(lambda file: file.create_dataset("x", data=noise((4, 8)), chunks=(1, 8), **LZ4))
    way = reader.way("/x")
    reader.file.close()
    with pytest.raises((ValueError, CorruptFileError)):
        way.read((range(4), range(8)), np.empty((4, 8), np.uint16), 1)


# Virtual datasets


def sources(folder: Path, values: np.ndarray, cuts: list[slice], chunk: tuple[int, ...]) -> None:
    for number, cut in enumerate(cuts):
        with h5py.File(folder / f"part{number}.h5", "w") as file:
            file.create_dataset("x", data=values[cut], chunks=chunk, **LZ4)


@pytest.mark.parametrize(
    "index", [..., 3, np.s_[2:9:2], np.s_[:, 5], np.s_[1:, 3:9, ::4], np.s_[[0, 4, 9], 2:]], ids=str
)
def test_frames_from_several_files(
    tmp_path: Path, index: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise((10, 20, 33))
    cuts = [slice(0, 4), slice(4, 5), slice(5, 10)]
    sources(tmp_path, values, cuts, (1, 20, 33))
    layout = h5py.VirtualLayout((10, 20, 33), "uint16")
    for number, cut in enumerate(cuts):
        length = cut.stop - cut.start
        layout[cut] = h5py.VirtualSource(f"part{number}.h5", "x", (length, 20, 33))
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with h5py.File(tmp_path / "all.h5") as file:
        monkeypatch.setattr(chunks, "read_parts", lambda *_: pytest.fail("HDF5 reads"))
        np.testing.assert_array_equal(Reader(file, tmp_path).read("/x", index, 2), values[index])


def test_modules_from_several_files(tmp_path: Path) -> None:
    """Each source is one module; sources may have other dimensions of length 1."""
    values = noise((6, 3, 20, 33))
    layout = h5py.VirtualLayout(values.shape, "uint16")
    for module in range(3):
        with h5py.File(tmp_path / f"m{module}.h5", "w") as file:
            own = values[:, module, None]
            file.create_dataset("x", data=own, chunks=(1, 1, 20, 33), **LZ4)
        source = h5py.VirtualSource(f"m{module}.h5", "x", (6, 1, 20, 33))
        layout[:, module] = source[:, 0]
    with h5py.File(tmp_path / "all.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with h5py.File(tmp_path / "all.h5") as file:
        reader = Reader(file, tmp_path)
        assert len(reader.way("/x")) == 3
        for index in (..., np.s_[2:5, 1], np.s_[0, :, 3:7], np.s_[:, [0, 2], ::5, 4]):
            np.testing.assert_array_equal(reader.read("/x", index, 2), chosen(values, index))


def virtual(folder: Path, build: Callable[[h5py.VirtualLayout], None]) -> Path:
    layout = h5py.VirtualLayout((10, 4), "uint16")
    build(layout)
    with h5py.File(folder / "all.h5", "w") as file:
        file.create_virtual_dataset("x", layout, fillvalue=9)
    return folder / "all.h5"


def holes(layout: h5py.VirtualLayout) -> None:
    layout[2:5] = h5py.VirtualSource("part0.h5", "x", (10, 4))[2:5]


def comb(layout: h5py.VirtualLayout) -> None:
    layout[::2] = h5py.VirtualSource("part0.h5", "x", (10, 4))[:5]
    layout[1::2] = h5py.VirtualSource("part0.h5", "x", (10, 4))[5:]


def turned(layout: h5py.VirtualLayout) -> None:
    layout[:, 0:2] = h5py.VirtualSource("part0.h5", "x", (10, 4))[0:5]
    layout[:, 2:4] = h5py.VirtualSource("part0.h5", "x", (10, 4))[5:10]


def overlapping(layout: h5py.VirtualLayout) -> None:
    layout[0:6] = h5py.VirtualSource("part0.h5", "x", (10, 4))[0:6]
    layout[2:6] = h5py.VirtualSource("part0.h5", "x", (10, 4))[6:10]


@pytest.mark.parametrize("build", [holes, comb, turned, overlapping])
def test_what_is_not_filled_by_boxes_hdf5_reads(tmp_path: Path, build: Any) -> None:
    sources(tmp_path, noise((10, 4)), [slice(0, 10)], (1, 4))
    with h5py.File(virtual(tmp_path, build)) as file:
        reader = Reader(file, tmp_path)
        assert reader.way("/x") is None
        np.testing.assert_array_equal(reader.read("/x", np.s_[1:]), file["x"][1:])


def test_a_virtual_source_that_is_shorter_than_said(tmp_path: Path) -> None:
    sources(tmp_path, noise((10, 4)), [slice(0, 6)], (1, 4))

    def build(layout: h5py.VirtualLayout) -> None:
        layout[:] = h5py.VirtualSource("part0.h5", "x", (10, 4))

    with h5py.File(virtual(tmp_path, build)) as file:
        reader = Reader(file, tmp_path)
        assert reader.way("/x") is None
        with pytest.raises(CorruptFileError, match="insufficient elements"):
            reader.read("/x", ...)


def test_a_virtual_source_of_another_dtype(tmp_path: Path) -> None:
    sources(tmp_path, noise((10, 4), "uint8"), [slice(0, 10)], (1, 4))

    def build(layout: h5py.VirtualLayout) -> None:
        layout[:] = h5py.VirtualSource("part0.h5", "x", (10, 4))

    with h5py.File(virtual(tmp_path, build)) as file:
        reader = Reader(file, tmp_path)
        assert reader.way("/x") is None
        np.testing.assert_array_equal(reader.read("/x", ...), file["x"][...])


# Seen through a formula


@pytest.mark.usefixtures("backend")
def test_blocks_in_threads(attached: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with nxformula.open(attached.master) as file:
        images = file[attached.field]
        whole = images[...]
        for size in (10_000, 64 * 128 * 4, 3 * 64 * 128 * 4):
            monkeypatch.setattr(evaluation, "_BLOCK_BYTES", size)
            monkeypatch.setattr(evaluation, "cores", lambda: 3)
            assert images[...].tobytes() == whole.tobytes()


@pytest.mark.usefixtures("backend")
def test_an_error_in_a_thread_is_the_callers(
    attached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "_BLOCK_BYTES", 64 * 128 * 4)
    monkeypatch.setattr(evaluation, "cores", lambda: 2)
    with h5py.File(attached.stack, "r+") as file:
        name = next(iter(file))
        file[name].id.write_direct_chunk((2, 0, 0), b"nothing of use")
    with nxformula.open(attached.master) as file:
        images = file[attached.field]
        assert np.isfinite(images[0]).any()
        with pytest.raises(CorruptFileError, match="cannot be read"):
            images[...]
