"""Rules of axes that move while frames are taken: NXMX-CHN-009 to 012, 015."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.metadata.nodes import Field
from nxformula.validation.chains import scale_to
from nxformula.validation.scope import Fault, Scope, check

#: How far steps of a scan may differ.
_STEP: Final = 0.1


@check("NXMX-CHN-009")
def one_scan(scope: Scope) -> Iterator[Fault]:
    """At most one rotation of a sample varies."""
    for sample in scope.samples:
        chain = scope.chain(sample)
        if chain is None or chain.fault is not None:
            continue
        varying = [
            step.path
            for step in chain.steps
            if step.axis.text("transformation_type") == "rotation" and varies(step.axis)
        ]
        if len(varying) > 1:
            names = ", ".join(path.rsplit("/", 1)[-1] for path in varying)
            message = f"{len(varying)} rotations vary: {names}; DIALS reads one scan axis"
            yield Fault(varying[0], message, related=tuple(varying[1:]))


def varies(axis: Field) -> bool:
    """Whether the positions of an axis differ."""
    values = axis.flat
    return values is not None and values.size > 1 and bool(np.any(values != values[0]))


@check("NXMX-CHN-010")
def partners(scope: Scope) -> Iterator[Fault]:
    """AXIS_end and AXIS_increment_set fit their axis."""
    for axis in scope.axes:
        for place in (axis.path, *scope.tree.places(axis)):
            group = scope.tree.parent(_placed(scope, place))
            end = group.field(f"{axis.name}_end")
            step = group.field(f"{axis.name}_increment_set")
            if end is not None or step is not None:
                yield from _partners(axis, end, step)
                break
        else:
            yield from _steps(axis)


def _placed(scope: Scope, path: str) -> Field:
    node = scope.tree.get(path)
    assert isinstance(node, Field)
    return node


def _partners(axis: Field, end: Field | None, step: Field | None) -> Iterator[Fault]:
    for field in (end, step):
        if field is None:
            continue
        if field.units is None and axis.units is not None:
            message = f"{field.name} has no units; those of {axis.name} are {axis.units!r}"
            yield Fault(field.path, message, "units", (axis.path,))
        elif field.units != axis.units and scale_to(field.units, axis.units or "") != 1:
            message = f"units are {field.units!r}, and those of {axis.name} are {axis.units!r}"
            yield Fault(field.path, message, "units", (axis.path,))
            return
        if field.size not in (1, axis.size):
            message = f"{field.size} values, and {axis.name} has {axis.size}"
            yield Fault(field.path, message, None, (axis.path,))
            return
    yield from _end_fault(axis, end, step)
    yield from _steps(axis)


def _end_fault(axis: Field, end: Field | None, step: Field | None) -> Iterator[Fault]:
    begin, stop = axis.flat, end.flat if end is not None else None
    width = step.flat if step is not None else None
    if begin is None or not begin.size:
        return
    usual = _usual_step(begin, width)
    if stop is not None and end is not None and width is not None:
        off = np.abs(begin + width - stop) > _STEP * np.maximum(np.abs(width), abs(usual)) + 1e-9
        if np.any(off) or np.any(~np.isfinite(stop)):
            k = int(np.argmax(off | ~np.isfinite(stop + begin * 0)))
            message = (
                f"{end.name}[{k}] is {stop[min(k, stop.size - 1)]:.6g}; expected "
                f"{begin[min(k, begin.size - 1)]:.6g} + {width[min(k, width.size - 1)]:.6g}"
            )
            yield Fault(end.path, message, None, (axis.path,))
            return
    if stop is None or end is None or begin.size < 2 or stop.size != begin.size or not usual:
        return
    gap = np.abs(begin[1:] - stop[:-1]) > _STEP * abs(usual) + 1e-9
    if np.any(gap) and width is None:
        k = int(np.argmax(gap))
        message = (
            f"{end.name}[{k}] is {stop[k]:.6g}, and the next frame begins at {begin[k + 1]:.6g}"
        )
        yield Fault(end.path, message, None, (axis.path,))


def _usual_step(begin: Array, width: Array | None) -> float:
    if width is not None and width.size:
        return float(np.median(width))
    return float(np.median(np.diff(begin))) if begin.size > 1 else 0.0


def _steps(axis: Field) -> Iterator[Fault]:
    """Steps of a scan that differ from the others."""
    begin = axis.flat
    if begin is None or begin.size < 3 or axis.text("transformation_type") != "rotation":
        return
    steps = np.diff(begin)
    usual = float(np.median(steps))
    if not np.all(np.isfinite(begin)) or usual == 0:
        return
    off = np.abs(steps - usual) > _STEP * abs(usual) + 1e-9
    if not np.any(off) or np.mean(off) > 0.5:
        return
    k = int(np.argmax(off))
    message = (
        f"the step from {axis.name}[{k}] to [{k + 1}] is {steps[k]:.6g}, and the others are "
        f"{usual:.6g}"
    )
    yield Fault(axis.path, message)


@check("NXMX-CHN-011")
def still(scope: Scope) -> Iterator[Fault]:
    """A sample that a scan rotates says so."""
    for sample in scope.samples:
        field = sample.field("depends_on")
        if field is None or (field.words or "").strip() != ".":
            continue
        groups = scope.tree.members(sample, "NXtransformations")
        varying = [
            axis.path
            for group in groups
            for axis in group.fields()
            if axis.text("transformation_type") == "rotation" and varies(axis)
        ]
        if varying:
            name = varying[0].rsplit("/", 1)[-1]
            message = f"depends_on is '.', so the scan of {name} is read as stills"
            yield Fault(field.path, message, None, tuple(varying))


@check("NXMX-CHN-012")
def backwards(scope: Scope) -> Iterator[Fault]:
    """A scan whose angle falls."""
    for sample in scope.samples:
        chain = scope.chain(sample)
        for step in chain.steps if chain else ():
            values = step.axis.flat
            is_rotation = step.axis.text("transformation_type") == "rotation"
            if is_rotation and values is not None and values.size > 1:
                usual = float(np.median(np.diff(values)))
                if usual < 0:
                    message = f"the angle falls by {-usual:.6g} a frame; DIALS turns axis and angle"
                    yield Fault(step.path, message)


@check("NXMX-CHN-015")
def finite(scope: Scope) -> Iterator[Fault]:
    """Positions of axes are finite numbers."""
    for axis in scope.axes:
        values = axis.flat
        if values is None:
            if axis.is_text and id(axis.attributes) in scope.used_axes:
                yield Fault(axis.path, "the axis holds text; expected numbers")
            continue
        wrong = ~np.isfinite(values)
        if np.any(wrong):
            k = int(np.argmax(wrong))
            message = (
                f"{int(wrong.sum())} of {values.size} positions are no finite numbers, the first "
                f"at [{k}]: {values[k]}"
            )
            yield Fault(axis.path, message)
