"""Write a formula group that has been checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import h5py
import numpy as np

from nxformula._version import __version__
from nxformula.errors import FileError
from nxformula.language.symbols import Symbol
from nxformula.nexus import names
from nxformula.nexus.group import (
    FormulaGroup,
    describe,
    describe_member,
    is_applied,
    is_formula_group,
)
from nxformula.nexus.homes import Home
from nxformula.nexus.links import declared_bytes, link_of
from nxformula.nexus.sources import SymbolSource

#: Datasets up to this size may be copied into the master; larger ones are always linked.
_COPIED_BYTES: Final = 1 << 20
#: Begins the description of a group whose formula is not applied.
_RAW: Final = "'{field}' holds raw values."


@dataclass(frozen=True, slots=True)
class Member:
    """A symbol as it will stand in the group.

    Attributes
    ----------
    symbol : Symbol
        Its dtype, dimensions and units.
    source : SymbolSource
        Where the user said its values are.
    dataset : h5py.Dataset or None
        Its values, unless the source is a number.
    checksum : str or None
        Of the values; none for the field and for numbers.
    """

    symbol: Symbol
    source: SymbolSource
    dataset: Any
    checksum: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A formula group that fits its datasets and is ready to be written.

    Attributes
    ----------
    home : Home
        Where it goes.
    text : str
        The formula.
    members : dict of Member
        The symbols that the formula uses.
    axes, dtype, units, results
        Of the result.
    nx_class : str
        Class of the group.
    description : str or None
        For people; one is made where none is given.
    history : str
        What the group was before.
    """

    home: Home
    text: str
    members: Mapping[str, Member]
    axes: tuple[str, ...]
    dtype: str
    units: str | None
    results: tuple[str, ...]
    nx_class: str
    description: str | None
    history: str


def write_group(file: Any, draft: Draft, folder: str, copy: bool) -> None:
    """Write a group, and soft links to it from the other places of the field.

    Parameters
    ----------
    file : h5py.File
        A copy of the master, open for writing.
    draft : Draft
        What to write.
    folder : str
        Where the file will be: links are relative to it.
    copy : bool
        Copy constants of up to 1 MiB instead of linking them.
    """
    home = draft.home
    parent = file[home.group.name]
    name = home.field + names.GROUP_SUFFIX
    if name in parent:
        del parent[name]
    group = parent.create_group(name)
    for key, value in _attributes(draft).items():
        group.attrs[key] = value
    _write_fields(group, draft)
    if home.field not in draft.members:
        group[home.field] = h5py.SoftLink(home.field_path)
    for symbol, member in draft.members.items():
        _write_symbol(group, symbol, member, home, folder, copy)
    for other in home.others:
        if name not in file[other]:
            file[other][name] = h5py.SoftLink(home.formula_path)


def write_stated(file: Any, home: Home, definition: FormulaGroup) -> None:
    """Write the group of a formula that offset and scaling factor of a field stand for.

    Parameters
    ----------
    file : h5py.File
        A copy of the master, open for writing.
    home : Home
        Where the group goes.
    definition : FormulaGroup
        The formula; its symbols, but for the field, are copied from where they are in the copy.
    """
    symbols = dict(definition.declared or {})
    holder = file[definition.group.name]
    group = file.create_group(home.formula_path)
    attributes = {
        "NX_class": names.GROUP_CLASS,
        names.FORMULA: definition.text,
        names.FORMULA_LANGUAGE: names.LANGUAGE,
        names.FORMULA_DTYPE: definition.dtype,
        names.FORMULA_AXES: list(definition.axes),
        names.TARGET: home.formula_path,
    }
    if definition.units is not None:
        attributes[names.FORMULA_UNITS] = definition.units
    group.attrs.update(attributes)
    for name, axes in symbols.items():
        if name == definition.field:
            group[name] = h5py.SoftLink(home.field_path)
        else:
            holder.copy(holder[name], group, name, expand_external=True)
        if axes:
            group.attrs[name + names.AXES_SUFFIX] = list(axes)
    for other in home.others:
        file[other][home.field + names.GROUP_SUFFIX] = h5py.SoftLink(home.formula_path)


