"""Rules of detectors and their pixels: NXMX-DET."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from nxformula.nexus.metadata.nodes import Broken, Field, Group
from nxformula.validation.chains import scale_to
from nxformula.validation.scope import Fault, Scope, check
from nxformula.validation.spelling import nearest

#: Bits of a pixel mask without a meaning; those from 16 on are used by some detectors.
_UNDEFINED: Final = (1 << 5) | (1 << 7) | 0xFE00
_VENDOR: Final = 0x7FFF0000
_MASK_BITS: Final = 32
#: Images of one correction each.
FLATFIELDS: Final = ("flatfield", "flatfield_errors", "angular_calibration")
_READOUT: Final = 0.01


def masks(detector: Group) -> list[Field]:
    """The pixel masks of a detector."""
    return [
        field
        for field in detector.fields()
        if field.name == "pixel_mask"
        or (field.name.startswith("pixel_mask_") and field.name[11:].isdigit())
    ]


@check("NXMX-DET-001")
def mask_shape(scope: Scope) -> Iterator[Fault]:
    """A pixel mask has the shape of an image."""
    for detector in scope.detectors:
        shape = _other_shape(scope, detector)
        for mask in masks(detector):
            yield from _mask_form(scope, mask, shape)


def _other_shape(scope: Scope, detector: Group) -> tuple[int, ...] | None:
    """The shape of images, where something else than the mask says it."""
    if scope.image(detector) is None and not scope.parts:
        specific = detector.group("detectorSpecific")
        if specific is None or specific.field("y_pixels_in_detector") is None:
            return None
    found = scope.image_shape(detector)
    mask = detector.field("pixel_mask")
    if scope.image(detector) is None and mask is not None and found == mask.shape:
        return scope._stated_shape(detector)
    return found


def _mask_form(scope: Scope, mask: Field, shape: tuple[int, ...] | None) -> Iterator[Fault]:
    if mask.shape is None or (mask.is_numeric and not mask.is_integer and mask.dtype != "bool"):
        yield Fault(mask.path, f"the mask holds {mask.dtype}; expected integers of up to 32 bits")
        return
    if mask.is_integer and np.dtype(mask.dtype).itemsize * 8 > _MASK_BITS:
        message = f"the mask holds {mask.dtype}; expected integers of up to 32 bits"
        yield Fault(mask.path, message, severity="warning")
    if shape is None:
        return
    allowed = [shape, *([(scope.frames, *shape)] if scope.frames else [])]
    if mask.shape not in allowed:
        message = f"the shape is {list(mask.shape)}; images are {list(shape)}"
        yield Fault(mask.path, message)


@check("NXMX-DET-002")
def mask_bits(scope: Scope) -> Iterator[Fault]:
    """A pixel mask uses defined bits, and masks the few."""
    for detector in scope.detectors:
        for mask in masks(detector):
            found = mask.statistics if mask.is_integer or mask.dtype == "bool" else None
            if found is None:
                continue
            bits = int(found.bits) if mask.is_integer else int(found.nonzero > 0)
            if bits & _UNDEFINED:
                numbers = [k for k in range(16) if bits & _UNDEFINED & (1 << k)]
                yield Fault(mask.path, f"bits {numbers} of the mask have no meaning")
            if bits & _VENDOR:
                numbers = [k for k in range(16, 31) if bits & _VENDOR & (1 << k)]
                message = f"bits {numbers} of the mask have no meaning in NeXus"
                yield Fault(mask.path, message, severity="info")
            share = found.nonzero / mask.size
            if share == 1:
                yield Fault(mask.path, "every pixel is masked")
            elif share > 0.5 and bits == 1:
                message = (
                    f"{share:.0%} of the pixels are masked with 1; is 1 meant for good pixels?"
                )
                yield Fault(mask.path, message)


@check("NXMX-DET-003")
def flatfields(scope: Scope) -> Iterator[Fault]:
    """A flat field has the shape of an image and positive values."""
    for detector in scope.detectors:
        shape = scope.image_shape(detector)
        for name in FLATFIELDS:
            field = detector.field(name)
            if field is None or field.shape is None or not field.is_numeric:
                continue
            if shape is not None and field.shape != shape and field.size > 1:
                message = f"the shape is {list(field.shape)}; images are {list(shape)}"
                yield Fault(field.path, message)
            elif name == "flatfield" and np.dtype(field.dtype).kind == "f":
                yield from _flat_values(detector, field)


def _flat_values(detector: Group, field: Field) -> Iterator[Fault]:
    found = field.statistics
    if found is None:
        return
    mask = detector.field("pixel_mask")
    known = mask.statistics if mask is not None else None
    masked = known.nonzero if known is not None else 0
    if field.size - found.finite > masked:
        message = f"{field.size - found.finite} values are no finite numbers"
        yield Fault(field.path, message, severity="warning")
    elif found.least < 0 or field.size - found.nonzero > masked:
        message = f"the least value is {found.least:g}; expected more than 0 where not masked"
        yield Fault(field.path, message, severity="warning")


#: Names that were replaced, and what replaces them.
RENAMED: Final = {
    "flatfield_error": "flatfield_errors",
    "incident_wavelength_weight": "incident_wavelength_weights",
    "incident_polarisation_stokes": "incident_polarization_stokes",
}


@check("NXMX-DET-004")
def renamed(scope: Scope) -> Iterator[Fault]:
    """Names that were replaced."""
    for group in (*scope.detectors, *scope.all("NXbeam")):
        for old, new in RENAMED.items():
            if old in group.members:
                message = f"the name {old!r} was replaced by {new!r}"
                yield Fault(f"{group.path}/{old}", message, fix=f"Call it {new!r}.")


@check("NXMX-DET-005")
def saturation(scope: Scope) -> Iterator[Fault]:
    """The saturation value is there, and within the dtype of the images."""
    for detector in scope.detectors:
        upper = detector.field("saturation_value")
        if upper is None:
            if not any(nearest(name, ["saturation_value"]) for name in detector.members):
                message = "the detector has no saturation_value; readers take 2147483647"
                yield Fault(detector.path, message, severity="warning")
            continue
        high = upper.scalar
        if high is None:
            if upper.is_numeric and upper.value is not None:
                yield Fault(upper.path, f"{upper.size} values; expected one")
            continue
        yield from _beyond_dtype(scope, detector, upper, high)


def _beyond_dtype(scope: Scope, detector: Group, field: Field, high: float) -> Iterator[Fault]:
    image = scope.image(detector)
    if image is None or not image.is_integer:
        return
    if f"{image.name}_formula" in scope.tree.parent(image).members:
        return
    most = int(np.iinfo(image.dtype).max)
    if high > most:
        message = f"the saturation value {high:g} is beyond {image.dtype}, which ends at {most}"
        yield Fault(field.path, message, None, (image.path,), "warning")


@check("NXMX-DET-006")
def bit_depth(scope: Scope) -> Iterator[Fault]:
    """The bit depth is enough for the saturation value."""
    for detector in scope.detectors:
        field = detector.field("bit_depth_readout")
        depth = field.scalar if field is not None else None
        if field is None or depth is None or not field.is_integer:
            continue
        if not 1 <= depth <= 64:
            continue
        upper = detector.field("saturation_value")
        high = upper.scalar if upper is not None else None
        if high is not None and np.isfinite(high) and high >= 2.0**depth:
            needed = int(high).bit_length()
            message = f"{depth:g} bits, and the saturation value {high:g} needs {needed}"
            yield Fault(field.path, message, None, (upper.path,) if upper else ())


@check("NXMX-DET-007")
def times(scope: Scope) -> Iterator[Fault]:
    """A frame takes as long as counting and reading out together."""
    for detector in scope.detectors:
        named = ("count_time", "frame_time", "detector_readout_time")
        fields = {name: detector.field(name) for name in named}
        known = {name: seconds(field) for name, field in fields.items()}
        count, frame, readout = (known[name] for name in named)
        if count is None or frame is None or fields["count_time"] is None:
            continue
        related = (f"{detector.path}/frame_time",)
        if not 0 < count <= frame or readout is None or readout < 0:
            continue
        if abs(count + readout - frame) > _READOUT * frame:
            message = (
                f"count time {count:g} s and readout time {readout:g} s make "
                f"{count + readout:g} s, and the frame time is {frame:g} s"
            )
            yield Fault(fields["count_time"].path, message, None, related)


def seconds(field: Field | None) -> float | None:
    """A time in seconds."""
    value = field.scalar if field is not None else None
    scale = scale_to(field.units, "s") if field is not None else None
    return None if value is None or scale is None else value * scale


@check("NXMX-DET-011")
def groups(scope: Scope) -> Iterator[Fault]:
    """A detector group is a tree whose leaves are detectors."""
    for group in scope.all("NXdetector_group"):
        names = group.field("group_names")
        index, parent = (group.field(f"group_{name}") for name in ("index", "parent"))
        if names is None or index is None or parent is None:
            continue
        listed = names.value if isinstance(names.value, list) else [names.words or ""]
        numbers, above = _whole(index), _whole(parent)
        if numbers is None or above is None:
            continue
        lengths = [len(listed), len(numbers), len(above)]
        if len(set(lengths)) > 1:
            usual = max(set(lengths), key=lengths.count)
            each = zip((names, index, parent), lengths, strict=True)
            field = next(f for f, n in each if n != usual or lengths.count(usual) == 1)
            message = f"group_names, group_index and group_parent have {lengths} values"
            yield Fault(field.path, message)
            continue
        yield from _group_tree(scope, group, listed, numbers, above)


def _whole(field: Field) -> list[int] | None:
    if not field.is_integer or field.value is None:
        return None
    return [int(value) for value in np.asarray(field.value).reshape(-1)]


def _group_tree(
    scope: Scope, group: Group, names: list[str], numbers: list[int], above: list[int]
) -> Iterator[Fault]:
    if len(set(numbers)) < len(numbers) or min(numbers, default=1) < 1:
        message = f"group_index is {numbers[:16]}; expected different numbers above 0"
        yield Fault(f"{group.path}/group_index", message)
        return
    lost = [p for p in above if p != -1 and p not in numbers]
    if lost:
        message = f"group_parent has {lost[0]}, which is -1 nor one of group_index"
        yield Fault(f"{group.path}/group_parent", message)
        return
    if _has_cycle(dict(zip(numbers, above, strict=True))):
        yield Fault(f"{group.path}/group_parent", "the parents lead in a circle")
        return
    leaves = [n for n, k in zip(names, numbers, strict=True) if k not in above]
    known = {detector.name for detector in scope.detectors}
    unknown = [name for name in leaves if name not in known and name.strip() not in known]
    modules = {module.name for module in scope.modules}
    unknown = [name for name in unknown if name not in modules]
    if unknown and known:
        message = f"group_names has {unknown[0]!r}, and there is no such detector"
        yield Fault(f"{group.path}/group_names", message, severity="warning")


def _has_cycle(parents: dict[int, int]) -> bool:
    for start in parents:
        here, steps = start, 0
        while here in parents:
            here, steps = parents[here], steps + 1
            if steps > len(parents):
                return True
    return False


@check("NXMX-DET-012")
def unreached(scope: Scope) -> Iterator[Fault]:
    """Fields that are links to another file which is not followed."""
    for detector in scope.detectors:
        named = ("underload_value", "saturation_value", "sensor_thickness", "threshold_energy")
        for name in named:
            node = detector.members.get(name)
            if isinstance(node, Broken) and node.kind == "not followed":
                message = f"not checked, because it is in {node.link}"
                yield Fault(node.path, message)


@check("NXMX-DET-013")
def threshold(scope: Scope) -> Iterator[Fault]:
    """The threshold lies below the photon energy."""
    for detector in scope.detectors:
        field = detector.field("threshold_energy")
        value = field.scalar if field is not None else None
        scale = scale_to(field.units, "eV") if field is not None else None
        energy, source = photon_energy(scope)
        if field is None or value is None or scale is None or energy is None:
            continue
        if value * scale >= energy:
            message = f"{value * scale:g} eV is not below the photon energy, {energy:.6g} eV"
            yield Fault(field.path, message, None, (source,))


def photon_energy(scope: Scope) -> tuple[float | None, str]:
    """Energy of a photon in eV by the only wavelength, and where that is."""
    for beam in scope.beams:
        field = beam.field("incident_wavelength")
        value = field.scalar if field is not None else None
        scale = scale_to(field.units, "angstrom") if field is not None else None
        if field is not None and value is not None and scale is not None and value * scale > 0:
            return 12398.419843320026 / (value * scale), field.path
    return None, ""
