"""A metadata tree as JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from nxformula.nexus.metadata.nodes import (
    Broken,
    Field,
    Group,
    Link,
    Node,
    Source,
    Statistics,
)

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(node: Node) -> dict[str, Any]:
    """A node and all below it as JSON.

    What has no default is left out. Numbers that JSON does not have are `"NaN"`, `"Infinity"` and
    `"-Infinity"`.

    Examples
    --------
    >>> to_json(Field("/entry/x", value=np.float64("nan")))
    {'kind': 'field', 'dtype': 'float64', 'shape': [], 'value': 'NaN'}
    """
    found: dict[str, Any] = {"kind": _KINDS[type(node)]}
    if node.link is not None:
        found["link"] = _kept({"kind": node.link.kind, "target": node.link.target})
        if node.link.file is not None:
            found["link"]["file"] = node.link.file
    same_as = getattr(node, "same_as", None)
    if same_as is not None:
        return found | {"same_as": same_as}
    if node.attributes:
        found["attributes"] = {name: _attribute(value) for name, value in node.attributes.items()}
    if isinstance(node, Group):
        found["members"] = {name: to_json(member) for name, member in sorted(node.members.items())}
    elif isinstance(node, Field):
        found |= _field_to_json(node)
    elif isinstance(node, Broken):
        found |= _kept({"reason": node.kind, "problem": node.problem, "cause": node.cause})
    return found


_KINDS: dict[type[Node], str] = {Group: "group", Field: "field", Broken: "broken"}


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, (), [], "")}


def _source_to_json(source: Source) -> dict[str, Any]:
    return _kept(asdict(source))


def _field_to_json(field: Field) -> dict[str, Any]:
    found = _kept(
        {
            "chunks": field.chunks and list(field.chunks),
            "filters": list(field.filters),
            "missing_filters": list(field.missing_filters),
            "unfilled": field.unfilled or None,
            "sources": [_source_to_json(source) for source in field.sources],
        }
    )
    shape = None if field.shape is None else list(field.shape)
    own: dict[str, Any] = {"dtype": field.dtype, "shape": shape}
    if field.value is not None:
        value = field.value
        own["value"] = _number(value.tolist() if isinstance(value, np.ndarray) else value)
    if field._statistics is not None and field.value is None:
        known = field._statistics
        own["statistics"] = {
            "least": _number(known.least),
            "most": _number(known.most),
            "finite": known.finite,
            "nonzero": known.nonzero,
            "bits": known.bits,
        }
    return own | found


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _attribute(value: Any) -> Any:
    """Texts are told from numbers that JSON does not have."""
    if isinstance(value, list):
        return [_attribute(item) for item in value]
    special = _number(value)
    return {"number": special} if isinstance(special, str) and special != value else value


def _stored(value: Any) -> Any:
    if isinstance(value, list):
        return [_stored(item) for item in value]
    return _SPECIAL[value["number"]] if isinstance(value, dict) else value


def from_json(document: Mapping[str, Any]) -> Group:
    """The tree of a root that was written as JSON.

    Raises
    ------
    ValueError
        The document is no such tree.

    Examples
    --------
    >>> root = Group("/", members={"x": Field("/x", value=np.float64(3))})
    >>> from_json(to_json(root)).field("x").scalar
    3.0
    """
    try:
        root = _node("/", document)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a metadata tree: {error!r}") from None
    if not isinstance(root, Group):
        raise ValueError("not a metadata tree: its root is no group")
    _share(root, root)
    return root


def _node(path: str, document: Mapping[str, Any]) -> Node:
    link = Link(**document["link"]) if "link" in document else None
    attributes = {name: _stored(value) for name, value in document.get("attributes", {}).items()}
    if document["kind"] == "group":
        group = Group(path, attributes, link, {}, document.get("same_as"))
        for name, member in document.get("members", {}).items():
            group.members[name] = _node(f"{path.rstrip('/')}/{name}", member)
        return group
    if document["kind"] == "broken":
        problem, cause = document.get("problem", ""), document.get("cause", "")
        return Broken(path, attributes, link, document["reason"], problem, cause)
    if "same_as" in document:
        return Field(path, attributes, link, same_as=document["same_as"])
    return _field(path, attributes, link, document)


def _field(path: str, attributes: Any, link: Link | None, document: Mapping[str, Any]) -> Field:
    shape, dtype, value = document["shape"], document["dtype"], document.get("value")
    field = Field(path, attributes, link, dtype, None if shape is None else tuple(shape))
    if value is not None and field.is_numeric:
        value = np.array(_special(value), dtype).reshape(field.shape or ())
    field.value = value
    field.chunks = tuple(document["chunks"]) if "chunks" in document else None
    field.filters = tuple(document.get("filters", ()))
    field.missing_filters = tuple(document.get("missing_filters", ()))
    field.sources = tuple(Source(**source) for source in document.get("sources", ()))
    field.unfilled = document.get("unfilled", 0)
    if "statistics" in document:
        known = document["statistics"]
        field._statistics = Statistics(
            float(known["least"]),
            float(known["most"]),
            known["finite"],
            known["nonzero"],
            known["bits"],
        )
    return field


def _special(value: Any) -> Any:
    if isinstance(value, list):
        return [_special(item) for item in value]
    return _SPECIAL.get(value, value) if isinstance(value, str) else value


def _share(root: Group, group: Group) -> None:
    """Give objects that are shown twice what they are."""
    pending = [group]
    while pending:
        here = pending.pop()
        for name, node in here.members.items():
            same_as = getattr(node, "same_as", None)
            if same_as is not None:
                here.members[name] = _shown_again(node, _at(root, same_as))
            elif isinstance(node, Group):
                pending.append(node)


def _at(root: Group, path: str) -> Node:
    node: Node = root
    for name in path.strip("/").split("/"):
        if not isinstance(node, Group) or name not in node.members:
            raise ValueError(f"not a metadata tree: it has no {path}")
        node = node.members[name]
    return node


def _shown_again(node: Node, other: Node) -> Node:
    if isinstance(other, Group):
        return Group(node.path, other.attributes, node.link, other.members, other.path)
    if not isinstance(other, Field):
        raise ValueError(f"not a metadata tree: {other.path} is no object")
    again = Field(node.path, other.attributes, node.link, other.dtype, other.shape, other.value)
    again.chunks, again.filters, again.sources = other.chunks, other.filters, other.sources
    again.missing_filters, again._statistics = other.missing_filters, other._statistics
    again.same_as, again.unfilled = other.path, other.unfilled
    return again
