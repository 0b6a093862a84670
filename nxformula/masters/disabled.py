"""Runs without some modules: what is left of a geometry and of constants.

SwissFEL leaves disabled modules out of its images and says so in `module_map`: for each module of
the detector the place in the images, or -1.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import h5py
import numpy as np

from nxformula.errors import FileError
from nxformula.masters.geometry.crystfel import Geometry, Panel
from nxformula.nexus import names
from nxformula.nexus.files import open_file
from nxformula.nexus.presets import Preset
from nxformula.nexus.sources import SymbolSource, parse_source
from nxformula.nexus.text import as_names, attribute_of

#: Name of the group with constants of the modules that are left.
GROUP = "constants"


def has_disabled(module_map: Sequence[int] | None) -> bool:
    """Whether modules are disabled, or in another order."""
    return module_map is not None and list(module_map) != list(range(len(module_map)))


def without_disabled(geometry: Geometry, module_map: Sequence[int], height: int) -> Geometry:
    """The geometry of the modules that are left, at their places in the images.

    Parameters
    ----------
    geometry : Geometry
        Of all modules, stacked or with a dimension for them.
    module_map : sequence of int
        The place of each module, -1 for none.
    height : int
        Slow pixels of a module.

    Raises
    ------
    FileError
        The geometry has more modules than the map.
    """
    panels: dict[str, Panel] = {}
    for name, panel in geometry.panels.items():
        number = panel.min_ss // height if panel.plane is None else panel.plane
        if number >= len(module_map):
            message = (
                f"{geometry.path}: panel {name} is of module {number}, and the module map has "
                f"{len(module_map)}"
            )
            raise FileError(message, geometry.path)
        place = module_map[number]
        if place < 0:
            continue
        if panel.plane is None:
            step = (place - number) * height
            moved = replace(panel, min_ss=panel.min_ss + step, max_ss=panel.max_ss + step)
        else:
            dims = {d: place if isinstance(n, int) else n for d, n in panel.dims.items()}
            moved = replace(panel, dims=dims)
        panels[name] = moved
    collections = {
        name: {
            group: left
            for group, members in groups.items()
            if (left := tuple(member for member in members if member in panels))
        }
        for name, groups in geometry.collections.items()
    }
    bad = tuple(region for region in geometry.bad if region.panel is None or region.panel in panels)
    return replace(geometry, panels=panels, collections=collections, bad=bad)


def gathered(
    detector: Any,
    symbols: Sequence[str],
    preset: Preset,
    module_map: Sequence[int],
    height: int,
    folder: str,
) -> list[str]:
    """Symbols whose constants are of all modules, as virtual datasets of those that are left.

    Parameters
    ----------
    detector : h5py.Group
        In a file open for writing; receives the group `constants`.
    symbols : sequence of str
        In the form of `--symbol`.
    preset : Preset
        Says which dimension is which, where nothing else does.
    module_map, height
        As `without_disabled` takes them.
    folder : str
        Where the file will be.

    Returns
    -------
    list of str
        The symbols, where they are to be read.
    """
    return [
        _gathered(detector, *parse_source(text), text, preset, module_map, height, folder)
        for text in symbols
    ]


def _gathered(
    detector: Any,
    name: str,
    source: SymbolSource,
    text: str,
    preset: Preset,
    module_map: Sequence[int],
    height: int,
    folder: str,
) -> str:
    if source.file is None or source.path is None:
        return text
    with open_file(source.file) as file:
        dataset = file.get(source.path)
        known = preset.symbols.get(name.removesuffix(names.ERRORS_SUFFIX))
        stated = as_names(attribute_of(dataset, names.AXES)) if dataset is not None else None
        axes = source.axes or stated or (known.axes if known is not None else None)
        is_whole = (
            isinstance(dataset, h5py.Dataset)
            and axes is not None
            and len(axes) == dataset.ndim
            and "slow" in axes
            and dataset.shape[axes.index("slow")] == height * len(module_map)
        )
        if not is_whole:
            return text
        assert axes is not None, "asked for before"
        slow = axes.index("slow")
        shape = list(dataset.shape)
        shape[slow] = height * sum(place >= 0 for place in module_map)
        layout = h5py.VirtualLayout(tuple(shape), dataset.dtype)
        relative = os.path.relpath(os.path.realpath(source.file), os.path.realpath(folder))
        whole = h5py.VirtualSource(relative, source.path, dataset.shape)
        for number, place in enumerate(module_map):
            if place >= 0:
                before = (slice(None),) * slow
                target = slice(place * height, (place + 1) * height)
                layout[(*before, target)] = whole[
                    (*before, slice(number * height, (number + 1) * height))
                ]
        units = source.units or dataset.attrs.get("units")
    group = detector.require_group(GROUP)
    group.attrs["NX_class"] = "NXcollection"
    fill = np.nan if np.dtype(layout.dtype).kind == "f" else 0
    virtual = group.create_virtual_dataset(name, layout, fillvalue=fill)
    if units is not None:
        virtual.attrs["units"] = units
    return f"{name}={virtual.name}[{','.join(axes)}]"
