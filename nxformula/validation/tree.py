"""A metadata tree with its groups by class, and every object at its best place."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from nxformula.nexus.metadata.nodes import Broken, Field, Group, Node
from nxformula.validation.classes import class_of

#: Where an object with several places is best shown.
_PREFERRED: Final = {"NXtransformations": 1, "NXdetector_module": 2, "NXdata": 9}
_USUAL: Final = 5


class Tree:
    """A metadata tree as the rules see it.

    Parameters
    ----------
    root : Group
        From a `MetadataFile`, or from JSON.

    Attributes
    ----------
    groups : list of Group
        Every group once.
    fields : list of Field
        Every field once: where it is an axis rather than where NXdata shows it.
    broken : list of Broken
        What cannot be reached.
    """

    def __init__(self, root: Group) -> None:
        self.root = root
        self.groups: list[Group] = []
        self.broken: list[Broken] = []
        self._classes: dict[int, str | None] = {}
        shown: dict[str, list[Field]] = defaultdict(list)
        parents: dict[str, Group] = {"/": root}
        for group in _groups(root):
            self.groups.append(group)
            for node in group.members.values():
                parents[node.path] = group
                if isinstance(node, Broken):
                    self.broken.append(node)
                elif isinstance(node, Field):
                    shown[node.same_as or node.path].append(node)
        self._parents = parents
        self._shown = shown
        self.fields = [min(places, key=self._rank) for places in shown.values()]

    def _rank(self, field: Field) -> tuple[int, int, str]:
        parent = self.parent(field)
        named = 0 if parent.name == "transformations" else 1
        return _PREFERRED.get(self.class_of(parent) or "", _USUAL), named, field.path

    def places(self, field: Field) -> list[str]:
        """All paths under which a field is shown."""
        return [node.path for node in self._shown.get(field.same_as or field.path, [field])]

    def parent(self, node: Node) -> Group:
        """The group that has a node as its member."""
        return self._parents[node.path]

    def class_of(self, group: Group) -> str | None:
        """The class of a group; where it is missing or misspelt, what it must be."""
        if id(group.members) not in self._classes:
            self._classes[id(group.members)] = class_of(group)
        return self._classes[id(group.members)]

    def get(self, path: str) -> Node | None:
        """The node at a path."""
        node: Node = self.root
        for name in path.split("/"):
            if name in ("", "."):
                continue
            found = node.members.get(name) if isinstance(node, Group) else None
            if found is None:
                return None
            node = found
        return node

    def resolve(self, group_path: str, path: str) -> Node | None:
        """The node at a path that begins at a group, or at the root."""
        joined = posixpath.normpath(posixpath.join(group_path, path))
        return self.get(joined)

    def members(self, group: Group, nx_class: str) -> list[Group]:
        """The members of a group that are of a class."""
        return [node for node in group.groups() if self.class_of(node) == nx_class]

    def fields_below(self, group: Group) -> Iterator[Field]:
        """The fields below a group that are at their best place there."""
        inside = group.path.rstrip("/") + "/"
        return (field for field in self.fields if field.path.startswith(inside))

    @cached_property
    def entries(self) -> list[Group]:
        """Groups of class NXentry and NXsubentry."""
        return [g for g in self.groups if self.class_of(g) in ("NXentry", "NXsubentry")]


def _groups(group: Group) -> Iterator[Group]:
    """A group and those below it, each once, links after what is simply there."""
    pending, seen = [group], set()
    while pending:
        here = pending.pop(0)
        if id(here.members) in seen:
            continue
        seen.add(id(here.members))
        yield here
        inner = [node for _, node in sorted(here.members.items()) if isinstance(node, Group)]
        pending += sorted(inner, key=lambda node: node.same_as is not None)
