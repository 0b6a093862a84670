"""What grouped reductions compute, for one row of elements and their labels.

Sums are made in binary64, one element after the other, so that their rounding does not depend on
how the work is cut. NaN are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final

import numpy as np

from nxformula.engine.layout import Array


class Groups:
    """Elements that share a label; those with a negative one are in no group.

    Parameters
    ----------
    labels : ndarray of int
        The label of each element, in the order of the result's dimensions.

    Attributes
    ----------
    count : int
        Number of groups.
    number : ndarray of intp
        The group of each element; `count` for elements in no group.
    """

    def __init__(self, labels: Array) -> None:
        negative, every, number = _numbered(labels.reshape(-1))
        self.count = every - negative
        self.number = np.where(number < negative, self.count, number - negative)

    @cached_property
    def by_size(self) -> list[tuple[Array, Array]]:
        """For each size of groups: their numbers, and where the elements of each group are."""
        # Of 16 bits NumPy sorts by counting.
        small = self.number.astype(np.uint16) if self.count < 1 << 16 else self.number
        order = np.argsort(small, kind="stable")
        sizes = np.bincount(self.number, minlength=self.count + 1)[: self.count]
        starts = np.cumsum(sizes) - sizes
        found = []
        for size in np.unique(sizes):
            groups = np.flatnonzero(sizes == size)
            found.append((groups, order[starts[groups, np.newaxis] + np.arange(size)]))
        return found


def _numbered(labels: Array) -> tuple[int, int, Array]:
    """Numbers of different labels below 0 and in all, and the rank of that of each element."""
    low = int(labels.min(initial=0))
    span = int(labels.max(initial=0)) - low + 1
    if span > 4 * labels.size + 64:
        values, number = np.unique(labels, return_inverse=True)
        return int(np.count_nonzero(values < 0)), len(values), number
    # Labels lie close together: to count them takes a tenth of the time of sorting them.
    places = labels.astype(np.int64, copy=False) - low
    present = np.zeros(span, bool)
    present[places] = True
    rank = np.cumsum(present) - 1
    return int(np.count_nonzero(present[:-low])) if low else 0, int(rank[-1]) + 1, rank.take(places)


def reduce_groups(
    function: str, values: Array, groups: Groups, quantile: float, out: Array
) -> None:
    """Reduce each group of each row, and give the value to all its elements; NaN to the others.

    Parameters
    ----------
    function : str
        Name in the language.
    values : ndarray of float32 or float64, shape (row, element)
        The elements of each row.
    groups : Groups
        Which elements of a row belong together.
    quantile : float
        For `group_quantile`.
    out : ndarray
        Receives the result, of the shape and dtype of `values`.
    """
    reduced = np.empty((len(values), groups.count + 1), out.dtype)
    reduced[:, -1] = np.nan
    with np.errstate(all="ignore"):
        if function == "group_count":
            _count(values, groups, reduced)
        elif function in _SUMS:
            reduced[:, :-1] = _SUMS[function](_Sums(values, groups))
        else:
            _order(_PLACES[function], values, groups, quantile, reduced)
    np.take(reduced, groups.number, axis=1, out=out, mode="clip")


class _Sums:
    """Sums over the elements of each group of each row that are not NaN."""

    def __init__(self, values: Array, groups: Groups) -> None:
        valid = ~np.isnan(values)
        if groups.number.max(initial=-1) == groups.count:
            valid &= groups.number < groups.count
        row, element = np.nonzero(valid)
        self.number = groups.number[element] + row * groups.count
        self.values = values[valid].astype(np.float64)
        self.shape = len(values), groups.count

    def of(self, values: Array) -> Array:
        """The sum of each group; bincount adds one element after the other."""
        return self._counted(weights=values)

    def counts(self) -> Array:
        """How many there are."""
        return self._counted().astype(np.float64)

    def _counted(self, weights: Array | None = None) -> Array:
        found = np.bincount(self.number, weights, minlength=self.shape[0] * self.shape[1])
        return found.reshape(self.shape)

    def means(self) -> Array:
        """Means, NaN of none."""
        return self.of(self.values) / self.counts()

    def deviations(self) -> Array:
        """Standard deviations, NaN of none."""
        apart = self.values - self.means().reshape(-1).take(self.number)
        return np.sqrt(self.of(apart * apart) / self.counts())


_SUMS: Final[Mapping[str, Callable[[_Sums], Array]]] = {
    "group_sum": lambda sums: sums.of(sums.values),
    "group_mean": _Sums.means,
    "group_std": _Sums.deviations,
}


def _count(values: Array, groups: Groups, reduced: Array) -> None:
    valid = ~np.isnan(values)
    reduced[:, :-1] = 0
    for numbers, elements in groups.by_size:
        reduced[:, numbers] = np.count_nonzero(valid[:, elements], axis=2)


#: Two places in a sorted group, from its number of elements and the quantile; their mean counts.
_Places = Callable[[Array, float], tuple[Array, Array]]


def _at_quantile(count: Array, quantile: float) -> tuple[Array, Array]:
    place = np.floor(quantile * (count - 1)).astype(np.intp)
    return place, place


_PLACES: Final[Mapping[str, _Places]] = {
    "group_median": lambda count, quantile: ((count - 1) // 2, count // 2),
    "group_min": lambda count, quantile: (np.zeros_like(count), np.zeros_like(count)),
    "group_max": lambda count, quantile: (count - 1, count - 1),
    "group_quantile": _at_quantile,
}


def _order(places: _Places, values: Array, groups: Groups, quantile: float, reduced: Array) -> None:
    for numbers, elements in groups.by_size:
        # NaN are sorted to the end.
        ordered = values[:, elements]
        ordered.sort(axis=2)
        count = ordered.shape[2] - np.count_nonzero(np.isnan(ordered), axis=2)
        at = [np.maximum(place, 0)[..., np.newaxis] for place in places(count, quantile)]
        lower, upper = (np.take_along_axis(ordered, place, 2)[..., 0] for place in at)
        # Of one place the value as it is: the sum of two may be infinite.
        mean = (lower.astype(np.float64) + upper) * np.float64(0.5)
        middle = np.where((at[0] == at[1])[..., 0], lower, mean)
        reduced[:, numbers] = np.where(count > 0, middle, np.nan)
