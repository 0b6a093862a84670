"""Contenders that run in turn, round after round, so that a busy machine slows all of them."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nxformula.engine.layout import Array


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds: of this process on all cores, and on the clock."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title, and what a reader must know beside them."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def race(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Spent]:
    """The least time that each contender takes.

    Parameters
    ----------
    contenders : mapping
        What to call, by name.
    rounds : int
        How often each has its turn, after one that is not counted.

    Examples
    --------
    >>> spent = race({"little": lambda: sum(range(10)), "much": lambda: sum(range(10**5))}, 3)
    >>> spent["little"].wall < spent["much"].wall
    True
    """
    best: dict[str, Spent] = {}
    for number in range(rounds + 1):
        for name, contender in contenders.items():
            spent = once(contender)
            if number:
                before = best.get(name, spent)
                best[name] = Spent(min(spent.cpu, before.cpu), min(spent.wall, before.wall))
    return best


def once(action: Callable[[], object]) -> Spent:
    """The time that a call takes."""
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return Spent(time.process_time() - cpu, time.perf_counter() - wall)


def scratch(action: Callable[[], object]) -> int:
    """The most bytes that a call has in use which were not in use before it."""
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def agreement(found: Array, expected: Array) -> str:
    """How a result differs from another: `same bits`, or by how much.

    Examples
    --------
    >>> agreement(np.float32([1, np.nan]), np.float32([1, np.nan]))
    'same bits'
    >>> agreement(np.float32([3, 2]), np.float32([3, 1]))
    'differs by up to 1e+00'
    >>> agreement(np.float32([1, np.nan]), np.float32([1, 2]))
    'NaN elsewhere'
    """
    nan = np.isnan(found)
    if not np.array_equal(nan, np.isnan(expected)):
        return "NaN elsewhere"
    if np.array_equal(found[~nan].view("u1"), expected[~nan].view("u1")):
        return "same bits"
    with np.errstate(all="ignore"):
        relative = np.abs(found[~nan] / expected[~nan].astype("f8") - 1)
    return f"differs by up to {np.nanmax(relative):.0e}"
