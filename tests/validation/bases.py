"""Valid NXmx files of two kinds, written with h5py alone: a scan, and stills with formula."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

SHAPE = (48, 64)
FRAMES = 10
EVENTS = 6


def group(parent: Any, name: str, nx_class: str) -> Any:
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    return made


def put(parent: Any, name: str, value: Any, units: str | None = None, **attributes: Any) -> Any:
    field = parent.create_dataset(name, data=value)
    if units is not None:
        field.attrs["units"] = units
    for key, attribute in attributes.items():
        field.attrs[key] = attribute
    return field


def axis(
    parent: Any,
    name: str,
    value: Any,
    kind: str,
    vector: tuple[float, float, float],
    depends_on: str,
    **more: Any,
) -> Any:
    units = "deg" if kind == "rotation" else "mm"
    return put(
        parent,
        name,
        value,
        units,
        transformation_type=kind,
        vector=np.array(vector),
        depends_on=depends_on,
        **more,
    )


def module(
    detector: Any, name: str, origin: Any, size: Any, offset: Any, depends_on: str, base: str
) -> Any:
    """A module with its offset on `module_offset`."""
    made = group(detector, name, "NXdetector_module")
    put(made, "data_origin", np.array(origin, "i4"))
    put(made, "data_size", np.array(size, "i4"))
    put(made, "data_stride", np.ones(len(size), "i4"))
    zero = {"offset": np.zeros(3), "offset_units": "mm"}
    put(
        made,
        "module_offset",
        0.0,
        "mm",
        transformation_type="translation",
        vector=np.array([1.0, 0, 0]),
        offset=np.array(offset),
        offset_units="mm",
        depends_on=depends_on,
        equipment_component="detector_module",
    )
    for direction, vector in (("fast", [-1.0, 0, 0]), ("slow", [0, -1.0, 0])):
        put(
            made,
            f"{direction}_pixel_direction",
            0.075,
            "mm",
            transformation_type="translation",
            vector=np.array(vector),
            depends_on=f"{base}/{name}/module_offset",
            **zero,
        )
    return made


def entry_of(file: Any) -> Any:
    file.attrs["default"] = "entry"
    entry = group(file, "entry", "NXentry")
    entry.attrs["default"] = "data"
    put(entry, "definition", "NXmx")
    put(entry, "start_time", "2024-05-01T10:11:12Z")
    put(entry, "end_time", "2024-05-01T10:11:13Z")
    put(entry, "end_time_estimated", "2024-05-01T10:11:13Z")
    source = group(entry, "source", "NXsource")
    put(source, "name", "Diamond Light Source", short_name="DLS")
    put(source, "type", "Synchrotron X-ray Source")
    return entry


def scan(folder: Path, name: str = "scan.nxs") -> Path:
    """A rotation scan of one panel: master, raw file with two parts, meta file."""
    path = folder / name
    random = np.random.default_rng(1)
    images = random.integers(0, 50, (FRAMES, *SHAPE), np.uint16)
    half = FRAMES // 2
    for number, part in enumerate((images[:half], images[half:]), 1):
        with h5py.File(folder / f"scan_{number:06d}.h5", "w") as file:
            packed = {"chunks": (1, *SHAPE), **hdf5plugin.Bitshuffle(cname="lz4")}
            file.create_dataset("data", data=part, **packed)
    mask = np.zeros(SHAPE, np.uint32)
    mask[10, 20:25] = 1
    mask[0] = 2
    with h5py.File(folder / "scan_meta.h5", "w") as file:
        file["mask"], file["flatfield"] = mask, np.ones(SHAPE, np.float32)
        file["_dectris/bit_depth"] = np.int64(16)
        file["_dectris/mask_applied"] = np.int8(1)
        put(file, "_dectris/photon_energy", 12700.0, "eV")
        put(file, "_dectris/threshold_energy", 6350.0, "eV")
    with h5py.File(path, "w") as file:
        _scan(file, images)
    return path


def _scan(file: Any, images: np.ndarray) -> None:
    entry = entry_of(file)
    instrument = group(entry, "instrument", "NXinstrument")
    put(instrument, "name", "DIAMOND BEAMLINE I03", short_name="I03")
    put(instrument, "time_zone", "+01:00")
    attenuator = group(instrument, "attenuator", "NXattenuator")
    put(attenuator, "attenuator_transmission", 0.25)
    beam = group(instrument, "beam", "NXbeam")
    beam.attrs["flux"] = "total_flux"
    put(beam, "incident_wavelength", 0.9763, "angstrom")
    put(beam, "incident_wavelength_spread", 0.0002, "angstrom")
    put(beam, "total_flux", 1e12, "Hz")
    put(beam, "incident_beam_size", np.array([80.0, 20.0]), "um")
    put(beam, "profile", "Gaussian")
    put(beam, "incident_polarization_stokes", np.array([[1.0, 0.99, 0, 0]]))
    _scan_detector(instrument)
    groups = group(instrument, "groups", "NXdetector_group")
    put(groups, "group_names", np.array([b"all", b"detector"]))
    put(groups, "group_index", np.array([1, 2], "i4"))
    put(groups, "group_parent", np.array([-1, 1], "i4"))
    _scan_sample(entry)
    data = group(entry, "data", "NXdata")
    data.attrs["signal"], data.attrs["axes"] = "data", "omega"
    data.attrs["omega_indices"] = np.array([0])
    half = len(images) // 2
    layout = h5py.VirtualLayout(images.shape, images.dtype)
    for number in (1, 2):
        source = h5py.VirtualSource(f"scan_{number:06d}.h5", "data", (half, *SHAPE))
        layout[(number - 1) * half : number * half] = source
        data[f"data_{number:06d}"] = h5py.ExternalLink(f"scan_{number:06d}.h5", "/data")
    data.create_virtual_dataset("data", layout)
    data["omega"] = h5py.SoftLink("/entry/sample/transformations/omega")


def _scan_detector(instrument: Any) -> None:
    base = "/entry/instrument/detector"
    detector = group(instrument, "detector", "NXdetector")
    for name, target in (
        ("pixel_mask", "/mask"),
        ("flatfield", "/flatfield"),
        ("bit_depth_readout", "/_dectris/bit_depth"),
        ("pixel_mask_applied", "/_dectris/mask_applied"),
        ("photon_energy", "/_dectris/photon_energy"),
        ("threshold_energy", "/_dectris/threshold_energy"),
    ):
        detector[name] = h5py.ExternalLink("scan_meta.h5", target)
    put(detector, "depends_on", f"{base}/transformations/det_z")
    put(detector, "description", "Eiger2 test")
    put(detector, "type", "Pixel")
    put(detector, "count_time", 0.0995, "s")
    put(detector, "frame_time", 0.1, "s")
    put(detector, "detector_readout_time", 0.0005, "s")
    put(detector, "distance", 0.2, "m")
    put(detector, "beam_center_x", 32.0, "pixels")
    put(detector, "beam_center_y", 24.0, "pixels")
    put(detector, "x_pixel_size", 75e-6, "m")
    put(detector, "y_pixel_size", 75e-6, "m")
    put(detector, "saturation_value", np.int64(46051))
    put(detector, "underload_value", np.int64(0))
    put(detector, "sensor_material", "Si")
    put(detector, "sensor_thickness", 450e-6, "m")
    put(detector, "gain_setting", "auto")
    specific = group(detector, "detectorSpecific", "NXcollection")
    put(specific, "x_pixels_in_detector", np.uint32(SHAPE[1]))
    put(specific, "y_pixels_in_detector", np.uint32(SHAPE[0]))
    moves = group(detector, "transformations", "NXtransformations")
    more = {"equipment": "detector", "equipment_component": "detector_arm"}
    axis(moves, "det_z", np.array([200.0]), "translation", (0, 0, 1), "det_y", **more)
    axis(moves, "det_y", np.array([0.0]), "translation", (0, 1, 0), ".", **more)
    offset = [32 * 0.075, 24 * 0.075, 0.0]
    module(detector, "module", [0, 0], SHAPE, offset, f"{base}/transformations/det_z", base)


def _scan_sample(entry: Any) -> None:
    sample = group(entry, "sample", "NXsample")
    put(sample, "name", "insulin")
    put(sample, "temperature", 100.0, "K")
    put(sample, "depends_on", "/entry/sample/transformations/phi")
    moves = group(sample, "transformations", "NXtransformations")
    base = "/entry/sample/transformations"
    angles = np.arange(FRAMES) * 0.1
    axis(moves, "phi", np.array([0.0]), "rotation", (-1, 0, 0), "chi")
    axis(moves, "chi", np.array([0.0]), "rotation", (0, 0, 1), f"{base}/sam_x")
    axis(moves, "sam_x", np.array([0.0]), "translation", (1, 0, 0), f"{base}/omega")
    axis(moves, "omega", angles, "rotation", (-1, 0, 0), ".")
    put(moves, "omega_end", angles + 0.1, "deg")
    put(moves, "omega_increment_set", np.full(FRAMES, 0.1), "deg")


FORMULA = """\
let plane = choose(data >> 14, 0, 1, -1, 2);
((data & 0x3FFF) - pedestal[plane]) / gain[plane]
"""


def digest(values: np.ndarray) -> str:
    shape = ",".join(map(str, values.shape))
    content = f"{values.dtype.name}[{shape}]\n".encode() + values.tobytes()
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def stills(folder: Path, name: str = "stills.nxs") -> Path:
    """Stills of a detector of four modules with a formula, a spectrum and a table of events."""
    path = folder / name
    random = np.random.default_rng(2)
    high = 2 * SHAPE[0]
    with h5py.File(folder / "stills_raw.h5", "w") as file:
        file["data"] = random.integers(0, 1 << 14, (EVENTS, high, SHAPE[1]), np.uint16)
    for number in (0, 1):
        with h5py.File(folder / f"stills_m{number}.h5", "w") as file:
            file["data"] = random.integers(0, 1 << 14, (EVENTS, SHAPE[0], SHAPE[1]), np.uint16)
    with h5py.File(path, "w") as file:
        _stills(file, random)
    return path


def _stills(file: Any, random: Any) -> None:
    entry = entry_of(file)
    instrument = group(entry, "instrument", "NXinstrument")
    put(instrument, "name", "SwissFEL ARAMIS BEAMLINE ESB", short_name="ESB")
    beam = group(instrument, "beam", "NXbeam")
    put(beam, "incident_wavelength", np.linspace(1.30, 1.36, 20), "angstrom")
    put(beam, "incident_wavelength_weights", random.random((EVENTS, 20)))
    _stills_detector(instrument, random)
    sample = group(entry, "sample", "NXsample")
    put(sample, "name", "lysozyme")
    put(sample, "depends_on", ".")
    data = group(entry, "data", "NXdata")
    data.attrs["signal"] = "data"
    data["data"] = h5py.SoftLink("/entry/instrument/detector/data")


def _stills_detector(instrument: Any, random: Any) -> None:
    base = "/entry/instrument/detector"
    high = 2 * SHAPE[0]
    detector = group(instrument, "detector", "NXdetector")
    detector["data"] = h5py.ExternalLink("stills_raw.h5", "/data")
    put(detector, "depends_on", f"{base}/transformations/AXIS_RAIL")
    put(detector, "sensor_material", "Si")
    put(detector, "sensor_thickness", 320.0, "um")
    put(detector, "saturation_value", np.int64(16000))
    put(detector, "underload_value", np.int64(-10))
    moves = group(detector, "transformations", "NXtransformations")
    rail = {"equipment": "detector", "equipment_component": "detector_arm"}
    quad = {"equipment": "detector", "equipment_component": "detector_quad"}
    zero = {"offset": np.zeros(3), "offset_units": "mm"}
    axis(moves, "AXIS_RAIL", np.array([100.0]), "translation", (0, 0, 1), ".", **rail, **zero)
    axis(moves, "AXIS_D0", np.array([0.0]), "rotation", (0, 0, -1), "AXIS_RAIL", **rail, **zero)
    for number in (0, 1):
        place = {"offset": np.array([0, 4.0 * number, 0]), "offset_units": "mm"}
        name = f"AXIS_D0Q{number}"
        axis(moves, name, np.array([0.0]), "rotation", (0, 0, -1), "AXIS_D0", **quad, **place)
    for number in range(4):
        row, column = divmod(number, 2)
        made = module(
            detector,
            f"ARRAY_D0Q{row}M{column}",
            [row * SHAPE[0], column * SHAPE[1] // 2],
            [SHAPE[0], SHAPE[1] // 2],
            [3.0 * (1 - column), 0.0, 0.0],
            f"{base}/transformations/AXIS_D0Q{row}",
            base,
        )
        assert made is not None
    _formula(detector, random, high)
    _events(detector)


def _formula(detector: Any, random: Any, high: int) -> None:
    made = group(detector, "data_formula", "NXcollection")
    shape = (3, high, SHAPE[1])
    constants = {
        "pedestal": (random.normal(1500, 10, shape).astype("f4"), "count"),
        "gain": (random.normal(40, 1, shape).astype("f4"), "count/keV"),
    }
    made.attrs["formula"] = FORMULA
    made.attrs["formula_language"] = "nxformula-1"
    made.attrs["formula_dtype"] = "float32"
    made.attrs["formula_units"] = "keV"
    made.attrs["formula_axes"] = ["frame", "slow", "fast"]
    made.attrs["formula_results"] = ["plane"]
    made.attrs["data_units"] = "count"
    for name, (values, units) in constants.items():
        put(made, name, values, units)
        made.attrs[f"{name}_axes"] = ["stage", "slow", "fast"]
        made.attrs[f"{name}_checksum"] = digest(values)
    made["data"] = h5py.SoftLink("/entry/instrument/detector/data")
    put(made, "description", "Pedestal and gain by stage; code 2 is invalid.")
    put(made, "applied", False)


def _events(detector: Any) -> None:
    table = group(detector, "event_index", "NXcollection")
    table.attrs["events_language"] = "nxevents-1"
    rows = np.stack([np.arange(EVENTS), np.arange(EVENTS)], axis=1).astype("i4")
    rows[3, 1] = -1
    put(table, "frame_index", rows)
    put(table, "event_id", np.arange(1000, 1000 + EVENTS, dtype="u8"))
    put(table, "present", (rows >= 0).sum(axis=1).astype("u2"))
    put(table, "status", np.where(rows < 0, 1, 0).astype("u1"))
    for number in (0, 1):
        made = group(table, f"module_{number}", "NXcollection")
        made["source_000001"] = h5py.ExternalLink(f"stills_m{number}.h5", "/data")
        put(made, "source_rows", np.array([EVENTS], "i8"))
        put(made, "first_id", np.array([1000], "u8"))
        put(made, "last_id", np.array([1000 + EVENTS - 1], "u8"))
