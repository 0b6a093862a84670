"""Bind the symbols of a formula to datasets, and compile it for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import h5py

from nxformula.engine.kernel import Kernel
from nxformula.errors import DimensionError, FormulaTypeError, UnknownNameError
from nxformula.language.checker import check
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Formula, Index, Name, Span
from nxformula.language.types import SYMBOL_DTYPES, real_dtype
from nxformula.nexus import names
from nxformula.nexus.group import FormulaGroup
from nxformula.nexus.links import Found, Resolver
from nxformula.nexus.text import as_text, attribute_of


@dataclass(frozen=True, slots=True)
class Bound:
    """A symbol with its dataset.

    Attributes
    ----------
    dataset : h5py.Dataset
        Its values.
    symbol : Symbol
        How they are read: constants that are real in the format that the formula computes in.
    stored : Symbol
        How they are stored.
    place : tuple of str
        File and path of the dataset.
    """

    dataset: Any
    symbol: Symbol
    stored: Symbol
    place: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Extra:
    """A symbol that is no member of the formula group.

    Attributes
    ----------
    dataset : h5py.Dataset
        Its values; it is what `Resolver.dataset` gives.
    symbol : Symbol
        How they are stored.
    """

    dataset: Any
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class Binding:
    """A formula that is ready to evaluate on the datasets of a file.

    Attributes
    ----------
    definition : FormulaGroup
        What the group says.
    formula : Formula
        The parsed formula.
    bound : dict of Bound
        The symbols that the formula uses.
    kernel : Kernel
        The compiled formula.
    shape : tuple of int
        Shape of the result.
    extra : mapping of Extra
        Symbols that are no members of the group.
    """

    definition: FormulaGroup
    formula: Formula
    bound: dict[str, Bound]
    kernel: Kernel
    shape: tuple[int, ...]
    extra: Mapping[str, Extra]

    def result(self, name: str) -> Binding:
        """The same formula with one of its definitions as the result."""
        kernel = self._compiled(name)
        shape = _shape(kernel, self.bound)
        return Binding(self.definition, self.formula, self.bound, kernel, shape, self.extra)

    def _compiled(self, result: str) -> Kernel:
        symbols = {name: bound.symbol for name, bound in self.bound.items()}
        definition = self.definition
        checked = check(
            self.formula,
            symbols,
            axes=definition.axes,
            dtype=definition.dtype,
            field=definition.field,
        )
        return Kernel(checked, result)


def bind(
    definition: FormulaGroup, resolver: Resolver, extra: Mapping[str, Extra] = MappingProxyType({})
) -> Binding:
    """Find the datasets of all symbols, check the formula against them, and compile it.

    Parameters
    ----------
    definition : FormulaGroup
        What the group says.
    resolver : Resolver
        Finds the datasets.
    extra : mapping of Extra
        Symbols that are no members of the group.

    Raises
    ------
    FormulaError
        The formula, or a symbol, does not fit.
    FileError
        A dataset is missing or may not be read.
    """
    formula = parse(definition.text)
    _check_results(definition, formula)
    real = real_dtype(definition.dtype)
    bound: dict[str, Bound] = {}
    for name in formula.names:
        span = first_use(formula, name)
        if name in extra:
            dataset, stored = extra[name].dataset, extra[name].symbol
        else:
            dataset = resolver.dataset(_member(definition, name, formula, span, resolver))
            stored = _symbol(definition, name, dataset, formula, span)
        read = _as_read(stored, real, name == definition.field)
        bound[name] = Bound(dataset, read, stored, (dataset.file.filename, dataset.name))
    checked = check(
        formula,
        {name: item.symbol for name, item in bound.items()},
        axes=definition.axes,
        dtype=definition.dtype,
        field=definition.field,
    )
    kernel = Kernel(checked)
    return Binding(definition, formula, bound, kernel, _shape(kernel, bound), extra)


def _check_results(definition: FormulaGroup, formula: Formula) -> None:
    offered = {let.name for let in formula.lets}
    for name in definition.results:
        if name not in offered:
            message = f"{names.FORMULA_RESULTS} names {name!r}, which the formula does not define"
            raise UnknownNameError(message, formula.text)


def first_use(formula: Formula, name: str) -> Span:
    """Where a formula first uses a name."""
    uses = (node for node in formula.nodes if isinstance(node, Name | Index) and node.name == name)
    return min(node.span for node in uses)


def _member(
    definition: FormulaGroup, name: str, formula: Formula, span: Span, resolver: Resolver
) -> Found:
    group = definition.group
    if names.is_reserved(name) or name not in group.keys():  # noqa: SIM118 - a link that dangles is a key
        close = get_close_matches(name, definition.symbols, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        message = f"{name!r} is not a symbol: '{group.name}' has no such member{hint}"
        raise UnknownNameError(message, formula.text, span)
    found = resolver.find(group, name)
    if not isinstance(found.object, h5py.Dataset):
        message = f"{name!r} is a group, not a dataset, in '{group.name}'"
        raise FormulaTypeError(message, formula.text, span)
    return found


def _symbol(
    definition: FormulaGroup, name: str, dataset: Any, formula: Formula, span: Span
) -> Symbol:
    declared = definition.symbol_axes(name)
    stated = definition.symbol_text(name, names.UNITS_SUFFIX)
    units = dataset_units(dataset) if stated is None else stated
    is_field = name == definition.field
    of = name.removesuffix(names.ERRORS_SUFFIX)
    if of != name:
        # An uncertainty is stored as what it belongs to, unless it says otherwise.
        is_field = of == definition.field
        declared = declared or (definition.symbol_axes(of) if dataset.shape else ())
        units = units or definition.symbol_text(of, names.UNITS_SUFFIX)
    return make_symbol(name, dataset, declared, units, is_field, formula.text, span)


def make_symbol(
    name: str,
    dataset: Any,
    axes: tuple[str, ...] | None,
    units: str | None,
    is_field: bool,
    text: str,
    span: Span | None,
) -> Symbol:
    """What a formula must know of a dataset.

    Raises
    ------
    FormulaTypeError
        The dataset does not hold numbers.
    DimensionError
        Its dimensions have no names.
    """
    held = _held(dataset)
    if held not in SYMBOL_DTYPES:
        message = f"{name!r} holds {held}; expected bool, integers or float16/32/64"
        raise FormulaTypeError(message, text, span)
    if axes is None:
        axes = _default_axes(dataset.shape, is_field)
    if axes is None:
        rank = len(dataset.shape)
        message = (
            f"{name!r} has {rank} dimensions {dataset.shape} without names; add the attribute "
            f"{name}_axes with {rank} names, one for each in this order"
        )
        raise DimensionError(message, text, span)
    return Symbol(dataset.dtype.name, axes, dataset.shape, units)


def _held(dataset: Any) -> str:
    """What a dataset holds: the name of its dtype, or words."""
    if dataset.shape is None:
        return "no values"
    try:
        dtype = dataset.dtype
    except TypeError:
        return "values of a type that NumPy does not know"
    return "text" if h5py.check_string_dtype(dtype) else str(dtype.name)


def _default_axes(shape: tuple[int, ...], is_field: bool) -> tuple[str, ...] | None:
    if not shape:
        return ()
    return names.FIELD_AXES_BY_RANK.get(len(shape)) if is_field else None


def dataset_units(dataset: Any) -> str | None:
    """The `units` attribute of a dataset."""
    return as_text(attribute_of(dataset, "units"))


def _as_read(stored: Symbol, real: str, is_field: bool) -> Symbol:
    if is_field or SYMBOL_DTYPES[stored.dtype].kind != "real":
        return stored
    return Symbol(real, stored.axes, stored.shape, stored.units)


def _shape(kernel: Kernel, bound: dict[str, Bound]) -> tuple[int, ...]:
    lengths: dict[str, int] = {}
    for name in kernel.symbols:
        symbol = bound[name].symbol
        assert symbol.shape is not None, "a dataset has a shape"
        for axis, length in zip(symbol.axes, symbol.shape, strict=True):
            if axis in kernel.kept(name):
                lengths[axis] = int(length or 0)
    return tuple(lengths[axis] for axis in kernel.axes)
