"""What a master must say of the experiment: asked for, never invented."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nxformula.errors import FileError

#: What NXmx requires, with what it is; `None` where the run or the geometry may say it.
REQUIRED: Final[Mapping[str, str]] = {
    "instrument.name": "name of the instrument",
    "source.name": "name of the source, as wwPDB lists it",
    "sample.name": "what was measured",
    "detector.sensor_material": "material of the sensor, such as Si",
    "detector.sensor_thickness": "thickness of the sensor in m",
    "start_time": "begin of the run, ISO 8601 with a zone, such as 2026-03-01T10:00:00Z",
    "end_time_estimated": "end of the run as far as known",
}
#: What may be said besides.
OPTIONAL: Final[Mapping[str, str]] = {
    "end_time": "end of the run",
    "instrument.short_name": "its abbreviation",
    "source.short_name": "its abbreviation",
    "beam.wavelength": "wavelength in angstrom, if the geometry states none",
    "beam.bandwidth": "spread of the wavelength in angstrom",
    "beam.flux": "photons per second",
    "detector.distance": "distance in m, if the geometry states none",
    "detector.description": "what detector it is",
    "detector.type": "kind of detector, such as HPC",
    "detector.count_time": "exposure in s",
    "detector.frame_time": "time between exposures in s",
    "detector.bit_depth_readout": "bits of a raw value",
    "detector.saturation_value": "raw value above which pixels are invalid",
    "detector.underload_value": "raw value below which pixels are invalid",
}


#: Those of them that are numbers.
_NUMBERS: Final = frozenset(
    (
        *("detector.sensor_thickness", "beam.wavelength", "beam.bandwidth", "beam.flux"),
        *("detector.distance", "detector.count_time", "detector.frame_time"),
        *("detector.bit_depth_readout", "detector.saturation_value", "detector.underload_value"),
    )
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Values by their dotted names."""

    values: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """A value, or None."""
        return self.values.get(name)


def read_metadata(path: str | None, given: Mapping[str, str]) -> Metadata:
    """Values of a TOML file, and those given besides.

    Parameters
    ----------
    path : str or None
        Tables such as `[sample]` with `name = "lysozyme"`.
    given : mapping of str
        Values by dotted names; these win.

    Raises
    ------
    FileError
        The file cannot be read, or has such names or values.
    ValueError
        A name is none of these, or a value is no number where one is needed.
    """
    values: dict[str, Any] = {}
    if path is not None:
        values.update(_flat(_table(path), ""))
        _check(values, lambda message: FileError(f"{path}: {message}", path))
    stated = {name: _typed(text) for name, text in given.items()}
    _check(stated, ValueError)
    values.update(stated)
    return Metadata(values)


def _table(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path} is no TOML: {error}", path) from None


def _flat(table: Mapping[str, Any], above: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{above}{name}."))
        else:
            found[above + name] = value.isoformat() if hasattr(value, "isoformat") else value
    return found


def _check(values: Mapping[str, Any], error: Any) -> None:
    known = {**REQUIRED, **OPTIONAL}
    for name, value in values.items():
        if name not in known:
            raise error(f"{name!r} is not known; expected one of {', '.join(known)}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _NUMBERS and not is_number:
            raise error(f"{name} is {value!r}; expected a number")


def _typed(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def check_complete(metadata: Metadata, known: Mapping[str, Any]) -> None:
    """Refuse to write a master without what NXmx requires.

    Parameters
    ----------
    metadata : Metadata
        What is given.
    known : mapping
        What the run or the geometry says: wavelength in angstrom and distance in m.

    Raises
    ------
    ValueError
        Something is missing; the message lists all of it.
    """
    missing = {name: what for name, what in REQUIRED.items() if metadata.get(name) in (None, "")}
    for name in ("beam.wavelength", "detector.distance"):
        if known.get(name) is None and metadata.get(name) is None:
            missing[name] = OPTIONAL[name]
    if missing:
        listed = "".join(f"\n  {name}: {what}" for name, what in missing.items())
        raise ValueError(
            f"NXmx requires what is not known; give it with --set NAME=VALUE or in --metadata "
            f"FILE.toml:{listed}"
        )
