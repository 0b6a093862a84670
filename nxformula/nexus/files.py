"""Open HDF5 files for reading, and turn what HDF5 says into errors that name the object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py

from nxformula.errors import CorruptFileError, FileError


def open_file(path: str | os.PathLike[str], mode: str = "r") -> Any:
    """Open an HDF5 file.

    Raises
    ------
    FileError
        There is no such file, it is a folder, or may not be read.
    CorruptFileError
        It is not HDF5, or is truncated.
    """
    # Registers the filters that detectors use (bitshuffle, LZ4 and others).
    import hdf5plugin  # noqa: F401

    path = os.fspath(path)
    if os.path.isdir(path):
        raise FileError(f"{path} is a folder; expected an HDF5 file", path)
    if not os.path.exists(path):
        raise FileError(f"{path}: no such file", path)
    if not os.path.isfile(path):
        raise FileError(f"{path} is not a regular file; expected an HDF5 file", path)
    if not os.access(path, os.R_OK):
        raise FileError(f"{path}: no permission to read it", path)
    try:
        return h5py.File(path, mode)
    except (OSError, RuntimeError) as error:
        raise CorruptFileError(f"{path}: {hdf5_reason(error)}", path) from None


@contextmanager
def reading(what: str, path: str) -> Iterator[None]:
    """Run a read; a failure of HDF5 becomes a `CorruptFileError` that names the object."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, UnicodeError) as error:
        message = f"{what} in {path} cannot be read: {hdf5_reason(error)}"
        raise CorruptFileError(message, path) from None


def hdf5_reason(error: Exception) -> str:
    """HDF5's message without the parts that say nothing to a user."""
    text = str(error.args[-1] if error.args else error)
    known = {
        "truncated file": "the file is truncated",
        "file signature not found": "not an HDF5 file",
        "unable to lock file": "the file is locked by another program",
    }
    for sign, meaning in known.items():
        if sign in text:
            return meaning
    return " ".join(text.split())


class FilePool:
    """Files that the links of one master lead to, each opened once.

    Parameters
    ----------
    master : h5py.File
        The first of them.
    """

    def __init__(self, master: Any) -> None:
        self._files: dict[str, Any] = {os.path.realpath(master.filename): master}

    def open(self, path: str) -> Any:
        """The file at a real path."""
        if path not in self._files:
            self._files[path] = open_file(path)
        return self._files[path]

    @property
    def paths(self) -> tuple[str, ...]:
        """Real paths of all open files."""
        return tuple(self._files)

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
        self._files.clear()
