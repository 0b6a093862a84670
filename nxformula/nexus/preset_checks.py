"""Whether constants are those that a preset needs: found out before any pixel is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import DimensionError, FormulaTypeError
from nxformula.language.symbols import Symbol
from nxformula.nexus.parts import read_blocks
from nxformula.nexus.presets import Preset, PresetSymbol


def check_lengths(preset: Preset, symbols: Mapping[str, Symbol]) -> None:
    """Refuse constants that lack planes.

    Raises
    ------
    DimensionError
        A dimension has not the length that the preset needs.
    """
    for name, known in preset.symbols.items():
        symbol = symbols.get(name)
        if symbol is None or symbol.shape is None:
            continue
        for axis, length in zip(symbol.axes, symbol.shape, strict=True):
            wanted = known.lengths.get(axis)
            if wanted is not None and length != wanted:
                message = (
                    f"{name!r} has {length} along {axis!r}, and the preset {preset.name} needs "
                    f"{wanted}: {known.meaning}"
                )
                raise DimensionError(message, preset.formula)


def check_values(
    preset: Preset, symbols: Mapping[str, Symbol], values: Mapping[str, object]
) -> None:
    """Refuse constants with which the formula is infinite or invalid.

    Parameters
    ----------
    preset : Preset
        Says what may not be 0, and what is an index.
    symbols : mapping of Symbol
        The symbols, with their shapes.
    values : mapping
        Datasets or numbers of the symbols.

    Raises
    ------
    FormulaTypeError
        A divisor is 0.
    DimensionError
        An index is outside of its tables.
    FileError
        Values cannot be read.
    """
    for name, known in preset.symbols.items():
        if name in values and name in symbols:
            if known.not_zero:
                _check_divisor(preset, name, symbols[name], read_blocks(values[name]))
            if known.index_of is not None:
                _check_index(preset, name, known, symbols, read_blocks(values[name]))


def _check_divisor(
    preset: Preset, name: str, symbol: Symbol, blocks: Iterable[tuple[tuple[int, ...], Array]]
) -> None:
    zeros, size, where = 0, 0, ""
    for corner, block in blocks:
        places = np.argwhere(block == 0)
        if len(places) and not zeros and block.ndim:
            first = zip(symbol.axes, corner, places[0], strict=True)
            where = f", the first at {', '.join(f'{axis} {a + int(b)}' for axis, a, b in first)}"
        zeros += len(places)
        size += block.size
    if zeros:
        are = "is" if zeros == 1 else "are"
        message = (
            f"{zeros} of {size} values of {name!r} {are} 0{where}, and the preset {preset.name} "
            "divides by them; expected NaN where a pixel has none: "
            "'nxformula constants --invalid 0' makes them so"
        )
        raise FormulaTypeError(message, preset.formula)


def _check_index(
    preset: Preset,
    name: str,
    known: PresetSymbol,
    symbols: Mapping[str, Symbol],
    blocks: Iterable[tuple[tuple[int, ...], Array]],
) -> None:
    axis = known.index_of or ""
    tables = {
        other: length
        for other, symbol in symbols.items()
        if axis in symbol.axes and (length := symbol.length(axis)) is not None
    }
    limits = [(int(block.min()), int(block.max())) for _, block in blocks if block.size]
    if not tables or not limits:
        return
    low, high = min(pair[0] for pair in limits), max(pair[1] for pair in limits)
    table = min(tables, key=lambda other: tables[other])
    if low < 0 or high >= tables[table]:
        message = (
            f"{name!r} ({known.meaning}) goes from {low} to {high}, and {table!r} has "
            f"{tables[table]} along {axis!r}; expected places from 0 to {tables[table] - 1}"
        )
        raise DimensionError(message, preset.formula)
