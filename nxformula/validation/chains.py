"""Chains of transformations: where an axis depends on another one, until nothing is left."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import UnitError
from nxformula.language.units.texts import parse_unit
from nxformula.nexus.metadata.nodes import Broken, Field, Group, Node
from nxformula.validation.tree import Tree

#: Axes of one chain.
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain: an axis, and the path by which it was reached."""

    path: str
    axis: Field


@dataclass(frozen=True, slots=True)
class Chain:
    """The axes that an object depends on, from the nearest on.

    Attributes
    ----------
    steps : tuple of Step
        The axes.
    fault : {"missing", "broken", "group", "cycle", None}
        Why the chain does not end as it should.
    at : str
        Path of the object whose `depends_on` is at fault.
    target : str
        What it names.
    """

    steps: tuple[Step, ...]
    fault: str | None = None
    at: str = ""
    target: str = ""

    @property
    def axes(self) -> tuple[Field, ...]:
        """The axes, from the nearest on."""
        return tuple(step.axis for step in self.steps)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the axes, from the nearest on."""
        return tuple(step.path for step in self.steps)


def find_target(tree: Tree, node: Node, text: str, place: str) -> Node | None:
    """What a `depends_on` names: an absolute path, or one from the enclosing group."""
    group = place if isinstance(node, Group) else posixpath.dirname(place)
    return tree.resolve(group, text)


def chain_from(tree: Tree, field: Field, place: str | None = None) -> Chain:
    """The chain that begins with an axis."""
    steps: list[Step] = []
    seen: set[int] = set()
    here, path = field, place or field.path
    while True:
        key = id(here.attributes)
        if key in seen:
            return Chain(tuple(steps), "cycle", steps[-1].path, path)
        if len(steps) >= _MOST:
            return Chain(tuple(steps), "cycle", path, path)
        seen.add(key)
        steps.append(Step(path, here))
        text = here.text("depends_on")
        if text is None or text.strip() in (".", ""):
            return Chain(tuple(steps))
        target = find_target(tree, here, text, path)
        if target is None:
            # An object may be shown in several groups, and a name is sought in each of them.
            for other in tree.places(here):
                target = find_target(tree, here, text, other)
                if target is not None:
                    path = other
                    break
        fault = _fault(target)
        if fault is not None:
            return Chain(tuple(steps), fault, path, text)
        assert isinstance(target, Field)
        here, path = target, target.path


def chain_of(tree: Tree, group: Group) -> Chain | None:
    """The chain that a group's field `depends_on` begins; None if there is none."""
    field = group.field("depends_on")
    text = field.words if field is not None else None
    if text is None:
        return None
    if text.strip() in (".", ""):
        return Chain(())
    target = tree.resolve(group.path, text)
    fault = _fault(target)
    if fault is not None:
        return Chain((), fault, f"{group.path}/depends_on", text)
    assert isinstance(target, Field)
    return chain_from(tree, target)


def _fault(target: Node | None) -> str | None:
    if target is None:
        return "missing"
    if isinstance(target, Broken):
        return "broken"
    return None if isinstance(target, Field) else "group"


@lru_cache(maxsize=4096)
def is_angle(text: str | None) -> bool:
    """Whether a text is a unit of angles."""
    try:
        names = parse_unit(text or "").exponents
    except UnitError:
        return False
    return len(names) == 1 and all(
        power == 1 and name.endswith(_ANGLES) for name, power in names.items()
    )


_ANGLES: Final = ("radian", "degree", "arcminute", "arcsecond")


@lru_cache(maxsize=4096)
def scale_to(text: str | None, other: str) -> float | None:
    """How many of another unit a unit is; None if it is of another kind, or none."""
    if text is None:
        return None
    try:
        return parse_unit(text).ratio(parse_unit(other))
    except UnitError:
        return None


def matrix_of(axis: Field) -> Array | None:
    """The transformation of an axis in millimetres, 4 x 4; None where something is missing.

    An axis with many positions is taken at the first.
    """
    vector, values = axis.numbers("vector"), axis.flat
    kind = axis.text("transformation_type")
    if vector is None or vector.size != 3 or values is None or not values.size:
        return None
    value = float(values[0])
    found = np.eye(4)
    if kind == "rotation":
        scale = scale_to(axis.units, "rad")
        if scale is None or not np.any(vector):
            return None
        found[:3, :3] = _rotation(vector / np.linalg.norm(vector), value * scale)
    elif kind == "translation":
        scale = scale_to(axis.units, "mm")
        if scale is None:
            return None
        found[:3, 3] = vector * value * scale
    else:
        return None
    offset = offset_of(axis)
    if offset is None:
        return None
    found[:3, 3] += offset
    return found


def offset_of(axis: Field) -> Array | None:
    """The attribute `offset` in millimetres; zeros if there is none."""
    offset = axis.numbers("offset")
    if offset is None:
        return np.zeros(3)
    if offset.size != 3:
        return None
    if not np.any(offset):
        return np.zeros(3)
    units = axis.text("offset_units") or axis.units
    scale = scale_to(units, "mm")
    return None if scale is None else offset * scale


def _rotation(axis: Array, angle: float) -> Array:
    """Rodrigues' formula."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotated: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return rotated
