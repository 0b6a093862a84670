"""Read raw data the fastest way there is: by chunk where possible, else through HDF5."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, TypeAlias

from nxformula.engine.buffers import Buffers
from nxformula.engine.layout import Array
from nxformula.engine.threads import for_each
from nxformula.nexus.chunks import Chunks, chunks_of
from nxformula.nexus.event_index import EventFrames
from nxformula.nexus.files import reading
from nxformula.nexus.links import Resolver
from nxformula.nexus.parts import read_parts
from nxformula.nexus.selection import Part
from nxformula.nexus.virtual import Source, parts_of, sources_of

#: How a dataset is read: chunk by chunk, from the sources of a virtual one or of
#: an event index, or by HDF5.
_Way: TypeAlias = Chunks | list[Source] | EventFrames | None


class RawData:
    """Reads raw datasets of the files of one master, and remembers how.

    Parameters
    ----------
    resolver : Resolver
        Finds the sources of virtual datasets.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._buffers = Buffers()
        self._ways: dict[tuple[str, str], _Way] = {}

    @contextmanager
    def read(
        self,
        dataset: Any,
        place: tuple[str, str],
        parts: tuple[Part, ...],
        dtype: str,
        threads: int,
    ) -> Iterator[Array]:
        """Part of a dataset, all dimensions kept, until the context ends.

        Parameters
        ----------
        dataset : h5py.Dataset
            All files behind it are checked: it is what `Resolver.dataset` gives.
        place : tuple of str
            Its file and path.
        parts : tuple
            The places wanted along each dimension.
        dtype : str
            What to convert to.
        threads : int
            How many may decode.

        Raises
        ------
        CorruptFileError
            HDF5 cannot read or decompress it.
        """
        if 0 in map(len, parts) or self._way(dataset, place) is None:
            yield read_parts(dataset, parts).astype(dtype, copy=False)
            return
        shape = [len(part) for part in parts]
        with self._buffers.lend(prod(shape) * dataset.dtype.itemsize) as buffer:
            values = buffer.view(dataset.dtype).reshape(shape)
            self._read_into(dataset, place, parts, values, threads)
            yield values.astype(dtype, copy=False)

    def _read_into(
        self,
        dataset: Any,
        place: tuple[str, str],
        parts: tuple[Part, ...],
        out: Array,
        threads: int,
    ) -> None:
        way = self._way(dataset, place)
        if isinstance(way, Chunks):
            way.read(parts, out, threads)
        elif isinstance(way, EventFrames):
            way.read(parts, out, self._read_source, threads)
        elif way is None:
            out[...] = read_parts(dataset, parts)
        else:
            found = list(parts_of(way, parts, out))
            each = max(1, threads // max(1, len(found)))

            def read(part: tuple[Any, tuple[Part, ...], Array]) -> None:
                source, wanted, target = part
                own = source.file.filename, source.name
                self._read_into(source, own, wanted, target, each)

            for_each(read, found, threads)

    def _read_source(self, dataset: Any, parts: tuple[Part, ...], out: Array, threads: int) -> None:
        self._read_into(dataset, (dataset.file.filename, dataset.name), parts, out, threads)

    def _way(self, dataset: Any, place: tuple[str, str]) -> _Way:
        if isinstance(dataset, EventFrames):
            return dataset
        if place not in self._ways:
            with reading(f"'{dataset.name}'", dataset.file.filename):
                if dataset.is_virtual:
                    self._ways[place] = sources_of(dataset, self._resolver)
                else:
                    self._ways[place] = chunks_of(dataset, self._buffers)
        return self._ways[place]
