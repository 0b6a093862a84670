"""Rules that need positions in space: NXMX-DET-008 to 010, NXMX-MOD-012."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.metadata.nodes import Field, Group
from nxformula.validation.chains import scale_to
from nxformula.validation.checks.modules import directions, slab_of
from nxformula.validation.scope import Fault, Scope, check

#: How far a distance, and a beam centre in pixels, may be from what the axes say.
_SHARE, _PIXELS = 0.01, 2.0
#: How much two modules may share, in pixels.
_SHARED: Final = 1.0
#: Faults of a panel that are told one by one.
_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Panel:
    """A module in space, in millimetres.

    Attributes
    ----------
    module : Group
        The module.
    corner : ndarray
        The outer corner of its first pixel.
    fast, slow : ndarray
        From one pixel to the next.
    size : tuple of int
        Pixels along slow and fast.
    """

    module: Group
    corner: Array
    fast: Array
    slow: Array
    size: tuple[int, int]

    @property
    def normal(self) -> Array:
        """At right angles to the panel, of length 1."""
        found = np.cross(self.fast, self.slow)
        normal: Array = found / np.linalg.norm(found)
        return normal

    @property
    def corners(self) -> Array:
        """The four corners, around."""
        across, down = self.fast * self.size[1], self.slow * self.size[0]
        return np.array(
            [self.corner, self.corner + across, self.corner + across + down, self.corner + down]
        )


def panel_of(scope: Scope, module: Group) -> Panel | None:
    """A module in space; None where something is missing or faulty."""
    fast, slow = (module.field(f"{name}_pixel_direction") for name in ("fast", "slow"))
    slab = slab_of(module)
    if fast is None or slow is None or slab is None or directions(module) is None:
        return None
    chain = scope.axis_chain(fast)
    matrix = None if chain.fault else scope.placement(chain.axes[1:])
    steps = [_step(field) for field in (fast, slow)]
    if matrix is None or steps[0] is None or steps[1] is None:
        return None
    offset = _offset(fast)
    if offset is None:
        return None
    turn, shift = matrix[:3, :3], matrix[:3, 3]
    corner = turn @ offset + shift
    found = Panel(module, corner, turn @ steps[0], turn @ steps[1], slab.size[-2:])  # type: ignore[arg-type]
    values = (found.corner, found.fast, found.slow)
    if not all(np.all(np.isfinite(each)) for each in values):
        return None
    flat = float(np.linalg.norm(np.cross(found.fast, found.slow)))
    return found if flat > 0 else None


def _step(field: Field) -> Array | None:
    vector, value = field.numbers("vector"), field.scalar
    scale = scale_to(field.units, "mm")
    if vector is None or vector.size != 3 or value is None or scale is None or not value > 0:
        return None
    return vector * value * scale


def _offset(field: Field) -> Array | None:
    offset = field.numbers("offset")
    if offset is None:
        return np.zeros(3)
    if offset.size != 3:
        return None
    scale = scale_to(field.text("offset_units") or field.units, "mm")
    return None if scale is None else offset * scale


def panels(scope: Scope, detector: Group) -> list[Panel] | None:
    """All modules of a detector in space; None unless all are known."""
    key = "panels", detector.path
    if key not in scope.known:
        found = [panel_of(scope, module) for module in scope.modules_of(detector)]
        complete = bool(found) and all(panel is not None for panel in found)
        scope.known[key] = found if complete else None
    known: list[Panel] | None = scope.known[key]
    return known


def is_turned(scope: Scope, detector: Group) -> bool:
    """Whether a chain has a rotation that is not zero."""
    for module in scope.modules_of(detector):
        fast = module.field("fast_pixel_direction")
        for axis in scope.axis_chain(fast).axes if fast is not None else ():
            values = axis.flat
            is_rotation = axis.text("transformation_type") == "rotation"
            if is_rotation and values is not None and np.any(values):
                return True
    return False


def _derived(detector: Group, name: str) -> bool:
    """Whether a number is said to follow from others, or nothing is said."""
    field = detector.field(f"{name}_derived")
    value = field.scalar if field is not None else None
    return value is None or value != 0


@check("NXMX-DET-008")
def distance(scope: Scope) -> Iterator[Fault]:
    """The distance is that of the axes."""
    for detector in scope.detectors:
        field = detector.field("distance") or detector.field("detector_distance")
        value = field.scalar if field is not None else None
        scale = scale_to(field.units, "mm") if field is not None else None
        known = panels(scope, detector)
        if field is None or value is None or scale is None or known is None:
            continue
        if not _derived(detector, "distance") or is_turned(scope, detector) or len(known) > 64:
            continue
        depth = [float(panel.corner @ panel.normal) for panel in known]
        along = [abs(z) for z in (*depth, float(np.mean([p.corner[2] for p in known])))]
        if any(abs(abs(value * scale) - z) <= _SHARE * max(z, 1e-9) for z in along):
            continue
        message = f"the distance is {value:g} {field.units}, and the axes give {along[0]:.6g} mm"
        yield Fault(field.path, message, None, (known[0].module.path,))


@check("NXMX-DET-009")
def beam_centre(scope: Scope) -> Iterator[Fault]:
    """The beam meets the detector where it is said to."""
    for detector in scope.detectors:
        known = panels(scope, detector)
        if known is None or len(known) != 1 or not _derived(detector, "beam_center"):
            continue
        panel = known[0]
        towards = panel.normal[2]
        if abs(towards) < 1e-3:
            continue
        hit = np.array([0, 0, panel.corner @ panel.normal / towards]) - panel.corner
        for name, step in (("x", panel.fast), ("y", panel.slow)):
            field = detector.field(f"beam_center_{name}")
            stated = _in_pixels(field, float(np.linalg.norm(step)))
            if field is None or stated is None:
                continue
            expected = float(hit @ step / (step @ step))
            if abs(stated - expected) > _PIXELS:
                message = (
                    f"the beam centre is {stated:.6g} pixels, and the axes give {expected:.6g}"
                )
                yield Fault(field.path, message, None, (panel.module.path,))


def _in_pixels(field: Field | None, side: float) -> float | None:
    value = field.scalar if field is not None else None
    if field is None or value is None:
        return None
    if field.units is None or scale_to(field.units, "pixel") == 1:
        return value
    scale = scale_to(field.units, "mm")
    return None if scale is None or side == 0 else value * scale / side


@check("NXMX-DET-010")
def downstream(scope: Scope) -> Iterator[Fault]:
    """The detector is behind the sample."""
    for detector in scope.detectors:
        known = panels(scope, detector)
        if known is None or is_turned(scope, detector):
            continue
        centres = np.array([panel.corners.mean(axis=0) for panel in known])
        if float(centres[:, 2].mean()) < -1e-6:
            message = (
                f"the detector is at z = {centres[:, 2].mean():.6g} mm, before the sample; the "
                "beam goes along +z"
            )
            yield Fault(_nearest_axis(scope, known[0].module, detector), message)
        elif (
            np.mean([abs(panel.normal[2]) for panel in known]) < 0.05
            and abs(float(centres[:, 2].mean())) > 1e-6
        ):
            yield Fault(known[0].module.path, "the beam meets the panel edge-on")


def _nearest_axis(scope: Scope, module: Group, detector: Group) -> str:
    """The translation along the beam of a module's chain."""
    fast = module.field("fast_pixel_direction")
    for step in scope.axis_chain(fast).steps if fast is not None else ():
        vector, values = step.axis.numbers("vector"), step.axis.flat
        if step.axis.text("transformation_type") != "translation" or vector is None:
            continue
        is_moved = values is not None and values.size > 0 and values[0] != 0
        if vector.size == 3 and abs(vector[2]) > 0.5 and is_moved:
            return step.path
    return detector.path


