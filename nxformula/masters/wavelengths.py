"""Wavelengths of events: of a photon energy, a wavelength or a spectrum that another file has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError, UnitError
from nxformula.language.units.texts import parse_unit
from nxformula.masters.events.matching import EventTable
from nxformula.masters.geometry.crystfel import EV_ANGSTROM
from nxformula.masters.selection import read_array, rows_of_events

_IDS: Final = r"(?P<ids>/[^,{]+)(?:,offset=(?P<offset>-?\d+))?(?:\{(?P<units>[^{}]*)\})?"
_VALUES: Final = re.compile(rf"(?P<file>.+):(?P<values>/[^,]+),{_IDS}")
_SPECTRUM: Final = re.compile(rf"(?P<file>.+):(?P<values>/[^,]+),(?P<channels>/[^,]+),{_IDS}")


@dataclass(frozen=True, slots=True)
class Wavelengths:
    """What `incident_wavelength` and `incident_wavelength_weights` of NXbeam hold.

    Attributes
    ----------
    values : ndarray of float64, shape (event,) or (channel,)
        In angstrom.
    weights : ndarray of float64, shape (event, channel), or None
        Of the channels of a spectrum.
    """

    values: Array
    weights: Array | None


def wavelengths_of_events(table: EventTable, place: str, default: float | None) -> Wavelengths:
    """A wavelength for each event, joined by equality of the first id.

    Parameters
    ----------
    table : EventTable
        The events.
    place : str
        `FILE:/VALUES,/IDS{UNITS}` of wavelengths or photon energies, with `,offset=N` behind the
        ids where they need it. Units are those that the dataset states, if none are given.
    default : float or None
        In angstrom, of events that the file does not have.

    Raises
    ------
    FileError
        The file cannot be read, or lacks events.
    ValueError
        The text is of another form, or units are missing or of something else.
    """
    match = _VALUES.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not of the form FILE:/VALUES,/IDS{{UNITS}}")
    values, units = read_array(match["file"], match["values"])
    rows = _rows(table, match, place, values.reshape(-1))
    found = np.full(len(table.ids), np.nan)
    found[rows >= 0] = _in_angstrom(values.reshape(-1), match["units"] or units, place)[
        rows[rows >= 0]
    ]
    usable = np.isfinite(found) & (found > 0)
    if default is not None:
        found[~usable] = default
    elif not usable.all():
        message = (
            f"{_lacking(table, ~usable)} no wavelength in {place}; --set beam.wavelength=ANGSTROM "
            "gives them one, --select keeps others"
        )
        raise FileError(message, match["file"])
    return Wavelengths(found, None)


def spectra_of_events(table: EventTable, place: str) -> Wavelengths:
    """A spectrum for each event, joined by equality of the first id.

    Parameters
    ----------
    table : EventTable
        The events.
    place : str
        `FILE:/SPECTRA,/CHANNELS,/IDS{UNITS}`: intensities (row, channel), and the wavelength or
        photon energy of each channel; units and offset as `wavelengths_of_events` takes them.

    Raises
    ------
    FileError
        The file cannot be read, lacks events, or has other channels for each row.
    ValueError
        The text is of another form, or units are missing or of something else.
    """
    match = _SPECTRUM.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not of the form FILE:/SPECTRA,/CHANNELS,/IDS{{UNITS}}")
    spectra, _ = read_array(match["file"], match["values"])
    channels, units = read_array(match["file"], match["channels"])
    if channels.ndim > 1 and len(channels) and (channels == channels[0]).all():
        # Recorders write the channels anew with each pulse.
        channels = channels[0]
    if spectra.ndim != 2 or channels.shape != spectra.shape[1:]:
        message = (
            f"{place}: spectra have the shape {spectra.shape}, and channels {channels.shape}; "
            "expected (row, channel) and (channel,)"
        )
        raise FileError(message, match["file"])
    rows = _rows(table, match, place, spectra)
    values = _in_angstrom(channels, match["units"] or units, place)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        message = f"{place}: channel {int(np.argmax(wrong))} has no wavelength above 0"
        raise FileError(message, match["file"])
    weights = np.full((len(table.ids), len(channels)), np.nan)
    weights[rows >= 0] = spectra[rows[rows >= 0]]
    lacking = ~np.isfinite(weights).all(axis=1)
    if lacking.any():
        message = f"{_lacking(table, lacking)} no spectrum in {place}; --select keeps others"
        raise FileError(message, match["file"])
    return Wavelengths(values, weights)


def _rows(table: EventTable, match: re.Match[str], place: str, values: Array) -> Array:
    ids, _ = read_array(match["file"], match["ids"])
    if ids.size != len(values) or values.dtype.kind not in "iuf" or ids.dtype.kind not in "iu":
        message = (
            f"{place}: {values.dtype}{values.shape} for {ids.dtype}{ids.shape}; expected numbers, "
            "and an integer id for each"
        )
        raise FileError(message, match["file"])
    return rows_of_events(table, ids, int(match["offset"] or 0))


def _in_angstrom(values: Array, units: str | None, place: str) -> Array:
    if not units:
        raise ValueError(f"{place} has no units; state them, as {{angstrom}} or {{eV}}")
    try:
        unit = parse_unit(units)
    except UnitError as error:
        raise ValueError(f"{place}: {error}") from None
    length, energy = (unit.ratio(parse_unit(name)) for name in ("angstrom", "eV"))
    if length is not None:
        return values.astype(np.float64) * length
    if energy is None:
        raise ValueError(f"{place} is in {units}; expected a wavelength or a photon energy")
    with np.errstate(divide="ignore"):
        found: Array = EV_ANGSTROM / (values.astype(np.float64) * energy)
    return found


def _lacking(table: EventTable, lacking: Array) -> str:
    first = table.ids[int(np.argmax(lacking))].tolist()
    count = int(np.count_nonzero(lacking))
    shown = first[0] if len(first) == 1 else first
    return f"{count} of {len(table.ids)} events, the first {shown}, have"
