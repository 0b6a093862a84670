"""Rules of images, and of how many frames there are: NXMX-DAT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from nxformula.nexus.event_index import FIELDS as EVENT_FIELDS
from nxformula.nexus.event_index import GROUP as EVENT_INDEX
from nxformula.nexus.event_index import LANGUAGE_ATTRIBUTE as EVENTS_LANGUAGE
from nxformula.nexus.metadata.nodes import Broken, Field, Group
from nxformula.validation.checks.beam import weights_of
from nxformula.validation.scope import Fault, Scope, check


@check("NXMX-DAT-001")
def has_images(scope: Scope) -> Iterator[Fault]:
    """NXdata has images."""
    groups = scope.data_groups
    if not groups or scope.parts:
        return
    candidates = [group for group in groups if _image_in(group) is not None]
    if not candidates:
        if any(has_event_index(d) and "data" not in d.members for d in scope.detectors):
            # The images are joined by the table, without a dataset of their own.
            return
        if len(scope.detectors) > 1 and all("data" in d.members for d in scope.detectors):
            return
        message = "no image data: expected 'data', the signal, or 'data_000001' and so on"
        yield Fault(groups[0].path, message)
        return
    for group in candidates:
        node = _image_in(group)
        if isinstance(node, Field) and node.name in ("data", group.text("signal")):
            yield from _image_form(node)
            return


def has_event_index(group: Group) -> bool:
    """Whether a group has a table that joins the frames of many recorders."""
    return bool(joined_fields(group))


def joined_fields(group: Group) -> tuple[str, ...]:
    """The fields that a table beside them joins from the frames of many recorders."""
    table = group.members.get(EVENT_INDEX)
    if not isinstance(table, Group) or EVENTS_LANGUAGE not in table.attributes:
        return ()
    named = table.attributes.get(EVENT_FIELDS)
    if isinstance(named, list):
        return tuple(str(name) for name in named)
    return (named if isinstance(named, str) else "data",)


def _image_in(group: Group) -> Field | Broken | None:
    for name in ("data", group.text("signal")):
        node = group.members.get(name) if name else None
        if isinstance(node, Broken | Field):
            return node
    named = [node for node in group.fields() if len(node.shape or ()) >= 3]
    return named[0] if named else None


def _image_form(field: Field) -> Iterator[Fault]:
    if not field.is_numeric:
        yield Fault(field.path, f"the images hold {field.dtype}; expected numbers")
    elif field.shape is None or len(field.shape) not in (3, 4):
        shape = "none" if field.shape is None else str(list(field.shape))
        message = f"the shape is {shape}; expected frames, and two or three dimensions of images"
        yield Fault(field.path, message)
    elif 0 in field.shape[1:]:
        yield Fault(field.path, f"the shape is {list(field.shape)}: there are no pixels")


@check("NXMX-DAT-002")
def plottable(scope: Scope) -> Iterator[Fault]:
    """Signal and axes of NXdata are there, and fit."""
    for group in scope.all("NXdata"):
        signal = group.attributes.get("signal")
        name = group.text("signal")
        if signal is not None and (name is None or name not in group.members):
            shown = repr(name[:60]) if name is not None else "no text"
            yield Fault(group.path, f"signal is {shown}, and there is no such field", "signal")
            continue
        if name is not None or "data" in group.members:
            yield from _axes(group, name or "data")


def _axes(group: Group, signal: str) -> Iterator[Fault]:
    image = group.field(signal)
    stated = group.attributes.get("axes")
    if stated is None:
        return
    names = [stated] if isinstance(stated, str) else stated
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield Fault(group.path, "axes is no list of names", "axes", severity="warning")
        return
    shape = image.shape if image is not None else None
    for k, name in enumerate(names):
        if name == ".":
            continue
        if name not in group.members:
            message = f"axes has {name!r}, and there is no such field"
            yield Fault(group.path, message, "axes", severity="warning")
            continue
        axis = group.field(name)
        if axis is None or shape is None or axis.shape is None:
            continue
        yield from _axis_length(group, axis, name, k, shape)


def _axis_length(
    group: Group, axis: Field, name: str, k: int, shape: tuple[int, ...]
) -> Iterator[Fault]:
    indices = group.numbers(f"{name}_indices")
    is_one = indices is not None and indices.size == 1 and np.isfinite(indices[0])
    dimension = int(indices[0]) if indices is not None and is_one else k
    if not 0 <= dimension < len(shape):
        message = f"{name}_indices is {dimension}, and the signal has {len(shape)} dimensions"
        yield Fault(group.path, message, f"{name}_indices", severity="warning")
        return
    # What varies with the frames is for NXMX-DAT-004.
    if dimension == 0 or axis.shape is None or len(axis.shape) != 1:
        return
    if axis.size not in (shape[dimension], shape[dimension] + 1):
        message = f"{axis.size} values, and dimension {dimension} has {shape[dimension]}"
        yield Fault(f"{group.path}/{name}", message, severity="warning")


@check("NXMX-DAT-003")
def same_images(scope: Scope) -> Iterator[Fault]:
    """NXdata and NXdetector show the same images."""
    shown = scope.shown_image
    if len(scope.detectors) != 1 or shown is None:
        return
    own = scope.detectors[0].field("data")
    if own is None or own.attributes is shown.attributes or own.shape is None:
        return
    if own.shape != shown.shape:
        message = f"the shape is {list(own.shape)}, and {shown.path} has {list(shown.shape or ())}"
        yield Fault(own.path, message, None, (shown.path,))


@check("NXMX-DAT-004")
def counts(scope: Scope) -> Iterator[Fault]:
    """What there is for each frame is there as often as frames are."""
    frames = scope.frames
    if frames is None:
        return
    for path, count in _per_frame(scope, frames):
        if count not in (1, frames):
            message = f"{count} values, and there are {frames} frames"
            image = scope.shown_image
            yield Fault(path, message, None, (image.path,) if image is not None else ())


def _per_frame(scope: Scope, frames: int) -> Iterator[tuple[str, int]]:
    """What may be there for each frame, and how often it is."""
    fields = [axis for axis in scope.axes if id(axis.attributes) in scope.used_axes]
    for beam in scope.beams:
        fields += _of_beam(beam)
    yield from ((f.path, f.shape[0]) for f in fields if f.shape is not None and len(f.shape) == 1)
    for beam in scope.beams:
        stokes = [f for f in map(beam.field, _STOKES) if f is not None]
        yield from ((f.path, f.shape[0]) for f in stokes if f.shape and len(f.shape) == 2)
    for detector in scope.detectors:
        mask, image = detector.field("pixel_mask"), scope.image_shape(detector)
        if mask is None or not mask.shape or image is None:
            continue
        if len(mask.shape) == len(image) + 1:
            yield mask.path, mask.shape[0]


def _of_beam(beam: Group) -> list[Field]:
    """Values of a beam that are one for each frame, if they are not one for each wavelength."""
    if weights_of(beam) is not None:
        return []
    return [field for field in map(beam.field, _BEAM) if field is not None]


_STOKES: Final = ("incident_polarization_stokes", "incident_polarisation_stokes")
_BEAM: Final = ("incident_wavelength", "incident_wavelength_spread", "total_flux", "flux")


@check("NXMX-DAT-005")
def scaling(scope: Scope) -> Iterator[Fault]:
    """Scaling factor and offset fit the images."""
    for group in (*scope.data_groups, *scope.detectors):
        for name in ("data_scaling_factor", "data_offset"):
            field = group.field(name)
            image = group.field("data") or scope.shown_image
            if field is None or field.shape is None or image is None or image.shape is None:
                continue
            shape = image.shape
            allowed = [(), (1,), shape[1:], (shape[0], 1), (shape[0],), shape]
            if field.shape not in allowed:
                message = f"the shape is {list(field.shape)}, and the images have {list(shape)}"
                yield Fault(field.path, message)
            elif field.flat is not None and not np.all(np.isfinite(field.flat)):
                yield Fault(field.path, "some values are no finite numbers")


@check("NXMX-DAT-006")
def for_dials(scope: Scope) -> Iterator[Fault]:
    """DIALS reads unsigned 32 and 64 bits only as 32 bits."""
    for detector in scope.detectors:
        image = scope.image(detector)
        if image is None or image.dtype not in ("uint32", "uint64", "int64"):
            continue
        field = detector.field("bit_depth_readout")
        if field is None and isinstance(detector.members.get("bit_depth_readout"), Broken):
            continue
        depth = field.scalar if field is not None else None
        if depth != 32 and (field is None or field.value is not None):
            has = "no bit_depth_readout" if field is None else f"bit_depth_readout {depth:g}"
            message = f"the images hold {image.dtype}, and the detector has {has}; DIALS wants 32"
            yield Fault(image.path, message, None, (field.path,) if field is not None else ())


@check("NXMX-DAT-007")
def part_numbers(scope: Scope) -> Iterator[Fault]:
    """Parts of a stack follow one another, and have images of one shape."""
    parts = scope.parts
    numbers = [int(part.name[-6:]) for part in parts]
    if parts and numbers != list(range(1, len(parts) + 1)):
        missing = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        if missing:
            message = f"data_{missing[0]:06d} is missing"
            yield Fault(scope.tree.parent(parts[0]).path, message)
    shapes = {part.shape[1:] for part in parts if isinstance(part, Field) and part.shape}
    if len(shapes) > 1:
        last = next(p for p in reversed(parts) if isinstance(p, Field))
        message = f"images of different shapes: {sorted(map(list, shapes))}"
        yield Fault(last.path, message)
