"""Files and numbers that other people's software makes: EXtra-data, cctbx, aare."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

import nxformula
from nxformula.masters.demonstration import FORMULA

CCTBX = Path(__file__).parents[3] / "shared" / "data" / "nxmx" / "cctbx_jf16m"
#: Shares of the gain codes 0, 1, 2 and 3 in a frame with strong reflections.
MIX = (0.97, 0.025, 0.001, 0.004)
#: Place in a table of three planes for each gain code; code 2 is invalid.
PLANE = np.array([0, 1, -1, 2])


def raw_numbers(random: Any, shape: tuple[int, ...]) -> np.ndarray:
    code = random.choice(4, shape, p=MIX).astype(np.uint16)
    return (code << 14) | random.integers(0, 1 << 14, shape, np.uint16)


def calibrated(raw: np.ndarray, pedestal: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """One frame in float32, stage by stage; constants of shape (3, slow, fast)."""
    out = np.full(raw.shape, np.nan, np.float32)
    counts = (raw & 0x3FFF).astype(np.float32)
    for code, plane in enumerate(PLANE):
        chosen = raw >> 14 == code
        if plane >= 0:
            out[chosen] = (counts[chosen] - pedestal[plane][chosen]) / gain[plane][chosen]
    return out


class TestEuXFEL:
    """A JUNGFRAU module with memory cells, as European XFEL records it."""

    SOURCE = "SPB_IRDA_JF4M/DET/JNGFR01:daqOutput/data"
    TEXT = """
        let plane = choose(data >> 14, 0, 1, -1, 2);
        ((data & 0x3FFF) - offset[gain = plane, cell = memory_cell])
            / slope[gain = plane, cell = memory_cell]
    """

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
        pytest.importorskip("extra_data", reason="makes files in EuXFEL layout")
        from extra_data.tests.mockdata import write_file
        from extra_data.tests.mockdata.jungfrau import JUNGFRAUModule

        folder = tmp_path_factory.mktemp("euxfel")
        recorded = folder / "RAW-R0012-JNGFR01-S00000.h5"
        module = JUNGFRAUModule(cls.SOURCE.partition(":")[0], raw=True)
        write_file(str(recorded), [module], ntrains=3, chunksize=1, format_version="1.0")
        random = np.random.default_rng(12)
        with h5py.File(recorded, "r+") as file:
            data = file[f"INSTRUMENT/{cls.SOURCE}"]
            assert data["adc"].dtype == np.uint16
            data["adc"][...] = raw_numbers(random, data["adc"].shape)
            # The detector starts each burst with the last of its cells.
            data["memoryCell"][...] = np.roll(np.arange(16), 1)
        # CalCat keeps constants in the order fast, slow, cell, gain.
        shape = (1024, 512, 16, 3)
        offset = random.normal(3000, 100, shape).astype(np.float32)
        slope = random.normal(40, 2, shape).astype(np.float32)
        with h5py.File(folder / "constants.h5", "w") as file:
            file["Offset"], file["Slope"] = offset, slope
        with h5py.File(folder / "run.nxs", "w") as file:
            detector = file.create_group("entry/instrument/JNGFR01")
            detector.attrs["NX_class"] = "NXdetector"
            for name, member in (("data", "adc"), ("memory_cell", "memoryCell")):
                path = f"/INSTRUMENT/{cls.SOURCE}/{member}"
                detector[name] = h5py.ExternalLink(recorded.name, path)
        nxformula.attach(
            folder / "run.nxs",
            "/entry/instrument/JNGFR01/data",
            cls.TEXT,
            [
                "data[train,burst,slow,fast]",
                "memory_cell[train,burst]",
                f"offset={folder}/constants.h5:/Offset[fast,slow,cell,gain]",
                f"slope={folder}/constants.h5:/Slope[fast,slow,cell,gain]",
            ],
            in_place=True,
        )
        return folder, offset, slope

    def test_every_cell(self, run: tuple[Path, np.ndarray, np.ndarray]) -> None:
        folder, offset, slope = run
        with nxformula.open(folder / "run.nxs") as file:
            images = file["/entry/instrument/JNGFR01/data"]
            cells = file["/entry/instrument/JNGFR01/memory_cell"][...]
            raw = images.raw[...]
            assert images.shape == (3, 16, 512, 1024)
            for train, burst in ((0, 0), (1, 7), (2, 15)):
                cell = cells[train, burst]
                # To (gain, slow, fast), for the cell of this frame.
                own = [constant[:, :, cell].transpose(2, 1, 0) for constant in (offset, slope)]
                expected = calibrated(raw[train, burst], *own)
                np.testing.assert_array_equal(images[train, burst], expected)
            some = images[1:, 3:9:2, 100:130, ::7]
            np.testing.assert_array_equal(some, images[...][1:, 3:9:2, 100:130, ::7])

    def test_reads_as_extra_data_does(self, run: tuple[Path, np.ndarray, np.ndarray]) -> None:
        from extra_data import H5File

        folder, _, _ = run
        opened = H5File(str(folder / "RAW-R0012-JNGFR01-S00000.h5"))
        theirs = opened[self.SOURCE.removesuffix("/data"), "data.adc"].ndarray()
        with nxformula.open(folder / "run.nxs") as file:
            np.testing.assert_array_equal(file["/entry/instrument/JNGFR01/data"].raw[...], theirs)
        for own in opened.files:
            own.close()


@pytest.mark.skipif(not CCTBX.is_dir(), reason="the files written by cctbx are not here")
class TestCctbx:
    """A Jungfrau 16M master that cctbx wrote: 32 modules with gaps, stacked along slow."""

    SHAPE = (4, 16448, 1030)
    ROWS = (slice(0, 40), slice(500, 530), slice(16440, 16448))

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("cctbx")
        for path in CCTBX.iterdir():
            # Only the contents: the originals may be read-only.
            shutil.copyfile(path, folder / path.name)
        random = np.random.default_rng(16)
        with h5py.File(folder / "run_0087.JF07T32V01.h5", "r+") as file:
            del file["data/data"]
            data = file.create_dataset(
                "data/data",
                cls.SHAPE,
                np.uint16,
                chunks=(1, 514, 1030),
                **hdf5plugin.Bitshuffle(cname="lz4"),
            )
            for frame in range(cls.SHAPE[0]):
                data[frame] = raw_numbers(random, cls.SHAPE[1:])
        with h5py.File(folder / "constants.h5", "w") as file:
            pixels = (3, *cls.SHAPE[1:])
            file["pedestal"] = random.normal(3000, 100, pixels).astype(np.float32)
            file["gain"] = random.normal(40, 2, pixels).astype(np.float32)
        return folder

    def attach(self, folder: Path, field: str, name: str) -> Path:
        output = folder / name
        nxformula.attach(
            folder / "jf16m_modules_master.h5",
            field,
            FORMULA,
            [
                f"pedestal={folder}/constants.h5:/pedestal[stage,slow,fast]{{count}}",
                f"gain={folder}/constants.h5:/gain[stage,slow,fast]{{count/keV}}",
            ],
            units="keV",
            output=output,
        )
        return output

    @pytest.mark.parametrize("field", ["/entry/instrument/ELE_D0/data", "/entry/data/data"])
    def test_through_the_master(self, run: Path, field: str) -> None:
        master = self.attach(run, field, f"formula{field.count('/')}.h5")
        with nxformula.open(master) as file, h5py.File(run / "constants.h5") as constants:
            for way in ("/entry/instrument/ELE_D0/data", "/entry/data/data"):
                images = file[way]
                assert (images.shape, images.units) == (self.SHAPE, "keV")
                for rows in self.ROWS:
                    own = [constants[name][:, rows] for name in ("pedestal", "gain")]
                    expected = calibrated(images.raw[2, rows], *own)
                    np.testing.assert_array_equal(images[2, rows], expected)

    def test_the_rest_of_the_master_stays(self, run: Path) -> None:
        master = self.attach(run, "/entry/instrument/ELE_D0/data", "rest.h5")
        with h5py.File(run / "jf16m_modules_master.h5") as before, h5py.File(master) as after:
            assert tree(before) == tree(after, without="data_formula")

    def test_calibrated_copy(self, run: Path) -> None:
        master = self.attach(run, "/entry/data/data", "to_calibrate.h5")
        written = run / "calibrated.h5"
        assert nxformula.calibrate(master, written, frames=slice(1, 3)) == "/entry/data/data"
        with nxformula.open(master) as file, h5py.File(written) as copy:
            images, values = file["/entry/data/data"], copy["/entry/instrument/ELE_D0/data"]
            assert values.shape == (2, *self.SHAPE[1:])
            assert values.attrs["units"] == "keV"
            for rows in self.ROWS:
                np.testing.assert_array_equal(values[:, rows], images[1:3, rows])


def tree(file: Any, without: str = "") -> dict[str, Any]:
    """Links, dtypes, values and attributes of everything in a file."""
    found: dict[str, Any] = {}

    def visit(path: str) -> None:
        group = file[path] if path else file["/"]
        for name in group:
            member = f"{path}/{name}"
            if without and without in member:
                continue
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                found[member] = (type(link), link.path, getattr(link, "filename", None))
                continue
            item = group[name]
            attributes = {key: np.array(value).tolist() for key, value in item.attrs.items()}
            is_group = isinstance(item, h5py.Group)
            value = None if is_group else (item.dtype.str, item[...].tolist())
            found[member] = (attributes, value)
            if is_group:
                visit(member)

    visit("")
    return found


class TestAare:
    """The calibration of the detector group itself."""

    @pytest.fixture(scope="class")
    @classmethod
    def numbers(cls) -> tuple[np.ndarray, ...]:
        random = np.random.default_rng(7)
        raw = raw_numbers(random, (2, 512, 1024))
        pedestal = random.normal(3000, 100, (3, 512, 1024)).astype(np.float32)
        gain = random.normal(40, 2, (3, 512, 1024)).astype(np.float32)
        return raw, pedestal, gain

    @pytest.fixture(scope="class")
    @classmethod
    def both(cls, numbers: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
        aare = pytest.importorskip("aare", reason="the detector group's own calibration")
        raw, pedestal, gain = numbers
        table = ("stage", "slow", "fast")
        ours = nxformula.evaluate(
            FORMULA,
            {
                "data": (("frame", "slow", "fast"), raw),
                "pedestal": (table, pedestal),
                "gain": (table, gain),
            },
            axes=("frame", "slow", "fast"),
        )
        return ours, aare.apply_calibration(raw, pd=pedestal, cal=gain)

    def test_valid_pixels_agree(
        self, numbers: tuple[np.ndarray, ...], both: tuple[np.ndarray, np.ndarray]
    ) -> None:
        code = numbers[0] >> 14
        ours, theirs = both
        for valid in (0, 1, 3):
            chosen = code == valid
            assert chosen.sum() > 1000
            np.testing.assert_allclose(ours[chosen], theirs[chosen], rtol=1e-6)

    def test_code_2_differs(
        self, numbers: tuple[np.ndarray, ...], both: tuple[np.ndarray, np.ndarray]
    ) -> None:
        raw, pedestal, gain = numbers
        ours, theirs = both
        chosen = raw >> 14 == 2
        assert np.isnan(ours[chosen]).all()
        as_stage_0 = ((raw & 0x3FFF) - pedestal[0]) / gain[0]
        np.testing.assert_allclose(theirs[chosen], as_stage_0[chosen], rtol=1e-6)
