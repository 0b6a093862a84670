"""Values of formulas, from the package's engine in binary64."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import nxformula
from nxformula.language.tree import Formula

#: Axes and values of a symbol; values alone are one for each point.
Given = Mapping[str, "np.ndarray | tuple[tuple[str, ...], np.ndarray]"]


def value(formula: Formula | str, symbols: Given, dtype: str = "float64") -> np.ndarray:
    """The value of a formula at each point."""
    tree = nxformula.parse(formula) if isinstance(formula, str) else formula
    axes_of = {
        name: given if isinstance(given, tuple) else (("n",), given)
        for name, given in symbols.items()
        if name in tree.names
    }
    axes = ("n",) if any("n" in axes for axes, _ in axes_of.values()) else ()
    return nxformula.evaluate(tree.text, axes_of, axes=axes, dtype=dtype)


def slope(text: str, symbol: str, symbols: Given) -> tuple[np.ndarray, np.ndarray]:
    """The derivative by central differences, and where it can be trusted."""
    found = []
    with np.errstate(all="ignore"):
        for step in (1e-4, 2e-4):
            ends = [value(text, moved(symbols, symbol, move)) for move in (-step, step)]
            found.append((ends[1] - ends[0]) / (2 * step))
        better = (4 * found[0] - found[1]) / 3
        trusted = np.abs(found[1] - found[0]) <= 1e-5 * (1 + np.abs(better))
    return better, trusted


def moved(symbols: Given, symbol: str, move: float) -> Given:
    """The symbols, one of them moved everywhere."""
    given = symbols[symbol]
    if isinstance(given, tuple):
        return {**symbols, symbol: (given[0], given[1] + move)}
    return {**symbols, symbol: given + move}
