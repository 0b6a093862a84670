"""Calibrate the shares of a run one by one, wherever that is done, and join them.

A share is a range of frames. Its values are written into a file of their own, in the folder
`OUT.shares` beside the output; when all are there, their chunks are copied, as they are
compressed, into the output. What was interrupted can be continued with the shares that are there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import Any, Final

import h5py

from nxformula._version import __version__
from nxformula.engine.threads import limited
from nxformula.errors import CorruptFileError, FileError, MissingSourceError
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.calibrated_copy import (
    chunks_of,
    compression_options,
    products,
    shape_of,
    write_values,
)
from nxformula.nexus.files import open_file, reading
from nxformula.nexus.output import new_file, umask
from nxformula.nexus.reader import open as open_reader

#: Bytes of values that a share has at most, if a chunk is not larger.
_SHARE_BYTES: Final = 1 << 30
#: Shares for each worker, at least: so many that the last do not wait for one.
_SHARES_EACH: Final = 4

_TASK: Final = "task.json"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be calibrated, as any process can begin with it.

    Attributes
    ----------
    master, field : str
        Absolute path of the master; path of the field in it.
    allow : tuple of str
        Folders whose files may be read.
    frames : tuple of int
        Start, stop and step of the frames.
    length : int
        Frames of a share.
    chunks : tuple of int
        Of the output.
    compression : str
        Of the output.
    inputs : mapping
        Size and time of change of every file that is read.
    mask, errors, results
        What is written, as `calibrate` takes it.
    version : str
        Of this package.
    """

    master: str
    field: str
    allow: tuple[str, ...]
    frames: tuple[int, int, int]
    length: int
    chunks: tuple[int, ...]
    compression: str
    inputs: Mapping[str, tuple[int, int]]
    mask: bool = False
    errors: bool = False
    results: tuple[str, ...] = ()
    version: str = __version__

    @property
    def shares(self) -> list[range]:
        """The shares, as places in the output.

        All but the last begin and end with a chunk.
        """
        count = len(range(*self.frames))
        starts = list(range(0, count, self.length))
        if len(starts) > 1 and count - starts[-1] < self.chunks[0]:
            # HDF5 makes no dataset that is smaller than its chunk.
            starts.pop()
        return [range(a, b) for a, b in zip(starts, (*starts[1:], count), strict=False)]

    def frames_of(self, share: range) -> range:
        """The frames of the master that a share is computed from."""
        return range(*self.frames)[share.start : share.stop]


