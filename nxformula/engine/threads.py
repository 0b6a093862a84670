"""Work in threads: as many as there are cores, for no longer than one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

_Item = TypeVar("_Item")
_Loaded = TypeVar("_Loaded")

_limit: Final[ContextVar[int | None]] = ContextVar("threads", default=None)


def cores() -> int:
    """Cores that this process, or what runs within `limited`, may use."""
    every = len(os.sched_getaffinity(0))
    limit = _limit.get()
    return every if limit is None else min(every, limit)


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Use no more cores than these, where others work beside.

    Examples
    --------
    >>> with limited(1):
    ...     cores()
    1
    """
    token = _limit.set(threads)
    try:
        yield
    finally:
        _limit.reset(token)


def for_each(work: Callable[[_Item], None], items: Sequence[_Item], threads: int) -> None:
    """Do some work for each item; the first error ends it.

    Parameters
    ----------
    work : callable
        Takes an item.
    items : sequence
        As many are worked on at a time as there are threads.
    threads : int
        How many may work; with one, it is the caller's.
    """
    if threads <= 1 or len(items) <= 1:
        for item in items:
            work(item)
        return
    # A pool for longer would have no threads in a forked process.
    with ThreadPoolExecutor(min(threads, len(items))) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def ahead(
    load: Callable[[_Item], _Loaded], work: Callable[[_Item, _Loaded], None], items: Sequence[_Item]
) -> None:
    """Do some work for each item on what is loaded for it, while the next is being loaded.

    Parameters
    ----------
    load : callable
        Takes an item; runs in a thread of its own.
    work : callable
        Takes an item and what was loaded; runs in the caller's thread, in order.
    items : sequence
        At most two are held at a time.
    """
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, items[0])
        for number, item in enumerate(items):
            loaded = loading.result()
            if number + 1 < len(items):
                loading = pool.submit(load, items[number + 1])
            work(item, loaded)
