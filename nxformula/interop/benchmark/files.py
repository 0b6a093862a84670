"""Speed from file to values: whole frames, some rows, workers, memory, and the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.engine.threads import cores, limited
from nxformula.interop.benchmark.frames import JUNGFRAU, MIXES, SHAPES, make_jungfrau, naive
from nxformula.interop.benchmark.timing import Table, agreement, once, race, scratch
from nxformula.nexus.attach import attach
from nxformula.nexus.calibrate import calibrate
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.reader import open as open_reader

FIELD: Final = "/entry/instrument/detector/data"


#: Frames that differ; a longer run repeats them.
_DISTINCT: Final = 8


@contextmanager
def written_run(size: str, frames: int, mix: str, *, copies: bool) -> Iterator[Path]:
    """A folder with a run: raw stack, constants, and master with formula.

    `raw.h5` is compressed with bitshuffle/LZ4, one frame a chunk. With `copies` there are
    `calibrated.h5`, compressed in the same way, and `plain.h5`, uncompressed, with the
    calibrated values. The folder is removed afterwards.
    """
    made = make_jungfrau(SHAPES[size], min(frames, _DISTINCT), MIXES[mix])
    with tempfile.TemporaryDirectory(prefix="nxformula-bench-") as name:
        folder = Path(name)
        _write_stack(folder / "raw.h5", made.data, frames, compressed=True)
        if copies:
            values = np.empty(made.data.shape, np.float32)
            naive(made.data, made.pedestal, made.gain, values)
            _write_stack(folder / "calibrated.h5", values, frames, compressed=True)
            _write_stack(folder / "plain.h5", values, frames, compressed=False)
        with h5py.File(folder / "constants.h5", "w") as file:
            file["pedestal"], file["gain"] = made.pedestal, made.gain
        _write_master(folder)
        yield folder


def _write_stack(path: Path, images: Array, frames: int, *, compressed: bool) -> None:
    import hdf5plugin

    shape = images.shape[1:]
    packed = {"chunks": (1, *shape), **hdf5plugin.Bitshuffle(cname="lz4")} if compressed else {}
    with h5py.File(path, "w") as file:
        stack = file.create_dataset("data", (frames, *shape), images.dtype, **packed)
        for k in range(frames):
            stack[k] = images[k % len(images)]


def _write_master(folder: Path) -> None:
    with h5py.File(folder / "run.nxs", "w") as file:
        group = file
        for name, kind in (
            ("entry", "NXentry"),
            ("instrument", "NXinstrument"),
            ("detector", "NXdetector"),
        ):
            group = group.create_group(name)
            group.attrs["NX_class"] = kind
        group["data"] = h5py.ExternalLink("raw.h5", "/data")
    symbols = [
        f"{name}={folder / 'constants.h5'}:/{name}[stage,slow,fast]"
        for name in ("pedestal", "gain")
    ]
    attach(folder / "run.nxs", FIELD, JUNGFRAU, symbols, in_place=True)


class _Run:
    """The open files of a run, and an array for its values."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        def opened(name: str) -> Any:
            # HDF5's own cache would hold a chunk that is read again.
            return stack.enter_context(h5py.File(folder / name, rdcc_nbytes=0))

        self.raw = opened("raw.h5")["data"]
        self.stored = {
            kind: opened(name)["data"]
            for kind, name in (("compressed", "calibrated.h5"), ("uncompressed", "plain.h5"))
            if (folder / name).exists()
        }
        constants = opened("constants.h5")
        self.pedestal, self.gain = constants["pedestal"][...], constants["gain"][...]
        master = stack.enter_context(open_reader(folder / "run.nxs"))
        self.images: CalibratedDataset = master[FIELD]
        self.out = np.empty(self.raw.shape, np.float32)

    def naive(self) -> None:
        for k in range(len(self.out)):
            naive(self.raw[k : k + 1], self.pedestal, self.gain, self.out[k : k + 1])

    def read_stored(self, kind: str) -> None:
        dataset = self.stored[kind]
        for k in range(len(self.out)):
            dataset.read_direct(self.out, np.s_[k], np.s_[k])

    def new_arrays(self, source: Any) -> None:
        """As most people read: `source[k]`, a new array for each frame, which then is let go."""
        for k in range(len(self.out)):
            source[k]

    def frame_by_frame(self) -> None:
        for k in range(len(self.out)):
            self.images.read_into(self.out[k], k)

    def together(self) -> None:
        self.images.read_into(self.out)


