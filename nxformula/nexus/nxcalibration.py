"""What an NXcalibration says of an axis, as a formula.

`offset`, `scaling_factor` and mappings have one meaning. `fit_formula_description` is a text for
people, in which `x^2` is a power: it is converted here, and never evaluated unseen.

Source: NXcalibration, https://manual.nexusformat.org/classes/base_classes/NXcalibration.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import h5py

from nxformula.errors import FileError, FormulaError
from nxformula.language.parser import parse
from nxformula.nexus import names
from nxformula.nexus.files import reading
from nxformula.nexus.homes import find_home
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.sources import SymbolSource
from nxformula.nexus.text import as_text, attribute_of

_PARAMETERS: Final = "calibration_parameters"
_INPUTS: Final = "fit_formula_inputs"
#: Dimension of an axis, if the user states none.
_AXIS: Final = "channel"
#: Dimension of which a description takes single values, as `x3`.
_POINT: Final = "point"
_POINTS_SUFFIX: Final = "_points"
#: What texts write otherwise than the language.
_SIGNS: Final = {"^": "**", "\N{MULTIPLICATION SIGN}": "*", "\N{MIDDLE DOT}": "*"} | {
    "\N{MINUS SIGN}": "-",
    "\N{SUPERSCRIPT TWO}": "**2",
    "\N{SUPERSCRIPT THREE}": "**3",
}
_FUNCTIONS: Final = {
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan")},
    "arctan2": "atan2",
    "ln": "log",
    "absolute": "abs",
}
_RESULT: Final = re.compile(r"^\s*[A-Za-z_]\w*\s*(?:\([^()]*\)\s*)?=(?!=)")
_NAME: Final = re.compile(r"(?<![\w.])(?:(?:np|numpy|math)\.)?(?P<name>[A-Za-z_]\w*)")
_NUMBERED: Final = re.compile(r"(?P<name>[A-Za-z_]\w*?)(?P<number>\d+)")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A formula for a field.

    Attributes
    ----------
    formula : str
        Its text.
    symbols : mapping of SymbolSource
        Where the values of its symbols are.
    units : str or None
        Of the result.
    description : str or None
        The text that was converted; None where nothing had to be.
    """

    formula: str
    symbols: Mapping[str, SymbolSource]
    units: str | None
    description: str | None


def proposal_of(
    path: str | os.PathLike[str],
    field_path: str,
    calibration: str,
    allow: Iterable[str | os.PathLike[str]] = (),
) -> Proposal:
    """The formula that an NXcalibration states or describes.

    Parameters
    ----------
    path : path
        The master.
    field_path : str
        Path of the axis in it.
    calibration : str
        Path of the group in it.
    allow : iterable of path
        Folders, beside that of the master, whose files may be read.

    Returns
    -------
    Proposal
        `(axis + offset) * scaling_factor`, `axis * mapping`, or the description as a formula.

    Raises
    ------
    FileError
        There is no such group or axis, or it states nothing.
    FormulaError
        Its description is no formula.
    """
    with open_reader(path, allow=allow) as master:
        home = find_home(master, field_path, master.context.resolver)
        group = master.get(calibration)
        where = f"{calibration} in {master.filename}"
        if not _is_group(group):
            raise FileError(f"{where}: there is no such group", master.filename)
        if as_text(attribute_of(group, "NX_class")) != "NXcalibration":
            raise FileError(f"{where} is no NXcalibration", master.filename)
        _check_axis(group, home, where)
        units = as_text(attribute_of(group.get("calibrated_axis") or group, "units"))
        place = f"/{calibration.strip('/')}"
        axes = _axes_of(home.found.object)
        reading_of = _Reading(group, place, home.field, home.field_path, axes)
        description = _text_of(group, "fit_formula_description")
        stated = reading_of.converted(description, where) if description else reading_of.stated()
    if stated is None:
        message = f"{where} has neither offset and scaling_factor, nor a mapping or a description"
        raise FileError(f"{message} of a formula", os.fspath(path))
    return Proposal(stated, reading_of.symbols, units, description)


def _axes_of(dataset: Any) -> tuple[str, ...]:
    rank = len(dataset.shape or ())
    return (_AXIS,) if rank == 1 else names.FIELD_AXES_BY_RANK.get(rank, ())


