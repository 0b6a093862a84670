"""`nxformula stats`: counts and moments of calibrated frames, as NumPy has them of all at once."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nxformula
from nxformula.cli import main
from nxformula.masters.demonstration import Demonstration
from nxformula.nexus import statistics
from nxformula.nexus.statistics import Region, Summary, summarize


@given(st.lists(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=9), max_size=6))
def test_moments_of_blocks_are_those_of_all(blocks: list[list[float]]) -> None:
    summary = Summary("x")
    for block in blocks:
        summary.add(np.array(block, "f8"))
    every = np.array([value for block in blocks for value in block])
    valid = every[~np.isnan(every)]
    assert (summary.values, summary.invalid) == (every.size, every.size - valid.size)
    if valid.size:
        np.testing.assert_allclose(summary.mean, valid.mean(), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(summary.sigma, valid.std(), rtol=1e-6, atol=1e-6)
    else:
        assert np.isnan(summary.mean)


@pytest.mark.parametrize("frames", [slice(None), slice(1, 4), slice(0, 8, 3)])
@pytest.mark.parametrize("block", [1, 1 << 30])
def test_regions(
    frames: slice, block: int, attached: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "_BLOCK_BYTES", block)
    box = (slice(10, 30), slice(5, None))
    with nxformula.open(attached.master) as file:
        images = file[attached.field]
        values, stage = images[frames], images.result("stage")[frames]
        found = summarize(images, frames, [Region("part", box)])
    for summary, place in zip(found, (box, (slice(None), slice(None))), strict=True):
        part, stages = values[(slice(None), *place)], stage[(slice(None), *place)]
        assert (summary.values, summary.invalid) == (part.size, int(np.isnan(part).sum()))
        np.testing.assert_allclose(summary.mean, np.nanmean(part.astype("f8")), rtol=1e-9)
        np.testing.assert_allclose(summary.sigma, np.nanstd(part.astype("f8")), rtol=1e-9)
        numbers, counts = np.unique(stages, return_counts=True)
        assert summary.results["stage"] == dict(zip(numbers.tolist(), counts.tolist(), strict=True))
    assert [summary.name for summary in found] == ["part", "all"]


def test_the_command(attached: Demonstration, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats", str(attached.master), "--json", "--frames", "0:2"]) == 0
    document = json.loads(capsys.readouterr().out)
    (summary,) = document["regions"]
    assert document["units"] == "keV"
    assert summary["name"] == "all"
    assert sum(summary["results"]["stage"].values()) == summary["values"]
    assert main(["stats", str(attached.master)]) == 0
    header, titles, line = capsys.readouterr().out.splitlines()
    assert header == "/entry/instrument/detector/data in keV"
    assert titles.split()[:3] == ["values", "stage", "0"]
    assert line.startswith("all ")


def test_modules_have_lines_of_their_own(
    valid_stills: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", str(valid_stills), "--json"]) == 0
    regions = json.loads(capsys.readouterr().out)["regions"]
    assert [region["name"] for region in regions] == [
        *("ARRAY_D0Q0M0", "ARRAY_D0Q0M1", "ARRAY_D0Q1M0", "ARRAY_D0Q1M1"),
        "all",
    ]
    assert sum(region["values"] for region in regions[:-1]) == regions[-1]["values"]
    with nxformula.open(valid_stills) as file:
        images = file["/entry/instrument/detector/data"][...].astype("f8")
    np.testing.assert_allclose(regions[1]["mean"], np.nanmean(images[:, :48, 32:]), rtol=1e-9)


@pytest.fixture
def valid_stills(tmp_path: Path) -> Path:
    """A detector of four modules of 48 x 32, two by two."""
    path = tmp_path / "run.nxs"
    random = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector["data"] = random.integers(0, 1000, (3, 96, 64)).astype("u2")
        for row in (0, 1):
            for column in (0, 1):
                module = detector.create_group(f"ARRAY_D0Q{row}M{column}")
                module.attrs["NX_class"] = "NXdetector_module"
                module["data_origin"] = np.array([48 * row, 32 * column])
                module["data_size"] = np.array([48, 32])
    nxformula.attach(path, "/entry/instrument/detector/data", "data * 2.0", [], in_place=True)
    return path


def test_what_has_no_frames(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        file["entry/x"] = np.arange(4)
    assert main(["stats", str(path), "/entry/x"]) == 2
    assert "/entry/x" in capsys.readouterr().err


@pytest.mark.parametrize("frames", ["5:2", "90:99"])
def test_frames_that_are_not_there(
    frames: str, attached: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", str(attached.master), "--frames", frames]) == 2
    told = capsys.readouterr()
    assert "no frame is chosen: /entry/instrument/detector/data has" in told.err
    assert told.out == ""


def test_what_the_detector_says(
    attached: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File(attached.stack) as file:
        raw = file["data"][...]
    mask = np.zeros(raw.shape[1:], "u4")
    mask[2:5, 3], mask[0] = 2, 1 << 20
    with h5py.File(attached.master, "r+") as file:
        file["/entry/instrument/detector/pixel_mask"] = mask
        file["/entry/instrument/detector/saturation_value"] = 60000
    assert main(["stats", str(attached.master), "--json"]) == 0
    (summary,) = json.loads(capsys.readouterr().out)["regions"]
    assert summary["masked"] == 3 * len(raw)
    assert summary["saturated"] == int((raw > 60000).sum()) > 0
    assert main(["stats", str(attached.master)]) == 0
    assert "masked" in capsys.readouterr().out.splitlines()[1]


def test_memory_cells_that_are_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = tmp_path / "raw.nxs", tmp_path / "out.nxs"
    cells = np.array([0, 3, 3, 9, 1], "u2")
    with h5py.File(path, "w") as file:
        file["data"] = np.arange(5 * 4 * 6, dtype="u2").reshape(5, 4, 6)
        file["cell_id"] = cells
        file["offset"] = np.ones((5, 4, 6), "f4")
    symbols = ["cell_id=/cell_id[frame]", "offset=/offset[cell,slow,fast]"]
    nxformula.attach(path, "/data", "data - offset[cell_id]", symbols, output=output)
    assert main(["stats", str(output)]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == (
        "cell_id: 3 of 5 places along cell are used, 2 are not; 1 frames ask for others"
    )
    assert main(["stats", str(output), "--frames", "0:3", "--json"]) == 0
    (places,) = json.loads(capsys.readouterr().out)["places"]
    expected = {"symbol": "cell_id", "axis": "cell", "length": 5, "used": 2, "outside": 0}
    assert places == expected
