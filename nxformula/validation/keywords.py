"""The keywords of the vocabulary in `schemas/nxmx`, for the package jsonschema.

A message may end in a zero byte and a severity, where that is not the one of the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from nxformula.nexus.metadata.nodes import OPAQUE, TEXT
from nxformula.validation.spelling import nearest
from nxformula.validation.unit_categories import fits, known_unit, needs_units

#: NumPy kinds that each type of NXDL takes; `S` stands for text.
_KINDS: Final = {
    "NX_CHAR": "S",
    "NX_DATE_TIME": "S",
    "ISO8601": "S",
    "NX_FLOAT": "f",
    "NX_INT": "iu",
    "NX_UINT": "iu",
    "NX_POSINT": "iu",
    "NX_NUMBER": "iufb",
    "NX_BOOLEAN": "biu",
    "NX_CHAR_OR_NUMBER": "Siufb",
}
_WORDS: Final = {"S": "text", "f": "floating-point numbers", "iu": "integers", "biu": "booleans"}


def _kind_of(instance: Any) -> str | None:
    """What a field, or the value of an attribute, holds."""
    if isinstance(instance, dict):
        dtype = instance.get("dtype")
        if dtype is None or dtype in OPAQUE:
            return None
        return "S" if dtype == TEXT else str(np.dtype(dtype).kind)
    if isinstance(instance, list):
        kinds = {_kind_of(item) for item in instance}
        return kinds.pop() if len(kinds) == 1 else "f" if kinds <= {"i", "f"} else None
    if isinstance(instance, bool):
        return "b"
    for kind, letter in ((str, "S"), (int, "i"), (float, "f")):
        if isinstance(instance, kind):
            return letter
    return None


def _error(message: str) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message)


def check_type(validator: Any, wanted: str, instance: Any, schema: Any) -> Iterator[Any]:
    """`nx:type`."""
    kinds, found = _KINDS.get(wanted), _kind_of(instance)
    if kinds is None or found is None:
        if kinds is not None and isinstance(instance, dict) and instance.get("dtype") in OPAQUE:
            yield _error(f"it holds values of the kind {instance['dtype']}; expected {wanted}")
        return
    if found not in kinds:
        held = instance["dtype"] if isinstance(instance, dict) else repr(instance)[:60]
        expected = _WORDS.get(kinds, "numbers")
        mild = "\0warning" if wanted == "NX_FLOAT" and found in "iu" else ""
        if not isinstance(instance, dict) and wanted in ("NX_INT", "NX_POSINT", "NX_BOOLEAN"):
            mild = "\0warning"
        yield _error(f"it holds {held}; expected {expected} ({wanted}){mild}")
    elif wanted == "NX_POSINT" and isinstance(instance, dict) and instance.get("least", 1) < 1:
        yield _error(f"the value is {instance['least']:g}; expected 1 or more")


def check_units(validator: Any, category: str, instance: Any, schema: Any) -> Iterator[Any]:
    """`nx:units`."""
    if not isinstance(instance, dict) or "unreached" in instance or instance["dtype"] == TEXT:
        return
    stated = instance["attributes"].get("units")
    if isinstance(stated, list) and len(stated) == 1:
        stated = stated[0]
    if stated is None:
        # What stands in `u` is for NXMX-BEA-005, what is misspelt for NXMX-NAM-001.
        stated_elsewhere = any(n == "u" or nearest(n, ["units"]) for n in instance["attributes"])
        if needs_units(category) and not stated_elsewhere:
            yield _error(f"it has no units; expected {category}\0warning")
        return
    if not isinstance(stated, str):
        yield _error(f"units are {stated!r}, no text; expected {category}")
    elif not known_unit(stated):
        yield _error(f"units are {stated[:60]!r}, which is no unit; expected {category}")
    elif not fits(stated, category):
        yield _error(f"units are {stated!r}; expected {category}")


def check_dims(validator: Any, dims: list[Any], instance: Any, schema: Any) -> Iterator[Any]:
    """`nx:dims`."""
    shape = instance.get("shape") if isinstance(instance, dict) else None
    if isinstance(instance, list):
        shape = [len(instance)]
    if shape is None or int(np.prod(shape)) == 1:
        return
    needed = sum(not str(length).endswith("?") for length in dims)
    if not needed <= len(shape) <= len(dims):
        yield _error(f"the shape is {shape}; expected {_shown(dims)}")
        return
    for found, wanted in zip(shape, dims, strict=False):
        if isinstance(wanted, int) and found != wanted:
            yield _error(f"the shape is {shape}; expected {_shown(dims)}")
            return


def _shown(dims: list[Any]) -> str:
    return f"[{', '.join(map(str, dims))}]"


def check_members(
    validator: Any, members: dict[str, Any], instance: Any, schema: Any
) -> Iterator[Any]:
    """`nx:members`; the message is the class that is missing."""
    for nx_class, known in members.items():
        if sum(found == nx_class for found in instance.values()) < known.get("minimum", 0):
            yield _error(nx_class)


def check_deprecated(validator: Any, other: str, instance: Any, schema: Any) -> Iterator[Any]:
    """`nx:deprecated`."""
    text = f"; use {other!r}" if other else ""
    yield _error(f"the name is deprecated{text}")


KEYWORDS: Final[dict[str, Callable[[Any, Any, Any, Any], Iterator[Any]]]] = {
    "nx:type": check_type,
    "nx:units": check_units,
    "nx:dims": check_dims,
    "nx:members": check_members,
    "nx:deprecated": check_deprecated,
}
