"""Read the metadata tree of a file: one pass, every object once, links followed step by step."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import h5py
import numpy as np

from nxformula.errors import (
    CorruptFileError,
    FileError,
    ForbiddenPathError,
    MissingSourceError,
)
from nxformula.nexus.access import Access
from nxformula.nexus.files import FilePool, hdf5_reason, open_file, reading
from nxformula.nexus.links import Resolver, UserLink, check_declared, declared_bytes, link_of
from nxformula.nexus.metadata.nodes import (
    Attribute,
    Broken,
    Field,
    Group,
    Link,
    Node,
    Source,
)
from nxformula.nexus.metadata.values import (
    FAULTS,
    attributes_of,
    blocks_of,
    clean,
    dtype_of,
    filters_of,
    is_small,
    value_of,
)

#: Bytes of values that are kept of all fields together.
_MOST_KEPT: Final = 1 << 29
#: Objects of a tree, and values that are streamed of one field.
_MOST_OBJECTS: Final = 1_000_000
_MOST_STREAMED: Final = 1 << 28


class MetadataFile:
    """A file whose metadata are read.

    Parameters
    ----------
    path : path
        The file.
    allow : iterable of path
        As `Access` takes them.
    external : bool
        Whether links to other files are followed.

    Attributes
    ----------
    root : Group
        The tree. Large fields can be streamed until the file is closed.

    Raises
    ------
    FileError
        The file cannot be opened, or has too many objects.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "a.h5")
    >>> with h5py.File(path, "w") as file:
    ...     file["entry/title"] = "nothing"
    >>> with MetadataFile(path) as file:
    ...     file.root.group("entry").field("title").words
    'nothing'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        allow: Iterable[str | os.PathLike[str]] = (),
        external: bool = True,
    ) -> None:
        self.path = os.fspath(path)
        self._file = open_file(path)
        self._pool = FilePool(self._file)
        self._resolver = Resolver(self._pool, Access(path, tuple(allow)))
        self._external = external
        self._room = _MOST_KEPT
        self._nodes: dict[tuple[int, Any], Node] = {}
        self._links: deque[tuple[Group, Any, Any, Link]] = deque()
        self._pending: deque[tuple[Group, Any]] = deque()
        try:
            self.root = self._read_root()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> MetadataFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and those that links led to."""
        self._pool.close()

    def _read_root(self) -> Group:
        with reading("its root", self.path):
            root = self._node("/", self._file["/"], None)
        assert isinstance(root, Group), "HDF5 opens a root that is a group"
        self._descend()
        # What is simply there has its own path; only then links are followed.
        while self._links:
            group, name, parent, link = self._links.popleft()
            path = _join(group.path, name)
            group.members[clean(name)] = self._follow(path, parent, name, link)
            self._descend()
        return root

    def _descend(self) -> None:
        while self._pending:
            group, stored = self._pending.popleft()
            for name in sorted(_names(stored), key=clean):
                self._member(group, name, stored)

    def _member(self, group: Group, name: Any, stored: Any) -> None:
        """Add a member; h5py gives names that are no text as bytes."""
        path = _join(group.path, name)
        shown = clean(name)
        try:
            link = link_of(stored, name)
        except FileError as error:
            group.members[shown] = Broken(path, kind="unreadable", problem=str(error))
            return
        if isinstance(link, h5py.HardLink):
            group.members[shown] = self._open(path, stored, name, None)
        elif isinstance(link, h5py.SoftLink):
            self._later(group, name, stored, Link("soft", clean(link.path)))
        elif isinstance(link, h5py.ExternalLink):
            self._later(
                group, name, stored, Link("external", clean(link.path), clean(link.filename))
            )
        elif isinstance(link, UserLink):
            kind = Link("user-defined")
            problem = "a link of a user-defined kind is never followed"
            group.members[shown] = Broken(path, {}, kind, "forbidden", problem)

    def _later(self, group: Group, name: Any, stored: Any, link: Link) -> None:
        # Keeps the place among the members until the link is followed.
        group.members[clean(name)] = Broken(_join(group.path, name), {}, link, "not followed", "")
        self._links.append((group, name, stored, link))

    def _open(self, path: str, stored: Any, name: Any, link: Link | None) -> Node:
        try:
            return self._node(path, stored[name], link)
        except FAULTS as error:
            return Broken(path, {}, link, "unreadable", hdf5_reason(error))

    def _follow(self, path: str, stored: Any, name: Any, link: Link) -> Node:
        if link.kind == "external" and not self._external:
            return Broken(path, {}, link, "not followed", "links to other files are not followed")
        try:
            found = self._resolver.find(stored, name).object
        except FileError as error:
            return Broken(path, {}, link, _kind(error), str(error), str(error.path))
        except KeyError as error:
            return Broken(path, {}, link, "missing", str(error.args[0]))
        try:
            return self._node(path, found, link)
        except FAULTS as error:
            return Broken(path, {}, link, "unreadable", hdf5_reason(error))

    def _node(self, path: str, stored: Any, link: Link | None) -> Node:
        """The node of an object; one that was met before is the same again."""
        info = h5py.h5o.get_info(stored.id)
        identity = info.fileno, info.addr
        before = self._nodes.get(identity)
        if isinstance(before, Group):
            return Group(path, before.attributes, link, before.members, before.path)
        if isinstance(before, Field):
            return _again(before, path, link)
        if len(self._nodes) >= _MOST_OBJECTS:
            message = f"{self.path} has more than {_MOST_OBJECTS:,} objects"
            raise CorruptFileError(message, self.path)
        attributes = attributes_of(stored)
        node: Node
        if isinstance(stored, h5py.Group):
            node = Group(path, attributes, link)
            self._pending.append((node, stored))
        elif isinstance(stored, h5py.Dataset):
            node = self._field(path, attributes, link, stored)
        else:
            node = Field(path, attributes, link, dtype="datatype", shape=None)
        self._nodes[identity] = node
        return node

    def _field(
        self, path: str, attributes: dict[str, Attribute], link: Link | None, stored: Any
    ) -> Field:
        dtype, shape = dtype_of(stored), stored.shape
        field = Field(path, attributes, link, dtype, shape)
        if stored.chunks:
            field.chunks = stored.chunks
            field.filters, field.missing_filters = filters_of(stored)
        if stored.is_virtual:
            field.sources = self._sources(stored)
            field.unfilled = _unfilled(stored)
        broken = any(source.problem for source in field.sources) or field.missing_filters
        if broken or not field.size:
            return field
        if not field.is_numeric and not field.is_text:
            return field
        try:
            if stored.is_virtual or stored.external:
                # Refuses storage in files that may not be read.
                self._resolver.stored_bytes(stored)
            check_declared(self._resolver, stored, declared_bytes(stored))
        except FileError:
            return field
        size = declared_bytes(stored)
        if is_small(field, stored) and size <= self._room:
            self._room -= size
            field.value = value_of(stored, field.is_text)
        elif field.is_numeric and field.size <= _MOST_STREAMED:
            field.blocks = lambda: blocks_of(stored)
        return field

    def _sources(self, stored: Any) -> tuple[Source, ...]:
        mappings = dict.fromkeys((s.file_name, s.dset_name) for s in stored.virtual_sources())
        return tuple(self._source(stored, file, path) for file, path in mappings)

    def _source(self, stored: Any, file: str, path: str) -> Source:
        names = clean(file), clean(path)
        if file != "." and not self._external:
            return Source(*names, "links to other files are not followed", "not followed")
        try:
            source = self._resolver.virtual_source(stored, file, path)
        except FileError as error:
            return Source(*names, str(error), _kind(error), str(error.path))
        problem = _mapping_problem(stored, source, file, path)
        return Source(*names) if problem is None else Source(*names, problem, "unfit")


def _kind(error: FileError) -> str:
    """Why something cannot be reached."""
    if isinstance(error, ForbiddenPathError):
        return "forbidden"
    if isinstance(error, MissingSourceError):
        return "missing file" if "no such file" in str(error) else "missing"
    is_cycle = isinstance(error, CorruptFileError) and "circle" in str(error)
    return "cycle" if is_cycle else "unreadable"


def _mapping_problem(stored: Any, source: Any, file: str, path: str) -> str | None:
    """Why a source does not fit what a virtual dataset maps of it."""
    if not np.can_cast(source.dtype, stored.dtype):
        return f"it holds {source.dtype.name}, and {stored.dtype.name} is mapped"
    for mapping in stored.virtual_sources():
        if (mapping.file_name, mapping.dset_name) != (file, path):
            continue
        wanted = mapping.src_space
        if wanted.get_select_type() == h5py.h5s.SEL_ALL:
            count = mapping.vspace.get_select_npoints()
            if not _is_growing(mapping.vspace) and count != source.size:
                return f"it has {source.size} values, and {count} are mapped"
        elif not _fits(wanted, source.shape):
            return f"its shape is {source.shape}, and part of {tuple(wanted.shape)} is mapped"
    return None


def _is_growing(space: Any) -> bool:
    """Whether a selection has no end."""
    if space.get_select_type() != h5py.h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        return False
    return any(h5py.h5s.UNLIMITED in each for each in space.get_regular_hyperslab())


def _unfilled(stored: Any) -> int:
    """Frames of a virtual dataset for which there is no mapping at all."""
    if len(stored.shape) < 3:
        return 0
    filled = np.zeros(stored.shape[0], bool)
    for mapping in stored.virtual_sources():
        space = mapping.vspace
        if space.get_select_type() == h5py.h5s.SEL_ALL or _is_growing(space):
            return 0
        low, high = space.get_select_bounds()
        filled[low[0] : high[0] + 1] = True
    return int(np.count_nonzero(~filled))


def _again(field: Field, path: str, link: Link | None) -> Field:
    return Field(
        path,
        field.attributes,
        link,
        field.dtype,
        field.shape,
        field.value,
        field.chunks,
        field.filters,
        field.missing_filters,
        field.sources,
        field.unfilled,
        field.path,
        field.blocks,
    )


def _fits(space: Any, shape: tuple[int, ...]) -> bool:
    """Whether what is selected lies inside of a shape."""
    if len(space.shape) != len(shape):
        return False
    if _is_growing(space):
        return True
    try:
        _, last = space.get_select_bounds()
    except (RuntimeError, ValueError):
        return False
    return all(end < length for end, length in zip(last, shape, strict=True))


def _join(path: str, name: Any) -> str:
    return f"{path.rstrip('/')}/{clean(name)}"


def _names(stored: Any) -> list[Any]:
    try:
        return list(stored)
    except FAULTS:
        return []
