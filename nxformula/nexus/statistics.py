"""What calibrated frames hold: shares of gain stages, invalid pixels, mean and spread."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from nxformula.engine.layout import Array
from nxformula.language.tree import Index, Name
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.event_index import EventFrames
from nxformula.nexus.masks import UNUSABLE_BITS
from nxformula.nexus.parts import read_parts

#: Bytes of values that are read at a time.
_BLOCK_BYTES: Final = 64 << 20
#: More values than this are no stages.
_MOST_STAGES: Final = 16


@dataclass(frozen=True, slots=True)
class Region:
    """A part of an image, as a module is.

    Attributes
    ----------
    name : str
        The module.
    box : tuple of slice
        Where it is, along the dimensions of an image.
    """

    name: str
    box: tuple[slice, ...]


@dataclass(slots=True)
class Summary:
    """What a region holds in all frames that were looked at.

    Attributes
    ----------
    name : str
        The region.
    values, invalid : int
        How many values there are, and how many of them are NaN.
    masked, saturated : int or None
        How many of them `pixel_mask` makes unusable, and how many raw values are above
        `saturation_value`; None where the detector states none.
    mean, sigma : float
        Of the valid values; NaN if there are none.
    results : dict of Counter
        How often each value of a named result comes, by its name.
    """

    name: str
    values: int = 0
    invalid: int = 0
    masked: int | None = None
    saturated: int | None = None
    mean: float = math.nan
    sigma: float = math.nan
    results: dict[str, Counter[int]] = field(default_factory=dict)
    _squares: float = 0.0

    def add(self, block: Array) -> None:
        """Take in some values."""
        valid = block[~np.isnan(block)].astype(np.float64, copy=False)
        before, more = self.values - self.invalid, valid.size
        self.values += block.size
        self.invalid += block.size - more
        if not more:
            return
        mean = float(valid.mean())
        squares = float(np.sum((valid - mean) ** 2))
        if before:
            # Chan, Golub and LeVeque 1983: blocks are joined without loss of digits.
            step = mean - self.mean
            squares += self._squares + step * step * before * more / (before + more)
            mean = self.mean + step * more / (before + more)
        self.mean, self._squares = mean, squares
        self.sigma = math.sqrt(squares / (before + more))

    def add_result(self, name: str, block: Array) -> None:
        """Take in some values of a named result, NaN left out."""
        numbers = block[~np.isnan(block)] if block.dtype.kind == "f" else block
        values, counts = np.unique(numbers, return_counts=True)
        known = self.results.setdefault(name, Counter())
        if len(values) <= _MOST_STAGES and np.all(values == np.floor(values)):
            known.update({int(v): int(n) for v, n in zip(values, counts, strict=True)})

    def add_unusable(self, masked: Array | None, saturated: Array | None) -> None:
        """Take in which values of a block are unusable."""
        if masked is not None:
            self.masked = (self.masked or 0) + int(np.count_nonzero(masked))
        if saturated is not None:
            self.saturated = (self.saturated or 0) + int(np.count_nonzero(saturated))

    def count(self, name: str, value: int) -> int:
        """How often a value of a named result comes."""
        return self.results[name][value] if name in self.results else 0

    def to_json(self) -> dict[str, Any]:
        """As `nxformula stats --json` prints it."""
        return {
            "name": self.name,
            "values": self.values,
            "invalid": self.invalid,
            "masked": self.masked,
            "saturated": self.saturated,
            "mean": None if math.isnan(self.mean) else self.mean,
            "sigma": None if math.isnan(self.sigma) else self.sigma,
            "results": {
                name: {str(value): counts[value] for value in sorted(counts)}
                for name, counts in self.results.items()
            },
        }


def summarize(
    images: CalibratedDataset, frames: slice = slice(None), regions: Sequence[Region] = ()
) -> list[Summary]:
    """Summaries of regions, and at last of whole images.

    Parameters
    ----------
    images : CalibratedDataset
        Of at least two dimensions; with three or more, the first is the frame.
    frames : slice
        The frames to look at.
    regions : sequence of Region
        Parts of an image.

    Returns
    -------
    list of Summary
        One for each region, and one that is named `all`.

    Raises
    ------
    FileError
        Values cannot be read.
    ValueError
        None of the frames is wanted.
    """
    chosen = range(*frames.indices(len(images)))
    if not chosen:
        message = f"no frame is chosen: {images.name} has {len(images)} frames, from 0 on"
        raise ValueError(message)
    whole = Region("all", (slice(None),) * (images.ndim - 1))
    wanted = [*regions, whole]
    summaries = [Summary(region.name) for region in wanted]
    results = {name: images.result(name) for name in images.results}
    unusable = _Unusable(images)
    each = max(1, images.nbytes // max(1, len(images)))
    size = max(1, _BLOCK_BYTES // each)
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        place = slice(part.start, part.stop, part.step)
        block = images[place]
        named: Mapping[str, Array] = {name: other[place] for name, other in results.items()}
        masked, saturated = unusable.masked(block.shape), unusable.saturated(place)
        present = unusable.present(part, block.shape)
        for region, summary in zip(wanted, summaries, strict=True):
            box = (slice(None), *region.box)
            summary.add(block[box])
            summary.add_unusable(
                None if masked is None else masked[box],
                None if saturated is None else saturated[box],
            )
            for name, values in named.items():
                if values.ndim == block.ndim:
                    own = values[box]
                    # Where a module has no frame there is no stage either.
                    summary.add_result(name, own if present is None else own[present[box]])
    return summaries


class _Unusable:
    """Which values of a block the detector says are unusable."""

    def __init__(self, images: CalibratedDataset) -> None:
        self._raw = images.raw if images.raw.shape == images.shape else None
        mask = images.raw_mask
        self._limit = mask.saturation
        self._pixels: Array | None = None
        shape = None if mask.pixels is None else mask.pixels.shape
        if shape is not None and shape == images.shape[images.ndim - len(shape) :]:
            pixels = read_parts(mask.pixels, tuple(range(n) for n in shape))
            self._pixels = pixels if pixels.dtype == bool else (pixels & UNUSABLE_BITS) != 0

    def masked(self, shape: tuple[int, ...]) -> Array | None:
        """The pixel mask for each frame of a block; none where that is different in each."""
        if self._pixels is None or self._pixels.ndim >= len(shape):
            return None
        found: Array = np.broadcast_to(self._pixels, shape)
        return found

    def saturated(self, place: slice) -> Array | None:
        """Where raw values are above the detector's limit."""
        if self._raw is None or self._limit is None:
            return None
        found: Array = self._raw[place] > self._limit
        present = self.present(range(*place.indices(len(self._raw))), found.shape)
        return found if present is None else found & present

    def present(self, frames: range, shape: tuple[int, ...]) -> Array | None:
        """Where modules have frames; None for fields that are not joined from modules."""
        if not isinstance(self._raw, EventFrames):
            return None
        rows = np.repeat(~self._raw.absent(frames), self._raw.height, axis=1)
        found: Array = np.broadcast_to(rows[..., np.newaxis], shape)
        return found


