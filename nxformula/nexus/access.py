"""Which files may be read: those under the master's folder, and folders that the user allows."""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterable
from pathlib import Path

from nxformula.errors import FileError, ForbiddenPathError, MissingSourceError

#: Folders that may be read, separated as in PATH.
ENVIRONMENT = "NXFORMULA_ALLOW"


class Access:
    """Folders below which files may be opened for one master.

    Never widened by the file or by its folder: only by the caller, the environment variable
    NXFORMULA_ALLOW, and the user's configuration.

    Parameters
    ----------
    master : path
        The file that the user named.
    allow : path or iterable of path
        More folders.

    Raises
    ------
    ValueError
        A folder has no name.

    Attributes
    ----------
    master : str
        Absolute path of the master.
    allow, roots : tuple of str
        The folders that the caller allows, and all that may be read.
    used : set of str
        Real paths of the files that links led to.
    """

    def __init__(
        self,
        master: str | os.PathLike[str],
        allow: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    ) -> None:
        self.master = path = os.path.abspath(master)
        self.allow = tuple(_absolute(folder) for folder in _each(allow))
        own = {os.path.realpath(os.path.dirname(path)), os.path.dirname(os.path.realpath(path))}
        more = (*self.allow, *_from_environment(), *_from_configuration())
        self.used: set[str] = set()
        self.roots = (*sorted(own), *(os.path.realpath(folder) for folder in more))

    def find(self, name: str, folder: str, what: str) -> str:
        """The file that a link names, if it may be read.

        Parameters
        ----------
        name : str
            As stored in the link: absolute, or relative to `folder`.
        folder : str
            Folder of the file that holds the link. Only this place is looked at; HDF5 itself would
            go on to look in the working directory and for the same base name elsewhere.
        what : str
            Begins an error message: which link it is.

        Raises
        ------
        ForbiddenPathError
            The file is outside the folders that may be read.
        MissingSourceError
            There is no such file.
        """
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        if not any(_is_below(real, root) for root in self.roots):
            outside = os.path.dirname(real)
            message = (
                f"{what} is in {real}, outside the folder of the file; to permit it add "
                f"--allow {shlex.quote(outside)} (in Python allow=[{outside!r}])"
            )
            raise ForbiddenPathError(message, real)
        if not os.path.isfile(real):
            raise MissingSourceError(f"{what} is in {path}, and there is no such file", path)
        self.used.add(real)
        return real


def _each(
    allow: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> Iterable[str | os.PathLike[str]]:
    """One folder or many: the letters of a name are no folders."""
    return (allow,) if isinstance(allow, str | os.PathLike) else allow


def _absolute(folder: str | os.PathLike[str]) -> str:
    if not os.fspath(folder):
        raise ValueError("a folder to allow has an empty name; '.' is the working directory")
    return os.path.abspath(folder)


def _is_below(path: str, root: str) -> bool:
    return os.path.commonpath([path, root]) == root


def _from_environment() -> list[str]:
    return [folder for folder in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if folder]


def _from_configuration() -> list[str]:
    """Folders in `allow = [...]` of the user's `nxformula/config.toml`."""
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    path = Path(home, "nxformula", "config.toml")
    try:
        folders = tomllib.loads(path.read_text(encoding="utf-8")).get("allow", [])
    except OSError:
        return []
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read as TOML: {error}", path) from None
    if not isinstance(folders, list) or not all(isinstance(f, str) for f in folders):
        raise FileError(f"{path}: 'allow' is not a list of folders", path)
    return [os.path.expanduser(folder) for folder in folders]
