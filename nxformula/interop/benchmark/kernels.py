"""Speed of kernels in memory: detectors, numbers of frames and pixels, lengths of formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from nxformula.engine.backends import Backend
from nxformula.engine.kernel import Kernel
from nxformula.engine.kernel import compile as compile_formula
from nxformula.engine.layout import Array
from nxformula.engine.threads import cores
from nxformula.interop.benchmark.frames import (
    AGIPD,
    AGIPD_SYMBOLS,
    JUNGFRAU,
    JUNGFRAU_SYMBOLS,
    MIXES,
    PIXELS,
    SHAPES,
    Jungfrau,
    make_agipd,
    make_jungfrau,
    naive,
    naive_agipd,
)
from nxformula.interop.benchmark.timing import Table, agreement, once, race, scratch
from nxformula.language.symbols import Symbol

#: Calibrates all frames into an array: data, pedestal, gain, out.
Contender: TypeAlias = Callable[[Array, Array, Array, Array], object]

_BATCH: Final = 8
_LIMIT: Final = "(a limit)"


def _backends() -> tuple[Backend, ...]:
    """The backends that this installation has."""
    found = compile_formula(JUNGFRAU, JUNGFRAU_SYMBOLS, axes=PIXELS, backend="fast").backend
    return ("numpy", "fast") if found == "fast" else ("numpy",)


def _kernel(backend: Backend, threads: int, frames: int) -> Contender:
    kernel = compile_formula(JUNGFRAU, JUNGFRAU_SYMBOLS, axes=PIXELS, backend=backend)

    def contender(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        for k in range(0, len(data), frames):
            arrays = {"data": data[k : k + frames], "pedestal": pedestal, "gain": gain}
            kernel(arrays, out=out[k : k + frames], threads=threads)

    return contender


def _own(frames: int) -> dict[str, Contender]:
    found = {
        f"nxformula, {backend}, {count} frame{'s' * (count > 1)} a call": _kernel(backend, 1, count)
        for backend in _backends()
        for count in sorted({1, frames})
    }
    if "fast" in _backends() and cores() > 1:
        name = f"nxformula, fast, {frames} frames a call, {cores()} threads"
        found[name] = _kernel("fast", cores(), frames)
    return found


def _limits(data: Array, out: Array) -> dict[str, Callable[[], object]]:
    other = np.ones_like(out)
    return {
        f"cast uint16 to float32 {_LIMIT}": lambda: np.copyto(out, data),
        f"copy of float32 {_LIMIT}": lambda: np.copyto(out, other),
    }


def jungfrau_table(
    mix: str, size: str, rounds: int, peers: Mapping[str, Contender], frames: int = _BATCH
) -> Table:
    """The Jungfrau formula on frames in memory, one core unless said.

    Parameters
    ----------
    mix, size : str
        Of `MIXES` and of `SHAPES`.
    rounds : int
        As `race` takes it.
    peers : mapping
        More contenders, by name.
    frames : int
        How many there are.
    """
    made = make_jungfrau(SHAPES[size], frames, MIXES[mix])
    out, expected = np.empty(made.data.shape, "f4"), np.empty(made.data.shape, "f4")
    naive(made.data, made.pedestal, made.gain, expected)
    contenders: dict[str, Contender] = {"naive NumPy, float32": naive, **peers, **_own(frames)}
    runs = {name: _call(contender, made, out) for name, contender in contenders.items()}
    checks = {name: _check(run, out, expected) for name, run in runs.items()}
    memory = {name: scratch(run) for name, run in runs.items()}
    spent = race({**runs, **_limits(made.data, out)}, rounds)
    base, cast = spent["naive NumPy, float32"].wall, spent[f"cast uint16 to float32 {_LIMIT}"].wall
    rows = tuple(
        (
            name,
            f"{time.cpu / out.size * 1e9:.2f}",
            f"{time.wall / out.size * 1e9:.2f}",
            f"{base / time.wall:.1f}",
            f"{time.wall / cast:.2f}",
            checks.get(name, "-"),
            f"{memory[name] / 1024:,.0f}" if name in memory else "-",
        )
        for name, time in spent.items()
    )
    header = ("", "CPU ns/px", "ns/px", "x naive", "x cast", "result", "scratch KiB")
    return Table(f"Jungfrau, {frames} frames of {size} pixels, {mix}", header, rows)


def _call(contender: Contender, made: Jungfrau, out: Array) -> Callable[[], object]:
    return lambda: contender(made.data, made.pedestal, made.gain, out)


def _check(run: Callable[[], object], out: Array, expected: Array) -> str:
    out.fill(0)
    run()
    return agreement(out, expected)


def agipd_table(size: str, rounds: int, frames: int = _BATCH) -> Table:
    """Constants by per-frame memory cell and per-pixel stage, in both real types."""
    arrays = make_agipd(SHAPES[size], frames)
    rows = []
    for dtype in ("float32", "float64"):
        out, expected = (np.empty((frames, *SHAPES[size]), dtype) for _ in range(2))
        runs: dict[str, Callable[[], object]] = {}
        if dtype == "float32":
            runs["naive NumPy"] = partial(naive_agipd, arrays, out)
        for backend in _backends():
            kernel = _agipd(dtype, backend)
            runs[f"nxformula, {backend}"] = partial(kernel, arrays, out=out)
        next(iter(runs.values()))()
        expected[...] = out
        checks = {name: _check(run, out, expected) for name, run in runs.items()}
        for name, time in race(runs, rounds).items():
            rows.append((dtype, name, f"{time.wall / out.size * 1e9:.2f}", checks[name]))
    header = ("result", "", "ns/px", f"against {rows[0][1]} or the first of its type")
    return Table(f"AGIPD, {frames} frames of {size} pixels", header, tuple(rows))


def _agipd(dtype: str, backend: Backend) -> Kernel:
    return compile_formula(AGIPD, AGIPD_SYMBOLS, axes=PIXELS, dtype=dtype, backend=backend)


def growth_table(rounds: int, sizes: tuple[str, ...], counts: tuple[int, ...]) -> Table:
    """Time for each pixel as frames and pixels grow."""
    rows = []
    for backend in _backends():
        for size in sizes:
            made = make_jungfrau(SHAPES[size], max(counts))
            out = np.empty(made.data.shape, "f4")
            runs = {
                str(count): _part(_kernel(backend, 1, count), made, out, count) for count in counts
            }
            for count, time in race(runs, rounds).items():
                pixels = int(count) * made.data[0].size
                each = f"{time.wall / pixels * 1e9:.2f}"
                rows.append((backend, size, count, f"{scratch(runs[count]) / 1024:,.0f}", each))
    header = ("backend", "pixels", "frames a call", "scratch KiB", "ns/px")
    return Table("Growth with frames and pixels, Jungfrau", header, tuple(rows))


def _part(contender: Contender, made: Jungfrau, out: Array, count: int) -> Callable[[], object]:
    return lambda: contender(made.data[:count], made.pedestal, made.gain, out[:count])


def length_table(rounds: int, terms: tuple[int, ...], pixels: int = 1 << 20) -> Table:
    """Time to compile, and for each pixel, as formulas grow."""
    data = np.random.default_rng(5).integers(0, 1 << 14, pixels, np.uint16)
    out = np.empty(pixels, "f4")
    rows = []
    for count in terms:
        text = " + ".join(f"(data - {k}.5) / {k + 3}.25" for k in range(count))
        size = 6 * count - 1
        for backend in _backends():
            first = once(partial(_first_call, text, backend, data[:64]))
            kernel = _long(text, backend)
            time = race({text: partial(kernel, {"data": data}, out=out)}, rounds)[text]
            each = time.wall / pixels * 1e9
            used = backend if kernel.backend == backend else f"{backend}, runs in {kernel.backend}"
            rows.append(
                (str(size), used, f"{first.wall * 1e3:.0f}", f"{each:.2f}", f"{each / size:.3f}")
            )
    header = ("nodes", "backend", "compile and first call, ms", "ns/px", "ns/px for a node")
    return Table("Growth with the length of the formula", header, tuple(rows))


def _long(text: str, backend: Backend) -> Kernel:
    symbols = {"data": Symbol("uint16", ("i",))}
    return compile_formula(text, symbols, axes=("i",), backend=backend)


def _first_call(text: str, backend: Backend, data: Array) -> None:
    _long(text, backend)({"data": data})
