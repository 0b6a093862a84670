"""Calibrated fields: the right numbers for every selection, with the manners of h5py's datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import nxformula
from nxformula.masters.demonstration import Demonstration
from nxformula.nexus import constants, evaluation

FIELD = "/entry/instrument/detector/data"


def naive(raw: np.ndarray, pedestal: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """The formula of the demonstration in float32, one stage after the other."""
    out = np.full(raw.shape, np.nan, np.float32)
    counts = (raw & 0x3FFF).astype(np.float32)
    for code, plane in ((0, 0), (1, 1), (3, 2)):
        values = (counts - pedestal[plane]) / gain[plane]
        out = np.where(raw >> 14 == code, values, out)
    return out


@pytest.fixture(scope="module")
def expected(attached_demonstration: Demonstration) -> np.ndarray:
    made = attached_demonstration
    with (
        h5py.File(made.stack) as stack,
        h5py.File(made.pedestal) as pedestal,
        h5py.File(made.gain) as gain,
    ):
        return naive(stack["data"][:], pedestal["pedestal"][:], gain["gain"][:])


@pytest.fixture
def images(attached_demonstration: Demonstration) -> Iterator[Any]:
    with nxformula.open(attached_demonstration.master) as file:
        yield file[FIELD]


def content(values: Any) -> tuple[Any, ...]:
    """Shape, dtype and bits; all NaN are one, since the language leaves their bits open."""
    array = np.array(values)
    if array.dtype.kind == "f":
        array[np.isnan(array)] = np.nan
    return array.shape, array.dtype, array.tobytes()


def same(found: Any, wanted: Any) -> bool:
    return content(found) == content(wanted)


def write(
    folder: Path,
    formula: str,
    symbols: dict[str, tuple[tuple[str, ...], Any]],
    axes: tuple[str, ...],
    **options: Any,
) -> Path:
    """A file whose field is `data`, every symbol a dataset beside it, with a formula."""
    path = folder / "run.nxs"
    with h5py.File(path, "w") as file:
        for name, (_, values) in symbols.items():
            file[f"entry/detector/{name}"] = values
    sources = {name: nxformula.SymbolSource(axes=own) for name, (own, _) in symbols.items()}
    nxformula.attach(
        path, "/entry/detector/data", formula, sources, axes=axes, in_place=True, **options
    )
    return path


def field(path: Path) -> Any:
    return nxformula.open(path)["/entry/detector/data"]


# Numbers


def test_all_values_are_those_of_numpy(images: Any, expected: np.ndarray) -> None:
    assert np.isnan(expected).any()
    assert {0, 1, 3} <= set(np.unique(images.raw[:] >> 14))
    assert same(images[...], expected)


def test_only_what_a_selection_needs_is_read(
    images: Any, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, int]] = []
    plain, raw = constants.read_parts, images.context.raw.read

    def spy(dataset: Any, parts: Any) -> np.ndarray:
        values = plain(dataset, parts)
        read.append((dataset.name, values.size))
        return values

    def raw_spy(dataset: Any, place: Any, parts: Any, *options: Any) -> Any:
        read.append((dataset.name, prod(len(part) for part in parts)))
        return raw(dataset, place, parts, *options)

    monkeypatch.setattr(images.context.raw, "read", raw_spy)
    monkeypatch.setattr(constants, "read_parts", spy)
    assert same(images[1, 3:5, 7], expected[1, 3:5, 7])
    assert sorted(read) == [("/data", 2), ("/gain", 6), ("/pedestal", 6)]


@pytest.mark.parametrize("size", [1, 4, 100, 4 * 128, 4 * 128 * 7, 4 * 128 * 64 * 3])
@pytest.mark.parametrize("index", [..., np.s_[1:, ::3], np.s_[:, [0, 5, 63], 2:90]], ids=str)
def test_blocks_smaller_than_the_selection(
    images: Any, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch, size: int, index: Any
) -> None:
    if size < 100:
        index = (slice(0, 2), slice(0, 3), slice(3, 7))
    monkeypatch.setattr(evaluation, "_BLOCK_BYTES", size)
    assert same(images[index], expected[index])


def test_a_block_bounds_what_is_read_at_a_time(
    images: Any, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    plain = images.context.raw.read

    def spy(dataset: Any, place: Any, parts: Any, *options: Any) -> Any:
        sizes.append(prod(len(part) for part in parts))
        return plain(dataset, place, parts, *options)

    monkeypatch.setattr(images.context.raw, "read", spy)
    monkeypatch.setattr(evaluation, "_BLOCK_BYTES", 4 * 1000)
    assert same(images[...], expected)
    assert max(sizes) <= 1000
    assert sum(sizes) == expected.size


@pytest.mark.parametrize("limit", [0, 64 * 128 * 4 * 3, 1 << 30])
def test_the_cache_of_constants_keeps_to_its_bound(
    images: Any, expected: np.ndarray, limit: int
) -> None:
    images.context.constants._limit = limit
    for index in (0, 1, np.s_[:, :3], np.s_[:, ::7, 5], ...):
        assert same(images[index], expected[index])
        kept = images.context.constants._kept.values()
        assert sum(values.nbytes for values in kept) <= limit
    assert len(images.context.constants._kept) == {0: 0, 1 << 30: 2}.get(limit, 1)


def test_constants_are_read_once(
    images: Any, expected: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    images[0]

    def fail(dataset: Any, parts: Any) -> np.ndarray:
        raise AssertionError(f"{dataset.name} is read again")

    monkeypatch.setattr(constants, "read_parts", fail)
    assert same(images[1:3, 4], expected[1:3, 4])


@pytest.mark.parametrize("dtype", ["float32", ">f4", "float64", "int16", ">i2", "float16"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_constants_however_they_are_stored(
    tmp_path: Path, dtype: str, order: tuple[int, ...]
) -> None:
    random = np.random.default_rng(5)
    raw = random.integers(0, 1 << 16, (3, 8, 9), np.uint16)
    pedestal = random.uniform(100, 1000, (3, 8, 9)).astype(dtype)
    gain = random.uniform(10, 50, (3, 8, 9)).astype(dtype)
    axes = tuple(("stage", "slow", "fast")[i] for i in order)
    symbols = {
        "data": (("frame", "slow", "fast"), raw),
        "pedestal": (axes, pedestal.transpose(order)),
        "gain": (axes, gain.transpose(order)),
    }
    text = "let p = choose(data >> 14, 0, 1, -1, 2);\n((data & 0x3FFF) - pedestal[p]) / gain[p]"
    path = write(tmp_path, text, symbols, ("frame", "slow", "fast"))
    # Integers are exact until the division; reals are brought to float32 first.
    expected = naive(raw, pedestal.astype(np.float32), gain.astype(np.float32))
    images = field(path)
    for index in (..., 1, np.s_[:, 2:5, ::2], np.s_[0, 3, 4]):
        assert same(images[index], expected[index])
    images.file.close()


def test_a_double_result_uses_the_constants_as_they_are(tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    raw = random.integers(0, 1 << 14, (2, 4, 5), np.uint16)
    offset = random.normal(0, 1, (4, 5))
    symbols = {"data": (("frame", "slow", "fast"), raw), "offset": (("slow", "fast"), offset)}
    path = write(tmp_path, "data / offset", symbols, ("frame", "slow", "fast"), dtype="float64")
    images = field(path)
    assert same(images[1:], raw[1:] / offset)
    images.file.close()


def test_constants_per_frame(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    raw = random.integers(0, 1 << 14, (5, 4, 6), np.uint16)
    cell = np.array([3, 0, 1, 1, 2], np.uint8)
    monitor = random.uniform(1, 2, 5).astype(np.float32)
    offset = random.normal(100, 5, (4, 6, 4)).astype(np.float32)
    symbols = {
        "data": (("frame", "slow", "fast"), raw),
        "cell": (("frame",), cell),
        "monitor": (("frame", "."), monitor[:, None]),
        "offset": (("slow", "fast", "memory"), offset),
    }
    text = "(data - offset[memory = cell]) * monitor"
    images = field(write(tmp_path, text, symbols, ("frame", "slow", "fast")))
    dark = offset.transpose(2, 0, 1)[cell]
    expected = (raw.astype(np.float32) - dark) * monitor[:, None, None]
    for index in (..., 2, np.s_[1:4, 0], np.s_[[0, 3], :, 5], np.s_[::2]):
        assert same(images[index], expected[index])
    images.file.close()


def test_a_symbol_indexed_and_not_along_one_dimension(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(8)
    raw = random.integers(0, 1 << 14, (4, 3, 6), np.uint16)
    line = random.normal(0, 1, 6).astype(np.float32)
    neighbour = np.array([1, 2, 3, 4, 5, 0], np.uint8)
    symbols = {
        "data": (("frame", "slow", "fast"), raw),
        "line": (("fast",), line),
        "next": (("fast",), neighbour),
    }
    text = "data * line - line[fast = next]"
    images = field(write(tmp_path, text, symbols, ("frame", "slow", "fast")))
    expected = raw.astype(np.float32) * line - line[neighbour]
    for size in (1, 24, 1 << 20):
        monkeypatch.setattr(evaluation, "_BLOCK_BYTES", size)
        for index in (..., np.s_[1, :, 2], np.s_[:, 1:, 2:5:2], np.s_[0, 0, [1, 4]]):
            assert same(images[index], expected[index])
    images.file.close()


def test_a_result_with_other_dimensions_than_the_field(tmp_path: Path) -> None:
    raw = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4)
    symbols = {"data": (("frame", "slow", "fast"), raw)}
    images = field(write(tmp_path, "data / 2", symbols, ("fast", "frame", "slow")))
    expected = (raw / np.float32(2)).transpose(2, 0, 1)
    assert images.shape == (4, 2, 3)
    assert images.chunks is None
    assert same(images[1:3, 0], expected[1:3, 0])
    images.file.close()


def test_a_formula_that_does_not_use_its_field(tmp_path: Path) -> None:
    symbols = {
        "data": (("slow", "fast"), np.zeros((3, 4), np.uint16)),
        "flat": (("slow", "fast"), np.arange(12, dtype=np.float32).reshape(3, 4)),
    }
    images = field(
        write(
            tmp_path,
            "flat * 2",
            {"flat": symbols["flat"], "data": symbols["data"]},
            ("slow", "fast"),
        )
    )
    assert same(images[1:], 2 * symbols["flat"][1][1:])
    assert images.raw.dtype == np.uint16
    assert images.chunks is None
    images.file.close()


# Selections, against an h5py dataset of the same shape and values


class Pair:
    """A calibrated field, and its values as an ordinary dataset."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        random = np.random.default_rng(9)
        raw = random.integers(0, 1 << 14, (4, 6, 5), np.uint16)
        scale = random.normal(0, 1, (6, 5)).astype(np.float32)
        symbols = {"data": (("frame", "slow", "fast"), raw), "scale": (("slow", "fast"), scale)}
        path = write(folder, "data * scale", symbols, ("frame", "slow", "fast"))
        self.images = field(path)
        self.values = raw * scale
        self.file = h5py.File(folder / "plain.h5", "w")
        self.plain = self.file.create_dataset("data", data=self.values)

    def close(self) -> None:
        self.images.file.close()
        self.file.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    found = Pair(tmp_path_factory.mktemp("pair") / "files")
    yield found
    found.close()


