"""Small runs as facilities write them, with geometry, constants and metadata, to try masters on.

A ring of scattered photons is recorded by every module, where the geometry says that it is; so an
assembled picture shows whether frames, modules and constants went together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array

#: Centre and width of the ring in m.
_RADIUS, _WIDTH = 0.045, 0.004
_METADATA: Final = """\
start_time = "2026-03-01T10:00:00Z"
end_time_estimated = "2026-03-01T10:01:00Z"

[source]
name = "{source}"

[instrument]
name = "{instrument}"

[sample]
name = "lysozyme"

[detector]
sensor_material = "Si"
sensor_thickness = {thickness}
saturation_value = {saturation}
"""


@dataclass(frozen=True, slots=True)
class DemonstrationRun:
    """The files of a run.

    Attributes
    ----------
    sources : tuple of str
        What `nxformula master` takes as the run.
    geometry, metadata : Path
        Of CrystFEL, and what NXmx requires.
    symbols : tuple of str
        The constants, in the form of `--symbol`.
    preset : str
        The calibration.
    """

    sources: tuple[str, ...]
    geometry: Path
    metadata: Path
    symbols: tuple[str, ...]
    preset: str

    def command(self, output: Path) -> list[str]:
        """The arguments of `nxformula` that make the master."""
        symbols = [part for symbol in self.symbols for part in ("--symbol", symbol)]
        files = ["--geometry", str(self.geometry), "--metadata", str(self.metadata)]
        return [
            "master",
            *self.sources,
            *files,
            "--preset",
            self.preset,
            *symbols,
            "--output",
            str(output),
        ]


def _photons(x: Array, y: Array) -> Array:
    """Photons of a ring at places in m; not random, so that each frame can be told."""
    radius = np.hypot(x, y)
    found: Array = np.rint(40 * np.exp(-(((radius - _RADIUS) / _WIDTH) ** 2)))
    return found


# European XFEL


def write_european_xfel(folder: Path, trains: int = 3, pulses: int = 2) -> DemonstrationRun:
    """An AGIPD run of 16 modules, of which one lost a train and one a part of a train.

    Parameters
    ----------
    folder : Path
        Receives the run folder `raw`, the geometry, constants and metadata.
    trains, pulses : int
        Of the run.
    """
    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    corners = [_agipd_corner(number) for number in range(16)]
    geometry = folder / "agipd.geom"
    geometry.write_text(_agipd_geometry(corners))
    random = np.random.default_rng(16)
    offset = random.normal(4000, 50, (3, 3, 16 * 512, 128)).astype("f4")
    for number, corner in enumerate(corners):
        _write_agipd_module(raw, number, corner, offset, trains, pulses)
    constants = folder / "agipd_constants.h5"
    with h5py.File(constants, "w") as file:
        per_cell = {
            "offset": offset,
            "relative_gain": np.full(offset.shape, 0.5, "f4"),
            "bad": (random.random(offset.shape) < 0.001).astype("u4"),
        }
        for name, values in per_cell.items():
            file[name] = values
        for name, level in (("low", 6000), ("high", 9000)):
            file[name] = np.full((3, 16 * 512, 128), level, "f4")
    metadata = folder / "agipd.toml"
    metadata.write_text(
        _METADATA.format(
            source="European XFEL", instrument="SPB/SFX", thickness=500e-6, saturation=16383
        )
    )
    names = ("offset", "relative_gain", "bad", "low", "high")
    symbols = tuple(f"{name}={constants}:/{name}" for name in names)
    return DemonstrationRun((str(raw),), geometry, metadata, symbols, "agipd")


#: Pixels of AGIPD in a metre.
_AGIPD_RES: Final = 5000.0


def _agipd_corner(number: int) -> tuple[float, float]:
    """Corner of a module in pixels: four quadrants around a hole."""
    quadrant, place = divmod(number, 4)
    left = quadrant in (0, 1)
    upper = quadrant in (0, 3)
    y = (630 - 157 * place) if upper else (-10 - 157 * place)
    return (-540.0 if left else 20.0) + (10 if upper else -10), float(y)


def _agipd_geometry(corners: Sequence[tuple[float, float]]) -> str:
    lines = [
        "clen = 0.2 m",
        "photon_energy = 9300 eV",
        f"res = {_AGIPD_RES}",
        "dim0 = %",
        "dim2 = ss",
        "dim3 = fs",
        "data = /entry/data/data",
    ]
    modules: dict[int, list[str]] = {}
    for number, (x, y) in enumerate(corners):
        for chip in range(8):
            name = f"p{number}a{chip}"
            modules.setdefault(number, []).append(name)
            lines += [
                f"{name}/dim1 = {number}",
                f"{name}/min_fs = 0",
                f"{name}/max_fs = 127",
                f"{name}/min_ss = {64 * chip}",
                f"{name}/max_ss = {64 * chip + 63}",
                f"{name}/fs = +0.0x -1.0y",
                f"{name}/ss = +1.0x",
                f"{name}/corner_x = {x + 66 * chip}",
                f"{name}/corner_y = {y}",
            ]
    quadrants: dict[int, list[str]] = {}
    for number, names in modules.items():
        quadrants.setdefault(number // 4, []).extend(names)
        lines.append(f"rigid_group_p{number} = {','.join(names)}")
    lines.append("rigid_group_collection_modules = " + ",".join(f"p{n}" for n in modules))
    lines += [f"rigid_group_q{n} = {','.join(names)}" for n, names in quadrants.items()]
    lines.append("rigid_group_collection_quadrants = q0,q1,q2,q3")
    return "\n".join(lines) + "\n"


def _write_agipd_module(
    raw: Path,
    number: int,
    corner: tuple[float, float],
    offset: Array,
    trains: int,
    pulses: int,
) -> None:
    slow, fast = np.mgrid[:512, :128]
    x = (corner[0] + slow + 2 * (slow // 64) + 0.5) / _AGIPD_RES
    y = (corner[1] - fast - 0.5) / _AGIPD_RES
    photons = _photons(x, y)
    ids = [(10000 + t, p) for t in range(trains) for p in range(pulses)]
    if number == 3:
        ids = [pair for pair in ids if pair[0] != 10000]
    if number == 9:
        ids = ids[:-1]
    frames = np.empty((len(ids), 2, 512, 128), "u2")
    for k, (train, pulse) in enumerate(ids):
        # A photon is 60 counts of the first stage, and a factor of 0.5 makes it 30.
        level = photons * (1 + 0.25 * (train - 10000)) * 60
        frames[k, 0] = np.rint(offset[pulse, 0, 512 * number : 512 * (number + 1)] + level)
        frames[k, 1] = 5000
    path = raw / f"RAW-R0238-AGIPD{number:02}-S00000.h5"
    source = f"SPB_DET_AGIPD1M-1/DET/{number}CH0:xtdf/image"
    with h5py.File(path, "w") as file:
        image = file.create_group(f"INSTRUMENT/{source}")
        image.create_dataset("data", data=frames, chunks=(1, 2, 512, 128))
        image["trainId"] = np.array([[train] for train, _ in ids], "u8")
        image["pulseId"] = np.array([[pulse] for _, pulse in ids], "u8")
        image["cellId"] = np.array([[pulse] for _, pulse in ids], "u2")
        own = sorted({train for train, _ in ids})
        counts = [sum(train == t for train, _ in ids) for t in own]
        file["INDEX/trainId"] = np.array(own, "u8")
        file[f"INDEX/{source}/count"] = np.array(counts, "u8")
        file[f"INDEX/{source}/first"] = np.array(np.cumsum([0, *counts[:-1]]), "u8")


# SwissFEL

_JUNGFRAU_RES: Final = 1 / 75e-6
_PEDESTAL: Final = (3000.0, 14600.0, 14900.0)
_GAIN: Final = (41.0, -1.439, -0.1145)


def write_swissfel(folder: Path, frames: int = 3) -> DemonstrationRun:
    """A JUNGFRAU run of two modules, with a damaged frame.

    Parameters
    ----------
    folder : Path
        Receives the run, the geometry, constants and metadata.
    frames : int
        Of the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    corners = [(-515.0, 20.0), (-515.0, -534.0)]
    pixels = (2 * 512, 1024)
    pedestal = np.stack([random.normal(mean, 0.005 * mean, pixels) for mean in _PEDESTAL])
    gain = np.stack([random.normal(mean, 0.01 * abs(mean), pixels) for mean in _GAIN])
    constants = folder / "jungfrau_constants.h5"
    with h5py.File(constants, "w") as file:
        file["pedestal"], file["gain"] = pedestal.astype("f4"), gain.astype("f4")
    energies = np.concatenate([12.4 * _jungfrau_photons(corner) for corner in corners])
    run = folder / "run_000087.JF02T02V02.h5"
    with h5py.File(run, "w") as file:
        file["general/detector_name"] = "JF02T02V02"
        group = file.create_group("data/JF02T02V02")
        shape = (frames, *pixels)
        data = group.create_dataset("data", shape, "u2", chunks=(1, *pixels))
        for number in range(frames):
            energy = energies * (1 + number)
            stage = (energy > 250).astype(int)
            counts = np.choose(stage, [energy * gain[k] + pedestal[k] for k in range(2)])
            data[number] = (np.rint(counts).astype("u2") & 0x3FFF) | (stage << 14).astype("u2")
        group["pulse_id"] = (np.arange(frames, dtype="u8") + 7_000_000_000)[:, None]
        good = np.ones((frames, 1), "u1")
        good[-1] = 0
        group["is_good_frame"] = good
        group["frame_index"] = np.arange(frames, dtype="u8")[:, None]
        group["daq_rec"] = np.zeros((frames, 1), "u4")
    geometry = folder / "jungfrau.geom"
    geometry.write_text(_jungfrau_geometry(corners))
    metadata = folder / "jungfrau.toml"
    metadata.write_text(
        _METADATA.format(
            source="SwissFEL", instrument="Bernina", thickness=320e-6, saturation=65535
        )
    )
    symbols = tuple(f"{name}={constants}:/{name}" for name in ("pedestal", "gain"))
    return DemonstrationRun((str(run),), geometry, metadata, symbols, "jungfrau")


