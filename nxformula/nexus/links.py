"""Follow links step by step, so that no file is read that may not be.

HDF5 itself follows external links, virtual sources and external raw storage anywhere. Here every
step of a path is looked at first, and a dataset is handed out only after all files that reading it
would touch have been checked.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import h5py

from nxformula.errors import CorruptFileError, FileError, ForbiddenPathError, MissingSourceError
from nxformula.nexus.access import Access
from nxformula.nexus.files import FilePool, reading

#: Links followed on the way to one object.
_HOPS: Final = 32
#: Virtual datasets made of virtual datasets made of ...
_DEPTH: Final = 8
#: Environment variables that make HDF5 look elsewhere for linked files.
_REDIRECTIONS: Final = ("HDF5_VDS_PREFIX", "HDF5_EXT_PREFIX", "HDF5_EXTFILE_PREFIX")


class NoObjectError(KeyError):
    """The path itself names nothing: what h5py says with a KeyError."""

    def __str__(self) -> str:
        return str(self.args[0])


class UserLink:
    """A link of a kind that some program has defined for itself."""


def link_of(group: Any, name: str) -> Any:
    """The link of a member, which is not followed; None if there is no such member.

    Parameters
    ----------
    group : h5py.Group
        Not a view.
    name : str
        One name, not a path.

    Returns
    -------
    h5py.HardLink, h5py.SoftLink, h5py.ExternalLink, UserLink or None
    """
    try:
        return group.get(name, getlink=True)
    except TypeError:
        return UserLink()
    except (OSError, RuntimeError, ValueError) as error:
        file = group.file.filename
        message = f"'{group.name.rstrip('/')}/{name}' in {file}: unreadable link ({error})"
        raise CorruptFileError(message, file) from None


@dataclass(frozen=True, slots=True)
class Found:
    """An object, and the ways to it.

    Attributes
    ----------
    object : h5py.Group, h5py.Dataset or h5py.Datatype
        What the path leads to.
    places : tuple
        The groups and member names under which it was met: of the path itself, then of every link
        that its last component led to.
    """

    object: Any
    places: tuple[tuple[Any, str], ...]


class Resolver:
    """Finds objects for one master.

    Parameters
    ----------
    pool : FilePool
        Where files are opened.
    access : Access
        Which files may be opened.
    """

    def __init__(self, pool: FilePool, access: Access) -> None:
        self.pool = pool
        self.access = access
        self._stored: dict[tuple[str, str], int] = {}

    def find(self, group: Any, path: str) -> Found:
        """Follow a path from a group.

        Raises
        ------
        NoObjectError
            The path itself names nothing.
        MissingSourceError, ForbiddenPathError, CorruptFileError
            A link on the way leads nowhere, where it may not, or in a circle.
        """
        # Views look up their members here, so what is walked are h5py's own groups.
        group = h5py.Group(group.id)
        steps = split(path)[::-1]
        here: Any = group.file["/"] if path.startswith("/") else group
        places: list[tuple[Any, str]] = []
        hops, own = 0, len(steps)
        while steps:
            name = steps.pop()
            linked, own = len(steps) >= own, min(own, len(steps))
            if not steps:
                places.append((here, name))
            link = link_of(here, name) if isinstance(here, h5py.Group) else None
            if link is None:
                self._missing(path, group, linked)
            if isinstance(link, h5py.HardLink):
                here = self._open(here, name)
                continue
            hops += 1
            if hops > _HOPS:
                file = group.file.filename
                message = f"{path} in {file}: more than {_HOPS} links follow one another"
                raise CorruptFileError(f"{message}, they may lead in a circle", file)
            here = self._target(here, name, link)
            steps.extend(split(link.path)[::-1])
        return Found(here, tuple(places))

    def _folder(self, file: Any) -> str:
        """Where links of a file begin, whatever the working directory is by now."""
        name = file.filename
        return os.path.dirname(name if os.path.isabs(name) else self.access.master)

    def _open(self, group: Any, name: str) -> Any:
        with reading(f"'{group.name.rstrip('/')}/{name}'", group.file.filename):
            return group[name]

    def _target(self, group: Any, name: str, link: Any) -> Any:
        """The group where the path of a link begins."""
        if isinstance(link, h5py.SoftLink):
            return group.file["/"] if link.path.startswith("/") else group
        if not isinstance(link, h5py.ExternalLink):
            file = group.file.filename
            message = f"{group.name}/{name} in {file} is a link of a user-defined kind"
            raise ForbiddenPathError(f"{message}, which is never followed", file)
        what = f"'{group.name.rstrip('/')}/{name}', linked to {link.filename}:{link.path},"
        folder = self._folder(group.file)
        return self.pool.open(self.access.find(link.filename, folder, what))["/"]

    def _missing(self, path: str, group: Any, linked: bool) -> NoReturn:
        """Say whether the path itself or a link on the way names nothing."""
        file = group.file.filename
        if linked:
            message = f"'{path}' in {file} is a link, and what it points to does not exist"
            raise MissingSourceError(message, file)
        raise NoObjectError(f"no object {path!r} in {group.name} of {file}")

    def dataset(self, found: Found) -> Any:
        """A dataset that may be read: all files behind it are checked.

        Raises
        ------
        MissingSourceError, ForbiddenPathError
            A virtual source or a file of raw storage is missing or may not be read.
        """
        self.stored_bytes(found.object)
        return found.object

    def stored_bytes(self, dataset: Any, depth: int = 0) -> int:
        """Bytes that a dataset takes in files, its virtual sources included; checks them all."""
        if not isinstance(dataset, h5py.Dataset):
            # Frames of an event index know their sources.
            return int(dataset.stored_bytes())
        key = os.path.realpath(dataset.file.filename), dataset.name
        if key not in self._stored:
            with reading(f"'{dataset.name}'", dataset.file.filename):
                own = int(dataset.id.get_storage_size())
            self._check_raw_storage(dataset)
            if dataset.is_virtual:
                own += self._check_sources(dataset, depth)
            self._stored[key] = own
        return self._stored[key]

    def _check_sources(self, dataset: Any, depth: int) -> int:
        file = dataset.file.filename
        if depth >= _DEPTH:
            message = f"'{dataset.name}' in {file}: virtual datasets nested deeper than {_DEPTH}"
            raise CorruptFileError(f"{message}, they may lead in a circle", file)
        with reading(f"'{dataset.name}'", file):
            sources = {(s.file_name, s.dset_name) for s in dataset.virtual_sources()}
        return sum(self._check_source(dataset, *s, depth) for s in sorted(sources))

    def _check_source(self, dataset: Any, name: str, path: str, depth: int) -> int:
        source = self.virtual_source(dataset, name, path)
        if source.file != dataset.file:
            _refuse_redirections(source.file.filename, dataset.file.filename)
        return self.stored_bytes(source, depth + 1)

    def virtual_source(self, dataset: Any, name: str, path: str) -> Any:
        """The dataset that a virtual one names as a source, which is not looked at yet.

        Raises
        ------
        MissingSourceError, ForbiddenPathError, CorruptFileError
            It is missing, may not be read, or is no dataset.
        """
        file = dataset.file
        what = f"'{dataset.name}', virtual source {name}:{path},"
        if "%" in name.replace("%%", "") or "%" in path.replace("%%", ""):
            message = f"{what} is a name pattern, which cannot be checked"
            raise ForbiddenPathError(message, file.filename)
        if name != ".":
            folder = self._folder(file)
            file = self.pool.open(self.access.find(name, folder, what))
        try:
            source = self.find(file, path).object
        except KeyError:
            message = f"{what} does not exist"
            raise MissingSourceError(message, file.filename) from None
        if not isinstance(source, h5py.Dataset):
            raise CorruptFileError(f"{what} is not a dataset", file.filename)
        return source

    def _check_raw_storage(self, dataset: Any) -> None:
        for name, _, _ in dataset.external or ():
            file = dataset.file.filename
            _refuse_redirections(name, file)
            folder = self._folder(dataset.file)
            found = self.access.find(name, folder, f"'{dataset.name}', raw storage {name},")
            if os.path.realpath(name) != found:
                message = (
                    f"'{dataset.name}' in {file} keeps its values in {name}, which HDF5 seeks in "
                    f"the working directory; change to {folder}"
                )
                raise ForbiddenPathError(message, file)


def split(path: str) -> list[str]:
    """The names in a path.

    Examples
    --------
    >>> split("/entry//./data/")
    ['entry', 'data']
    """
    return [step for step in path.split("/") if step not in ("", ".")]


def _refuse_redirections(name: str, file: str) -> None:
    for variable in _REDIRECTIONS:
        if os.environ.get(variable):
            message = (
                f"{file} refers to {name}, and the environment variable {variable} makes HDF5 "
                "look elsewhere; unset it"
            )
            raise ForbiddenPathError(message, file)


#: A dataset may declare this many bytes whatever it takes in the file.
DECLARED_BYTES: Final = 1 << 30
#: Beyond that, at most this many times what it takes.
DECLARED_RATIO: Final = 1000


def declared_bytes(dataset: Any) -> int:
    """Bytes of all values of a dataset, however many that are; h5py's own numbers overflow."""
    return math.prod(dataset.shape or ()) * int(dataset.dtype.itemsize)


def check_declared(resolver: Resolver, dataset: Any, wanted: int, advice: str = "") -> None:
    """Refuse to take memory for far more than a file holds.

    Parameters
    ----------
    wanted : int
        Bytes that a read would give.
    advice : str
        Ends the message.

    Raises
    ------
    FileError
        More than 1 GiB and more than 1,000 times what is stored.
    """
    if wanted <= DECLARED_BYTES:
        return
    stored = resolver.stored_bytes(dataset)
    if wanted > DECLARED_RATIO * stored:
        file = dataset.file.filename
        message = (
            f"'{dataset.name}' in {file} would give {wanted:,} bytes, and only {stored:,} "
            f"are stored{advice}"
        )
        raise FileError(message, file)
