"""Build the master of a run: events, geometry, metadata and formula in one valid NXmx file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError
from nxformula.masters.constants import place_constants
from nxformula.masters.disabled import with_module_map
from nxformula.masters.events.matching import EventTable, match
from nxformula.masters.events.runs import read_run
from nxformula.masters.events.stacks import Run
from nxformula.masters.geometry.chains import Chains
from nxformula.masters.geometry.crystfel import Geometry, read_geometry
from nxformula.masters.geometry.hierarchy import Branch, corner_of, hierarchy
from nxformula.masters.geometry.writing import pixel_mask_of, write_geometry
from nxformula.masters.metadata import Metadata, check_complete
from nxformula.masters.placement import placed
from nxformula.masters.selection import mask_of_user, selected, write_per_event
from nxformula.masters.stacked import MOST_MAPPINGS, Stretch, stacked_layout, stretches
from nxformula.masters.wavelengths import (
    Wavelengths,
    spectra_of_events,
    wavelengths_of_events,
)
from nxformula.masters.writer import DETECTOR, FIELD, MasterWriter
from nxformula.nexus.attach import attach, folders_to_allow
from nxformula.nexus.output import new_file
from nxformula.nexus.presets import Preset

#: What stands in raw frames where a module has none: no raw value of these detectors is this.
_INVALID: Final = {"jungfrau": 0x8000, "agipd": 0xFFFF}
#: Largest deviation of a pixel that is allowed between the geometry and what was written.
_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Options:
    """What is made of a run.

    Attributes
    ----------
    detector : str or None
        Its name, where the run has several.
    offsets : mapping of int
        Added to ids of modules.
    least : int
        Modules that an event must have.
    module_map : str or None
        Which modules are left out, as `with_module_map` takes it.
    select : str or None
        The events to keep, as `selected` takes it.
    preset : Preset or None
        The calibration.
    symbols : tuple of str
        Its constants, in the form of `--symbol`.
    repack : bool
        Whether constants are copied, plane by plane.
    vds : bool
        Whether the stacked virtual dataset is written.
    wavelengths : str or None
        A wavelength for each event, as `wavelengths_of_events` takes it.
    spectrum : str or None
        A spectrum for each event, as `spectra_of_events` takes it.
    per_event : tuple of str
        `NAME=FILE:/VALUES,/IDS`, other values for each event.
    mask : str or None
        `FILE:/PATH` of bits as `pixel_mask` has them.
    """

    detector: str | None = None
    offsets: Mapping[str, int] | None = None
    least: int = 1
    module_map: str | None = None
    select: str | None = None
    preset: Preset | None = None
    symbols: tuple[str, ...] = ()
    repack: bool = False
    vds: bool = True
    wavelengths: str | None = None
    spectrum: str | None = None
    per_event: tuple[str, ...] = ()
    mask: str | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A master that was written.

    Attributes
    ----------
    run, table
        What it was made from.
    deviation : float
        Largest distance, in pixels, between a corner of a panel in the geometry and in the file.
    mappings : int
        Of the virtual dataset; 0 if there is none.
    allow : tuple of str
        Folders that a reader must allow.
    """

    run: Run
    table: EventTable
    deviation: float
    mappings: int
    allow: tuple[str, ...]


def build_master(
    sources: Sequence[str],
    geometry: str,
    output: str | os.PathLike[str],
    metadata: Metadata,
    options: Options,
    *,
    force: bool = False,
    allow: Iterable[str] = (),
) -> Built:
    """Write the master of a run.

    Parameters
    ----------
    sources : sequence of str
        As `read_run` takes them.
    geometry : str
        A CrystFEL geometry file.
    output : path
        The new file; it appears under this name only when it is complete.
    metadata : Metadata
        What NXmx requires.
    options : Options
        What is made of the run.
    force : bool
        Whether the output may replace a file.
    allow : iterable of str
        Folders whose files may be read, beside that of the output and those of the sources.

    Raises
    ------
    FileError
        A file cannot be read or written, or files do not go together.
    ValueError
        Something that NXmx requires is not known; or there would be too many mappings.
    FormulaError
        The formula does not fit.
    """
    layout = read_geometry(geometry)
    run = with_module_map(read_run(sources, options.detector), options.module_map)
    layout, origins = placed(layout, run)
    known = {
        "beam.wavelength": options.wavelengths or options.spectrum or layout.wavelength,
        "detector.distance": layout.clen if isinstance(layout.clen, float) else None,
    }
    check_complete(metadata, known)
    table = selected(match(run.stacks, options.offsets, options.least), options.select)
    if not len(table.ids):
        raise FileError(f"{sources[0]}: no event has enough good frames", sources[0])
    beam = _wavelengths(table, options, metadata)
    found = _mappings(run, table) if options.vds else []
    final = os.path.abspath(output)
    inputs = [source.file for stack in run.stacks for source in stack.sources]
    allowed = (*map(os.path.abspath, allow), *sorted({*map(os.path.dirname, inputs)}))
    with new_file(final, force=force, inputs=inputs) as temporary:
        with h5py.File(temporary, "w", libver=("earliest", "v110")) as file:
            writer = MasterWriter(file, run, table, metadata, os.path.dirname(final))
            writer.entry(known, beam)
            detector = writer.detector(_invalid(options.preset, run))
            write_per_event(detector["event_index"], table, options.per_event)
            mask = mask_of_user(options.mask, run)
            deviation = _write_geometry(detector, layout, origins, metadata, run, mask)
            _write_field(detector, options, run, table, found, os.path.dirname(final))
            writer.data()
            symbols = _symbols(detector, options, run, os.path.dirname(final))
        needed = () if options.preset is None else _attach(temporary, options, symbols, allowed)
        if not options.vds:
            _leave_out_fields(temporary, run)
    outside = folders_to_allow(set(map(os.path.realpath, inputs)), os.path.dirname(final))
    return Built(run, table, deviation, len(found), tuple(sorted({*needed, *outside})))


