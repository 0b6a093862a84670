"""Attach a formula to a field of a master, after checking it against the real datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_value
from difflib import get_close_matches
from typing import Any

import h5py

from nxformula.errors import FileError, UnknownNameError
from nxformula.language.checker import check
from nxformula.language.intervals import Interval
from nxformula.language.parser import parse
from nxformula.language.symbolic.uncertainties import uncertainty
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Formula, Span
from nxformula.language.types import narrowest
from nxformula.language.units import check_units
from nxformula.nexus import names
from nxformula.nexus.binding import dataset_units, first_use, make_symbol
from nxformula.nexus.checksum import checksum
from nxformula.nexus.copying import copy_master
from nxformula.nexus.derived import uncertain_names
from nxformula.nexus.files import open_file
from nxformula.nexus.group_writer import Draft, Member, history_of, write_group
from nxformula.nexus.homes import Home, find_home
from nxformula.nexus.links import Found, check_declared, declared_bytes
from nxformula.nexus.output import new_file
from nxformula.nexus.presets import Preset
from nxformula.nexus.reader import File
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.sources import SymbolSource, parse_source


@dataclass(frozen=True, slots=True)
class Attached:
    """What `attach` did.

    Attributes
    ----------
    path : str
        The file written.
    group : str
        The formula group in it.
    allow : tuple of str
        Folders that a reader must allow.
    """

    path: str
    group: str
    allow: tuple[str, ...]


def attach(
    path: str | os.PathLike[str],
    field: str,
    formula: str,
    symbols: Mapping[str, SymbolSource] | Iterable[str] = (),
    *,
    axes: tuple[str, ...] | None = None,
    units: str | None = None,
    dtype: str = "float32",
    results: tuple[str, ...] = (),
    description: str | None = None,
    output: str | os.PathLike[str] | None = None,
    in_place: bool = False,
    force: bool = False,
    replace: bool = False,
    copy: bool = False,
    nx_class: str = names.GROUP_CLASS,
    preset: Preset | None = None,
    allow: Iterable[str | os.PathLike[str]] = (),
) -> Attached:
    """Attach a formula to a field of a master.

    The formula is checked against the datasets first; when a check fails nothing is written. The
    new file appears under its name only when it is complete and reads back.

    Parameters
    ----------
    path : path
        The master.
    field : str
        Path of the raw field.
    formula : str
        Text of the formula.
    symbols : mapping of str to SymbolSource, or iterable of str
        Where the symbols' values are, as objects or in the form of `--symbol`. Datasets beside the
        field need not be given.
    axes : tuple of str, optional
        Dimensions of the result; by default those of the field.
    units, dtype : str
        Of the result. Where it or symbols have units, they must fit.
    results : tuple of str
        Definitions of the formula that can be read as datasets too.
    description : str, optional
        For people who do not evaluate the formula; by default one is made.
    output : path, optional
        A new file; one of `output` and `in_place` is required.
    in_place : bool
        Change the master itself (through a complete copy that replaces it at the end).
    force : bool
        Whether `output` may replace a file.
    replace : bool
        Replace a formula that the field has already; its history is kept.
    copy : bool
        Copy constants of up to 1 MiB into the master, instead of linking them.
    nx_class : str
        Class of the group.
    preset : Preset, optional
        Where the formula comes from: constants must have the planes that it needs.
    allow : iterable of path
        Folders, beside that of the master, whose files may be read.

    Returns
    -------
    Attached
        What was written, and which folders a reader must allow.

    Raises
    ------
    FormulaError
        The formula does not fit the language or the datasets.
    FileError
        A file cannot be read, found or written.
    ValueError
        `symbols`, `output` or `nx_class` are not of the form expected.

    Examples
    --------
    >>> done = nxformula.attach(
    ...     raw_master,
    ...     "/entry/instrument/detector/data",
    ...     "where(data >> 14 == 0, (data & 0x3FFF) * gain, nan)",
    ...     ["gain=0.35{keV/count}"],
    ...     units="keV",
    ...     output=output,
    ...     force=True,
    ... )
    >>> done.group
    '/entry/instrument/detector/data_formula'
    """
    given = _given(symbols)
    _check_options(axes, results, nx_class)
    final = _final(path, output, in_place)
    folder = os.path.dirname(final)
    with open_reader(path, allow=allow) as master:
        symbol_finder = _SymbolFinder(master, field, parse(formula), given)
        members = symbol_finder.members()
        home = symbol_finder.home
        draft = Draft(
            home,
            formula,
            members,
            axes or symbol_finder.field_axes(),
            dtype,
            units,
            results,
            nx_class,
            description,
            history_of(home, master.filename, replace),
        )
        symbol_finder.check(draft, preset)
        inputs = set(master.context.pool.paths) - ({os.path.realpath(path)} if in_place else set())
        with new_file(final, force=force or in_place, inputs=inputs) as temporary:
            copy_master(master.filename, temporary, folder)
            with open_file(temporary, "r+") as file:
                write_group(file, draft, folder, copy)
            roots = master.context.access.roots
            used = _read_back(temporary, field, roots)
        return Attached(
            os.fspath(output or path), home.formula_path, _folders_to_allow(used, folder)
        )


def _check_options(axes: tuple[str, ...] | None, results: tuple[str, ...], nx_class: str) -> None:
    for what, value in (("axes", axes), ("results", results)):
        if isinstance(value, str):
            raise TypeError(f"{what} is {value!r}; expected a tuple of names")
        if value is not None and len(set(value)) < len(value):
            raise ValueError(f"{what} names something twice: {', '.join(value)}")
    if nx_class not in (names.GROUP_CLASS, names.PROPOSED_CLASS):
        classes = f"{names.GROUP_CLASS} or {names.PROPOSED_CLASS}"
        raise ValueError(f"nx_class is {nx_class!r}; expected {classes}")


def _given(symbols: Mapping[str, SymbolSource] | Iterable[str]) -> dict[str, SymbolSource]:
    if isinstance(symbols, Mapping):
        for name, source in symbols.items():
            if not isinstance(source, SymbolSource):
                raise TypeError(f"symbol {name!r} is {source!r}; expected a SymbolSource")
        return {name: _rooted(source) for name, source in symbols.items()}
    if isinstance(symbols, str):
        raise TypeError(f"symbols is {symbols!r}; expected a list of such texts")
    found: dict[str, SymbolSource] = {}
    for text in symbols:
        name, source = parse_source(text)
        if name in found:
            raise ValueError(f"symbol {name!r} is given twice")
        found[name] = source
    return found


def _rooted(source: SymbolSource) -> SymbolSource:
    if source.path is None or source.path.startswith("/"):
        return source
    return replace_value(source, path=f"/{source.path}")


def _final(
    path: str | os.PathLike[str], output: str | os.PathLike[str] | None, in_place: bool
) -> str:
    if (output is None) == (not in_place):
        raise ValueError("give either output (--output NEW) or in_place (--in-place)")
    # In place means the file itself, not a symbolic link to it.
    return os.path.realpath(path) if output is None else os.path.abspath(output)


def _read_back(temporary: str, field: str, allow: tuple[str, ...]) -> set[str]:
    """Open the new file as a reader would, so that it is known to bind; the files it needs.

    What the detector says of saturation is written beside the formula, in calibrated units.
    """
    with open_reader(temporary, allow=allow) as file:
        images = file[field]
        images.check_tables()
        limits = {
            names.SATURATION_VALUE: images.saturation_value,
            names.UNDERLOAD_VALUE: images.underload_value,
        }
        group = images.binding.definition.group.name
        used: set[str] = file.context.access.used
    _write_limits(temporary, group, limits, images.units)
    return used


def _write_limits(
    path: str, group: str, limits: Mapping[str, float | None], units: str | None
) -> None:
    known = {name: value for name, value in limits.items() if value is not None}
    if not known:
        return
    with open_file(path, "r+") as file:
        for name, value in known.items():
            field = file[group].create_dataset(name, data=value)
            if units is not None:
                field.attrs["units"] = units


class _SymbolFinder:
    """Finds the datasets of a formula's symbols, and checks the formula against them."""

    def __init__(
        self, master: File, field: str, formula: Formula, given: dict[str, SymbolSource]
    ) -> None:
        self.formula = formula
        self.given = given
        self.master = master.filename
        self.access = master.context.access
        self.resolver = master.context.resolver
        self.home: Home = find_home(master, field, self.resolver)
        self._check_used()

    def _check_used(self) -> None:
        for name, source in self.given.items():
            if name == self.home.field and (source.path or source.value is not None):
                message = f"{name!r} is the field itself; only its axes and units can be given"
                raise UnknownNameError(message, self.formula.text)
            used = (*self.formula.names, self.home.field)
            if name not in used and name not in self.partners():
                listed = ", ".join(self.formula.names)
                message = (
                    f"symbol {name!r} is given, and the formula does not use it; it uses {listed}"
                )
                raise UnknownNameError(message, self.formula.text)

    def partners(self) -> dict[str, str]:
        """Given symbols with the uncertainties of others, or of definitions: to these others."""
        offered = {*self.formula.names, *(let.name for let in self.formula.lets)}
        found = {name: name.removesuffix(names.ERRORS_SUFFIX) for name in self.given}
        return {
            name: of
            for name, of in found.items()
            if of in offered and name not in (of, *self.formula.names)
        }

    def members(self) -> dict[str, Member]:
        """The symbols that the formula uses, and their uncertainties."""
        found = {name: self._member(name) for name in self.formula.names}
        for name, of in self.partners().items():
            found[name] = self._member(name, found.get(of))
        return found

    def check(self, draft: Draft, preset: Preset | None) -> None:
        """Refuse a formula that does not fit its symbols, and symbols that lack planes."""
        symbols = {name: draft.members[name].symbol for name in self.formula.names}
        checked = check(
            self.formula, symbols, axes=draft.axes, dtype=draft.dtype, field=self.home.field
        )
        check_units(checked, draft.units)
        self._check_uncertainty(draft)
        if preset is not None:
            preset.check_lengths(symbols)
        for name in draft.results:
            if name not in checked.definitions:
                message = f"result {name!r} is not a definition of the formula"
                raise UnknownNameError(message, self.formula.text)

    def _check_uncertainty(self, draft: Draft) -> None:
        """Refuse uncertainties that do not fit, and those of what a formula hides."""
        if not self.partners():
            return
        single = {of for name, of in self.partners().items() if not draft.members[name].symbol.axes}
        known = uncertain_names(self.formula, tuple(draft.members))
        derived = uncertainty(self.formula, known, single=single)
        checked = check(
            derived,
            {name: draft.members[name].symbol for name in derived.names},
            axes=draft.axes,
            dtype="float64",
            field=self.home.field,
        )
        check_units(checked, draft.units)

    def field_axes(self) -> tuple[str, ...]:
        """Dimensions of the field, which are the result's unless stated otherwise."""
        dataset = self.resolver.dataset(self.home.found)
        return self._symbol(self.home.field, dataset, None).dimensions

    def _symbol(
        self, name: str, dataset: Any, span: Span | None, of: Member | None = None
    ) -> Symbol:
        source = self.given.get(name, SymbolSource())
        units = dataset_units(dataset) if source.units is None else source.units
        axes = source.axes
        if of is not None:
            # Uncertainties are as what they belong to, if nothing else is said.
            axes = axes or (of.symbol.axes if dataset.shape else ())
            units = units or of.symbol.units
        is_field = name == self.home.field
        return make_symbol(name, dataset, axes, units, is_field, self.formula.text, span)

    def _member(self, name: str, of: Member | None = None) -> Member:
        """A symbol of the formula, or the uncertainties of another."""
        span = self._first_use(name)
        source = self.given.get(name, SymbolSource())
        if names.is_reserved(name):
            message = f"{name!r} has another meaning in the group; the symbol needs another name"
            raise UnknownNameError(message, self.formula.text, span)
        if source.value is not None:
            return self._scalar(name, source, of)
        found = self._find(name, source)
        if not isinstance(found.object, h5py.Dataset):
            message = f"symbol {name!r}: {found.object.name} is not a dataset"
            raise FileError(message, found.object.file.filename)
        if any(group.name == self.home.formula_path for group, _ in found.places):
            message = f"symbol {name!r} is in {self.home.formula_path}, which is replaced"
            raise FileError(f"{message}; name the dataset elsewhere", self.master)
        dataset = self.resolver.dataset(found)
        symbol = self._symbol(name, dataset, span, of)
        if name != self.home.field:
            check_declared(self.resolver, dataset, declared_bytes(dataset))
        sum_ = None if name == self.home.field else checksum(dataset)
        return Member(symbol, source, dataset, sum_)

    def _scalar(self, name: str, source: SymbolSource, of: Member | None) -> Member:
        value = source.value
        dtype = "float64"
        if isinstance(value, int):
            found = narrowest(Interval(value, value))
            if found is None:
                raise ValueError(f"symbol {name!r} is {value}, more than 64 bits hold")
            dtype = found
        units = source.units or (of.symbol.units if of is not None else None)
        return Member(Symbol(dtype, (), (), units), source, None, None)

    def _find(self, name: str, source: SymbolSource) -> Found:
        if source.path is None:
            return self._beside(name)
        root = self.home.file
        where = self.master
        if source.file is not None:
            what = f"symbol {name!r}"
            where = self.access.find(source.file, os.getcwd(), what)
            root = self.resolver.pool.open(where)["/"]
        try:
            return self.resolver.find(root, source.path)
        except KeyError:
            raise FileError(f"symbol {name!r}: no {source.path} in {where}", where) from None

    def _beside(self, name: str) -> Found:
        if name == self.home.field:
            return self.home.found
        try:
            return self.resolver.find(self.home.group, name)
        except KeyError:
            pass
        close = get_close_matches(name, list(self.home.group), n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        message = f"{name!r} is neither given as a symbol nor a dataset beside the field{hint}"
        raise UnknownNameError(message, self.formula.text, self._first_use(name))

    def _first_use(self, name: str) -> Span | None:
        """Where the formula uses a name; not that of an uncertainty."""
        return first_use(self.formula, name) if name in self.formula.names else None


def _folders_to_allow(files: set[str], folder: str) -> tuple[str, ...]:
    """Folders of linked files outside the folder of the new file."""
    home = os.path.realpath(folder)
    folders = {os.path.dirname(file) for file in files}
    return tuple(sorted(f for f in folders if os.path.commonpath([f, home]) != home))
