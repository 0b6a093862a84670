"""Compile a formula once, evaluate it on any number of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nxformula.engine import groups
from nxformula.engine.backends import Backend, Evaluator
from nxformula.engine.layout import Array
from nxformula.engine.lower import lower
from nxformula.engine.plan import Cost, Plan, position_name
from nxformula.engine.requirements import (
    IncreasingTables,
    indexed_dimensions,
    kept_dimensions,
    used_positions,
)
from nxformula.errors import DimensionError
from nxformula.language.checker import Checked, check
from nxformula.language.parser import parse
from nxformula.language.symbols import DROPPED, Symbol
from nxformula.language.tree import Formula
from nxformula.language.units import check_units


class Kernel:
    """A compiled formula.

    Attributes
    ----------
    formula : Formula
        What was compiled.
    symbols : dict of Symbol
        The symbols that it uses.
    axes : tuple of str
        Dimensions of the result, in array order.
    dtype : numpy.dtype
        Dtype of the result.
    cost : Cost
        Operations and bytes per element of the result.
    whole : frozenset of str
        Dimensions of the result along which elements are grouped: a part of them needs the arrays
        for all.
    positions : tuple of str
        Dimensions of the result whose positions the formula uses.
    """

    def __init__(
        self, checked: Checked, result: str | None = None, backend: Backend = "auto"
    ) -> None:
        self._plan: Plan = lower(checked, result)
        self._evaluator = Evaluator(backend, self._plan)
        self.formula: Formula = checked.formula
        self._kept = kept_dimensions(self._plan, checked)
        self._indexed = indexed_dimensions(self._plan)
        self.symbols = {name: checked.symbols[name] for name in self._kept}
        self.axes = self._plan.axes
        self.dtype = self._plan.dtype
        self.cost: Cost = self._plan.cost()
        self.whole = self._plan.whole()
        self.positions = used_positions(self._plan)
        self._tables = IncreasingTables(checked)
        self._sources = {
            **self.symbols,
            **{position_name(axis): Symbol("int64", (axis,)) for axis in self.positions},
        }

    def expect(self, elements: int) -> None:
        """Say that so many elements are going to be evaluated, so that it may be compiled first."""
        self._evaluator.count(elements)

    @property
    def backend(self) -> str:
        """What evaluates it: "numpy" or "fast".

        Left open, it turns to "fast" once enough was evaluated to repay the time to compile.
        """
        return self._evaluator.backend

    def __call__(
        self,
        arrays: Mapping[str, Array],
        *,
        out: Array | None = None,
        threads: int | None = None,
    ) -> Array:
        """Evaluate the formula.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Values of every symbol, with the dimensions and dtype of its `Symbol`; the byte order
            may differ. More than the formula uses is fine. Where these are part of a larger
            dataset, "position(DIMENSION)" gives the places along each dimension of `positions`.
        out : ndarray, optional
            Receives the result, instead of a new array.
        threads : int, optional
            How many threads may work, if not as many as the process may use cores; the backend
            "numpy" always works with one.

        Returns
        -------
        ndarray
            The result, with the dimensions `axes`.

        Raises
        ------
        DimensionError
            The arrays' lengths disagree.
        FormulaTypeError
            A table of `interp` does not increase.
        TypeError, ValueError
            An array is missing or of another dtype; `out` does not fit.
        """
        native = {name: self._native(name, arrays) for name in self.symbols}
        lengths = self._lengths(native)
        shape = tuple(lengths[axis] for axis in self.axes)
        self.check_tables(native)
        if out is None:
            out = np.empty(shape, self.dtype)
        elif out.shape != shape or out.dtype != self.dtype:
            found, wanted = f"{out.dtype}{out.shape}", f"{self.dtype}{shape}"
            raise ValueError(f"out is {found}, the result is {wanted}")
        elif not out.flags.writeable:
            raise ValueError("out is read-only")
        if any(np.may_share_memory(out, array) for array in native.values()):
            out[...] = self(arrays, threads=threads)
        else:
            sources = {**native, **self._places(arrays, lengths)}
            self.expect(out.size)
            groups.evaluate(
                self._evaluator, self._plan, self._sources, sources, lengths, out, threads
            )
        return out

    def _native(self, name: str, arrays: Mapping[str, Array]) -> Array:
        if name not in arrays:
            raise TypeError(f"the formula needs an array for {name!r}")
        array = np.asarray(arrays[name])
        if array.dtype.name != self.symbols[name].dtype:
            wanted = self.symbols[name].dtype
            raise TypeError(f"{name!r} has dtype {array.dtype}, compiled for {wanted}")
        return array.astype(array.dtype.newbyteorder("="), copy=False)

    def _lengths(self, arrays: Mapping[str, Array]) -> dict[str, int]:
        lengths: dict[str, tuple[int, str]] = {}
        for name, symbol in self.symbols.items():
            shape = arrays[name].shape
            self._check_rank(name, symbol, shape)
            for axis in self.kept(name):
                self._note(lengths, axis, shape[symbol.axes.index(axis)], name)
        return {axis: length for axis, (length, _) in lengths.items()}

    def _check_rank(self, name: str, symbol: Symbol, shape: tuple[int, ...]) -> None:
        if len(shape) != len(symbol.axes):
            named = f"({', '.join(symbol.axes)})"
            self._fail(f"{name!r} has shape {shape}, its dimensions are {named}")
        for axis, length in zip(symbol.axes, shape, strict=True):
            if axis == DROPPED and length != 1:
                self._fail(f"{name!r} drops a dimension '.' of length {length}; only 1 can be")
            wanted = symbol.length(axis) if axis in self.indexed(name) else None
            if wanted not in (None, length):
                self._fail(f"{name!r} has length {length} along {axis!r}, compiled for {wanted}")

    def kept(self, name: str) -> list[str]:
        """Dimensions of a symbol that some use of it does not index: they are the result's."""
        return list(self._kept[name])

    def indexed(self, name: str) -> frozenset[str]:
        """Dimensions of a symbol that some use of it indexes."""
        return self._indexed.get(name, frozenset())

    def check_tables(self, arrays: Mapping[str, Array]) -> None:
        """Refuse tables of `interp` that do not increase, before anything is evaluated.

        Raises
        ------
        FormulaTypeError
            At the `interp`.
        """
        self._tables.check(arrays)

    @property
    def tables(self) -> tuple[str, ...]:
        """Symbols that `check_tables` looks at."""
        return tuple(self._tables.tables)

    def _places(self, arrays: Mapping[str, Array], lengths: Mapping[str, int]) -> dict[str, Array]:
        """The places along each dimension whose positions are used."""
        places: dict[str, Array] = {}
        for axis in self.positions:
            name, length = position_name(axis), lengths[axis]
            places[name] = np.asarray(arrays.get(name, np.arange(length)), np.int64)
            if places[name].shape != (length,):
                self._fail(f"{name!r} has shape {places[name].shape}, expected ({length},)")
        return places

    def _note(self, lengths: dict[str, tuple[int, str]], axis: str, length: int, name: str) -> None:
        known, owner = lengths.setdefault(axis, (length, name))
        if known != length:
            self._fail(f"{name!r} has length {length} along {axis!r}, {owner!r} has {known}")

    def _fail(self, message: str) -> None:
        raise DimensionError(message, self.formula.text)

    def __repr__(self) -> str:
        return f"<Kernel {self.formula.text!r} -> {self.dtype}[{', '.join(self.axes)}]>"


