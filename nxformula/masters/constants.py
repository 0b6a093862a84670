"""Constants in a master: of the modules that a run has, or stored anew plane by plane."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.masters.events.stacks import Run
from nxformula.nexus import names
from nxformula.nexus.files import open_file, reading
from nxformula.nexus.presets import Preset
from nxformula.nexus.sources import SymbolSource, parse_source
from nxformula.nexus.text import as_names, as_text, attribute_of

#: Name of the group, in the detector.
GROUP: Final = "constants"
_PIXELS: Final = ("slow", "fast")
#: Values of a constant that are in memory at a time.
_BLOCK: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class _Constant:
    """A dataset of another file that is a constant of pixels.

    Attributes
    ----------
    name : str
        The symbol.
    file, path : str
        Where it is.
    dataset : h5py.Dataset
        Itself.
    axes : tuple of str
        Its dimensions.
    units : str or None
        Its units.
    """

    name: str
    file: str
    path: str
    dataset: Any
    axes: tuple[str, ...]
    units: str | None


def place_constants(
    detector: Any,
    symbols: Sequence[str],
    preset: Preset,
    run: Run,
    folder: str,
    *,
    repack: bool,
) -> list[str]:
    """Write the constants that cannot stay as they are into the master.

    Constants of all modules, where the run has not all, become virtual datasets of those that it
    has. Constants that are repacked are copied, in the dimensions' order that the preset has:
    European XFEL stores (fast, slow, cell, gain), of which an image is read value by value.

    Parameters
    ----------
    detector : h5py.Group
        In a file open for writing; receives the group `constants`.
    symbols : sequence of str
        In the form of `--symbol`.
    preset : Preset
        Says which dimension is which, where nothing else does.
    run : Run
        The run.
    folder : str
        Where the file will be.
    repack : bool
        Whether constants of pixels are copied, one plane a chunk.

    Returns
    -------
    list of str
        The symbols, where they are to be read.

    Raises
    ------
    FileError
        A file cannot be read.
    ValueError
        A text is not of the form of `--symbol`.
    """
    return [_placed(detector, text, preset, run, folder, repack) for text in symbols]


def _placed(detector: Any, text: str, preset: Preset, run: Run, folder: str, repack: bool) -> str:
    name, source = parse_source(text)
    if source.file is None or source.path is None:
        return text
    with open_file(source.file) as file:
        constant = _constant(name, source, file.get(source.path), preset)
        rows = None if constant is None else _rows_to_keep(constant, run)
        if constant is None or (rows is None and not repack):
            return text
        group = detector.require_group(GROUP)
        group.attrs["NX_class"] = "NXcollection"
        if repack:
            return _repacked(group, constant, rows, _order(constant, preset))
        return _gathered(group, constant, run, folder)


def _constant(name: str, source: SymbolSource, found: Any, preset: Preset) -> _Constant | None:
    """What a symbol is; None if it is no constant of pixels."""
    if not isinstance(found, h5py.Dataset) or found.shape is None:
        return None
    axes = source.axes or _axes_of(name, found, preset)
    if len(axes) != found.ndim or "slow" not in axes:
        return None
    units = source.units or as_text(attribute_of(found, "units"))
    return _Constant(name, str(source.file), str(source.path), found, axes, units)


def _axes_of(name: str, dataset: Any, preset: Preset) -> tuple[str, ...]:
    """Dimensions that a dataset states, else those of the preset; none if neither fits."""
    known = preset.symbols.get(name.removesuffix(names.ERRORS_SUFFIX))
    for axes in (as_names(attribute_of(dataset, names.AXES)), known and known.axes):
        if axes and len(axes) == len(dataset.shape or ()):
            return tuple(axes)
    return ()


def _rows_to_keep(constant: _Constant, run: Run) -> Array | None:
    """The rows that the run has, of a constant of all modules of the detector."""
    kept = run.kept_rows
    if kept is None:
        return None
    every = run.module_height * len(run.module_map or ())
    return kept if constant.dataset.shape[constant.axes.index("slow")] == every else None


def _order(constant: _Constant, preset: Preset) -> tuple[str, ...]:
    """Dimensions in the order of the preset, those of pixels last."""
    known = preset.symbols.get(constant.name.removesuffix(names.ERRORS_SUFFIX))
    axes = constant.axes
    if known is not None and set(known.axes) == set(axes):
        axes = known.axes
    return tuple(sorted(axes, key=lambda axis: _PIXELS.index(axis) if axis in _PIXELS else -1))


def _repacked(group: Any, constant: _Constant, rows: Array | None, order: tuple[str, ...]) -> str:
    dataset, axes = constant.dataset, constant.axes
    turned = [axes.index(axis) for axis in order]
    slow = order.index("slow")
    shape = [dataset.shape[dimension] for dimension in turned]
    if rows is not None:
        shape[slow] = len(rows)
    chunk = (1,) * slow + tuple(shape[slow:])
    written = group.create_dataset(constant.name, tuple(shape), dataset.dtype, chunks=chunk)
    step = max(1, _BLOCK // max(1, math.prod(shape[1:]))) if slow else shape[0]
    for start in range(0, shape[0], step):
        part = [slice(None)] * len(axes)
        if slow:
            part[turned[0]] = slice(start, start + step)
        with reading(f"'{constant.path}'", constant.file):
            block = dataset[tuple(part)].transpose(turned)
        written[start : start + step] = block if rows is None else block.take(rows, axis=slow)
    return _described(written, constant, order)


def _gathered(group: Any, constant: _Constant, run: Run, folder: str) -> str:
    dataset, height = constant.dataset, run.module_height
    slow = constant.axes.index("slow")
    shape = list(dataset.shape)
    shape[slow] = run.image[0]
    layout = h5py.VirtualLayout(tuple(shape), dataset.dtype)
    relative = os.path.relpath(os.path.realpath(constant.file), os.path.realpath(folder))
    whole = h5py.VirtualSource(relative, constant.path, dataset.shape)
    before = (slice(None),) * slow
    for number, place in enumerate(run.module_map or ()):
        if place >= 0:
            target = slice(place * height, (place + 1) * height)
            layout[(*before, target)] = whole[
                (*before, slice(number * height, (number + 1) * height))
            ]
    fill = np.nan if np.dtype(dataset.dtype).kind == "f" else 0
    virtual = group.create_virtual_dataset(constant.name, layout, fillvalue=fill)
    return _described(virtual, constant, constant.axes)


def _described(written: Any, constant: _Constant, axes: tuple[str, ...]) -> str:
    """Say what a dataset is and where it comes from; the symbol that it is."""
    written.attrs[names.AXES] = list(axes)
    written.attrs["source"] = f"{os.path.basename(constant.file)}:{constant.path}"
    if constant.units is not None:
        written.attrs["units"] = constant.units
    return f"{constant.name}={written.name}[{','.join(axes)}]"