def task_of(
    images: CalibratedDataset,
    chosen: range,
    compression: str,
    workers: int,
    *,
    errors: bool,
    results: tuple[str, ...],
) -> Task:
    """The task of calibrating some frames of a field.

    Parameters
    ----------
    images : CalibratedDataset
        The field; of frames.
    chosen : range
        The frames.
    compression : str
        Of the output.
    workers : int
        How many will work on it.
    errors, results
        What is written beside the values, as `calibrate` takes it.
    """
    shape = shape_of(images, chosen)
    chunks = chunks_of(images, shape) or shape
    frame_bytes = prod(shape[1:]) * images.dtype.itemsize
    wanted = min(_SHARE_BYTES // max(1, frame_bytes), -(-len(chosen) // (_SHARES_EACH * workers)))
    step = max(1, chunks[0])
    access = images.context.access
    return Task(
        master=access.master,
        field=images.name,
        allow=access.roots,
        frames=(chosen.start, chosen.stop, chosen.step),
        length=max(step, wanted // step * step),
        chunks=chunks,
        compression=compression,
        mask=images.context.mask,
        errors=errors,
        results=results,
        inputs=_stamps((*images.context.pool.paths, *access.used)),
    )


def _stamps(paths: Iterable[str]) -> dict[str, tuple[int, int]]:
    stamps = {}
    for path in sorted({os.path.realpath(path) for path in paths}):
        try:
            found = os.stat(path)
        except OSError as error:
            raise MissingSourceError(f"{path}: {error.strerror}", path) from None
        stamps[path] = found.st_size, found.st_mtime_ns
    return stamps


def write_share(task: Task, folder: str, number: int, threads: int) -> int:
    """Calibrate a share, and write it into its file: what a worker does.

    Parameters
    ----------
    task : Task
        Of which this is a share.
    folder : str
        Where the shares are.
    number : int
        Which share.
    threads : int
        How many may work on it.

    Returns
    -------
    int
        Number of its frames.

    Raises
    ------
    FileError
        A file cannot be read or written, or the worker has another version of this package.
    """
    if task.version != __version__:
        message = f"{folder}: a worker has nxformula {__version__}, not {task.version}"
        raise FileError(message, folder)
    share = task.shares[number]
    with open_reader(task.master, allow=task.allow, mask=task.mask) as master, limited(threads):
        found = products(master.only_formula(task.field), task.errors, task.results)
        final = _file(folder, number)
        with new_file(final, force=True) as temporary, h5py.File(temporary, "w") as file:
            targets = [
                (_empty(file, name, values, len(share), task), values)
                for name, values in found.items()
            ]
            write_values(targets, task.frames_of(share), None)
    return len(share)


def _empty(file: Any, name: str, values: CalibratedDataset, frames: int, task: Task) -> Any:
    """A dataset for some frames, in chunks that can be copied as they are."""
    shape = (frames, *values.shape[1:])
    options = compression_options(task.compression)
    return file.create_dataset(name, shape, values.dtype, chunks=task.chunks, **options)


def _file(folder: str, number: int) -> str:
    return os.path.join(folder, f"share_{number:06}.h5")


class Shares:
    """The folder with the shares of a task.

    Parameters
    ----------
    output : str
        The file that they will be joined in.
    task : Task
        What is to be calibrated.
    resume : bool
        Whether to continue with the shares that are there.
    force : bool
        Whether those that are there may be removed.

    Raises
    ------
    FileError
        There are shares: of another task, or nobody asked to continue. Or they cannot be written.
    """

    def __init__(self, output: str, task: Task, *, resume: bool, force: bool) -> None:
        self.folder = os.path.abspath(output) + ".shares"
        self.task = task
        if os.path.lexists(self.folder):
            self._find(resume, force)
        if not os.path.isdir(self.folder):
            self._make()

    def _find(self, resume: bool, force: bool) -> None:
        """Take up what was begun before, or remove it."""
        before = _read_task(self.folder)
        if resume:
            # How long a share is was decided then; all else must be the same.
            difference = _difference(before, self.task)
            if difference is not None:
                message = f"{self.folder} was begun with {difference}; remove it to begin anew"
                raise FileError(message, self.folder)
            self.task = replace(self.task, length=before["length"])
        elif force:
            shutil.rmtree(self.folder)
        else:
            message = (
                f"{self.folder} is of a run that did not finish; continue it with --resume "
                "(resume=True), or begin anew with --force (force=True)"
            )
            raise FileError(message, self.folder)

    def _make(self) -> None:
        above, name = os.path.split(self.folder)
        try:
            # A folder of this name has its task from the beginning.
            temporary = tempfile.mkdtemp(prefix=f".{name}.", dir=above)
            with open(os.path.join(temporary, _TASK), "w", encoding="utf-8") as file:
                json.dump(asdict(self.task), file, indent=1)
            os.chmod(temporary, 0o777 & ~umask())
            os.rename(temporary, self.folder)
        except OSError as error:
            message = f"{self.folder} cannot be written: {error.strerror}"
            raise FileError(message, self.folder) from None

    def missing(self) -> list[int]:
        """Numbers of the shares that are still to be calibrated."""
        every = range(len(self.task.shares))
        return [number for number in every if not os.path.exists(_file(self.folder, number))]

    def check_inputs(self) -> None:
        """Refuse to join shares that were computed from different contents of a file.

        Raises
        ------
        FileError
            A file that was read has changed since the task was begun.
        """
        for path, stamp in _stamps(self.task.inputs).items():
            if stamp != tuple(self.task.inputs[path]):
                raise FileError(f"{path} changed while it was calibrated", path)

    def join(self, datasets: Mapping[str, Any]) -> None:
        """Copy the values of all shares into the output, as they are compressed.

        Parameters
        ----------
        datasets : mapping of h5py.Dataset
            With the chunks and the compression of the task, by the names in the shares.

        Raises
        ------
        FileError
            A share cannot be read, or lacks values.
        """
        for number, share in enumerate(self.task.shares):
            path = _file(self.folder, number)
            with open_file(path) as file:
                for name, dataset in datasets.items():
                    with reading(f"'{name}'", path):
                        self._copy(file[name], dataset, share, path)

    def _copy(self, values: Any, dataset: Any, share: range, path: str) -> None:
        shape = (len(share), *dataset.shape[1:])
        origins: list[tuple[int, ...]] = []
        values.id.chunk_iter(lambda info: origins.append(info.chunk_offset))
        count = prod(-(-n // chunk) for n, chunk in zip(shape, dataset.chunks, strict=True))
        if values.shape != shape or values.chunks != dataset.chunks or len(origins) != count:
            raise CorruptFileError(f"{path} is not the share that it should be", path)
        for origin in origins:
            mask, chunk = values.id.read_direct_chunk(origin)
            place = (origin[0] + share.start, *origin[1:])
            dataset.id.write_direct_chunk(place, chunk, mask)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder)

    def keep(self, error: BaseException) -> None:
        """After a failure: keep the shares that are finished, and say so; remove a folder of none.

        Parameters
        ----------
        error : BaseException
            The failure; gets a note.
        """
        every = len(self.task.shares)
        finished = every - len(self.missing())
        if not finished:
            self.remove()
            return
        error.add_note(
            f"{finished} of {every} shares are finished and kept in {self.folder}; "
            "continue with --resume (resume=True)"
        )


def _read_task(folder: str) -> dict[str, Any]:
    try:
        with open(os.path.join(folder, _TASK), encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("length"), int):
        message = f"{folder} exists, and is no folder with shares of nxformula"
        raise FileError(message, folder) from None
    return found


def _difference(before: Mapping[str, Any], task: Task) -> str | None:
    """What of a task is not as it was before."""
    now = json.loads(json.dumps(asdict(task)))
    for name, value in now.items():
        if name == "inputs":
            changed = [
                path
                for path in sorted({*value, *before.get(name, ())})
                if value.get(path) != before.get(name, {}).get(path)
            ]
            if changed:
                return f"other contents of {changed[0]}"
        elif name != "length" and value != before.get(name):
            return f"{name} {before.get(name)!r}, not {value!r}"
    return None
