"""Draw frames with matplotlib: raw, gain stage and calibrated values side by side."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError, printable
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.output import new_file

#: The result that is shown between raw and calibrated, where a formula offers it.
_STAGE: Final = "stage"
#: More pixels than this along a side are not shown one by one.
_SIDE: Final = 2048


@dataclass(frozen=True, slots=True)
class _Panel:
    """One of the images of a picture; without limits they are taken from the values."""

    title: str
    values: Array
    colours: str = "magma"
    limits: tuple[int, int] | None = None


def draw_frame(
    images: CalibratedDataset,
    frame: int | None,
    output: str | os.PathLike[str],
    *,
    force: bool = False,
) -> None:
    """Write a PNG of one frame: raw | gain stage | calibrated.

    Parameters
    ----------
    images : CalibratedDataset
        Dimensions frame, slow and fast, or more: all but the last two are stacked along slow.
    frame : int, optional
        Place along the first dimension; of a field without frames there is none to give.
    output : path
        The picture.
    force : bool
        Whether it may replace a file.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is missing; the message names the extra.
    ValueError
        There is no such frame, or the picture's name does not end in `.png`.
    FileError
        The picture cannot be written.
    """
    if not os.fspath(output).lower().endswith(".png"):
        raise ValueError(f"the picture's name is {os.fspath(output)}; expected one in .png")
    index = _index(images, frame)
    where = f", frame {index[0]}" if index else ""
    figure = _figure(f"{images.name}{where}", _panels(images, index))
    with new_file(output, force=force) as temporary, warnings.catch_warnings():
        # Names in a file may have characters that matplotlib's font has no glyphs for.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(temporary, format="png", dpi=110)


def _index(images: CalibratedDataset, frame: int | None) -> tuple[int, ...]:
    if images.ndim < 2:
        message = f"{images.name} has {images.ndim} dimensions; a picture needs 2"
        raise FileError(message, images.name)
    if images.ndim == 2:
        if frame is not None:
            raise ValueError(f"{images.name} has no frames to choose from: it is {images.shape}")
        return ()
    frame = frame or 0
    frames = len(images)
    if not -frames <= frame < frames:
        raise ValueError(f"frame {frame} is not one of the {frames} of {images.name}")
    return (frame % frames,)


def _panels(images: CalibratedDataset, index: tuple[int, ...]) -> list[_Panel]:
    raw = images.raw
    panels = [_Panel("raw", _shown(raw[index]))] if raw.ndim == images.ndim else []
    if _STAGE in images.results:
        codes = _shown(images.result(_STAGE)[index])
        panels.append(_Panel("gain stage code", codes, "viridis", (0, 3)))
    unit = f" / {images.units}" if images.units else ""
    panels.append(_Panel(f"calibrated{unit}", _shown(images[index])))
    return panels


def _shown(values: Array) -> Array:
    flat = values.reshape(-1, values.shape[-1])
    steps = [max(1, -(-length // _SIDE)) for length in flat.shape]
    return flat[:: steps[0], :: steps[1]]


def figure_class() -> Any:
    """The class of matplotlib's figures.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is missing; the message names the extra.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        message = "drawing needs matplotlib: pip install 'nxformula[plot]'"
        raise ModuleNotFoundError(message) from None
    return Figure


def _figure(title: str, panels: list[_Panel]) -> Any:
    figure = figure_class()(figsize=(4.3 * len(panels), 4.2), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False).ravel()
    for axis, panel in zip(axes, panels, strict=True):
        _draw(figure, axis, panel)
    # Names come from the file: a dollar sign in one is no mathematics.
    figure.suptitle(printable(title), fontsize=10, parse_math=False)
    return figure


def _draw(figure: Any, axis: Any, panel: _Panel) -> None:
    from matplotlib import colormaps

    low, high = panel.limits or limits_of(panel.values)
    rows, columns = panel.values.shape
    image = axis.imshow(
        panel.values,
        vmin=low,
        vmax=high,
        cmap=colormaps[panel.colours].with_extremes(bad="cyan"),
        interpolation="nearest",
        aspect="equal" if 0.5 <= rows / columns <= 2 else "auto",
    )
    axis.set_title(printable(panel.title), fontsize=9, parse_math=False)
    axis.tick_params(labelsize=7)
    bar = figure.colorbar(image, ax=axis, shrink=0.8)
    bar.ax.tick_params(labelsize=7)
    if panel.limits:
        bar.set_ticks(range(panel.limits[1] + 1))


def limits_of(values: Array) -> tuple[float, float]:
    """The values that the colours begin and end with: a few outliers are left out."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(finite, [1, 99.5])
    return float(low), float(high if high > low else low + 1)
