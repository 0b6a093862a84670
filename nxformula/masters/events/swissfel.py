"""Files of SwissFEL: one file for all modules, with one id for all or one for each."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

from nxformula.errors import FileError
from nxformula.masters.events.stacks import Run, Source, Stack, as_module_map, columns
from nxformula.nexus.files import open_file, reading

#: Rows of pixels that a module of a JUNGFRAU has.
_SLOW = 512


def is_swissfel(path: str) -> bool:
    """Whether a file is one of SwissFEL's recorder."""
    if not os.path.isfile(path) or not h5py.is_hdf5(path):
        return False
    with open_file(path) as file:
        return _detector(file) is not None


def _detector(file: Any) -> str | None:
    """Name of the group with the images below `data`."""
    holder = file.get("data")
    if not isinstance(holder, h5py.Group):
        return None
    needed = {"data", "pulse_id"}
    if needed <= set(holder):
        # As converters write it, without the name of the detector.
        return "."
    names = [name for name in holder if isinstance(holder.get(name), h5py.Group)]
    return next((n for n in names if needed <= set(holder[n])), None)


def read_files(paths: list[str]) -> Run:
    """The stacks of files that follow one another.

    Where the file has an id for each module, each is a stack of its own; else all modules are one.

    Raises
    ------
    FileError
        A file cannot be read, or is not as the first.
    """
    found = [_read(os.path.abspath(path)) for path in paths]
    first = found[0]
    for path, other in zip(paths[1:], found[1:], strict=True):
        if (other[0], other[1], other[2], other[3].shape[1:]) != (
            *first[:3],
            first[3].shape[1:],
        ):
            raise FileError(f"{path} holds other images than {paths[0]}", path)
    detector, shape, dtype = first[:3]
    ids = np.concatenate([each[3] for each in found])
    bad = np.concatenate([each[4] for each in found])
    sources = tuple(each[5] for each in found)
    modules = ids.shape[1]
    height = shape[0] // modules
    named = "detector" if detector == "." else detector
    stacks = [
        Stack(
            f"{named}_{k:02}" if modules > 1 else named,
            sources,
            (height, *shape[1:]),
            dtype,
            columns(ids[:, k]),
            bad[:, k],
            (k * height, height) if modules > 1 else None,
        )
        for k in range(modules)
    ]
    return Run(tuple(stacks), ("event_id",), named, True, _module_map(paths[0], detector))


def _module_map(path: str, detector: str) -> tuple[int, ...] | None:
    """Which modules are disabled, if the file says so."""
    with open_file(path) as file:
        dataset = file["data"][detector].get("module_map")
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iu":
            return None
        with reading(f"'{dataset.name}'", path):
            values = dataset[...]
    row = values.reshape(-1, values.shape[-1])[0] if values.ndim > 1 else values.reshape(-1)
    try:
        return as_module_map(row)
    except ValueError as error:
        raise FileError(f"{path}: {error}", path) from None


def _read(path: str) -> tuple[str, tuple[int, ...], str, Any, Any, Source]:
    with open_file(path) as file:
        detector = _detector(file)
        if detector is None:
            message = f"{path} is no file of SwissFEL: no /data/DETECTOR with data and pulse_id"
            raise FileError(message, path)
        group = file["data"][detector]
        with reading(f"'{group.name}'", path):
            data = group["data"]
            ids = group["pulse_id"][...].reshape(len(data), -1)
            good = np.ones_like(ids)
            if "is_good_frame" in group:
                good = np.broadcast_to(
                    group["is_good_frame"][...].reshape(len(data), -1), ids.shape
                )
        if data.shape[1] % ids.shape[1]:
            message = f"{path} has {ids.shape[1]} ids for images of {data.shape[1]} rows"
            raise FileError(message, path)
        # A pulse that no module has is written as 0.
        bad = (good == 0) | (ids == 0)
        source = Source(path, data.name, len(data))
        return detector, data.shape[1:], data.dtype.name, ids, bad, source
