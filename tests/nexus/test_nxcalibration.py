"""NXcalibration as a formula: stated, or described for people and asked about."""

from __future__ import annotations

import io
from pathlib import Path

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.cli import main
from nxformula.nexus.nxcalibration import proposal_of

FIELD = "/entry/data/energy"
GROUP = "/entry/calibration"
CHANNELS = np.array([1, 2, 4, 8, 16], "i4")


def spectrum(folder: Path) -> Path:
    """A file with an axis and an NXcalibration of it that says nothing yet."""
    path = folder / "spectrum.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("data")
        data.attrs["NX_class"] = "NXdata"
        data["energy"] = CHANNELS
        group = entry.create_group("calibration")
        group.attrs["NX_class"] = "NXcalibration"
        for name in ("calibration_parameters", "fit_formula_inputs"):
            group.create_group(name).attrs["NX_class"] = "NXparameters"
        group["original_axis"] = h5py.SoftLink(FIELD)
    return path


def put(path: Path, members: dict[str, object]) -> None:
    with h5py.File(path, "r+") as file:
        for name, value in members.items():
            file[f"{GROUP}/{name}"] = value


def attach(path: Path, *options: str) -> int:
    command = ["attach", str(path), "--field", FIELD, "--from-nxcalibration", GROUP]
    return main([*command, "--output", str(path.with_name("out.nxs")), "--force", *options])


def calibrated(path: Path) -> np.ndarray:
    with nxformula.open(path.with_name("out.nxs")) as file:
        found: np.ndarray = file[FIELD][...]
    return found


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"offset": 4.0, "scaling_factor": 2.5}, (CHANNELS + 4.0) * 2.5),
        ({"offset": np.array([4.0])}, CHANNELS + 4.0),
        ({"scaling_factor": np.float32(0.5)}, CHANNELS * 0.5),
        ({"scaling_factor": np.arange(5.0)}, CHANNELS * np.arange(5.0)),
    ],
)
def test_offset_and_factor_need_no_question(
    members: dict[str, object], expected: np.ndarray, tmp_path: Path
) -> None:
    path = spectrum(tmp_path)
    put(path, {f"calibration_parameters/{name}": value for name, value in members.items()})
    assert attach(path) == 0
    found = calibrated(path)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


def test_a_mapping(tmp_path: Path) -> None:
    path = spectrum(tmp_path)
    put(path, {"mapping_energy": np.linspace(1, 2, 5)})
    assert attach(path) == 0
    np.testing.assert_array_equal(calibrated(path), CHANNELS * np.linspace(1, 2, 5))


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("a0 + a1*x + a2*x^2", "a0 + a1*energy + a2*energy**2"),
        ("y = a0 + a1*x", "a0 + a1*energy"),
        ("f(x) = a0 + a1*x", "a0 + a1*energy"),
        ("a0 * np.sqrt(x) - numpy.arcsin(a1)", "a0 * sqrt(energy) - asin(a1)"),
        (
            "a0 * ln(x)\N{MINUS SIGN}a1\N{MIDDLE DOT}x\N{SUPERSCRIPT TWO}",
            "a0 * log(energy)-a1*energy**2",
        ),
        ("(x - x0) * a1", "(energy - energy_points[point = 0]) * a1"),
        ("x * current / current3", "energy * current / current_points[point = 3]"),
        ("tof10 + 0*x", "tof10 + 0*energy"),
    ],
)
def test_descriptions_are_converted(text: str, formula: str, tmp_path: Path) -> None:
    path = spectrum(tmp_path)
    put(path, {"fit_formula_description": text, "calibration_parameters/a0": 1.0})
    put(path, {f"calibration_parameters/a{k}": 0.5 for k in (1, 2)})
    put(path, {"fit_formula_inputs/current": np.arange(1.0, 6.0)})
    put(path, {"fit_formula_inputs/tof10": 3.0})
    found = proposal_of(path, FIELD, GROUP)
    assert (found.formula, found.description) == (formula, text)