def outcome(call: Callable[[], Any]) -> Any:
    """What a selection gives, in full; or the kind of error."""
    try:
        found = call()
    except Exception as error:
        return type(error)
    if isinstance(found, int | list):
        return found
    return type(found), content(found)


def items(length: int) -> st.SearchStrategy[Any]:
    number = st.integers(-length - 2, length + 2)
    bound = st.none() | number
    return st.one_of(
        number,
        number.map(np.int64),
        number.map(np.array),
        st.builds(slice, bound, bound, st.none() | st.integers(-1, 4)),
        st.lists(st.integers(0, length - 1), unique=True).map(sorted),
        st.lists(st.integers(0, length - 1), unique=True).map(lambda n: np.array(sorted(n), "u1")),
        st.lists(number, max_size=4),
        st.lists(st.booleans(), min_size=length, max_size=length).map(np.array),
        st.lists(st.booleans(), max_size=length + 1),
        st.integers(0, length).map(range),
    )


@st.composite
def indices(draw: st.DrawFn) -> Any:
    lengths = (4, 6, 5)
    count = draw(st.integers(0, 3))
    found = [draw(items(length)) for length in lengths[:count]]
    if draw(st.booleans()):
        found.insert(draw(st.integers(0, count)), ...)
    odd = st.sampled_from([None, 1.0, "x", b"x", True, np.True_, ..., {1}, [0.5], np.zeros((1, 1))])
    if draw(st.integers(0, 9)) == 0:
        found.insert(draw(st.integers(0, len(found))), draw(odd))
    return found[0] if len(found) == 1 and draw(st.booleans()) else tuple(found)


