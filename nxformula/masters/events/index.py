"""Write the event index that a run makes: the table, and links to the recorders' files."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

from nxformula.masters.events.matching import EventTable
from nxformula.masters.events.stacks import Run
from nxformula.nexus import event_index as names

_COMPRESSION = {"compression": "gzip", "shuffle": True}


def write_index(parent: Any, run: Run, table: EventTable, folder: str, invalid: int | float) -> Any:
    """Write the group `event_index`.

    Parameters
    ----------
    parent : h5py.Group
        The detector, in a file open for writing.
    run : Run
        The stacks.
    table : EventTable
        Their rows by event.
    folder : str
        Where the file will be: links are relative to it.
    invalid : int or float
        What stands where a module has no row.

    Returns
    -------
    h5py.Group
        The group.
    """
    group = parent.create_group(names.GROUP)
    group.attrs["NX_class"] = "NXcollection"
    group.attrs[names.LANGUAGE_ATTRIBUTE] = names.LANGUAGE
    group.attrs[names.INVALID] = np.asarray(invalid).astype(run.stacks[0].dtype)
    channels = [-1 if channel is None else channel for channel in run.fields.values()]
    group.attrs[names.FIELDS] = list(run.fields)
    group.attrs[names.FIELD_CHANNELS] = np.array(channels, np.int64)
    arrays = {
        names.FRAME_INDEX: table.frame_index,
        "present": table.present,
        "status": table.status,
        **{name: table.ids[:, k] for k, name in enumerate(run.id_names)},
    }
    if table.cell_id is not None:
        arrays["cell_id"] = table.cell_id
    for name, values in arrays.items():
        group.create_dataset(name, data=values, **(_COMPRESSION if values.size else {}))
    for stack in run.stacks:
        module = group.create_group(stack.name)
        module.attrs["NX_class"] = "NXcollection"
        module.attrs[names.MODULE_SHAPE] = np.array(stack.shape, np.int64)
        module.attrs[names.MODULE_DTYPE] = stack.dtype
        if stack.box is not None:
            module.attrs[names.SLOW_ORIGIN] = stack.box[0]
        if stack.frames > 1:
            module.attrs[names.FRAMES_IN_ROW] = stack.frames
        for number, source in enumerate(stack.sources):
            relative = os.path.relpath(os.path.realpath(source.file), os.path.realpath(folder))
            module[names.SOURCE.format(number)] = h5py.ExternalLink(relative, source.path)
        rows = [source.rows * stack.frames for source in stack.sources]
        module[names.SOURCE_ROWS] = np.array(rows, np.int64)
        ids = stack.ids[~stack.bad][:, 0]
        module["first_id"] = ids.min() if ids.size else np.uint64(0)
        module["last_id"] = ids.max() if ids.size else np.uint64(0)
    return group
