"""Errors, masks and limits of a field: as NumPy has them, and as scattered constants scatter."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.cli import main
from nxformula.errors import DimensionError, FileError, FormulaTypeError, UnitError
from nxformula.masters.demonstration import FORMULA, Demonstration, write_demonstration

SHAPE = (4, 32, 48)
#: One raw value above it: code 3 with more than 1,000 counts.
SATURATION = 0xC000 + 14000


@pytest.fixture
def run(tmp_path: Path) -> Demonstration:
    """A run with errors of its constants, a mask, and a saturation value."""
    found = write_demonstration(tmp_path, SHAPE)
    with h5py.File(found.pedestal, "r+") as file:
        file["rms"] = np.full((3, *SHAPE[1:]), 2.5, "f4")
    with h5py.File(found.gain, "r+") as file:
        file["rms"] = 0.01 * np.abs(file["gain"][...])
    with h5py.File(found.stack, "r+") as file:
        raw = file["data"][...]
        raw[1, 7, 8:12] = 2 << 14
        file["data"][...] = raw
    mask = np.zeros(SHAPE[1:], "u4")
    mask[3, 5], mask[4, 4] = 2, 1 << 20
    with h5py.File(found.master, "r+") as file:
        detector = file["/entry/instrument/detector"]
        detector["pixel_mask"] = mask
        detector["saturation_value"] = SATURATION
    return found


def attach(run: Demonstration, *symbols: str, formula: str = FORMULA, **options: Any) -> Path:
    output = run.folder / "errors.nxs"
    nxformula.attach(
        run.master,
        run.field,
        formula,
        [*run.symbols, *symbols],
        units="keV",
        results=("stage",),
        output=output,
        force=True,
        **options,
    )
    return output


def partners(run: Demonstration) -> tuple[str, ...]:
    return (
        f"pedestal_errors={run.pedestal}:/rms",
        f"gain_errors={run.gain}:/rms",
        "counts_errors=3{count}",
    )


class Truth:
    """The run in NumPy, in float64."""

    def __init__(self, run: Demonstration) -> None:
        with h5py.File(run.stack) as file:
            self.raw = file["data"][...]
        with h5py.File(run.pedestal) as file:
            pedestal = file["pedestal"][...].astype("f8")
        with h5py.File(run.gain) as file:
            gain = file["gain"][...].astype("f8")
        self.code = self.raw >> 14
        plane = np.array([0, 1, 0, 2])[self.code]
        y, x = np.mgrid[: SHAPE[1], : SHAPE[2]]
        self.pedestal, self.gain = pedestal[plane, y, x], gain[plane, y, x]
        self.counts = (self.raw & 0x3FFF).astype("f8")
        self.energy = (self.counts - self.pedestal) / self.gain
        self.energy[self.code == 2] = np.nan
        self.gain_errors = 0.01 * np.abs(self.gain)
        self.errors = np.sqrt(
            (3 / self.gain) ** 2
            + (2.5 / self.gain) ** 2
            + (self.energy / self.gain * self.gain_errors) ** 2
        )
        self.unusable = (self.raw > SATURATION) | (self.code == 2)
        self.unusable[:, 3, 5] = True


def test_errors(run: Demonstration) -> None:
    truth = Truth(run)
    with nxformula.open(attach(run, *partners(run))) as file:
        images = file[run.field]
        errors = images.errors
        assert (errors.shape, errors.dtype, errors.units) == (SHAPE, np.dtype("f4"), "keV")
        np.testing.assert_allclose(errors[...], truth.errors, rtol=1e-5)
        np.testing.assert_array_equal(np.isnan(errors[...]), truth.code == 2)
        np.testing.assert_array_equal(errors[1:3, 5, ::2], errors[...][1:3, 5, ::2])
        assert errors.errors is None
        assert images.result("stage").errors is None
        assert repr(errors).startswith("<errors of")
        again = pickle.loads(pickle.dumps(errors))
        np.testing.assert_array_equal(again[2], errors[2])


def test_errors_are_the_scatter_of_scattered_constants(run: Demonstration) -> None:
    truth, random, draws = Truth(run), np.random.default_rng(4), 4000
    with nxformula.open(attach(run, *partners(run))) as file:
        errors = file[run.field].errors[0]
    noise = lambda: random.normal(size=(draws, *SHAPE[1:]))  # noqa: E731
    counts = truth.counts[0] + 3 * noise()
    pedestal = truth.pedestal[0] + 2.5 * noise()
    gain = truth.gain[0] + truth.gain_errors[0] * noise()
    scatter = ((counts - pedestal) / gain).std(axis=0)
    valid = ~np.isnan(errors)
    # A standard deviation of n draws is known to 1/sqrt(2 n) of itself.
    np.testing.assert_allclose(errors[valid], scatter[valid], rtol=5 / np.sqrt(2 * draws))


def test_photons_that_follow_poisson(run: Demonstration) -> None:
    formula = """\
        let stage = data >> 14;
        let counts = data & 0x3FFF;
        let plane = choose(stage, 0, 1, -1, 2);
        let photons = (counts - pedestal[plane]) / gain[plane] / energy;
        let photons_errors = sqrt(max(photons, 0));
        photons
        """
    output = run.folder / "poisson.nxs"
    symbols = [*run.symbols, "energy=12.4{keV}"]
    nxformula.attach(run.master, run.field, formula, symbols, output=output)
    with nxformula.open(output) as file:
        images = file[run.field]
        values = images[...]
        np.testing.assert_allclose(images.errors[...], np.sqrt(values.clip(0)), rtol=1e-6)
    # 100 photons scatter by 10: the law, not the formula.
    drawn = np.random.default_rng(1).poisson(100, 100_000)
    assert drawn.std() == pytest.approx(10, rel=0.02)


def test_one_error_for_a_whole_table(run: Demonstration) -> None:
    truth = Truth(run)
    with nxformula.open(attach(run, "pedestal_errors=2.5{count}")) as file:
        errors = file[run.field].errors[...]
    expected = np.where(truth.code == 2, np.nan, 2.5 / np.abs(truth.gain))
    np.testing.assert_allclose(errors, expected, rtol=1e-6)


def test_no_errors(run: Demonstration) -> None:
    output = attach(run)
    with nxformula.open(output) as file:
        assert file[run.field].errors is None
    with pytest.raises(ValueError, match=r"nothing that .* is made of has errors; attach them"):
        nxformula.calibrate(output, run.folder / "no.nxs", errors=True)
    assert not (run.folder / "no.nxs").exists()


@pytest.mark.parametrize(
    ("symbol", "error", "message"),
    [
        ("pedestal_errors=2.5{keV}", UnitError, "keV"),
        ("data_errors=1{count}", FormulaTypeError, "'data' goes through '&'"),
        ("nothing_errors=1", nxformula.errors.UnknownNameError, "does not use it"),
        ("gain_errors=PEDESTAL:/rms[slow,fast,stage]", DimensionError, "slow"),
    ],
)
def test_errors_that_do_not_fit(
    symbol: str, error: type[Exception], message: str, run: Demonstration
) -> None:
    with pytest.raises(error, match=message):
        attach(run, symbol.replace("PEDESTAL", str(run.pedestal)))
    assert not (run.folder / "errors.nxs").exists()


def test_masked(run: Demonstration) -> None:
    truth = Truth(run)
    output = attach(run, *partners(run))
    with nxformula.open(output) as plain, nxformula.open(output, mask=True) as file:
        images = file[run.field]
        values = images[...]
        assert (truth.raw > SATURATION).any()
        np.testing.assert_array_equal(np.isnan(values), truth.unusable)
        assert not np.isnan(values[:, 4, 4]).all(), "an upper bit only says something of a pixel"
        usable = ~truth.unusable
        np.testing.assert_array_equal(values[usable], plain[run.field][...][usable])
        np.testing.assert_array_equal(np.isnan(images.errors[...]), truth.unusable)
        np.testing.assert_array_equal(images.result("stage")[...], truth.code)
        again = pickle.loads(pickle.dumps(images))
        np.testing.assert_array_equal(again[1], values[1])
        # The field as NXdata shows it has the same mask.
        np.testing.assert_array_equal(file["/entry/data/data"][0], values[0])


def _put(group: Any, name: str, value: Any) -> None:
    del group[name]
    group[name] = value


def _take_away(detector: Any) -> None:
    del detector["pixel_mask"], detector["saturation_value"]


def test_limits_in_calibrated_units(run: Demonstration) -> None:
    with nxformula.open(attach(run)) as file:
        images = file[run.field]
        with h5py.File(run.pedestal) as pedestal, h5py.File(run.gain) as gain:
            limits = (14000 - pedestal["pedestal"][2].astype("f8")) / gain["gain"][2]
        assert images.saturation_value == pytest.approx(limits.min(), rel=1e-6)
        assert images.underload_value is None
        group = h5py.File(file.filename)[f"{run.field}_formula"]
        assert group["saturation_value"][()] == images.saturation_value
        assert group["saturation_value"].attrs["units"] == "keV"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_take_away, "read it without a mask"),
        (lambda d: _put(d, "pixel_mask", np.zeros((3, 3), "u4")), r"has the shape \(3, 3\)"),
        (lambda d: _put(d, "pixel_mask", np.zeros(SHAPE[1:])), "expected an image of integers"),
        (lambda d: _put(d, "saturation_value", [1, 2]), "is not one number"),
    ],
)
def test_masks_that_do_not_fit(
    change: Callable[[Any], None], message: str, run: Demonstration
) -> None:
    output = attach(run)
    with h5py.File(output, "r+") as file:
        detector = file["/entry/instrument/detector"]
        change(detector)
    with (
        nxformula.open(output, mask=True) as file,
        pytest.raises((FileError, DimensionError), match=message),
    ):
        _ = file[run.field]


@pytest.mark.parametrize("dtype", ["?", "u1", "i4"])
def test_masks_of_other_types(dtype: str, run: Demonstration) -> None:
    output = attach(run)
    with h5py.File(output, "r+") as file:
        detector = file["/entry/instrument/detector"]
        del detector["saturation_value"]
        _put(detector, "pixel_mask", (np.arange(48) % 2 * np.ones((32, 1))).astype(dtype))
    with nxformula.open(output, mask=True) as file:
        values = file[run.field][...]
    assert np.isnan(values[..., 1::2]).all()
    assert not np.isnan(values[..., ::2]).all()


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]])
def test_calibrate_writes_them(workers: list[str], run: Demonstration) -> None:
    output, final = attach(run, *partners(run)), run.folder / "calibrated.nxs"
    command = ["calibrate", str(output), "--output", str(final), "--frames", "1:4", "--errors"]
    assert main([*command, "--mask", "--result", "stage", *workers]) == 0
    with h5py.File(final) as written, nxformula.open(output, mask=True) as file:
        images = file[run.field]
        detector = written["/entry/instrument/detector"]
        np.testing.assert_array_equal(detector["data"][...], images[1:])
        np.testing.assert_array_equal(detector["data_errors"][...], images.errors[1:])
        np.testing.assert_array_equal(detector["data_stage"][...], images.result("stage")[1:])
        assert detector["data_errors"].attrs["units"] == "keV"
        assert written["/entry/data/data_errors"] == detector["data_errors"]
        assert detector["saturation_value"][()] == images.saturation_value
        history = detector["data_formula/history"].asstr()[()]
        assert "saturation_value in calibrated units; unusable pixels are NaN" in history


def test_errors_of_raw_values_are_taken_away(run: Demonstration) -> None:
    output, final = attach(run), run.folder / "calibrated.nxs"
    with h5py.File(output, "r+") as file:
        file["/entry/instrument/detector/data_errors"] = np.ones(SHAPE, "f4")
    nxformula.calibrate(output, final)
    with h5py.File(final) as file:
        assert "data_errors" not in file["/entry/instrument/detector"]
        assert (
            "data_errors of the raw values removed"
            in (file[f"{run.field}_formula/history"].asstr()[()])
        )


def test_results_that_are_not_there(run: Demonstration) -> None:
    with pytest.raises(ValueError, match="no result 'mask'; it offers stage"):
        nxformula.calibrate(attach(run), run.folder / "x.nxs", results=("mask",))


def test_errors_of_integers_and_of_what_has_no_frames(run: Demonstration) -> None:
    output = run.folder / "integers.nxs"
    nxformula.attach(
        run.master,
        run.field,
        "data * 2 + shift",
        ["shift=5", "shift_errors=0.5"],
        dtype="int64",
        output=output,
    )
    with nxformula.open(output) as file:
        errors = file[run.field].errors
        assert (errors.shape, errors.dtype) == (SHAPE, np.dtype("f8"))
        assert (errors[...] == 0.5).all()
