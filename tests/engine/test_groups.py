"""Grouped reductions against plain NumPy, group by group, and the common mode of real detectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nxformula
from nxformula import Symbol

pytestmark = pytest.mark.usefixtures("backend")
AXES = ("frame", "slow", "fast")
NAMES = ("median", "mean", "sum", "min", "max", "count", "std")


def in_order(values: np.ndarray) -> np.float64:
    """A sum in binary64, one element after the other."""
    total = np.float64(0)
    for value in values:
        total += np.float64(value)
    return total


def mean(values: np.ndarray) -> Any:
    return in_order(values) / np.float64(values.size)


def std(values: np.ndarray) -> Any:
    apart = values.astype(np.float64) - mean(values)
    return np.sqrt(in_order(apart * apart) / np.float64(values.size))


EXPECTED: dict[str, Callable[[np.ndarray], Any]] = {
    "median": lambda values: np.median(values.astype(np.float64)),
    "mean": mean,
    "sum": in_order,
    "min": np.min,
    "max": np.max,
    "count": lambda values: values.size,
    "std": std,
}


def expected(name: str, values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The reduction of the last dimensions, those of the labels."""
    found = np.full(values.shape, np.nan, values.dtype)
    for at in np.ndindex(values.shape[: values.ndim - labels.ndim]):
        for label in np.unique(labels[labels >= 0]):
            inside = labels == label
            own = values[at][inside]
            own = own[~np.isnan(own)]
            empty = {"sum": 0.0, "count": 0.0}.get(name, np.nan)
            found[at][inside] = EXPECTED[name](own) if own.size else empty
    return found


def bits(values: np.ndarray) -> bytes:
    values = np.array(values)
    values[np.isnan(values)] = np.nan
    return (values + 0.0).tobytes()


def evaluate(formula: str, dtype: str, **symbols: tuple[tuple[str, ...], Any]) -> np.ndarray:
    return nxformula.evaluate(formula, symbols, axes=AXES, dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_reductions(name: str, dtype: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 7, 3))
    values = random.normal(0, 10.0 ** random.integers(-3, 6), shape).astype(dtype)
    values[random.random(shape) < random.choice([0, 0.1, 0.9])] = np.nan
    labels = random.integers(-2, random.integers(1, 6), shape[1:], np.int16)
    found = evaluate(
        f"group_{name}(data, part)", dtype, data=(AXES, values), part=(AXES[1:], labels)
    )
    assert bits(found) == bits(expected(name, values, labels))


@pytest.mark.parametrize(
    ("q", "wanted"),
    [("0", 1.0), ("0.24", 1.0), ("0.25", 2.0), ("0.5", 3.0), ("0.99", 4.0), ("1", 5.0)],
)
def test_quantiles_take_the_lower_value(q: str, wanted: float) -> None:
    values = np.array([[[5, 3, np.nan, 1, 4, 2]]], np.float32)
    found = evaluate(
        f"group_quantile(data, part, {q})",
        "float32",
        data=(AXES, values),
        part=(("fast",), np.zeros(6, np.uint8)),
    )
    assert found.tolist() == [[[wanted] * 6]]


def test_other_dimensions_are_kept_apart() -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    found = evaluate(
        "group_sum(data, part)", "float64", data=(AXES, values), part=(("slow",), [0, 1, 0])
    )
    pairs = values[:, 0] + values[:, 2]
    assert found.tolist() == np.stack([pairs, values[:, 1], pairs], axis=1).tolist()


def test_labels_of_one_value_still_group() -> None:
    """A label that can only be 0 is a constant to the compiler, but a map to the language."""
    values = np.arange(24.0).reshape(2, 3, 4)
    found = evaluate(
        "group_sum(data, part >> 8)",
        "float64",
        data=(AXES, values),
        part=(AXES[1:], np.arange(12, dtype=np.uint8).reshape(3, 4)),
    )
    assert found[:, 0, 0].tolist() == values.sum(axis=(1, 2)).tolist()


