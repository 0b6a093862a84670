"""Runs whose truth is known: what each module recorded of each event, and the files of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxformula.masters.events.stacks import Source, Stack

SHAPE = (3, 4)


@dataclass
class Truth:
    """What stacks hold.

    Attributes
    ----------
    frames : dict of int to dict
        For each event id, and each module that has a good row of it, the value of its pixels.
    """

    frames: dict[int, dict[str, int]]

    def value(self, event: int, module: str) -> int | None:
        """The value of a module's pixels at an event, if it has it."""
        return self.frames.get(event, {}).get(module)


def write_pairs(folder: Path, rows: dict[str, list[int]]) -> tuple[list[str], Truth]:
    """Files of modules with these ids in their rows; the first row of an id counts."""
    texts, frames = [], {}
    number = 0
    for module, ids in rows.items():
        path = folder / f"{module}.h5"
        values = np.arange(number, number + len(ids), dtype="u2")
        number += len(ids)
        for event, value in reversed(list(zip(ids, values.tolist(), strict=True))):
            frames.setdefault(event, {})[module] = value
        with h5py.File(path, "w") as file:
            shape = (len(ids), *SHAPE)
            file["data"] = np.broadcast_to(values[:, None, None], shape)
            file["ids"] = np.array(ids, "u8")
        texts.append(f"{module}={path}:/data,/ids")
    return texts, Truth(frames)


def stack(name: str, ids: list[int], bad: Any = None, cells: Any = None) -> Stack:
    """A stack without files."""
    row = np.array(ids, "u8").reshape(-1, 1)
    flags = np.zeros(len(ids), bool) if bad is None else np.array(bad, bool)
    own = None if cells is None else np.array(cells, "u2")
    source = Source(f"{name}.h5", "/data", len(ids))
    return Stack(name, (source,), SHAPE, "uint16", row, flags, cell_id=own)
