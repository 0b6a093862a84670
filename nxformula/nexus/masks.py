"""Which pixels of a field are not to be used: what its detector says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import h5py
import numpy as np

from nxformula.errors import FileError
from nxformula.nexus import names
from nxformula.nexus.binding import Binding
from nxformula.nexus.homes import find_home
from nxformula.nexus.links import Resolver, link_of

#: Bits of `pixel_mask` that make a pixel unusable; the upper ones only say something of it
#: (NeXus manual, NXdetector/pixel_mask).
UNUSABLE_BITS: Final = 0xFFFF

_PIXEL_MASK: Final = "pixel_mask"


@dataclass(frozen=True, slots=True)
class Mask:
    """What makes values unusable.

    Attributes
    ----------
    pixels : h5py.Dataset or None
        `pixel_mask`: bits for each pixel.
    saturation, underload : int or float or None
        Raw values above and below which they are invalid.
    """

    pixels: Any
    saturation: int | float | None
    underload: int | float | None


def groups_of(binding: Binding, file: Any, field: str, resolver: Resolver) -> list[Any]:
    """The groups of a file that show a field, that with its formula first.

    Parameters
    ----------
    binding : Binding
        Of the field.
    file : File
        The file that it was found in.
    field : str
        Its path there.
    resolver : Resolver
        Finds it.
    """
    own = binding.definition.holder
    try:
        home = find_home(file, field, resolver)
    except FileError:
        # Behind a link to another file: that has no other groups of this one.
        return [own]
    shown = [home.group, *(home.file[path] for path in home.others)]
    return [own, *(group for group in shown if group != own)]


def mask_of(groups: Sequence[Any], resolver: Resolver) -> Mask:
    """What the first of some groups that says anything says.

    Parameters
    ----------
    groups : sequence of h5py.Group
        Where the field is.
    resolver : Resolver
        Finds and checks the datasets.

    Raises
    ------
    FileError
        What is there cannot be found, or does not hold such values.
    """
    pixels = _first(groups, _PIXEL_MASK, resolver)
    if pixels is not None and not (pixels.shape and pixels.dtype.kind in "biu"):
        message = f"'{pixels.name}' holds {pixels.dtype}{pixels.shape or ''}"
        message += "; expected an image of integers or booleans"
        raise FileError(message, pixels.file.filename)
    limits = [
        _number(_first(groups, name, resolver))
        for name in (names.SATURATION_VALUE, names.UNDERLOAD_VALUE)
    ]
    return Mask(pixels, *limits)


def _first(groups: Sequence[Any], name: str, resolver: Resolver) -> Any:
    for group in groups:
        if link_of(group, name) is not None:
            found = resolver.find(group, name)
            if not isinstance(found.object, h5py.Dataset):
                message = f"'{group.name}/{name}' is not a dataset"
                raise FileError(message, group.file.filename)
            return resolver.dataset(found)
    return None


def _number(dataset: Any) -> int | float | None:
    """The value of a field with one number."""
    if dataset is None:
        return None
    if dataset.shape is None or dataset.size != 1 or dataset.dtype.kind not in "iuf":
        message = f"'{dataset.name}' in {dataset.file.filename} is not one number"
        raise FileError(message, dataset.file.filename)
    value = dataset[()].reshape(-1)[0].item()
    if not np.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)
