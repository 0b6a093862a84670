"""Where the formula group of a field belongs: beside the dataset itself."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import h5py

from nxformula.errors import FileError
from nxformula.nexus import names
from nxformula.nexus.links import Found, Resolver, link_of
from nxformula.nexus.text import as_text, attribute_of

#: Classes of the groups that hold detector data.
_DATA_CLASSES = ("NXdetector", "NXdata")


@dataclass(frozen=True, slots=True)
class Home:
    """The place of a field in a master.

    Attributes
    ----------
    file : h5py.Group
        The master's root.
    group : h5py.Group
        The group where the field's link is that is not a soft link: there the formula is, or
        goes; a formula that is not there yet goes into NXdetector rather than NXdata.
    field : str
        The field's name there.
    found : Found
        The field.
    others : tuple of str
        Other groups of the master that show the field under this name.
    """

    file: Any
    group: Any
    field: str
    found: Found
    others: tuple[str, ...]

    @property
    def field_path(self) -> str:
        """Path of the field."""
        return f"{self.group.name.rstrip('/')}/{self.field}"

    @property
    def formula_path(self) -> str:
        """Path of the formula group."""
        return self.field_path + names.GROUP_SUFFIX


def find_home(master: Any, field: str, resolver: Resolver) -> Home:
    """Find the place of a field.

    Raises
    ------
    FileError
        There is no such dataset in the master.
    """
    root = h5py.Group(h5py.h5o.open(master.id, b"/"))
    path = master.filename
    try:
        found = resolver.find(root, field)
    except KeyError:
        raise FileError(f"{path} has no {field}", path) from None
    if not isinstance(found.object, h5py.Dataset):
        raise FileError(f"{field} in {path} is a group; expected a dataset", path)
    own = [(g, n) for g, n in found.places if os.path.samefile(g.file.filename, path)]
    if not own:
        message = (
            f"{field} in {path} is behind a link to another file; a formula goes into its group"
        )
        raise FileError(message, path)
    group, name = own[-1]
    others = {g.name for g, n in own[:-1] if n == name}
    others.update(_other_groups(root, group, name, found, resolver))
    has_formula = isinstance(link_of(group, name + names.GROUP_SUFFIX), h5py.HardLink)
    detector = None if has_formula else _detector(root, {group.name, *others}, name)
    if detector is not None and not _is_detector(group):
        others.add(group.name)
        group = detector
    return Home(root, group, name, found, tuple(sorted(others - {group.name})))


def home_of_joined(group: Any, field: str) -> Home:
    """The place of a field that only an event index has.

    Parameters
    ----------
    group : h5py.Group
        The group with its formula and the index.
    field : str
        Its name there.
    """
    return Home(group.file["/"], group, field, Found(None, ()), ())


def _detector(root: Any, groups: set[str], name: str) -> Any:
    """The detector among groups that has the field itself, not a soft link to it; or None."""
    for group in (root[path] for path in sorted(groups)):
        if _is_detector(group) and not isinstance(link_of(group, name), h5py.SoftLink):
            return group
    return None


def _is_detector(group: Any) -> bool:
    return as_text(attribute_of(group, "NX_class")) == "NXdetector"


def _other_groups(root: Any, home: Any, name: str, found: Found, resolver: Resolver) -> list[str]:
    """Detector and data groups of the same entry that show the same dataset by this name."""
    entry = root[home.name.split("/")[1]] if home.name != "/" else root
    groups = _groups(entry)
    groups += [below for group in groups for below in _groups(group)]
    return [group.name for group in groups if _shows(group, name, found, resolver)]


def _groups(group: Any) -> list[Any]:
    links = {name: link_of(group, name) for name in group}
    members = [group[name] for name, link in links.items() if isinstance(link, h5py.HardLink)]
    return [member for member in members if isinstance(member, h5py.Group)]


def _shows(group: Any, name: str, found: Found, resolver: Resolver) -> bool:
    if as_text(attribute_of(group, "NX_class")) not in _DATA_CLASSES:
        return False
    if link_of(group, name) is None:
        return False
    try:
        return bool(resolver.find(group, name).object == found.object)
    except (KeyError, FileError):
        # A link that may not be followed, or leads nowhere, shows nothing.
        return False