def _jungfrau_photons(corner: tuple[float, float]) -> Array:
    """Photons on a module as recorded: without the two pixels between chips."""
    slow, fast = np.mgrid[:512, :1024]
    x = (corner[0] + fast + 2 * (fast // 256) + 0.5) / _JUNGFRAU_RES
    y = (corner[1] + slow + 2 * (slow // 256) + 0.5) / _JUNGFRAU_RES
    scale = 0.5
    return _photons(x / scale, y / scale)


def _jungfrau_geometry(corners: Sequence[tuple[float, float]]) -> str:
    lines: list[Any] = [
        "clen = 100 mm",
        "photon_energy = 12.4 keV",
        f"res = {_JUNGFRAU_RES}",
        "dim0 = %",
        "dim1 = ss",
        "dim2 = fs",
        "data = /entry/data/data",
    ]
    for number, (x, y) in enumerate(corners):
        # With the gaps between chips, as geometries of assembled images are.
        lines += [
            f"m{number}/min_fs = 0",
            f"m{number}/max_fs = 1029",
            f"m{number}/min_ss = {514 * number}",
            f"m{number}/max_ss = {514 * number + 513}",
            f"m{number}/fs = x",
            f"m{number}/ss = y",
            f"m{number}/corner_x = {x}",
            f"m{number}/corner_y = {y}",
        ]
    return "\n".join(lines) + "\n"
