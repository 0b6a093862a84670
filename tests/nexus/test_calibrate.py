"""What `calibrate` writes, read with h5py alone and compared with plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.errors import CorruptFileError, FileError, NoFormulaError
from nxformula.masters.demonstration import FORMULA, Demonstration
from nxformula.nexus import calibrated_copy

DETECTOR = "/entry/instrument/detector"
BITSHUFFLE = 32008


def expected(demo: Demonstration) -> np.ndarray:
    """The calibrated stack by NumPy, in float32 as the formula says."""
    with (
        h5py.File(demo.stack) as stack,
        h5py.File(demo.pedestal) as pedestal,
        h5py.File(demo.gain) as gain,
    ):
        raw, pedestals, gains = stack["data"][...], pedestal["pedestal"][...], gain["gain"][...]
    counts = (raw & 0x3FFF).astype(np.float32)
    plane = np.array([0, 1, 0, 2])[raw >> 14]
    slow, fast = np.indices(raw.shape[1:])
    values = (counts - pedestals[plane, slow, fast]) / gains[plane, slow, fast]
    return np.where(raw >> 14 == 2, np.float32(np.nan), values)


@pytest.mark.parametrize("compression", ["bitshuffle-lz4", "gzip", "none"])
@pytest.mark.parametrize(
    "frames",
    [slice(None), slice(1, 3), slice(-1, None), slice(0, 4, 3)],
    ids=["all", "1:3", "last", "every third"],
)
def test_values(attached: Demonstration, compression: Any, frames: slice) -> None:
    output = attached.folder / "out.nxs"
    path = nxformula.calibrate(attached.master, output, frames=frames, compression=compression)
    assert path == f"{DETECTOR}/data"
    with h5py.File(output) as file:
        field = file[path]
        assert field.dtype == np.float32
        assert field.chunks == (1, 64, 128)
        filters = field.id.get_create_plist()
        found = [filters.get_filter(i)[0] for i in range(filters.get_nfilters())]
        wanted = {"bitshuffle-lz4": [BITSHUFFLE], "gzip": [h5py.h5z.FILTER_DEFLATE], "none": []}
        assert [code for code in found if code != h5py.h5z.FILTER_SHUFFLE] == wanted[compression]
        np.testing.assert_array_equal(field[...], expected(attached)[frames])


def test_the_file_says_what_it_holds(attached: Demonstration) -> None:
    output = attached.folder / "out.nxs"
    nxformula.calibrate(attached.master, output, frames=slice(1, 3))
    with h5py.File(output) as file:
        group = file[f"{DETECTOR}/data_formula"]
        assert group["applied"][()]
        assert group.attrs["formula"] == FORMULA
        assert file[f"{DETECTOR}/data"].attrs["units"] == "keV"
        assert file["/entry/data/data"] == file[f"{DETECTOR}/data"]
        history = group["history"].asstr()[()]
        assert "run_data.h5:/data, frames 1:3:1" in history
        assert nxformula.__version__ in history
    with nxformula.open(output) as file:
        # What is applied is not applied once more.
        assert isinstance(file["/entry/data/data"], h5py.Dataset)


def test_hard_links_all_lead_to_the_new_values(attached: Demonstration) -> None:
    with h5py.File(attached.stack) as stack:
        raw = stack["data"][...]
    with h5py.File(attached.master, "r+") as file:
        del file[f"{DETECTOR}/data"], file["/entry/data/data"]
        file[f"{DETECTOR}/data"] = raw
        file[f"{DETECTOR}/data"].attrs["target"] = f"{DETECTOR}/data"
        file["/entry/data/data"] = file[f"{DETECTOR}/data"]
        file["/entry/data/again"] = file[f"{DETECTOR}/data"]
    output = attached.folder / "out.nxs"
    nxformula.calibrate(attached.master, output)
    with h5py.File(output) as file:
        for name in ("data", "again"):
            assert file[f"/entry/data/{name}"] == file[f"{DETECTOR}/data"]
        np.testing.assert_array_equal(file["/entry/data/again"], expected(attached))


def test_chunks_of_the_raw_field_are_kept(attached: Demonstration) -> None:
    with h5py.File(attached.stack, "r+") as stack:
        raw = stack["data"][...]
        del stack["data"]
        stack.create_dataset("data", data=raw, chunks=(2, 32, 64))
    output = attached.folder / "out.nxs"
    nxformula.calibrate(attached.master, output)
    with h5py.File(output) as file:
        assert file[f"{DETECTOR}/data"].chunks == (2, 32, 64)
        np.testing.assert_array_equal(file[f"{DETECTOR}/data"], expected(attached))


def test_a_boundary_between_blocks(
    attached: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrated_copy, "_BLOCK_BYTES", 3 * 64 * 128 * 4)
    seen: list[tuple[int, int]] = []
    output = attached.folder / "out.nxs"
    nxformula.calibrate(attached.master, output, progress=lambda *at: seen.append(at))
    assert seen == [(3, 4), (4, 4)]
    with h5py.File(output) as file:
        np.testing.assert_array_equal(file[f"{DETECTOR}/data"], expected(attached))


def test_another_folder(attached: Demonstration, tmp_path: Path) -> None:
    output = tmp_path / "results" / "out.nxs"
    output.parent.mkdir()
    nxformula.calibrate(attached.master, output)
    with h5py.File(output) as file:
        np.testing.assert_array_equal(file[f"{DETECTOR}/data"], expected(attached))
        # The group still leads to the constants that were used.
        assert file[f"{DETECTOR}/data_formula/gain"].shape == (3, 64, 128)


def no_field(demo: Demonstration) -> dict[str, Any]:
    return {"field": "/entry/nope"}


def no_formula(demo: Demonstration) -> dict[str, Any]:
    return {"field": f"{DETECTOR}/count_time"}


def no_compression(demo: Demonstration) -> dict[str, Any]:
    return {"compression": "zip"}


def no_gain(demo: Demonstration) -> dict[str, Any]:
    demo.gain.unlink()
    return {}


def truncated(demo: Demonstration) -> dict[str, Any]:
    demo.stack.write_bytes(demo.stack.read_bytes()[:-5000])
    return {}


def damaged_chunk(demo: Demonstration) -> dict[str, Any]:
    # By gzip: what LZ4 does with damaged bytes is its own affair.
    with h5py.File(demo.stack, "r+") as file:
        raw = file["data"][...]
        del file["data"]
        file.create_dataset("data", data=raw, chunks=(1, *raw.shape[1:]), compression="gzip")
        place = file["data"].id.get_chunk_info(3).byte_offset
    with demo.stack.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 600)
    return {}


REFUSED: dict[Callable[[Demonstration], dict[str, Any]], tuple[type[Exception], str]] = {
    no_field: (FileError, "has no /entry/nope"),
    no_formula: (NoFormulaError, "has no formula to evaluate"),
    no_compression: (ValueError, "compression is 'zip'; expected one of"),
    no_gain: (FileError, "gain.h5"),
    truncated: (CorruptFileError, "truncated"),
    damaged_chunk: (CorruptFileError, "run_data.h5 cannot be read"),
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_refusals_leave_nothing(
    attached: Demonstration, spoil: Callable[[Demonstration], dict[str, Any]]
) -> None:
    options = spoil(attached)
    before = sorted(attached.folder.iterdir())
    error, message = REFUSED[spoil]
    with pytest.raises(error, match=message):
        nxformula.calibrate(attached.master, attached.folder / "out.nxs", **options)
    assert sorted(attached.folder.iterdir()) == before


def test_an_interrupt_leaves_nothing(attached: Demonstration) -> None:
    output = attached.folder / "out.nxs"
    output.write_text("older")
    before = sorted(attached.folder.iterdir())

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        nxformula.calibrate(attached.master, output, force=True, progress=interrupt)
    assert sorted(attached.folder.iterdir()) == before
    assert output.read_text() == "older"
