"""Evaluate plans with machine code, on several threads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np

from nxformula.engine.fitting import fit_arrays
from nxformula.engine.layout import Array
from nxformula.engine.llvm.layouts import Layout, layout_of, numbers_of
from nxformula.engine.llvm.loops import module_text
from nxformula.engine.llvm.machine import Code, machine_code
from nxformula.engine.llvm.program import Program
from nxformula.engine.plan import Plan
from nxformula.engine.threads import cores, for_each
from nxformula.language.symbols import Symbol

#: Elements that repay another thread.
_THREAD_ELEMENTS: Final = 1 << 18


#: Layouts for which the code of a formula is at hand.
_MOST_LAYOUTS: Final = 32


@dataclass(frozen=True, slots=True)
class Compiled:
    """Machine code for a plan and a layout."""

    plan: Plan
    code: Code
    tile: int
    scratch: int


class FastBackend:
    """Evaluates the plans of one formula, each with code for the layouts it meets."""

    def __init__(self) -> None:
        # By identity of the plan: equal plans may differ in the sign of a zero.
        self._known: dict[tuple[int, Layout], Compiled] = {}

    def evaluate(
        self,
        plan: Plan,
        symbols: Mapping[str, Symbol],
        arrays: Mapping[str, Array],
        out: Array,
        threads: int | None = None,
    ) -> None:
        """Evaluate a plan that is not `unsupported`; no table and not the result may be empty.

        Parameters
        ----------
        plan, symbols, arrays, out
            As for `numpy_backend.evaluate`.
        threads : int, optional
            How many may work; as many as the process may use cores, if not given.
        """
        fitted = fit_arrays(plan, symbols, arrays, out)
        layout, sources = layout_of(plan, fitted)
        found = self._compiled(plan, layout)
        shape = fitted.grid.shape
        tiles = -(-shape[-1] // found.tile) * prod(shape[1:-1])
        numbers = np.array(list(numbers_of(shape, fitted.out, sources)), np.int64)
        addresses = [array.ctypes.data for array in (fitted.out, *sources, numbers)]
        count = max(1, min(threads or cores(), tiles, out.size // _THREAD_ELEMENTS))

        def work(part: int) -> None:
            scratch = np.empty(found.scratch, np.uint8)
            first, end = tiles * part // count, tiles * (part + 1) // count
            found.code.function(*addresses, scratch.ctypes.data, first, end)

        for_each(work, range(count), count)

    def _compiled(self, plan: Plan, layout: Layout) -> Compiled:
        key = id(plan), layout
        found = self._known.get(key)
        if found is None:
            program = Program(plan, layout)
            code = machine_code(module_text(program), 3 + len(layout.sources))
            found = Compiled(plan, code, program.tile, program.scratch)
            if len(self._known) >= _MOST_LAYOUTS:
                self._known.clear()
            self._known[key] = found
        return found
