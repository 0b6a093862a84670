"""Rules of detector modules: NXMX-MOD."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.metadata.nodes import Field, Group
from nxformula.validation.chains import scale_to
from nxformula.validation.scope import Fault, Scope, check

#: Cosines between the directions: silent below the first, wrong above the second.
_SLANT, _WRONG = 1e-3, 0.02
#: Usual sides of pixels, in metres.
_SMALL, _LARGE = 1e-6, 1e-3
#: What DIALS knows as a sensor.
MATERIALS: Final = ("Si", "Silicon", "CdTe", "GaAs")


@dataclass(frozen=True, slots=True)
class Slab:
    """The part of an image that a module is."""

    module: Group
    origin: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def last(self) -> tuple[int, ...]:
        """The last element along each dimension."""
        each = zip(self.origin, self.size, self.stride, strict=True)
        return tuple(o + (n - 1) * s for o, n, s in each)


def slab_of(module: Group) -> Slab | None:
    """The part of a module; None where it does not say."""
    origin, size = (_integers(module.field(name)) for name in ("data_origin", "data_size"))
    if origin is None or size is None or len(origin) != len(size):
        return None
    stride = _integers(module.field("data_stride")) or (1,) * len(origin)
    if len(stride) != len(origin) or min(origin) < 0 or min(size) < 1 or min(stride) < 1:
        return None
    return Slab(module, origin, size, stride)


def _integers(field: Field | None) -> tuple[int, ...] | None:
    if field is None or not field.is_integer or field.value is None or not field.size:
        return None
    return tuple(int(value) for value in np.asarray(field.value).reshape(-1))


@check("NXMX-MOD-001")
def forms(scope: Scope) -> Iterator[Fault]:
    """Origin, size and stride are lists of integers of one length."""
    for detector in scope.detectors:
        shape = scope.image_shape(detector)
        for module in scope.modules_of(detector):
            yield from _forms(module, None if shape is None else len(shape))


def _forms(module: Group, rank: int | None) -> Iterator[Fault]:
    lengths: dict[str, int] = {}
    for name in ("data_origin", "data_size", "data_stride"):
        field = module.field(name)
        if field is None or not field.is_numeric:
            continue
        if field.shape is None or len(field.shape) != 1:
            yield Fault(field.path, f"its shape is {field.shape}; expected one dimension")
        elif field.is_integer:
            lengths[name] = field.size
    if not lengths:
        return
    usual = rank or max(set(lengths.values()), key=list(lengths.values()).count)
    for name, length in lengths.items():
        if length != usual:
            message = f"{length} numbers; expected {usual}, one for each dimension of an image"
            yield Fault(f"{module.path}/{name}", message)


@check("NXMX-MOD-002")
def inside(scope: Scope) -> Iterator[Fault]:
    """Modules lie inside the image."""
    for detector in scope.detectors:
        shape = scope.image_shape(detector)
        for module in scope.modules_of(detector):
            yield from _signs(module)
            slab = slab_of(module)
            if slab is None or shape is None or len(slab.size) != len(shape):
                continue
            if is_swapped(slab, shape):
                continue
            yield from _outside(slab, shape)


def _signs(module: Group) -> Iterator[Fault]:
    for name, least in (("data_origin", 0), ("data_size", 1), ("data_stride", 1)):
        values = _integers(module.field(name))
        if values is not None and min(values) < least:
            message = f"{list(values)} has a number below {least}"
            yield Fault(f"{module.path}/{name}", message)


def _outside(slab: Slab, shape: tuple[int, ...]) -> Iterator[Fault]:
    wrong = [d for d, (end, n) in enumerate(zip(slab.last, shape, strict=True)) if end >= n]
    if not wrong:
        return
    d = wrong[0]
    name = "data_origin" if slab.origin[d] >= shape[d] else "data_size"
    if name == "data_size" and slab.origin[d] > 0 and slab.size[d] <= shape[d]:
        name = "data_origin" if _fits_elsewhere(slab, d, shape) else "data_size"
    message = (
        f"the module reaches element {slab.last[d]} of dimension {d}, and images are "
        f"{list(shape)}: origin {list(slab.origin)}, size {list(slab.size)}"
    )
    other = "data_size" if name == "data_origin" else "data_origin"
    yield Fault(f"{slab.module.path}/{name}", message, None, (f"{slab.module.path}/{other}",))


def _fits_elsewhere(slab: Slab, d: int, shape: tuple[int, ...]) -> bool:
    """Whether the origin must be wrong, because modules of this size fill the image."""
    return shape[d] % slab.size[d] == 0 and slab.origin[d] % slab.size[d] != 0


def is_swapped(slab: Slab, shape: tuple[int, ...]) -> bool:
    """Whether the size fits the image only the other way round."""
    size = slab.size[-2:]
    limit = shape[-2:]
    origin = slab.origin[-2:]
    fits = all(o + n <= m for o, n, m in zip(origin, size, limit, strict=True))
    turned = all(o + n <= m for o, n, m in zip(origin, size[::-1], limit, strict=True))
    return not fits and turned


@check("NXMX-MOD-003")
def apart(scope: Scope) -> Iterator[Fault]:
    """Modules of a detector do not overlap in the image; what they leave out is told."""
    for detector in scope.detectors:
        modules = scope.modules_of(detector)
        slabs = [slab for slab in map(slab_of, modules) if slab is not None]
        ranks = {len(slab.size) for slab in slabs}
        if len(slabs) < 2 or len(ranks) != 1:
            continue
        shape = scope.image_shape(detector)
        if shape is not None and any(
            len(slab.size) == len(shape) and is_swapped(slab, shape) for slab in slabs
        ):
            continue
        overlaps = list(_overlaps(slabs))
        yield from overlaps
        is_whole = not overlaps and len(slabs) == len(modules)
        if is_whole and shape is not None and len(shape) == next(iter(ranks)):
            yield from _uncovered(detector, slabs, shape)


def _uncovered(detector: Group, slabs: list[Slab], shape: tuple[int, ...]) -> Iterator[Fault]:
    inside = all(end < n for slab in slabs for end, n in zip(slab.last, shape, strict=True))
    missing = math.prod(shape) - sum(math.prod(slab.size) for slab in slabs)
    if inside and missing > 0 and all(max(slab.stride) == 1 for slab in slabs):
        message = f"{missing} of {math.prod(shape)} pixels of an image belong to no module"
        yield Fault(detector.path, message, severity="info")


def _overlaps(slabs: list[Slab]) -> Iterator[Fault]:
    first = np.array([slab.origin for slab in slabs])
    last = np.array([slab.last for slab in slabs])
    hits: dict[int, list[int]] = {}
    for k in range(len(slabs) - 1):
        both = np.all((first[k + 1 :] <= last[k]) & (last[k + 1 :] >= first[k]), axis=1)
        for j in np.nonzero(both)[0] + k + 1:
            if slabs[k].stride == slabs[j].stride and max(slabs[k].stride) > 1:
                continue
            hits.setdefault(k, []).append(int(j))
            hits.setdefault(int(j), []).append(k)
    # The module that lies on most others is the one at fault.
    while hits:
        worst = max(hits, key=lambda k: (len(hits[k]), k))
        others = hits.pop(worst)
        for k in others:
            hits[k].remove(worst)
            if not hits[k]:
                del hits[k]
        slab = slabs[worst]
        names = ", ".join(slabs[k].module.name for k in others[:3])
        message = (
            f"the module at {list(slab.origin)}, of size {list(slab.size)}, shares pixels "
            f"with {names}"
        )
        related = tuple(slabs[k].module.path for k in others[:8])
        yield Fault(f"{slab.module.path}/data_origin", message, None, related)


@check("NXMX-MOD-004")
def order(scope: Scope) -> Iterator[Fault]:
    """Sizes are given slow to fast."""
    for detector in scope.detectors:
        shape = scope.image_shape(detector)
        for module in scope.modules_of(detector):
            slab = slab_of(module)
            if slab is None or shape is None or len(slab.size) != len(shape):
                continue
            if is_swapped(slab, shape):
                message = (
                    f"data_size {list(slab.size)} does not fit images of {list(shape)}, and "
                    f"{list(slab.size[::-1])} does; it is stored fast to slow"
                )
                yield Fault(f"{module.path}/data_size", message)


def pixel_sides(module: Group) -> dict[str, tuple[Field, float | None]]:
    """The directions of a module, with the side of a pixel in metres."""
    found = {}
    for name in ("fast", "slow"):
        field = module.field(f"{name}_pixel_direction")
        if field is not None:
            value, scale = field.scalar, scale_to(field.units, "m")
            known = value is not None and scale is not None
            found[name] = field, (value * scale if known and value and scale else None)
    return found


def directions(module: Group) -> tuple[Array, Array] | None:
    """Unit vectors along fast and slow; None where one is missing or faulty."""
    found = []
    for name in ("fast", "slow"):
        field = module.field(f"{name}_pixel_direction")
        vector = field.numbers("vector") if field is not None else None
        if vector is None or vector.size != 3 or not np.all(np.isfinite(vector)):
            return None
        length = float(np.linalg.norm(vector))
        if length == 0:
            return None
        found.append(vector / length)
    return found[0], found[1]


@check("NXMX-MOD-006")
def orthogonal(scope: Scope) -> Iterator[Fault]:
    """Fast and slow are at right angles."""
    for module in scope.modules:
        found = directions(module)
        if found is None:
            continue
        cosine = abs(float(found[0] @ found[1]))
        if cosine <= _SLANT:
            continue
        angle = float(np.degrees(np.arccos(min(1.0, cosine))))
        message = f"fast and slow are {angle:.4g} degrees apart; expected 90"
        yield Fault(
            f"{module.path}/slow_pixel_direction",
            message,
            "vector",
            (f"{module.path}/fast_pixel_direction",),
            "warning" if cosine < _WRONG else "error",
        )


@check("NXMX-MOD-007")
def tails(scope: Scope) -> Iterator[Fault]:
    """Fast and slow hang on the same axis."""
    for module in scope.modules:
        fast, slow = (module.field(f"{name}_pixel_direction") for name in ("fast", "slow"))
        if fast is None or slow is None:
            continue
        chains = scope.axis_chain(fast), scope.axis_chain(slow)
        if chains[0].fault or chains[1].fault:
            continue
        ids = [[id(axis.attributes) for axis in chain.axes[1:]] for chain in chains]
        if ids[0] == ids[1] or ids[1] == [id(fast.attributes), *ids[0]]:
            continue
        if ids[0] == [id(slow.attributes), *ids[1]]:
            continue
        ends = [chain.paths[1] if len(chain.paths) > 1 else "'.'" for chain in chains]
        message = f"slow depends on {ends[1]}, and fast on {ends[0]}"
        yield Fault(slow.path, message, "depends_on", (fast.path,))


@check("NXMX-MOD-008")
def twice(scope: Scope) -> Iterator[Fault]:
    """An offset is not counted twice."""
    for module in scope.modules:
        fast, slow = (module.field(f"{name}_pixel_direction") for name in ("fast", "slow"))
        if fast is None or slow is None:
            continue
        chain = scope.axis_chain(slow)
        if len(chain.axes) < 2 or chain.axes[1].attributes is not fast.attributes:
            continue
        offsets = [field.numbers("offset") for field in (fast, slow)]
        if all(offset is not None and np.any(offset) for offset in offsets):
            message = "slow depends on fast, and both have an offset, which is counted twice"
            yield Fault(slow.path, message, "offset", (fast.path,))


@check("NXMX-MOD-009")
def places(scope: Scope) -> Iterator[Fault]:
    """Modules of a detector have one root and different places."""
    for detector in scope.detectors:
        roots: dict[int, list[str]] = {}
        known: dict[tuple[float, ...], str] = {}
        for module in scope.modules_of(detector):
            fast = module.field("fast_pixel_direction")
            chain = scope.axis_chain(fast) if fast is not None else None
            if fast is None or chain is None or chain.fault:
                continue
            if len(chain.axes) > 1:
                roots.setdefault(id(chain.axes[-1].attributes), []).append(module.path)
            yield from _same_place(module, fast, scope.placement(chain.axes[1:]), known)
        if len(roots) > 1:
            most = max(roots.values(), key=len)
            for paths in roots.values():
                if paths is not most:
                    message = "its chain ends at another axis than those of the other modules"
                    yield Fault(f"{paths[0]}/fast_pixel_direction", message, "depends_on")


def _same_place(
    module: Group, fast: Field, matrix: Array | None, known: dict[tuple[float, ...], str]
) -> Iterator[Fault]:
    offset = fast.numbers("offset")
    found = directions(module)
    if matrix is None or found is None:
        return
    scale = scale_to(fast.text("offset_units") or fast.units, "mm")
    start = np.zeros(3) if offset is None or offset.size != 3 else offset * (scale or 1.0)
    place = matrix[:3, :3] @ start + matrix[:3, 3]
    if not np.all(np.isfinite(place)):
        return
    turned = matrix[:3, :3] @ found[0]
    key = tuple(np.round(np.concatenate([place, turned]), 6) + 0.0)
    if key in known:
        message = f"the module is at the same place as {known[key].rsplit('/', 1)[-1]}"
        yield Fault(fast.path, message, "offset", (known[key],))
    else:
        known[key] = module.path


@check("NXMX-MOD-010")
def for_dials(scope: Scope) -> Iterator[Fault]:
    """What DIALS needs to know of a sensor."""
    for detector in scope.detectors:
        field = detector.field("sensor_material")
        text = field.words if field is not None else None
        if field is not None and field.is_text and (text or "").strip() not in MATERIALS:
            message = f"{(text or '')[:40]!r}; DIALS knows {', '.join(MATERIALS)}"
            yield Fault(field.path, message)


@check("NXMX-MOD-011")
def same_sides(scope: Scope) -> Iterator[Fault]:
    """x_pixel_size and y_pixel_size are those of the modules."""
    for detector in scope.detectors:
        for name, direction in (("x_pixel_size", "fast"), ("y_pixel_size", "slow")):
            field = detector.field(name)
            value = field.scalar if field is not None else None
            scale = scale_to(field.units, "m") if field is not None else None
            if field is None or value is None or scale is None:
                continue
            sides = {
                side
                for module in scope.modules_of(detector)
                for side in [pixel_sides(module).get(direction, (None, None))[1]]
                if side is not None and _SMALL <= side <= _LARGE
            }
            if sides and not any(np.isclose(value * scale, s, rtol=1e-2) for s in sides):
                message = (
                    f"{value:g} {field.units}, and pixels of the modules are "
                    f"{min(sides) * 1e6:g} um along {direction}"
                )
                yield Fault(field.path, message)
