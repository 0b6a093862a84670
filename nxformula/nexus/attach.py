"""Attach a formula to a field of a master, after checking it against the real datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_value

from nxformula.language.parser import parse
from nxformula.nexus import names
from nxformula.nexus.copying import copy_master
from nxformula.nexus.files import open_file
from nxformula.nexus.group_writer import Draft, history_of, write_group
from nxformula.nexus.output import new_file
from nxformula.nexus.presets import Preset
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.sources import SymbolSource, parse_source
from nxformula.nexus.symbol_finder import SymbolFinder


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
        symbol_finder = SymbolFinder(master, field, parse(formula), given, preset)
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
        symbol_finder.check(draft)
        inputs = set(master.context.pool.paths) - ({os.path.realpath(path)} if in_place else set())
        with new_file(final, force=force or in_place, inputs=inputs) as temporary:
            copy_master(master.filename, temporary, folder)
            with open_file(temporary, "r+") as file:
                write_group(file, draft, folder, copy)
            used = _read_back(temporary, field, master.context.access.roots)
        allowed = folders_to_allow(used, folder)
        return Attached(os.fspath(output or path), home.formula_path, allowed)


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


def folders_to_allow(files: set[str], folder: str) -> tuple[str, ...]:
    """Folders of linked files outside the folder of the file that links to them.

    Parameters
    ----------
    files : set of str
        The linked files.
    folder : str
        Of the file with the links.
    """
    home = os.path.realpath(folder)
    folders = {os.path.dirname(file) for file in files}
    return tuple(sorted(f for f in folders if os.path.commonpath([f, home]) != home))
