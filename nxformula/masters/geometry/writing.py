"""Write the geometry of a detector: a tree of axes, and a module for each panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.masters.geometry.crystfel import BadRegion, Geometry, Panel
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


#: Bits of `pixel_mask` (NeXus manual, NXdetector): no sensor there; excluded by the user.
GAP, USER = 1 << 0, 1 << 8


def pixel_mask_of(
    shape: tuple[int, int],
    geometry: Geometry,
    origins: Mapping[str, tuple[int, int]],
    given: Array | None,
) -> Array | None:
    """The pixel mask of stacked images; None if all pixels are good.

    Parameters
    ----------
    shape : tuple of int
        Of an image.
    geometry : Geometry
        Pixels of no panel get the bit of a gap, those of its bad regions the bit of a user's mask.
    origins : mapping
        First slow and fast pixel of each panel in an image.
    given : ndarray of uint32, or None
        Bits that are known already.
    """
    mask = np.full(shape, GAP, np.uint32)
    for name, panel in geometry.panels.items():
        slow, fast = origins[name]
        box = np.s_[slow : slow + panel.size[0], fast : fast + panel.size[1]]
        mask[box] = 0
        for region in geometry.bad:
            if region.panel in (None, name):
                mask[box][_inside(panel, region)] |= USER
    if given is not None:
        mask |= given
    return mask if mask.any() else None


def _inside(panel: Panel, region: BadRegion) -> Array:
    """Pixels of a panel that are in a region: of pixels of the data, or of the laboratory."""
    i, j = np.mgrid[: panel.size[0], : panel.size[1]]
    coordinates = {
        "ss": i + panel.min_ss,
        "fs": j + panel.min_fs,
        "x": panel.corner[0] + (j + 0.5) * panel.fs[0] + (i + 0.5) * panel.ss[0],
        "y": panel.corner[1] + (j + 0.5) * panel.fs[1] + (i + 0.5) * panel.ss[1],
    }
    found = np.ones(panel.size, bool)
    for key, limit in region.limits.items():
        end, axis = key.split("_")
        value = coordinates[axis]
        found &= value >= limit if end == "min" else value <= limit
    return found if region.limits else np.zeros(panel.size, bool)
