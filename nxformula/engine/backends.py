"""Which backend evaluates a plan: NumPy, or machine code where that repays its making."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final, Literal, TypeAlias, get_args

from nxformula.engine import numpy_backend
from nxformula.engine.layout import Array
from nxformula.engine.llvm.backend import FastBackend
from nxformula.engine.llvm.program import unsupported
from nxformula.engine.plan import Plan
from nxformula.language.symbols import Symbol

Backend: TypeAlias = Literal["auto", "numpy", "fast"]

#: Elements after which "auto" compiles: LLVM takes as long as NumPy for about as many.
_REPAID: Final = 1 << 24


class Evaluator:
    """Evaluates the plans of one formula.

    Parameters
    ----------
    backend : {"auto", "numpy", "fast"}
        What may evaluate them.
    plan : Plan
        That of the result.

    Raises
    ------
    ModuleNotFoundError
        For "fast": llvmlite is missing.
    ValueError
        The backend is none of these.
    """

    def __init__(self, backend: Backend, plan: Plan) -> None:
        if backend not in get_args(Backend):
            known = ", ".join(repr(name) for name in get_args(Backend))
            raise ValueError(f"backend is {backend!r}; expected one of {known}")
        if backend == "fast" and find_spec("llvmlite") is None:
            raise ModuleNotFoundError(
                "the backend 'fast' needs llvmlite: pip install 'nxformula[fast]'", name="llvmlite"
            )
        self._asked = backend
        self._is_compilable = unsupported(plan) is None
        self._is_ready = backend == "fast"
        self._elements = 0
        self._fast = FastBackend()

    @property
    def backend(self) -> str:
        """What evaluates the result: "numpy" or "fast"."""
        return "fast" if self._is_ready and self._is_compilable else "numpy"

    def count(self, elements: int) -> None:
        """Note that so many elements will be evaluated."""
        self._elements += elements
        if self._asked == "auto" and not self._is_ready and self._elements >= _REPAID:
            self._is_ready = find_spec("llvmlite") is not None

    def __call__(
        self,
        plan: Plan,
        symbols: Mapping[str, Symbol],
        arrays: Mapping[str, Array],
        out: Array,
        threads: int | None = None,
    ) -> None:
        """Evaluate one of the plans; the arguments are those of the backends."""
        if self._is_ready and unsupported(plan) is None and _has_elements(plan, arrays, out):
            self._fast.evaluate(plan, symbols, arrays, out, threads)
        else:
            numpy_backend.evaluate(plan, symbols, arrays, out)


def _has_elements(plan: Plan, arrays: Mapping[str, Array], out: Array) -> bool:
    """Whether nothing is empty: of empty tables there is no address to begin at."""
    tables = (o.table.symbol for o in plan.operations if o.code in ("lookup", "inside"))
    return bool(out.size) and all(arrays[name].size for name in tables)
