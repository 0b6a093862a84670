"""The stacked virtual dataset of an event index: for programs that know only NXmx."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import h5py
import numpy as np

from nxformula.masters.events.matching import EventTable
from nxformula.masters.events.stacks import Run, Source, Stack

#: Mappings beyond which HDF5 needs too long for each read.
MOST_MAPPINGS: Final = 2000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of events whose rows follow one another in a source."""

    module: int
    source: Source
    event: int
    row: int
    count: int


def stretches(run: Run, table: EventTable) -> list[Stretch]:
    """All stretches, module by module."""
    return [
        stretch
        for number, stack in enumerate(run.stacks)
        for stretch in _stretches(number, stack, table.frame_index[:, number])
    ]


def _stretches(number: int, stack: Stack, rows: Any) -> Iterator[Stretch]:
    events = np.flatnonzero(rows >= 0)
    if not events.size:
        return
    present = rows[events].astype(np.int64)
    starts = np.concatenate(([0], np.cumsum([s.rows * stack.frames for s in stack.sources])))
    source = np.searchsorted(starts, present, side="right") - 1
    breaks = (np.diff(present) != 1) | (np.diff(events) != 1) | (np.diff(source) != 0)
    if stack.frames > 1:
        breaks |= present[1:] % stack.frames == 0
    firsts = np.concatenate(([0], np.flatnonzero(breaks) + 1, [len(events)]))
    for first, end in zip(firsts[:-1].tolist(), firsts[1:].tolist(), strict=True):
        own = int(source[first])
        row = int(present[first] - starts[own])
        yield Stretch(number, stack.sources[own], int(events[first]), row, end - first)


def stacked_layout(
    run: Run, shape: tuple[int, ...], found: list[Stretch], folder: str, channel: int | None
) -> h5py.VirtualLayout:
    """The layout of the virtual dataset (event, module * slow, fast).

    Parameters
    ----------
    run : Run
        The stacks.
    shape : tuple of int
        Of the dataset.
    found : list of Stretch
        What it is made from.
    folder : str
        Where the file will be: sources are named as seen from there.
    channel : int or None
        Of the frames.
    """
    height = run.stacks[0].shape[-2]
    layout = h5py.VirtualLayout(shape, run.stacks[0].dtype)
    for stretch in found:
        own = run.stacks[stretch.module]
        relative = os.path.relpath(os.path.realpath(stretch.source.file), os.path.realpath(folder))
        whole = (stretch.source.rows, *_frame(stretch.source))
        source = h5py.VirtualSource(relative, stretch.source.path, whole)
        slow = slice(stretch.module * height, (stretch.module + 1) * height)
        origin = 0 if own.box is None else own.box[0]
        part = slice(origin, origin + height)
        rows: tuple[Any, ...] = (slice(stretch.row, stretch.row + stretch.count),)
        if own.frames > 1:
            train, first = divmod(stretch.row, own.frames)
            rows = (train, slice(first, first + stretch.count))
        events = slice(stretch.event, stretch.event + stretch.count)
        chosen = () if channel is None else (channel,)
        layout[events, ..., slow, :] = source[(*rows, *chosen, ..., part, slice(None))]
    return layout


@cache
def _frame(source: Source) -> tuple[int, ...]:
    """Dimensions of a row of a source."""
    with h5py.File(source.file) as file:
        found: tuple[int, ...] = file[source.path].shape[1:]
    return found
