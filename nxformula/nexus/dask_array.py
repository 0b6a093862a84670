"""A calibrated field as a dask array: computed piece by piece, by whoever holds its graph."""

from __future__ import annotations

import os
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nxformula.engine.layout import Array
from nxformula.engine.threads import limited

if TYPE_CHECKING:
    from nxformula.nexus.calibrated import CalibratedDataset


def dask_array(images: CalibratedDataset) -> Any:
    """The dask array of a field.

    Parameters
    ----------
    images : CalibratedDataset
        The field; travels to other processes by its path.

    Returns
    -------
    dask.array.Array
        Chunked along the first dimension only.

    Raises
    ------
    ModuleNotFoundError
        dask is missing; the message names the extra.
    """
    try:
        from dask.array import from_array
        from dask.base import tokenize
    except ModuleNotFoundError:
        message = "dask arrays need dask: pip install 'nxformula[dask]'"
        raise ModuleNotFoundError(message) from None

    context = images.context
    files = sorted({*context.pool.paths, *context.access.used})
    # Whoever computes the same of files that changed gets other names, and no old values.
    state = [(path, os.stat(path).st_mtime_ns) for path in files]
    token = tokenize(state, images.__reduce__()[1], images.formula)
    return from_array(
        images,
        chunks=_chunks(images),
        name=f"{images.name.rpartition('/')[2]}-{token}",
        lock=False,
        asarray=True,
        getitem=_get,
        meta=np.empty((0,) * images.ndim, images.dtype),
    )


def _chunks(images: CalibratedDataset) -> tuple[int, ...]:
    """Whole chunks of the raw field along its frames, as many as dask's own limit allows."""
    from dask import config
    from dask.utils import parse_bytes

    if images.ndim <= 2:
        return images.shape
    limit = parse_bytes(config.get("array.chunk-size"))
    frame = max(1, prod(images.shape[1:]) * images.dtype.itemsize)
    step = images.chunks[0] if images.chunks else 1
    length = max(step, limit // frame // step * step)
    return (min(length, max(1, len(images))), *images.shape[1:])


def _get(images: CalibratedDataset, index: Any, **_: Any) -> Array:
    """Part of a field, in one thread: dask has others at work beside this one."""
    with limited(1):
        return np.asarray(images[index])
