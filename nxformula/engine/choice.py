"""Which elements of a tile take another plane of a table than most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.engine.schedule import Schedule

#: Tiles for which a search without success is not repeated.
_PAUSE: Final = 16


class Choice:
    """The usual value of each index of tables that varies within a tile.

    Attributes
    ----------
    usual : dict of int
        By number of the operation that gives the index.
    """

    def __init__(self, schedule: Schedule, elements: int) -> None:
        self.usual: dict[int, int] = dict.fromkeys(schedule.selectors, 0)
        self.pause = 0
        self.buffer = np.empty(elements if schedule.selectors else 0, bool)

    def unusual(self, values: Sequence[Array]) -> tuple[int, Array | None]:
        """How many elements have an index that is not the usual one, and which.

        None without look-ups to choose for.
        """
        count, mask = 0, None
        for selector in self.usual:
            own, differs = self._differing(selector, values[selector], mask is None)
            count, mask = (own, differs) if mask is None else _joined(mask, differs)
        return count, mask

    def _differing(self, selector: int, index: Array, first: bool) -> tuple[int, Array]:
        buffer = self.buffer[: index.size].reshape(index.shape) if first else None
        differs = np.not_equal(index, self.usual[selector], out=buffer)
        count = int(np.count_nonzero(differs))
        if 2 * count > index.size:
            if self.pause:
                self.pause -= 1
                return count, differs
            self.usual[selector] = _most_frequent(index)
            differs = np.not_equal(index, self.usual[selector], out=buffer)
            count = int(np.count_nonzero(differs))
            # Where no value is usual the next tiles hardly have one.
            self.pause = _PAUSE if 2 * count > index.size else 0
        return count, differs


def _joined(mask: Array, other: Array) -> tuple[int, Array]:
    both: Array = mask | other
    return int(np.count_nonzero(both)), both


def _most_frequent(index: Array) -> int:
    """The most frequent of some samples of an index."""
    samples = index.reshape(-1)[:: max(1, index.size // 256)]
    values, counts = np.unique(samples, return_counts=True)
    return int(values[counts.argmax()])
