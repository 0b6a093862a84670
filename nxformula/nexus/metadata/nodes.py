"""The nodes of a metadata tree, which knows no HDF5 and can be written as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.digest import digest

#: A decoded attribute: text, number, boolean, a list of them, or None for what has no values.
Attribute: TypeAlias = str | bool | int | float | list[Any] | None

#: Dtypes of fields that are no numbers.
TEXT: Final = "string"
OPAQUE: Final = ("compound", "reference", "opaque", "datatype", "vlen", "unknown")


@dataclass(frozen=True, slots=True)
class Link:
    """How a member is linked, if it is not simply there.

    Attributes
    ----------
    kind : {"soft", "external", "user-defined"}
        The kind of link.
    target : str
        Path of the object.
    file : str or None
        File of an external link, as it is written.
    """

    kind: str
    target: str = ""
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.target}" if self.file is not None else self.target


@dataclass(frozen=True, slots=True)
class Source:
    """What a virtual dataset takes from elsewhere.

    Attributes
    ----------
    file, path : str
        As they are written.
    problem : str or None
        Why it cannot be used, if it cannot.
    kind : str
        As that of `Broken`, if there is a problem.
    cause : str
        The file at fault, if there is a problem.
    """

    file: str
    path: str
    problem: str | None = None
    kind: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is known of all values of a large field.

    Attributes
    ----------
    least, most : float
        Of the finite values; NaN if there are none.
    finite, nonzero : int
        How many values are.
    bits : int
        Bitwise or of all values of an integer field, else 0.
    """

    least: float
    most: float
    finite: int
    nonzero: int
    bits: int


@dataclass(slots=True, eq=False)
class Node:
    """Something that a group has under a name.

    Attributes
    ----------
    path : str
        Where it is in the tree.
    attributes : dict
        Decoded.
    link : Link or None
        How it is linked, if it is not simply there.
    """

    path: str
    attributes: dict[str, Attribute] = field(default_factory=dict)
    link: Link | None = None

    @property
    def name(self) -> str:
        """The last name of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def nx_class(self) -> str | None:
        """The class, in whatever way it is written."""
        return as_text(self.attributes.get("NX_class"))

    def text(self, attribute: str) -> str | None:
        """An attribute as one text; None if it is none."""
        return as_text(self.attributes.get(attribute))

    def numbers(self, attribute: str) -> Array | None:
        """An attribute as a flat array of numbers; None if it is none."""
        return as_numbers(self.attributes.get(attribute))


@dataclass(slots=True, eq=False)
class Group(Node):
    """A group.

    Attributes
    ----------
    members : dict of Node
        By name. A group that was met before shares the members of the first.
    same_as : str or None
        Path of the group that was met before.
    """

    members: dict[str, Node] = field(default_factory=dict)
    same_as: str | None = None

    def group(self, name: str) -> Group | None:
        """A member that is a group."""
        found = self.members.get(name)
        return found if isinstance(found, Group) else None

    def field(self, name: str) -> Field | None:
        """A member that is a field."""
        found = self.members.get(name)
        return found if isinstance(found, Field) else None

    def fields(self) -> Iterator[Field]:
        """The members that are fields."""
        return (node for node in self.members.values() if isinstance(node, Field))

    def groups(self, nx_class: str | None = None) -> Iterator[Group]:
        """The members that are groups, of a class."""
        for node in self.members.values():
            if isinstance(node, Group) and (nx_class is None or node.nx_class == nx_class):
                yield node


@dataclass(slots=True, eq=False)
class Field(Node):
    """A field.

    Attributes
    ----------
    dtype : str
        Name of the NumPy dtype, `string`, or what else it holds.
    shape : tuple of int or None
        None for a dataset without values.
    value : ndarray, str, list of str, or None
        The values, where they are few.
    chunks : tuple of int or None
        The shape of chunks.
    filters : tuple of str
        Names or numbers of filters.
    missing_filters : tuple of str
        Those that are not there to read the values.
    sources : tuple of Source
        Of a virtual dataset.
    unfilled : int
        Frames of a virtual dataset that no source gives.
    blocks : callable or None
        Reads all values, some at a time; gone when the tree is detached.
    """

    dtype: str = "float64"
    shape: tuple[int, ...] | None = ()
    value: Any = None
    chunks: tuple[int, ...] | None = None
    filters: tuple[str, ...] = ()
    missing_filters: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    unfilled: int = 0
    same_as: str | None = None
    blocks: Callable[[], Iterable[Array]] | None = None
    _statistics: Statistics | None = None

    @property
    def is_text(self) -> bool:
        """Whether it holds text."""
        return self.dtype == TEXT

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers or booleans."""
        return not self.is_text and self.dtype not in OPAQUE

    @property
    def is_integer(self) -> bool:
        """Whether it holds integers."""
        return self.is_numeric and np.dtype(self.dtype).kind in "iu"

    @property
    def size(self) -> int:
        """How many values it has."""
        count = 0 if self.shape is None else 1
        for length in self.shape or ():
            count *= length
        return count

    @property
    def words(self) -> str | None:
        """The value as one text; None if it is none."""
        return as_text(self.value)

    @property
    def flat(self) -> Array | None:
        """The values as a flat array of float64; None if they are no numbers or too many."""
        if not self.is_numeric or self.value is None:
            return None
        return np.asarray(self.value, np.float64).reshape(-1)

    @property
    def scalar(self) -> float | None:
        """The only value."""
        found = self.flat
        return float(found[0]) if found is not None and found.size == 1 else None

    @property
    def units(self) -> str | None:
        """The attribute `units`."""
        return self.text("units")

    @property
    def statistics(self) -> Statistics | None:
        """What is known of all values; read when first asked for, None where it cannot be."""
        if self._statistics is None and self.is_numeric and self.size:
            if self.value is not None:
                self._statistics = summarize([np.asarray(self.value)])
            elif self.blocks is not None:
                self._statistics = summarize(self.blocks())
        return self._statistics

    @property
    def checksum(self) -> str | None:
        """The digest of all values; None where they cannot be read."""
        blocks = [np.asarray(self.value)] if self.value is not None else None
        if (blocks is None and self.blocks is None) or not self.is_numeric or self.shape is None:
            return None
        try:
            return digest(self.dtype, self.shape, blocks or self.blocks())  # type: ignore[misc]
        except (OSError, RuntimeError, MemoryError):
            return None