def test_a_description_is_shown_and_attached_if_agreed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spectrum(tmp_path)
    put(path, {"fit_formula_description": "a0 + a1*e^2 - e4 + current0"})
    put(path, {"calibration_parameters/a0": 10.0, "calibration_parameters/a1": 0.25})
    put(path, {"fit_formula_inputs/current": np.array([100.0, 200.0])})
    with h5py.File(path, "r+") as file:
        file[GROUP].move("original_axis", "old")
        file[f"{GROUP}/original_axis"] = CHANNELS
        file[f"{GROUP}/original_axis"].attrs["symbol"] = "e"
        file[f"{GROUP}/calibrated_axis"] = np.zeros(5)
        file[f"{GROUP}/calibrated_axis"].attrs["units"] = "eV"
    answer(monkeypatch, "n\n")
    assert attach(path) == 1
    said = capsys.readouterr().out
    for line in (
        f"{GROUP} describes 'a0 + a1*e^2 - e4 + current0'\n",
        "  a0 + a1*energy**2 - energy_points[point = 4] + current_points[point = 0]\n",
        "  energy[channel]\n",
        f"  a1={GROUP}/calibration_parameters/a1\n",
        f"  current_points={GROUP}/fit_formula_inputs/current[point]\n",
        "[y/N] nothing is written; --formula attaches another\n",
    ):
        assert line in said
    assert not path.with_name("out.nxs").exists()
    answer(monkeypatch, "")
    assert attach(path) == 1, "the end of a pipe is no agreement"
    answer(monkeypatch, "y\n")
    options = ["--symbol", f"a0={GROUP}/calibration_parameters/a0{{s}}"]
    assert attach(path) == 0
    np.testing.assert_allclose(calibrated(path), 10 + 0.25 * CHANNELS**2.0 - 16 + 100)
    answer(monkeypatch, "y\n")
    assert attach(path, *options) == 1, "units do not fit"
    assert "unit error" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        ({}, 2, "has neither offset and scaling_factor, nor a mapping or a description"),
        ({"fit_formula_description": "the mean of 5 runs"}, 1, "syntax error"),
        ({"fit_formula_description": "the mean of 5 runs"}, 1, "description 'the mean of 5 runs'"),
        (
            {"original_axis": np.arange(4)},
            2,
            "with the shape (4,), and /entry/data/energy has (5,)",
        ),
        (
            {"calibration_parameters/offset": np.arange(4.0)},
            1,
            "'offset' has length 4 along 'channel', 'energy' has 5",
        ),
        ({"fit_formula_description": "b0 * x"}, 1, "'b0' is neither given"),
    ],
)
def test_calibrations_that_do_not_fit(
    members: dict[str, object],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = spectrum(tmp_path)
    with h5py.File(path, "r+") as file:
        if "original_axis" in members:
            del file[f"{GROUP}/original_axis"]
    put(path, members)
    answer(monkeypatch, "y\n")
    assert attach(path) == code
    assert message in capsys.readouterr().err
    assert not path.with_name("out.nxs").exists()


@pytest.mark.parametrize("group", ["/entry/none", "/entry/data"])
def test_groups_that_are_none(
    group: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = spectrum(tmp_path)
    command = ["attach", str(path), "--field", FIELD, "--in-place"]
    assert main([*command, "--from-nxcalibration", group]) == 2
    assert f"{group} in {path}" in capsys.readouterr().err


def test_parameters_in_another_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Links are followed as everywhere: below the folder of the master only."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        with h5py.File(folder / "parameters.h5", "w") as file:
            file["p/offset"] = 4.0
    path = spectrum(inside)
    with h5py.File(path, "r+") as file:
        del file[f"{GROUP}/calibration_parameters"]
        file[f"{GROUP}/calibration_parameters"] = h5py.ExternalLink("parameters.h5", "/p")
    assert attach(path) == 0
    np.testing.assert_array_equal(calibrated(path), CHANNELS + 4.0)
    with h5py.File(path, "r+") as file:
        del file[f"{GROUP}/calibration_parameters"]
        file[f"{GROUP}/calibration_parameters"] = h5py.ExternalLink(
            "../outside/parameters.h5", "/p"
        )
    assert attach(path) == 2
    assert "outside" in capsys.readouterr().err
