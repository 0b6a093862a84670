"""Pictures of frames: what is drawn where, and names from a file that are not mathematics."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from matplotlib import image

import nxformula
from nxformula.interop.picture import draw_frame
from nxformula.masters.demonstration import Demonstration


def strange_file(path: Path, name: str, shape: tuple[int, ...], units: str = "keV") -> Path:
    """A field with a formula, in a file of its own."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry[name] = np.arange(np.prod(shape), dtype="uint16").reshape(shape)
    axes = ("frame", "slow", "fast")[-len(shape) :]
    field = f"{name}[{','.join(axes)}]"
    nxformula.attach(path, f"/entry/{name}", f"{name} / 4", [field], in_place=True)
    with h5py.File(path, "r+") as file:
        file[f"/entry/{name}_formula"].attrs["formula_units"] = units
    return path


def test_colours_follow_the_values(attached: Demonstration) -> None:
    output = attached.folder / "frame.png"
    with nxformula.open(attached.master) as file:
        draw_frame(file.only_formula(), -1, output)
    picture = image.imread(output)
    cyan = (picture[..., :3] == [0, 1, 1]).all(-1)
    third = picture.shape[1] // 3
    # Invalid pixels are cyan in the calibrated panel, and only there.
    assert cyan[:, 2 * third :].any()
    assert not cyan[:, : 2 * third].any()


@pytest.mark.parametrize("units", ["$\\frac{", "$x$ $", "\u6f22\u5b57", "a\x1bb"])
def test_names_are_not_mathematics(tmp_path: Path, units: str) -> None:
    path = strange_file(tmp_path / "a.h5", "data", (2, 4, 4), units)
    with nxformula.open(path) as file:
        draw_frame(file.only_formula(), 1, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_field_without_frames(tmp_path: Path) -> None:
    path = strange_file(tmp_path / "a.h5", "image", (4, 4))
    with nxformula.open(path) as file:
        images = file.only_formula()
        draw_frame(images, None, tmp_path / "a.png")
        with pytest.raises(ValueError, match=r"/entry/image has no frames to choose from"):
            draw_frame(images, 0, tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("frame", [4, -5, 10**30])
def test_no_such_frame(attached: Demonstration, frame: int) -> None:
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(ValueError, match=rf"frame {frame} is not one of the 4 of /entry"),
    ):
        draw_frame(file.only_formula(), frame, attached.folder / "x.png")


def test_only_png(attached: Demonstration) -> None:
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(ValueError, match=r"name is frame.jpg; expected one in .png"),
    ):
        draw_frame(file.only_formula(), 0, "frame.jpg")
