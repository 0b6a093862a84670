"""Nanoseconds per pixel of every preset, on both backends, and how far the two agree.

python benchmarks/presets.py [NAME ...]
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import numpy as np

import nxformula
from nxformula import Symbol
from nxformula.interop.benchmark.timing import agreement
from nxformula.nexus.presets import Preset, PresetSymbol, preset, preset_names

Array = np.ndarray[Any, np.dtype[Any]]

#: A Jungfrau module, four frames, eight memory cells.
LENGTHS: Final = {"frame": 4, "slow": 512, "fast": 1024, "cell": 8, "panel": 4, "channel": 1 << 20}
#: Of dimensions that are longer than what is usual.
LENGTHS_OF: Final = {"count": 60000, "pixel": 65536, "event": 1 << 21, "power": 4}
#: Symbols whose values matter for the way that is taken through the formula.
VALUES: Final = {
    "config": (0, 28),
    "gain_stage": (0, 3),
    "address": (0, 65536),
    "limit": (50, 51),
    "least": (10, 11),
    "first_overscan": (1000, 1001),
    "bad_bits": (1, 2),
    "data": (0, 50000),
}
ROUNDS: Final = 5


def values_of(name: str, symbol: PresetSymbol, random: Any) -> Array:
    """Values as a detector might have them."""
    known = {**LENGTHS, **LENGTHS_OF, **symbol.lengths}
    shape = [known[axis] for axis in symbol.axes]
    dtype = np.dtype(symbol.dtype)
    if symbol.index_of is not None:
        return random.integers(0, LENGTHS[symbol.index_of], shape).astype(dtype)
    if name in ("mask", "bad", "pixel_mask", "low_gain"):
        return (random.random(shape) < 0.01).astype(dtype)
    if dtype.kind in "iu":
        low, high = VALUES.get(name, (0, 1 << 14))
        return random.integers(low, high, shape).astype(dtype)
    return random.uniform(0.5, 2.0, shape).astype(dtype)


def measured(found: Preset) -> list[str]:
    """A row of the table."""
    random = np.random.default_rng(6)
    arrays = {name: values_of(name, each, random) for name, each in found.symbols.items()}
    symbols = {
        name: Symbol(each.dtype, each.axes, arrays[name].shape)
        for name, each in found.symbols.items()
    }
    kernels = {
        backend: nxformula.compile(
            found.formula, symbols, axes=found.axes, dtype=found.dtype, backend=backend
        )
        for backend in ("numpy", "fast")
    }
    results = {backend: kernel(arrays) for backend, kernel in kernels.items()}
    best = dict.fromkeys(kernels, float("inf"))
    for _ in range(ROUNDS):
        for backend, kernel in kernels.items():
            begin = time.perf_counter()
            kernel(arrays, out=results[backend], threads=1)
            best[backend] = min(best[backend], time.perf_counter() - begin)
    pixels = results["fast"].size
    each = [best[backend] / pixels * 1e9 for backend in ("numpy", "fast")]
    agrees = agreement(*(r.astype("f8") for r in (results["fast"], results["numpy"])))
    ratio = each[0] / each[1]
    return [
        found.name,
        *(f"{ns:.2f}" for ns in each),
        f"{ratio:.1f}x",
        kernels["fast"].backend,
        agrees,
    ]


def main(names: list[str]) -> None:
    """Print the table."""
    rows = [["preset", "NumPy ns/px", "fast ns/px", "ratio", "runs in", "agreement"]]
    rows += [measured(preset(name)) for name in names or preset_names()]
    print("\n".join("| " + " | ".join(row) + " |" for row in (rows[0], ["---"] * 6, *rows[1:])))


if __name__ == "__main__":
    main(sys.argv[1:])
