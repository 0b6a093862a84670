"""Rules of links, virtual datasets and filters: NXMX-LNK, NXMX-IO-002."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from nxformula.nexus.metadata.nodes import Broken, Field, Source
from nxformula.validation.scope import Fault, check_file
from nxformula.validation.tree import Tree


@dataclass(frozen=True, slots=True)
class _Missing:
    """A file that is not there, and who points to it."""

    links: list[Broken]
    virtual: list[Field]


def _missing_files(tree: Tree) -> dict[str, _Missing]:
    found: dict[str, _Missing] = {}
    for node in sorted(tree.broken, key=_outer_first):
        if node.kind == "missing file":
            found.setdefault(node.cause, _Missing([], [])).links.append(node)
    for field in tree.fields:
        for source in field.sources:
            if source.kind == "missing file":
                each = found.setdefault(source.cause, _Missing([], []))
                if field not in each.virtual:
                    each.virtual.append(field)
    return found


def _outer_first(node: Broken) -> tuple[bool, str]:
    return node.link is None or node.link.kind != "external", node.path


@check_file("NXMX-LNK-001")
def external(tree: Tree) -> Iterator[Fault]:
    """External links lead to something; a missing file is one fault."""
    for missing in _missing_files(tree).values():
        if missing.links:
            first, *others = missing.links
            related = [node.path for node in (*others, *missing.virtual)]
            text = f"; {len(related)} more point there" if related else ""
            message = f"the link leads to {first.link}, and there is no such file{text}"
            yield Fault(first.path, message, None, tuple(related[:20]))
    for node in tree.broken:
        if node.kind == "missing" and node.link is not None and node.link.kind == "external":
            message = f"the link leads to {node.link}, and the file has no such object"
            yield Fault(node.path, message)


@check_file("NXMX-LNK-002")
def soft(tree: Tree) -> Iterator[Fault]:
    """Soft links lead to something."""
    gone = {node.path for node in tree.broken if node.kind != "not followed"}
    for node in tree.broken:
        if node.link is None or node.link.kind != "soft":
            continue
        if node.kind == "cycle":
            yield Fault(node.path, f"links lead in a circle, from here to {node.link}")
        elif node.kind == "missing" and not _leads_to(tree, node, gone):
            target = os.path.normpath(os.path.join(os.path.dirname(node.path), node.link.target))
            message = f"the link leads to {node.link}, and there is no such object"
            yield Fault(node.path, message, None, (target,))


def _leads_to(tree: Tree, node: Broken, gone: set[str]) -> bool:
    """Whether a soft link fails because a link on its way does, which is told there."""
    assert node.link is not None
    group = os.path.dirname(node.path)
    target = os.path.normpath(os.path.join(group, node.link.target))
    parts = target.split("/")
    ways = {"/".join(parts[: k + 1]) for k in range(1, len(parts))}
    return bool((ways & gone) - {node.path})


@check_file("NXMX-LNK-003")
def virtual(tree: Tree) -> Iterator[Fault]:
    """Virtual datasets have all their sources."""
    told = {id(f) for m in _missing_files(tree).values() if m.links for f in m.virtual}
    for field in tree.fields:
        if field.unfilled:
            message = (
                f"no source gives {field.unfilled} of {(field.shape or (0,))[0]} frames; readers "
                "get fill values"
            )
            yield Fault(field.path, message, severity="warning")
        wrong = [s for s in field.sources if s.problem and not _is_told_elsewhere(tree, s)]
        if not wrong or (id(field) in told and all(s.kind == "missing file" for s in wrong)):
            continue
        first = wrong[0]
        what = {
            "missing file": "there is no such file",
            "missing": "the file has no such object",
            "cycle": "virtual datasets lead in a circle",
        }.get(first.kind, first.problem)
        more = f" ({len(wrong)} of {len(field.sources)} sources)" if len(wrong) > 1 else ""
        message = f"it takes values from {first.file}:{first.path}, and {what}{more}"
        yield Fault(field.path, f"{message}; readers get fill values")


def _is_told_elsewhere(tree: Tree, source: Source) -> bool:
    """Whether a source is not looked at, or a link of this file that is told itself."""
    if source.kind in ("forbidden", "not followed"):
        return True
    return source.file == "." and isinstance(tree.get(source.path), Broken)


@check_file("NXMX-LNK-004")
def filters(tree: Tree) -> Iterator[Fault]:
    """Filters that are needed are there."""
    for field in tree.fields:
        if field.missing_filters:
            names = ", ".join(field.missing_filters)
            yield Fault(field.path, f"not checked: compressed with {names}, which is not here")


@check_file("NXMX-LNK-005")
def absolute(tree: Tree) -> Iterator[Fault]:
    """Links to other files are relative."""
    seen = set()
    for group in tree.groups:
        for node in group.members.values():
            link = node.link
            if link is None or link.file is None or not os.path.isabs(link.file):
                continue
            if link.file not in seen and not isinstance(node, Broken):
                seen.add(link.file)
                yield Fault(node.path, f"the link leads to the absolute path {link.file}")


@check_file("NXMX-LNK-006")
def outside(tree: Tree) -> Iterator[Fault]:
    """Links stay where a reader may follow them."""
    seen: set[str] = set()
    for node in tree.broken:
        if node.kind == "forbidden" and node.cause not in seen:
            seen.add(node.cause)
            yield Fault(node.path, f"not checked: {node.problem}")
    for field in tree.fields:
        for source in field.sources:
            if source.kind == "forbidden" and source.cause not in seen:
                seen.add(source.cause)
                yield Fault(field.path, f"not checked: {source.problem}")


@check_file("NXMX-IO-002")
def readable(tree: Tree) -> Iterator[Fault]:
    """What is there can be read."""
    for node in tree.broken:
        if node.kind == "unreadable":
            yield Fault(node.path, f"it cannot be read: {node.problem}")
    for field in tree.fields:
        if field.dtype in ("unknown",):
            yield Fault(field.path, "it holds values of a type that NumPy does not know")
