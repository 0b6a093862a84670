"""Match the rows of stacks by equality of ids, whatever their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError
from nxformula.masters.events.stacks import Stack

#: What `status` says of a module at an event.
GOOD, ABSENT, BAD, DUPLICATE = range(4)
STATUS: Final = ("good", "absent", "bad", "duplicate")
#: Bits of the second of two ids beside the first in one number.
_SECOND_BITS: Final = 20


@dataclass(frozen=True, slots=True)
class EventTable:
    """Which row of each stack belongs to which event.

    Attributes
    ----------
    ids : ndarray of uint64, shape (event, id)
        In ascending order.
    frame_index : ndarray of int32, shape (event, module)
        Row in the module's sources joined in order; -1 for none.
    status : ndarray of uint8, shape (event, module)
        0 good, 1 absent, 2 flagged bad, 3 duplicate: several good rows, of which the first counts.
    cell_id : ndarray of uint16 or None
        Memory cell of each event, where the modules that state one agree.
    left_out : int
        Events of which no row, or too few, are good.
    """

    ids: Array
    frame_index: Array
    status: Array
    cell_id: Array | None
    left_out: int

    @property
    def present(self) -> Array:
        """How many modules each event has."""
        found: Array = np.count_nonzero(self.frame_index >= 0, axis=1).astype(np.uint16)
        return found


def match(
    stacks: Sequence[Stack], offsets: Mapping[str, int] | None = None, least: int = 1
) -> EventTable:
    """Find the events of all stacks.

    Parameters
    ----------
    stacks : sequence of Stack
        With as many ids a row each.
    offsets : mapping of str to int, optional
        What to add to the (first) id of a module whose clock is off.
    least : int
        Modules that an event must have.

    Returns
    -------
    EventTable
        Its rows are the different ids, never a nearest one.

    Raises
    ------
    FileError
        Modules state different memory cells for one event, or a row cannot be counted in 32 bits.
    ValueError
        An offset is of no module.

    Examples
    --------
    >>> def stack(name, *ids):
    ...     row = np.array(ids, "u8")[:, np.newaxis]
    ...     return Stack(name, (), (), "u2", row, np.zeros(len(ids), bool))
    >>> table = match([stack("a", 1000, 1002, 1003), stack("b", 1000, 1001, 1003)])
    >>> table.ids[:, 0].tolist(), table.frame_index.tolist()
    ([1000, 1001, 1002, 1003], [[0, 0], [-1, 1], [1, -1], [2, 2]])
    """
    offsets = offsets or {}
    unknown = set(offsets) - {stack.name for stack in stacks}
    if unknown:
        listed = ", ".join(stack.name for stack in stacks)
        raise ValueError(f"there is no module {sorted(unknown)[0]!r}; there are {listed}")
    shifted = [_shifted(stack, offsets.get(stack.name, 0)) for stack in stacks]
    keys, ids_of = _keys(shifted)
    # Ids mostly come in order: sorting that merges takes them as they are.
    every = np.sort(np.concatenate(keys), kind="stable")
    events = every[np.concatenate(([True], every[1:] != every[:-1]))] if every.size else every
    index = np.full((len(stacks), len(events)), -1, np.int32)
    status = np.full((len(stacks), len(events)), ABSENT, np.uint8)
    for number, (stack, key) in enumerate(zip(stacks, keys, strict=True)):
        if stack.rows > np.iinfo(np.int32).max:
            raise FileError(f"module {stack.name} has {stack.rows:,} rows", stack.sources[0].file)
        _assign(stack, np.searchsorted(events, key), index[number], status[number])
    present = np.count_nonzero(index >= 0, axis=0)
    kept = present >= max(1, least)
    return EventTable(
        ids_of(events[kept]),
        np.ascontiguousarray(index[:, kept].T),
        np.ascontiguousarray(status[:, kept].T),
        _cells(stacks, index[:, kept]),
        int(np.count_nonzero(~kept)),
    )


def _shifted(stack: Stack, offset: int) -> Array:
    if not offset:
        return stack.ids
    ids = stack.ids.copy()
    # Modulo 2**64, as the counters themselves run.
    ids[:, 0] += np.uint64(offset % (1 << 64))
    return ids


def _keys(ids: Sequence[Array]) -> tuple[list[Array], Callable[[Array], Array]]:
    """One number for the ids of each row; and what gives the ids of such numbers."""
    if all(each.shape[1] == 1 for each in ids):
        return [each[:, 0] for each in ids], lambda keys: keys[:, np.newaxis]
    second = max((int(each[:, 1].max()) for each in ids if len(each)), default=0)
    first = max((int(each[:, 0].max()) for each in ids if len(each)), default=0)
    if second < 1 << _SECOND_BITS and first < 1 << (64 - _SECOND_BITS):
        bits = np.uint64(_SECOND_BITS)
        low = np.uint64((1 << _SECOND_BITS) - 1)
        keys = [(each[:, 0] << bits) | each[:, 1] for each in ids]
        return keys, lambda keys: np.stack([keys >> bits, keys & low], axis=1)
    known, number = np.unique(np.concatenate(ids), axis=0, return_inverse=True)
    ends = np.cumsum([len(each) for each in ids])[:-1]
    return np.split(number.reshape(-1), ends), lambda keys: known[keys]


def _assign(stack: Stack, events: Array, index: Array, status: Array) -> None:
    """Write the rows of a module, and what became of it at each event."""
    rows = np.arange(stack.rows, dtype=np.int32)
    good = ~stack.bad
    status[events[~good]] = BAD
    # The last to be written stays: that is the first row.
    index[events[good][::-1]] = rows[good][::-1]
    status[events[good]] = GOOD
    often = np.bincount(events[good], minlength=len(index)) > 1
    status[often] = DUPLICATE


def _cells(stacks: Sequence[Stack], index: Array) -> Array | None:
    """The memory cell of each event."""
    found: Array | None = None
    for stack, rows in zip(stacks, index, strict=True):
        if stack.cell_id is None:
            continue
        own = rows >= 0
        cells = np.zeros(len(rows), np.int64)
        cells[own] = stack.cell_id[rows[own]]
        if found is None:
            found = np.full(len(rows), -1)
        differs = own & (found >= 0) & (found != cells)
        if differs.any():
            event = int(np.argmax(differs))
            message = (
                f"module {stack.name} has memory cell {cells[event]} at event {event}, and "
                f"another has {found[event]}"
            )
            raise FileError(message, stack.sources[0].file)
        found[own] = cells[own]
    if found is None or np.any(found < 0):
        return None
    return found.astype(np.uint16)