def compile(  # noqa: A001 - the name that users know from re and regex libraries
    text: str | Formula,
    symbols: Mapping[str, Symbol],
    *,
    axes: tuple[str, ...],
    dtype: str = "float32",
    units: str | None = None,
    backend: Backend = "auto",
) -> Kernel:
    """Check a formula against its symbols and make it ready to evaluate.

    Parameters
    ----------
    text : str or Formula
        The formula.
    symbols : mapping of str to Symbol
        Dtype, dimensions and shape (where known) of the symbols.
    axes : tuple of str
        Dimensions of the result, in array order.
    dtype : str
        Dtype of the result; reals are computed in binary32 for float32, else in binary64.
    units : str, optional
        Units that the result must have. They, and those of the symbols, are checked, not converted.
    backend : {"auto", "numpy", "fast"}
        What evaluates it. "fast" is machine code, made with llvmlite (the extra `fast`); what it
        cannot do, such as `exp`, is left to NumPy. "auto" compiles once that repays its time.

    Returns
    -------
    Kernel
        Call it with arrays.

    Raises
    ------
    FormulaError
        The formula does not fit the language or its symbols; `kind`, `line` and `column` say why
        and where.
    ValueError, TypeError
        `backend` or `axes` are not of the form expected.
    ModuleNotFoundError
        For "fast": llvmlite is missing.

    Examples
    --------
    >>> pixels = Symbol("uint16", ("slow", "fast"))
    >>> kernel = compile("(data & 0x3FFF) / 4", {"data": pixels}, axes=("slow", "fast"))
    >>> kernel({"data": np.array([[0x4001, 8]], "uint16")})
    array([[0.25, 2.  ]], dtype=float32)
    """
    if isinstance(axes, str):
        raise TypeError(f"axes is {axes!r}; expected a tuple of names, as in ({axes!r},)")
    formula = parse(text) if isinstance(text, str) else text
    checked = check(formula, symbols, axes=tuple(axes), dtype=dtype)
    check_units(checked, units)
    return Kernel(checked, backend=backend)


def evaluate(
    text: str,
    values: Mapping[str, tuple[Any, ...]],
    *,
    axes: tuple[str, ...],
    dtype: str = "float32",
    backend: Backend = "auto",
) -> Array:
    """Compile a formula and evaluate it at once.

    Parameters
    ----------
    text : str
        The formula.
    values : mapping of str to tuple
        For each symbol its axes, its array, and optionally its units.
    axes, dtype, backend
        As for `compile`.

    Returns
    -------
    ndarray
        The result, with the dimensions `axes` in this order.

    Raises
    ------
    FormulaError, ValueError, TypeError
        As for `compile`; lengths that disagree are a `DimensionError`.

    Examples
    --------
    >>> evaluate(
    ...     "data * gain",
    ...     {"data": (["frame", "x"], [[1, 2], [3, 4]]), "gain": (["frame"], [10.0, 100.0])},
    ...     axes=("x", "frame"),
    ... )
    array([[ 10., 300.],
           [ 20., 400.]], dtype=float32)
    """
    arrays = {name: np.asarray(value[1]) for name, value in values.items()}
    symbols = {
        name: Symbol(arrays[name].dtype.name, tuple(value[0]), arrays[name].shape, *value[2:])
        for name, value in values.items()
    }
    return compile(text, symbols, axes=axes, dtype=dtype, backend=backend)(arrays)
