"""Draw a frame as the detector is: every pixel where it is in the laboratory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import h5py
import numpy as np

from nxformula.engine.layout import Array
from nxformula.errors import FileError, printable
from nxformula.interop.picture import figure_class, limits_of
from nxformula.masters.geometry.chains import Chains, Placed, detectors_of
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.output import new_file

#: Pixels of a picture along a side, at most.
_SIDE: Final = 8192


def assemble(image: Array, modules: Sequence[Placed]) -> tuple[Array, tuple[float, ...]]:
    """An image as seen along the beam, from above the sample downstream.

    Parameters
    ----------
    image : ndarray, shape (slow, fast)
        A calibrated image.
    modules : sequence of Placed
        Where its parts are.

    Returns
    -------
    image : ndarray
        NaN where there is no pixel; x grows to the right, y upwards.
    extent : tuple of float
        Its left, right, lower and upper edge in m.

    Raises
    ------
    ValueError
        A module is not within the image, or the detector is too wide for a picture.
    """
    pitch = min(float(np.linalg.norm(step)) for m in modules for step in (m.fast, m.slow))
    places = [module.positions()[..., :2] for module in modules]
    low = np.min([place.min(axis=(0, 1)) for place in places], axis=0)
    high = np.max([place.max(axis=(0, 1)) for place in places], axis=0)
    width, height = (int(n) for n in np.ceil((high - low) / pitch) + 1)
    if max(width, height) > _SIDE:
        raise ValueError(f"the detector is {width} x {height} pixels wide; no picture is so large")
    picture = np.full((height, width), np.nan, np.float32)
    for module, place in zip(modules, places, strict=True):
        slow, fast = module.data_origin[-2:]
        part = image[slow : slow + module.data_size[-2], fast : fast + module.data_size[-1]]
        if part.shape != place.shape[:2]:
            message = f"module {module.name} is not within an image of {image.shape}"
            raise ValueError(message)
        # Just below a half it is always the same side: else rounding would tear modules apart.
        at = np.floor((place - low) / pitch + 0.5 - 1e-4).astype(np.intp)
        picture[at[..., 1], at[..., 0]] = part
    edges = (low - pitch / 2, low + pitch * (np.array([width, height]) - 0.5))
    return picture, (edges[0][0], edges[1][0], edges[0][1], edges[1][1])


def draw_assembled(
    images: CalibratedDataset,
    frame: int,
    output: str | os.PathLike[str],
    *,
    force: bool = False,
) -> None:
    """Write a PNG of one frame in laboratory geometry.

    Parameters
    ----------
    images : CalibratedDataset
        Dimensions frame, slow, fast.
    frame : int
        Place along the first.
    output : path
        The picture.
    force : bool
        Whether it may replace a file.

    Raises
    ------
    ValueError
        There is no such frame, or the picture's name does not end in `.png`.
    FileError
        The file has no geometry, or the picture cannot be written.
    ModuleNotFoundError
        matplotlib is missing; the message names the extra.
    """
    if not os.fspath(output).lower().endswith(".png"):
        raise ValueError(f"the picture's name is {os.fspath(output)}; expected one in .png")
    if images.ndim != 3 or not -len(images) <= frame < len(images):
        raise ValueError(f"frame {frame} is not one of {images.name}, which is {images.shape}")
    modules = Chains(images.file).modules(_detector(images))
    picture, extent = assemble(images[frame], modules)
    figure = figure_class()(figsize=(7.2, 6.2), layout="constrained")
    axis = figure.subplots()
    low, high = limits_of(picture)
    from matplotlib import colormaps

    shown = axis.imshow(
        picture,
        origin="lower",
        extent=[1000 * value for value in extent],
        vmin=low,
        vmax=high,
        cmap=colormaps["magma"].with_extremes(bad="lightgrey"),
        interpolation="nearest",
    )
    axis.set_xlabel("x / mm")
    axis.set_ylabel("y / mm")
    axis.set_title(
        printable(f"{images.name}, frame {frame % len(images)}"), fontsize=10, parse_math=False
    )
    bar = figure.colorbar(shown, ax=axis, shrink=0.85)
    bar.set_label(printable(images.units or ""))
    with new_file(output, force=force) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _detector(images: CalibratedDataset) -> Any:
    """The detector that has the field, else the only one of its file."""
    holder = images.binding.definition.holder
    if holder.attrs.get("NX_class") in ("NXdetector", b"NXdetector"):
        return holder
    found = detectors_of(h5py.File(images.file.id))
    if len(found) != 1:
        message = (
            f"{images.file.filename} has {len(found)} detectors; expected the one of the field"
        )
        raise FileError(message, images.file.filename)
    return h5py.File(images.file.id)[found[0]]
