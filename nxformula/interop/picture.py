"""Draw frames with matplotlib: raw, gain stage and calibrated values side by side."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.output import new_file

#: The result that is shown between raw and calibrated, where a formula offers it.
_STAGE = "stage"
#: More pixels than this along a side are not shown one by one.
_SIDE = 2048


def draw_frame(
    images: CalibratedDataset,
    frame: int,
    output: str | os.PathLike[str],
    *,
    force: bool = False,
) -> None:
    """Write a PNG of one frame: raw | gain stage | calibrated.

    Parameters
    ----------
    images : CalibratedDataset
        Dimensions frame, slow and fast, or more: all but the last two are stacked along slow.
    frame : int
        Place along the first dimension.
    output : path
        The picture.
    force : bool
        Whether it may replace a file.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is missing; the message names the extra.
    IndexError
        There is no such frame.
    FileError
        The picture cannot be written.
    """
    figure = _figure(images, _panels(images, frame), frame)
    with new_file(output, force=force) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _panels(images: CalibratedDataset, frame: int) -> list[tuple[str, Array]]:
    if images.ndim < 2:
        raise FileError(
            f"{images.name} has {images.ndim} dimensions; a picture needs 2", images.name
        )
    index: Any = (frame,) if images.ndim > 2 else ()
    raw = images.raw
    panels = [("raw", np.asarray(raw[index]))] if raw.ndim == images.ndim else []
    if _STAGE in images.results:
        panels.append(("gain stage code", np.asarray(images.result(_STAGE)[index])))
    unit = f" / {images.units}" if images.units else ""
    panels.append((f"calibrated{unit}", np.asarray(images[index])))
    return [(title, _shown(values)) for title, values in panels]


def _shown(values: Array) -> Array:
    flat = values.reshape(-1, values.shape[-1])
    steps = [max(1, -(-length // _SIDE)) for length in flat.shape]
    return flat[:: steps[0], :: steps[1]]


def _figure(images: CalibratedDataset, panels: list[tuple[str, Array]], frame: int) -> Any:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        message = "drawing needs matplotlib: pip install 'nxformula[plot]'"
        raise ModuleNotFoundError(message) from None

    figure = Figure(figsize=(4.3 * len(panels), 4.2), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False).ravel()
    for axis, (title, values) in zip(axes, panels, strict=True):
        _panel(figure, axis, title, values)
    where = f", frame {frame}" if images.ndim > 2 else ""
    figure.suptitle(f"{images.name}{where}", fontsize=10)
    return figure


def _panel(figure: Any, axis: Any, title: str, values: Array) -> None:
    from matplotlib import colormaps

    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    is_stage = title.startswith("gain")
    low, high = (0, 3) if is_stage else _limits(finite)
    rows, columns = values.shape
    image = axis.imshow(
        values,
        vmin=low,
        vmax=high,
        cmap=colormaps["viridis" if is_stage else "magma"].with_extremes(bad="cyan"),
        interpolation="nearest",
        aspect="equal" if 0.5 <= rows / columns <= 2 else "auto",
    )
    axis.set_title(title, fontsize=9)
    axis.tick_params(labelsize=7)
    bar = figure.colorbar(image, ax=axis, shrink=0.8)
    bar.ax.tick_params(labelsize=7)
    if is_stage:
        bar.set_ticks([0, 1, 2, 3])


def _limits(values: Array) -> tuple[float, float]:
    if values.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(values, [1, 99.5])
    return float(low), float(high if high > low else low + 1)