@dataclass(slots=True, eq=False)
class Broken(Node):
    """A member that cannot be reached.

    Attributes
    ----------
    kind : {"missing", "missing file", "forbidden", "cycle", "unreadable", "not followed"}
        Why.
    problem : str
        What is to be said of it.
    cause : str
        The file at fault.
    """

    kind: str = "missing"
    problem: str = ""
    cause: str = ""


def summarize(blocks: Iterable[Array]) -> Statistics | None:
    """Statistics of values that come in blocks; None if they cannot be read.

    Examples
    --------
    >>> summarize([np.array([1, 0]), np.array([4])])
    Statistics(least=0.0, most=4.0, finite=3, nonzero=2, bits=5)
    """
    least, most, finite, nonzero, bits = np.inf, -np.inf, 0, 0, 0
    try:
        for block in blocks:
            flat = block.reshape(-1)
            good = flat if flat.dtype.kind != "f" else flat[np.isfinite(flat)]
            if good.size:
                least, most = min(least, float(good.min())), max(most, float(good.max()))
            finite += good.size
            nonzero += int(np.count_nonzero(flat))
            if flat.dtype.kind in "iu" and flat.size:
                bits |= int(np.bitwise_or.reduce(flat)) & (2 ** (8 * flat.dtype.itemsize) - 1)
    except (OSError, RuntimeError, MemoryError):
        return None
    if not finite:
        least = most = float("nan")
    return Statistics(least, most, finite, nonzero, bits)


def as_text(value: Any) -> str | None:
    """One text, or a list of one."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else None


def as_numbers(value: Any) -> Array | None:
    """A flat array of numbers."""
    if value is None:
        return None
    try:
        found = np.asarray(value)
    except ValueError:
        return None
    if found.dtype.kind not in "biuf":
        return None
    return found.astype(np.float64).reshape(-1)


def walk(group: Group) -> Iterator[Node]:
    """A group and all that is below it, each object once, in the order of their names."""
    pending: list[Node] = [group]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, Group) and node.same_as is None:
            pending += [node.members[name] for name in sorted(node.members, reverse=True)]
