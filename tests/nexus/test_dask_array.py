"""How a calibrated field is cut into the pieces of a dask array."""

from __future__ import annotations

from typing import Any

import dask
import h5py
import numpy as np
import pytest

import nxformula
from nxformula.masters.demonstration import Demonstration

FIELD = "/entry/instrument/detector/data"
FRAME = 64 * 128 * 4


@pytest.mark.parametrize(
    ("raw", "limit", "pieces"),
    [
        (1, FRAME * 4, (4,)),
        (1, FRAME * 3, (3, 1)),
        (1, FRAME // 2, (1, 1, 1, 1)),
        (2, FRAME * 3, (2, 2)),
        (2, FRAME, (2, 2)),
        (3, FRAME * 100, (4,)),
        (3, FRAME * 5, (3, 1)),
    ],
)
def test_pieces_are_whole_chunks(
    attached: Demonstration, raw: int, limit: int, pieces: tuple[int, ...]
) -> None:
    with h5py.File(attached.stack, "r+") as file:
        values = file["data"][...]
        del file["data"]
        file.create_dataset("data", data=values, chunks=(raw, 32, 32))
    with nxformula.open(attached.master) as file, dask.config.set({"array.chunk-size": limit}):
        images = file[FIELD].to_dask()
        assert images.chunks == (pieces, (64,), (128,))
        assert images.dtype == np.float32
        np.testing.assert_array_equal(images.compute(scheduler="sync"), file[FIELD][...])


@pytest.mark.parametrize("scheduler", ["sync", "threads", "processes"])
@pytest.mark.parametrize("index", [(2,), (slice(1, 4, 2), slice(5, 9)), (..., 7)], ids=str)
def test_values(attached: Demonstration, scheduler: str, index: Any) -> None:
    with nxformula.open(attached.master) as file, dask.config.set({"array.chunk-size": FRAME}):
        images = file[FIELD]
        found = images.to_dask()[index].compute(scheduler=scheduler, num_workers=2)
        np.testing.assert_array_equal(found, images[index])


def test_names_follow_the_contents_of_files(attached: Demonstration) -> None:
    with nxformula.open(attached.master) as file:
        first, again = file[FIELD].to_dask(), file[FIELD].to_dask()
        stage = file[FIELD].result("stage").to_dask()
    with h5py.File(attached.gain, "r+") as file:
        file["gain"][0, 0, 0] = 1
    with nxformula.open(attached.master) as file:
        changed = file[FIELD].to_dask()
    assert first.name == again.name
    assert len({first.name, stage.name, changed.name}) == 3


def test_a_field_without_frames(attached: Demonstration) -> None:
    with h5py.File(attached.stack, "r+") as file:
        values = file["data"][0]
        del file["data"]
        file["data"] = values
    with h5py.File(attached.master, "r+") as file:
        file[f"{FIELD}_formula"].attrs["formula_axes"] = ["slow", "fast"]
        file[f"{FIELD}_formula"].attrs["data_axes"] = ["slow", "fast"]
    with nxformula.open(attached.master) as file:
        images = file[FIELD].to_dask()
        assert images.chunks == ((64,), (128,))
        np.testing.assert_array_equal(images.compute(), file[FIELD][...])
