"""Make the schemas of this folder from an installed package of NeXus definitions.

    python schemas/nxmx/generate.py [FOLDER]

Facts are taken from the NXDL files that the package nexusformat carries: names, types, units,
ranks, enumerations, what is required and what is deprecated. No text of theirs is copied, but for
the new name that a deprecation gives. `overlay.json` corrects what the NXDL has wrong; each entry
says why, and must change something.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

HERE = Path(__file__).parent
APPLICATION = "NXmx"
NXDL = "{http://definition.nexusformat.org/nxdl/3.1}"
#: Classes at which the search for more classes ends: whatever they hold is theirs.
OPEN = {"NXcollection", "NXobject"}
#: Parts of a name that stand for anything.
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*")
NEEDS = ("required", "recommended", "optional")

Json = dict[str, Any]


def definitions_folder() -> Path:
    import importlib.util

    found = importlib.util.find_spec("nexusformat")
    assert found is not None, "pip install nexusformat"
    assert found.origin is not None
    return Path(found.origin).parent / "definitions"


def load(folder: Path, name: str) -> ElementTree.Element:
    place = "applications" if name == APPLICATION else "base_classes"
    return ElementTree.parse(folder / place / f"{name}.nxdl.xml").getroot()


def children(element: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return element.findall(f"{NXDL}{kind}")


def need_of(element: ElementTree.Element, in_application: bool) -> str:
    """Whether something must be there: in applications yes, unless said; in base classes no."""
    if element.get("optional") == "true" or element.get("minOccurs") == "0":
        return "recommended" if element.get("recommended") == "true" else "optional"
    if element.get("recommended") == "true":
        return "recommended"
    stated = int(element.get("minOccurs") or 0) > 0
    return "required" if in_application or stated else "optional"


def value_facts(element: ElementTree.Element) -> Json:
    """What is said of the values of a field or an attribute."""
    found: Json = {"nx:type": element.get("type", "NX_CHAR")}
    units = element.get("units")
    if units and units.startswith("NX_"):
        found["nx:units"] = units
    deprecated = element.get("deprecated")
    if deprecated:
        found |= {"deprecated": True, "nx:deprecated": replacement(deprecated)}
    dimensions = element.find(f"{NXDL}dimensions")
    if dimensions is not None:
        lengths = dimensions_of(dimensions)
        if lengths:
            found["nx:dims"] = lengths
    enumeration = element.find(f"{NXDL}enumeration")
    if enumeration is not None and enumeration.get("open") != "true":
        found["enum"] = [item.get("value") for item in children(enumeration, "item")]
    return found


def replacement(text: str) -> str:
    """The new name that a deprecation gives, without what is said around it."""
    known = re.search(r"[Uu]se (?:the |group |field )*[`':a-z]*?[`']*([A-Za-z_]\w+)", text)
    return known.group(1) if known else ""


def dimensions_of(dimensions: ElementTree.Element) -> list[int | str]:
    """Lengths of the dimensions; a `?` marks those that may be missing."""
    indexed = {}
    for dim in children(dimensions, "dim"):
        index, length = int(dim.get("index", "0")), dim.get("value") or "?"
        optional = dim.get("required") == "false"
        indexed[index] = int(length) if length.isdigit() else length + "?" * optional
    if not indexed or sorted(indexed) != list(range(1, len(indexed) + 1)):
        return []
    return [indexed[index] for index in sorted(indexed)]


def add(into: Json, name: str, facts: Json, name_type: str) -> None:
    """Add a field or an attribute: what it is, or that such names, or any, are known."""
    if name_type == "any":
        into["nx:any"] = True
    elif name_type == "partial":
        pattern = f"^{VARIABLE.sub('[A-Za-z0-9_]+', name)}$"
        into["nx:patterns"] = sorted({*into.get("nx:patterns", []), pattern})
    else:
        merge(into.setdefault("properties", {}).setdefault(name, {}), facts)


def merge(into: Json, facts: Json) -> None:
    """Later facts go before; what they do not say stays."""
    for key, value in facts.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        elif key == "required":
            into[key] = sorted({*into.get(key, []), *value})
        else:
            into[key] = value


def field_schema(element: ElementTree.Element, in_application: bool) -> Json:
    facts = value_facts(element)
    if "enum" in facts:
        facts["properties"] = {"value": {"enum": facts.pop("enum")}}
    attributes: Json = {}
    for attribute in children(element, "attribute"):
        name = attribute.get("name", "")
        if name == "units":
            continue
        add(attributes, name, value_facts(attribute), "specified")
        if need_of(attribute, in_application) == "required" and in_application:
            attributes["required"] = [*attributes.get("required", []), name]
    if attributes:
        facts.setdefault("properties", {})["attributes"] = attributes
    return facts


def name_type_of(element: ElementTree.Element) -> str:
    stated = element.get("nameType")
    if stated:
        return stated
    return "specified" if element.get("name") else "any"


def add_class(schema: Json, element: ElementTree.Element, in_application: bool) -> None:
    """Add what a definition of a class says to its schema."""
    properties = schema["properties"]
    for attribute in children(element, "attribute"):
        name = attribute.get("name", "")
        add(properties["attributes"], name, value_facts(attribute), name_type_of(attribute))
    for field in children(element, "field"):
        name, facts = field.get("name", ""), field_schema(field, in_application)
        if in_application:
            # The application states its own dimensions, or leaves them open.
            properties["fields"].get("properties", {}).get(name, {}).pop("nx:dims", None)
        elif not any(isinstance(length, int) for length in facts.get("nx:dims", [])):
            # Symbols of a base class are seldom those of the application.
            facts.pop("nx:dims", None)
        add(properties["fields"], name, facts, name_type_of(field))
        need = need_of(field, in_application)
        if need == "required" and name_type_of(field) == "specified":
            required = properties["fields"].setdefault("required", [])
            properties["fields"]["required"] = sorted({*required, name})
        elif need == "recommended" and in_application:
            recommended = properties["fields"].setdefault("nx:recommended", [])
            properties["fields"]["nx:recommended"] = sorted({*recommended, name})
    for group in children(element, "group"):
        add_group(properties["groups"], group, in_application)
    for choice in children(element, "choice"):
        for group in children(choice, "group"):
            add_group(properties["groups"], group, False)


def add_group(into: Json, group: ElementTree.Element, in_application: bool) -> None:
    nx_class = group.get("type", "")
    known = into["nx:members"].setdefault(nx_class, {})
    name = group.get("name")
    if name and name_type_of(group) == "specified":
        known["names"] = sorted({*known.get("names", []), name})
    if need_of(group, in_application) == "required" and in_application:
        known["minimum"] = 1
    deprecated = group.get("deprecated")
    if deprecated:
        known.setdefault("deprecated", {})[name or ""] = replacement(deprecated)


def parents(folder: Path, name: str) -> list[ElementTree.Element]:
    """The definitions of a class, from the most general on."""
    element = load(folder, name)
    extended = element.get("extends")
    return [*(parents(folder, extended) if extended else []), element]


def application_groups(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The groups of the application, at any depth."""
    for group in children(element, "group"):
        yield group
        yield from application_groups(group)


