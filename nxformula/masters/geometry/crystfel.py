"""Read CrystFEL geometry files in every spelling that CrystFEL accepts.

What is not understood is an error with its line, and never left out. Source: the manual page
crystfel_geometry of CrystFEL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from nxformula.errors import FileError

Vector: TypeAlias = tuple[float, float, float]

_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_TERM: Final = re.compile(
    r"\s*([+-]?)\s*((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)?\s*\*?\s*([xyz])\s*"
)
_QUANTITY: Final = re.compile(rf"({_NUMBER})\s*([A-Za-z]*)")
_NAME: Final = re.compile(r"[A-Za-z0-9_\-.]+")


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: a rectangle of pixels of the data, and where it is.

    Attributes
    ----------
    name : str
    min_fs, max_fs, min_ss, max_ss : int
        Its pixels in the data, the last included.
    fs, ss : tuple of float
        Steps of a pixel along the fast and slow axis, in pixels; x, y, z of the laboratory.
    corner : tuple of float
        The corner of its first pixel, in pixels.
    coffset : float
        Beyond the detector's distance, in m.
    res : float
        Pixels in a metre.
    dims : mapping of int to str or int
        What each dimension of the data is: `%` the frame, `ss`, `fs`, or a place.
    """

    name: str
    min_fs: int
    max_fs: int
    min_ss: int
    max_ss: int
    fs: Vector
    ss: Vector
    corner: tuple[float, float]
    coffset: float
    res: float
    dims: Mapping[int, str | int]

    @property
    def size(self) -> tuple[int, int]:
        """Slow and fast pixels."""
        return self.max_ss - self.min_ss + 1, self.max_fs - self.min_fs + 1

    @property
    def plane(self) -> int | None:
        """The module that the panel is a part of, where the data have a dimension for that."""
        places = [place for place in self.dims.values() if isinstance(place, int)]
        return places[0] if places else None


@dataclass(frozen=True, slots=True)
class Geometry:
    """A geometry file.

    Attributes
    ----------
    path : str
    panels : mapping of Panel
        By name, in the order of the file.
    collections : mapping
        Names of groups and their panels, by the name of the collection.
    clen : float or str or None
        Distance of the detector in m, or where a file has it.
    wavelength : float or None
        In angstrom, if the file states it or the photon energy as a number.
    bad : tuple of BadRegion
        What is not to be used.
    """

    path: str
    panels: Mapping[str, Panel]
    collections: Mapping[str, Mapping[str, tuple[str, ...]]]
    clen: float | str | None
    wavelength: float | None
    bad: tuple[BadRegion, ...]


@dataclass(frozen=True, slots=True)
class BadRegion:
    """A region that is not to be used.

    Attributes
    ----------
    name : str
    panel : str or None
        Of pixels of one panel, or of all.
    limits : mapping of float
        `min_fs` and its like in pixels of the data, or `min_x` and its like in the laboratory.
    """

    name: str
    panel: str | None
    limits: Mapping[str, float]


#: Photon energy in eV times wavelength in angstrom (CODATA 2018).
EV_ANGSTROM: Final = 12398.419843320026
_LENGTHS: Final = {"": 1.0, "m": 1.0, "mm": 1e-3}
_ENERGIES: Final = {"": 1.0, "eV": 1.0, "keV": 1e3, "MeV": 1e6}
_WAVELENGTHS: Final = {"": 1.0, "A": 1.0, "m": 1e10}

#: Keys of a panel that do not say where it is.
_OTHER_PANEL: Final = frozenset(
    (
        *("adu_per_eV", "adu_per_photon", "badrow_direction", "data", "mask", "mask_file"),
        *("mask_good", "mask_bad", "max_adu", "no_index", "saturation_map"),
        "saturation_map_file",
    )
)
_MASK: Final = re.compile(r"mask\d+_(data|file|goodbits|badbits)|mask\d+")
#: Keys of a file that are not of panels.
_OTHER_TOP: Final = frozenset(
    (
        *("peak_list", "peak_list_type", "peak_info_location", "peak_amplitude", "bandwidth"),
        *("beam_bandwidth", "electron_voltage", "detector_shift_x", "detector_shift_y"),
        *("photon_energy_scale", "photon_energy_bandwidth"),
        *("flag_lessthan", "flag_morethan", "flag_equal"),
    )
)