@check("NXMX-MOD-012")
def overlap(scope: Scope) -> Iterator[Fault]:
    """Modules do not overlap in space."""
    for detector in scope.detectors:
        known = panels(scope, detector)
        if known is None or len(known) < 2:
            continue
        yield from _overlapping(known)


def _overlapping(known: list[Panel]) -> Iterator[Fault]:
    corners = np.array([panel.corners for panel in known])
    low, high = corners.min(axis=1), corners.max(axis=1)
    side = float(min(np.linalg.norm(known[0].fast), np.linalg.norm(known[0].slow)))
    told = 0
    for k in range(len(known) - 1):
        shared = np.minimum(high[k + 1 :], high[k]) - np.maximum(low[k + 1 :], low[k])
        # What two panels share is an area, so that it is wide along two of the three axes.
        near = np.all(shared > -side, axis=1) & (np.sum(shared > side / 2, axis=1) >= 2)
        for j in np.nonzero(near)[0] + k + 1:
            a, b = known[k], known[int(j)]
            # What lies in the same place altogether is for NXMX-MOD-009.
            same = np.allclose(a.corner, b.corner, atol=1e-5) and np.allclose(a.fast, b.fast)
            if not same and _share(a, b) > _SHARED and told < _MOST:
                told += 1
                message = f"the module covers {_share(a, b):.3g} pixels of {a.module.name} in space"
                path = f"{b.module.path}/fast_pixel_direction"
                yield Fault(path, message, None, (a.module.path,))


def _share(a: Panel, b: Panel) -> float:
    """How deep two panels in one plane lie in each other, in pixels; 0 if they do not."""
    side = float(min(np.linalg.norm(a.fast), np.linalg.norm(a.slow)))
    away = np.abs((b.corners - a.corner) @ a.normal)
    if float(away.max()) > side:
        return 0.0
    depth = np.inf
    for axis in (a.fast, a.slow, b.fast, b.slow):
        unit = axis / np.linalg.norm(axis)
        first, second = a.corners @ unit, b.corners @ unit
        depth = min(depth, first.max() - second.min(), second.max() - first.min())
    return float(max(0.0, depth / side))
