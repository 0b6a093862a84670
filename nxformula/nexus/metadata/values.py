"""Values of HDF5 attributes and datasets as the metadata tree holds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.links import declared_bytes
from nxformula.nexus.metadata.nodes import TEXT, Attribute, Field
from nxformula.nexus.text import as_text

#: Values that are kept of fields with one dimension, and of others.
_MOST_1D: Final = 1 << 20
_MOST: Final = 4096
#: Bytes of text that are kept of a field, and bytes of an attribute.
_MOST_TEXT: Final = 1 << 20
_MOST_ATTRIBUTE: Final = 1 << 16
#: Bytes that are read at a time when all values are asked for.
_BLOCK_BYTES: Final = 16 << 20
#: Attributes that no rule could want, and that HDF5 keeps for itself.
_INTERNAL: Final = ("CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "DIMENSION_SCALE")
#: Types of HDF5 that are numbers.
_NUMBERS: Final = (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID)
#: What h5py raises for what it cannot read.
FAULTS: Final = (OSError, RuntimeError, KeyError, TypeError, ValueError, UnicodeError)


def clean(text: Any) -> str:
    """A name or a path as text; h5py gives what is no UTF-8 as bytes."""
    return as_text(text) or ""


def attributes_of(stored: Any) -> dict[str, Attribute]:
    """The attributes of an object, decoded; None for what cannot be."""
    found: dict[str, Attribute] = {}
    try:
        names = list(stored.attrs)
    except FAULTS:
        return found
    for name in names:
        if name in _INTERNAL:
            continue
        try:
            found[clean(name)] = _attribute(stored, name)
        except FAULTS:
            found[clean(name)] = None
    return found


def _attribute(stored: Any, name: Any) -> Attribute:
    stated = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    kept = h5py.h5a.open(stored.id, stated)
    if kept.get_storage_size() > _MOST_ATTRIBUTE:
        return None
    if not isinstance(kept.get_type(), _NUMBERS):
        return plain(stored.attrs[name])
    # The way through h5py's mapping takes twice as long, and a file has thousands.
    value = np.empty(kept.shape, kept.dtype)
    kept.read(value)
    return plain(value)


def plain(value: Any) -> Attribute:
    """Whatever h5py gives for an attribute, as text, number, boolean or list.

    Examples
    --------
    >>> plain(np.bytes_(b"NXmx")), plain(np.array([1.5, 2])), plain(h5py.Empty("f4"))
    ('NXmx', [1.5, 2.0], None)
    """
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()] if value.ndim else plain(value[()])
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    text = as_text(value)
    if text is not None:
        return text
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float) else None


def dtype_of(stored: Any) -> str:
    """The name of a dtype, or what else a dataset holds."""
    try:
        dtype = stored.dtype
    except TypeError:
        return "unknown"
    if h5py.check_string_dtype(dtype) is not None:
        return TEXT
    if dtype.names:
        return "compound"
    if h5py.check_ref_dtype(dtype) is not None:
        return "reference"
    if h5py.check_vlen_dtype(dtype) is not None:
        return "vlen"
    if dtype.kind in "biuf" and not dtype.subdtype:
        return str(dtype.name)
    return "opaque"


def filters_of(stored: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The filters of a dataset, and those of them that are not here."""
    properties = stored.id.get_create_plist()
    found, missing = [], []
    for k in range(properties.get_nfilters()):
        number, _, _, name = properties.get_filter(k)
        text = name.split(b";")[0].decode("utf-8", "replace") or f"filter {number}"
        found.append(text)
        if not h5py.h5z.filter_avail(number):
            missing.append(f"{text} ({number})" if text != f"filter {number}" else text)
    return tuple(found), tuple(missing)


def is_small(field: Field, stored: Any) -> bool:
    """Whether the values of a field are kept."""
    shape = field.shape or ()
    if field.is_text:
        return field.size <= _MOST and declared_bytes(stored) <= _MOST_TEXT
    return field.size <= (_MOST_1D if len(shape) == 1 else _MOST)


def value_of(stored: Any, is_text: bool) -> Any:
    """The values of a small dataset; None if they cannot be read."""
    try:
        if not is_text:
            numbers = np.empty(stored.shape, stored.dtype)
            stored.id.read(h5py.h5s.ALL, h5py.h5s.ALL, numbers)
            return numbers
        value = stored[()]
    except FAULTS:
        return None
    if isinstance(value, np.ndarray):
        return [as_text(item) or "" for item in value.reshape(-1)]
    return as_text(value)


def blocks_of(stored: Any) -> Iterator[Array]:
    """All values, some at a time along the first dimension."""
    rows = max(1, _BLOCK_BYTES * stored.shape[0] // max(1, declared_bytes(stored)))
    if stored.chunks:
        rows = max(1, rows // stored.chunks[0]) * stored.chunks[0]
    for start in range(0, stored.shape[0], rows):
        yield stored[start : start + rows]