def _mappings(run: Run, table: EventTable) -> list[Stretch]:
    found = stretches(run, table)
    if len(found) > MOST_MAPPINGS:
        message = (
            f"the stacked virtual dataset would have {len(found)} mappings, and HDF5 is slow "
            f"beyond {MOST_MAPPINGS}; leave it out with --no-vds, or keep only events of more "
            "modules with --least"
        )
        raise ValueError(message)
    return found


def _write_geometry(
    detector: Any,
    layout: Geometry,
    origins: Mapping[str, tuple[int, int]],
    metadata: Metadata,
    run: Run,
    given: Array | None,
) -> float:
    """Write axes, modules and the mask; how far off the worst corner is, in pixels."""
    root = hierarchy(layout)
    stated = metadata.get("detector.distance")
    # One of the two is there: `check_complete` has asked for it.
    distance = float(stated if stated is not None else layout.clen or 0.0)
    write_geometry(detector, root, distance, origins)
    mask = pixel_mask_of(run.image, layout, origins, given)
    if mask is not None:
        detector.create_dataset("pixel_mask", data=mask, compression="gzip")
    return _deviation(detector, layout, root, distance)


def _write_field(
    detector: Any,
    options: Options,
    run: Run,
    table: EventTable,
    found: list[Stretch],
    folder: str,
) -> None:
    """Write the stacked datasets; or such without values, on which the formula is checked."""
    dtype = np.dtype(run.stacks[0].dtype)
    for name, channel in run.fields.items():
        between = run.stacks[0].shape[:-2] if channel is None else ()
        shape = (len(table.ids), *between, *run.image)
        if options.vds:
            invalid = dtype.type(_invalid(options.preset, run))
            layout = stacked_layout(run, shape, found, folder, channel)
            detector.create_virtual_dataset(name, layout, fillvalue=invalid)
        else:
            detector.create_dataset(name, shape, dtype, chunks=(1, *shape[1:]))


def _leave_out_fields(path: str, run: Run) -> None:
    """Take away the fields that the event index is enough for, and all links to them."""
    with h5py.File(path, "r+") as file:
        for name in run.fields:
            for holder in (DETECTOR, f"{DETECTOR}/{FIELD}_formula", "/entry/data"):
                if holder in file and file[holder].get(name, getlink=True) is not None:
                    del file[holder][name]
        plot = file["/entry/data"]
        del plot.attrs["signal"]
        if f"{FIELD}_formula" in plot:
            del plot[f"{FIELD}_formula"]


def _invalid(preset: Preset | None, run: Run) -> int | float:
    """The raw value for what is not there: none that a detector gives, and never 0."""
    kind = preset.name.partition("-")[0] if preset is not None else ""
    dtype = np.dtype(run.stacks[0].dtype)
    if dtype.kind not in "iu":
        return float("nan")
    return _INVALID.get(kind, int(np.iinfo(dtype).max))


def _wavelengths(table: EventTable, options: Options, metadata: Metadata) -> Wavelengths | None:
    """Those of events, where another file has them."""
    if options.spectrum is not None:
        return spectra_of_events(table, options.spectrum)
    if options.wavelengths is not None:
        default = metadata.get("beam.wavelength")
        return wavelengths_of_events(table, options.wavelengths, default)
    return None


def _symbols(detector: Any, options: Options, run: Run, folder: str) -> Sequence[str]:
    """The constants, where they are to be read."""
    preset = options.preset
    if preset is None:
        return ()
    repack = options.repack
    return place_constants(detector, options.symbols, preset, run, folder, repack=repack)


def _attach(
    temporary: str, options: Options, given_symbols: Sequence[str], allow: tuple[str, ...]
) -> tuple[str, ...]:
    """Attach the formula of a preset; per-event fields of the index are symbols too."""
    preset = options.preset
    assert preset is not None, "asked for by the caller"
    symbols = list(given_symbols)
    given = {text.partition("=")[0].strip() for text in symbols}
    per_event = ("cell_id", *(text.partition("=")[0].strip() for text in options.per_event))
    symbols += [
        f"{name}={DETECTOR}/event_index/{name}[frame]"
        for name in per_event
        if name in preset.symbols and name not in given
    ]
    done = attach(
        temporary,
        f"{DETECTOR}/{FIELD}",
        preset.formula,
        preset.sources(symbols),
        axes=preset.axes,
        units=preset.units,
        dtype=preset.dtype,
        results=preset.results,
        preset=preset,
        in_place=True,
        allow=allow,
    )
    return done.allow


def _deviation(detector: Any, layout: Geometry, root: Branch, distance: float) -> float:
    """Largest distance in pixels between corners of panels, in the geometry and as written."""
    written = {module.name: module for module in Chains(detector.file).modules(detector)}
    worst = 0.0
    for leaf in root.leaves():
        assert leaf.panel is not None, "leaves have panels"
        panel = leaf.panel
        slow, fast = panel.size
        wanted = corner_of(panel) + np.array([0, 0, distance])
        module = written[panel.name]
        steps: Array = np.array([panel.fs, panel.ss]) / panel.res
        for j, i in ((0, 0), (fast, 0), (0, slow), (fast, slow)):
            one = wanted + j * steps[0] + i * steps[1]
            other = module.origin + j * module.fast + i * module.slow
            worst = max(worst, float(np.linalg.norm(one - other)) * panel.res)
    if worst > _TOLERANCE:
        message = f"{layout.path}: a panel would be {worst:.3g} pixels from where it is"
        raise FileError(message, layout.path)
    return worst
