"""Files that are moved or calibrated: links lead to the same places, and what is said is true."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.masters.demonstration import FORMULA, Demonstration

FIELD = "/entry/instrument/detector/data"
GROUP = f"{FIELD}_formula"
SHAPE = (4, 64, 128)


def whole(source: h5py.VirtualSource, layout: h5py.VirtualLayout) -> None:
    layout[...] = source


def slices(source: h5py.VirtualSource, layout: h5py.VirtualLayout) -> None:
    layout[0:2] = source[0:2]
    layout[2:4] = source[2:4]


def unlimited(source: h5py.VirtualSource, layout: h5py.VirtualLayout) -> None:
    layout[0 : h5py.h5s.UNLIMITED] = source[0 : h5py.h5s.UNLIMITED]


@pytest.mark.parametrize("mapping", [whole, slices, unlimited])
def test_virtual_datasets_move(demonstration: Demonstration, mapping: Any) -> None:
    growing = mapping is unlimited
    with h5py.File(demonstration.stack, "r+") as file:
        values = file["data"][...]
        if growing:
            del file["data"]
            file.create_dataset(
                "data", data=values, maxshape=(None, *SHAPE[1:]), chunks=(1, *SHAPE[1:])
            )
    maxshape = (None, *SHAPE[1:]) if growing else SHAPE
    layout = h5py.VirtualLayout(SHAPE, np.uint16, maxshape=maxshape)
    source = h5py.VirtualSource(
        demonstration.stack.name, "data", SHAPE, np.uint16, maxshape=maxshape
    )
    mapping(source, layout)
    with h5py.File(demonstration.master, "r+") as file:
        del file[FIELD]
        file.create_virtual_dataset(FIELD, layout)
    output = demonstration.folder / "processed" / "run.nxs"
    output.parent.mkdir()
    nxformula.attach(demonstration.master, FIELD, FORMULA, demonstration.symbols, output=output)
    with h5py.File(output) as file:
        assert np.array_equal(file[FIELD][...], values)
    with nxformula.open(output, allow=demonstration.folder) as file:
        assert np.array_equal(file[FIELD].raw[...], values)


def test_provenance_is_that_of_the_constants_used(attached: Demonstration) -> None:
    with h5py.File(attached.gain, "r+") as file:
        file["gain"][...] *= 2
        gain = file["gain"][...]
    output = attached.folder / "out.nxs"
    nxformula.calibrate(attached.master, output)
    with h5py.File(attached.master) as before, h5py.File(output) as after:
        old, new = before[GROUP], after[GROUP]
        assert new.attrs["pedestal_checksum"] == old.attrs["pedestal_checksum"]
        assert new.attrs["gain_checksum"] != old.attrs["gain_checksum"]
        digest = hashlib.sha256(b"float32[3,64,128]\n" + gain.astype("<f4").tobytes())
        assert new.attrs["gain_checksum"] == f"sha256:{digest.hexdigest()}"
        history = new["history"][()].decode()
        assert "values changed since the formula was attached: gain" in history
        description = new["description"][()].decode()
        assert description.startswith("'data' holds calibrated values.")
        assert "were computed from the raw ones" in description
        assert "holds raw values" not in description


def test_nothing_of_the_raw_values_is_left_where_it_would_mislead(
    demonstration: Demonstration,
) -> None:
    with h5py.File(demonstration.stack, "r+") as file:
        file["frames"] = np.arange(SHAPE[0])
        file["frames"].make_scale()
        file["data"].dims[0].attach_scale(file["frames"])
        file["data"].attrs["units"] = "count"
        file["data"].attrs["long_name"] = "raw"
    with h5py.File(demonstration.master, "r+") as file:
        for place in ("entry/instrument/detector", "entry/data"):
            file[place]["data_offset"] = 3.0
    nxformula.attach(demonstration.master, FIELD, FORMULA, demonstration.symbols, in_place=True)
    output = demonstration.folder / "out.nxs"
    nxformula.calibrate(demonstration.master, output)
    with h5py.File(output) as file:
        field = file[FIELD]
        assert "units" not in field.attrs
        assert field.attrs["long_name"] == "raw"
        assert [len(dimension) for dimension in field.dims] == [0, 0, 0]
        assert "data_offset" not in file["entry/instrument/detector"]
        assert "data_offset" not in file["entry/data"]
        assert file[f"{GROUP}/history"][()].decode().count("data_offset") == 2


@pytest.mark.parametrize("frames", [slice(100, 200), slice(2, 2), slice(3, 1)])
def test_no_frames_are_no_file(attached: Demonstration, frames: slice) -> None:
    output = attached.folder / "out.nxs"
    with pytest.raises(ValueError, match="none of the 4"):
        nxformula.calibrate(attached.master, output, frames=frames)
    assert not output.exists()


@pytest.mark.parametrize("shape", [(), (5,), (5, 6)])
def test_fields_without_frames(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path, output = tmp_path / "run.nxs", tmp_path / "out.nxs"
    with h5py.File(path, "w") as file:
        file["entry/value"] = np.full(shape, 7, np.uint16)
    axes = ("slow", "fast")[: len(shape)]
    source = nxformula.SymbolSource(axes=axes)
    nxformula.attach(path, "/entry/value", "value / 2", {"value": source}, axes=axes, in_place=True)
    with pytest.raises(ValueError, match="no frames to choose from"):
        nxformula.calibrate(path, output, frames=slice(0, 1))
    nxformula.calibrate(path, output)
    with h5py.File(output) as file:
        assert np.array_equal(file["entry/value"][()], np.full(shape, 3.5))
