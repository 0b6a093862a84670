"""Calibrated frames of many modules with a dimension of their own for the modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxformula.engine.layout import Array
from nxformula.nexus.selection import Part, select

if TYPE_CHECKING:
    from nxformula.nexus.calibrated import CalibratedDataset


class ByModule:
    """Stacked images seen as (event, module, slow, fast).

    Index it as the images themselves. Only what the selection needs is read and evaluated.

    Parameters
    ----------
    images : CalibratedDataset
        Dimensions event, module * slow, fast.
    height : int
        Slow pixels of a module.

    Attributes
    ----------
    shape, dtype, ndim
        Of the calibrated values.
    """

    ndim = 4

    def __init__(self, images: CalibratedDataset, height: int) -> None:
        self.images = images
        self.dtype = images.dtype
        events, slow, fast = images.shape
        self.shape = events, slow // height, height, fast

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, args: Any) -> Any:
        selection = select(args, self.shape)
        events, modules, slow, fast = selection.parts
        out = np.empty((len(events), len(modules) * len(slow), len(fast)), self.dtype)
        self.images.read_parts((events, self._rows(modules, slow), fast), out)
        values = out.reshape(selection.full_shape).reshape(selection.shape)
        return values[()] if values.ndim == 0 and args is not Ellipsis else values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("calibrated values are computed: an array of them is always a copy")
        values = np.asarray(self[...])
        return values if dtype is None else values.astype(dtype, copy=False)

    def _rows(self, modules: Part, slow: Part) -> Part:
        """The rows of stacked images that are rows of some modules."""
        height = self.shape[2]
        if len(modules) == 1 and isinstance(slow, range):
            start = int(modules[0]) * height
            return range(slow.start + start, slow.stop + start, slow.step)
        rows: Array = np.add.outer(np.asarray(modules) * height, np.asarray(slow)).reshape(-1)
        if rows.size and rows[-1] - rows[0] + 1 == rows.size:
            return range(int(rows[0]), int(rows[-1]) + 1)
        return rows
