"""Layouts of known files of constants: what is in `schemas/constants`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from nxformula._resources import resource


@dataclass(frozen=True, slots=True)
class Part:
    """A symbol in a file of constants.

    Attributes
    ----------
    axes : tuple of str
        Its dimensions, in the order of storage.
    units : str or None
        Units, where the file states none.
    path : str or None
        Path of the dataset in HDF5.
    constant : str or None
        Of a dataset `NAME/CONSTANT/NUMBER/data` in HDF5.
    take : mapping
        The one place along a dimension that is meant.
    """

    axes: tuple[str, ...]
    units: str | None
    path: str | None
    constant: str | None
    take: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a kind of file holds.

    Attributes
    ----------
    name, title : str
        The name, and one line.
    kind : {"hdf5", "array", "raw"}
        HDF5; one array, as npy or text; or numbers and nothing else.
    dtype : str or None
        Of raw numbers.
    plane : tuple of int
        Lengths of the last dimensions of raw numbers.
    symbols : mapping of Part
        What is in it.
    notes, references : tuple of str
        What is to be known, and where that comes from.
    """

    name: str
    title: str
    kind: str
    dtype: str | None
    plane: tuple[int, ...]
    symbols: Mapping[str, Part]
    notes: tuple[str, ...]
    references: tuple[str, ...]


@cache
def layout_names() -> tuple[str, ...]:
    """All names, in order."""
    files = (file.name for file in resource("schemas", "constants").iterdir())
    known = (n for n in files if n.endswith(".json") and ".schema." not in n)
    return tuple(sorted(n.removesuffix(".json") for n in known))


@cache
def layout(name: str) -> Layout:
    """A layout.

    Raises
    ------
    ValueError
        There is none of this name.

    Examples
    --------
    >>> layout("psi-gain-map").plane
    (512, 1024)
    """
    if name not in layout_names():
        close = get_close_matches(name, layout_names(), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "; --list shows them"
        raise ValueError(f"there is no layout {name!r}{hint}")
    data = json.loads(resource("schemas", "constants", f"{name}.json").read_text(encoding="ascii"))
    parts = {
        symbol: Part(
            tuple(facts["axes"]),
            facts["units"],
            facts.get("path"),
            facts.get("constant"),
            facts.get("take", {}),
        )
        for symbol, facts in data["symbols"].items()
    }
    return Layout(
        data["name"],
        data["title"],
        data["kind"],
        data.get("dtype"),
        tuple(data.get("plane", ())),
        parts,
        tuple(data["notes"]),
        tuple(data["references"]),
    )
