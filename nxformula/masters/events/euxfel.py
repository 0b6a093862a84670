"""Run folders of European XFEL: one file for each module and sequence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError
from nxformula.masters.events.stacks import Run, Source, Stack, columns
from nxformula.nexus.files import open_file, reading

_FILE: Final = re.compile(r"(RAW|CORR)-(R\d+)-([A-Za-z]+)(\d+)-S(\d+)\.h5")
#: Sources of images: the detector's name, and of its values the group below `INSTRUMENT`.
_IMAGE: Final = re.compile(
    r"([^/]+)/(?:DET|CORR)/(?:\d+CH0:(?:xtdf|output)/image|JNGFR\d+:\w+/data)"
)
#: Detectors whose modules are counted from 0.
_COUNTED_FROM_0: Final = ("AGIPD", "DSSC", "LPD")
#: Names of the frames in a group of images, raw and corrected.
_DATA: Final = ("data", "adc")


def is_run_file(path: str) -> bool:
    """Whether a file has a name as European XFEL gives it."""
    return _FILE.fullmatch(os.path.basename(path)) is not None and os.path.isfile(path)


def files_of(folder: str) -> list[str]:
    """The files of a run folder."""
    paths = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
    return [path for path in paths if is_run_file(path)]


def read_files(paths: Sequence[str], detector: str | None = None) -> Run:
    """The stacks of a detector in files of a run.

    Parameters
    ----------
    paths : sequence of str
        Files such as `RAW-R0238-AGIPD00-S00000.h5`.
    detector : str, optional
        Its name, such as `SPB_DET_AGIPD1M-1`, where the run has several.

    Raises
    ------
    FileError
        A file cannot be read, or modules do not go together.
    """
    folder = os.path.dirname(paths[0])
    parts: dict[str, list[_Part]] = {}
    names: dict[str, None] = {}
    kinds: set[str] = set()
    runs: set[str] = set()
    for path in sorted(map(os.path.abspath, paths), key=os.path.basename):
        match = _FILE.fullmatch(os.path.basename(path))
        assert match is not None, "asked for by the caller"
        for found, group in _images(path):
            names[found] = None
            if detector is None or found == detector:
                kinds.add(match[1])
                runs.add(match[2])
                module = f"{match[3]}{match[4]}"
                parts.setdefault(module, []).append(_Part(path, group, found))
    if not parts:
        listed = f"; it has {', '.join(names)}" if names else ""
        raise FileError(f"{folder} has no images of {detector or 'a detector'}{listed}", folder)
    used = {part.detector for each in parts.values() for part in each}
    if len(used) > 1 or len(kinds) > 1:
        listed = ", ".join(sorted(used | kinds))
        raise FileError(f"{folder} has several detectors: {listed}; choose one", folder)
    if len(runs) > 1:
        listed = ", ".join(sorted(runs))
        raise FileError(f"{folder} has files of several runs: {listed}", folder)
    stacks = [_stack(module, each) for module, each in sorted(parts.items())]
    _check_alike(stacks)
    return Run(
        tuple(stacks),
        ("train_id", "pulse_id"),
        used.pop(),
        kinds == {"RAW"},
        numbers=_numbers([stack.name for stack in stacks]),
    )


def _numbers(modules: list[str]) -> tuple[int, ...]:
    """Numbers of modules, from 0; JUNGFRAU are counted from 1, or wherever they begin."""
    found = [int(re.sub(r"\D+", "", module)) for module in modules]
    first = 0 if modules[0].startswith(_COUNTED_FROM_0) else min(found)
    return tuple(number - first for number in found)


class _Part:
    """The frames of a module in one file."""

    def __init__(self, path: str, group: str, detector: str) -> None:
        self.detector = detector
        with open_file(path) as file, reading(f"'{group}'", path):
            image = file[group]
            name = next((name for name in _DATA if name in image), None)
            if name is None:
                raise FileError(f"{path}:/{group} has no data", path)
            data = image[name]
            self.source = Source(path, f"/{group}/{name}", len(data))
            self.frames = 1
            if "pulseId" in image:
                self.shape = data.shape[1:]
                ids = image["trainId"][...].reshape(-1), image["pulseId"][...].reshape(-1)
                cells = "cellId"
            else:
                # JUNGFRAU: a row for each train, with one frame for each memory cell in use.
                self.frames = data.shape[1] if data.ndim == 4 else 1
                self.shape = data.shape[-2:]
                train = np.repeat(image["trainId"][...].reshape(-1), self.frames)
                ids = train, np.tile(np.arange(self.frames), len(data))
                cells = "memoryCell"
            self.dtype = data.dtype.name
            self.cells: Array | None = None
            if cells in image and (self.frames > 1 or "pulseId" in image):
                self.cells = image[cells][...].reshape(-1)
        count = self.source.rows * self.frames
        if any(len(each) != count for each in ids):
            message = f"{path}:/{group} has {count} frames, and {len(ids[0])} ids"
            raise FileError(message, path)
        self.ids = columns(*ids)


def _images(path: str) -> Iterator[tuple[str, str]]:
    """Detector and group of the images in a file."""
    with open_file(path) as file:
        top = file.get("INSTRUMENT")
        if not isinstance(top, h5py.Group):
            return
        found: list[tuple[str, str]] = []

        def visit(name: str, _object: Any) -> None:
            match = _IMAGE.fullmatch(name)
            if match is not None:
                found.append((match[1], f"INSTRUMENT/{name}"))

        with reading("the list of sources", path):
            top.visititems(visit)
    yield from found


def _stack(module: str, parts: list[_Part]) -> Stack:
    first = parts[0]
    for part in parts[1:]:
        if (part.shape, part.dtype, part.frames) != (first.shape, first.dtype, first.frames):
            message = (
                f"{part.source.file} has frames {part.dtype}{part.shape}, and "
                f"{first.source.file} has {first.dtype}{first.shape}"
            )
            raise FileError(message, part.source.file)
    ids = np.concatenate([part.ids for part in parts])
    cells = [part.cells for part in parts if part.cells is not None]
    return Stack(
        module,
        tuple(part.source for part in parts),
        tuple(first.shape),
        first.dtype,
        ids,
        # Rows that were reserved and never written have no train.
        ids[:, 0] == 0,
        None,
        first.frames,
        np.concatenate(cells).astype(np.uint16) if len(cells) == len(parts) else None,
    )


def _check_alike(stacks: list[Stack]) -> None:
    first = stacks[0]
    for stack in stacks[1:]:
        if (stack.shape, stack.dtype) != (first.shape, first.dtype):
            message = (
                f"module {stack.name} has frames {stack.dtype}{stack.shape}, and {first.name} has "
                f"{first.dtype}{first.shape}"
            )
            raise FileError(message, stack.sources[0].file)
