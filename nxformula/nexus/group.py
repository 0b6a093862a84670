"""The formula group of a field: what it says, before anything is bound or evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py

from nxformula.errors import DimensionError, FileError, FormulaTypeError, VersionError
from nxformula.language import types
from nxformula.nexus import names
from nxformula.nexus.links import link_of
from nxformula.nexus.text import as_names, as_text, attribute_of

_AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}|\.")


@dataclass(frozen=True, slots=True)
class FormulaGroup:
    """A formula group as read.

    Attributes
    ----------
    group : h5py.Group
        The group itself.
    field : str
        Name of the calibrated field beside it.
    text : str
        The formula.
    dtype : str
        Dtype of the result.
    axes : tuple of str
        Dimensions of the result.
    units : str or None
        Units of the result.
    results : tuple of str
        Definitions that can be read as datasets too.
    applied : bool
        Whether the field holds calibrated values already.
    declared : mapping or None
        Of a formula that no group states: the symbols, with their dimensions. They are beside the
        field, in `group`.
    """

    group: Any
    field: str
    text: str
    dtype: str
    axes: tuple[str, ...]
    units: str | None
    results: tuple[str, ...]
    applied: bool
    declared: Mapping[str, tuple[str, ...]] | None = None

    @property
    def holder(self) -> Any:
        """The group that holds the field."""
        return self.group if self.declared is not None else self.group.parent

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the members that are symbols."""
        if self.declared is not None:
            return tuple(self.declared)
        return tuple(name for name in self.group if not names.is_reserved(name))

    def symbol_axes(self, symbol: str) -> tuple[str, ...] | None:
        """The declared dimensions of a symbol."""
        if self.declared is not None:
            return self.declared.get(symbol)
        return _axes(self.group, symbol + names.AXES_SUFFIX)

    def symbol_text(self, symbol: str, suffix: str) -> str | None:
        """Another declaration of a symbol: its units, its checksum."""
        if self.declared is not None:
            return None
        return as_text(attribute_of(self.group, symbol + suffix))


def is_formula_group(group: Any) -> bool:
    """Whether a group says that it holds a formula."""
    return isinstance(group, h5py.Group) and names.FORMULA_LANGUAGE in group.attrs


def read_group(group: Any, field: str) -> FormulaGroup:
    """Read a formula group.

    Raises
    ------
    VersionError
        The formula is in a language that this release does not know.
    FileError, DimensionError, FormulaTypeError
        An attribute is missing or cannot be used.
    """
    text = _required_text(group, names.FORMULA)
    language = _required_text(group, names.FORMULA_LANGUAGE)
    if language != names.LANGUAGE:
        message = (
            f"{_where(group)} is in the language {language!r}; "
            f"this release knows {names.LANGUAGE!r}"
        )
        raise VersionError(message, text)
    dtype = _required_text(group, names.FORMULA_DTYPE)
    if dtype not in types.RESULT_DTYPES:
        allowed = ", ".join(types.RESULT_DTYPES)
        message = f"{names.FORMULA_DTYPE} of {_where(group)} is {dtype!r}; expected one of"
        raise FormulaTypeError(f"{message} {allowed}", text)
    axes = _axes(group, names.FORMULA_AXES)
    if axes is None:
        message = f"{_where(group)} has no attribute {names.FORMULA_AXES}, the result's dimensions"
        raise DimensionError(message, text)
    results = as_names(attribute_of(group, names.FORMULA_RESULTS)) or ()
    units = as_text(attribute_of(group, names.FORMULA_UNITS))
    return FormulaGroup(group, field, text, dtype, axes, units, results, is_applied(group))


def is_applied(group: Any) -> bool:
    """Whether the field of a formula group holds calibrated values already.

    Raises
    ------
    FileError
        What says so is not one boolean in the group itself.
    """
    link = link_of(group, names.APPLIED)
    if link is None:
        return False
    dataset = group[names.APPLIED] if isinstance(link, h5py.HardLink) else None
    if (
        not isinstance(dataset, h5py.Dataset)
        or dataset.size != 1
        or dataset.dtype.kind not in "biu"
    ):
        message = f"{names.APPLIED} in {_where(group)} is not one boolean"
        raise FileError(message, group.file.filename)
    return bool(dataset[()])


def _where(group: Any) -> str:
    return f"'{group.name}' of {group.file.filename}"


def _required_text(group: Any, name: str) -> str:
    text = as_text(attribute_of(group, name))
    if text is None:
        raise FileError(f"{_where(group)} has no text attribute {name!r}", group.file.filename)
    return text


def _axes(group: Any, name: str) -> tuple[str, ...] | None:
    value = attribute_of(group, name)
    if value is None:
        return None
    found = as_names(value)
    if found is None or not all(_AXIS.fullmatch(axis) for axis in found):
        message = f"attribute {name} of {_where(group)} is not a list of dimension names"
        raise DimensionError(message)
    return found


def describe(group: Any) -> dict[str, Any]:
    """A formula group as JSON: what `schemas/formula` describes.

    Parameters
    ----------
    group : h5py.Group
        The group; its links are not followed.
    """
    attributes = {name: _json(attribute_of(group, name)) for name in group.attrs}
    nx_class = attributes.pop("NX_class", None)
    members = {name: describe_member(group, name) for name in group}
    return {
        "name": group.name.rsplit("/", 1)[-1],
        "nx_class": nx_class,
        "attributes": attributes,
        "members": members,
    }


def _json(value: Any) -> Any:
    text = as_text(value)
    if text is not None and getattr(value, "ndim", 0) == 0:
        return text
    listed = as_names(value)
    if listed is not None:
        return list(listed)
    return value.tolist() if hasattr(value, "tolist") else repr(value)


def describe_member(group: Any, name: str) -> Mapping[str, Any]:
    """A member of a formula group as JSON; its link is not followed."""
    link = link_of(group, name)
    if isinstance(link, h5py.SoftLink):
        return {"kind": "soft link", "target": link.path}
    if isinstance(link, h5py.ExternalLink):
        return {"kind": "external link", "file": link.filename, "target": link.path}
    if not isinstance(link, h5py.HardLink):
        return {"kind": "user-defined link"}
    member = group[name]
    if not isinstance(member, h5py.Dataset):
        return {"kind": "group"}
    is_text = h5py.check_string_dtype(member.dtype) is not None
    found = {
        "kind": "dataset",
        "dtype": "string" if is_text else member.dtype.name,
        "shape": list(member.shape or ()),
    }
    if names.is_reserved(name) and member.size == 1:
        value = member[()]
        found["value"] = as_text(value) if is_text else value.reshape(-1)[0].item()
    return found
