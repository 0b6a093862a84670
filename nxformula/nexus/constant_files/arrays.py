"""Read arrays of constants: npy, text as psana exports it, raw numbers, HDF5."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import CorruptFileError, FileError, MissingSourceError
from nxformula.nexus.files import hdf5_reason, open_file, reading

#: Bytes of an array that is taken into memory.
_LARGEST: Final = 8 << 30
#: Numbers that a text may have.
_TEXT_NUMBERS: Final = 1 << 28

_NPY: Final = b"\x93NUMPY"
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_HEAD: Final = re.compile(r"#\s*(SHAPE|NDIM|DIM:\d+|DTYPE)\s+(\S.*)")


def read_array(path: str) -> Array:
    """An array in a file of its own, npy or text.

    Parameters
    ----------
    path : str
        npy (no pickled objects), or text: numbers in lines, and comments that begin with `#`. A
        head with `SHAPE`, or `NDIM` and `DIM:1`, `DIM:2`, states the shape; else it is that of
        lines and numbers in a line.

    Raises
    ------
    FileError
        It cannot be read, or holds something else.
    """
    with _opened(path) as file:
        begin = file.read(len(_HDF5))
    if begin == _HDF5:
        raise FileError(f"{path} is HDF5: name the dataset, as {path}:/gains", path)
    return _read_npy(path) if begin.startswith(_NPY) else _read_text(path)


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    try:
        if not os.path.isfile(path):
            # A pipe or a device would be read without an end.
            reason = "no such file" if not os.path.exists(path) else "not a file"
            raise MissingSourceError(f"{path}: {reason}", path)
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", path) from None


def _read_npy(path: str) -> Array:
    try:
        values: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise CorruptFileError(f"{path} is not an array of numbers: {error}", path) from None
    return values


def _read_text(path: str) -> Array:
    size = os.path.getsize(path)
    if size > _TEXT_NUMBERS * 8:
        raise FileError(f"{path} has {size:,} bytes of text; save it as npy", path)
    try:
        text = Path(path).read_text(encoding="ascii")
    except UnicodeDecodeError:
        message = f"{path} is neither npy, HDF5 nor text; --layout says what it is"
        raise FileError(message, path) from None
    head = {match[1]: match[2] for match in _HEAD.finditer(text)}
    try:
        values: Array = np.loadtxt(
            text.splitlines(), dtype=_dtype(head).type, comments="#", ndmin=1
        )
    except ValueError as error:
        raise CorruptFileError(f"{path} is not a text of numbers: {error}", path) from None
    shape = _shape(head, path)
    if shape is None:
        return values
    if math.prod(shape) != values.size:
        message = f"{path} states the shape {shape} and holds {values.size} numbers"
        raise CorruptFileError(message, path)
    return values.reshape(shape)


def _dtype(head: dict[str, str]) -> np.dtype[Any]:
    stated = {"float": "f4", "double": "f8", "int": "i4", "unsigned": "u4"}
    name = head.get("DTYPE", "f8").strip()
    try:
        found = np.dtype(stated.get(name, name))
    except TypeError:
        return np.dtype("f8")
    return found if found.kind in "iuf" else np.dtype("f8")


def _shape(head: dict[str, str], path: str) -> tuple[int, ...] | None:
    numbers = re.findall(r"\d+", head["SHAPE"]) if "SHAPE" in head else []
    if not numbers and "NDIM" in head:
        dims = range(1, int(re.sub(r"\D", "", head["NDIM"]) or 0) + 1)
        missing = [f"DIM:{n}" for n in dims if f"DIM:{n}" not in head]
        if missing:
            raise CorruptFileError(f"{path} states NDIM and no {missing[0]}", path)
        numbers = [head[f"DIM:{n}"] for n in dims]
    return tuple(int(n) for n in numbers) or None


def read_raw(path: str, dtype: str, plane: tuple[int, ...]) -> Array:
    """Numbers and nothing else: as many planes as there are.

    Raises
    ------
    FileError
        It cannot be read, or is no whole number of planes.
    """
    with _opened(path):
        size = os.path.getsize(path)
        each = math.prod(plane) * np.dtype(dtype).itemsize
        if size == 0 or size % each:
            message = f"{path} has {size:,} bytes; expected a multiple of {each:,}, that of a plane"
            raise CorruptFileError(message, path)
        values: Array = np.memmap(path, dtype, "r", shape=(size // each, *plane))
    return values


@contextmanager
def hdf5_file(path: str) -> Iterator[Any]:
    """An HDF5 file, open."""
    with open_file(path) as file:
        yield file


def read_dataset(file: Any, path: str) -> tuple[Array, str | None]:
    """A dataset of numbers with its units.

    Raises
    ------
    FileError
        It is not there, too large, or holds something else.
    """
    name = file.filename
    try:
        found = file[path]
    except (KeyError, RuntimeError, OSError, ValueError) as error:
        reason = "does not exist" if isinstance(error, KeyError) else hdf5_reason(error)
        raise MissingSourceError(f"{name}:{path} {reason}", name) from None
    if not isinstance(found, h5py.Dataset) or not found.shape or found.dtype.kind not in "biuf":
        raise FileError(f"{name}:{path} is not an array of numbers", name)
    if math.prod(found.shape) * found.dtype.itemsize > _LARGEST:
        raise FileError(f"{name}:{path} declares {found.shape}, more than memory may hold", name)
    units = found.attrs.get("units")
    with reading(f"'{path}'", name):
        return found[...], units if isinstance(units, str) else None


def find_constant(file: Any, constant: str) -> str | None:
    """Path of the dataset `NAME/CONSTANT/NUMBER/data` in a file, if there is one.

    Raises
    ------
    FileError
        There are several.
    """
    pattern = re.compile(rf"(?:.*/)?{re.escape(constant)}/\d+/data")
    found: list[str] = []

    def visit(name: str) -> None:
        if pattern.fullmatch(name):
            found.append("/" + name)

    with reading("the list of members", file.filename):
        file.visit(visit)
    if len(found) > 1:
        listed = ", ".join(found)
        message = f"{file.filename} has {len(found)} constants {constant}: {listed}; name one"
        raise FileError(message, file.filename)
    return found[0] if found else None
