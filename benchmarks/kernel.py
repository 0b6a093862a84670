"""Speed of the kernel against other ways to evaluate the same formula, in one process.

    python benchmarks/kernel.py [--size 4M|16M] [--rounds N]

All contenders run in turn, round after round, so that a busy machine slows all of them; the table
shows the minimum of the CPU time. Every result is compared with naive NumPy, bit by bit.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import nxformula
from nxformula import Symbol

JUNGFRAU = """let stage  = data >> 14;
let counts = data & 0x3FFF;
let plane  = choose(stage, 0, 1, -1, 2);
(counts - pedestal[plane]) / gain[plane]"""
PIXELS = ("frame", "slow", "fast")
TABLE = ("stage", "slow", "fast")
SHAPES = {"4M": (2048, 2048), "16M": (4096, 4096)}
#: Shares of the gain bits 0 to 3; 2 is invalid.
MIXES = {
    "all pixels in stage 0": (1.0, 0.0, 0.0, 0.0),
    "99.5 % in stage 0": (0.995, 0.004, 0.0, 0.001),
    "97 / 2.5 / 0.1 / 0.4 %": (0.97, 0.025, 0.001, 0.004),
    "90 / 7 / 0.1 / 2.9 %": (0.9, 0.07, 0.001, 0.029),
    "25 % each": (0.25, 0.25, 0.25, 0.25),
}
BATCH = 8

Array = np.ndarray[Any, np.dtype[Any]]
#: Computes all frames of a batch into `out`.
Contender = Callable[[Array, Array, Array, Array], None]


def naive(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
    for raw, result in zip(data, out, strict=True):
        stage = raw >> 14
        counts = (raw & 0x3FFF).astype("float32")
        p = np.where(stage == 0, pedestal[0], np.where(stage == 1, pedestal[1], pedestal[2]))
        g = np.where(stage == 0, gain[0], np.where(stage == 1, gain[1], gain[2]))
        result[...] = np.where(stage == 2, np.float32("nan"), (counts - p) / g)


def cast(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
    np.copyto(out, data)


def numexpr_contender() -> Contender | None:
    try:
        import numexpr
    except ImportError:
        return None
    numexpr.set_num_threads(1)
    text = """where(s == 2, nan, (c - where(s == 0, p0, where(s == 1, p1, p2)))
    / where(s == 0, g0, where(s == 1, g1, g2)))"""

    def contender(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        maps = {f"p{i}": p for i, p in enumerate(pedestal)}
        maps |= {f"g{i}": g for i, g in enumerate(gain)}
        for raw, result in zip(data, out, strict=True):
            # Bit operators on uint16 are not numexpr's; the conversion to float32 is exact.
            own = {"s": raw >> 14, "c": (raw & 0x3FFF).astype("float32"), **maps}
            numexpr.evaluate(text, {**own, "nan": np.float32("nan")}, out=result)

    return contender


def kernels() -> dict[str, Contender]:
    symbols = {
        "data": Symbol("uint16", PIXELS),
        "pedestal": Symbol("float32", TABLE),
        "gain": Symbol("float32", TABLE),
    }
    kernel = nxformula.compile(JUNGFRAU, symbols, axes=PIXELS)

    def batch(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        kernel({"data": data, "pedestal": pedestal, "gain": gain}, out=out)

    def frames(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
        for i in range(len(data)):
            batch(data[i : i + 1], pedestal, gain, out[i : i + 1])

    return {"nxformula, 1 frame a call": frames, f"nxformula, {BATCH} frames a call": batch}


def make_frames(mix: tuple[float, ...], shape: tuple[int, int], count: int) -> Array:
    rng = np.random.default_rng(7)
    stage = rng.choice(4, size=(count, *shape), p=mix).astype("uint16")
    return (stage << 14) | rng.integers(0, 1 << 14, stage.shape, "uint16")


def cpu_time(contender: Contender, *arrays: Array) -> float:
    start = time.process_time()
    contender(*arrays)
    return time.process_time() - start


def scratch(contender: Contender, *arrays: Array) -> int:
    """The most bytes that are in use during a call beside its arrays."""
    tracemalloc.start()
    contender(*arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def measure(mix: tuple[float, ...], shape: tuple[int, int], rounds: int) -> list[tuple[Any, ...]]:
    """Name, ns per pixel, and what else a row of the table shows, for each contender."""
    rng = np.random.default_rng(3)
    data = make_frames(mix, shape, BATCH)
    pedestal = rng.uniform(1000, 15000, (3, *shape)).astype("float32")
    gain = rng.uniform(1, 40, (3, *shape)).astype("float32")
    contenders: dict[str, Contender] = {"naive NumPy, float32": naive}
    found = numexpr_contender()
    if found is not None:
        contenders["numexpr, 1 thread"] = found
    contenders |= kernels() | {"cast uint16 to float32 (a limit)": cast}

    out, expected = np.empty(data.shape, "float32"), np.empty(data.shape, "float32")
    best = dict.fromkeys(contenders, float("inf"))
    equal = {}
    with np.errstate(all="ignore"):
        naive(data, pedestal, gain, expected)
        for _ in range(rounds):
            for name, contender in contenders.items():
                out.fill(0)
                spent = cpu_time(contender, data, pedestal, gain, out)
                best[name] = min(best[name], spent)
                equal[name] = same_bits(out, expected)
        memory = {
            name: scratch(contender, data, pedestal, gain, out)
            for name, contender in contenders.items()
        }
    naive_time = best["naive NumPy, float32"]
    return [
        (name, best[name] / data.size * 1e9, naive_time / best[name], equal[name], memory[name])
        for name in contenders
    ]


def same_bits(a: Array, b: Array) -> bool:
    """Whether two results agree bit by bit; all NaN are one."""
    nan = np.isnan(a)
    return np.array_equal(nan, np.isnan(b)) and np.array_equal(
        a.view("uint32")[~nan], b.view("uint32")[~nan]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SHAPES, default="4M")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    shape = SHAPES[arguments.size]
    print(f"{BATCH} frames of {shape[0]} x {shape[1]}, minimum of {arguments.rounds} rounds\n")
    print("| gain bits 0 / 1 / 2 / 3 | engine | ns/pixel | x naive | same bits | scratch, KiB |")
    print("|---|---|---|---|---|---|")
    for mix, shares in MIXES.items():
        for name, each, ratio, equal, memory in measure(shares, shape, arguments.rounds):
            bits = "-" if "limit" in name else "yes" if equal else "NO"
            row = f"{each:.2f} | {ratio:.2f} | {bits} | {memory / 1024:.0f} |"
            print(f"| {mix} | {name} | {row}", flush=True)


if __name__ == "__main__":
    main()