@given(index=indices())
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(index=(0, 0, 0))
@example(index=(0, 0, 0, ...))
@example(index=(0, 0, 0, 0))
@example(index=(slice(None, None, 0),))
@example(index=[-1])
@example(index=[1, 0])
@example(index=([0, 1], [0, 1]))
@example(index=np.array([[0, 1]]))
@example(index=(0, (1, 2)))
@example(index="x")
@example(index=None)
@example(index=np.ones((4, 6), bool))
@example(index=np.ones((4, 6, 4), bool))
@example(index=np.zeros((4, 6, 5), bool))
@example(index=(np.arange(120).reshape(4, 6, 5) % 3 == 0,))
@example(index=(0, np.ones((6, 5), bool)))
@example(index=[True, False, True, True])
@example(index=[True, False])
@example(index=([4],))
def test_any_index_is_as_in_h5py(pair: Pair, index: Any) -> None:
    found, wanted = outcome(lambda: pair.images[index]), outcome(lambda: pair.plain[index])
    listed = isinstance(index, tuple) and any(isinstance(item, list) for item in index)
    if isinstance(index, tuple) and (len(index) > 1 or listed) and isinstance(wanted, type):
        # Of several mistakes either may be told first.
        assert found in (IndexError, TypeError, ValueError)
    elif found is IndexError:
        # Where nothing is selected h5py does not look at the other items; a list that ends at the
        # length it leaves to HDF5, which refuses with an OSError.
        assert wanted in (IndexError, OSError) or 0 in wanted[1][0]
    else:
        assert found == wanted


