"""Fields of a file that have a formula, by path."""

from __future__ import annotations

from typing import Any

import h5py

from nxformula.nexus import names
from nxformula.nexus.files import reading
from nxformula.nexus.group import is_formula_group
from nxformula.nexus.implicit import implicit_fields


def formula_paths(file: Any) -> list[str]:
    """Paths of all fields that have a formula in this very file; those with a group first."""
    found: list[str] = []
    scaled: dict[str, None] = {}

    def visit(name: str) -> None:
        if name.endswith(names.GROUP_SUFFIX):
            group = h5py.Group.__getitem__(file, name)
            if is_formula_group(group):
                found.append("/" + name.removesuffix(names.GROUP_SUFFIX))
        if name.endswith(names.LINEAR_SUFFIXES):
            scaled[name.rpartition("/")[0] or "/"] = None

    with reading("the list of members", file.filename):
        h5py.Group.visit(file, visit)
    for holder in scaled:
        for field in implicit_fields(h5py.Group.__getitem__(file, holder)):
            path = joined(f"/{holder}", field)
            if path not in found:
                found.append(path)
    return found


def joined(group: str, path: str) -> str:
    """The absolute path of what is at a path from a group.

    Examples
    --------
    >>> joined("/entry", "./data//data"), joined("/entry", "/data")
    ('/entry/data/data', '/data')
    """
    steps = [] if path.startswith("/") else group.split("/")
    return "/" + "/".join(step for step in (*steps, *path.split("/")) if step not in ("", "."))
