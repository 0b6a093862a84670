"""Where the panels of a geometry are in the stacked images of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nxformula.errors import FileError
from nxformula.masters.disabled import without_disabled
from nxformula.masters.events.stacks import Run
from nxformula.masters.geometry.crystfel import Geometry, Panel

#: A module of a JUNGFRAU as recorded, and with its two pixels between chips of 256 x 256.
_RECORDED, _GAPPED, _CHIP, _PITCH = (512, 1024), (514, 1030), 256, 258


def placed(geometry: Geometry, run: Run) -> tuple[Geometry, dict[str, tuple[int, int]]]:
    """The geometry for the stacked images of a run, and where each panel begins in them.

    Where the geometry has modules of a JUNGFRAU with the gaps between its chips, and the run has
    them as recorded, each module becomes its eight chips.

    Parameters
    ----------
    geometry : Geometry
        With a dimension for the module, or already of stacked images.
    run : Run
        The stacks.

    Raises
    ------
    FileError
        Panels are not within the images, or overlap.
    """
    stack = run.stacks[0]
    height, width = stack.shape[-2:]
    rows = sum(each.shape[-2] for each in run.stacks)
    _check_numbers(run)
    places = run.module_map if run.kept_rows is not None else None
    every = rows if places is None else run.module_height * len(places)
    if _has_gaps(geometry, (every, width)):
        geometry = _split(geometry)
    if places is not None:
        geometry = without_disabled(geometry, places, run.module_height)
    origins: dict[str, tuple[int, int]] = {}
    for name, panel in geometry.panels.items():
        first = 0 if panel.plane is None else panel.plane * height
        limit = rows if panel.plane is None else height
        if panel.max_ss >= limit or panel.max_fs >= width:
            message = (
                f"{geometry.path}: panel {name} ends at slow {panel.max_ss} and fast "
                f"{panel.max_fs}, and images of {run.detector} have {limit} x {width}"
            )
            raise FileError(message + _hint(run), geometry.path)
        if panel.plane is not None and first >= rows:
            message = (
                f"{geometry.path}: panel {name} is of module {panel.plane}, and the run has "
                f"{rows // height}"
            )
            raise FileError(message + _hint(run), geometry.path)
        origins[name] = first + panel.min_ss, panel.min_fs
    return geometry, origins


def _hint(run: Run) -> str:
    """What to do where a geometry has modules that the run has not."""
    return "" if run.module_map is not None else "; --module-map says which modules are left out"


def _check_numbers(run: Run) -> None:
    """Refuse a run in which a module is missing, if nobody says that it is left out."""
    if run.numbers is None or run.module_map is not None:
        return
    every = range(max(run.numbers) + 1)
    missing = [number for number in every if number not in run.numbers]
    if missing:
        listed = ", ".join(stack.name for stack in run.stacks)
        places = {number: place for place, number in enumerate(run.numbers)}
        wanted = ",".join(str(places.get(number, -1)) for number in every)
        file = run.stacks[0].sources[0].file
        message = (
            f"the run has no files of module {missing[0]} (counted from 0): it has {listed}; "
            f"--module-map {wanted} leaves out what is missing"
        )
        raise FileError(message, file)


def _has_gaps(geometry: Geometry, image: tuple[int, int]) -> bool:
    sizes = {panel.size for panel in geometry.panels.values()}
    modules = image[0] / _RECORDED[0]
    return sizes == {_GAPPED} and image[1] == _RECORDED[1] and modules == len(geometry.panels)


def _split(geometry: Geometry) -> Geometry:
    """Modules with gaps as their chips, in the rows and columns that are recorded."""
    panels: dict[str, Panel] = {}
    parts: dict[str, tuple[str, ...]] = {}
    for number, (name, panel) in enumerate(geometry.panels.items()):
        chips = {f"{name}a{4 * r + c}": (r, c) for r in range(2) for c in range(4)}
        for chip, (r, c) in chips.items():
            corner = [
                panel.corner[k] + _PITCH * (r * panel.ss[k] + c * panel.fs[k]) for k in range(2)
            ]
            depth = _PITCH * (r * panel.ss[2] + c * panel.fs[2]) / panel.res
            own = number * _RECORDED[0] if panel.plane is None else 0
            panels[chip] = replace(
                panel,
                name=chip,
                min_fs=c * _CHIP,
                max_fs=c * _CHIP + _CHIP - 1,
                min_ss=own + r * _CHIP,
                max_ss=own + r * _CHIP + _CHIP - 1,
                corner=(corner[0], corner[1]),
                coffset=panel.coffset + depth,
            )
        parts[name] = tuple(chips)
    collections: dict[str, Mapping[str, tuple[str, ...]]] = {
        name: {
            group: tuple(chip for member in members for chip in parts[member])
            for group, members in groups.items()
        }
        for name, groups in geometry.collections.items()
    }
    collections["modules of chips"] = parts
    return replace(geometry, panels=panels, collections=collections)
