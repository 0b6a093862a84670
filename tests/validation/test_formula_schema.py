"""The schema of a formula group, without any of the code that makes the descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from nxformula.nexus import names

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "schemas" / "formula"
NXDL = ROOT / "proposals" / "nxdl" / "contributed_definitions" / "NXformula.nxdl.xml"
VALID = sorted((FOLDER / "examples" / "valid").glob("*.json"))
INVALID = sorted((FOLDER / "examples" / "invalid").glob("*.json"))


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


SCHEMA = load(FOLDER / "formula-1.json")
ATTRIBUTES = SCHEMA["properties"]["attributes"]
MEMBERS = SCHEMA["properties"]["members"]


def faults(path: Path) -> list[tuple[Any, ...]]:
    """The places of all errors, down to the attribute or member."""
    errors = Draft202012Validator(SCHEMA).iter_errors(load(path))
    return [tuple(error.absolute_path)[:2] for error in errors]


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:nxformula:schema:formula-1"


def test_there_are_examples() -> None:
    assert len(VALID) >= 2
    assert len(INVALID) >= 12


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_example_passes(path: Path) -> None:
    assert faults(path) == []


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_example_fails_in_one_place(path: Path) -> None:
    assert len(set(faults(path))) == 1


def test_the_result_dtypes_are_those_of_the_nxdl() -> None:
    path = "{*}attribute[@name='formula_dtype']//{*}item"
    proposed = [item.get("value") for item in etree.parse(NXDL).getroot().findall(path)]
    assert proposed == ATTRIBUTES["properties"][names.FORMULA_DTYPE]["enum"]


def test_language_and_classes_are_those_of_the_software() -> None:
    assert ATTRIBUTES["properties"][names.FORMULA_LANGUAGE]["const"] == names.LANGUAGE
    assert SCHEMA["properties"]["nx_class"]["enum"] == [names.GROUP_CLASS, names.PROPOSED_CLASS]


def test_names_are_those_of_the_software() -> None:
    assert set(ATTRIBUTES["properties"]) == set(names.ATTRIBUTES)
    assert set(MEMBERS["properties"]) == set(names.FIELDS)
    assert set(MEMBERS["patternProperties"]) == {f"^{names.IDENTIFIER_PREFIX}"}


@pytest.mark.parametrize("suffix", names.SYMBOL_ATTRIBUTE_SUFFIXES)
def test_attributes_of_symbols_have_a_pattern_each(suffix: str) -> None:
    patterns = ATTRIBUTES["patternProperties"]
    assert sum(f"{suffix}(" in pattern for pattern in patterns) == 1
    assert len(patterns) == len(names.SYMBOL_ATTRIBUTE_SUFFIXES)


@pytest.mark.parametrize("name", [*names.FIELDS, "identifier_doi", "formula"])
def test_a_reserved_name_cannot_be_a_symbol(name: str) -> None:
    description = load(FOLDER / "examples" / "valid" / "small.json")
    description["members"][name] = {"kind": "dataset", "dtype": "float64", "shape": []}
    assert names.is_reserved(name)
    assert not Draft202012Validator(SCHEMA).is_valid(description)
