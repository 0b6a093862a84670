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
from nxformula.masters.events.stacks import Run
from nxformula.nexus.files import open_file, reading
from nxformula.nexus.text import as_text, attribute_of

_PLACE: Final = re.compile(r"(?P<file>.+):(?P<path>/[^,]+)(?P<rows>,rows)?")
_PAIR: Final = re.compile(
    r"(?P<file>.+):(?P<values>/[^,]+),(?P<ids>/[^,{]+)(?:,offset=(?P<offset>-?\d+))?"
)
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<place>[^{]+)(?:\{(?P<units>[^{}]*)\})?")


def read_array(path: str, name: str) -> tuple[Array, str | None]:
    """A dataset of another file, and the units that it states.

    Raises
    ------
    FileError
        It cannot be read, or is no dataset.
    """
    with open_file(path) as file:
        found = file.get(name)
        if not isinstance(found, h5py.Dataset):
            raise MissingSourceError(f"{path}:{name} is no dataset", path)
        with reading(f"'{name}'", path):
            values: Array = found[...]
        return values, as_text(attribute_of(found, "units"))


def selected(table: EventTable, place: str | None) -> EventTable:
    """The events that a list of ids names.

    Parameters
    ----------
    table : EventTable
        All events.
    place : str or None
        `FILE:/PATH` of ids (one for each event, or rows of all its ids), or of a boolean for each
        event; `FILE:/PATH,rows` of numbers of events, from 0. None keeps all.

    Raises
    ------
    FileError
        The list cannot be read, or names an event that there is not.
    ValueError
        The text is of another form.
    """
    if place is None:
        return table
    match = _PLACE.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not of the form FILE:/PATH or FILE:/PATH,rows")
    wanted, _ = read_array(match["file"], match["path"])
    if wanted.dtype.kind == "b":
        places = _places_of_flags(table, wanted, place, match["file"])
    elif wanted.dtype.kind not in "iu":
        message = f"{place} holds {wanted.dtype}; expected ids of events, or booleans"
        raise FileError(message, match["file"])
    elif match["rows"]:
        places = _places_of_rows(table, wanted, place, match["file"])
    else:
        places = _places_of_ids(table, wanted, place, match["file"])
    return replace(
        table,
        ids=table.ids[places],
        frame_index=table.frame_index[places],
        status=table.status[places],
        cell_id=None if table.cell_id is None else table.cell_id[places],
        left_out=table.left_out + len(table.ids) - len(places),
    )


def _places_of_flags(table: EventTable, flags: Array, place: str, file: str) -> Array:
    if flags.size != len(table.ids):
        message = f"{place} has {flags.size} booleans, and the run has {len(table.ids)} events"
        raise FileError(message, file)
    return np.flatnonzero(flags)


def _places_of_rows(table: EventTable, rows: Array, place: str, file: str) -> Array:
    if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < len(table.ids):
        message = (
            f"{place} goes from {rows.min()} to {rows.max()}; expected numbers of events from 0 "
            f"to {len(table.ids) - 1}"
        )
        raise FileError(message, file)
    return np.unique(rows).astype(np.intp)


def _places_of_ids(table: EventTable, wanted: Array, place: str, file: str) -> Array:
    columns = table.ids.shape[1]
    rows = wanted.reshape(-1, 1) if wanted.ndim < 2 or wanted.shape[1] == 1 else wanted
    if rows.shape[1] != columns:
        message = f"{place} has {rows.shape[1]} ids for an event, which has {columns}"
        raise FileError(message, file)
    known = {tuple(ids): number for number, ids in enumerate(table.ids.tolist())}
    chosen = [known.get(tuple(ids)) for ids in rows.astype(np.uint64).tolist()]
    if None in chosen:
        first = rows[chosen.index(None)].tolist()
        missing = chosen.count(None)
        message = f"{place} names {missing} ids that are no events, the first is {first}"
        raise FileError(message, file)
    return np.unique(np.array(chosen, np.intp))


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
    values, _ = read_array(match["file"], match["values"])
    ids, _ = read_array(match["file"], match["ids"])
    if len(ids.reshape(-1)) != values.size or values.dtype.kind not in "iuf":
        message = f"{place}: {values.shape} values for {ids.size} ids; expected one for each"
        raise FileError(message, match["file"])
    rows = rows_of_events(table, ids, int(match["offset"] or 0))
    found = np.full(len(table.ids), np.nan)
    found[rows >= 0] = values.reshape(-1)[rows[rows >= 0]]
    return found


def rows_of_events(table: EventTable, ids: Array, offset: int) -> Array:
    """The row of a list that belongs to each event, by equality of the first id.

    Parameters
    ----------
    table : EventTable
        The events.
    ids : ndarray of int
        The list.
    offset : int
        What to add to its ids.

    Returns
    -------
    ndarray of int64
        -1 where the list has none; the first, where it has several.
    """
    # Modulo 2**64, as the counters themselves run.
    shifted = ids.reshape(-1).astype(np.uint64) + np.uint64(offset % (1 << 64))
    order = np.argsort(shifted, kind="stable")
    known = shifted[order]
    if not len(known):
        return np.full(len(table.ids), -1)
    at = np.minimum(np.searchsorted(known, table.ids[:, 0]), len(known) - 1)
    found: Array = np.where(known[at] == table.ids[:, 0], order[at], -1)
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


def mask_of_user(place: str | None, run: Run) -> Array | None:
    """A mask of stacked images, or of modules one by one.

    Parameters
    ----------
    place : str or None
        `FILE:/PATH` of integers with bits as `pixel_mask` has them, or of booleans that are true
        where a pixel is bad; of the modules of the run, or of all that the detector has.
    run : Run
        The run.

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
    found, _ = read_array(match["file"], match["path"])
    stacked = found.reshape(-1, found.shape[-1]) if found.ndim == 3 else found
    kept = run.kept_rows
    if kept is not None and stacked.shape == (
        run.module_height * len(run.module_map or ()),
        run.image[1],
    ):
        stacked = stacked[kept]
    if stacked.shape != run.image:
        message = f"{place} has the shape {found.shape}, and images have {run.image}"
        raise FileError(message, match["file"])
    if found.dtype.kind not in "biu":
        message = f"{place} holds {found.dtype}; expected integers or booleans"
        raise FileError(message, match["file"])
    mask: Array = stacked.astype(np.uint32)
    return mask
