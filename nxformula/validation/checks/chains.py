"""Rules of axes and of the chains that they make: NXMX-CHN."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.metadata.nodes import Field, Group
from nxformula.validation.chains import Chain, find_target, is_angle, scale_to
from nxformula.validation.scope import MODULE_AXES, Fault, Scope, check, module_axes
from nxformula.validation.spelling import nearest

TYPES: Final = ("translation", "rotation")
#: How far a vector may be from unit length.
_UNIT: Final = 1e-3


@check("NXMX-CHN-001")
def targets(scope: Scope) -> Iterator[Fault]:
    """Every depends_on names a field."""
    for axis in scope.tree.fields_below(scope.entry):
        text = axis.attributes.get("depends_on")
        if text is not None:
            yield from _target(scope, axis.path, axis, axis.text("depends_on"), "depends_on")
    for group in scope.all_groups():
        field = group.field("depends_on")
        if field is not None:
            yield from _target(scope, field.path, field, field.words, None)


def _target(
    scope: Scope, path: str, node: Field, text: str | None, attribute: str | None
) -> Iterator[Fault]:
    if text is None:
        yield Fault(path, "depends_on is not a text; expected a path or '.'", attribute)
        return
    if text.strip() == ".":
        return
    if not text.strip():
        yield Fault(path, "depends_on is empty; expected a path or '.'", attribute)
        return
    found = [find_target(scope.tree, node, text, place) for place in scope.tree.places(node)]
    known = [target for target in found if target is not None]
    if not known:
        yield Fault(path, f"depends_on is {text!r}, and there is no such object", attribute)
    elif all(isinstance(target, Group) for target in known):
        nx_class = scope.tree.class_of(known[0]) if isinstance(known[0], Group) else None
        if nx_class not in ("NXlog", "NXcoordinate_system", "NXpositioner"):
            yield Fault(path, f"depends_on is {text!r}, a group; expected an axis", attribute)
    elif isinstance(known[0], Field) and not known[0].is_numeric:
        yield Fault(path, f"depends_on is {text!r}, which holds no numbers", attribute)


def starts(scope: Scope) -> Iterator[Chain]:
    """All chains of an entry, those of groups first."""
    for group in scope.all_groups():
        chain = scope.chain(group)
        if chain is not None:
            yield chain
    for axis in scope.axes:
        yield scope.axis_chain(axis)


@check("NXMX-CHN-002")
def cycles(scope: Scope) -> Iterator[Fault]:
    """Chains end."""
    seen: set[int] = set()
    for chain in starts(scope):
        if chain.fault != "cycle":
            continue
        members = {id(axis.attributes) for axis in chain.axes}
        if members & seen:
            continue
        seen |= members
        names = " -> ".join([*(path.rsplit("/", 1)[-1] for path in chain.paths[:6])])
        message = f"depends_on leads in a circle: {names} -> {chain.target.rsplit('/', 1)[-1]}"
        yield Fault(chain.at, message, "depends_on", tuple(chain.paths[:-1][:20]))


@check("NXMX-CHN-003")
def complete(scope: Scope) -> Iterator[Fault]:
    """Axes have all their attributes."""
    for axis in scope.axes:
        for name in ("transformation_type", "vector"):
            if name in axis.attributes or (name == "transformation_type" and _misnamed(axis)):
                continue
            message = f"the axis has no attribute {name!r}"
            used = id(axis.attributes) in scope.used_axes
            yield Fault(axis.path, message, name, severity="error" if used else "warning")
        if "depends_on" not in axis.attributes:
            message = "the axis has no attribute 'depends_on'; readers take it for '.'"
            level = "error" if _is_of_module(scope, axis) else "warning"
            yield Fault(axis.path, message, "depends_on", severity=level)


def _is_of_module(scope: Scope, axis: Field) -> bool:
    parent = scope.tree.parent(axis)
    return axis.name in MODULE_AXES and scope.tree.class_of(parent) == "NXdetector_module"


def _misnamed(axis: Field) -> str | None:
    """An attribute that must mean transformation_type."""
    known = (nearest(name, ["transformation_type"]) and name for name in axis.attributes)
    found = [name for name in known if name and name != "transformation_type"]
    if found:
        return found[0]
    other = [name for name in ("translation_type", "type") if axis.text(name) in TYPES]
    return other[0] if other else None


@check("NXMX-CHN-004")
def types(scope: Scope) -> Iterator[Fault]:
    """An axis is a translation or a rotation."""
    for axis in scope.axes:
        other = _misnamed(axis)
        if "transformation_type" not in axis.attributes:
            if other is not None:
                message = f"the attribute {other!r} should be 'transformation_type'"
                yield Fault(axis.path, message, other)
            continue
        stated = axis.text("transformation_type")
        if _is_of_module(scope, axis) and stated == "rotation":
            message = "transformation_type is 'rotation'; that of a module is 'translation'"
            yield Fault(axis.path, message, "transformation_type")
        if stated in TYPES:
            continue
        hint = nearest(stated or "", TYPES)
        text = f"; did you mean {hint!r}?" if hint else ""
        shown = repr(stated[:60]) if stated is not None else "not a text"
        message = f"transformation_type is {shown}; expected 'translation' or 'rotation'{text}"
        yield Fault(axis.path, message, "transformation_type")


@check("NXMX-CHN-005")
def vectors(scope: Scope) -> Iterator[Fault]:
    """A vector has three finite numbers, not all zero."""
    for axis in scope.axes:
        if "vector" not in axis.attributes:
            continue
        vector = axis.numbers("vector")
        fault = _vector_fault(vector)
        if fault is None or (fault == _ZERO and _is_no_shift(axis)):
            continue
        yield Fault(axis.path, f"vector {fault}; expected three numbers, not all zero", "vector")


_ZERO: Final = "is (0, 0, 0)"


def _vector_fault(vector: Array | None) -> str | None:
    if vector is None:
        return "holds no numbers"
    if vector.size != 3:
        return f"has {vector.size} numbers"
    if not np.all(np.isfinite(vector)):
        return f"is {shown(vector)}"
    return _ZERO if not np.any(vector) else None


def _is_no_shift(axis: Field) -> bool:
    """Whether the direction does not matter, because there is no way to go."""
    values = axis.flat
    is_shift = axis.text("transformation_type") == "translation"
    return is_shift and values is not None and not np.any(values)


def shown(values: Array) -> str:
    """Numbers for a message."""
    return f"({', '.join(f'{value:.6g}' for value in values[:8])})"


@check("NXMX-CHN-006")
def unit_length(scope: Scope) -> Iterator[Fault]:
    """A vector has the length 1."""
    for axis in scope.axes:
        vector = axis.numbers("vector")
        if _vector_fault(vector) is not None or _is_no_shift(axis):
            continue
        assert vector is not None
        length = float(np.linalg.norm(vector))
        if abs(length - 1) <= _UNIT or _is_displacement(axis):
            continue
        message = f"vector {shown(vector)} has the length {length:.6g}; expected 1"
        yield Fault(axis.path, message, "vector")


def _is_displacement(axis: Field) -> bool:
    """The value 1 with the displacement as vector: readers multiply, so the meaning survives."""
    values = axis.flat
    return axis.name == "module_offset" and values is not None and bool(np.all(values == 1))


@check("NXMX-CHN-007")
def units(scope: Scope) -> Iterator[Fault]:
    """Units of an axis fit its type."""
    for axis in scope.axes:
        kind = axis.text("transformation_type")
        if kind not in TYPES:
            continue
        kind = "translation" if _is_of_module(scope, axis) else kind
        expected = "an angle" if kind == "rotation" else "a length"
        text = axis.units
        if text is None:
            yield Fault(axis.path, f"the {kind} has no units; expected {expected}", "units")
        elif not (is_angle(text) if kind == "rotation" else scale_to(text, "m")):
            message = f"units of the {kind} are {text!r}; expected {expected}"
            yield Fault(axis.path, message, "units")


@check("NXMX-CHN-008")
def offsets(scope: Scope) -> Iterator[Fault]:
    """An offset has three finite numbers and units of length."""
    for axis in scope.axes:
        stated = axis.text("offset_units")
        if "offset_units" in axis.attributes and not scale_to(stated, "m"):
            message = f"offset_units are {stated!r}; expected a length"
            yield Fault(axis.path, message, "offset_units")
        if "offset" not in axis.attributes:
            continue
        offset = axis.numbers("offset")
        if offset is None or offset.size != 3 or not np.all(np.isfinite(offset)):
            text = "no numbers" if offset is None else shown(offset)
            yield Fault(axis.path, f"offset is {text}; expected three numbers", "offset")
        elif np.any(offset) and "offset_units" not in axis.attributes:
            if axis.text("transformation_type") == "translation":
                taken = f"readers take those of the axis, {axis.units!r}"
            else:
                taken = "those of a rotation are no length"
            message = f"offset {shown(offset)} has no offset_units; {taken}"
            yield Fault(axis.path, message, "offset", severity="warning")


@check("NXMX-CHN-013")
def components(scope: Scope) -> Iterator[Fault]:
    """Labels of components are together along a chain."""
    seen: set[str] = set()
    for module in scope.modules:
        axes = module_axes(module)
        start = axes.get("fast_pixel_direction")
        if start is None:
            continue
        chain = scope.axis_chain(start)
        labels = [(step.path, step.axis.text("equipment_component")) for step in chain.steps]
        yield from _split_labels(labels, seen)


def _split_labels(labels: list[tuple[str, str | None]], seen: set[str]) -> Iterator[Fault]:
    runs: list[tuple[str, str]] = []
    for path, label in labels:
        if label is None:
            continue
        if not runs or runs[-1][0] != label:
            runs.append((label, path))
    names = [label for label, _ in runs]
    for k, (label, path) in enumerate(runs):
        if label in names[k + 1 :] and path not in seen:
            seen.add(path)
            other = runs[names.index(label, k + 1)][1]
            message = f"equipment_component {label!r} comes again at {other}, with others between"
            yield Fault(path, message, "equipment_component", (other,))
            return


@check("NXMX-CHN-014")
def unused(scope: Scope) -> Iterator[Fault]:
    """A detector that depends on an axis outside the chains of its modules."""
    for detector in scope.detectors:
        chain = scope.chain(detector)
        modules = scope.modules_of(detector)
        if chain is None or chain.fault or not chain.steps or not modules:
            continue
        used: set[int] = set()
        for module in modules:
            for axis in module_axes(module).values():
                module_chain = scope.axis_chain(axis)
                if module_chain.fault:
                    return
                used |= {id(a.attributes) for a in module_chain.axes}
        if used and id(chain.axes[0].attributes) not in used:
            message = f"depends_on is {chain.paths[0]}, which no module depends on"
            yield Fault(f"{detector.path}/depends_on", message)