def _attributes(draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = {
        "NX_class": draft.nx_class,
        names.FORMULA: draft.text,
        names.FORMULA_LANGUAGE: names.LANGUAGE,
        names.FORMULA_DTYPE: draft.dtype,
        names.FORMULA_AXES: list(draft.axes),
        names.TARGET: draft.home.formula_path,
    }
    if draft.units is not None:
        found[names.FORMULA_UNITS] = draft.units
    if draft.results:
        found[names.FORMULA_RESULTS] = list(draft.results)
    for name, member in draft.members.items():
        if member.symbol.axes:
            found[name + names.AXES_SUFFIX] = list(member.symbol.axes)
        if member.symbol.units is not None:
            found[name + names.UNITS_SUFFIX] = member.symbol.units
        if member.checksum:
            found[name + names.CHECKSUM_SUFFIX] = member.checksum
    return found


def _write_fields(group: Any, draft: Draft) -> None:
    group[names.DESCRIPTION] = draft.description or _description(draft)
    group.create_dataset(names.APPLIED, data=False)
    group[names.DATE] = now()
    group[names.PROGRAM] = "nxformula"
    group[names.VERSION] = __version__
    if draft.history:
        group[names.HISTORY] = draft.history


def _description(draft: Draft) -> str:
    """What the group means, for people and for programs that do not evaluate."""
    field, unit = draft.home.field, f" in {draft.units}" if draft.units else ""
    lines = [
        f"{_RAW.format(field=field)} The physical values{unit} are computed from them, element "
        "by element, by the formula:",
        draft.text.strip(),
        "where",
        *(f"  {name}: {_origin(name, m, field)}" for name, m in draft.members.items()),
    ]
    return "\n".join(lines)


def description_when_applied(text: str, field: str) -> str:
    """A description that was made here, as it is true once the formula is applied."""
    return text.replace(_RAW.format(field=field), f"'{field}' holds calibrated values.", 1).replace(
        "are computed from them,", "were computed from the raw ones,", 1
    )


def _origin(name: str, member: Member, field: str) -> str:
    if member.dataset is None:
        return f"{member.source.value} {member.source.units or ''}".rstrip()
    place = "the raw field" if name == field else f"dataset {member.dataset.name}"
    return f"{place}, {member.symbol}"


def _write_symbol(
    group: Any, name: str, member: Member, home: Home, folder: str, copy: bool
) -> None:
    source, dataset = member.source, member.dataset
    if dataset is None or (copy and source.path and declared_bytes(dataset) <= _COPIED_BYTES):
        value = np.asarray(source.value, member.symbol.dtype) if dataset is None else dataset[()]
        group.create_dataset(name, data=value)
        if member.symbol.units is not None:
            group[name].attrs["units"] = member.symbol.units
    elif source.path is None:
        group[name] = h5py.SoftLink(f"{home.group.name.rstrip('/')}/{name}")
    elif source.file is None:
        group[name] = h5py.SoftLink(source.path)
    else:
        relative = os.path.relpath(os.path.realpath(source.file), os.path.realpath(folder))
        group[name] = h5py.ExternalLink(relative, source.path)


def history_of(home: Home, master: str, replace: bool) -> str:
    """What the formula group of a field was before.

    Raises
    ------
    FileError
        There is a formula, and nobody asked to replace it; or a group that is no formula group.
    """
    name = home.field + names.GROUP_SUFFIX
    link = link_of(home.group, name)
    if link is None:
        return ""
    group = home.group[name] if isinstance(link, h5py.HardLink) else None
    if group is not None and not is_formula_group(group):
        raise FileError(f"{group.name} in {master} exists, and is no formula group", master)
    if group is not None and is_applied(group):
        message = f"{home.field_path} in {master} holds calibrated values: its formula is applied"
        raise FileError(f"{message}; attach to the file with the raw values", master)
    if not replace:
        message = f"{home.field_path} has a formula already; add --replace to change it"
        raise FileError(message, master)
    if group is None:
        return f"{now()} replaced: {json.dumps(describe_member(home.group, name))}"
    before = describe(group)
    earlier = before["members"].pop(names.HISTORY, {}).get("value", "")
    entry = f"{now()} replaced: {json.dumps(before)}"
    return f"{earlier}\n{entry}" if earlier else entry


def now() -> str:
    """Date and time as NeXus writes them."""
    return datetime.now(UTC).isoformat(timespec="seconds")