def _on(threads: int, action: Callable[[], object]) -> Callable[[], object]:
    def limited_action() -> None:
        with limited(threads):
            action()

    return limited_action


def _threads() -> tuple[int, ...]:
    return (1, cores()) if cores() > 1 else (1,)


def _named(name: str, threads: int) -> str:
    return f"{name}, {threads} thread{'s' * (threads > 1)}"


def whole_frames_table(folder: Path, rounds: int) -> Table:
    """From a compressed raw file to values, beside reading values that were stored."""
    with ExitStack() as stack:
        run = _Run(folder, stack)
        runs: dict[str, Callable[[], object]] = {
            "naive h5py and NumPy": run.naive,
            "stored float32, bitshuffle/LZ4, read with h5py": lambda: run.read_stored("compressed"),
            "stored float32, uncompressed, read with h5py": lambda: run.read_stored("uncompressed"),
        }
        for threads in _threads():
            runs[_named("nxformula, frame by frame", threads)] = _on(threads, run.frame_by_frame)
            runs[_named("nxformula, all at once", threads)] = _on(threads, run.together)
        run.naive()
        expected = run.out.copy()
        checks = {name: _check(action, run.out, expected) for name, action in runs.items()}
        new = {
            "stored float32, bitshuffle/LZ4, h5py's `dataset[k]`": run.stored["compressed"],
            "nxformula, `images[k]`": run.images,
        }
        for name, source in new.items():
            runs[name] = partial(run.new_arrays, source)
            checks[name] = agreement(np.stack([source[k] for k in range(len(expected))]), expected)
        spent = race(runs, rounds)
        count = len(expected)
    names = list(runs)
    rows = tuple(
        (
            name,
            f"{time.cpu / count * 1e3:.2f}",
            f"{time.wall / count * 1e3:.2f}",
            f"{spent[names[0]].wall / time.wall:.1f}",
            f"{spent[names[1]].wall / time.wall:.2f}",
            checks[name],
        )
        for name, time in spent.items()
    )
    sizes = ", ".join(
        f"{os.path.getsize(folder / name) / count / 1e6:.1f} MB {what}"
        for name, what in (("raw.h5", "raw"), ("calibrated.h5", "calibrated, compressed"))
    )
    header = ("", "CPU ms/frame", "ms/frame", "x naive", "x stored compressed", "result")
    note = f"A frame on disk: {sizes}. The files are in the system's cache."
    return Table(f"From file to float32, {count} frames", header, rows, note)


def _check(action: Callable[[], object], out: Array, expected: Array) -> str:
    out.fill(0)
    action()
    return agreement(out, expected)


