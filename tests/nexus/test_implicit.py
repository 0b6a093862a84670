"""Offset and scaling factor beside a field are its formula, as NXdata says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.cli import main
from nxformula.errors import DimensionError, NoFormulaError

RAW = np.random.default_rng(3).integers(0, 1000, (3, 4, 5)).astype("u2")


def write(path: Path, dtype: str = "u2", nx_class: str = "NXdata", **parts: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        data = entry.create_group("data")
        data.attrs.update({"NX_class": nx_class, "signal": "data"})
        data["data"] = RAW.astype(dtype)
        data["data"].attrs["units"] = "keV"
        for name, value in parts.items():
            data[f"data_{name}"] = value
    return path


@pytest.mark.parametrize("dtype", ["u2", "i4", "f4", "f8"])
@pytest.mark.parametrize(
    ("offset", "factor"),
    [
        (2.0, 0.5),
        (-3, [0.25]),
        (np.arange(20.0).reshape(4, 5), 0.5),
        (np.arange(3.0).reshape(3, 1), np.array([1.0, 2, 4])),
        (np.arange(60.0).reshape(3, 4, 5), np.ones((1, 1, 1)) * 3),
        (None, 0.5),
        (7, None),
    ],
)
def test_offset_first_then_factor(dtype: str, offset: Any, factor: Any, tmp_path: Path) -> None:
    parts = {"offset": offset, "scaling_factor": factor}
    parts = {name: value for name, value in parts.items() if value is not None}
    path = write(tmp_path / "x.nxs", dtype, **parts)

    def shaped(value: Any) -> Any:
        found = np.asarray(value, "f8")
        return found.reshape(3, 1, 1) if found.size == 3 else found

    expected = RAW + shaped(0 if offset is None else offset)
    expected = expected * shaped(1 if factor is None else factor)
    with nxformula.open(path) as file:
        images = file["/entry/data/data"]
        assert images.dtype == ("f4" if dtype in ("u2", "f4") else "f8")
        assert images.units == "keV"
        np.testing.assert_allclose(images[...], expected, rtol=1e-6)
        np.testing.assert_array_equal(images[1, 2:], images[...][1, 2:])
        np.testing.assert_array_equal(images.raw[...], RAW)
        assert [each.name for each in file.formulas()] == ["/entry/data/data"]


def test_calibrate_applies_it_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "x.nxs", offset=2.0, scaling_factor=0.5)
    output = tmp_path / "y.nxs"
    assert main(["show", str(path)]) == 0
    assert "(data + data_offset) * data_scaling_factor" in capsys.readouterr().out
    assert main(["calibrate", str(path), "--output", str(output)]) == 0
    with h5py.File(output) as file:
        data = file["/entry/data"]
        np.testing.assert_array_equal(data["data"][...], (RAW + 2.0) * 0.5)
        assert set(data) == {"data", "data_formula"}
        assert data["data_formula/data_scaling_factor"][()] == 0.5
        assert data["data_formula/applied"][()]
        assert (
            "data_scaling_factor of the raw values removed"
            in (data["data_formula/history"].asstr()[()])
        )
    with nxformula.open(output) as file:
        assert isinstance(file["/entry/data/data"], h5py.Dataset)
    assert main(["validate", str(output), "--select", "NXMX-FRM"]) == 0


def test_a_formula_alone_applies(tmp_path: Path) -> None:
    path = write(tmp_path / "x.nxs", offset=2.0, scaling_factor=0.5)
    output = tmp_path / "y.nxs"
    nxformula.attach(path, "/entry/data/data", "3 * data", output=output)
    with nxformula.open(output) as file:
        np.testing.assert_array_equal(file["/entry/data/data"][...], 3 * RAW)
        assert len(list(file.formulas())) == 1


def test_what_is_no_such_formula(tmp_path: Path) -> None:
    path = write(tmp_path / "x.nxs", nx_class="NXcollection", scaling_factor=2.0)
    with h5py.File(path, "r+") as file:
        detector = file["/entry"].create_group("detector")
        detector.attrs["NX_class"] = "NXdetector"
        detector["module_offset"] = 1.0
        detector.create_group("module")
        detector["name"] = "a"
        detector["name_offset"] = 1.0
    with nxformula.open(path) as file:
        assert isinstance(file["/entry/data/data"], h5py.Dataset)
        assert isinstance(file["/entry/detector/name"], h5py.Dataset)
        with pytest.raises(NoFormulaError):
            file.only_formula()


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 1), (3, 4)])
def test_shapes_that_do_not_fit(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = write(tmp_path / "x.nxs", scaling_factor=np.ones(shape))
    with (
        nxformula.open(path) as file,
        pytest.raises(DimensionError, match="expected a number, an image, or one value for each"),
    ):
        _ = file["/entry/data/data"]
