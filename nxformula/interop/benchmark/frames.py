"""Images, constants and formulas to measure with, and the same calibration in plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.language.symbols import Symbol

PIXELS: Final = ("frame", "slow", "fast")
SHAPES: Final = {"0.25M": (512, 512), "4M": (2048, 2048), "16M": (4096, 4096)}

#: Shares of the gain bits 0 to 3 of a Jungfrau; 2 is invalid.
MIXES: Final = {
    "99.5 % in stage 0": (0.995, 0.004, 0.0, 0.001),
    "90 / 7 / 0.1 / 2.9 %": (0.9, 0.07, 0.001, 0.029),
}

JUNGFRAU: Final = """\
let stage  = data >> 14;
let counts = data & 0x3FFF;
let plane  = choose(stage, 0, 1, -1, 2);
(counts - pedestal[plane]) / gain[plane]
"""
_STAGES: Final = ("stage", "slow", "fast")
JUNGFRAU_SYMBOLS: Final = {
    "data": Symbol("uint16", PIXELS),
    "pedestal": Symbol("float32", _STAGES),
    "gain": Symbol("float32", _STAGES),
}

#: Stage by two thresholds, constants by memory cell and stage.
AGIPD: Final = """\
let stage = where(gain > high[cell=cell_id], 2, where(gain > low[cell=cell_id], 1, 0));
(data - offset[cell=cell_id, stage=stage]) * relative[cell=cell_id, stage=stage]
"""
_CELLS: Final = ("cell", "stage", "slow", "fast")
AGIPD_SYMBOLS: Final = {
    "data": Symbol("uint16", PIXELS),
    "gain": Symbol("uint16", PIXELS),
    "low": Symbol("float32", ("cell", "slow", "fast")),
    "high": Symbol("float32", ("cell", "slow", "fast")),
    "offset": Symbol("float32", _CELLS),
    "relative": Symbol("float32", _CELLS),
    "cell_id": Symbol("uint16", ("frame",)),
}


@dataclass(frozen=True, slots=True)
class Jungfrau:
    """Raw frames with their constants.

    Attributes
    ----------
    data : ndarray of uint16, shape (frame, slow, fast)
        Two gain bits and counts.
    pedestal, gain : ndarray of float32, shape (stage, slow, fast)
        The constants.
    """

    data: Array
    pedestal: Array
    gain: Array

    @property
    def arrays(self) -> dict[str, Array]:
        """By the names of the symbols."""
        return {"data": self.data, "pedestal": self.pedestal, "gain": self.gain}


def make_jungfrau(
    shape: tuple[int, int], frames: int, mix: tuple[float, ...] = MIXES["99.5 % in stage 0"]
) -> Jungfrau:
    """Frames of noise around the pedestal, pixels of other stages drawn independently.

    That is harder than real images, where stages come in patches.
    """
    random = np.random.default_rng(711)
    levels = np.array([1500, 14000, 14000], np.float32).reshape(3, 1, 1)
    slopes = np.array([40, -1.4, -0.1], np.float32).reshape(3, 1, 1)
    pedestal = levels + random.normal(0, 150, (3, *shape)).astype(np.float32)
    gain = slopes * random.normal(1, 0.03, (3, *shape)).astype(np.float32)
    data = np.empty((frames, *shape), np.uint16)
    for frame in data:
        stage = random.choice(4, shape, p=mix).astype(np.uint16)
        dark = np.clip(pedestal[0] + random.normal(0, 3, shape), 0, 0x3FFF).astype(np.uint16)
        frame[...] = np.where(stage, random.integers(2000, 14000, shape, np.uint16), dark)
        frame |= stage << 14
    return Jungfrau(data, pedestal, gain)


def naive(data: Array, pedestal: Array, gain: Array, out: Array) -> None:
    """The Jungfrau calibration as one writes it with NumPy, in float32, frame by frame."""
    with np.errstate(all="ignore"):
        for raw, result in zip(data, out, strict=True):
            stage = raw >> 14
            counts = (raw & 0x3FFF).astype(np.float32)
            p = np.where(stage == 0, pedestal[0], np.where(stage == 1, pedestal[1], pedestal[2]))
            g = np.where(stage == 0, gain[0], np.where(stage == 1, gain[1], gain[2]))
            result[...] = np.where(stage == 2, np.float32("nan"), (counts - p) / g)


def make_agipd(shape: tuple[int, int], frames: int, cells: int = 4) -> dict[str, Array]:
    """Frames of both images of an AGIPD, with constants for each memory cell and stage."""
    random = np.random.default_rng(712)
    every = (frames, *shape)
    stage = random.choice(3, every, p=(0.95, 0.04, 0.01))
    low = random.normal(3000, 50, (cells, *shape)).astype(np.float32)
    return {
        "data": random.integers(3000, 14000, every, np.uint16),
        "gain": np.array([1000, 5000, 9000], np.uint16)[stage],
        "low": low,
        "high": low + np.float32(4000),
        "offset": random.normal(5000, 100, (cells, 3, *shape)).astype(np.float32),
        "relative": random.normal(1, 0.03, (cells, 3, *shape)).astype(np.float32),
        "cell_id": (np.arange(frames) % cells).astype(np.uint16),
    }


def naive_agipd(arrays: dict[str, Array], out: Array) -> None:
    """The AGIPD calibration as one writes it with NumPy, in float32, frame by frame."""
    for frame, cell in enumerate(arrays["cell_id"]):
        stored = arrays["gain"][frame]
        stage = np.where(
            stored > arrays["high"][cell], 2, np.where(stored > arrays["low"][cell], 1, 0)
        )[np.newaxis]
        offset = np.take_along_axis(arrays["offset"][cell], stage, 0)[0]
        relative = np.take_along_axis(arrays["relative"][cell], stage, 0)[0]
        out[frame] = (arrays["data"][frame].astype(np.float32) - offset) * relative
