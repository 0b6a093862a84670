"""Look-ups in tables as LLVM's instructions.

An index that takes few values for neighbouring pixels (the gain stage) becomes a chain of
selections between the planes of the table: all planes are read, one after the other in memory,
which vectorises. An index that is the same for a whole row of pixels (the memory cell of a frame)
moves the place where reading begins. Any other index is an address for every pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Final

import numpy as np

from nxformula.engine.llvm.instructions import Block, choose, literal, llvm_type, stored_type

#: Most planes that are all read to select one.
CHAIN: Final = 16


@dataclass(frozen=True, slots=True)
class Index:
    """The value of an index.

    Attributes
    ----------
    value, dtype : str
        Its name and dtype.
    varies : bool
        Whether it may differ between neighbouring pixels.
    length : int
        Of the dimension that it indexes.
    step : str
        From one place along this dimension to the next, in bytes.
    places : tuple of int or None
        The place for each value, where `choose` makes the index.
    """

    value: str
    dtype: str
    varies: bool
    length: int
    step: str
    places: tuple[int, ...] | None

    def chain(self) -> tuple[int, ...] | None:
        """The place for each value, if there are few."""
        if self.places is not None:
            return self.places if len(set(self._inside())) <= CHAIN else None
        return tuple(range(self.length)) if self.length <= CHAIN else None

    def _inside(self) -> list[int]:
        return [place for place in self.places or () if 0 <= place < self.length]

    def is_inside(self, block: Block) -> str:
        """Whether the place is in the table."""
        if self.places is not None:
            return _one_of(block, self, lambda place: 0 <= place < self.length)
        of, most = llvm_type(self.dtype), np.iinfo(self.dtype).max
        if self.length <= most:
            # As numbers without sign, those below 0 are the largest.
            return block.let(f"icmp ult {of} {self.value}, {self.length}")
        if np.dtype(self.dtype).kind == "u":
            return "true"
        return block.let(f"icmp sge {of} {self.value}, 0")

    def place(self, block: Block) -> str:
        """The place in the table, as a number of 64 bits."""
        if self.places is not None:
            first, *rest = self.places
            found = str(first)
            for code, place in enumerate(rest, 1):
                found = choose(block, self.equals(block, code), str(place), found, "int64")
            return found
        if np.dtype(self.dtype).itemsize == 8:
            return self.value
        extend = "zext" if np.dtype(self.dtype).kind == "u" else "sext"
        return block.let(f"{extend} {llvm_type(self.dtype)} {self.value} to i64")

    def equals(self, block: Block, code: int) -> str:
        """Whether the index has a value."""
        return block.let(f"icmp eq {llvm_type(self.dtype)} {self.value}, {code}")


def _one_of(block: Block, index: Index, holds: object) -> str:
    """Whether the place for the value of an index is one for which something holds."""
    assert callable(holds)
    found = "false"
    for code, place in enumerate(index.places or ()):
        if holds(place):
            found = block.let(f"or i1 {found}, {index.equals(block, code)}")
    return found


def inside(block: Block, indices: Sequence[Index]) -> str:
    """Whether all indices are in the table."""
    found = "true"
    for index in indices:
        found = block.let(f"and i1 {found}, {index.is_inside(block)}")
    return found


def look_up(block: Block, element: str, dtype: str, indices: Sequence[Index]) -> str:
    """The value for some indices: NaN outside the table, or 0 where there is no NaN.

    Parameters
    ----------
    block : Block
        Where to write to.
    element : str
        Where the element for this pixel is whose indices are all 0.
    dtype : str
        Of the table.
    indices : sequence of Index
        One for each indexed dimension.
    """
    outside = literal(nan if np.dtype(dtype).kind == "f" else 0, dtype)
    varying = [index for index in indices if index.varies]
    chain = varying[0].chain() if len(varying) == 1 else None
    moved = [index for index in indices if chain is None or not index.varies]
    at, good = element, "true"
    for index in moved:
        own = index.is_inside(block)
        place = choose(block, own, index.place(block), "0", "int64")
        offset = block.let(f"mul i64 {place}, {index.step}")
        at = block.let(f"getelementptr i8, ptr {at}, i64 {offset}")
        good = block.let(f"and i1 {good}, {own}")
    if chain is None:
        value = load(block, at, dtype)
    else:
        value = _chained(block, at, dtype, varying[0], chain, outside)
    return choose(block, good, value, outside, dtype) if moved else value


def _chained(
    block: Block, at: str, dtype: str, index: Index, chain: Sequence[int], outside: str
) -> str:
    planes: dict[int, str] = {}
    for place in sorted(set(chain)):
        if 0 <= place < index.length:
            offset = block.let(f"mul i64 {place}, {index.step}")
            start = block.let(f"getelementptr i8, ptr {at}, i64 {offset}")
            planes[place] = load(block, start, dtype)
    values = [planes.get(place, outside) for place in chain]
    # An index that `choose` makes has no other values: the last needs no comparison.
    found = values.pop() if index.places is not None else outside
    for code in range(len(values) - 1, -1, -1):
        found = choose(block, index.equals(block, code), values[code], found, dtype)
    return found


def load(block: Block, at: str, dtype: str) -> str:
    """The value at an address."""
    value = block.let(f"load {stored_type(dtype)}, ptr {at}, align 1")
    return block.let(f"icmp ne i8 {value}, 0") if dtype == "bool" else value


def pick(block: Block, index: str, dtype: str, values: object, target: str) -> str:
    """The constant with the number that an integer gives, which is proven to be one."""
    assert isinstance(values, tuple)
    found = literal(values[-1], target)
    for code in range(len(values) - 2, -1, -1):
        equal = block.let(f"icmp eq {llvm_type(dtype)} {index}, {code}")
        found = choose(block, equal, literal(values[code], target), found, target)
    return found
