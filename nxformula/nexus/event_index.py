"""The event index of a detector: one stack of frames from the stacks of many recorders.

`frame_index` says for each event and module which row of the module's sources belongs to it. The
modules stand one below the other along the slow axis. Nothing is read but the rows that are asked
for; where a module has none, values are the detector's invalid code, and calibrated ones NaN.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.engine.threads import for_each
from nxformula.errors import CorruptFileError, FileError, MissingSourceError, VersionError
from nxformula.language.types import SYMBOL_DTYPES
from nxformula.nexus.links import Resolver, check_declared, declared_bytes, link_of
from nxformula.nexus.parts import read_parts
from nxformula.nexus.selection import Part, select
from nxformula.nexus.text import as_names, as_text, attribute_of
from nxformula.nexus.virtual import from_start, within

#: Name of the group, and what says that it is one.
GROUP: Final = "event_index"
LANGUAGE_ATTRIBUTE: Final = "events_language"
LANGUAGE: Final = "nxevents-1"
INVALID: Final = "invalid_value"
FRAME_INDEX: Final = "frame_index"
SOURCE_ROWS: Final = "source_rows"
SOURCE: Final = "source_{:06}"
#: First slow pixel of a module in an assembled source; frames in a row of a source.
SLOW_ORIGIN: Final = "slow_origin"
FRAMES_IN_ROW: Final = "frames_in_row"
MODULE_SHAPE: Final = "frame_shape"
MODULE_DTYPE: Final = "frame_dtype"
#: Dimensions that a frame has, at most.
_MOST_DIMENSIONS: Final = 6
#: Pixels that a frame has along a dimension, at most.
_LONGEST: Final = 1 << 20
#: Fields that the frames are, and the channel of the frames that each is; -1 for all of a frame.
FIELDS: Final = "fields"
FIELD_CHANNELS: Final = "field_channels"


@dataclass(frozen=True, slots=True)
class Module:
    """The sources of a module.

    Attributes
    ----------
    name : str
        Of its group.
    group : h5py.Group
        Holds links to the sources.
    starts : ndarray of int64
        The row where each source begins, and the number of all rows.
    slow_origin : int
        First slow pixel in the sources.
    frames_in_row : int
        Frames in a row of a source.
    """

    name: str
    group: Any
    starts: Array
    slow_origin: int
    frames_in_row: int


class EventFrames:
    """Frames of all modules of an event index, with the manners of an h5py dataset.

    Parameters
    ----------
    group : h5py.Group
        The event index.
    resolver : Resolver
        Finds the sources.
    channel : int, optional
        Of frames that have a dimension for channels, the one that is wanted.

    Raises
    ------
    FileError
        It is none, or its parts do not go together.
    """

    is_virtual = False
    external = None

    def __init__(self, group: Any, resolver: Resolver, channel: int | None = None) -> None:
        self._resolver = resolver
        self.channel = channel
        self.group = group
        self.file = group.file
        self.name = group.name
        self.attrs: Mapping[str, Any] = MappingProxyType({})
        language = as_text(attribute_of(group, LANGUAGE_ATTRIBUTE))
        if language != LANGUAGE:
            message = f"'{group.name}' is in {language!r}; this release knows {LANGUAGE!r}"
            raise VersionError(message)
        self.index = self._table()
        names = sorted(n for n in group if isinstance(link_of(group, n), h5py.HardLink))
        members = [group[name] for name in names]
        self.modules = [self._module(m) for m in members if isinstance(m, h5py.Group)]
        if not self.modules or self.index.shape[1] != len(self.modules):
            count, columns = len(self.modules), self.index.shape[1]
            raise self._fault(f"has {count} modules, and {FRAME_INDEX} has {columns} columns")
        self._frame, self.dtype, self.invalid = self._stated()
        frame = self._frame
        if channel is not None:
            if len(frame) != 3 or not 0 <= channel < frame[0]:
                raise self._fault(f"has frames {frame}, and channel {channel} is wanted")
            frame = frame[1:]
        self.height = frame[-2]
        self.shape = (len(self.index), *frame[:-2], len(self.modules) * frame[-2], frame[-1])
        self.ndim = len(self.shape)
        self.size = prod(self.shape)
        self.chunks = (1, *self.shape[1:])

    def _fault(self, message: str) -> CorruptFileError:
        path = self.file.filename
        return CorruptFileError(f"'{self.name}' in {path} {message}", path)

    def _member(self, group: Any, name: str) -> Any:
        """A member, found without leaving the files that may be read; None if there is none."""
        if link_of(group, name) is None:
            return None
        return self._resolver.dataset(self._resolver.find(group, name))

    def _stated(self) -> tuple[tuple[int, ...], np.dtype[Any], Any]:
        """Shape and dtype of a frame, and what stands for what is not there."""
        first = self.modules[0].group
        name = as_text(attribute_of(first, MODULE_DTYPE))
        if name not in SYMBOL_DTYPES:
            raise self._fault(f"has frames of {name!r}; expected integers or reals")
        try:
            shape = tuple(int(n) for n in np.atleast_1d(attribute_of(first, MODULE_SHAPE)))
            invalid = attribute_of(self.group, INVALID)
            value = np.dtype(name).type(0 if invalid is None else invalid)
            if invalid is not None and value != invalid and invalid == invalid:
                raise ValueError(f"{invalid} is no {name}")
        except (TypeError, ValueError, OverflowError) as error:
            raise self._fault(f"does not state its frames: {error}") from None
        if not 2 <= len(shape) <= _MOST_DIMENSIONS or min(shape) < 1 or max(shape) > _LONGEST:
            raise self._fault(f"has frames of the shape {shape}")
        return shape, np.dtype(name), value

    def _table(self) -> Array:
        dataset = self._member(self.group, FRAME_INDEX)
        if not isinstance(dataset, h5py.Dataset) or len(dataset.shape or ()) != 2:
            raise self._fault(f"has no table {FRAME_INDEX}")
        if dataset.dtype.kind not in "iu":
            raise self._fault(f"has {FRAME_INDEX} of {dataset.dtype}; expected integers")
        check_declared(self._resolver, dataset, declared_bytes(dataset))
        values = read_parts(dataset, tuple(range(n) for n in dataset.shape))
        # Signed, so that -1 says that there is none.
        return values.astype(np.int64, copy=False) if values.dtype.kind == "u" else values

    def _module(self, group: Any) -> Module:
        name = group.name.rpartition("/")[2]
        rows = self._member(group, SOURCE_ROWS)
        if not isinstance(rows, h5py.Dataset) or rows.dtype.kind not in "iu" or not rows.size:
            raise self._fault(f"has no {SOURCE_ROWS} of module {name}")
        check_declared(self._resolver, rows, declared_bytes(rows))
        counts = rows[...].reshape(-1).astype(np.int64)
        try:
            origin = int(attribute_of(group, SLOW_ORIGIN) or 0)
            each = attribute_of(group, FRAMES_IN_ROW)
            frames = 1 if each is None else int(each)
        except (TypeError, ValueError, OverflowError) as error:
            raise self._fault(f"does not state the frames of module {name}: {error}") from None
        if counts.min() < 0 or origin < 0 or frames < 1 or counts.sum() > 1 << 40:
            raise self._fault(f"states rows of module {name} that cannot be")
        return Module(name, group, np.concatenate(([0], np.cumsum(counts))), origin, frames)

    def __len__(self) -> int:
        return len(self.index)

    def __bool__(self) -> bool:
        return bool(self.file)

    def __getitem__(self, args: Any) -> Any:
        selection = select(args, self.shape)
        wanted = prod(map(len, selection.parts)) * self.dtype.itemsize
        check_declared(self._resolver, self, wanted)
        out = np.empty(selection.full_shape, self.dtype)
        self.read(selection.parts, out, _read_direct, 1)
        values = out.reshape(selection.shape)
        return values[()] if values.ndim == 0 else values

    def stored_bytes(self) -> int:
        """Bytes that the sources take, as far as they are needed to judge a size."""
        stored = 0
        for module in self.modules:
            for number in range(len(module.starts) - 1):
                stored += self._resolver.stored_bytes(self._source(module, number))
        return stored

    def _source(self, module: Module, number: int) -> Any:
        key = module.name, number
        if key not in self._sources:
            try:
                found = self._resolver.find(module.group, SOURCE.format(number))
            except KeyError:
                path = self.file.filename
                message = f"'{module.group.name}' in {path} has no {SOURCE.format(number)}"
                raise MissingSourceError(message, path) from None
            dataset = self._resolver.dataset(found)
            self._check_source(module, number, dataset)
            self._sources[key] = dataset
        return self._sources[key]

    @cached_property
    def _sources(self) -> dict[tuple[str, int], Any]:
        return {}

    def _check_source(self, module: Module, number: int, dataset: Any) -> None:
        """Refuse a source that is not what the index was made from."""
        where = self.file.filename
        name = f"'{module.group.name}/{SOURCE.format(number)}' of {where}"
        if not isinstance(dataset, h5py.Dataset):
            raise FileError(f"{name} is no dataset", where)
        rows = int(module.starts[number + 1] - module.starts[number]) // module.frames_in_row
        leading = 1 if module.frames_in_row == 1 else 2
        frame = self._frame
        fits = (
            dataset.dtype == self.dtype
            and dataset.ndim == leading + len(frame)
            and len(dataset) >= rows
            and dataset.shape[leading:-2] == frame[:-2]
            and dataset.shape[-2] >= module.slow_origin + self.height
            and dataset.shape[-1] == frame[-1]
        )
        if not fits:
            message = (
                f"{name} is {dataset.dtype}{dataset.shape} in {dataset.file.filename}; the index "
                f"was made for {rows} rows of {self.dtype}{frame}"
            )
            raise FileError(message, where)

    def absent(self, events: Part) -> Array:
        """Which modules have no row, for some events; shape (event, module)."""
        chosen = events if not isinstance(events, range) else _as_slice(events)
        found: Array = self.index[chosen] < 0
        return found

    def read(self, parts: Sequence[Part], out: Array, read: Any, threads: int) -> None:
        """Read part of the frames.

        Parameters
        ----------
        parts : sequence
            The places along each dimension.
        out : ndarray
            Receives the values.
        read : callable
            Reads part of a source: takes its dataset, parts, an array and a number of threads.
        threads : int
            How many may decode.

        Raises
        ------
        FileError
            A source is missing, or is not what the index was made from.
        """
        pieces = list(self._pieces(parts, out))
        each = max(1, threads // max(1, len(pieces)))
        for_each(lambda piece: read(*piece, each), pieces, threads)

    def _pieces(
        self, parts: Sequence[Part], out: Array
    ) -> Iterator[tuple[Any, tuple[Part, ...], Array]]:
        """What is read of each source, and where it goes; what is not there is filled."""
        events, slow = parts[0], parts[-2]
        chosen = events if not isinstance(events, range) else _as_slice(events)
        table = self.index[chosen]
        channel = () if self.channel is None else (range(self.channel, self.channel + 1),)
        for number, module in enumerate(self.modules):
            begin = number * self.height
            first, end = within(slow, begin, begin + self.height)
            if first == end:
                continue
            target, rows = out[..., first:end, :], table[:, number]
            if len(rows) != 1 or rows[0] < 0:
                target[rows < 0] = self.invalid
            own = from_start(slow[first:end], begin - module.slow_origin)
            inner = (*channel, *parts[1:-2], own, parts[-1])
            for source, places, at in self._runs(module, rows):
                # Of what is one place in a source the output has no dimension.
                extra = (np.newaxis,) * (len(places) - 1 + len(channel))
                yield self._source(module, source), (*places, *inner), target[(at, *extra)]

    def _runs(self, module: Module, rows: Array) -> Iterator[tuple[int, tuple[range, ...], slice]]:
        """Rows that follow one another in a source, as do their events: source, rows, events."""
        if len(rows) == 1 and module.frames_in_row == 1:
            # One event, as viewers ask for it: there are no runs to look for.
            row = int(rows[0])
            if 0 <= row < module.starts[-1]:
                number = bisect_right(module.starts, row) - 1
                row -= int(module.starts[number])
                yield number, (range(row, row + 1),), slice(0, 1)
                return
        events = np.flatnonzero(rows >= 0)
        if not events.size:
            return
        present = rows[events]
        if int(present.max()) >= module.starts[-1]:
            most, rows_there = int(present.max()), int(module.starts[-1])
            message = f"asks for row {most} of module {module.name}, which has {rows_there}"
            raise self._fault(message)
        source = np.searchsorted(module.starts, present, side="right") - 1
        step = module.frames_in_row
        breaks = (np.diff(present) != 1) | (np.diff(events) != 1) | (np.diff(source) != 0)
        if step > 1:
            breaks[:] = True
        starts = np.concatenate(([0], np.flatnonzero(breaks) + 1, [len(events)]))
        for first, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            number = int(source[first])
            row = int(present[first] - module.starts[number])
            at = slice(int(events[first]), int(events[end - 1]) + 1)
            if step > 1:
                train, frame = divmod(row, step)
                yield number, (range(train, train + 1), range(frame, frame + 1)), at
            else:
                yield number, (range(row, row + end - first),), at


def _as_slice(part: range) -> slice:
    return slice(part.start, part.stop, part.step)


def _read_direct(dataset: Any, parts: tuple[Part, ...], out: Array, _threads: int) -> None:
    out[...] = read_parts(dataset, parts)


def event_fields(group: Any) -> dict[str, int | None]:
    """The fields that the frames of an event index are, and the channel of each."""
    named = as_names(attribute_of(group, FIELDS)) or ("data",)
    channels = attribute_of(group, FIELD_CHANNELS)
    numbers = [-1] * len(named) if channels is None else np.atleast_1d(channels).tolist()
    known = [number for number in numbers if isinstance(number, int)]
    return {
        name: None if number < 0 else number for name, number in zip(named, known, strict=False)
    }


def event_index_of(group: Any) -> Any:
    """The event index beside a field, or None."""
    raw = h5py.Group(group.id)
    if not isinstance(link_of(raw, GROUP), h5py.HardLink):
        return None
    found = raw[GROUP]
    is_index = isinstance(found, h5py.Group) and LANGUAGE_ATTRIBUTE in found.attrs
    return found if is_index else None
