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
        flat = labels.reshape(-1)
        values, number = np.unique(flat, return_inverse=True)
        negative = int(np.count_nonzero(values < 0))
        self.count = len(values) - negative
        self.number = np.where(number < negative, self.count, number - negative)

    @cached_property
    def by_size(self) -> list[tuple[Array, Array]]:
        """For each size of groups: their numbers, and where the elements of each group are."""
        order = np.argsort(self.number, kind="stable")
        sizes = np.bincount(self.number, minlength=self.count + 1)[: self.count]
        starts = np.cumsum(sizes) - sizes
        found = []
        for size in np.unique(sizes):
            groups = np.flatnonzero(sizes == size)
            found.append((groups, order[starts[groups, np.newaxis] + np.arange(size)]))
        return found


def reduce_groups(
    function: str, values: Array, groups: Groups, quantile: float, out: Array
) -> None:
    """Reduce each group and give the value to all its elements; NaN to those in no group.

    Parameters
    ----------
    function : str
        Name in the language.
    values : ndarray of float32 or float64, one dimension
        The elements.
    groups : Groups
        Which belong together.
    quantile : float
        For `group_quantile`.
    out : ndarray
        Receives the result, of the shape and dtype of `values`.
    """
    with np.errstate(all="ignore"):
        if function in _SUMS:
            reduced = _SUMS[function](_Sums(values, groups))
        else:
            reduced = _ordered(_PLACES[function], values, groups, quantile)
        out[...] = np.append(reduced, np.nan).astype(out.dtype).take(groups.number)


class _Sums:
    """Sums over the elements of each group that are not NaN."""

    def __init__(self, values: Array, groups: Groups) -> None:
        valid = ~np.isnan(values) & (groups.number < groups.count)
        self.number = groups.number[valid]
        self.values = values[valid].astype(np.float64)
        self.groups = groups.count

    def of(self, values: Array) -> Array:
        """The sum of each group; bincount adds one element after the other."""
        return np.bincount(self.number, weights=values, minlength=self.groups)

    def counts(self) -> Array:
        """How many there are."""
        return np.bincount(self.number, minlength=self.groups).astype(np.float64)

    def means(self) -> Array:
        """Means, NaN of none."""
        return self.of(self.values) / self.counts()

    def deviations(self) -> Array:
        """Standard deviations, NaN of none."""
        apart = self.values - self.means().take(self.number)
        return np.sqrt(self.of(apart * apart) / self.counts())


_SUMS: Final[Mapping[str, Callable[[_Sums], Array]]] = {
    "group_sum": lambda sums: sums.of(sums.values),
    "group_count": _Sums.counts,
    "group_mean": _Sums.means,
    "group_std": _Sums.deviations,
}

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


def _ordered(places: _Places, values: Array, groups: Groups, quantile: float) -> Array:
    reduced = np.full(groups.count, np.nan)
    for numbers, elements in groups.by_size:
        # NaN are sorted to the end.
        ordered = np.sort(values[elements], axis=1)
        count = ordered.shape[1] - np.count_nonzero(np.isnan(ordered), axis=1)
        at = [np.maximum(place, 0)[:, np.newaxis] for place in places(count, quantile)]
        lower, upper = (np.take_along_axis(ordered, place, 1)[:, 0] for place in at)
        # Of one place the value as it is: the sum of two may be infinite.
        mean = (lower.astype(np.float64) + upper) * np.float64(0.5)
        middle = np.where((at[0] == at[1])[:, 0], lower, mean)
        reduced[numbers] = np.where(count > 0, middle, np.nan)
    return reduced