class _Reader:
    """Reads the lines of a file one after the other."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.number = 0
        self.defaults: dict[str, Any] = {
            "fs": (1.0, 0.0, 0.0),
            "ss": (0.0, 1.0, 0.0),
            "coffset": 0.0,
            "dims": {},
        }
        self.panels: dict[str, dict[str, Any]] = {}
        self.lines: dict[str, int] = {}
        self.groups: dict[str, list[str]] = {}
        self.collected: dict[str, list[str]] = {}
        self.bad: dict[str, dict[str, Any]] = {}
        self.clen: float | str | None = None
        self.wavelength: float | None = None

    def fail(self, message: str, number: int | None = None) -> FileError:
        return FileError(f"{self.path}, line {number or self.number}: {message}", self.path)

    def line(self, text: str) -> None:
        """Take in a line."""
        self.number += 1
        content = text.partition(";")[0].strip()
        if not content:
            return
        key, equals, value = (part.strip() for part in content.partition("="))
        if not equals or not key or not value:
            raise self.fail(f"{content!r} is not of the form key = value")
        owner, slash, name = key.partition("/")
        if not slash:
            self._top(key, value)
        elif owner.startswith("bad"):
            self._bad_region(owner.strip(), name.strip(), value)
        else:
            self._panel(owner.strip(), name.strip(), value)

    def _top(self, key: str, value: str) -> None:
        if key.startswith("rigid_group_collection_"):
            self.collected[key.removeprefix("rigid_group_collection_")] = self._names(value)
        elif key.startswith(("rigid_group_", "group_")):
            name = key.removeprefix("rigid_").removeprefix("group_")
            self.groups[name] = self._names(value)
        elif key == "clen":
            self.clen = self._length_or_path(value)
        elif key == "photon_energy":
            energy = self._quantity(value, _ENERGIES)
            self.wavelength = None if energy is None else EV_ANGSTROM / energy
        elif key == "wavelength":
            self.wavelength = self._quantity(value, _WAVELENGTHS)
        elif key not in _OTHER_TOP:
            self._set(self.defaults, key, value)

    def _panel(self, panel: str, key: str, value: str) -> None:
        if not _NAME.fullmatch(panel):
            raise self.fail(f"{panel!r} is no name of a panel")
        if panel not in self.panels:
            # As in CrystFEL, defaults hold for the panels that come after them.
            self.panels[panel] = {**self.defaults, "dims": dict(self.defaults["dims"])}
            self.lines[panel] = self.number
        if key == "clen":
            clen = self._length_or_path(value)
            if self.clen is not None and clen != self.clen:
                raise self.fail("panels at different clen; give coffset to each instead")
            self.clen = clen
        else:
            self._set(self.panels[panel], key, value)

    def _set(self, target: dict[str, Any], key: str, value: str) -> None:
        if key in ("fs", "ss"):
            target[key] = self._vector(value)
        elif key in ("corner_x", "corner_y", "res"):
            target[key] = self._number(value)
        elif key == "coffset":
            target[key] = self._quantity(value, _LENGTHS, required=True)
        elif key in ("min_fs", "max_fs", "min_ss", "max_ss"):
            target[key] = self._whole(value)
        elif re.fullmatch(r"dim\d+", key):
            target["dims"][int(key[3:])] = self._dimension(value)
        elif key not in _OTHER_PANEL and not _MASK.fullmatch(key):
            raise self.fail(f"{key!r} is not a key of CrystFEL that is known here")

    def _bad_region(self, region: str, key: str, value: str) -> None:
        found = self.bad.setdefault(region, {"panel": None})
        if key == "panel":
            found["panel"] = value
        elif re.fullmatch(r"(min|max)_(fs|ss|x|y)", key):
            found[key] = self._number(value)
        else:
            raise self.fail(f"{key!r} is no key of a bad region")

    # Values

    def _names(self, value: str) -> list[str]:
        found = [name.strip() for name in value.split(",")]
        if not all(_NAME.fullmatch(name) for name in found):
            raise self.fail(f"{value!r} is no list of names")
        return found

    def _number(self, value: str) -> float:
        if not re.fullmatch(_NUMBER, value):
            raise self.fail(f"{value!r} is no number")
        return float(value)

    def _whole(self, value: str) -> int:
        number = self._number(value)
        if number != int(number):
            raise self.fail(f"{value!r} is no whole number of pixels")
        return int(number)

    def _dimension(self, value: str) -> str | int:
        if value in ("%", "ss", "fs"):
            return value
        if not value.isdecimal():
            raise self.fail(f"{value!r} is no dimension; expected %, ss, fs or a place")
        return int(value)

    def _quantity(
        self, value: str, units: Mapping[str, float], *, required: bool = False
    ) -> float | None:
        """A number with one of these units; None for a place in a file, if that is allowed."""
        match = _QUANTITY.fullmatch(value)
        if match is not None and match[2] in units:
            return float(match[1]) * units[match[2]]
        if not required and value.startswith("/"):
            return None
        expected = ", ".join(unit for unit in units if unit)
        raise self.fail(f"{value!r} is no number, or not in {expected}")

    def _length_or_path(self, value: str) -> float | str:
        found = self._quantity(value, _LENGTHS)
        return value.split()[0] if found is None else found

    def _vector(self, value: str) -> Vector:
        found = dict.fromkeys("xyz", 0.0)
        seen: set[str] = set()
        at = 0
        while at < len(value):
            match = _TERM.match(value, at)
            joined = at > 0 and not value[at - 1].isspace()
            if match is None or match[3] in seen or (joined and not match[1]):
                raise self.fail(f"{value!r} is no direction such as +1.0x -0.002y")
            size = float(match[2]) if match[2] else 1.0
            found[match[3]] = -size if match[1] == "-" else size
            seen.add(match[3])
            at = match.end()
        if not any(found.values()):
            raise self.fail(f"{value!r} is no direction: it has no length")
        return found["x"], found["y"], found["z"]

    # The whole

    def geometry(self) -> Geometry:
        """All panels, checked."""
        if not self.panels:
            raise FileError(f"{self.path} has no panels", self.path)
        panels = {name: self._made(name, values) for name, values in self.panels.items()}
        collections = {
            name: {group: self._members(group, panels) for group in groups}
            for name, groups in self.collected.items()
        }
        bad = tuple(self._made_bad(name, values, panels) for name, values in self.bad.items())
        return Geometry(self.path, panels, collections, self.clen, self.wavelength, bad)

    def _made(self, name: str, values: dict[str, Any]) -> Panel:
        line = self.lines[name]
        needed = ("min_fs", "max_fs", "min_ss", "max_ss", "corner_x", "corner_y", "res")
        missing = [key for key in needed if key not in values]
        if missing:
            raise self.fail(f"panel {name} has no {', '.join(missing)}", line)
        panel = Panel(
            name,
            values["min_fs"],
            values["max_fs"],
            values["min_ss"],
            values["max_ss"],
            values["fs"],
            values["ss"],
            (values["corner_x"], values["corner_y"]),
            values["coffset"],
            values["res"],
            dict(sorted(values["dims"].items())),
        )
        if min(panel.size) < 1 or panel.min_fs < 0 or panel.min_ss < 0:
            raise self.fail(f"panel {name} has {panel.size} pixels", line)
        if panel.res <= 0:
            raise self.fail(f"panel {name} has res {panel.res:g}", line)
        return panel

    def _members(self, group: str, panels: Mapping[str, Panel]) -> tuple[str, ...]:
        if group not in self.groups:
            raise FileError(f"{self.path} names the group {group}, and has none", self.path)
        unknown = [name for name in self.groups[group] if name not in panels]
        if unknown:
            message = f"{self.path}: group {group} has {unknown[0]}, which is no panel"
            raise FileError(message, self.path)
        return tuple(self.groups[group])

    def _made_bad(
        self, name: str, values: dict[str, Any], panels: Mapping[str, Panel]
    ) -> BadRegion:
        panel = values["panel"]
        if panel is not None and panel not in panels:
            message = f"{self.path}: bad region {name} is of {panel}, which is no panel"
            raise FileError(message, self.path)
        limits = {key: value for key, value in values.items() if key != "panel"}
        return BadRegion(name, panel, limits)


def read_geometry(path: str) -> Geometry:
    """Read a geometry file.

    Raises
    ------
    FileError
        It cannot be read, or a line is not understood; the message names the line.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse_geometry(file.read(), path)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", path) from None


def parse_geometry(text: str, path: str = "geometry") -> Geometry:
    r"""Read the text of a geometry file.

    Raises
    ------
    FileError
        A line is not understood.

    Examples
    --------
    >>> text = "res = 5000\nclen = 0.1 m\np/min_fs = 0\np/max_fs = 127\np/min_ss = 0\n"
    >>> text += "p/max_ss = 63\np/fs = x\np/ss = - 1.0y\np/corner_x = 3\np/corner_y = 4"
    >>> panel = parse_geometry(text).panels["p"]
    >>> panel.size, panel.ss
    ((64, 128), (0.0, -1.0, 0.0))
    """
    reader = _Reader(path)
    for line in text.splitlines():
        reader.line(line)
    return reader.geometry()