def test_values_without_a_dimension_of_the_labels_count_at_every_place() -> None:
    found = evaluate(
        "group_sum(monitor, part) + 0 * data",
        "float64",
        data=(AXES, np.zeros((2, 3, 4))),
        monitor=(("frame",), [1.0, 10.0]),
        part=(AXES[1:], np.arange(12).reshape(3, 4) // 6),
    )
    assert np.unique(found[0]).tolist() == [6.0]
    assert np.unique(found[1]).tolist() == [60.0]


def test_reductions_of_reductions() -> None:
    values = np.random.default_rng(1).normal(size=(2, 4, 6))
    rows = np.broadcast_to(np.arange(4)[:, np.newaxis], (4, 6))
    found = evaluate(
        "let flat = data - group_mean(data, row); flat - group_mean(flat, position(fast))",
        "float64",
        data=(AXES, values),
        row=(AXES[1:], rows),
    )
    flat = values - values.mean(axis=2, keepdims=True)
    assert np.allclose(found, flat - flat.mean(axis=2, keepdims=True) * 0 - flat)
    # Positions along `fast` are labels of one element each in every row.
    assert np.allclose(found, 0)


COMMON_MODE = """
let signal = data - pedestal;
let quiet  = where(mask == 0 and abs(signal) < 30, signal, nan);
let common = where(group_count(quiet, asic_row) >= 4, group_median(quiet, asic_row), 0);
signal - common
"""


def common_mode(raw: np.ndarray, pedestal: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Median of each row of each 8-pixel-wide ASIC over unmasked pixels with low signal."""
    signal = raw.astype(np.float32) - pedestal
    corrected = signal.copy()
    for frame in range(raw.shape[0]):
        for row in range(raw.shape[1]):
            for start in range(0, raw.shape[2], 8):
                part = np.s_[frame, row, start : start + 8]
                good = (mask[row, start : start + 8] == 0) & (abs(signal[part]) < 30)
                if good.sum() >= 4:
                    middle = np.median(signal[part][good].astype(np.float64))
                    corrected[part] = signal[part] - np.float32(middle)
    return corrected


@pytest.fixture
def epix(tmp_path: Path) -> Path:
    random = np.random.default_rng(10)
    raw = random.normal(1000, 5, (6, 16, 24)) + random.normal(0, 20, (6, 16, 1))
    raw += (random.random(raw.shape) < 0.1) * 200
    path = tmp_path / "epix.nxs"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/detector")
        group["data"] = raw.astype(np.uint16)
        group["pedestal"] = random.normal(1000, 2, raw.shape[1:]).astype(np.float32)
        group["mask"] = (random.random(raw.shape[1:]) < 0.05).astype(np.uint8)
        group["asic_row"] = np.arange(16)[:, None] * 3 + np.arange(24)[None] // 8
    axes = nxformula.SymbolSource(axes=("slow", "fast"))
    symbols = dict.fromkeys(("pedestal", "mask", "asic_row"), axes)
    nxformula.attach(
        path, "/entry/detector/data", COMMON_MODE, symbols, results=("common",), in_place=True
    )
    return path


def test_common_mode_of_a_file(epix: Path) -> None:
    with h5py.File(epix) as file:
        group = file["entry/detector"]
        wanted = common_mode(group["data"][:], group["pedestal"][:], group["mask"][:])
    with nxformula.open(epix) as file:
        assert file["entry/detector/data"][...].tobytes() == wanted.tobytes()


@pytest.mark.parametrize(
    "part",
    [
        np.s_[3],
        np.s_[:, 5],
        np.s_[..., 7],
        np.s_[1:4, 3:9, ::5],
        np.s_[-1, [0, 3, 11], 4],
        np.s_[2:2],
    ],
)
def test_slices_are_the_same_bits(epix: Path, part: Any) -> None:
    with nxformula.open(epix) as file:
        for images in (file["entry/detector/data"], file["entry/detector/data"].result("common")):
            assert images[part].tobytes() == images[...][part].tobytes()


def test_positions_of_a_slice_are_those_of_the_dataset(tmp_path: Path) -> None:
    path = tmp_path / "run.nxs"
    with h5py.File(path, "w") as file:
        file["entry/data"] = np.zeros((4, 6, 8), np.uint16)
    formula = "data + position(frame) * 100 + position(slow) * 10 + position(fast)"
    nxformula.attach(path, "/entry/data", formula, dtype="int32", in_place=True)
    wanted = np.add.outer(np.add.outer(np.arange(4) * 100, np.arange(6) * 10), np.arange(8))
    with nxformula.open(path) as file:
        images = file["entry/data"]
        for part in (np.s_[2], np.s_[1:, 3:5, ::3], np.s_[3, [1, 4], 7], np.s_[...]):
            assert np.array_equal(images[part], wanted[part])


def test_memory_is_taken_for_a_block_of_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of all frames needs each whole frame, but not all at once."""
    from nxformula.nexus import evaluation, raw

    monkeypatch.setattr(evaluation, "_BLOCK_BYTES", 16 * 4)
    path = tmp_path / "run.nxs"
    with h5py.File(path, "w") as file:
        file["entry/data"] = np.arange(5 * 16 * 24, dtype=np.uint16).reshape(5, 16, 24)
    nxformula.attach(path, "/entry/data", "data - group_mean(data, position(slow))", in_place=True)
    shapes = []
    read = raw.read_parts

    def noted(dataset: Any, parts: Any) -> Any:
        shapes.append(tuple(len(part) for part in parts))
        return read(dataset, parts)

    monkeypatch.setattr(raw, "read_parts", noted)
    with nxformula.open(path) as file:
        assert file["entry/data"][:, 3, 4].tolist() == [0.0] * 5
    assert set(shapes) == {(1, 16, 1)}


def test_blocks_of_frames_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from nxformula.engine import groups

    random = np.random.default_rng(3)
    arrays = {
        "data": random.integers(0, 1000, (7, 8, 9), np.uint16),
        "part": random.integers(-1, 5, (8, 9), np.int32),
    }
    symbols = {
        "data": Symbol("uint16", AXES, (7, 8, 9)),
        "part": Symbol("int32", AXES[1:], (8, 9)),
    }
    formula = "data - group_mean(data, part) + position(frame)"
    kernel = nxformula.compile(formula, symbols, axes=AXES)
    whole = kernel(arrays)
    monkeypatch.setattr(groups, "_BLOCK", 144)
    assert bits(kernel(arrays)) == bits(whole)
    assert kernel.whole == {"slow", "fast"}


def test_frames_that_are_looked_up_are_not_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from nxformula.engine import groups

    random = np.random.default_rng(4)
    arrays = {
        "data": random.integers(0, 1000, (7, 8, 9), np.uint16),
        "part": random.integers(-1, 5, (8, 9), np.int32),
        "shift": np.arange(7.0),
        "reference": np.array([3, 0, 6, 2, 9, 5, 1], np.uint8),
    }
    symbols = {
        "data": Symbol("uint16", AXES, (7, 8, 9)),
        "part": Symbol("int32", AXES[1:], (8, 9)),
        "shift": Symbol("float64", AXES[:1], (7,)),
        "reference": Symbol("uint8", AXES[:1], (7,)),
    }
    formula = "data - group_mean(data, part) + shift[frame = reference]"
    kernel = nxformula.compile(formula, symbols, axes=AXES)
    whole = kernel(arrays)
    monkeypatch.setattr(groups, "_BLOCK", 144)
    assert bits(kernel(arrays)) == bits(whole)
    assert np.isnan(whole[4]).all()
    assert not np.isnan(whole[6]).all()


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8"])
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_labels_of_any_integers(dtype: str, data: st.DataObject) -> None:
    limits = np.iinfo(dtype)
    spread = st.integers(int(limits.min), int(limits.max))
    near = st.integers(max(-3, int(limits.min)), 5)
    one = data.draw(st.sampled_from([spread, near, st.just(int(limits.min))]))
    labels = np.array(data.draw(st.lists(one, min_size=1, max_size=40)), dtype)
    values = np.arange(2 * labels.size, dtype="f4").reshape(2, -1) ** 1.5
    formula = "group_sum(data, labels)"
    found = nxformula.evaluate(
        formula,
        {"data": (("slow", "fast"), values), "labels": (("fast",), labels)},
        axes=("slow", "fast"),
    )
    np.testing.assert_array_equal(found, expected("sum", values, labels))
