"""Find the datasets of a formula's symbols as a user stated them, and check the formula on them."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Any

import h5py

from nxformula.errors import FileError, UnknownNameError
from nxformula.language.checker import check
from nxformula.language.intervals import Interval
from nxformula.language.symbolic.uncertainties import uncertainty
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Formula, Span
from nxformula.language.types import narrowest
from nxformula.language.units import check_units
from nxformula.nexus import names
from nxformula.nexus.binding import dataset_units, first_use, make_symbol
from nxformula.nexus.checksum import checksum
from nxformula.nexus.derived import uncertain_names
from nxformula.nexus.group_writer import Draft, Member
from nxformula.nexus.homes import Home, find_home
from nxformula.nexus.links import Found, check_declared, declared_bytes
from nxformula.nexus.preset_checks import check_lengths, check_values
from nxformula.nexus.presets import Preset
from nxformula.nexus.reader import File
from nxformula.nexus.sources import SymbolSource
from nxformula.nexus.text import as_names, attribute_of


class SymbolFinder:
    """Finds the datasets of a formula's symbols, and checks the formula against them.

    Parameters
    ----------
    master : File
        The master, open.
    field : str
        Path of the raw field in it.
    formula : Formula
        The formula.
    given : dict of SymbolSource
        Where the user says that values are.
    preset : Preset or None
        Where the formula comes from.

    Raises
    ------
    FormulaError
        A given symbol is none of the formula.
    FileError
        There is no such field.
    """

    def __init__(
        self,
        master: File,
        field: str,
        formula: Formula,
        given: dict[str, SymbolSource],
        preset: Preset | None,
    ) -> None:
        self.formula = formula
        self.preset = preset
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

    def check(self, draft: Draft) -> None:
        """Refuse a formula that does not fit its symbols, and symbols that lack planes."""
        symbols = {name: draft.members[name].symbol for name in self.formula.names}
        checked = check(
            self.formula, symbols, axes=draft.axes, dtype=draft.dtype, field=self.home.field
        )
        check_units(checked, draft.units)
        self._check_uncertainty(draft)
        preset = self.preset
        if preset is not None:
            check_lengths(preset, symbols)
            members = draft.members.items()
            values = {
                name: m.source.value if m.dataset is None else m.dataset
                for name, m in members
                if name != self.home.field
            }
            check_values(preset, symbols, values)
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
        derived = uncertainty(self.formula, known, single=single, nan_with_result=True)
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
        axes = source.axes or self._stated_axes(name, dataset)
        if of is not None:
            # Uncertainties are as what they belong to, if nothing else is said.
            axes = axes or (of.symbol.axes if dataset.shape else ())
            units = units or of.symbol.units
        is_field = name == self.home.field
        return make_symbol(name, dataset, axes, units, is_field, self.formula.text, span)

    def _stated_axes(self, name: str, dataset: Any) -> tuple[str, ...] | None:
        """The dimensions that a dataset states itself, else those of the preset."""
        rank = len(dataset.shape or ())
        stated = as_names(attribute_of(dataset, names.AXES))
        if name != self.home.field and stated and len(stated) == rank:
            return stated
        known = self.preset.symbols.get(name) if self.preset is not None else None
        return known.axes if known is not None and rank else None

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
        if self.preset is not None and name in self.preset.symbols:
            needed = f"the preset {self.preset.name} needs {self.preset.symbols[name]}"
            message += f"; {needed}; give it with --symbol '{name}=FILE:/PATH'"
        raise UnknownNameError(message, self.formula.text, self._first_use(name))

    def _first_use(self, name: str) -> Span | None:
        """Where the formula uses a name; not that of an uncertainty."""
        return first_use(self.formula, name) if name in self.formula.names else None
