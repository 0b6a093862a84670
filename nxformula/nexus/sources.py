"""Where the values of a symbol come from, as a user states it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_AXES = rf"\[\s*(?P<axes>(?:(?:{_NAME}|\.)\s*(?:,\s*(?:{_NAME}|\.)\s*)*)?)\]"
_TAIL = rf"(?:{_AXES})?\s*(?:\{{(?P<units>[^{{}}]*)\}})?\s*"
_OWN = re.compile(rf"\s*(?P<name>{_NAME})\s*{_TAIL}")
_GIVEN = re.compile(rf"\s*(?P<name>{_NAME})\s*=\s*(?P<place>.*?)\s*{_TAIL}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SymbolSource:
    """Where the values of a symbol come from.

    Parameters
    ----------
    file : str, optional
        Another HDF5 file, relative to the working directory.
    path : str, optional
        Path of the dataset, in `file` or else in the master.
    value : int or float, optional
        The value itself, of a scalar.
    axes : tuple of str, optional
        Names of the dimensions, in the order of storage.
    units : str, optional
        Units; else those that the dataset states.

    Raises
    ------
    TypeError, ValueError
        These cannot be together, or `axes` is a string.
    """

    file: str | None = None
    path: str | None = None
    value: int | float | None = None
    axes: tuple[str, ...] | None = None
    units: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.axes, str):
            raise TypeError(f"axes is {self.axes!r}; expected a tuple of names")
        if self.value is not None and (self.file or self.path or self.axes):
            raise ValueError(f"a symbol with the value {self.value} has no file, path or axes")
        if self.file is not None and self.path is None:
            raise ValueError(f"a symbol in {self.file} needs the path of its dataset there")


def parse_source(text: str) -> tuple[str, SymbolSource]:
    """Read `NAME=FILE:/PATH[AXES]{UNITS}`, `NAME=/PATH[AXES]`, `NAME=NUMBER{UNITS}`, `NAME[AXES]`.

    The last form states the dimensions of the field itself, or of a dataset beside it.

    Raises
    ------
    ValueError
        The text has none of these forms.

    Examples
    --------
    >>> parse_source("pedestal=ped.h5:/gains[stage,slow,fast]{count}")[1].axes
    ('stage', 'slow', 'fast')
    >>> parse_source("energy=9.3{keV}")[1].value
    9.3
    """
    match = _GIVEN.fullmatch(text) or _OWN.fullmatch(text)
    if match is None:
        forms = "NAME=FILE:/PATH[AXIS,AXIS]{UNITS}, NAME=/PATH[AXES], NAME=NUMBER or NAME[AXES]"
        raise ValueError(f"{text!r} is not of the form {forms}")
    found = match["axes"]
    axes = None if found is None else tuple(a.strip() for a in found.split(",") if a.strip())
    place = match.groupdict().get("place")
    return match["name"], _source(place, axes, match["units"], text)


def as_option(name: str, source: SymbolSource) -> str:
    """A symbol in the form of `--symbol`.

    Examples
    --------
    >>> as_option(*parse_source("gain = g.h5:/gain [slow, fast] {count/keV}"))
    'gain=g.h5:/gain[slow,fast]{count/keV}'
    >>> as_option("channel", SymbolSource(axes=("channel",)))
    'channel[channel]'
    """
    place = "" if source.path is None else f"={f'{source.file}:' * bool(source.file)}{source.path}"
    if source.value is not None:
        place = f"={source.value}"
    axes = "" if source.axes is None else f"[{','.join(source.axes)}]"
    return f"{name}{place}{axes}{f'{{{source.units}}}' if source.units else ''}"


def _source(
    place: str | None, axes: tuple[str, ...] | None, units: str | None, text: str
) -> SymbolSource:
    if place is None:
        return SymbolSource(axes=axes, units=units)
    number = _number(place)
    if number is not None:
        return SymbolSource(value=number, axes=axes, units=units)
    file, colon, path = place.rpartition(":")
    if not path.startswith("/") or (colon and not file):
        raise ValueError(f"{text!r}: expected FILE:/PATH, /PATH or a number after '='")
    return SymbolSource(file=file or None, path=path, axes=axes, units=units)


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None
