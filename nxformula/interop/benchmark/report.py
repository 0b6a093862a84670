"""All tables in turn, and a description of the machine, as Markdown."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from nxformula._version import __version__
from nxformula.engine.threads import cores
from nxformula.interop.benchmark import files, kernels
from nxformula.interop.benchmark.frames import MIXES
from nxformula.interop.benchmark.kernels import Contender
from nxformula.interop.benchmark.timing import Table


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured.

    Attributes
    ----------
    rounds : int
        Turns of each contender.
    sizes : tuple of str
        Pixels of frames, smallest first.
    frames : int
        Frames of a file.
    stacks : tuple of int
        Numbers of frames of longer files, smallest first.
    counts : tuple of int
        Numbers of frames to see growth with.
    terms : tuple of int
        Numbers of terms of formulas to see growth with.
    """

    rounds: int
    sizes: tuple[str, ...]
    frames: int
    stacks: tuple[int, ...]
    counts: tuple[int, ...]
    terms: tuple[int, ...]


FULL: Final = Extent(5, ("4M", "16M"), 16, (8, 32, 64), (1, 2, 4, 8, 16), (1, 4, 16, 64, 256))
QUICK: Final = Extent(1, ("0.25M",), 4, (4, 8), (1, 4), (1, 16))


def machine() -> str:
    """The machine and the versions, in one line."""
    packages = []
    for name in ("numpy", "h5py", "llvmlite", "hdf5plugin"):
        try:
            packages.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            packages.append(f"no {name}")
    return (
        f"{_processor()}, {cores()} cores, Python {platform.python_version()}, "
        f"nxformula {__version__}, {', '.join(packages)}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def tables(extent: Extent, peers: Mapping[str, Contender]) -> Iterator[Table]:
    """Every table, as soon as it is measured.

    Parameters
    ----------
    extent : Extent
        How much is measured.
    peers : mapping
        Contenders from elsewhere, for the Jungfrau formula.
    """
    rounds = extent.rounds
    for size in extent.sizes:
        for mix in MIXES:
            yield kernels.jungfrau_table(mix, size, rounds, peers)
    yield kernels.agipd_table(extent.sizes[0], rounds)
    size, mix = extent.sizes[0], next(iter(MIXES))
    with files.written_run(size, extent.frames, mix, copies=True) as folder:
        yield files.whole_frames_table(folder, rounds)
        yield files.rows_table(folder, rounds)
        yield files.start_table(folder, rounds + 1)
    with files.written_run(size, extent.stacks[-1], mix, copies=False) as folder:
        yield files.calibrate_table(folder)
    yield files.memory_table(size, mix, extent.stacks)
    yield kernels.growth_table(rounds, extent.sizes, extent.counts)
    yield kernels.length_table(rounds, extent.terms)


def markdown(table: Table) -> str:
    """A table as Markdown.

    Examples
    --------
    >>> print(markdown(Table("Speed", ("", "ns"), (("this", "1"), ("that", "2")), "Less is more.")))
    ### Speed
    <BLANKLINE>
    |  | ns |
    |---|---|
    | this | 1 |
    | that | 2 |
    <BLANKLINE>
    Less is more.
    """
    lines = [f"### {table.title}", "", _row(table.header), "|" + "---|" * len(table.header)]
    lines += map(_row, table.rows)
    if table.note:
        lines += ["", table.note]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
