"""The schemas of classes: generated from NXDL, by their metaschema, and with nothing copied."""

from __future__ import annotations

import importlib.util
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

from nxformula._resources import resource
from nxformula.validation.classes import NXDL, known_classes
from nxformula.validation.keywords import KEYWORDS
from nxformula.validation.structure import schema_of
from nxformula.validation.unit_categories import fits, needs_units

ROOT = Path(__file__).parents[2] / "schemas" / "nxmx"
FILES = sorted(Path(str(resource("schemas", "nxmx", NXDL))).glob("NX*.json"))
NEXUSFORMAT = importlib.util.find_spec("nexusformat") is not None


def vocabulary() -> Any:
    return json.loads(resource("schemas", "nxmx", "vocabulary-1.schema.json").read_text())


@pytest.mark.skipif(not NEXUSFORMAT, reason="the package nexusformat carries the definitions")
@pytest.mark.skipif(not ROOT.is_dir(), reason="the generator is not here")
def test_they_are_what_the_generator_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["generate.py", str(tmp_path)])
    runpy.run_path(str(ROOT / "generate.py"), run_name="__main__")
    assert "wrote" in capsys.readouterr().out
    made = {path.name: path.read_bytes() for path in (tmp_path / NXDL).iterdir()}
    kept = {path.name: path.read_bytes() for path in (ROOT / NXDL).iterdir()}
    assert made == kept


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_follow_the_metaschema(path: Path) -> None:
    schema = json.loads(path.read_text(encoding="ascii"))
    assert list(Draft202012Validator(vocabulary()).iter_errors(schema)) == []
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"{NXDL}/{path.name}")


def test_the_metaschema_refuses_what_is_misspelt() -> None:
    schema = json.loads(FILES[0].read_text(encoding="ascii"))
    schema["properties"]["fields"]["properties"] = {"x": {"nx:type": "NX_FLAOT"}}
    assert list(Draft202012Validator(vocabulary()).iter_errors(schema)) != []


def test_the_metaschema_is_one() -> None:
    Draft202012Validator.check_schema(vocabulary())
    assert validator_for(vocabulary()) is Draft202012Validator
    described = set(vocabulary()["properties"])
    assert set(KEYWORDS) <= described


def test_corrections_say_why() -> None:
    overlay = json.loads(resource("schemas", "nxmx", "overlay.json").read_text(encoding="ascii"))
    for correction in overlay["corrections"]:
        assert len(correction["reason"]) > 10
        assert ("value" in correction) != correction.get("remove", False)


def test_what_nxmx_requires() -> None:
    """By hand from the definition, as its documentation lists it."""
    required = {
        "NXentry": {"definition", "start_time", "end_time_estimated"},
        "NXsample": {"name", "depends_on"},
        "NXinstrument": {"name"},
        "NXdetector": {"sensor_material", "sensor_thickness"},
        "NXdetector_group": {"group_names", "group_index", "group_parent"},
        "NXbeam": {"incident_wavelength"},
        "NXsource": {"name"},
    }
    for nx_class, names in required.items():
        schema = schema_of(nx_class)
        assert schema is not None
        assert set(schema["properties"]["fields"]["required"]) == names, nx_class
    module = schema_of("NXdetector_module")
    assert module is not None
    fields = module["properties"]["fields"]
    assert {"data_origin", "data_size"} <= set(fields["required"])
    for nx_class, inner in (
        ("NXentry", {"NXdata", "NXsample", "NXinstrument", "NXsource"}),
        ("NXinstrument", {"NXdetector", "NXbeam"}),
        ("NXdetector", {"NXdetector_module"}),
    ):
        schema = schema_of(nx_class)
        assert schema is not None
        members = schema["properties"]["groups"]["nx:members"]
        assert {name for name, facts in members.items() if facts.get("minimum")} == inner


def test_classes_are_those_of_nexus() -> None:
    assert {"NXdetector", "NXtransformations", "NXlog", "NXcalibration"} <= known_classes()
    assert "NXmx" not in known_classes()
    assert schema_of("NXnothing") is None


@pytest.mark.parametrize(
    ("unit", "category", "expected"),
    [
        ("mm", "NX_LENGTH", True),
        ("angstrom", "NX_WAVELENGTH", True),
        ("eV", "NX_WAVELENGTH", False),
        ("deg", "NX_ANGLE", True),
        ("deg/s", "NX_ANGLE", False),
        ("mm", "NX_ANGLE", False),
        ("photons/s", "NX_FREQUENCY", True),
        ("ph", "NX_ANY", True),
        ("photons/(s mm2)", "NX_FLUX", True),
        ("degC", "NX_TEMPERATURE", True),
        ("pixels", "NX_LENGTH", False),
        ("pixels", "NX_LENGTH or pixel", True),
        ("s", "NX_LENGTH or pixel", False),
    ],
)
def test_categories_of_units(unit: str, category: str, expected: bool) -> None:
    assert fits(unit, category) is expected


def test_what_needs_units() -> None:
    assert needs_units("NX_LENGTH or pixel")
    assert not needs_units("NX_ANY")
    assert not needs_units("NX_UNITLESS")