@given(mask=st.lists(st.booleans(), min_size=120, max_size=120))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mask_of_the_whole_shape(pair: Pair, mask: list[bool]) -> None:
    whole = np.array(mask).reshape(4, 6, 5)
    assert same(pair.images[whole], pair.values[whole])
    assert same(pair.images[whole], pair.plain[whole])


@pytest.mark.parametrize("index", [(), ..., slice(None), 0, (..., 0), None, "x"], ids=repr)
def test_a_result_without_dimensions(tmp_path: Path, index: Any) -> None:
    images = field(write(tmp_path, "data / 2", {"data": ((), np.uint16(3))}, ()))
    with h5py.File(tmp_path / "plain.h5", "w") as file:
        plain = file.create_dataset("data", data=np.float32(1.5))
        assert outcome(lambda: images[index]) == outcome(lambda: plain[index])
        for call in (len, list):
            assert outcome(lambda call=call: call(images)) == outcome(lambda call=call: call(plain))
    images.file.close()


def test_a_field_without_frames(tmp_path: Path) -> None:
    symbols = {"data": (("frame", "slow", "fast"), np.zeros((0, 3, 4), np.uint16))}
    images = field(write(tmp_path, "data / 2", symbols, ("frame", "slow", "fast")))
    assert same(images[...], np.zeros((0, 3, 4), np.float32))
    assert same(images[np.zeros((0, 3, 4), bool)], np.zeros(0, np.float32))
    assert list(images) == []
    images.file.close()


# Other manners


def test_what_a_dataset_says_of_itself(images: Any, expected: np.ndarray) -> None:
    assert images.shape == images.maxshape == expected.shape
    assert images.dtype == np.float32
    assert (images.ndim, images.size, images.nbytes) == (3, expected.size, expected.nbytes)
    assert images.chunks == images.raw.chunks == (1, 64, 128)
    assert len(images) == 4
    assert images.name == FIELD
    assert images.parent.name == "/entry/instrument/detector"
    assert images.units == "keV"
    assert images.results == ("stage",)
    assert "choose(stage, 0, 1, -1, 2)" in images.formula
    for part in (FIELD, "(4, 64, 128)", "float32", "keV"):
        assert part in repr(images)
    assert repr(images.result("stage")).startswith("<result 'stage' of field")


