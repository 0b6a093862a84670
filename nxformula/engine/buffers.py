"""Memory that serves many reads, one after the other: new memory must first be cleared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import numpy as np

from nxformula.engine.layout import Array

#: Bytes that are kept while nobody uses them.
_IDLE_BYTES: Final = 128 << 20


class Buffers:
    """Arrays of bytes that are lent, and kept for the next who asks, within a bound."""

    def __init__(self, limit: int = _IDLE_BYTES) -> None:
        self._limit = limit
        self._idle: list[Array] = []
        self._lock = Lock()

    @contextmanager
    def lend(self, size: int) -> Iterator[Array]:
        """An array of so many bytes, of any values, until the context ends."""
        buffer = self._take(size)
        try:
            yield buffer[:size]
        finally:
            self._keep(buffer)

    def _take(self, size: int) -> Array:
        with self._lock:
            fitting = [k for k, buffer in enumerate(self._idle) if buffer.size >= size]
            if fitting:
                return self._idle.pop(min(fitting, key=lambda k: self._idle[k].size))
        return np.empty(size, np.uint8)

    def _keep(self, buffer: Array) -> None:
        with self._lock:
            self._idle.append(buffer)
            while sum(idle.size for idle in self._idle) > self._limit:
                self._idle.pop(0)
