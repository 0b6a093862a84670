"""Choose events by ids, and join values of other files to them by ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError, MissingSourceError
from nxformula.masters.events.matching import EventTable
from nxformula.nexus.files import open_file, reading

_PLACE: Final = re.compile(r"(?P<file>.+):(?P<path>/[^,]+)")
_PAIR: Final = re.compile(
    r"(?P<file>.+):(?P<values>/[^,]+),(?P<ids>/[^,{]+)(?:,offset=(?P<offset>-?\d+))?"
)
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<place>[^{]+)(?:\{(?P<units>[^{}]*)\})?")


def _read(path: str, name: str) -> Array:
    with open_file(path) as file:
        found = file.get(name)
        if not isinstance(found, h5py.Dataset):
            raise MissingSourceError(f"{path}:{name} is no dataset", path)
        with reading(f"'{name}'", path):
            values: Array = found[...]
    return values


def selected(table: EventTable, place: str | None) -> EventTable:
    """The events that a list of ids names.

    Parameters
    ----------
    table : EventTable
        All events.
    place : str or None
        `FILE:/PATH` of ids (the last id of an event, or rows of all its ids); None keeps all.

    Raises
    ------
    FileError
        The list cannot be read, or names an id that is no event.
    ValueError
        The text is of another form.
    """
    if place is None:
        return table
    match = _PLACE.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not of the form FILE:/PATH")
    wanted = _read(match["file"], match["path"])
    if wanted.dtype.kind not in "iu":
        message = f"{place} holds {wanted.dtype}; expected ids of events"
        raise FileError(message, match["file"])
    columns = table.ids.shape[1]
    rows = wanted.reshape(-1, 1) if wanted.ndim < 2 or wanted.shape[1] == 1 else wanted
    if rows.shape[1] != columns:
        message = f"{place} has {rows.shape[1]} ids for an event, which has {columns}"
        raise FileError(message, match["file"])
    known = {tuple(ids): number for number, ids in enumerate(table.ids.tolist())}
    chosen = [known.get(tuple(ids)) for ids in rows.astype(np.uint64).tolist()]
    if None in chosen:
        first = rows[chosen.index(None)].tolist()
        missing = chosen.count(None)
        message = f"{place} names {missing} ids that are no events, the first is {first}"
        raise FileError(message, match["file"])
    places = np.unique(np.array(chosen, np.intp))
    return replace(
        table,
        ids=table.ids[places],
        frame_index=table.frame_index[places],
        status=table.status[places],
        cell_id=None if table.cell_id is None else table.cell_id[places],
        left_out=table.left_out + len(table.ids) - len(places),
    )


def per_event(table: EventTable, place: str) -> Array:
    """Values of another file for each event, joined by equality of the first id.

    Parameters
    ----------
    table : EventTable
        The events.
    place : str
        `FILE:/VALUES,/IDS`; with `,offset=N` behind it, N is added to these ids.

    Returns
    -------
    ndarray of float64
        NaN where the file has none.

    Raises
    ------
    FileError
        The file cannot be read, or has not one id for each value.
    ValueError
        The text is of another form.
    """
    match = _PAIR.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not of the form FILE:/VALUES,/IDS")
    values, ids = _read(match["file"], match["values"]), _read(match["file"], match["ids"])
    ids = ids.reshape(-1)
    if len(values) != len(ids) or values.size != len(ids) or values.dtype.kind not in "iuf":
        message = f"{place}: {values.shape} values for {len(ids)} ids; expected one for each"
        raise FileError(message, match["file"])
    ids = ids.astype(np.int64) + int(match["offset"] or 0)
    order = np.argsort(ids, kind="stable")
    ids, values = ids[order].astype(np.uint64), values.reshape(-1)[order].astype(np.float64)
    at = np.minimum(np.searchsorted(ids, table.ids[:, 0]), max(0, len(ids) - 1))
    found = np.full(len(table.ids), np.nan)
    if len(ids):
        equal = ids[at] == table.ids[:, 0]
        found[equal] = values[at[equal]]
    return found


def write_per_event(group: Any, table: EventTable, texts: Sequence[str]) -> None:
    """Write values of other files into an event index, joined by ids.

    Parameters
    ----------
    group : h5py.Group
        The event index, in a file open for writing.
    table : EventTable
        Its events.
    texts : sequence of str
        `NAME=FILE:/VALUES,/IDS`, with `,offset=N` and `{UNITS}` behind it where needed.

    Raises
    ------
    FileError
        A file cannot be read.
    ValueError
        A text is of another form, or its name is that of another field.
    """
    for text in texts:
        match = _NAMED.fullmatch(text)
        if match is None or _PAIR.fullmatch(match["place"]) is None:
            raise ValueError(f"{text!r} is not of the form NAME=FILE:/VALUES,/IDS{{UNITS}}")
        if match["name"] in group:
            raise ValueError(f"{match['name']!r} is a field of the event index already")
        field = group.create_dataset(match["name"], data=per_event(table, match["place"]))
        if match["units"]:
            field.attrs["units"] = match["units"]


def mask_of_user(place: str | None, shape: tuple[int, int]) -> Array | None:
    """A mask of stacked images, or of modules one by one.

    Parameters
    ----------
    place : str or None
        `FILE:/PATH` of integers with bits as `pixel_mask` has them, or of booleans that are true
        where a pixel is bad.
    shape : tuple of int
        Of a stacked image.

    Raises
    ------
    FileError
        It cannot be read, or has another shape.
    ValueError
        The text is of another form.
    """
    if place is None:
        return None
    match = _PLACE.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not of the form FILE:/PATH")
    found = _read(match["file"], match["path"])
    stacked = found.reshape(-1, found.shape[-1]) if found.ndim == 3 else found
    if stacked.shape != shape:
        message = f"{place} has the shape {found.shape}, and images have {shape}"
        raise FileError(message, match["file"])
    if found.dtype.kind not in "biu":
        message = f"{place} holds {found.dtype}; expected integers or booleans"
        raise FileError(message, match["file"])
    mask: Array = stacked.astype(np.uint32)
    return mask