def test_attributes_are_those_of_the_field_but_for_units(attached: Demonstration) -> None:
    with h5py.File(attached.stack, "r+") as file:
        file["data"].attrs["units"] = "ADU"
        file["data"].attrs["note"] = "dark"
    with nxformula.open(attached.master) as file:
        images = file[FIELD]
        assert dict(images.attrs) == {"units": "keV", "note": "dark"}
        assert dict(images.result("stage").attrs) == {"note": "dark"}
        assert images.raw.attrs["units"] == "ADU"
        with pytest.raises(TypeError):
            images.attrs["note"] = "other"


def test_iteration_gives_frames(images: Any, expected: np.ndarray) -> None:
    frames = list(images)
    assert len(frames) == 4
    assert all(same(frame, wanted) for frame, wanted in zip(frames, expected, strict=True))


def test_as_an_array(images: Any, expected: np.ndarray) -> None:
    assert same(np.asarray(images), expected)
    assert same(np.array(images, np.float64), expected.astype(np.float64))
    with pytest.raises(ValueError, match="always a copy"):
        np.array(images, copy=False)


def test_read_into_an_array(images: Any, expected: np.ndarray) -> None:
    out = np.zeros((64, 128), np.float32)
    images.read_into(out, 2)
    assert same(out, expected[2])
    stack = np.zeros((4, 64, 256), np.float32)
    images.read_into(stack[:, :, ::2])
    assert same(stack[:, :, ::2], expected)
    assert not stack[:, :, 1::2].any()


@pytest.mark.parametrize(
    "out", [np.zeros((64, 128)), np.zeros((64, 127), np.float32), np.zeros((1, 64, 128), ">f4")]
)
def test_read_into_refuses_what_does_not_fit(images: Any, out: np.ndarray) -> None:
    with pytest.raises(ValueError, match="the selection gives float32"):
        images.read_into(out, 2)
    assert not out.any()


@pytest.mark.parametrize(
    ("source", "target", "dtype"),
    [
        (None, None, "f4"),
        (None, None, "f8"),
        (np.s_[1], np.s_[2], "f4"),
        (np.s_[1:3], np.s_[2:4], "f4"),
        (np.s_[1:3, 0], np.s_[0, [2, 5]], "f4"),
        (np.s_[[0, 3]], np.s_[[1, 2]], "f8"),
        (np.s_[0, 0, 0], np.s_[3, 1, 2], "f4"),
        (np.s_[::2], np.s_[1::2], "f4"),
    ],
    ids=str,
)
def test_read_direct_is_as_in_h5py(pair: Pair, source: Any, target: Any, dtype: str) -> None:
    found, wanted = np.full((4, 6, 5), -1, dtype), np.full((4, 6, 5), -1, dtype)
    pair.plain.read_direct(wanted, source, target)
    pair.images.read_direct(found, source, target)
    assert (wanted != -1).any()
    assert same(found, wanted)


def test_read_direct_refuses_what_does_not_fit(pair: Pair) -> None:
    for dataset in (pair.images, pair.plain):
        with pytest.raises((TypeError, ValueError)):
            dataset.read_direct(np.zeros((4, 6, 4), np.float32))


def test_a_named_result(images: Any) -> None:
    stage = images.result("stage")
    assert stage.dtype == np.uint8
    assert stage.units is None
    assert same(stage[1:, ::5], (images.raw[:] >> 14).astype(np.uint8)[1:, ::5])
    assert same(stage.result("stage")[0], stage[0])


@pytest.mark.parametrize("name", ["plane", "data", "nothing", ""])
def test_a_result_that_is_not_offered(images: Any, name: str) -> None:
    with pytest.raises(KeyError, match="it offers stage"):
        images.result(name)


def test_reading_what_is_closed(attached: Demonstration) -> None:
    with nxformula.open(attached.master) as file:
        images = file[FIELD]
    with pytest.raises((ValueError, nxformula.FileError)):
        images[0]
