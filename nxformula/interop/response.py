"""Draw the response of a preset: what each raw value becomes in one pixel."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nxformula.engine.kernel import Kernel
from nxformula.engine.layout import Array
from nxformula.errors import printable
from nxformula.interop.picture import figure_class
from nxformula.language.checker import check
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol
from nxformula.nexus.output import new_file
from nxformula.nexus.presets import Preset

#: Raw values of a curve, at most.
_POINTS = 2048


def draw_response(preset: Preset, output: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a PNG of the result against the raw value, a curve for each range of them.

    Parameters
    ----------
    preset : Preset
        With constants of a typical pixel.
    output : path
        The picture.
    force : bool
        Whether it may replace a file.

    Raises
    ------
    ValueError
        The preset has no such constants, or the picture's name does not end in `.png`.
    ModuleNotFoundError
        matplotlib is missing; the message names the extra.
    FileError
        The picture cannot be written.
    """
    if preset.response is None:
        raise ValueError(f"preset {preset.name} has no picture: one raw value says too little")
    if not os.fspath(output).lower().endswith(".png"):
        raise ValueError(f"the picture's name is {os.fspath(output)}; expected one in .png")
    figure = figure_class()(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    for low, high in preset.response["ranges"]:
        raw, values = response(preset, low, high)
        axis.plot(raw, values, label=f"{low} to {high}")
    axis.set_xlabel("raw value")
    axis.set_ylabel(printable(f"result / {preset.units}" if preset.units else "result"))
    axis.set_title(printable(preset.title), fontsize=10, parse_math=False)
    axis.legend(title="raw values", fontsize=8)
    axis.grid(alpha=0.3)
    with new_file(output, force=force) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def response(preset: Preset, low: int, high: int) -> tuple[Array, Array]:
    """Raw values of a range, and what the preset makes of them in its typical pixel.

    Examples
    --------
    >>> raw, energy = response(nxformula.preset("jungfrau"), 3000, 3410)
    >>> float(energy[0]), float(energy[-1])
    (0.0, 10.0)
    """
    assert preset.response is not None, "the caller knows that there is one"
    raw = np.arange(low, high + 1, max(1, (high - low) // _POINTS))
    fast = preset.symbols["data"].axes[-1]
    arrays = {
        name: _spread(np.asarray(value), preset.symbols[name].axes, fast, len(raw)).astype(
            preset.symbols[name].dtype
        )
        for name, value in preset.response["symbols"].items()
    }
    data = preset.symbols["data"]
    shape = [len(raw) if axis == fast else 1 for axis in data.axes]
    arrays["data"] = raw.reshape(shape).astype(data.dtype)
    symbols = {
        name: Symbol(array.dtype.name, preset.symbols[name].axes, array.shape)
        for name, array in arrays.items()
    }
    checked = check(
        parse(preset.formula), symbols, axes=preset.axes, dtype=preset.dtype, field="data"
    )
    values: Array = Kernel(checked)(arrays).reshape(-1)
    return raw, values


def _spread(value: Array, axes: tuple[str, ...], fast: str, length: int) -> Array:
    """A constant of one pixel as the table that the formula takes."""
    own: list[Any] = list(value.shape)
    shape = [1 if axis in ("frame", "slow", fast) else own.pop(0) for axis in axes]
    table = value.reshape(shape)
    return np.repeat(table, length, axis=axes.index(fast)) if fast in axes else table
