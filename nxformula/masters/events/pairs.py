"""Any recorder: for each module a dataset of frames, and one of their ids."""

from __future__ import annotations

import os
import re
from typing import Final

import h5py
import numpy as np

from nxformula.errors import FileError, MissingSourceError
from nxformula.masters.events.stacks import Run, Source, Stack, columns
from nxformula.nexus.files import open_file, reading

_PAIR: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<file>.+):(?P<data>/[^,]+),(?P<ids>/.+)")


def is_pair(text: str) -> bool:
    """Whether a text is `MODULE=FILE:/DATA,/IDS`."""
    return _PAIR.fullmatch(text) is not None


def read_pairs(texts: list[str]) -> Run:
    """The stacks of `MODULE=FILE:/DATA,/IDS`; those of one module follow one another.

    Raises
    ------
    FileError
        A file cannot be read, or modules do not go together.
    """
    found: dict[str, list[tuple[Source, tuple[int, ...], str, np.ndarray]]] = {}
    for text in texts:
        match = _PAIR.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not of the form MODULE=FILE:/DATA,/IDS")
        part = _read(os.path.abspath(match["file"]), match["data"], match["ids"])
        found.setdefault(match["name"], []).append(part)
    stacks: list[Stack] = []
    for name, parts in sorted(found.items()):
        alike = {(shape, dtype) for _, shape, dtype, _ in parts}
        alike |= {(stack.shape, stack.dtype) for stack in stacks}
        if len(alike) > 1:
            listed = " and ".join(f"{dtype}{shape}" for shape, dtype in sorted(alike))
            message = f"module {name} has other frames than others: {listed}"
            raise FileError(message, parts[0][0].file)
        ids = columns(np.concatenate([ids for *_, ids in parts]))
        sources = tuple(source for source, *_ in parts)
        _, shape, dtype, _ = parts[0]
        stacks.append(Stack(name, sources, shape, dtype, ids, np.zeros(len(ids), bool)))
    return Run(tuple(stacks), ("event_id",), "detector")


def _read(path: str, data: str, ids: str) -> tuple[Source, tuple[int, ...], str, np.ndarray]:
    with open_file(path) as file:
        for name in (data, ids):
            if not isinstance(file.get(name), h5py.Dataset):
                raise MissingSourceError(f"{path}:{name} is no dataset", path)
        frames, numbers = file[data], file[ids]
        with reading(f"'{ids}'", path):
            found = numbers[...].reshape(-1)
        if found.dtype.kind not in "iu" or len(found) != len(frames):
            message = (
                f"{path}:{ids} holds {found.dtype}[{len(found)}]; expected {len(frames)} integers, "
                f"one for each frame of {data}"
            )
            raise FileError(message, path)
        return Source(path, data, len(frames)), frames.shape[1:], frames.dtype.name, found
