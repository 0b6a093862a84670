"""One NXmx entry of a file: its groups by their part, its images, how many frames there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.metadata.nodes import Field, Group, Node
from nxformula.validation.chains import Chain, chain_from, chain_of, matrix_of
from nxformula.validation.tree import Tree

#: How DECTRIS names the parts of a stack.
PART: Final = re.compile(r"data_\d{6}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What a check found, before the rule says how much it matters.

    Attributes
    ----------
    path : str
        The object at fault.
    message : str
        What was found and what was expected.
    attribute : str or None
        The attribute at fault.
    related : tuple of str
        Other objects.
    severity : str or None
        Where it is not that of the rule.
    fix : str or None
        Where there is more to say than the rule does.
    """

    path: str
    message: str
    attribute: str | None = None
    related: tuple[str, ...] = ()
    severity: str | None = None
    fix: str | None = None


class Scope:
    """An NXmx entry.

    Parameters
    ----------
    tree : Tree
        The file.
    entry : Group
        An NXentry or NXsubentry.
    """

    def __init__(self, tree: Tree, entry: Group) -> None:
        self.tree = tree
        self.entry = entry
        self._chains: dict[str, Chain] = {}
        self._placements: dict[int, Array | None] = {}
        #: What checks have worked out, for others.
        self.known: dict[tuple[str, str], Any] = {}

    def all(self, *classes: str) -> list[Group]:
        """The groups of some classes anywhere in the entry."""
        return [group for group in self._groups if self.tree.class_of(group) in classes]

    @cached_property
    def _groups(self) -> list[Group]:
        inside = self.entry.path.rstrip("/") + "/"
        return [g for g in self.tree.groups if g is self.entry or g.path.startswith(inside)]

    def all_groups(self) -> list[Group]:
        """The entry and every group below it."""
        return self._groups

    @cached_property
    def instruments(self) -> list[Group]:
        """Groups of class NXinstrument."""
        return self.tree.members(self.entry, "NXinstrument")

    @cached_property
    def detectors(self) -> list[Group]:
        """Groups of class NXdetector."""
        return self.all("NXdetector")

    @cached_property
    def modules(self) -> list[Group]:
        """Groups of class NXdetector_module."""
        return self.all("NXdetector_module")

    def modules_of(self, detector: Group) -> list[Group]:
        """The modules of a detector."""
        return self.tree.members(detector, "NXdetector_module")

    @cached_property
    def samples(self) -> list[Group]:
        """Groups of class NXsample."""
        return self.tree.members(self.entry, "NXsample")

    @cached_property
    def beams(self) -> list[Group]:
        """Groups of class NXbeam: of the instrument, else where older files have them."""
        own = [b for i in self.instruments for b in self.tree.members(i, "NXbeam")]
        return own or self.all("NXbeam")

    @cached_property
    def data_groups(self) -> list[Group]:
        """Groups of class NXdata of the entry."""
        return self.tree.members(self.entry, "NXdata")

    def image(self, detector: Group) -> Field | None:
        """The images of a detector, where their shape is known."""
        own = detector.field("data")
        if own is not None:
            return own
        if len(self.detectors) > 1:
            return None
        return self.shown_image

    @cached_property
    def shown_image(self) -> Field | None:
        """The images that NXdata shows."""
        for group in self.data_groups:
            for name in ("data", group.text("signal")):
                found = group.field(name) if name else None
                if found is not None and found.shape is not None and len(found.shape) >= 2:
                    return found
        return None

    @cached_property
    def parts(self) -> list[Node]:
        """The parts of a stack as DECTRIS names them, reached or not."""
        for group in self.data_groups:
            found = [node for name, node in sorted(group.members.items()) if PART.fullmatch(name)]
            if found:
                return found
        return []

    def image_shape(self, detector: Group) -> tuple[int, ...] | None:
        """Shape of one image, from its data or from what else says it."""
        image = self.image(detector)
        if image is not None and image.shape is not None and len(image.shape) >= 3:
            return image.shape[1:]
        if image is not None and image.shape is not None and len(image.shape) == 2:
            return image.shape
        shapes = [
            node.shape[1:]
            for node in self.parts
            if isinstance(node, Field) and node.shape is not None and len(node.shape) == 3
        ]
        if shapes and len(self.detectors) == 1:
            return shapes[0]
        mask = detector.field("pixel_mask")
        if mask is not None and mask.shape is not None and len(mask.shape) >= 2:
            return mask.shape
        return self._stated_shape(detector)

    def _stated_shape(self, detector: Group) -> tuple[int, ...] | None:
        specific = detector.group("detectorSpecific")
        for group in (specific, detector):
            if group is None:
                continue
            sides = [group.field(f"{axis}_pixels_in_detector") for axis in "yx"]
            found = [side.scalar for side in sides if side is not None]
            lengths = [int(length) for length in found if length is not None and 0 < length < 1e9]
            if len(lengths) == 2:
                return lengths[0], lengths[1]
        return None

    @cached_property
    def frames(self) -> int | None:
        """How many frames there are, by the images themselves."""
        image = self.shown_image
        if image is None and len(self.detectors) == 1:
            image = self.detectors[0].field("data")
        if image is not None and image.shape is not None and len(image.shape) >= 3:
            return image.shape[0]
        if not self.parts or len(self.detectors) > 1:
            return None
        lengths = [part.shape[0] for part in self.parts if isinstance(part, Field) and part.shape]
        return sum(lengths) if len(lengths) == len(self.parts) else None

    def chain(self, group: Group) -> Chain | None:
        """The chain that a group's `depends_on` begins."""
        return chain_of(self.tree, group)

    def axis_chain(self, field: Field) -> Chain:
        """The chain that an axis begins."""
        if field.path not in self._chains:
            self._chains[field.path] = chain_from(self.tree, field)
        return self._chains[field.path]

    def placement(self, axes: tuple[Field, ...]) -> Array | None:
        """The transformation of a chain in millimetres, 4 x 4; None where something is missing."""
        if not axes:
            return np.eye(4)
        key = id(axes[0].attributes)
        if key not in self._placements:
            own, rest = matrix_of(axes[0]), self.placement(axes[1:])
            self._placements[key] = None if own is None or rest is None else rest @ own
        return self._placements[key]

    @cached_property
    def axes(self) -> list[Field]:
        """Every field of the entry that takes part in a chain."""
        return [field for field in self.tree.fields_below(self.entry) if self._is_axis(field)]

    def _is_axis(self, field: Field) -> bool:
        if "transformation_type" in field.attributes or (
            "depends_on" in field.attributes and "vector" in field.attributes
        ):
            return True
        parent = self.tree.parent(field)
        if self.tree.class_of(parent) == "NXdetector_module":
            return field.name in MODULE_AXES
        if self.tree.class_of(parent) != "NXtransformations":
            return False
        return field.is_numeric and not field.name.endswith(AXIS_PARTNERS)

    @cached_property
    def used_axes(self) -> set[int]:
        """Identities of the axes that a chain of the entry goes through."""
        found: set[int] = set()
        starts = [self.chain(group) for group in self._components()]
        chains = [chain for chain in starts if chain is not None]
        for module in self.modules:
            chains += [self.axis_chain(axis) for axis in module_axes(module).values()]
        for chain in chains:
            found |= {id(axis.attributes) for axis in chain.axes}
        return found

    def _components(self) -> Iterator[Group]:
        return (group for group in self._groups if "depends_on" in group.members)


