"""The stack of frames that one recorder wrote, and the ids of its rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxformula.engine.layout import Array


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset of frames in a file.

    Attributes
    ----------
    file, path : str
        Absolute path of the file; path of the dataset.
    rows : int
        Its frames.
    """

    file: str
    path: str
    rows: int


@dataclass(frozen=True, slots=True)
class Stack:
    """What one module recorded.

    Attributes
    ----------
    name : str
        Of the module, as the facility calls it.
    sources : tuple of Source
        Its sequence files, in order.
    shape : tuple of int
        Of a frame.
    dtype : str
        Of its values.
    ids : ndarray of uint64, shape (row, id)
        Of the rows of all sources.
    bad : ndarray of bool, shape (row,)
        Rows that the recorder flagged, or that have no id.
    box : tuple of int or None
        First slow pixel and number of them, of a module in an assembled dataset.
    frames : int
        Frames in a row of the sources, as burst mode has; the ids are those of frames.
    cell_id : ndarray of uint16 or None
        Memory cell of each row.
    """

    name: str
    sources: tuple[Source, ...]
    shape: tuple[int, ...]
    dtype: str
    ids: Array
    bad: Array
    box: tuple[int, int] | None = None
    frames: int = 1
    cell_id: Array | None = None

    @property
    def rows(self) -> int:
        """Frames of all sources."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Run:
    """The stacks of a detector.

    Attributes
    ----------
    stacks : tuple of Stack
        In the order of the modules.
    id_names : tuple of str
        `event_id`, or `train_id` and `pulse_id`.
    detector : str
        Its name.
    raw : bool
        Whether the values are as recorded, and not corrected.
    module_map : tuple of int or None
        Of each module of the detector its place in the images, -1 where it is disabled.
    numbers : tuple of int or None
        Of each stack the number of its module in the detector, where names of files state it.
    """

    stacks: tuple[Stack, ...]
    id_names: tuple[str, ...]
    detector: str
    raw: bool = True
    module_map: tuple[int, ...] | None = None
    numbers: tuple[int, ...] | None = None

    @property
    def fields(self) -> dict[str, int | None]:
        """The fields that the frames are, and the channel of each; None for all of a frame.

        AGIPD has the signal in channel 0 and the gain signal in channel 1, LPD only the first.
        """
        shape = self.stacks[0].shape
        known: dict[int, dict[str, int | None]] = {1: {"data": 0}, 2: {"data": 0, "gain": 1}}
        return known.get(shape[0], {"data": None}) if len(shape) == 3 else {"data": None}

    @property
    def image(self) -> tuple[int, int]:
        """Slow and fast pixels of an image of all modules."""
        first = self.stacks[0].shape
        return sum(stack.shape[-2] for stack in self.stacks), first[-1]

    @property
    def module_height(self) -> int:
        """Slow pixels of a module; of the whole image where nothing says what a module is."""
        if len(self.stacks) > 1 or self.module_map is None:
            return self.stacks[0].shape[-2]
        return self.image[0] // sum(place >= 0 for place in self.module_map)

    @property
    def kept_rows(self) -> Array | None:
        """Of each row of the images, the row in one of all modules; None if these are the same."""
        places = self.module_map
        if places is None or list(places) == list(range(len(places))):
            return None
        kept = sorted((place, number) for number, place in enumerate(places) if place >= 0)
        rows = np.arange(self.module_height)
        return np.concatenate([number * self.module_height + rows for _, number in kept])


def as_module_map(values: Array) -> tuple[int, ...]:
    """The places of modules in images, as `Run.module_map` has them.

    Raises
    ------
    ValueError
        The values are no integers, or do not give each place once.
    """
    found = tuple(values.tolist()) if values.dtype.kind in "iu" and values.ndim == 1 else ()
    places = sorted(place for place in found if place >= 0)
    if not places or places != list(range(len(places))):
        listed = values.dtype if values.dtype.kind not in "iu" else list(found)
        raise ValueError(
            f"the module map is {listed}; expected for each module its place in the images, from "
            "0, or -1"
        )
    return found


def columns(*ids: Array) -> Array:
    """Ids side by side, as `Stack.ids` holds them."""
    return np.stack([np.asarray(each).reshape(-1).astype(np.uint64) for each in ids], axis=1)
