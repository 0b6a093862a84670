"""Grouped reductions: one value of all elements with the same label."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def _total(values: Sequence[Any]) -> Any:
    """The sum in binary64, one element after the other."""
    total = np.float64(0)
    for value in values:
        total = total + np.float64(value)
    return total


def _mean(values: Sequence[Any]) -> Any:
    return _total(values) / np.float64(len(values))


def _deviation(values: Sequence[Any]) -> Any:
    mean = _mean(values)
    apart = [np.float64(value) - mean for value in values]
    return np.sqrt(_mean([difference * difference for difference in apart]))


def _median(values: Sequence[Any]) -> Any:
    ordered = sorted(values)
    upper = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[upper]
    return (np.float64(ordered[upper - 1]) + np.float64(ordered[upper])) * np.float64(0.5)


_OF_SOME: dict[str, Callable[[Sequence[Any]], Any]] = {
    "group_mean": _mean,
    "group_std": _deviation,
    "group_median": _median,
    "group_min": min,
    "group_max": max,
}


def reduced(function: str, values: Sequence[Any], real: type, quantile: float = 0.0) -> Any:
    """The value of one group of reals.

    Parameters
    ----------
    function : str
        Name of the function.
    values : sequence of reals
        The elements, in the order of the result's dimensions.
    real : type
        Format of the result.
    quantile : float
        For `group_quantile`.

    Examples
    --------
    >>> values = [np.float32(4), np.float32("nan"), np.float32(1)]
    >>> float(reduced("group_median", values, np.float32))
    2.5
    """
    valid = [value for value in values if not np.isnan(value)]
    if function == "group_count":
        return real(len(valid))
    if function == "group_sum":
        return real(_total(valid))
    if not valid:
        return real(np.nan)
    if function == "group_quantile":
        place = math.floor(np.float64(quantile) * np.float64(len(valid) - 1))
        return real(sorted(valid)[place])
    return real(_OF_SOME[function](valid))
