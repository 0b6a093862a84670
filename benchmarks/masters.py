"""Events and masters: matching, reading through the index, writing and opening.

    python benchmarks/masters.py [FOLDER]

Every time stands beside a check of what came out.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import nxformula
from nxformula.masters.events.index import write_index
from nxformula.masters.events.matching import match
from nxformula.masters.events.stacks import Run, Source, Stack
from nxformula.masters.geometry.chains import Chains
from nxformula.masters.geometry.crystfel import parse_geometry
from nxformula.masters.geometry.hierarchy import hierarchy
from nxformula.masters.geometry.writing import write_geometry
from nxformula.masters.stacked import Stretch, stacked_layout, stretches
from nxformula.nexus.event_index import EventFrames
from nxformula.nexus.reader import open as open_reader

Array = np.ndarray[Any, np.dtype[Any]]
MODULES, LOST = 16, 0.01
ROUNDS = 5


def least(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least seconds that a call takes."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - begin)
    return best


def stacks(events: int, sources: list[Source] | None = None) -> list[Stack]:
    """Stacks of modules that each lost a hundredth of their frames."""
    random = np.random.default_rng(3)
    ids = np.arange(events, dtype="u8") + 10**9
    found = []
    for number in range(MODULES):
        own = ids[random.random(events) >= LOST]
        source = sources[number] if sources else Source("none", "/data", len(own))
        bad = np.zeros(len(own), bool)
        found.append(Stack(f"m{number:02}", (source,), (8, 8), "uint16", own[:, None], bad))
    return found


def matching(events: int) -> str:
    """Time to match ids, checked on events drawn at random."""
    made = stacks(events)
    seconds = least(lambda: match(made), 3)
    table = match(made)
    random = np.random.default_rng(1)
    for event in random.integers(0, len(table.ids), 1000):
        for number in random.integers(0, MODULES, 2):
            row = table.frame_index[event, number]
            own = made[number].ids[:, 0]
            there = np.searchsorted(own, table.ids[event, 0])
            is_there = there < len(own) and own[there] == table.ids[event, 0]
            assert (row == there) if is_there else (row == -1)
    return f"| match {events:,} events x {MODULES} modules | {seconds:.3f} s | checked 2,000 rows |"


def reading(folder: Path, events: int) -> list[str]:
    """Time of a random event through the index, beside the modules read by hand."""
    made = stacks(events)
    sources = []
    for number, stack in enumerate(made):
        path = folder / f"m{number:02}.h5"
        values = np.broadcast_to(stack.ids[:, :1, None] % 60000, (stack.rows, 8, 8))
        with h5py.File(path, "w") as file:
            file.create_dataset("data", data=values.astype("u2"))
        sources.append(Source(str(path), "/data", stack.rows))
    made = stacks(events, sources)
    table = match(made)
    index = folder / "index.h5"
    with h5py.File(index, "w") as file:
        write_index(file, Run(tuple(made), ("event_id",), "detector"), table, str(folder), 0)
    random = np.random.default_rng(2)
    wanted = random.integers(0, len(table.ids), 300)
    files = [h5py.File(source.file) for source in sources]
    datasets = [file["data"] for file in files]

    def by_hand() -> Array:
        out = np.zeros((len(wanted), MODULES * 8, 8), "u2")
        for k, event in enumerate(wanted):
            for number, row in enumerate(table.frame_index[event]):
                if row >= 0:
                    datasets[number].read_direct(
                        out[k], np.s_[row], np.s_[8 * number : 8 * number + 8]
                    )
        return out

    with open_reader(index) as view:
        opened = least(lambda: EventFrames(view["event_index"], view.context.resolver), 3)
        frames = EventFrames(view["event_index"], view.context.resolver)

        def by_index() -> Array:
            return np.stack([frames[int(event)] for event in wanted])

        np.testing.assert_array_equal(by_index(), by_hand())
        times = [least(action) / len(wanted) * 1e3 for action in (by_hand, by_index)]
        size = index.stat().st_size
        tracemalloc.start()
        frames[100]
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return [
        f"| a random event of {events:,}: modules by hand | {times[0]:.3f} ms | - |",
        f"| through the index | {times[1]:.3f} ms | {times[1] / times[0]:.2f}x, same values |",
        f"| open the index | {1e3 * opened:.1f} ms | {size / 1e6:.2f} MB of file |",
        f"| memory of one event | {memory / 1e3:.0f} kB | - |",
    ]


def virtual(folder: Path, events: int = 2000) -> list[str]:
    """Virtual datasets with a mapping for each stretch, and for each frame, beside the index."""
    made = stacks(events)
    sources = []
    for stack in made:
        path = folder / f"v_{stack.name}.h5"
        values = np.broadcast_to(stack.ids[:, :1, None] % 60000, (stack.rows, 8, 8))
        with h5py.File(path, "w") as file:
            file.create_dataset("data", data=values.astype("u2"))
        sources.append(Source(str(path), "/data", stack.rows))
    made = stacks(events, sources)
    run, table = Run(tuple(made), ("event_id",), "detector"), match(made)
    shape = (len(table.ids), *run.image)
    by_run = stretches(run, table)
    by_frame = [
        replace(one, event=one.event + k, row=one.row + k, count=1)
        for one in by_run
        for k in range(one.count)
    ]
    with h5py.File(folder / "v_index.h5", "w") as file:
        write_index(file, run, table, str(folder), 0)
    wanted = np.random.default_rng(2).integers(0, events, 200)
    with open_reader(folder / "v_index.h5") as view:
        frames = EventFrames(view["event_index"], view.context.resolver)
        expected = np.stack([frames[int(event)] for event in wanted])
        times = [least(lambda: [frames[int(event)] for event in wanted]) / len(wanted)]
    rows = [f"| a random event of {events:,}: through the index | {1e3 * times[0]:.3f} ms | - |"]
    for name, found in (("stretch", by_run), ("frame", by_frame)):
        path = folder / f"v_{name}_vds.h5"

        def write(path: Path = path, found: list[Stretch] = found) -> None:
            with h5py.File(path, "w", libver=("earliest", "v110")) as file:
                layout = stacked_layout(run, shape, found, str(folder), None)
                file.create_virtual_dataset("data", layout, fillvalue=0)

        begin = time.perf_counter()
        write()
        written = time.perf_counter() - begin
        with h5py.File(path) as file:
            opened = least(lambda path=path: h5py.File(path)["data"][0], 1)
            data = file["data"]
            np.testing.assert_array_equal(np.stack([data[e] for e in wanted]), expected)
            spent = least(lambda data=data: [data[e] for e in wanted]) / len(wanted)
        what = f"virtual dataset, a mapping for each {name} ({len(found):,})"
        check = f"same values; written in {written:.2f} s, first read {opened:.2f} s"
        rows.append(f"| {what} | {1e3 * spent:.3f} ms | {check} |")
    return rows


def geometry(folder: Path, modules: int = 256) -> list[str]:
    """Time to write and to resolve the geometry of many modules."""
    lines = ["res = 5000", "clen = 0.1"]
    for number in range(modules):
        lines += [
            f"p{number}/{key} = {value}"
            for key, value in (
                ("min_fs", 0),
                ("max_fs", 127),
                ("min_ss", 64 * number),
                ("max_ss", 64 * number + 63),
                ("corner_x", 130 * (number % 16)),
                ("corner_y", 66 * (number // 16)),
            )
        ]
    names = [f"p{number}" for number in range(modules)]
    lines += [f"rigid_group_q{q} = {','.join(names[q::4])}" for q in range(4)]
    lines.append("rigid_group_collection_quads = q0,q1,q2,q3")
    found = parse_geometry("\n".join(lines))
    origins = {name: (panel.min_ss, 0) for name, panel in found.panels.items()}
    path = folder / "geometry.h5"

    def write() -> None:
        with h5py.File(path, "w") as file:
            write_geometry(file.create_group("detector"), hierarchy(found), 0.1, origins)

    def resolve() -> list[Any]:
        with h5py.File(path) as file:
            return Chains(file).modules(file["detector"])

    written, resolved = least(write, 3), least(resolve, 3)
    by_name = {module.name: module for module in resolve()}
    worst = max(
        float(np.abs(by_name[name].origin[:2] - np.array(panel.corner) / panel.res).max())
        for name, panel in found.panels.items()
    )
    assert worst < 1e-9
    return [
        f"| write the geometry of {modules} modules | {written:.2f} s | - |",
        f"| resolve it | {resolved:.2f} s | corners to {worst * 5000:.0e} pixels |",
    ]


def main(folder: Path) -> None:
    """Print the table."""
    print(f"nxformula {nxformula.__version__}, h5py {h5py.__version__}\n")
    print("| what | time | check |\n| --- | --- | --- |")
    for events in (100_000, 1_000_000):
        print(matching(events), flush=True)
    for row in (*reading(folder, 100_000), *virtual(folder), *geometry(folder)):
        print(row, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
