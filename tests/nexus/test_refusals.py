"""What would give wrong numbers, or let a file reach further than allowed, is refused."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula import SymbolSource
from nxformula.masters.demonstration import FORMULA, Demonstration

FIELD = "/entry/instrument/detector/data"
GROUP = f"{FIELD}_formula"


def edit(path: Path, name: str, value: Any) -> None:
    """Replace a member of a file."""
    with h5py.File(path, "r+") as file:
        if file.get(name, getlink=True) is not None:
            del file[name]
        file[name] = value


@pytest.fixture
def apart(attached: Demonstration, tmp_path: Path) -> Demonstration:
    """The demonstration, its pedestal in a folder of its own."""
    folder = tmp_path / "constants"
    folder.mkdir()
    attached.pedestal.rename(folder / "pedestal.h5")
    edit(
        attached.master,
        f"{GROUP}/pedestal",
        h5py.ExternalLink("../constants/pedestal.h5", "/pedestal"),
    )
    return attached


@pytest.mark.parametrize(
    "kind", [str, Path, lambda folder: [folder], lambda folder: (str(folder),)]
)
def test_one_folder_or_several_may_be_allowed(
    apart: Demonstration, tmp_path: Path, kind: Any
) -> None:
    with nxformula.open(apart.master, allow=kind(tmp_path / "constants")) as file:
        assert file[FIELD][0].shape == (64, 128)


def test_the_letters_of_a_folder_are_no_folders(apart: Demonstration, tmp_path: Path) -> None:
    with (
        nxformula.open(apart.master, allow=str(tmp_path / "elsewhere")) as file,
        pytest.raises(nxformula.ForbiddenPathError),
    ):
        file[FIELD]


@pytest.mark.parametrize("allow", ["", [""]])
def test_an_empty_name_is_no_folder(attached: Demonstration, allow: Any) -> None:
    with pytest.raises(ValueError, match=r"'\.' is the working directory"):
        nxformula.open(attached.master, allow=allow)


def test_what_is_calibrated_is_not_calibrated_again(attached: Demonstration) -> None:
    output = attached.folder / "calibrated.nxs"
    nxformula.calibrate(attached.master, output)
    content = output.read_bytes()
    with pytest.raises(nxformula.FileError, match="holds calibrated values"):
        nxformula.attach(output, FIELD, FORMULA, attached.symbols, replace=True, in_place=True)
    assert output.read_bytes() == content


def test_applied_is_not_taken_from_elsewhere(attached: Demonstration) -> None:
    edit(attached.master, "entry/yes", True)
    edit(attached.master, f"{GROUP}/applied", h5py.SoftLink("/entry/yes"))
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(nxformula.FileError, match="applied"),
    ):
        file[FIELD]


@pytest.mark.parametrize(
    "source",
    [SymbolSource(path="/entry/other"), SymbolSource(value=3.0), "data=/entry/other", "data=3"],
)
def test_the_field_is_its_own_symbol(demonstration: Demonstration, source: Any) -> None:
    content = demonstration.master.read_bytes()
    symbols: Any = {"data": source} if isinstance(source, SymbolSource) else [source]
    with pytest.raises(nxformula.UnknownNameError, match="'data' is the field itself"):
        nxformula.attach(demonstration.master, FIELD, "data / 2", symbols, in_place=True)
    assert demonstration.master.read_bytes() == content


def test_a_member_that_is_another_field_is_refused(attached: Demonstration) -> None:
    edit(attached.master, "entry/other", np.zeros((4, 64, 128), np.uint16))
    edit(attached.master, f"{GROUP}/data", h5py.SoftLink("/entry/other"))
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(nxformula.FileError, match=r"'data' in '.*' of .* is not the field"),
    ):
        file[FIELD]


def test_sizes_are_checked_where_a_dimension_is_needed_whole(tmp_path: Path) -> None:
    """`dark` is used whole along `frame`, and the file holds nothing of it."""
    path = tmp_path / "run.nxs"
    with h5py.File(path, "w") as file:
        group = file.create_group("entry/detector")
        for name in ("data", "dark"):
            group.create_dataset(name, (100_000, 1000, 1000), np.uint16, chunks=(1, 1000, 1000))
    axes = ("frame", "slow", "fast")
    with h5py.File(path, "r+") as file:
        group = file.create_group("entry/detector/data_formula")
        group.attrs["formula"] = "data - dark + dark[frame = 0]"
        group.attrs["formula_language"] = "nxformula-1"
        group.attrs["formula_dtype"] = "float32"
        group.attrs["formula_axes"] = group.attrs["dark_axes"] = list(axes)
        group["data"] = h5py.SoftLink("/entry/detector/data")
        group["dark"] = h5py.SoftLink("/entry/detector/dark")
    with nxformula.open(path) as file, pytest.raises(nxformula.FileError, match="would give"):
        file["entry/detector/data"][0]


def test_a_missing_constant_is_said_whichever_way_a_field_is_met(attached: Demonstration) -> None:
    attached.gain.unlink()
    with nxformula.open(attached.master) as file:
        for way in (lambda: file.get(FIELD), lambda: list(file["entry/data"].items())):
            with pytest.raises(nxformula.MissingSourceError, match="gain"):
                way()


@pytest.mark.parametrize("link", ["../outside.h5", "nothing.h5"])
def test_an_unrelated_field_does_not_matter(
    demonstration: Demonstration, link: str, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file["data"] = 1
    with h5py.File(demonstration.master, "r+") as file:
        group = file.create_group("entry/data2")
        group.attrs["NX_class"] = "NXdata"
        group["data"] = h5py.ExternalLink(link, "/data")
    nxformula.attach(demonstration.master, FIELD, FORMULA, demonstration.symbols, in_place=True)
    with nxformula.open(demonstration.master) as file:
        assert isinstance(file[FIELD], nxformula.CalibratedDataset)


@pytest.mark.parametrize("value", [3, -3, 70_000, 2**63, 2.5])
def test_numbers_as_symbols(demonstration: Demonstration, value: float) -> None:
    formula = "where(data > e, 1, 0)" if value == 2**63 else "data - e"
    nxformula.attach(demonstration.master, FIELD, formula, [f"e={value}"], in_place=True)
    with h5py.File(demonstration.stack) as file:
        raw = file["data"][0].astype(np.float32)
    wanted = (raw > value) if value == 2**63 else raw - np.float32(value)
    with nxformula.open(demonstration.master) as file:
        assert np.array_equal(file[FIELD][0], wanted.astype(np.float32))


@pytest.mark.parametrize(
    ("text", "message"),
    [("e=3[slow]", "no file, path or axes"), (f"e={10**26}", "more than 64 bits hold")],
)
def test_numbers_that_cannot_be_symbols(
    demonstration: Demonstration, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nxformula.attach(demonstration.master, FIELD, "data - e", [text], in_place=True)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"results": "stage"}, TypeError),
        ({"results": ("stage", "stage")}, ValueError),
        ({"axes": "frame"}, TypeError),
        ({"symbols": "pedestal=3"}, TypeError),
        ({"symbols": {"pedestal": "3"}}, TypeError),
    ],
)
def test_texts_are_no_lists(demonstration: Demonstration, options: Any, error: Any) -> None:
    content = demonstration.master.read_bytes()
    given = {"symbols": demonstration.symbols, **options}
    with pytest.raises(error, match=r"expected|twice"):
        nxformula.attach(demonstration.master, FIELD, FORMULA, in_place=True, **given)
    assert demonstration.master.read_bytes() == content


def test_sources_that_contradict_themselves() -> None:
    for fields in ({"value": 1, "path": "/x"}, {"value": 1, "file": "a.h5"}, {"file": "a.h5"}):
        with pytest.raises(ValueError, match="symbol"):
            SymbolSource(**fields)
    with pytest.raises(TypeError, match="tuple"):
        SymbolSource(axes="slow")  # type: ignore[arg-type]


def test_results_that_are_not_defined(attached: Demonstration) -> None:
    with h5py.File(attached.master, "r+") as file:
        file[GROUP].attrs["formula_results"] = ["stage", "nope"]
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(nxformula.UnknownNameError, match="nope"),
    ):
        file[FIELD]


def test_threads_that_visit_and_threads_that_read(attached: Demonstration) -> None:
    """h5py holds a lock while it visits; a reader in another thread must not hold the other one."""
    with nxformula.open(attached.master) as file:
        images = file[FIELD]
        wanted = images[...]
        found: list[bool] = []

        def read(frame: int) -> None:
            found.append(np.array_equal(images[frame], wanted[frame], equal_nan=True))

        def visit() -> None:
            for _ in range(20):
                file.visititems(lambda name, _: read(1) if name.endswith("detector") else None)

        def read_often() -> None:
            for _ in range(100):
                read(2)

        threads = [
            threading.Thread(target=run, daemon=True) for run in (visit, read_often, read_often)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
    assert all(found)
    assert len(found) == 220
