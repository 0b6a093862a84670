"""Read what a formula needs of the files, and evaluate it block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from nxformula.engine.layout import Array, boxes, tile_shape
from nxformula.engine.plan import position_name
from nxformula.engine.threads import ahead, cores, for_each
from nxformula.errors import FileError
from nxformula.nexus.binding import Binding, Bound
from nxformula.nexus.event_index import EventFrames
from nxformula.nexus.links import DECLARED_BYTES, DECLARED_RATIO, check_declared
from nxformula.nexus.parts import as_slice
from nxformula.nexus.selection import Part

if TYPE_CHECKING:
    from nxformula.nexus.reader import Context

#: Bytes of results that are evaluated at a time, by each thread.
_BLOCK_BYTES: Final = 128 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Part of a selection: its places along each dimension, and where the values go."""

    parts: tuple[Part, ...]
    out: Array


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a block is evaluated from, and by how many threads; to be closed after that."""

    arrays: dict[str, Array]
    threads: int
    lent: ExitStack


class Evaluation:
    """Evaluates the formula of one field.

    Parameters
    ----------
    binding : Binding
        The formula with its datasets.
    context : Context
        Of the open file.
    shape : tuple of int
        Of the result.
    given : mapping of number
        Values of recorded symbols that are taken everywhere, instead of those in the file.
    """

    def __init__(
        self,
        binding: Binding,
        context: Context,
        shape: tuple[int, ...],
        given: Mapping[str, int | float] = MappingProxyType({}),
    ) -> None:
        self._given = given
        self.binding = binding
        self.kernel = binding.kernel
        self.context = context
        self.shape = shape
        self._whole = _axes_needed_whole(binding)

    def read(self, parts: tuple[Part, ...], out: Array) -> None:
        """Evaluate a selection.

        Parameters
        ----------
        parts : tuple
            The places along each dimension of the result.
        out : ndarray
            Receives the values.

        Raises
        ------
        FileError
            A file cannot be read.
        FormulaTypeError
            A table of `interp` does not increase.
        """
        self.check_tables()
        blocks = self._blocks(parts, out)
        threads = cores()
        self.kernel.expect(out.size)
        if len(blocks) > 1 and threads > 1 and self.kernel.backend == "numpy":
            # NumPy gains nothing from threads, but the next block can be read meanwhile.
            ahead(lambda block: self._load(block, threads), self._evaluate, blocks)
            return
        each = threads if len(blocks) <= 1 else 1
        for_each(lambda block: self._evaluate(block, self._load(block, each)), blocks, threads)

    def check_tables(self) -> None:
        """Refuse, before a pixel is read, tables that do not increase as `interp` needs them."""
        for name in self.kernel.tables:
            bound = self.binding.bound[name]
            every = tuple(range(length) for length in bound.dataset.shape)
            self.kernel.check_tables({name: self._constant(name, bound, every)})

    def check_declared(
        self, parts: tuple[Part, ...], name: str, path: str, advice: str = ""
    ) -> None:
        """Refuse, before memory is taken, to read or give far more than the files hold.

        Parameters
        ----------
        parts : tuple
            The places along each dimension.
        name, path : str
            Of the field and its file, for the message.
        advice : str
            Ends the message.

        Raises
        ------
        FileError
            More than 1 GiB and more than 1,000 times what is stored.
        """
        parts = self._with_whole(parts)
        read = 0
        for symbol, bound in self.binding.bound.items():
            wanted = math.prod(len(part) for part in self._parts_of(symbol, bound, parts))
            size = wanted * bound.dataset.dtype.itemsize
            check_declared(self.context.resolver, bound.dataset, size, advice)
            read += size
        given = math.prod(len(part) for part in parts) * self.kernel.dtype.itemsize
        if given > max(DECLARED_BYTES, DECLARED_RATIO * read):
            message = f"'{name}' in {path} would give {given:,} bytes from only {read:,}"
            raise FileError(message + advice, path)

    # Blocks

    def _blocks(self, parts: tuple[Part, ...], out: Array) -> list[Block]:
        elements = max(1, _BLOCK_BYTES // max(1, self.kernel.dtype.itemsize))
        whole = [axis in self._whole for axis in self.kernel.axes]
        # A block is as large as what is computed for it.
        computed = [n if w else m for n, m, w in zip(self.shape, out.shape, whole, strict=True)]
        tile = tile_shape(computed, elements)
        chosen = [max(1, m) if w else t for m, t, w in zip(out.shape, tile, whole, strict=True)]
        found: list[Block] = []
        for box in boxes(out.shape, chosen, None):
            block = tuple(part[s] for part, s in zip(parts, box, strict=True))
            # The ellipsis makes it a view of an array without dimensions too.
            place: tuple[Any, ...] = (*box, ...)
            found.append(Block(block, out[place]))
        return found

    def _load(self, block: Block, threads: int) -> Loaded:
        whole = self._with_whole(block.parts)
        chosen_places = dict(zip(self.kernel.axes, whole, strict=True))
        arrays = {
            position_name(axis): np.asarray(chosen_places[axis]) for axis in self.kernel.positions
        }
        with ExitStack() as lent:
            for name in self.kernel.symbols:
                bound = self.binding.bound[name]
                wanted = self._parts_of(name, bound, whole)
                if name in self._given:
                    lengths = [len(part) for part in wanted]
                    arrays[name] = np.full(lengths, self._given[name], bound.symbol.dtype)
                elif self._is_recorded(name):
                    reading = self.context.raw.read(
                        bound.dataset, bound.place, wanted, bound.symbol.dtype, threads
                    )
                    arrays[name] = lent.enter_context(reading)
                else:
                    arrays[name] = self._constant(name, bound, wanted)
            return Loaded(arrays, threads, lent.pop_all())

    def _evaluate(self, block: Block, loaded: Loaded) -> None:
        with loaded.lent:
            if not self._whole:
                self.kernel(loaded.arrays, out=block.out, threads=loaded.threads)
                self._blank(block)
                return
            values = self.kernel(loaded.arrays, threads=loaded.threads)
        chosen = tuple(
            as_slice(part) if axis in self._whole else slice(None)
            for axis, part in zip(self.kernel.axes, block.parts, strict=True)
        )
        block.out[...] = values[chosen]
        self._blank(block)

    def _blank(self, block: Block) -> None:
        """Make NaN what modules have no row for, whatever the formula says of their values."""
        field = self.binding.bound.get(self.binding.definition.field)
        if field is None or not isinstance(field.dataset, EventFrames) or not block.out.size:
            return
        frame, slow = field.symbol.dimensions[0], field.symbol.dimensions[-2]
        axes = self.kernel.axes
        if self.kernel.dtype.kind != "f" or frame not in axes or slow not in axes:
            return
        frames = field.dataset
        absent = frames.absent(block.parts[axes.index(frame)])
        if not absent.any():
            return
        out = np.moveaxis(block.out, (axes.index(frame), axes.index(slow)), (0, 1))
        rows = np.asarray(block.parts[axes.index(slow)]) // frames.height
        for event, module in np.argwhere(absent):
            out[event, rows == module] = np.nan

    def _with_whole(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """What is computed for a selection: all places along dimensions that are needed whole."""
        return tuple(
            range(length) if axis in self._whole else part
            for axis, part, length in zip(self.kernel.axes, parts, self.shape, strict=True)
        )

    # Symbols

    def _is_recorded(self, name: str) -> bool:
        """Whether a symbol is the field, or recorded with its frames pixel by pixel."""
        definition = self.binding.definition
        field = self.binding.bound.get(definition.field)
        axes = field.symbol.dimensions if field else self.kernel.axes
        kept = self.kernel.kept(name)
        return name == definition.field or (len(kept) > 1 and axes[0] in kept)

    def _constant(self, name: str, bound: Bound, parts: tuple[Part, ...]) -> Array:
        kept = self.kernel.kept(name)
        axes = bound.symbol.axes
        order = [d for d, axis in enumerate(axes) if axis not in kept]
        order += [axes.index(axis) for axis in self.kernel.axes if axis in kept]
        return self.context.constants.read(
            bound.dataset, bound.place, parts, bound.symbol.dtype, tuple(order)
        )

    def _parts_of(self, name: str, bound: Bound, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """What a selection of the result needs of a symbol: indexed dimensions are needed whole."""
        kept = self.kernel.kept(name) if name in self.kernel.symbols else []
        chosen = dict(zip(self.kernel.axes, parts, strict=True))
        return tuple(
            chosen[axis] if axis in kept else range(length)
            for axis, length in zip(bound.symbol.axes, bound.dataset.shape, strict=True)
        )


def _axes_needed_whole(binding: Binding) -> frozenset[str]:
    """Dimensions of the result along which a symbol is both indexed and not."""
    kernel = binding.kernel
    return frozenset(
        axis
        for name in kernel.symbols
        for axis in kernel.kept(name)
        if axis in kernel.indexed(name)
    ).union(kernel.whole)
