"""Write files so that nothing half-written ever stands under the final name."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from nxformula.errors import FileError
from nxformula.nexus.files import hdf5_reason


@contextmanager
def new_file(
    final: str | os.PathLike[str], *, force: bool = False, inputs: Iterable[str] = ()
) -> Iterator[str]:
    """Give a temporary path in the folder of a file; on success rename it to the final name.

    Parameters
    ----------
    final : path
        The name that the file gets.
    force : bool
        Whether a file of this name may be replaced.
    inputs : iterable of str
        Files that are read meanwhile, and so may never be replaced.

    Raises
    ------
    FileError
        The file exists, is an input, or cannot be written.
    """
    final = os.fspath(final)
    folder = os.path.dirname(os.path.abspath(final))
    check_target(final, force=force, inputs=inputs)
    try:
        handle, temporary = tempfile.mkstemp(
            prefix=f".{os.path.basename(final)}.", suffix=".part", dir=folder
        )
    except OSError as error:
        raise FileError(f"{folder}: cannot write here ({error.strerror})", folder) from None
    os.close(handle)
    try:
        yield temporary
        _settle(temporary, final, force)
    except FileError as error:
        if temporary not in error.message:
            raise
        # The temporary name says nothing to a user.
        raise type(error)(error.message.replace(temporary, final), final) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else hdf5_reason(error)
        raise FileError(f"{final} cannot be written: {reason}", final) from None
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def check_target(final: str, *, force: bool, inputs: Iterable[str]) -> None:
    """Refuse a name that a new file could not get.

    Parameters
    ----------
    final, force, inputs
        As `new_file` takes them.

    Raises
    ------
    FileError
        The file exists, is an input, or has no folder.
    """
    folder = os.path.dirname(os.path.abspath(final))
    if not os.path.isdir(folder):
        raise FileError(f"{folder}: no such folder", folder)
    if os.path.isdir(final):
        raise FileError(f"{final} is a folder; expected the name of a new file", final)
    if os.path.realpath(final) in {os.path.realpath(path) for path in inputs}:
        raise FileError(f"{final} is read for this, so it cannot be the output", final)
    if os.path.exists(final) and not force:
        raise FileError(f"{final} exists; add --force (force=True) to replace it", final)


def _settle(temporary: str, final: str, force: bool) -> None:
    """Give a finished file its rights and its name."""
    if os.path.exists(final):
        shutil.copymode(final, temporary)
    else:
        os.chmod(temporary, 0o666 & ~umask())
    with open(temporary, "rb") as file:
        os.fsync(file.fileno())
    if force:
        os.replace(temporary, final)
        return
    try:
        # Unlike a rename, a hard link never replaces a file that appeared meanwhile.
        os.link(temporary, final)
    except FileExistsError:
        raise FileError(f"{final} appeared meanwhile; it is left as it is", final) from None
    except OSError:
        os.replace(temporary, final)


def umask() -> int:
    """The rights that new files of this process lack."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