def _text_of(group: Any, name: str) -> str | None:
    found = group.get(name)
    if not isinstance(found, h5py.Dataset) or found.size != 1:
        return None
    with reading(f"'{found.name}'", found.file.filename):
        return as_text(found[()])


def _check_axis(group: Any, home: Any, where: str) -> None:
    """Refuse a calibration of another axis."""
    original = group.get("original_axis")
    own = home.found.object.shape
    if isinstance(original, h5py.Dataset) and original.shape != own:
        message = (
            f"{where} is of an original_axis with the shape {original.shape}, and "
            f"{home.field_path} has {own}"
        )
        raise FileError(message, home.file.file.filename)


@dataclass(frozen=True, slots=True)
class _Member:
    """A field, and its path in the master."""

    path: str
    dataset: Any


def _is_group(found: Any) -> bool:
    return isinstance(found, h5py.Group)


@dataclass(slots=True)
class _Reading:
    """Reads a group; collects the symbols that the formula needs."""

    group: Any
    place: str
    axis: str
    axis_path: str
    axes: tuple[str, ...]
    symbols: dict[str, SymbolSource] = field(default_factory=dict)

    def stated(self) -> str | None:
        """The formula of offset and scaling factor, or of a mapping."""
        parameters = self._members(_PARAMETERS)
        self.symbols[self.axis] = SymbolSource(axes=self.axes)
        offset, factor = (
            self._symbol(name, parameters) if name in parameters else None
            for name in ("offset", "scaling_factor")
        )
        mappings = [name for name in self._members("") if name.startswith("mapping_")]
        if offset or factor:
            text = f"({self.axis} + {offset})" if offset else self.axis
            return f"{text} * {factor}" if factor else text
        if len(mappings) == 1:
            return f"{self.axis} * {self._symbol(mappings[0], self._members(''))}"
        return None

    def converted(self, text: str, where: str) -> str:
        """A description in the language."""
        self.symbols[self.axis] = SymbolSource(axes=self.axes)
        symbol = as_text(attribute_of(self.group.get("original_axis") or self.group, "symbol"))
        found = _RESULT.sub("", text).strip()
        for sign, meaning in _SIGNS.items():
            found = found.replace(sign, meaning)
        found = _NAME.sub(lambda match: self._named(match["name"], symbol or "x"), found)
        try:
            parse(found)
        except FormulaError as error:
            error.add_note(
                f"This is what was made of the description {text!r} of {where}; state the formula "
                "itself with --formula."
            )
            raise
        return found

    def _named(self, name: str, symbol: str) -> str:
        if name == symbol:
            return self.axis
        inputs = self._members(_INPUTS)
        known = {**inputs, **self._members(_PARAMETERS)}
        if name in known:
            return self._symbol(name, known)
        numbered = _NUMBERED.fullmatch(name)
        if numbered is not None and numbered["name"] in (symbol, *inputs):
            return self._point(numbered["name"], int(numbered["number"]), inputs)
        return _FUNCTIONS.get(name, name)

    def _point(self, name: str, number: int, inputs: Mapping[str, _Member]) -> str:
        path = inputs[name].path if name in inputs else self.axis_path
        points = (name if name in inputs else self.axis) + _POINTS_SUFFIX
        self.symbols[points] = SymbolSource(path=path, axes=(_POINT,))
        return f"{points}[{_POINT} = {number}]"

    def _members(self, below: str) -> dict[str, _Member]:
        """Fields of a group of parameters, or of the calibration itself, by name."""
        holder = self.group.get(below) if below else self.group
        place = f"{self.place}/{below}".rstrip("/")
        members = {name: holder.get(name) for name in holder} if _is_group(holder) else {}
        return {
            name: _Member(f"{place}/{name}", each)
            for name, each in members.items()
            if isinstance(each, h5py.Dataset)
        }

    def _symbol(self, name: str, members: Mapping[str, _Member]) -> str:
        """Take a field as a symbol; its name in the formula."""
        dataset = members[name].dataset
        rank = len(dataset.shape or ())
        axes = (".",) * rank if dataset.size == 1 else self.axes
        self.symbols[name] = SymbolSource(path=members[name].path, axes=axes if rank else None)
        return name
