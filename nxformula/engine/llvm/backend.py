"""Evaluate plans with machine code, on several threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from threading import Thread
from typing import Final

import numpy as np

from nxformula.engine.fitting import fit_arrays
from nxformula.engine.layout import Array
from nxformula.engine.llvm.layouts import Layout, layout_of, numbers_of
from nxformula.engine.llvm.loops import module_text
from nxformula.engine.llvm.machine import Code, machine_code
from nxformula.engine.llvm.program import Program
from nxformula.engine.plan import Plan
from nxformula.language.symbols import Symbol

#: Elements that repay another thread.
_THREAD_ELEMENTS: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Compiled:
    """Machine code for a plan and a layout."""

    code: Code
    tile: int
    scratch: int


@lru_cache(maxsize=64)
def compiled(plan: Plan, layout: Layout) -> Compiled:
    """Machine code for a plan and a layout, made once."""
    program = Program(plan, layout)
    code = machine_code(module_text(program), 3 + len(layout.sources))
    return Compiled(code, program.tile, program.scratch)


def evaluate(
    plan: Plan,
    symbols: Mapping[str, Symbol],
    arrays: Mapping[str, Array],
    out: Array,
    threads: int | None = None,
) -> None:
    """Evaluate a plan that is not `unsupported`.

    Parameters
    ----------
    plan, symbols, arrays, out
        As for `numpy_backend.evaluate`.
    threads : int, optional
        How many may work; as many as the process may use cores, if not given.
    """
    fitted = fit_arrays(plan, symbols, arrays, out)
    layout, sources = layout_of(plan, fitted)
    found = compiled(plan, layout)
    shape = fitted.grid.shape
    tiles = -(-shape[-1] // found.tile) * prod(shape[1:-1])
    numbers = np.array(list(numbers_of(shape, fitted.out, sources)), np.int64)
    addresses = [array.ctypes.data for array in (fitted.out, *sources, numbers)]
    count = max(1, min(threads or cores(), tiles, out.size // _THREAD_ELEMENTS))
    bounds = [tiles * k // count for k in range(count + 1)]

    def work(first: int, end: int) -> None:
        scratch = np.empty(found.scratch, np.uint8)
        found.code.function(*addresses, scratch.ctypes.data, first, end)

    # Not a pool: its threads would not be there in a forked process.
    others = [Thread(target=work, args=pair) for pair in zip(bounds[1:], bounds[2:])]  # noqa: B905
    for thread in others:
        thread.start()
    work(*bounds[:2])
    for thread in others:
        thread.join()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
