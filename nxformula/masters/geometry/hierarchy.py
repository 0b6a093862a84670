"""The tree of a detector: arm, quadrants, modules, chips, as rigid groups say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError
from nxformula.masters.geometry.crystfel import Geometry, Panel

#: Letters and components of the levels below the detector, by how many levels there are.
_LEVELS: Final = {
    1: (("M", "detector_module"),),
    2: (("Q", "detector_quad"), ("M", "detector_module")),
    3: (("Q", "detector_quad"), ("M", "detector_module"), ("A", "detector_asic")),
}
_MOST: Final = 3


@dataclass(slots=True)
class Branch:
    """A part of the detector with its own axis.

    Attributes
    ----------
    name : str
        Of the axis, such as `D0Q1M3A7`.
    component : str
        `equipment_component`.
    centre : ndarray
        In the laboratory, in m; of a panel the corner of its first pixel.
    panel : Panel or None
        Of a leaf.
    branches : list of Branch
        The parts of it.
    """

    name: str
    component: str
    centre: Array
    panel: Panel | None = None
    branches: list[Branch] = field(default_factory=list)

    def leaves(self) -> Iterator[Branch]:
        """All panels, in order."""
        if self.panel is not None:
            yield self
        for branch in self.branches:
            yield from branch.leaves()


def corner_of(panel: Panel) -> Array:
    """The corner of the first pixel of a panel, in m, without the detector's distance."""
    return np.array([panel.corner[0] / panel.res, panel.corner[1] / panel.res, panel.coffset])


def steps_of(panel: Panel) -> tuple[Array, Array]:
    """The steps along the fast and slow axis, in m."""
    return np.array(panel.fs) / panel.res, np.array(panel.ss) / panel.res


def _centre(panel: Panel) -> Array:
    slow, fast = panel.size
    steps = steps_of(panel)
    found: Array = corner_of(panel) + steps[0] * fast / 2 + steps[1] * slow / 2
    return found


def hierarchy(geometry: Geometry) -> Branch:
    """The tree of a detector.

    Collections of rigid groups are levels, those of large groups above those of small ones; what
    is the same as a panel, or as the whole, is none. The centre of a group is the mean of those of
    its panels.

    Raises
    ------
    FileError
        Groups overlap, or there are more than two levels of them.
    """
    panels = geometry.panels
    levels = [_level(geometry, name) for name in geometry.collections]
    levels = [level for level in levels if 1 < len(set(level.values())) < len(panels)]
    levels.sort(key=lambda level: len(set(level.values())))
    levels = [level for k, level in enumerate(levels) if level not in levels[:k]]
    if len(levels) >= _MOST:
        message = f"{geometry.path} has {len(levels)} levels of rigid groups; expected at most 2"
        raise FileError(message, geometry.path)
    letters = _LEVELS[len(levels) + 1]
    root = Branch("D0", "detector_arm", np.zeros(3))
    _grow(geometry, root, list(panels), levels, letters)
    root.centre = np.mean([_centre(panel) for panel in panels.values()], axis=0)
    return root


def _level(geometry: Geometry, collection: str) -> dict[str, str]:
    """The group of each panel; a panel that is in none is one of its own."""
    found: dict[str, str] = {}
    for group, members in geometry.collections[collection].items():
        for panel in members:
            if panel in found:
                message = (
                    f"{geometry.path}: panel {panel} is in the groups {found[panel]} and {group} "
                    f"of the collection {collection}"
                )
                raise FileError(message, geometry.path)
            found[panel] = group
    return {panel: found.get(panel, f"/{panel}") for panel in geometry.panels}


def _grow(
    geometry: Geometry,
    parent: Branch,
    names: list[str],
    levels: list[dict[str, str]],
    letters: tuple[tuple[str, str], ...],
) -> None:
    letter, component = letters[0]
    if not levels:
        for number, name in enumerate(names):
            panel = geometry.panels[name]
            own = f"{parent.name}{letter}{number}"
            parent.branches.append(Branch(own, component, corner_of(panel), panel))
        return
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(levels[0][name], []).append(name)
    whole = {group for group, members in groups.items()}
    for group in whole:
        every = {panel for panel, own in levels[0].items() if own == group}
        if every != set(groups[group]):
            message = f"{geometry.path}: group {group} is not within one group of the level above"
            raise FileError(message, geometry.path)
    for number, members in enumerate(groups.values()):
        centre = np.mean([_centre(geometry.panels[name]) for name in members], axis=0)
        branch = Branch(f"{parent.name}{letter}{number}", component, centre)
        parent.branches.append(branch)
        _grow(geometry, branch, members, levels[1:], letters[1:])