#: Ends of names of what stands beside an axis.
AXIS_PARTNERS: Final = ("_end", "_increment_set", "_set", "_errors", "_weights", "_log", "_mask")
#: The axes that a module has.
MODULE_AXES: Final = ("module_offset", "fast_pixel_direction", "slow_pixel_direction")


def module_axes(module: Group) -> dict[str, Field]:
    """The axes of a module that are there, by name."""
    found = {name: module.field(name) for name in MODULE_AXES}
    return {name: field for name, field in found.items() if field is not None}


Check: TypeAlias = Callable[[Scope], Iterator[Fault]]
FileCheck: TypeAlias = Callable[[Tree], Iterator[Fault]]
#: The functions of rules that neither a schema nor a formula can say, by id: of an entry.
CHECKS: Final[dict[str, Check]] = {}
#: Those of a whole file.
FILE_CHECKS: Final[dict[str, FileCheck]] = {}


def check(rule: str) -> Callable[[Check], Check]:
    """Make a function the check of a rule."""

    def register(function: Check) -> Check:
        assert rule not in CHECKS, rule
        CHECKS[rule] = function
        return function

    return register


def check_file(rule: str) -> Callable[[FileCheck], FileCheck]:
    """Make a function the check of a rule on whole files."""

    def register(function: FileCheck) -> FileCheck:
        assert rule not in FILE_CHECKS, rule
        FILE_CHECKS[rule] = function
        return function

    return register
