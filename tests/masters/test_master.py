"""Masters: from run folders to calibrated images, with the truth of the demonstration beside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.cli import main
from nxformula.errors import FileError, MissingSourceError
from nxformula.masters import master as master_module
from nxformula.masters.demonstration import Demonstration
from nxformula.masters.demonstration_runs import (
    DemonstrationRun,
    write_european_xfel,
    write_swissfel,
)
from nxformula.masters.geometry.chains import Chains

DETECTOR = "/entry/instrument/detector"
FIELD = f"{DETECTOR}/data"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemonstrationRun:
    return write_european_xfel(tmp_path_factory.mktemp("european"))


@pytest.fixture(scope="module")
def master(made: DemonstrationRun) -> Path:
    path = made.geometry.with_name("run.nxs")
    assert main(made.command(path)) == 0
    return path


def truth(made: DemonstrationRun) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Ids of events, and their calibrated images: from the files, module by module."""
    folder = Path(made.sources[0])
    with h5py.File(folder.parent / "agipd_constants.h5") as file:
        offset, gain, bad = (file[n][...] for n in ("offset", "relative_gain", "bad"))
    images: dict[tuple[int, int], np.ndarray] = {}
    for number in range(16):
        with h5py.File(folder / f"RAW-R0238-AGIPD{number:02}-S00000.h5") as file:
            image = file[f"INSTRUMENT/SPB_DET_AGIPD1M-1/DET/{number}CH0:xtdf/image"]
            rows = slice(512 * number, 512 * (number + 1))
            for k, (train, pulse) in enumerate(
                zip(image["trainId"][:, 0].tolist(), image["pulseId"][:, 0].tolist(), strict=True)
            ):
                whole = images.setdefault((train, pulse), np.full((8192, 128), np.nan, "f4"))
                part = (image["data"][k, 0] - offset[pulse, 0, rows]) * gain[pulse, 0, rows]
                part[bad[pulse, 0, rows] != 0] = np.nan
                whole[rows] = part
    return sorted(images), np.stack([images[key] for key in sorted(images)])


def test_events_of_all_modules(made: DemonstrationRun, master: Path) -> None:
    ids, expected = truth(made)
    with nxformula.open(master) as file:
        index = file[f"{DETECTOR}/event_index"]
        pairs = zip(index["train_id"][...].tolist(), index["pulse_id"][...].tolist(), strict=True)
        assert list(pairs) == ids
        images = file[FIELD]
        assert (images.shape, images.units) == (expected.shape, "count")
        np.testing.assert_array_equal(images[...], expected)
        # A lost train of module 3, and a lost frame of module 9.
        assert np.isnan(images[0, 3 * 512 : 4 * 512]).all()
        assert np.isnan(images[-1, 9 * 512 : 10 * 512]).all()
        assert index["present"][...].tolist() == [15, 15, 16, 16, 16, 15]
        assert index["status"][0].tolist() == [0, 0, 0, 1, *[0] * 12]
        for place in ((slice(1, 5, 2), slice(1500, 2100)), (3, 1999), ([0, 2, 5], slice(0, 9))):
            np.testing.assert_array_equal(images[place], expected[place])
        np.testing.assert_array_equal(file["/entry/data/data"][4], expected[4])


def test_the_virtual_dataset_is_for_everyone(master: Path) -> None:
    with h5py.File(master) as file:
        raw, gain = file[FIELD][...], file[f"{DETECTOR}/gain"][...]
        assert raw.shape == gain.shape == (6, 8192, 128)
        assert (raw[0, 3 * 512 : 4 * 512] == 0xFFFF).all(), "never 0 for what is not there"
        assert (gain[0, :512] == 5000).all()
        assert (raw[0, :512] < 0x4000).all()
        assert len(file[FIELD].virtual_sources()) <= 32


def test_no_findings_and_nxmx(master: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(master)]) == 0
    assert "no findings" in capsys.readouterr().out
    nxmx = pytest.importorskip("nxmx")
    with h5py.File(master) as file:
        (entry,) = nxmx.NXmx(file).entries
        (detector,) = entry.instruments[0].detectors
        assert len(detector.modules) == 128
        assert entry.instruments[0].beams[0].incident_wavelength.to("angstrom").magnitude == (
            pytest.approx(12398.42 / 9300, rel=1e-6)
        )


