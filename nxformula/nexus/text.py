"""Attributes and strings in HDF5 files, whatever way they were written."""

from __future__ import annotations

from typing import Any

import numpy as np

from nxformula.errors import FileError


def as_text(value: Any) -> str | None:
    """One string from an attribute or a scalar dataset; None if it is something else.

    Examples
    --------
    >>> as_text(b"NXmx"), as_text(np.array(["keV"], object)), as_text(3)
    ('NXmx', 'keV', None)
    """
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        # h5py keeps bytes that are not UTF-8 as lone surrogates, which cannot be printed.
        return value.encode("utf-8", "replace").decode("utf-8")
    return None


def as_names(value: Any) -> tuple[str, ...] | None:
    """A list of strings from an attribute; None if it is something else.

    Examples
    --------
    >>> as_names(np.array([b"slow", b"fast"])), as_names("frame")
    (('slow', 'fast'), ('frame',))
    """
    if isinstance(value, np.ndarray) and value.ndim == 1:
        names = [as_text(item) for item in value]
    else:
        names = [as_text(value)]
    return None if None in names else tuple(name for name in names if name is not None)


def attribute_of(holder: Any, name: str) -> Any:
    """An attribute of a group or dataset, None if there is none.

    Raises
    ------
    FileError
        It cannot be read.
    """
    try:
        return holder.attrs.get(name)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        file = holder.file.filename
        where = f"'{holder.name}' of {file}"
        raise FileError(f"attribute {name} of {where} is unreadable: {error}", file) from None
