"""The Jungfrau formula as other packages evaluate it; those that are not installed are left out."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import nxformula
from nxformula import Symbol
from nxformula.interop.benchmark.frames import PIXELS, SHAPES
from nxformula.interop.benchmark.kernels import Contender
from nxformula.interop.benchmark.timing import Table, agreement, race

Array = np.ndarray[Any, np.dtype[Any]]


def aare_contender() -> Contender:
    """`apply_calibration` of the detector group: divides, and takes code 2 for stage 2."""
    import aare

    def contender(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        out[...] = aare.apply_calibration(data, pd=pedestal, cal=gain, n_threads=1)

    return contender


def numba_contender() -> Contender:
    """A loop shaped as that of jungfrau_utils, which PyPI does not have.

    Pixels that a mask excludes are passed over, the stage is an index into stacks of constants
    by gain code, the gain is a factor, and arrays of row and column numbers say where a pixel
    goes. As there, code 2 has constants too; here they are NaN, so that results can be compared.
    """
    import numba

    @numba.njit(nogil=True)
    def convert(
        data: Array,
        pedestal: Array,
        factor: Array,
        mask: Array,
        row: Array,
        column: Array,
        out: Array,
    ) -> None:
        frames, slow, fast = data.shape
        for f in range(frames):
            for i in range(slow):
                for j in range(fast):
                    if mask[i, j]:
                        continue
                    stage = data[f, i, j] >> np.uint16(14)
                    counts = np.float32(data[f, i, j] & np.uint16(0x3FFF))
                    value = (counts - pedestal[stage, i, j]) * factor[stage, i, j]
                    out[f, row[i], column[j]] = value

    stacks: dict[int, tuple[Array, ...]] = {}

    def contender(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        if id(gain) not in stacks:
            invalid = np.full_like(gain[:1], np.nan)
            factor = np.concatenate([1 / gain[:2], invalid, 1 / gain[2:]])
            four = np.concatenate([pedestal[:2], invalid, pedestal[2:]])
            rows, columns = (np.arange(length) for length in gain.shape[1:])
            stacks[id(gain)] = four, factor, np.zeros(gain.shape[1:], bool), rows, columns
        convert(data, *stacks[id(gain)], out)

    return contender


def numexpr_contender() -> Contender:
    """One thread; bit operators on uint16 are not numexpr's, so NumPy does them."""
    import numexpr

    numexpr.set_num_threads(1)
    text = """where(s == 2, nan, (c - where(s == 0, p0, where(s == 1, p1, p2)))
    / where(s == 0, g0, where(s == 1, g1, g2)))"""

    def contender(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        maps = {f"p{i}": p for i, p in enumerate(pedestal)}
        maps |= {f"g{i}": g for i, g in enumerate(gain)}
        for raw, result in zip(data, out, strict=True):
            own = {"s": raw >> 14, "c": (raw & 0x3FFF).astype("float32"), **maps}
            numexpr.evaluate(text, {**own, "nan": np.float32("nan")}, out=result)

    return contender


def blosc2_contender() -> Contender:
    """`blosc2.evaluate`, one thread.

    Unsigned bit operators and nested `where` are refused: NumPy does the first, products with
    conditions the second, and NumPy puts in the NaN.
    """
    import blosc2

    blosc2.set_nthreads(1)
    text = "(c - (p0 * a + p1 * b + p2 * d)) / (g0 * a + g1 * b + g2 * d)"

    def contender(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        for raw, result in zip(data, out, strict=True):
            stage = raw >> 14
            names = {"c": (raw & 0x3FFF).astype("float32")}
            names |= {n: (stage == k).astype("float32") for n, k in (("a", 0), ("b", 1), ("d", 3))}
            names |= {f"p{i}": p for i, p in enumerate(pedestal)}
            names |= {f"g{i}": g for i, g in enumerate(gain)}
            result[...] = blosc2.evaluate(text, local_dict=names)

    return contender


_PEERS: dict[str, Callable[[], Contender]] = {
    "aare, 1 thread": aare_contender,
    "numba, loop as in jungfrau_utils": numba_contender,
    "numexpr, 1 thread": numexpr_contender,
    "blosc2, 1 thread": blosc2_contender,
}


def contenders() -> dict[str, Contender]:
    """What is installed."""
    found = {}
    for name, make in _PEERS.items():
        try:
            found[name] = make()
        except ModuleNotFoundError as error:
            warnings.warn(f"{name} is left out: {error}", stacklevel=1)
    return found


def versions() -> str:
    """Of the packages."""
    found = []
    for name in ("aare", "numba", "numexpr", "blosc2", "pyFAI"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def flat_field_table(size: str, rounds: int, frames: int = 4) -> Table:
    """`(data - dark) / flat`, as pyFAI corrects images before it integrates them."""
    random = np.random.default_rng(9)
    shape = SHAPES[size]
    data = random.integers(0, 1 << 14, (frames, *shape), np.uint16)
    dark = random.normal(100, 3, shape).astype("float32")
    flat = random.normal(1, 0.03, shape).astype("float32")
    out, expected = np.empty(data.shape, "float32"), np.empty(data.shape, "float32")
    symbols = {
        "data": Symbol("uint16", PIXELS),
        "dark": Symbol("float32", PIXELS[1:]),
        "flat": Symbol("float32", PIXELS[1:]),
    }
    kernel = nxformula.compile("(data - dark) / flat", symbols, axes=PIXELS)

    def by_numpy() -> None:
        np.divide(data - dark, flat, out=out)

    def by_nxformula() -> None:
        for k in range(frames):
            arrays = {"data": data[k : k + 1], "dark": dark, "flat": flat}
            kernel(arrays, out=out[k : k + 1], threads=1)

    runs: dict[str, Callable[[], object]] = {"NumPy": by_numpy, "nxformula": by_nxformula}
    try:
        from pyFAI.ext import preproc

        def by_pyfai() -> None:
            for k in range(frames):
                out[k] = preproc.preproc(data[k], dark=dark, flat=flat, dtype=np.float32)

        runs["pyFAI preproc, all its threads"] = by_pyfai
    except ModuleNotFoundError as error:
        warnings.warn(f"pyFAI is left out: {error}", stacklevel=1)
    by_numpy()
    expected[...] = out
    checks = {}
    for name, run in runs.items():
        out.fill(0)
        run()
        checks[name] = agreement(out, expected)
    rows = tuple(
        (name, f"{t.cpu / out.size * 1e9:.2f}", f"{t.wall / out.size * 1e9:.2f}", checks[name])
        for name, t in race(runs, rounds).items()
    )
    header = ("", "CPU ns/px", "ns/px", "result")
    return Table(f"Dark and flat, {frames} frames of {size} pixels", header, rows)


if __name__ == "__main__":
    raise SystemExit("python benchmarks/run.py --peers")
