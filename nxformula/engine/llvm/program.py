"""A plan as text for LLVM: its operations, each in its loop."""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np

from nxformula.engine.llvm.instructions import (
    Block,
    cast,
    choose,
    emit,
    is_supported,
    literal,
    stored_type,
)
from nxformula.engine.llvm.layouts import ArrayLayout, Layout
from nxformula.engine.llvm.lookups import CHAIN, Index, inside, load, look_up, pick
from nxformula.engine.llvm.placement import VISIBLE, Level, place
from nxformula.engine.plan import Operation, Plan

#: Most operations that are compiled; longer plans take too long for LLVM.
MOST_OPERATIONS: Final = 256
#: Bytes of constants and kept values of a tile: the innermost cache holds them for all frames.
_TILE_BYTES: Final = 24 << 10
#: Least and most pixels of a tile.
_LEAST, _MOST = 1 << 9, 1 << 13


def unsupported(plan: Plan) -> str | None:
    """Why a plan is left to NumPy; None if it can be compiled.

    Examples
    --------
    >>> from nxformula.engine.plan import Builder, Operation
    >>> builder = Builder()
    >>> x = builder.add(Operation("load", (), "float32", frozenset(), "x"))
    >>> unsupported(builder.plan(builder.apply("exp", (x,), "float32"), ()))
    "'exp' of float32"
    """
    if len(plan.operations) > MOST_OPERATIONS:
        return f"{len(plan.operations)} operations; at most {MOST_OPERATIONS} are compiled"
    for operation in plan.operations:
        if operation.dtype == "float16":
            return "constants of float16"
        if operation.code == "apply":
            dtype = plan.operations[operation.arguments[0]].dtype
            if not is_supported(str(operation.detail), dtype):
                return f"'{operation.detail}' of {dtype}"
    return None


class Program:
    """The operations of a plan for a layout, written to blocks.

    Attributes
    ----------
    layout : Layout
        Of the arrays.
    blocks : dict of Block
        The instructions of each level.
    tile : int
        Pixels of a tile.
    scratch : int
        Bytes that each thread needs beside the arrays.
    """

    def __init__(self, plan: Plan, layout: Layout) -> None:
        self.plan = plan
        self.layout = layout
        self.placement = place(plan, layout)
        self.source_of = dict(layout.source_of)
        self.blocks = {level: Block(f"{level.value}.") for level in Level}
        self.values: dict[tuple[Level, int], str] = {}
        sizes = [np.dtype(plan.operations[number].dtype).itemsize for number in self.placement.kept]
        self.tile = _tile(sum(sizes), layout)
        self.scratch = self.tile * sum(sizes)
        places = [self.tile * sum(sizes[:k]) for k in range(len(sizes))]
        self.kept_at = dict(zip(self.placement.kept, places, strict=True))
        self._write_all()

    def _write_all(self) -> None:
        for number, operation in enumerate(self.plan.operations):
            level = self.placement.levels[number]
            self._write(level, number, operation)
            if number in self.placement.again:
                self._write(Level.PIXEL, number, operation)
            elif number in self.kept_at:
                self._keep(number, operation.dtype)
        block = self.blocks[Level.PIXEL]
        value = self._value(Level.PIXEL, len(self.plan.operations) - 1)
        store(
            block,
            value,
            self.layout.out.dtype,
            element(block, Level.PIXEL, "%out", self.layout.out),
        )

    def _value(self, level: Level, number: int) -> str:
        """The name of a value where it is used at a level."""
        found = next(at for at in (level, *VISIBLE[level]) if (at, number) in self.values)
        return self.values[found, number]

    def _keep(self, number: int, dtype: str) -> None:
        """Write a value to memory for each pixel of a tile, and read it for each frame."""
        for level in (Level.TILE, Level.PIXEL):
            block = self.blocks[level]
            size = np.dtype(dtype).itemsize
            offset = block.let(f"mul i64 %{level.value}.at, {size}")
            start = block.let(f"getelementptr i8, ptr %scratch, i64 {self.kept_at[number]}")
            at = block.let(f"getelementptr i8, ptr {start}, i64 {offset}")
            if level is Level.TILE:
                store(block, self._value(level, number), dtype, at)
            else:
                self.values[level, number] = load(block, at, dtype)

    def _write(self, level: Level, number: int, operation: Operation) -> None:
        self.values[level, number] = self._result(level, number, operation)

    def _result(self, level: Level, number: int, operation: Operation) -> str:
        block, dtype = self.blocks[level], operation.dtype
        values = [self._value(level, argument) for argument in operation.arguments]
        dtypes = [self.plan.operations[argument].dtype for argument in operation.arguments]
        match operation.code:
            case "constant":
                return literal(operation.detail, dtype)
            case "cast":
                return cast(block, values[0], dtypes[0], dtype)
            case "apply":
                return emit(block, str(operation.detail), dtypes, values)
            case "select":
                return choose(block, values[0], values[1], values[2], dtype)
            case "pick":
                return pick(block, values[0], dtypes[0], operation.detail, dtype)
            case "inside":
                return inside(block, self._indices(level, number, operation))
            case "lookup":
                at = self._element(level, number)
                return look_up(block, at, dtype, self._indices(level, number, operation))
            case "load" | "position" | "group":
                return load(block, self._element(level, number), dtype)

    def _element(self, level: Level, number: int) -> str:
        source = self.source_of[number]
        layout = self.layout.sources[source]
        return element(self.blocks[level], level, f"%source{source}", layout)

    def _indices(self, level: Level, number: int, operation: Operation) -> list[Index]:
        source = self.source_of[number]
        return [
            Index(
                self._value(level, argument),
                self.plan.operations[argument].dtype,
                self.placement.levels[argument] in (Level.TILE, Level.PIXEL),
                self.layout.sources[source].lengths[k],
                f"%source{source}.step{k}",
                operation.table.planes,
            )
            for k, argument in enumerate(operation.arguments)
        ]


def element(block: Block, level: Level, array: str, layout: ArrayLayout) -> str:
    """Where the element of an array at the pixel at hand is, all its indices 0."""
    if level is Level.CALL:
        return array
    *others, pixels = layout.varies
    frames = level in (Level.FRAME, Level.PIXEL) and bool(others) and others[0]
    at = f"{array}.frame" if frames else f"{array}.work"
    if not pixels or level not in (Level.TILE, Level.PIXEL):
        return at
    offset = block.let(f"mul i64 %{level.value}.at, {step(array, layout)}")
    return block.let(f"getelementptr i8, ptr {at}, i64 {offset}")


def step(array: str, layout: ArrayLayout) -> str:
    """Bytes from a pixel to the next."""
    if layout.dense:
        return str(np.dtype(layout.dtype).itemsize)
    return f"{array}.step{len(layout.lengths) + len(layout.varies) - 1}"


def store(block: Block, value: str, dtype: str, at: str) -> None:
    """Write a value to memory."""
    if dtype == "bool":
        value = block.let(f"zext i1 {value} to i8")
    block.do(f"store {stored_type(dtype)} {value}, ptr {at}, align 1")


def _tile(kept: int, layout: Layout) -> int:
    size = kept
    for source in layout.sources:
        if source.varies[-1] and len(source.varies) > 1 and not source.varies[0]:
            size += np.dtype(source.dtype).itemsize * min(CHAIN, prod(source.lengths))
    return max(_LEAST, min(_MOST, _TILE_BYTES // max(1, size) & ~63))
