"""What `attach` writes, read with h5py alone; and that a failure leaves everything as it was."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.errors import DimensionError, FileError, UnknownNameError
from nxformula.masters.demonstration import FORMULA, Demonstration
from nxformula.nexus import attach as attach_module

GROUP = "/entry/instrument/detector/data_formula"


def attach(demo: Demonstration, **options: Any) -> Any:
    """Attach the demonstration's formula, in place unless told otherwise."""
    given = {"units": "keV", "results": ("stage",), **options}
    if "output" not in given:
        given["in_place"] = True
    symbols = given.pop("symbols", demo.symbols)
    formula = given.pop("formula", FORMULA)
    return nxformula.attach(demo.master, demo.field, formula, symbols, **given)


def sha256(values: np.ndarray, dtype: str) -> str:
    """The checksum: over dtype, shape and little-endian values in C order."""
    little = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    digest = hashlib.sha256(f"{dtype}[{','.join(map(str, values.shape))}]\n".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()


def state(folder: Path) -> dict[str, bytes]:
    """The names and bytes of all files."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_group_as_others_see_it(demonstration: Demonstration) -> None:
    attach(demonstration)
    with h5py.File(demonstration.master) as file:
        group = file[GROUP]
        attributes = dict(group.attrs)
        assert attributes.pop("NX_class") == "NXcollection"
        assert attributes.pop("formula") == FORMULA
        assert attributes.pop("formula_language") == "nxformula-1"
        assert attributes.pop("formula_dtype") == "float32"
        assert attributes.pop("formula_units") == "keV"
        assert list(attributes.pop("formula_axes")) == ["frame", "slow", "fast"]
        assert list(attributes.pop("formula_results")) == ["stage"]
        assert attributes.pop("target") == GROUP
        for name, axes in {
            "data": ["frame", "slow", "fast"],
            "pedestal": ["stage", "slow", "fast"],
            "gain": ["stage", "slow", "fast"],
        }.items():
            assert list(attributes.pop(f"{name}_axes")) == axes
        assert attributes.pop("pedestal_units") == "count"
        assert attributes.pop("gain_units") == "count/keV"
        assert set(attributes) == {"pedestal_checksum", "gain_checksum"}
        assert not group["applied"][()]
        assert group["applied"].dtype == bool
        description = group["description"].asstr()[()]
        assert "raw" in description
        assert FORMULA in description
        assert group["program"].asstr()[()] == "nxformula"
        assert group["version"].asstr()[()] == nxformula.__version__
        assert "history" not in group
        links = {name: group.get(name, getlink=True) for name in ("data", "pedestal", "gain")}
        assert links["data"].path == demonstration.field
        assert (links["gain"].filename, links["gain"].path) == ("gain.h5", "/gain")
        assert (links["pedestal"].filename, links["pedestal"].path) == ("pedestal.h5", "/pedestal")


def test_checksum(demonstration: Demonstration) -> None:
    with h5py.File(demonstration.gain, "r+") as file:
        values = file["gain"][...].astype(">f4")
        del file["gain"]
        # Big-endian and in chunks: the checksum is of the values, not of how they are stored.
        file.create_dataset("gain", data=values, chunks=(1, 16, 32), compression="gzip")
    attach(demonstration)
    with h5py.File(demonstration.master) as file:
        written = file[GROUP].attrs["gain_checksum"]
    assert written.removeprefix("sha256:") == sha256(values.astype("<f4"), "float32")


@pytest.mark.parametrize("hard", [True, False], ids=["hard link", "soft link"])
def test_home_is_nxdetector(demonstration: Demonstration, hard: bool) -> None:
    if hard:
        with h5py.File(demonstration.master, "r+") as file:
            del file["/entry/instrument/detector/data"]
            file[demonstration.field] = np.zeros((4, 64, 128), "uint16")
            del file["/entry/data/data"]
            file["/entry/data/data"] = file[demonstration.field]
            file[demonstration.field].attrs["target"] = demonstration.field
    done = nxformula.attach(
        demonstration.master,
        "/entry/data/data",
        FORMULA,
        demonstration.symbols,
        units="keV",
        in_place=True,
    )
    assert done.group == GROUP
    with h5py.File(demonstration.master) as file:
        link = file.get("/entry/data/data_formula", getlink=True)
        assert isinstance(link, h5py.SoftLink)
        assert link.path == GROUP
        assert isinstance(file.get(GROUP, getlink=True), h5py.HardLink)


def test_a_formula_stays_where_it_is(demonstration: Demonstration) -> None:
    attach(demonstration)
    with h5py.File(demonstration.master, "r+") as file:
        del file["/entry/data/data"], file["/entry/data/data_formula"]
        del file[demonstration.field]
        file[demonstration.field] = np.full((4, 64, 128), 0x1234, "uint16")
        file["/entry/data/data"] = file[demonstration.field]
        file.move(GROUP, "/entry/data/data_formula")
    options = {"units": "keV", "in_place": True, "replace": True}
    done = nxformula.attach(
        demonstration.master, "/entry/data/data", FORMULA, demonstration.symbols, **options
    )
    assert done.group == "/entry/data/data_formula"
    output = demonstration.folder / "calibrated.nxs"
    nxformula.calibrate(demonstration.master, output, field="/entry/data/data")
    with h5py.File(output) as file:
        assert file["/entry/data/data"].dtype == np.float32
        assert file["/entry/data/data"] == file[demonstration.field]
        assert file["/entry/data/data_formula/applied"][()]


def test_home_is_nxdata_without_nxdetector(demonstration: Demonstration) -> None:
    with h5py.File(demonstration.master, "r+") as file:
        del file["/entry/data/data"], file[demonstration.field]
        file["/entry/data/data"] = h5py.ExternalLink("run_data.h5", "/data")
    options = {"units": "keV", "in_place": True}
    done = nxformula.attach(
        demonstration.master, "/entry/data/data", FORMULA, demonstration.symbols, **options
    )
    assert done.group == "/entry/data/data_formula"
    with nxformula.open(demonstration.master) as file:
        assert file.only_formula().units == "keV"


def test_another_folder(demonstration: Demonstration, tmp_path: Path) -> None:
    there = tmp_path / "processed" / "run1"
    there.mkdir(parents=True)
    done = attach(demonstration, output=there / "run.nxs")
    folder = str(demonstration.folder)
    assert done.allow == (folder,)
    assert done.path == str(there / "run.nxs")
    with h5py.File(there / "run.nxs") as file:
        link = file[GROUP].get("gain", getlink=True)
        assert link.filename == "../../demonstration/gain.h5"
        raw = file.get(demonstration.field, getlink=True)
        assert raw.filename == "../../demonstration/run_data.h5"
    with nxformula.open(there / "run.nxs", allow=[folder]) as moved:
        frame = moved.only_formula()[0]
    attach(demonstration)
    with nxformula.open(demonstration.master) as file:
        np.testing.assert_array_equal(file.only_formula()[0], frame)


def test_copied_constants(demonstration: Demonstration) -> None:
    attach(demonstration, copy=True)
    with h5py.File(demonstration.gain) as file:
        expected = file["gain"][...]
    demonstration.gain.unlink()
    demonstration.pedestal.unlink()
    with h5py.File(demonstration.master) as file:
        assert isinstance(file[GROUP].get("gain", getlink=True), h5py.HardLink)
        np.testing.assert_array_equal(file[GROUP]["gain"], expected)
        assert file[GROUP]["gain"].attrs["units"] == "count/keV"
    with nxformula.open(demonstration.master) as file:
        assert np.isfinite(file.only_formula()[0]).mean() > 0.99


def test_replaced_formula_is_kept_in_the_history(demonstration: Demonstration) -> None:
    attach(demonstration)
    with pytest.raises(FileError, match="has a formula already; add --replace"):
        attach(demonstration)
    with h5py.File(demonstration.master) as file:
        first = file[GROUP].attrs["gain_checksum"]
    with h5py.File(demonstration.gain, "r+") as file:
        file["gain"][...] *= 2
    attach(demonstration, replace=True)
    attach(demonstration, replace=True, units=None)
    with h5py.File(demonstration.master) as file:
        lines = file[GROUP]["history"].asstr()[()].splitlines()
        assert file[GROUP].attrs["gain_checksum"] != first
        assert "formula_units" not in file[GROUP].attrs
    assert len(lines) == 2
    earliest, latest = (json.loads(line.partition("replaced: ")[2]) for line in lines)
    assert earliest["attributes"]["gain_checksum"] == first
    assert earliest["attributes"]["formula"] == FORMULA
    assert latest["attributes"]["gain_checksum"] != first
    assert "date" in latest["members"]


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "axes of the result": ({"axes": ("frame", "slow")}, DimensionError, "fast"),
    "result": ({"results": ("nope",)}, UnknownNameError, "'nope' is not a definition"),
    "unused symbol": ({"formula": "data / 2"}, UnknownNameError, "the formula does not use it"),
    "missing symbol": ({"symbols": ()}, UnknownNameError, "'pedestal' is neither given"),
    "class": ({"nx_class": "NXdata"}, ValueError, "NXcollection or NXformula"),
    "no such folder": ({"output": "nope/run.nxs"}, FileError, "no such folder"),
}


@pytest.mark.parametrize(("options", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_change_nothing(
    demonstration: Demonstration,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(demonstration.folder)
    before = state(demonstration.folder)
    with pytest.raises(error, match=message):
        attach(demonstration, **options)
    assert state(demonstration.folder) == before


def fails_with(error: BaseException) -> Callable[..., None]:
    """The real writer, and then a failure, so that a group is there already."""
    real = attach_module.write_group

    def write(*arguments: Any) -> None:
        real(*arguments)
        raise error

    return write


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MemoryError(), MemoryError),
        (OSError(28, "write failed"), FileError),
    ],
    ids=["interrupted", "no memory", "disk full"],
)
def test_failures_midway_change_nothing(
    demonstration: Demonstration,
    error: BaseException,
    seen: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = state(demonstration.folder)
    monkeypatch.setattr(attach_module, "write_group", fails_with(error))
    with pytest.raises(seen) as raised:
        attach(demonstration)
    assert state(demonstration.folder) == before
    if seen is FileError:
        wanted = f"{demonstration.master} cannot be written: No space left on device"
        assert str(raised.value) == wanted


def test_a_failure_names_the_file_and_not_its_temporary_name(
    demonstration: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(temporary: str, *_: object) -> None:
        raise FileError(f"{temporary} is not good", temporary)

    monkeypatch.setattr(attach_module, "_read_back", fail)
    with pytest.raises(FileError) as raised:
        attach(demonstration)
    assert str(raised.value) == f"{demonstration.master} is not good"
    assert raised.value.path == str(demonstration.master)


def test_in_place_keeps_rights_and_links(demonstration: Demonstration, tmp_path: Path) -> None:
    demonstration.master.chmod(0o640)
    link = demonstration.folder / "latest.nxs"
    link.symlink_to("run.nxs")
    nxformula.attach(
        link, demonstration.field, FORMULA, demonstration.symbols, units="keV", in_place=True
    )
    assert link.is_symlink()
    assert demonstration.master.stat().st_mode & 0o777 == 0o640
    with h5py.File(demonstration.master) as file:
        assert GROUP in file
    other = tmp_path / "new.nxs"
    attach(demonstration, replace=True, output=other)
    umask = os.umask(0)
    os.umask(umask)
    assert other.stat().st_mode & 0o777 == 0o666 & ~umask


def test_what_else_is_in_the_master_stays(demonstration: Demonstration) -> None:
    def everything(path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        with h5py.File(path) as file:

            def visit(name: str) -> None:
                if "_formula" in name:
                    return
                item = file[name]
                values = np.asarray(item[()]).tobytes() if isinstance(item, h5py.Dataset) else None
                attributes = {key: str(value) for key, value in item.attrs.items()}
                link = file.get(name, getlink=True)
                found[name] = (values, attributes, type(link), getattr(link, "path", None))

            file.visit_links(visit)
        return found

    before = everything(demonstration.master)
    assert len(before) > 25
    attach(demonstration)
    assert everything(demonstration.master) == before


@pytest.mark.parametrize("nx_class", ["NXcollection", "NXformula"])
def test_class(demonstration: Demonstration, nx_class: str) -> None:
    attach(demonstration, nx_class=nx_class)
    with h5py.File(demonstration.master) as file:
        assert file[GROUP].attrs["NX_class"] == nx_class
    with nxformula.open(demonstration.master) as file:
        assert file.only_formula().shape == (4, 64, 128)
