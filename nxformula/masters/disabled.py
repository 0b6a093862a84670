"""Runs without some modules: which are left, and what of a geometry.

SwissFEL leaves disabled modules out of its images and says so in `module_map`: for each module of
the detector the place in the images, or -1. Of other runs the user says it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from nxformula.errors import FileError
from nxformula.masters.events.stacks import Run, as_module_map
from nxformula.masters.geometry.crystfel import Geometry, Panel
from nxformula.masters.selection import read_array

_LISTED: Final = re.compile(r"\s*-?\d+\s*(?:,\s*-?\d+\s*)*")
_PLACE: Final = re.compile(r"(?P<file>.+):(?P<path>/.+)")


def with_module_map(run: Run, text: str | None) -> Run:
    """A run with the module map that the user gives, which goes before that of its files.

    Parameters
    ----------
    run : Run
        The run.
    text : str or None
        `FILE:/PATH`, or the places themselves, as `0,-1,1`; None leaves the run as it is.

    Raises
    ------
    FileError
        The file cannot be read, or holds no module map.
    ValueError
        The text is none of these, or is of another number of modules than the run has.
    """
    if text is None:
        return run
    if _LISTED.fullmatch(text):
        found = as_module_map(np.array([int(number) for number in text.split(",")]))
    else:
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not of the form FILE:/PATH or 0,-1,1")
        values, _ = read_array(match["file"], match["path"])
        try:
            found = as_module_map(values[0] if values.ndim == 2 and len(values) else values)
        except ValueError as error:
            raise FileError(f"{text}: {error}", match["file"]) from None
    left = sum(place >= 0 for place in found)
    rows = run.image[0]
    if len(run.stacks) > 1 and left != len(run.stacks):
        message = f"the module map {text} has {left} places, and the run {len(run.stacks)} modules"
        raise ValueError(message)
    if rows % left:
        message = f"the module map {text} has {left} places, and images have {rows} rows"
        raise ValueError(message)
    return replace(run, module_map=found)


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
