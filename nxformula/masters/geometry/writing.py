"""Write the geometry of a detector: a tree of axes, and a module for each panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.masters.geometry.crystfel import Panel
from nxformula.masters.geometry.hierarchy import Branch, steps_of

_MM: Final = 1000.0
RAIL: Final = "AXIS_RAIL"


def write_geometry(
    detector: Any, root: Branch, distance: float, origins: Mapping[str, tuple[int, int]]
) -> None:
    """Write axes and modules into a detector.

    The chain is RAIL (along the beam), D0 (the detector), and an axis for each group and panel:
    turns by 0 degrees whose offsets say where they are, so that a refinement can turn them.

    Parameters
    ----------
    detector : h5py.Group
        In a file open for writing.
    root : Branch
        The tree.
    distance : float
        Of the detector from the sample, in m.
    origins : mapping
        First slow and fast pixel of each panel in an image.
    """
    chain = detector.create_group("transformations")
    chain.attrs["NX_class"] = "NXtransformations"
    rail = _axis(chain, RAIL, distance * _MM, "translation", (0, 0, 1), np.zeros(3), ".")
    rail.attrs["units"] = "mm"
    rail.attrs["equipment"] = "detector"
    rail.attrs["equipment_component"] = "detector_arm"
    detector["depends_on"] = rail.name
    _write_branch(chain, root, np.zeros(3), rail.name)
    for leaf in root.leaves():
        assert leaf.panel is not None, "leaves have panels"
        axis = f"{chain.name}/AXIS_{leaf.name}"
        _write_module(detector, leaf.panel, axis, origins[leaf.panel.name])


def _write_branch(chain: Any, branch: Branch, above: Array, after: str) -> None:
    offset = (branch.centre - above) * _MM
    axis = _axis(chain, f"AXIS_{branch.name}", 0.0, "rotation", (0, 0, -1), offset, after)
    axis.attrs["units"] = "degrees"
    axis.attrs["equipment"] = "detector"
    axis.attrs["equipment_component"] = branch.component
    for below in branch.branches:
        _write_branch(chain, below, branch.centre, axis.name)


def _axis(
    group: Any,
    name: str,
    value: float,
    kind: str,
    vector: tuple[float, ...] | Array,
    offset: Array,
    after: str,
) -> Any:
    axis = group.create_dataset(name, data=value)
    axis.attrs["transformation_type"] = kind
    axis.attrs["vector"] = np.asarray(vector, np.float64)
    axis.attrs["offset"] = offset
    axis.attrs["offset_units"] = "mm"
    axis.attrs["depends_on"] = after
    return axis


def _write_module(detector: Any, panel: Panel, after: str, origin: tuple[int, int]) -> None:
    module = detector.create_group(panel.name)
    module.attrs["NX_class"] = "NXdetector_module"
    module["data_origin"] = np.array(origin, np.int64)
    module["data_size"] = np.array(panel.size, np.int64)
    for name, step in zip(("fast", "slow"), steps_of(panel), strict=True):
        # The length of a step is the pixel: CrystFEL's directions need not have the length 1.
        size = float(np.linalg.norm(step))
        axis = _axis(
            module,
            f"{name}_pixel_direction",
            size * _MM,
            "translation",
            step / size,
            np.zeros(3),
            after,
        )
        axis.attrs["units"] = "mm"


def pixel_mask_of(
    shape: tuple[int, int], panels: Mapping[str, Panel], origins: Mapping[str, tuple[int, int]]
) -> Array | None:
    """Bit 0 of the mask where an image has pixels of no panel; None if it has none."""
    gap = np.ones(shape, np.uint32)
    for name, panel in panels.items():
        slow, fast = origins[name]
        gap[slow : slow + panel.size[0], fast : fast + panel.size[1]] = 0
    return gap if gap.any() else None
