"""The proposed class NXformula: valid NXDL, and the same names as the software uses."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import h5py
import pytest
from lxml import etree

import nxformula
from nxformula.masters.demonstration import FORMULA, Demonstration
from nxformula.nexus import names

ROOT = Path(__file__).parents[2]
NXDL = ROOT / "proposals" / "nxdl" / "contributed_definitions" / "NXformula.nxdl.xml"
NAMESPACE = {"nx": "http://definition.nexusformat.org/nxdl/3.1"}
XSD = {"xs": "http://www.w3.org/2001/XMLSchema"}

#: What the proposal writes for "any symbol" and "any identifier".
SYMBOL = "SYMBOL"
ATTRIBUTES = {*names.ATTRIBUTES, *(SYMBOL + suffix for suffix in names.SYMBOL_ATTRIBUTE_SUFFIXES)}
FIELDS = {*names.FIELDS, names.IDENTIFIER_PREFIX + "NAME", SYMBOL, SYMBOL + names.ERRORS_SUFFIX}


def definitions() -> Path:
    """The definitions that the package nexusformat installs."""
    spec = find_spec("nexusformat")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))) / "definitions"


def definition(path: Path = NXDL) -> etree._Element:
    return etree.parse(path).getroot()


def lineage() -> list[etree._Element]:
    """The class and those that it extends, to NXobject."""
    classes = [definition()]
    while "extends" in classes[-1].attrib:
        parent = classes[-1].get("extends")
        classes.append(definition(definitions() / "base_classes" / f"{parent}.nxdl.xml"))
    return classes


def defined(kind: str, root: etree._Element) -> list[str]:
    """Names of the attributes or fields of the group itself."""
    return [str(item.get("name")) for item in root.findall(f"nx:{kind}", NAMESPACE)]


def inherited(kind: str) -> set[str]:
    return {name for root in lineage() for name in defined(kind, root)}


def test_it_is_valid_nxdl() -> None:
    schema = etree.XMLSchema(etree.parse(definitions() / "nxdl.xsd"))
    schema.validate(etree.parse(NXDL))
    assert [str(error) for error in schema.error_log] == []


def test_it_is_a_base_class_that_extends_installed_ones() -> None:
    root = definition()
    assert NXDL.name == f"{names.PROPOSED_CLASS}.nxdl.xml"
    assert root.get("name") == names.PROPOSED_CLASS
    assert (root.get("type"), root.get("category")) == ("group", "base")
    assert [item.get("name") for item in lineage()][1:] == ["NXprocess", "NXobject"]


def test_every_type_and_unit_category_exists() -> None:
    types = etree.parse(definitions() / "nxdlTypes.xsd")
    known = {item.get("name") for item in types.iterfind(".//xs:simpleType", XSD)}
    items = definition().iterfind(".//nx:*", NAMESPACE)
    used = {value for item in items for value in (item.get("type"), item.get("units")) if value}
    assert "NX_CHAR" in used
    assert used - known == set()


def test_it_has_one_doc_whose_first_line_is_a_sentence() -> None:
    (doc,) = definition().findall("nx:doc", NAMESPACE)
    summary, blank, *_ = str(doc.text).strip().splitlines()
    assert summary.endswith(".")
    assert blank == ""


@pytest.mark.parametrize("path", [".//nx:attribute", ".//nx:field", ".//nx:symbol"])
def test_everything_is_documented(path: str) -> None:
    found = definition().findall(path, NAMESPACE)
    docs = {item.get("name"): item.findtext("nx:doc", "", NAMESPACE).strip() for item in found}
    assert docs
    assert [name for name, doc in docs.items() if not doc] == []


def test_every_name_of_the_software_is_defined() -> None:
    assert ATTRIBUTES - inherited("attribute") == set()
    assert FIELDS - inherited("field") == set()


def test_every_defined_name_is_one_of_the_software() -> None:
    assert set(defined("attribute", definition())) - ATTRIBUTES == set()
    assert set(defined("field", definition())) - FIELDS == set()
    assert definition().findall("nx:group", NAMESPACE) == []


def test_no_name_is_defined_twice() -> None:
    """Not as an attribute and a field either: the manual has one name space for both."""
    own = defined("attribute", definition()) + defined("field", definition())
    assert sorted(own) == sorted(set(own))
    assert inherited("attribute") & inherited("field") == set()


def test_a_written_group_has_no_other_names(attached: Demonstration) -> None:
    nxformula.attach(
        attached.master,
        attached.field,
        FORMULA,
        attached.symbols,
        in_place=True,
        replace=True,
        units="keV",
        results=("stage",),
        nx_class=names.PROPOSED_CLASS,
    )
    with h5py.File(attached.master) as file:
        group = file[f"{attached.field}_formula"]
        symbols = {"data", "pedestal", "gain"}
        attributes = {name for name in group.attrs if name != "NX_class"}
        fields = set(group) - symbols
    of_symbols = {f"{s}{suffix}" for s in symbols for suffix in names.SYMBOL_ATTRIBUTE_SUFFIXES}
    assert attributes - of_symbols <= inherited("attribute")
    assert {"gain_axes", "gain_units", "gain_checksum"} <= attributes & of_symbols
    assert fields == {"description", "applied", "date", "program", "version", "history"}
    assert fields <= inherited("field")


def test_names_with_placeholders_say_so() -> None:
    items = [*definition().iterfind("nx:attribute", NAMESPACE)]
    items += definition().iterfind("nx:field", NAMESPACE)
    kinds = {str(item.get("name")): item.get("nameType", "specified") for item in items}
    assert kinds.pop(SYMBOL) == "any"
    assert {kind for name, kind in kinds.items() if name != name.lower()} == {"partial"}
    assert {kind for name, kind in kinds.items() if name == name.lower()} == {"specified"}


def test_the_language_is_the_one_of_the_software() -> None:
    path = "nx:attribute[@name='formula_language']//nx:item"
    assert [item.get("value") for item in definition().findall(path, NAMESPACE)] == [names.LANGUAGE]
