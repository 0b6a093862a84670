"""A small Jungfrau run as a beamline writes it: raw stack, constants, NXmx master.

Everything is made from one random generator, so that the numbers are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array

#: Frames, slow and fast pixels of the demonstration: half a Jungfrau module.
SHAPE: Final = (8, 512, 512)
#: Pedestal in ADU and gain in ADU per keV of the three gain stages of a Jungfrau.
_PEDESTAL: Final = (3000.0, 14600.0, 14900.0)
_GAIN: Final = (41.0, -1.439, -0.1145)
#: Energies in keV above which a pixel switches to the next stage.
_SWITCH: Final = (250.0, 7000.0)
_PHOTON_KEV: Final = 12.4
_HC_KEV_ANGSTROM: Final = 12.398419843320026

#: The calibration of a Jungfrau detector.
FORMULA: Final = """\
let stage  = data >> 14;                          # the two gain bits
let counts = data & 0x3FFF;
let plane  = choose(stage, 0, 1, -1, 2);          # code 2 is invalid: outside the table, so NaN
(counts - pedestal[plane]) / gain[plane]
"""

#: The symbols of the formula, in the form of `--symbol`, for files in one folder.
SYMBOLS: Final = (
    "pedestal={folder}/pedestal.h5:/pedestal[stage,slow,fast]{{count}}",
    "gain={folder}/gain.h5:/gain[stage,slow,fast]{{count/keV}}",
)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """The files of a demonstration.

    Attributes
    ----------
    folder, master, stack, pedestal, gain : Path
        Where they are.
    field : str
        Path of the raw field in the master.
    energy : ndarray of float64, shape (frame, slow, fast)
        The energies in keV that the raw numbers were made from; NaN where a pixel is broken.
    """

    folder: Path
    master: Path
    stack: Path
    pedestal: Path
    gain: Path
    field: str
    energy: Array

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols of `FORMULA` in the form of `--symbol`."""
        return tuple(symbol.format(folder=self.folder) for symbol in SYMBOLS)


def write_demonstration(folder: Path, shape: tuple[int, int, int] = SHAPE) -> Demonstration:
    """Write the files of the demonstration into a folder that exists.

    Parameters
    ----------
    folder : Path
        Receives `run.nxs`, `run_data.h5`, `pedestal.h5` and `gain.h5`.
    shape : tuple of int
        Number of frames, of slow and of fast pixels.
    """
    random = np.random.default_rng(711)
    pedestal, gain = _constants(random, shape[1:])
    energy = _diffraction(random, shape)
    raw = _record(random, energy, pedestal, gain)
    broken = random.random(shape[1:]) < 0.001
    raw[:, broken] = (2 << 14) | (raw[:, broken] & 0x3FFF)
    energy[:, broken] = np.nan
    files = Demonstration(
        folder,
        folder / "run.nxs",
        folder / "run_data.h5",
        folder / "pedestal.h5",
        folder / "gain.h5",
        "/entry/instrument/detector/data",
        energy,
    )
    _write_stack(files.stack, raw)
    _write_constant(files.pedestal, "pedestal", pedestal, "count")
    _write_constant(files.gain, "gain", gain, "count/keV")
    _write_master(files.master, files.stack.name, shape)
    return files


def _constants(random: Any, pixels: tuple[int, ...]) -> tuple[Array, Array]:
    pedestal = np.stack([random.normal(mean, 0.01 * mean, pixels) for mean in _PEDESTAL])
    gain = np.stack([random.normal(mean, 0.02 * abs(mean), pixels) for mean in _GAIN])
    return pedestal.astype(np.float32), gain.astype(np.float32)


def _diffraction(random: Any, shape: tuple[int, int, int]) -> Array:
    """Energies in keV: a ring of scattered photons, and a few strong reflections per frame."""
    frames, slow, fast = shape
    y, x = np.mgrid[:slow, :fast]
    radius = np.hypot(y - 1.1 * slow, x - 0.1 * fast)
    ring = 0.4 * np.exp(-(((radius - 0.9 * slow) / (0.06 * slow)) ** 2)) + 0.05
    photons = random.poisson(np.broadcast_to(ring, shape)).astype(np.float64)
    for frame in range(frames):
        for _ in range(60):
            height = 10 ** random.uniform(1.0, 3.6)
            _add_reflection(photons[frame], random, height)
    energy: Array = photons * _PHOTON_KEV
    return energy


