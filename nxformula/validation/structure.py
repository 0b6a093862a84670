"""What the schemas say: names, types, units, dimensions and what must be there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from nxformula._resources import resource
from nxformula.nexus.metadata.nodes import Broken, Field, Group, Node
from nxformula.validation.checks.beam import misplaced
from nxformula.validation.classes import NXDL, OPEN, guessed
from nxformula.validation.keywords import KEYWORDS
from nxformula.validation.scope import Fault, Scope
from nxformula.validation.spelling import nearest

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

#: Rules by the keyword that a description fails.
_RULES: Final = {
    "required": "NXMX-STR-001",
    "nx:members": "NXMX-STR-001",
    "nx:type": "NXMX-STR-002",
    "enum": "NXMX-STR-003",
    "nx:units": "NXMX-STR-004",
    "nx:dims": "NXMX-STR-005",
    "nx:deprecated": "NXMX-STR-006",
}
#: Faults that have a rule of their own: class, field and keyword, or all keywords.
_OWN_RULES: Final = {
    ("NXbeam", "profile", "enum"): "NXMX-BEA-007",
    ("NXentry", "definition", None): None,
    ("NXdetector", "flatfield_error", "nx:deprecated"): None,
    ("NXbeam", "incident_wavelength_weight", "nx:deprecated"): None,
    ("NXbeam", "incident_polarisation_stokes", "nx:deprecated"): None,
    ("NXbeam", "incident_polarisation_stokes", "nx:dims"): None,
    ("NXbeam", "incident_polarization_stokes", "nx:dims"): None,
    ("NXbeam", "incident_beam_size", "nx:dims"): None,
    ("NXdata", "data", "nx:dims"): None,
    ("NXdetector", "data", "nx:dims"): None,
    ("NXdetector", "flatfield", "nx:dims"): None,
    ("NXdetector", "flatfield_errors", "nx:dims"): None,
    ("NXdetector", "angular_calibration", "nx:dims"): None,
}
#: Of the axes of modules, these are for the rules of chains.
_CHAIN_ATTRIBUTES: Final = ("transformation_type", "vector", "depends_on", "units", "offset_units")
#: Attributes that any field may have.
_FIELD_ATTRIBUTES: Final = (
    *("units", "long_name", "depends_on", "transformation_type", "vector", "offset", "target"),
    *("offset_units", "equipment", "equipment_component", "interpretation", "variant", "u"),
    *("short_name", "signal", "axes", "axis", "primary", "description", "calibration_status"),
)
_GROUP_ATTRIBUTES: Final = ("NX_class", "default", "target", "canSAS_class", "short_name")


#: Begins the message where a group is missing; its class follows.
NO_GROUP: Final = "no group of the class "


@dataclass(frozen=True, slots=True)
class StructureFault:
    """A fault that a schema found, with the rule it belongs to."""

    rule: str
    fault: Fault


@cache
def schema_of(nx_class: str) -> dict[str, Any] | None:
    """The schema of a class; None if there is none."""
    file = resource("schemas", "nxmx", NXDL, f"{nx_class}.json")
    if not nx_class.startswith("NX") or not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text(encoding="ascii"))
    return found


@cache
def _validator(nx_class: str) -> Draft202012Validator | None:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    schema = schema_of(nx_class)
    if schema is None:
        return None
    made: Any = extend(Draft202012Validator, KEYWORDS)  # type: ignore[no-untyped-call]
    # The metaschema is for programs that know the vocabulary; it need not be fetched.
    plain = {key: value for key, value in schema.items() if key not in ("$schema", "$id")}
    validator: Draft202012Validator = made(plain)
    return validator


def describe(scope: Scope, group: Group) -> dict[str, Any]:
    """A group as the JSON document that its schema describes."""
    fields: dict[str, Any] = {}
    groups: dict[str, Any] = {}
    for name, node in group.members.items():
        if isinstance(node, Field):
            fields[name] = describe_field(node)
        elif isinstance(node, Group):
            groups[name] = scope.tree.class_of(node)
        elif isinstance(node, Broken):
            fields[name] = {"unreached": True}
            groups[name] = _lost_class(node)
    return {"attributes": _attributes(group), "fields": fields, "groups": groups}


def _attributes(node: Node) -> dict[str, Any]:
    """Attributes; a list of one text is that text, as readers take it."""
    return {
        name: text if (text := node.text(name)) is not None else value
        for name, value in node.attributes.items()
    }


def _lost_class(node: Broken) -> str | None:
    """What a group that cannot be reached must be, by its name."""
    return guessed(Group(node.path)) or "unreached"


def describe_field(field: Field) -> dict[str, Any]:
    """A field as JSON."""
    found: dict[str, Any] = {
        "dtype": field.dtype,
        "shape": None if field.shape is None else list(field.shape),
        "attributes": _attributes(field),
    }
    if field.is_text and field.words is not None:
        found["value"] = field.words
    elif field.scalar is not None:
        found["least"] = field.scalar
    return found


def structure(scope: Scope) -> Iterator[StructureFault]:
    """Everything that schemas find in an entry."""
    moved = {scope.tree.class_of(group) for group in misplaced(scope)}
    for group in scope.all_groups():
        nx_class = scope.tree.class_of(group) or ""
        validator = _validator("NXentry" if group is scope.entry else nx_class)
        if validator is None or _is_detached(scope, group):
            continue
        spelling = dict(_misspelt(group, nx_class))
        for name, other in spelling.items():
            yield _spelling_fault(group, nx_class, name, other)
        document = describe(scope, group)
        for error in validator.iter_errors(document):
            found = _fault(group, nx_class, error, set(spelling.values()), moved)
            if found is not None:
                yield found


def _is_detached(scope: Scope, group: Group) -> bool:
    """Whether a group is inside of something that no definition describes."""
    inside = group.path.removeprefix(scope.entry.path).split("/")[:-1]
    path = scope.entry.path
    for name in inside:
        if name:
            path = f"{path.rstrip('/')}/{name}"
            node = scope.tree.get(path)
            if isinstance(node, Group) and scope.tree.class_of(node) in (None, *OPEN):
                return True
    return False


def _fault(
    group: Group,
    nx_class: str,
    error: ValidationError,
    respelt: set[str],
    moved: set[str | None],
) -> StructureFault | None:
    place, keyword = list(error.absolute_path), str(error.validator)
    name = str(place[1]) if len(place) > 1 and place[0] == "fields" else ""
    if (nx_class, name, None) in _OWN_RULES:
        return None
    rule = _OWN_RULES.get((nx_class, name, keyword), _RULES.get(keyword))
    if rule is None:
        return None
    attribute = str(place[-1]) if "attributes" in place[:-1] else None
    message, _, severity = error.message.partition("\0")
    if keyword == "required":
        return _missing(group, nx_class, error, place, respelt)
    if keyword == "nx:members":
        missing = error.message
        if missing in moved or missing in set(_lost_classes(group)):
            return None
        message = f"{NO_GROUP}{missing}"
        return StructureFault(rule, Fault(group.path, message))
    if keyword == "nx:units":
        attribute = "units"
        if name in _required_fields(nx_class):
            severity = ""
    if nx_class == "NXdetector_module" and name and attribute in _CHAIN_ATTRIBUTES:
        return None
    path = f"{group.path}/{name}" if name else group.path
    if keyword == "enum":
        message = _enum_message(error)
    return StructureFault(rule, Fault(path, message, attribute, severity=severity or None))


def _required_fields(nx_class: str) -> list[str]:
    schema = schema_of(nx_class)
    found: list[str] = schema["properties"]["fields"].get("required", []) if schema else []
    return found


def _lost_classes(group: Group) -> Iterator[str | None]:
    return (_lost_class(node) for node in group.members.values() if isinstance(node, Broken))


def _enum_message(error: ValidationError) -> str:
    allowed: list[Any] = list(error.validator_value or ())  # type: ignore[arg-type]
    shown = ", ".join(repr(item) for item in allowed[:12])
    hint = nearest(error.instance, allowed) if isinstance(error.instance, str) else None
    text = f"; did you mean {hint!r}?" if hint else ""
    return f"the value is {str(error.instance)[:60]!r}; expected one of {shown}{text}"


def _missing(
    group: Group, nx_class: str, error: ValidationError, place: list[Any], respelt: set[str]
) -> StructureFault | None:
    """A required field of a group, or attribute of a field."""
    quoted = re.match(r"'(.*?)' is a required", error.message)
    assert quoted is not None, error.message
    name = quoted.group(1)
    if place == ["fields"]:
        if name in respelt:
            return None
        message = f"the {nx_class} has no field {name!r}, which NXmx requires"
        return StructureFault("NXMX-STR-001", Fault(group.path, message))
    field = str(place[1])
    if name in _CHAIN_ATTRIBUTES:
        return None
    message = f"the field has no attribute {name!r}, which NXmx requires"
    return StructureFault("NXMX-STR-001", Fault(f"{group.path}/{field}", message, name))


def _misspelt(group: Group, nx_class: str) -> Iterator[tuple[str, str]]:
    """Names of members that are almost those of the definition, and what they should be."""
    schema = schema_of(nx_class)
    if schema is None or nx_class in OPEN:
        return
    fields = schema["properties"]["fields"]
    if fields.get("nx:any"):
        return
    known = set(fields.get("properties", {}))
    patterns = [re.compile(pattern) for pattern in fields.get("nx:patterns", [])]
    for name, node in group.members.items():
        if name in known or isinstance(node, Group) or any(p.match(name) for p in patterns):
            continue
        other = nearest(name, known - set(group.members))
        if other is not None and not _is_numbered(name, other):
            yield name, other


def _is_numbered(name: str, other: str) -> bool:
    """Whether a name is another one with a number, as `pixel_mask_1` or `threshold_2_energy`."""
    numbers = re.compile(r"[_0-9]+")
    return numbers.sub("", name) == numbers.sub("", other)


def _spelling_fault(group: Group, nx_class: str, name: str, other: str) -> StructureFault:
    required = other in _required_fields(nx_class)
    message = f"{name!r} is no name of {nx_class}; did you mean {other!r}?"
    fault = Fault(
        f"{group.path}/{name}",
        message,
        None,
        (group.path,),
        "error" if required else None,
        f"Call it {other!r}.",
    )
    return StructureFault("NXMX-NAM-001", fault)


def attribute_names(scope: Scope) -> Iterator[StructureFault]:
    """Names of attributes that are almost those of the definition."""
    for group in scope.all_groups():
        nx_class = scope.tree.class_of(group) or ""
        schema = schema_of(nx_class)
        if schema is None or nx_class in OPEN or _is_detached(scope, group):
            continue
        properties = schema["properties"]
        known = {*properties["attributes"].get("properties", {}), *_GROUP_ATTRIBUTES}
        yield from _attribute_faults(group, known)
        for field in group.fields():
            own = properties["fields"].get("properties", {}).get(field.name, {})
            attributes = own.get("properties", {}).get("attributes", {}).get("properties", {})
            if field.same_as is None:
                yield from _attribute_faults(field, {*attributes, *_FIELD_ATTRIBUTES})


def _attribute_faults(node: Group | Field, known: set[str]) -> Iterator[StructureFault]:
    for name in node.attributes:
        if name in known or name.endswith("_indices"):
            continue
        other = nearest(name, known - set(node.attributes))
        if other is not None:
            message = f"the attribute {name!r} is unknown; did you mean {other!r}?"
            fault = Fault(node.path, message, name, fix=f"Call it {other!r}.")
            yield StructureFault("NXMX-NAM-001", fault)
