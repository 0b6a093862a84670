"""The formula that NeXus states without one: a field with an offset, a scaling factor, or both."""

from __future__ import annotations

from typing import Any, Final

import h5py

from nxformula.errors import DimensionError
from nxformula.language.functions import is_reserved
from nxformula.nexus import names
from nxformula.nexus.group import FormulaGroup
from nxformula.nexus.links import Resolver, link_of
from nxformula.nexus.text import as_text, attribute_of

#: Classes in whose groups the suffixes have this meaning (NeXus manual, NXdata).
_CLASSES: Final = ("NXdata", "NXdetector")


def implicit_formula(
    group: Any, field: str, dataset: Any, resolver: Resolver
) -> FormulaGroup | None:
    """The formula of a field that has `FIELD_offset` or `FIELD_scaling_factor` beside it.

    It is `(FIELD + FIELD_offset) * FIELD_scaling_factor`: the offset is added first. Both are
    numbers, images, or one value for each frame. The result is in the units that the field
    states, float32 where that holds all stored values, else float64.

    Parameters
    ----------
    group : h5py.Group
        The group that holds the field; of the class NXdata or NXdetector.
    field : str
        Its name there.
    dataset : h5py.Dataset
        The field.
    resolver : Resolver
        Finds the two.

    Returns
    -------
    FormulaGroup or None
        None if there are none, or the field holds no numbers.

    Raises
    ------
    DimensionError
        One of them does not fit the field.
    """
    parts = [field + suffix for suffix in names.LINEAR_SUFFIXES]
    present = [part for part in parts if link_of(group, part) is not None]
    if (
        not present
        or is_reserved(field)
        or dataset.shape is None
        or dataset.dtype.kind not in "iuf"
    ):
        return None
    if as_text(attribute_of(group, "NX_class")) not in _CLASSES:
        return None
    axes = _field_axes(len(dataset.shape))
    declared, operands = {field: axes}, {}
    for part in present:
        found = resolver.find(group, part).object
        declared[part] = _axes_of(part, getattr(found, "shape", None), axes, dataset.shape)
        # Sums of integers that fill 64 bits may not fit; those of reals do.
        operands[part] = f"1.0 * {part}" if found.dtype.kind in "iu" else part
    offset, factor = (operands.get(part) for part in parts)
    text = f"({field} + {offset})" if offset else field
    text = f"{text} * {factor}" if factor else text
    is_small = dataset.dtype.itemsize <= 2 or dataset.dtype == "f4"
    return FormulaGroup(
        group,
        field,
        text,
        "float32" if is_small else "float64",
        axes,
        as_text(attribute_of(dataset, "units")),
        (),
        False,
        declared,
    )


def _field_axes(rank: int) -> tuple[str, ...]:
    named = names.FIELD_AXES_BY_RANK.get(rank)
    return named or tuple(f"axis_{number}" for number in range(rank))


def _axes_of(
    name: str, shape: tuple[int, ...] | None, axes: tuple[str, ...], lengths: tuple[int, ...]
) -> tuple[str, ...]:
    """Dimensions of an offset or factor: none, those of an image, or that of the frames."""
    if shape is not None:
        if all(length == 1 for length in shape):
            return (".",) * len(shape)
        for first in range(min(2, len(lengths))):
            if shape == lengths[first:]:
                return axes[first:]
        if shape[0] == lengths[0] and all(length == 1 for length in shape[1:]):
            return (axes[0], *("." for _ in shape[1:]))
    message = (
        f"{name!r} has the shape {shape}, and the field {lengths}; expected a number, an image, "
        "or one value for each frame"
    )
    raise DimensionError(message)


def implicit_fields(group: Any) -> list[str]:
    """Names of the members of a group that have an offset or a scaling factor beside them."""
    if as_text(attribute_of(group, "NX_class")) not in _CLASSES:
        return []
    found = {
        name.removesuffix(suffix): None
        for name in group
        for suffix in names.LINEAR_SUFFIXES
        if name.endswith(suffix) and link_of(group, name.removesuffix(suffix)) is not None
    }
    return [name for name in found if not isinstance(_hard(group, name), h5py.Group)]


def _hard(group: Any, name: str) -> Any:
    """A member that is no link to elsewhere."""
    return group[name] if isinstance(link_of(group, name), h5py.HardLink) else None