def _add_reflection(image: Array, random: Any, height: float) -> None:
    slow, fast = image.shape
    cy, cx = random.uniform(4, slow - 4), random.uniform(4, fast - 4)
    y, x = np.mgrid[int(cy) - 3 : int(cy) + 4, int(cx) - 3 : int(cx) + 4]
    inside = (y >= 0) & (y < slow) & (x >= 0) & (x < fast)
    y, x = y[inside], x[inside]
    image[y, x] += np.rint(height * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 1.5))


def _record(random: Any, energy: Array, pedestal: Array, gain: Array) -> Array:
    """Raw numbers as the detector gives them: two gain bits and 14 bits of signal."""
    stage = (energy > _SWITCH[0]).astype(np.intp) + (energy > _SWITCH[1])
    counts = np.empty(energy.shape)
    for number in range(3):
        noise = random.normal(0, (3.0, 1.0, 1.0)[number], energy.shape)
        signal = energy * gain[number] + pedestal[number] + noise
        counts = np.where(stage == number, signal, counts)
    code = np.array([0, 1, 3])[stage]
    return (np.clip(np.rint(counts), 0, 0x3FFF).astype(np.uint16) | (code << 14)).astype(np.uint16)


def _write_stack(path: Path, raw: Array) -> None:
    import hdf5plugin

    with h5py.File(path, "w") as file:
        file.create_dataset(
            "data", data=raw, chunks=(1, *raw.shape[1:]), **hdf5plugin.Bitshuffle(cname="lz4")
        )


def _write_constant(path: Path, name: str, values: Array, units: str) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=values).attrs["units"] = units


def _write_master(path: Path, stack: str, shape: tuple[int, int, int]) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        entry = _group(file, "entry", "NXentry")
        entry["definition"] = "NXmx"
        entry["start_time"] = "2026-03-01T10:00:00Z"
        entry["end_time_estimated"] = "2026-03-01T10:00:01Z"
        source = _group(entry, "source", "NXsource")
        source["name"] = "Demonstration source"
        sample = _group(entry, "sample", "NXsample")
        sample["name"] = "lysozyme"
        sample["depends_on"] = "."
        instrument = _group(entry, "instrument", "NXinstrument")
        instrument["name"] = "Demonstration beamline"
        beam = _group(instrument, "beam", "NXbeam")
        _quantity(beam, "incident_wavelength", _HC_KEV_ANGSTROM / _PHOTON_KEV, "angstrom")
        _write_detector(_group(instrument, "detector", "NXdetector"), stack, shape)
        data = _group(entry, "data", "NXdata")
        data.attrs["signal"] = "data"
        data["data"] = h5py.SoftLink("/entry/instrument/detector/data")


def _write_detector(detector: Any, stack: str, shape: tuple[int, int, int]) -> None:
    detector["data"] = h5py.ExternalLink(stack, "/data")
    detector["description"] = "Jungfrau"
    detector["sensor_material"] = "Si"
    _quantity(detector, "sensor_thickness", 0.32, "mm")
    _quantity(detector, "x_pixel_size", 0.075, "mm")
    _quantity(detector, "y_pixel_size", 0.075, "mm")
    _quantity(detector, "count_time", 1e-5, "s")
    detector["bit_depth_readout"] = 16
    chain = _group(detector, "transformations", "NXtransformations")
    distance = _axis(chain, "distance", 100.0, "mm", (0, 0, 1), ".")
    detector["depends_on"] = distance
    module = _group(detector, "module", "NXdetector_module")
    module["data_origin"] = np.array([0, 0])
    module["data_size"] = np.array(shape[1:])
    offset = _axis(chain, "module_offset", 0.0, "mm", (0, 0, 1), distance)
    for name, vector in (
        ("fast_pixel_direction", (-1, 0, 0)),
        ("slow_pixel_direction", (0, -1, 0)),
    ):
        _axis(module, name, 0.075, "mm", vector, offset)


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def _quantity(group: Any, name: str, value: float, units: str) -> Any:
    field = group.create_dataset(name, data=value)
    field.attrs["units"] = units
    return field


def _axis(
    group: Any, name: str, value: float, units: str, vector: tuple[int, int, int], after: str
) -> str:
    field = _quantity(group, name, value, units)
    field.attrs["transformation_type"] = "translation"
    field.attrs["vector"] = np.array(vector, np.float64)
    field.attrs["offset"] = np.zeros(3)
    field.attrs["offset_units"] = "mm"
    field.attrs["depends_on"] = after
    return str(field.name)