@dataclass(frozen=True, slots=True)
class Places:
    """Which places of a table frames ask for, as memory cells.

    Attributes
    ----------
    symbol, axis : str
        The symbol with a place for each frame, and the dimension of the tables.
    length, used : int
        Places that the tables have, and how many of them are asked for.
    outside : int
        Frames that ask for a place that the tables do not have: all their values are invalid.
    """

    symbol: str
    axis: str
    length: int
    used: int
    outside: int


def places_of(images: CalibratedDataset, frames: slice = slice(None)) -> list[Places]:
    """Which places of its tables the frames of a field ask for.

    Parameters
    ----------
    images : CalibratedDataset
        Of frames.
    frames : slice
        The frames to look at.

    Raises
    ------
    FileError
        Places cannot be read.
    """
    binding = images.binding
    lengths: dict[tuple[str, str], int] = {}
    for node in binding.formula.nodes:
        if not isinstance(node, Index) or node.name not in binding.bound:
            continue
        for item in node.items:
            index = item.value.name if isinstance(item.value, Name) else ""
            bound = binding.bound.get(index)
            table = binding.bound[node.name].symbol
            # The short form indexes the one dimension that the result has not.
            others = [axis for axis in table.dimensions if axis not in images.axes]
            axis = item.dimension or next(iter(others), None)
            if bound is None or bound.symbol.axes != images.axes[:1] or axis is None:
                continue
            length = table.length(axis) or 0
            key = index, axis
            lengths[key] = min(length, lengths.get(key, length))
    found = []
    for (symbol, axis), length in lengths.items():
        values = np.asarray(binding.bound[symbol].dataset[frames])
        inside = values[(values >= 0) & (values < length)]
        found.append(
            Places(symbol, axis, length, len(np.unique(inside)), values.size - inside.size)
        )
    return found
