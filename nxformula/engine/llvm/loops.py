"""The loops around the operations of a program, as the text of an LLVM module."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nxformula.engine.llvm.layouts import ArrayLayout
from nxformula.engine.llvm.placement import Level
from nxformula.engine.llvm.program import Program, step

#: The name of the function.
ENTRY = "evaluate"


def module_text(program: Program) -> str:
    """A module with the function `evaluate`.

    Its arguments are the addresses of the result, of each source, of the numbers that `parameters`
    names, and of the scratch memory; then the numbers of the first tile and of the one after the
    last.
    """
    body = "\n".join(_function(program))
    intrinsics = sorted(set(re.findall(r"call (\w+) (@llvm[.\w]+)", body)))
    declared = [f"declare {of} {name}({of})" for of, name in intrinsics]
    return "\n".join([body, *declared, *_END, ""])


#: Loops are to be vectorised, without calls of library functions in place of loops.
_END = (
    'attributes #0 = { nounwind "no-builtins" "prefer-vector-width"="512" }',
    "!0 = distinct !{!0, !1}",
    '!1 = !{!"llvm.loop.vectorize.enable", i1 true}',
)


def _arrays(program: Program) -> Iterator[tuple[str, ArrayLayout]]:
    yield "%out", program.layout.out
    for k, source in enumerate(program.layout.sources):
        yield f"%source{k}", source


def parameters(program: Program) -> list[str]:
    """Names of the numbers that the function is given: lengths of the grid, then steps in bytes."""
    names = [f"%length{d}" for d in range(program.layout.rank)]
    for array, layout in _arrays(program):
        names += [f"{array}.step{d}" for d in range(len(layout.lengths) + len(layout.varies))]
    return names


def _function(program: Program) -> Iterator[str]:
    pointers = [f"ptr noalias readonly %source{k}" for k in range(len(program.layout.sources))]
    arguments = ["ptr noalias %out", *pointers, "ptr noalias readonly %numbers"]
    arguments += ["ptr noalias %scratch", "i64 %first", "i64 %end"]
    yield f"define void @{ENTRY}({', '.join(arguments)}) #0 {{"
    yield "entry:"
    yield from _indented(_entry(program))
    yield from _work(program)
    yield "done:"
    yield "  ret void"
    yield "}"


def _indented(lines: Iterator[str] | list[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _entry(program: Program) -> Iterator[str]:
    for k, name in enumerate(parameters(program)):
        yield f"{name}.at = getelementptr i64, ptr %numbers, i64 {k}"
        yield f"{name} = load i64, ptr {name}.at"
    pixels = f"%length{program.layout.rank - 1}"
    yield f"%tiles.up = add i64 {pixels}, {program.tile - 1}"
    yield f"%tiles = udiv i64 %tiles.up, {program.tile}"
    yield from program.blocks[Level.CALL].lines
    yield "%any = icmp ult i64 %first, %end"
    yield "br i1 %any, label %work, label %done"


def _work(program: Program) -> Iterator[str]:
    """The loop over tiles, and in it that over frames."""
    yield "work:"
    yield "  %work.at = phi i64 [ %first, %entry ], [ %work.next, %work.end ]"
    yield from _indented(_tile_start(program))
    yield from _indented(program.blocks[Level.WORK].lines)
    if program.placement.kept:
        yield "  br label %tile"
        yield from _pixel_loop(program, Level.TILE, "work", "frames")
        yield "frames:"
    yield "  br label %frame"
    before = "frames" if program.placement.kept else "work"
    yield "frame:"
    yield f"  %frame.at = phi i64 [ 0, %{before} ], [ %frame.next, %frame.end ]"
    yield from _indented(_frame_start(program))
    yield from _indented(program.blocks[Level.FRAME].lines)
    yield "  br label %pixel"
    yield from _pixel_loop(program, Level.PIXEL, "frame", "frame.end")
    yield "frame.end:"
    yield from _indented(_next("frame", "%length0" if program.layout.rank > 1 else "1", "work.end"))
    yield "work.end:"
    yield from _indented(_next("work", "%end", "done"))


def _tile_start(program: Program) -> Iterator[str]:
    """The place of a tile in the other dimensions, its first pixel, and where its elements are."""
    last = program.layout.rank - 1
    yield "%work.tile = urem i64 %work.at, %tiles"
    yield f"%work.rest{last} = udiv i64 %work.at, %tiles"
    for d in range(last - 1, 0, -1):
        yield f"%work.at{d} = urem i64 %work.rest{d + 1}, %length{d}"
        yield f"%work.rest{d} = udiv i64 %work.rest{d + 1}, %length{d}"
    yield f"%work.at{last} = mul i64 %work.tile, {program.tile}"
    yield f"%work.left = sub i64 %length{last}, %work.at{last}"
    yield f"%work.short = icmp ult i64 %work.left, {program.tile}"
    yield f"%work.pixels = select i1 %work.short, i64 %work.left, i64 {program.tile}"
    for array, layout in _arrays(program):
        at = array
        moving = [d for d, varies in enumerate(layout.varies) if varies and (d or not last)]
        for d in moving:
            name = f"{array}.work{d}"
            size = step(array, layout) if d == last else f"{array}.step{len(layout.lengths) + d}"
            yield f"{name}.offset = mul i64 %work.at{d}, {size}"
            yield f"{name} = getelementptr i8, ptr {at}, i64 {name}.offset"
            at = name
        yield f"{array}.work = getelementptr i8, ptr {at}, i64 0"


def _frame_start(program: Program) -> Iterator[str]:
    for array, layout in _arrays(program):
        if len(layout.varies) > 1 and layout.varies[0]:
            size = f"{array}.step{len(layout.lengths)}"
            yield f"{array}.offset = mul i64 %frame.at, {size}"
            yield f"{array}.frame = getelementptr i8, ptr {array}.work, i64 {array}.offset"


def _pixel_loop(program: Program, level: Level, before: str, after: str) -> Iterator[str]:
    name = level.value
    yield f"{name}:"
    yield f"  %{name}.at = phi i64 [ 0, %{before} ], [ %{name}.next, %{name} ]"
    yield from _indented(program.blocks[level].lines)
    yield from _indented(_next(name, "%work.pixels", after, ", !llvm.loop !0", name))


def _next(name: str, end: str, after: str, hint: str = "", again: str = "") -> list[str]:
    return [
        f"%{name}.next = add nuw i64 %{name}.at, 1",
        f"%{name}.more = icmp ult i64 %{name}.next, {end}",
        f"br i1 %{name}.more, label %{again or name}, label %{after}{hint}",
    ]