def rows_table(folder: Path, rounds: int, rows: int = 100) -> Table:
    """Some rows of each frame, at the beginning, in the middle and at the end."""
    lines = []
    with ExitStack() as stack:
        run = _Run(folder, stack)
        count, height = run.images.shape[:2]
        for where, first in (
            ("first", 0),
            ("middle", (height - rows) // 2),
            ("last", height - rows),
        ):
            part = np.s_[first : first + rows]
            out = np.empty((count, rows, run.images.shape[2]), np.float32)
            runs = {
                name: _each(action, out, count) for name, action in _ways_to_rows(run, part).items()
            }
            next(iter(runs.values()))()
            expected = out.copy()
            checks = {name: _check(action, out, expected) for name, action in runs.items()}
            spent = race(runs, rounds)
            base = next(iter(spent.values()))
            lines += [
                (
                    where,
                    name,
                    f"{time.wall / count * 1e3:.2f}",
                    f"{base.wall / time.wall:.1f}",
                    checks[name],
                )
                for name, time in spent.items()
            ]
    header = ("rows", "", "ms/frame", "x first", "result")
    return Table(f"{rows} of {height} rows", header, tuple(lines))


def _ways_to_rows(run: _Run, part: slice) -> dict[str, Callable[[int], Array]]:
    """Rows of the frame with a number."""
    images = run.images
    return {
        "whole frame with h5py and NumPy, then cut": lambda k: _naive_frame(run, k)[part],
        "whole frame with nxformula, then cut": lambda k: images[k][part],
        "nxformula": lambda k: images[k, part],
    }


def _naive_frame(run: _Run, k: int) -> Array:
    out = np.empty((1, *run.raw.shape[1:]), np.float32)
    naive(run.raw[k : k + 1], run.pedestal, run.gain, out)
    frame: Array = out[0]
    return frame


def _each(action: Callable[[int], Array], out: Array, count: int) -> Callable[[], object]:
    def every() -> None:
        for k in range(count):
            out[k] = action(k)

    return every


def memory_table(size: str, mix: str, counts: tuple[int, ...]) -> Table:
    """The most memory that is in use beside the result, as the number of frames grows."""
    rows = []
    for count in counts:
        with (
            written_run(size, count, mix, copies=False) as folder,
            ExitStack() as stack,
        ):
            run = _Run(folder, stack)
            run.images.read_into(run.out[:1], slice(0, 1))
            rows.append((str(count), f"{scratch(run.together) / 2**20:.1f}"))
    header = ("frames", "MiB beside the result")
    note = "Constants, which stay in memory while a file is open, are counted in the first read."
    return Table(f"Memory, frames of {size} pixels read all at once", header, tuple(rows), note)


def calibrate_table(folder: Path) -> Table:
    """Writing a calibrated copy, by one process and by one for each core."""
    rows: list[tuple[str, ...]] = []
    stored: list[Array] = []
    for workers in _threads():
        output = folder / f"by_{workers}.nxs"
        time = once(partial(calibrate, folder / "run.nxs", output, workers=workers))
        with h5py.File(output) as file:
            values = file[FIELD][...]
            stored.append(values)
            count = len(values)
        check = agreement(values, stored[0])
        rows.append((str(workers), f"{time.wall / count * 1e3:.1f}", check))
    header = ("workers", "ms/frame", "against the first")
    note = f"The start of processes is counted, and the disk of {folder.parent}."
    return Table(f"nxformula calibrate, {count} frames", header, tuple(rows), note)


_START: Final = """
import json, sys, time
marks = [time.perf_counter()]
import nxformula
marks.append(time.perf_counter())
file = nxformula.open(sys.argv[1])
images = file[sys.argv[2]]
marks.append(time.perf_counter())
images[0]
marks.append(time.perf_counter())
images[1]
marks.append(time.perf_counter())
print(json.dumps([b - a for a, b in zip(marks, marks[1:])]))
"""


def start_table(folder: Path, rounds: int) -> Table:
    """What a fresh process does until it has its first frames, with machine code kept or not."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="nxformula-bench-") as cache:
        for kept in (False, True):
            best = [min(times) for times in zip(*_starts(folder, cache, kept, rounds), strict=True)]
            name = "machine code kept from before" if kept else "nothing kept"
            rows.append((name, *(f"{1e3 * seconds:.0f}" for seconds in best)))
    header = ("", "import", "open, check, compile", "first frame", "second frame")
    return Table("A fresh process, ms", header, tuple(rows))


def _starts(folder: Path, cache: str, kept: bool, rounds: int) -> Iterator[list[float]]:
    command = [sys.executable, "-c", _START, str(folder / "run.nxs"), FIELD]
    for number in range(rounds):
        own = cache if kept else os.path.join(cache, str(number))
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "XDG_CACHE_HOME": own},
        )
        found: list[float] = json.loads(done.stdout)
        if number or not kept:
            yield found
