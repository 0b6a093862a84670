"""Rules of entries and classes: NXMX-ENT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nxformula.nexus.metadata.nodes import Broken, Group
from nxformula.validation.classes import OPEN, known_classes
from nxformula.validation.scope import Fault, Scope, check, check_file
from nxformula.validation.spelling import nearest
from nxformula.validation.tree import Tree

DEFINITION: Final = "NXmx"


def mx_entries(tree: Tree) -> list[Group]:
    """The entries whose definition is NXmx, or almost."""
    return [group for group in tree.entries if is_almost_mx(definition_of(group))]


def definition_of(entry: Group) -> str | None:
    """The text of the field `definition`."""
    field = entry.field("definition")
    return field.words if field is not None else None


def is_almost_mx(text: str | None) -> bool:
    """Whether a definition means NXmx."""
    if text is None:
        return False
    clean = text.strip(" \0\t\n")
    return (
        clean == DEFINITION
        or nearest(clean, [DEFINITION]) is not None
        or (clean.lower().startswith("nxm") and clean.lower().endswith("mx") and len(clean) <= 6)
    )


@check_file("NXMX-ENT-001")
def is_mx(tree: Tree) -> Iterator[Fault]:
    """A file has an NXmx entry; if not, this is all that is said of it."""
    if not mx_entries(tree):
        yield _no_entry(tree)


def _no_entry(tree: Tree) -> Fault:
    if not tree.entries:
        return Fault("/", "no group is an NXentry; expected one with the definition NXmx")
    entry = min(tree.entries, key=lambda group: (group.path.count("/"), group.path))
    node = entry.members.get("definition")
    if isinstance(node, Broken):
        return Fault(entry.path, f"its definition cannot be read: {node.problem}")
    if node is None:
        return Fault(entry.path, "the entry has no field 'definition'; expected 'NXmx'")
    text = definition_of(entry)
    if text is None:
        return Fault(entry.path, "its definition is not a text; expected 'NXmx'")
    return Fault(entry.path, f"its definition is {text[:60]!r}, not 'NXmx'")


@check("NXMX-ENT-002")
def almost(scope: Scope) -> Iterator[Fault]:
    """A definition that is almost right."""
    text = definition_of(scope.entry)
    if text is not None and text != DEFINITION:
        yield Fault(scope.entry.path, f"its definition is {text!r}; expected exactly 'NXmx'")


@check_file("NXMX-ENT-003")
def classes(tree: Tree) -> Iterator[Fault]:
    """Every group says its class, which exists."""
    for group in tree.groups:
        if group.path == "/":
            continue
        value = group.attributes.get("NX_class")
        if value is None:
            yield from _without_class(tree, group)
        elif group.nx_class is None:
            yield Fault(group.path, f"NX_class is {str(value)[:60]}; expected one text", "NX_class")
        elif group.nx_class not in known_classes():
            yield _unknown(tree, group, group.nx_class)
        elif isinstance(value, list):
            message = f"NX_class is a list of one text, [{group.nx_class!r}]; expected a text"
            yield Fault(group.path, message, "NX_class", severity="warning")


def _without_class(tree: Tree, group: Group) -> Iterator[Fault]:
    parent = tree.parent(group)
    if group.path.count("/") > 1 and tree.class_of(parent) in (None, *OPEN):
        return
    found = tree.class_of(group)
    if found is not None:
        message = f"the group has no NX_class; its content is that of {found}"
        yield Fault(group.path, message, "NX_class", fix=f"Set NX_class to {found!r}.")


def _unknown(tree: Tree, group: Group, stated: str) -> Fault:
    found = tree.class_of(group)
    if found is not None and found != stated:
        if stated.strip(" \0") == found:
            message = f"NX_class is {stated!r}, padded; expected {found!r}"
            return Fault(group.path, message, "NX_class", severity="warning")
        message = f"NX_class is {stated!r}, which is no class; did you mean {found!r}?"
        return Fault(group.path, message, "NX_class", fix=f"Set NX_class to {found!r}.")
    return Fault(group.path, f"NX_class is {stated[:60]!r}, which is no class", "NX_class")


@check_file("NXMX-ENT-004")
def defaults(tree: Tree) -> Iterator[Fault]:
    """The attributes `default` lead from the root to a plot."""
    here, seen = tree.root, set[str]()
    while here.path not in seen:
        seen.add(here.path)
        name = here.attributes.get("default")
        if name is None:
            return
        node = tree.resolve(here.path, name) if isinstance(name, str) else None
        if not isinstance(node, Group):
            message = f"default is {str(name)[:60]!r}, and there is no such group here"
            yield Fault(here.path, message, "default")
            return
        here = node