def empty(name: str) -> Json:
    return {
        "$schema": "https://nxformula.org/schemas/nxmx/vocabulary-1.schema.json",
        "$id": "",
        "title": name,
        "type": "object",
        "properties": {
            "attributes": {"type": "object"},
            "fields": {"type": "object"},
            "groups": {"type": "object", "nx:members": {}},
        },
    }


def reachable(folder: Path, application: ElementTree.Element) -> list[str]:
    """The classes of the application, and those that may be in them."""
    own = {group.get("type", "") for group in application_groups(application)} | {"NXroot"}
    found = set(own)
    for name in own - OPEN:
        for element in parents(folder, name):
            found |= {group.get("type", "") for group in children(element, "group")}
    return sorted(found - {"NXobject"})


def make(folder: Path) -> dict[str, Json]:
    """All schemas by class, and a list of all classes that NeXus has."""
    version = (folder / "NXDL_VERSION").read_text().strip()
    application = load(folder, APPLICATION)
    schemas: dict[str, Json] = {}
    for name in reachable(folder, application):
        schema = empty(name)
        schema["$id"] = f"https://nxformula.org/schemas/nxmx/{version}/{name}.json"
        for element in parents(folder, name):
            add_class(schema, element, False)
        schemas[name] = schema
    for group in application_groups(application):
        add_class(schemas[group.get("type", "")], group, True)
    places = ("base_classes", "contributed_definitions")
    classes = sorted(
        path.name.removesuffix(".nxdl.xml")
        for place in places
        for path in (folder / place).glob("NX*.nxdl.xml")
        if load_category(path) == "base"
    )
    schemas["classes"] = {"nxdl": version, "classes": classes}
    return schemas


def load_category(path: Path) -> str:
    return ElementTree.parse(path).getroot().get("category", "")


def correct(schemas: dict[str, Json], overlay: list[Json]) -> None:
    """Apply the corrections; one that changes nothing is an error, because it is out of date."""
    for entry in overlay:
        holder: Any = schemas[entry["class"]]
        *way, last = entry["path"]
        for step in way:
            holder = holder.setdefault(step, {})
        before = holder.get(last)
        if entry.get("remove"):
            assert before is not None, f"nothing to remove: {entry}"
            del holder[last]
        else:
            assert before != entry["value"], f"changes nothing: {entry}"
            holder[last] = entry["value"]


def main() -> None:
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    schemas = make(definitions_folder())
    overlay = json.loads((HERE / "overlay.json").read_text())
    correct(schemas, overlay["corrections"])
    folder = into / schemas["classes"]["nxdl"]
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=1, ensure_ascii=True)
        (folder / f"{name}.json").write_text(text + "\n", encoding="ascii")
    print(f"wrote {len(schemas)} schemas to {folder}")


if __name__ == "__main__":
    main()
