"""The classes of NeXus, and what a group without one must be."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from nxformula._resources import resource
from nxformula.nexus.metadata.nodes import Field, Group
from nxformula.validation.spelling import nearest

#: The version of the definitions that the schemas were made from.
NXDL: Final = "v2026.01"

#: What tells the class of a group: names of members, and how many of them are enough.
_SIGNS: Final = {
    "NXdetector_module": (1, {"data_origin", "data_size", "fast_pixel_direction"}),
    "NXdetector_group": (1, {"group_names", "group_index"}),
    "NXbeam": (1, {"incident_wavelength"}),
    "NXattenuator": (1, {"attenuator_transmission"}),
    "NXdetector": (2, {"sensor_material", "saturation_value", "distance", "sensor_thickness"}),
}
#: Usual names of groups.
_NAMES: Final = {
    "entry": "NXentry",
    "instrument": "NXinstrument",
    "sample": "NXsample",
    "source": "NXsource",
    "data": "NXdata",
    "detector": "NXdetector",
    "beam": "NXbeam",
    "attenuator": "NXattenuator",
    "module": "NXdetector_module",
    "transformations": "NXtransformations",
}
#: Classes that hold what no definition names.
OPEN: Final = ("NXcollection", "NXparameters", "NXnote", "NXlog", "NXprocess", "NXuser")


@cache
def known_classes() -> frozenset[str]:
    """All base classes, contributed ones too."""
    text = resource("schemas", "nxmx", NXDL, "classes.json").read_text(encoding="ascii")
    classes: Any = json.loads(text)["classes"]
    return frozenset(classes) | {"NXroot", "NXformula"}


def class_of(group: Group) -> str | None:
    """The class of a group: as stated, else as its content and its name tell.

    Examples
    --------
    >>> class_of(Group("/entry", {"NX_class": "NXentri"}))
    'NXentry'
    >>> class_of(Group("/entry/instrument/beam"))
    'NXbeam'
    """
    if group.path == "/":
        return "NXroot"
    stated = group.nx_class
    if stated is None:
        return None if group.attributes.get("NX_class") else guessed(group)
    if stated in known_classes():
        return stated
    clean = stated.strip(" \0")
    if clean in known_classes():
        return clean
    return nearest(clean, known_classes()) or guessed(group) or stated


def guessed(group: Group) -> str | None:
    """What a group without a class must be."""
    members = set(group.members)
    for nx_class, (enough, signs) in _SIGNS.items():
        if len(members & signs) >= enough:
            return nx_class
    if group.path.count("/") == 1 and members & {"definition", "instrument"}:
        return "NXentry"
    fields = [node for node in group.members.values() if isinstance(node, Field)]
    if fields and all("transformation_type" in field.attributes for field in fields):
        return "NXtransformations"
    return _NAMES.get(group.name.lower().rstrip("_0123456789"))
