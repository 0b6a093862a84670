"""Units in files: however the attribute is written, they are read, checked and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.errors import UnitError
from nxformula.masters.demonstration import FORMULA, Demonstration

FIELD = "/entry/instrument/detector/data"
GROUP = f"{FIELD}_formula"

MISSING = object()


def set_units(path: Path, name: str, value: Any) -> None:
    """Write the attribute `units` as it is, whatever it is."""
    with h5py.File(path, "r+") as file:
        file[name].attrs.pop("units", None)
        if value is not MISSING:
            file[name].attrs["units"] = value


def attach(made: Demonstration, symbols: dict[str, str], units: str | None = None) -> Path:
    """Attach a formula to symbols that are given in the form of `--symbol`."""
    output = made.folder / "new.nxs"
    given = [text.format(folder=made.folder) for text in symbols.values()]
    nxformula.attach(made.master, FIELD, FORMULA, given, units=units, output=output)
    return output


BARE = {
    "pedestal": "pedestal={folder}/pedestal.h5:/pedestal[stage,slow,fast]",
    "gain": "gain={folder}/gain.h5:/gain[stage,slow,fast]",
}

KEV = [
    "count/keV",
    b"count/keV",
    np.bytes_(b"count/keV"),
    np.array(["count/keV"], object),
    np.array([b"count/keV"]),
    np.array(b"count/keV"),
    np.array(b"count/keV", "S20"),
    " ADU keV-1 ",
    "counts/keV",
]


@pytest.mark.parametrize("value", KEV, ids=repr)
def test_the_attribute_of_a_constant(demonstration: Demonstration, value: Any) -> None:
    set_units(demonstration.pedestal, "pedestal", "count")
    set_units(demonstration.gain, "gain", value)
    with pytest.raises(UnitError, match=r"the result is in .*, declared is eV"):
        attach(demonstration, BARE, "eV")
    with h5py.File(attach(demonstration, BARE, "keV")) as file:
        attributes = file[GROUP].attrs
        assert attributes["formula_units"] == "keV"
        assert "keV" in attributes["gain_units"]
        assert attributes["pedestal_units"] == "count"


@pytest.mark.parametrize(
    "value", [MISSING, h5py.Empty("S1"), 1.5, np.array(["count", "keV"], object)], ids=repr
)
def test_what_is_no_text_leaves_the_unit_open(demonstration: Demonstration, value: Any) -> None:
    set_units(demonstration.pedestal, "pedestal", "count")
    set_units(demonstration.gain, "gain", value)
    with h5py.File(attach(demonstration, BARE, "keV")) as file:
        assert "gain_units" not in file[GROUP].attrs


@pytest.mark.parametrize("value", ["", " ", b"", np.bytes_(b""), "1"], ids=repr)
def test_an_empty_attribute_is_a_number_without_unit(
    demonstration: Demonstration, value: Any
) -> None:
    set_units(demonstration.pedestal, "pedestal", "count")
    set_units(demonstration.gain, "gain", value)
    with pytest.raises(UnitError, match="the result is in count, declared is keV"):
        attach(demonstration, BARE, "keV")
    with h5py.File(attach(demonstration, BARE, "count")) as file:
        assert file[GROUP].attrs["gain_units"] in ("", "1")


def test_stated_units_go_before_those_of_the_dataset(demonstration: Demonstration) -> None:
    set_units(demonstration.gain, "gain", "furlong")
    with pytest.raises(UnitError, match="units of 'gain': cannot read the unit 'furlong'") as error:
        attach(demonstration, BARE)
    assert (error.value.line, error.value.column) == (4, 30)
    for stated in ("{{count/keV}}", "{{}}"):
        attach(demonstration, BARE | {"gain": BARE["gain"] + stated}).unlink()


def test_text_that_is_not_utf8_is_refused_and_shown_safely(demonstration: Demonstration) -> None:
    set_units(demonstration.gain, "gain", np.bytes_(b"\xb5m\x1b[31m"))
    with pytest.raises(UnitError) as error:
        attach(demonstration, BARE)
    assert all(line.isprintable() for line in str(error.value).splitlines())


def test_units_are_given_to_readers(demonstration: Demonstration) -> None:
    for declared, expected in (("keV", "keV"), (None, None)):
        output = attach(demonstration, BARE, declared)
        with nxformula.open(output) as file:
            assert file[FIELD].units == expected
            assert file[FIELD].attrs.get("units") == expected
        output.unlink()


def test_a_result_without_unit_stays_one_when_it_is_calibrated(
    demonstration: Demonstration,
) -> None:
    set_units(demonstration.pedestal, "pedestal", "count")
    set_units(demonstration.gain, "gain", "ADU")
    source, output = attach(demonstration, BARE, ""), demonstration.folder / "out.nxs"
    with h5py.File(source) as file:
        assert file[GROUP].attrs["formula_units"] == ""
    nxformula.calibrate(source, output)
    with h5py.File(output) as file:
        assert file[FIELD].attrs["units"] == ""


def test_nothing_is_written_when_units_do_not_fit(demonstration: Demonstration) -> None:
    set_units(demonstration.pedestal, "pedestal", "keV")
    set_units(demonstration.master, FIELD, "count")
    raw = "data[frame,slow,fast]"
    with pytest.raises(UnitError) as error:
        nxformula.attach(
            demonstration.master,
            FIELD,
            "data - pedestal[0]",
            [raw, BARE["pedestal"].format(folder=demonstration.folder)],
            in_place=True,
        )
    assert (error.value.line, error.value.column) == (1, 6)
    with h5py.File(demonstration.master) as file:
        assert GROUP not in file