def test_without_the_virtual_dataset(
    made: DemonstrationRun, master: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = master.with_name("no_vds.nxs")
    assert main([*made.command(other), "--no-vds"]) == 0
    assert "virtual" not in capsys.readouterr().out
    with nxformula.open(master) as one, nxformula.open(other) as two:
        assert FIELD in two
        images = two[FIELD]
        np.testing.assert_array_equal(images[...], one[FIELD][...])
        np.testing.assert_array_equal(images.result("stage")[1], one[FIELD].result("stage")[1])
        assert [each.name for each in two.formulas()] == [FIELD]
    with h5py.File(other) as file:
        assert "data" not in file[DETECTOR]
    for path in (master, other):
        calibrated = path.with_name(f"calibrated_{path.name}")
        assert main(["calibrate", str(path), "--output", str(calibrated)]) == 0
        with h5py.File(calibrated) as file, nxformula.open(master) as one:
            np.testing.assert_array_equal(file["/entry/data/data"][...], one[FIELD][...])
        assert main(["validate", str(calibrated)]) == 0
    assert main(["validate", str(other)]) == 0
    assert main(["show", str(other)]) == 0
    assert "16 modules" not in capsys.readouterr().err
    picture = master.with_name("no_vds.png")
    pytest.importorskip("matplotlib")
    assert main(["plot", str(other), "--assembled", "--output", str(picture)]) == 0


def test_a_moved_run_and_one_that_is_gone(made: DemonstrationRun, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(made.geometry.parent, folder)
    with nxformula.open(folder / "run.nxs") as file:
        assert np.isfinite(file[FIELD][2, :512]).any()
    (folder / "raw" / "RAW-R0238-AGIPD05-S00000.h5").unlink()
    with nxformula.open(folder / "run.nxs") as file:
        images = file[FIELD]
        assert np.isfinite(images[2, :512]).any(), "other modules are read as before"
        with pytest.raises(MissingSourceError, match="AGIPD05"):
            images[2]
    with h5py.File(folder / "raw" / "RAW-R0238-AGIPD06-S00000.h5", "r+") as file:
        group = file["INSTRUMENT/SPB_DET_AGIPD1M-1/DET/6CH0:xtdf/image"]
        del group["data"]
        group["data"] = np.zeros((2, 2, 512, 128), "u2")
    with (
        nxformula.open(folder / "run.nxs") as file,
        pytest.raises(FileError, match=r"AGIPD06.* the index was made for 6 rows"),
    ):
        file[FIELD][2, 6 * 512 : 7 * 512]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("RAW-R0238-AGIPD05-S00000.h5", "AGIPD05-S00000.h5: not an HDF5 file"),
        ("run", "has files of several runs: R0238, R0239"),
        ("shape", "module AGIPD05 has frames uint16(2, 512, 64), and AGIPD00 has"),
    ],
)
def test_files_of_a_run_that_are_damaged(
    name: str,
    message: str,
    made: DemonstrationRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(made.sources[0], raw)
    path = raw / "RAW-R0238-AGIPD05-S00000.h5"
    if name == "run":
        path.rename(raw / "RAW-R0239-AGIPD05-S00000.h5")
    elif name == "shape":
        with h5py.File(path, "r+") as file:
            group = file["INSTRUMENT/SPB_DET_AGIPD1M-1/DET/5CH0:xtdf/image"]
            del group["data"]
            group["data"] = np.zeros((6, 2, 512, 64), "u2")
    else:
        path.write_bytes(b"\x00" * 1000)
    output = tmp_path / "run.nxs"
    command = made.command(output)
    command[1] = str(raw)
    assert main(command) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_what_nxmx_requires_is_asked_for(
    made: DemonstrationRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "run.nxs"
    command = [*made.command(output)]
    place = command.index("--metadata")
    del command[place : place + 2]
    assert main([*command, "--set", "sample.name=lysozyme"]) == 2
    said = capsys.readouterr().err
    for name in ("instrument.name", "source.name", "detector.sensor_material", "start_time"):
        assert f"\n  {name}: " in said
    assert "sample.name: " not in said
    assert "beam.wavelength" not in said, "the geometry states it"
    assert not output.exists()
    assert main([*command, "--set", "samplename=x"]) == 2
    assert "'samplename' is not known; expected one of instrument.name" in capsys.readouterr().err
    toml = tmp_path / "x.toml"
    toml.write_text("[sample\n")
    assert main([*command, "--metadata", str(toml)]) == 2
    assert "x.toml is no TOML" in capsys.readouterr().err


def test_chosen_events_and_their_wavelengths(made: DemonstrationRun, tmp_path: Path) -> None:
    listed = tmp_path / "hits.h5"
    with h5py.File(listed, "w") as file:
        file["hits"] = np.array([[10002, 0], [10000, 1]], "u8")
        file["energy_train"] = np.array([10002, 10001], "u8")
        file["wavelength"] = np.array([1.25, 1.5])
        file["delay"] = np.array([7, 8])
    output = made.geometry.with_name("chosen.nxs")
    options = ["--select", f"{listed}:/hits", "--force"]
    options += ["--wavelengths", f"{listed}:/wavelength,/energy_train{{angstrom}}"]
    options += ["--set", "beam.wavelength=1.333"]
    options += ["--per-event", f"delay={listed}:/delay,/energy_train,offset=-1{{fs}}"]
    assert main([*made.command(output), *options]) == 0
    with nxformula.open(output) as file:
        assert file[f"{DETECTOR}/event_index/train_id"][...].tolist() == [10000, 10002]
        assert file[FIELD].shape[0] == 2
        wavelength = file["/entry/instrument/beam/incident_wavelength"][...]
        np.testing.assert_array_equal(wavelength, [1.333, 1.25])
        delay = file[f"{DETECTOR}/event_index/delay"]
        np.testing.assert_array_equal(delay[...], [8, np.nan])
        assert delay.attrs["units"] == "fs"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--select", "FILE:/none"], "FILE:/none is no dataset"),
        (["--select", "FILE"], "is not of the form"),
        (["--select", "FILE:/one"], "has 1 ids for an event, which has 2"),
        (["--select", "FILE:/others"], "names 1 ids that are no events, the first is [5, 5]"),
        (["--select", "FILE:/real"], "holds float64; expected ids of events"),
        (["--per-event", "x=FILE:/one"], "is not of the form NAME="),
        (["--per-event", "x=FILE:/real,/one"], "(2,) values for 1 ids; expected one for each"),
        (["--per-event", "present=FILE:/real,/one"], "'present' is a field of the event index"),
        (["--mask", "FILE:/real"], "has the shape (2,), and images have (8192, 128)"),
        (["--least", "17"], "no event has enough good frames"),
        (["--offset", "AGIPD77=1"], "there is no module 'AGIPD77'"),
    ],
)
def test_options_that_do_not_fit(
    options: list[str],
    message: str,
    made: DemonstrationRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = tmp_path / "hits.h5"
    with h5py.File(listed, "w") as file:
        file["one"] = np.array([10002], "u8")
        file["others"] = np.array([[10002, 0], [5, 5]], "u8")
        file["real"] = np.array([1.0, 2.0])
    output = tmp_path / "run.nxs"
    given = [option.replace("FILE", str(listed)) for option in options]
    assert main([*made.command(output), *given]) == 2
    assert message.replace("FILE", str(listed)) in capsys.readouterr().err
    assert not output.exists()


def test_layouts_that_would_be_slow_are_refused(
    made: DemonstrationRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(master_module, "MOST_MAPPINGS", 15)
    output = tmp_path / "run.nxs"
    assert main(made.command(output)) == 2
    said = capsys.readouterr().err
    assert "would have 16 mappings, and HDF5 is slow beyond 15; leave it out with --no-vds" in said
    assert not output.exists()


def test_a_geometry_of_another_detector(
    made: DemonstrationRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = made.geometry.read_text()
    other = tmp_path / "other.geom"
    command = made.command(tmp_path / "run.nxs")
    command[command.index("--geometry") + 1] = str(other)
    other.write_text(text.replace("p3a7/max_fs = 127", "p3a7/max_fs = 128"))
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "panel p3a7 ends at slow 511 and fast 128, and images" in said
    other.write_text(text.replace("p3a7/dim1 = 3", "p3a7/dim1 = 16"))
    assert main(command) == 2
    assert "panel p3a7 is of module 16, and the run has 16" in capsys.readouterr().err
    other.write_text(text.replace("p3a7/fs = +0.0x -1.0y", "p3a7/fs = sideways"))
    assert main(command) == 2
    assert ": 'sideways' is no direction" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["other.geom"]


def test_masks_and_bad_regions(made: DemonstrationRun, tmp_path: Path) -> None:
    geometry = tmp_path / "bad.geom"
    lines = [
        "badbeam/min_x = -5",
        "badbeam/max_x = 5",
        "badbeam/min_y = -700",
        "badbeam/max_y = 700",
    ]
    lines += ["badedge/panel = p2a1", "badedge/min_ss = 64", "badedge/max_ss = 65"]
    lines += ["badedge/min_fs = 0", "badedge/max_fs = 127"]
    geometry.write_text(made.geometry.read_text() + "\n".join(lines) + "\n")
    listed = np.zeros((16, 512, 128), "u4")
    listed[7, 100, 50] = 2
    with h5py.File(tmp_path / "mask.h5", "w") as file:
        file["mask"] = listed
    output = made.geometry.with_name("masked.nxs")
    command = made.command(output)
    command[command.index("--geometry") + 1] = str(geometry)
    assert main([*command, "--mask", f"{tmp_path / 'mask.h5'}:/mask"]) == 0
    with nxformula.open(output, mask=True) as file:
        mask = file[f"{DETECTOR}/pixel_mask"][...]
        image = file[FIELD][2]
        modules = Chains(file).modules(file[DETECTOR])
    assert mask[7 * 512 + 100, 50] == 2
    assert (mask[2 * 512 + 64 : 2 * 512 + 66] == 1 << 8).all()
    assert not mask[2 * 512 + 66 : 2 * 512 + 128].any()
    assert np.isnan(image[2 * 512 + 64]).all()
    # The strip in the laboratory, from positions of pixels.
    strip = 0
    for module in modules:
        slow, fast = module.data_origin[-2:]
        x = module.positions()[..., 0] * 5000
        own = np.abs(x) <= 5
        found = mask[slow : slow + 64, fast : fast + 128] & (1 << 8) != 0
        if module.name != "p2a1":
            np.testing.assert_array_equal(found, own)
        strip += own.sum()
    assert strip > 0


def test_stats_leave_out_what_is_not_there(
    master: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stats", str(master), "--json"]) == 0
    regions = {each["name"]: each for each in json.loads(capsys.readouterr().out)["regions"]}
    lost = regions["p3a0"]
    assert lost["saturated"] == 0
    assert lost["results"]["stage"] == {"0": 4 * 64 * 128}
    assert lost["invalid"] >= 2 * 64 * 128


def test_by_module(attached: Demonstration, made: DemonstrationRun, master: Path) -> None:
    _, expected = truth(made)
    whole = expected.reshape(len(expected), 16, 512, 128)
    with nxformula.open(master) as file:
        images = file[FIELD].by_module
        assert images.shape == whole.shape
        for place in (
            ...,
            0,
            (slice(1, 4), 3),
            (2, slice(2, 12, 3), slice(500, None), slice(7)),
            (-1, 9, 3, 4),
            (slice(None), [0, 5, 9], 100),
        ):
            np.testing.assert_array_equal(images[place], whole[place])
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(FileError, match="is not joined from modules"),
    ):
        _ = file[attached.field].by_module


def test_swissfel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_swissfel(tmp_path)
    output = tmp_path / "run.nxs"
    assert main(run.command(output)) == 0
    said = capsys.readouterr().out
    assert "JF02T02V02: 2 events of 1 modules, 2 complete (100.0 %)" in said
    assert "1 events have too few good frames and are left out" in said
    assert main(["validate", str(output)]) == 0
    with nxformula.open(output) as file:
        images = file[FIELD]
        assert (images.shape, images.units) == ((2, 1024, 1024), "keV")
        # A ring of at most 40 photons of 12.4 keV, twice as strong in the second frame.
        np.testing.assert_allclose(np.nanmax(images[0]), 40 * 12.4, rtol=0.01)
        np.testing.assert_allclose(np.nanmax(images[1]), 80 * 12.4, rtol=0.01)
        modules = [n for n in file[DETECTOR] if n.startswith("m")]
        assert len(modules) == 16, "each module is its eight chips"


SHARED = Path(__file__).parents[3] / "shared/data/nxmx/cctbx_jf16m"


@pytest.mark.skipif(not SHARED.exists(), reason="files of others are not beside the checkout")
def test_jungfrau_16m_as_cctbx_has_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same run and geometry by cctbx's script: 32 modules of 514 x 1030 pixels."""
    metadata = write_swissfel(tmp_path).metadata
    output = tmp_path / "jf16m.nxs"
    stack = SHARED / "run_0087.JF07T32V01.h5"
    command = ["master", str(stack), "--geometry", str(SHARED / "jf16m.geom"), "--force"]
    command += ["--metadata", str(metadata), "--set", "detector.distance=0.1"]
    assert main([*command, "--output", str(output)]) == 0
    assert f"to read it, add --allow {stack.resolve().parent}" in capsys.readouterr().out
    assert main(["validate", str(output), "--allow", str(SHARED.resolve())]) == 0
    other = SHARED / "jf16m_modules_master.h5"
    with nxformula.open(output, allow=[SHARED.resolve()]) as one, nxformula.open(other) as two:
        np.testing.assert_array_equal(one[FIELD][1], two["/entry/data/data"][1])
        found = {m.data_origin[-2:]: m for m in Chains(one).modules(one[DETECTOR])}
        modules = Chains(two).modules(two["/entry/instrument/ELE_D0"])
    assert len(modules) == len(found) == 32
    for module in modules:
        difference = found[module.data_origin[-2:]].positions() - module.positions()
        assert np.abs(difference[..., :2]).max() / 75e-6 < 1e-3


def test_disabled_modules(tmp_path: Path) -> None:
    """A detector of four modules, of which the second and the last are not in the images."""
    run = write_swissfel(tmp_path)
    module_map = [0, -1, 1, -1]
    with h5py.File(run.sources[0], "r+") as file:
        file["data/JF02T02V02/module_map"] = np.array([module_map] * 3, "i8")
    constants = tmp_path / "jungfrau_constants.h5"
    with h5py.File(constants, "r+") as file:
        for name in ("pedestal", "gain"):
            values = file[name][...].reshape(3, 2, 512, 1024)
            every = np.full((3, 4, 512, 1024), 7.0, "f4")
            every[:, [0, 2]] = values
            del file[name]
            file[name] = every.reshape(3, 2048, 1024)
    text = run.geometry.read_text()
    first, second = text[text.index("m0/") : text.index("m1/")], text[text.index("m1/") :]
    other = second.replace("m1/", "m2/").replace("= 514\n", "= 1028\n").replace("1027", "1541")
    more = [first.replace("m0/", "m1/"), other, first.replace("m0/", "m3/")]
    for number, part in zip((1, 3), (more[0], more[2]), strict=True):
        index = 0 if number == 1 else 2
        part = part.replace("min_ss = 0", f"min_ss = {514 * number}")
        more[index] = part.replace("max_ss = 513", f"max_ss = {514 * number + 513}")
    run.geometry.write_text(text[: text.index("m1/")] + "".join(more))
    output = tmp_path / "run.nxs"
    assert main(run.command(output)) == 0
    plain = write_swissfel(tmp_path / "plain")
    assert main(plain.command(tmp_path / "plain" / "run.nxs")) == 0
    with nxformula.open(output) as one, nxformula.open(tmp_path / "plain" / "run.nxs") as two:
        np.testing.assert_array_equal(one[FIELD][...], two[FIELD][...])
        places = [
            [(m.name, m.origin.tolist()) for m in Chains(file).modules(file[DETECTOR])]
            for file in (one, two)
        ]
    assert {name[:2] for name, _ in places[0]} == {"m0", "m2"}
    assert [origin for _, origin in places[0]] == [origin for _, origin in places[1]]
    assert main(["validate", str(output)]) == 0


def test_the_demonstration_is_a_ring(made: DemonstrationRun, master: Path) -> None:
    """What the geometry says goes together: the ring is round in the laboratory."""
    with nxformula.open(master) as file:
        image = file[FIELD][2]
        modules = Chains(file).modules(file[DETECTOR])
    total, radius = 0.0, 0.0
    spread = []
    for module in modules:
        slow, fast = module.data_origin[-2:]
        part = image[slow : slow + 64, fast : fast + 128]
        distance = np.hypot(*np.moveaxis(module.positions()[..., :2], -1, 0))
        bright = np.nan_to_num(part) > 700
        spread += distance[bright].tolist()
        total += bright.sum()
        radius += distance[bright].sum()
    assert total > 1000
    assert radius / total == pytest.approx(0.045, abs=2e-4)
    assert np.std(spread) < 0.003
