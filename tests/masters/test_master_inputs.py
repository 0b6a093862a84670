"""What else goes into a master: missing modules, wavelengths, spectra, repacked constants."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nxformula
from nxformula.cli import main
from nxformula.errors import FileError
from nxformula.masters.demonstration_runs import (
    DemonstrationRun,
    write_european_xfel,
    write_swissfel,
)
from nxformula.masters.events.matching import EventTable
from nxformula.masters.events.stacks import as_module_map
from nxformula.masters.geometry.chains import Chains
from nxformula.masters.selection import per_event, rows_of_events, selected

DETECTOR = "/entry/instrument/detector"
FIELD = f"{DETECTOR}/data"
BEAM = "/entry/instrument/beam"
#: h c in eV angstrom, from the exact constants of the SI.
HC = 6.62607015e-34 * 299792458 / 1.602176634e-19 * 1e10


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemonstrationRun:
    return write_european_xfel(tmp_path_factory.mktemp("european"))


@pytest.fixture(scope="module")
def master(made: DemonstrationRun) -> Path:
    path = made.geometry.with_name("run.nxs")
    assert main(made.command(path)) == 0
    return path


def table_of(*ids: int) -> EventTable:
    rows = np.arange(len(ids), dtype="i4")[:, np.newaxis]
    return EventTable(np.array(ids, "u8")[:, np.newaxis], rows, np.zeros_like(rows, "u1"), None, 0)


# Wavelengths


@pytest.fixture
def beam(tmp_path: Path) -> str:
    path = tmp_path / "beam.h5"
    with h5py.File(path, "w") as file:
        file["train"] = np.array([10002, 10000, 10001, 9], "u8")
        file["energy"] = np.array([9.2, 9.0, 9.1, 1.0])
        file["energy"].attrs["units"] = "keV"
        file["bare"] = np.array([1.3, 1.1, 1.2, 7.0])
        file["zero"] = np.array([1.3, 0, 1.2, 7.0])
        file["few"] = np.array([10000, 10002], "u8")
        file["few_energies"] = np.array([9000.0, 9200.0], "f4")
        file["spectra"] = np.arange(20, dtype="f4").reshape(4, 5)
        file["channels"] = np.array([8800.0, 8900, 9000, 9100, 9200])
        file["each"] = np.tile(file["channels"][...], (4, 1))
        file["wrong"] = file["each"][...] + np.arange(4)[:, np.newaxis]
        file["negative"] = file["channels"][...] - 9000
        file["text"] = np.array([b"a", b"b", b"c", b"d"])
    return str(path)


def test_photon_energies_become_wavelengths(made: DemonstrationRun, beam: str) -> None:
    output = made.geometry.with_name("energies.nxs")
    assert main([*made.command(output), "--wavelengths", f"{beam}:/energy,/train"]) == 0
    with h5py.File(output) as file:
        trains = file[f"{DETECTOR}/event_index/train_id"][...]
        found = file[f"{BEAM}/incident_wavelength"]
        wanted = [HC / {10000: 9000, 10001: 9100, 10002: 9200}[t] for t in trains.tolist()]
        np.testing.assert_allclose(found[...], wanted, rtol=1e-12)
        assert found.attrs["units"] == "angstrom"
    assert main(["validate", str(output)]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bare,/train", "bare,/train has no units; state them, as {angstrom} or {eV}"),
        ("bare,/train{s}", "is in s; expected a wavelength or a photon energy"),
        ("bare,/train{furlong}", "cannot read the unit 'furlong'"),
        ("bare", "is not of the form FILE:/VALUES,/IDS{UNITS}"),
        ("bare,/few{nm}", "float64(4,) for uint64(2,); expected numbers, and an integer id"),
        ("text,/train{nm}", "expected numbers, and an integer id for each"),
        ("bare,/bare{nm}", "expected numbers, and an integer id for each"),
        ("none,/train{nm}", ":/none is no dataset"),
        ("zero,/train{nm}", "2 of 6 events, the first [10000, 0], have no wavelength in"),
        ("few_energies,/few{eV}", "2 of 6 events, the first [10001, 0], have no wavelength in"),
    ],
)
def test_wavelengths_that_do_not_fit(
    text: str,
    message: str,
    made: DemonstrationRun,
    beam: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "run.nxs"
    assert main([*made.command(output), "--wavelengths", f"{beam}:/{text}"]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_a_wavelength_for_events_without_one(made: DemonstrationRun, beam: str) -> None:
    output = made.geometry.with_name("default.nxs")
    options = ["--wavelengths", f"{beam}:/few_energies,/few{{eV}}"]
    assert main([*made.command(output), *options, "--set", "beam.wavelength=1.5"]) == 0
    with h5py.File(output) as file:
        found = file[f"{BEAM}/incident_wavelength"][...]
    expected = [HC / 9000] * 2 + [1.5] * 2 + [HC / 9200] * 2
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("channels", ["channels", "each"])
def test_spectra(channels: str, made: DemonstrationRun, beam: str) -> None:
    output = made.geometry.with_name(f"{channels}.nxs")
    text = f"{beam}:/spectra,/{channels},/train{{eV}}"
    assert main([*made.command(output), "--spectrum", text]) == 0
    with h5py.File(output) as file:
        wavelengths = file[f"{BEAM}/incident_wavelength"][...]
        weights = file[f"{BEAM}/incident_wavelength_weights"][...]
    np.testing.assert_allclose(wavelengths, HC / np.arange(8800, 9201, 100), rtol=1e-12)
    rows = {10002: 0, 10000: 5, 10001: 10}
    expected = [np.arange(5) + rows[t] for t in (10000, 10000, 10001, 10001, 10002, 10002)]
    np.testing.assert_array_equal(weights, expected)
    assert main(["validate", str(output)]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("spectra,/train", "is not of the form FILE:/SPECTRA,/CHANNELS,/IDS{UNITS}"),
        ("spectra,/channels,/train", "has no units"),
        ("spectra,/wrong,/train{eV}", "spectra have the shape (4, 5), and channels (4, 5)"),
        ("energy,/channels,/train{eV}", "spectra have the shape (4,), and channels (5,)"),
        ("spectra,/negative,/train{eV}", "channel 0 has no wavelength above 0"),
        ("spectra,/channels,/few{eV}", "float32(4, 5) for uint64(2,)"),
        ("spectra,/channels,/train,offset=1{eV}", "2 of 6 events, the first [10000, 0], have no"),
    ],
)
def test_spectra_that_do_not_fit(
    text: str,
    message: str,
    made: DemonstrationRun,
    beam: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "run.nxs"
    assert main([*made.command(output), "--spectrum", f"{beam}:/{text}"]) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_metadata_that_must_be_numbers(
    made: DemonstrationRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = made.command(tmp_path / "run.nxs")
    assert main([*command, "--set", "beam.wavelength=short"]) == 2
    assert "beam.wavelength is 'short'; expected a number" in capsys.readouterr().err
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[detector]\nsensor_thickness = "320 um"\n')
    command[command.index("--metadata") + 1] = str(wrong)
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "wrong.toml: detector.sensor_thickness is '320 um'; expected a number" in said


# Modules that are left out


@pytest.fixture
def lacking(made: DemonstrationRun, tmp_path: Path) -> tuple[DemonstrationRun, Path]:
    """The run without the files of module 3, and a mask of all modules."""
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in Path(made.sources[0]).glob("*.h5"):
        if "AGIPD03" not in path.name:
            os.link(path, raw / path.name)
    mask = np.zeros((16, 512, 128), "u4")
    mask[4, 7, 9] = mask[3, 1, 1] = 2
    with h5py.File(tmp_path / "mask.h5", "w") as file:
        file["mask"] = mask
        file["map"] = np.array([0, 1, 2, -1, *range(3, 15)], "i8")
        file["real"] = np.zeros(16)
    return DemonstrationRun(
        (str(raw),), made.geometry, made.metadata, made.symbols, made.preset
    ), tmp_path / "mask.h5"


def test_a_missing_module_is_named_with_what_to_give(
    lacking: tuple[DemonstrationRun, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = lacking
    output = tmp_path / "run.nxs"
    assert main(run.command(output)) == 2
    said = capsys.readouterr().err
    assert (
        "no files of module 3 (counted from 0): it has AGIPD00, AGIPD01, AGIPD02, AGIPD04" in said
    )
    assert "--module-map 0,1,2,-1,3,4,5,6,7,8,9,10,11,12,13,14 leaves out what is missing" in said
    assert not output.exists()


@pytest.mark.parametrize("repack", [False, True])
@pytest.mark.parametrize("listed", [False, True])
def test_a_run_without_a_module(
    listed: bool,
    repack: bool,
    lacking: tuple[DemonstrationRun, Path],
    master: Path,
    tmp_path: Path,
) -> None:
    run, other = lacking
    output = tmp_path / "run.nxs"
    place = "0,1,2,-1,3,4,5,6,7,8,9,10,11,12,13,14" if listed else f"{other}:/map"
    options = ["--module-map", place, "--mask", f"{other}:/mask"]
    options += ["--repack-constants"] if repack else []
    options += ["--allow", str(master.parent)]
    assert main([*run.command(output), *options]) == 0
    kept = np.r_[: 3 * 512, 4 * 512 : 16 * 512]
    with nxformula.open(master) as one, nxformula.open(output, allow=[master.parent]) as two:
        np.testing.assert_array_equal(two[FIELD][...], one[FIELD][...][:, kept])
        mask = two[f"{DETECTOR}/pixel_mask"][...]
        assert mask[3 * 512 + 7, 9] == 2
        assert np.count_nonzero(mask) == 1
        whole = {m.name: m for m in Chains(one).modules(one[DETECTOR])}
        left = Chains(two).modules(two[DETECTOR])
        assert {m.name for m in left} == {name for name in whole if not name.startswith("p3a")}
        for module in left:
            np.testing.assert_allclose(
                module.positions(), whole[module.name].positions(), rtol=0, atol=1e-9
            )
    assert main(["validate", str(output), "--allow", str(master.parent)]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,2", "the module map 0,1,2 has 3 places, and the run 15 modules"),
        ("0,0,1", "the module map is [0, 0, 1]; expected for each module its place"),
        ("-1,-1", "the module map is [-1, -1]; expected for each module its place"),
        ("some", "'some' is not of the form "),
        ("FILE:/real", "FILE:/real: the module map is float64; expected for each module"),
        ("FILE:/none", "FILE:/none is no dataset"),
        ("none.h5:/map", "none.h5: no such file"),
        ("0,1,2,3,4,5,6,7,8,9,10,11,12,13,14", "p15a0 is of module 15, and the run has 15"),
    ],
)
def test_module_maps_that_do_not_fit(
    text: str,
    message: str,
    lacking: tuple[DemonstrationRun, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run, other = lacking
    output = tmp_path / "run.nxs"
    given = text.replace("FILE", str(other))
    assert main([*run.command(output), f"--module-map={given}"]) == 2
    assert message.replace("FILE", str(other)) in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("places", [[0], [1, 0], [2, -1, 0, 1, -1]])
def test_module_maps(places: list[int]) -> None:
    assert as_module_map(np.array(places)) == tuple(places)
    for wrong in (np.array(places) + 1, np.array(places, float), np.array([places, places])):
        with pytest.raises(ValueError, match="the module map is"):
            as_module_map(wrong)


def test_modules_in_another_order(tmp_path: Path) -> None:
    """The images of a JUNGFRAU whose two modules are in the files the other way round."""
    plain = write_swissfel(tmp_path / "plain")
    turned = write_swissfel(tmp_path / "turned")
    with h5py.File(turned.sources[0], "r+") as file:
        data = file["data/JF02T02V02/data"]
        data[...] = data[...][:, np.r_[512:1024, :512]]
    outputs = [run.geometry.with_name("run.nxs") for run in (plain, turned)]
    assert main(plain.command(outputs[0])) == 0
    assert main([*turned.command(outputs[1]), "--module-map", "1,0"]) == 0
    with nxformula.open(outputs[0]) as one, nxformula.open(outputs[1]) as two:
        np.testing.assert_array_equal(two[FIELD][...], one[FIELD][...][:, np.r_[512:1024, :512]])
        for name in ("m0a0", "m1a7"):
            first, second = (
                next(m for m in Chains(f).modules(f[DETECTOR]) if m.name == name)
                for f in (one, two)
            )
            np.testing.assert_allclose(second.positions(), first.positions(), atol=1e-12)
            assert abs(second.data_origin[-2] - first.data_origin[-2]) == 512


# Constants


def test_repacked_constants(made: DemonstrationRun, master: Path, tmp_path: Path) -> None:
    """In the order of European XFEL (fast, slow, cell, gain): each image's plane is one chunk."""
    folder = made.geometry.parent
    with h5py.File(folder / "agipd_constants.h5") as file:
        values = {name: file[name][...] for name in file}
    others = tmp_path / "euxfel.h5"
    turned = ("offset", "relative_gain", "bad")
    with h5py.File(others, "w") as file:
        for name, array in values.items():
            order = (3, 2, 0, 1) if name in turned else range(array.ndim)
            file[name] = np.ascontiguousarray(array.transpose(*order))
        file["offset"].attrs["units"] = "count"
    axes = dict.fromkeys(turned, "[fast,slow,cell,stage]")
    symbols = tuple(f"{name}={others}:/{name}{axes.get(name, '')}" for name in values)
    run = DemonstrationRun(made.sources, made.geometry, made.metadata, symbols, made.preset)
    output = folder / "repacked.nxs"
    assert main([*run.command(output), "--repack-constants"]) == 0
    others.unlink()
    with nxformula.open(master) as one, nxformula.open(output) as two:
        np.testing.assert_array_equal(two[FIELD][...], one[FIELD][...])
    with h5py.File(output) as file:
        offset = file[f"{DETECTOR}/constants/offset"]
        assert (offset.chunks, offset.dtype) == ((1, 1, 8192, 128), np.float32)
        assert list(offset.attrs["axes"]) == ["cell", "stage", "slow", "fast"]
        assert (offset.attrs["source"], offset.attrs["units"]) == ("euxfel.h5:/offset", "count")
        np.testing.assert_array_equal(offset[...], values["offset"])
        assert "low" in file[f"{DETECTOR}/constants"]
    assert main(["validate", str(output)]) == 0
    assert main(["show", str(output), "--verify"]) == 0


# Runs by files or patterns of files


def test_runs_by_patterns(
    made: DemonstrationRun, master: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = made.sources[0]
    command = made.command(made.geometry.with_name("pattern.nxs"))
    command.remove(raw)
    assert main([*command, "--data", f"{raw}/*.h5"]) == 0
    with nxformula.open(master) as one, nxformula.open(command[-1]) as two:
        np.testing.assert_array_equal(two[FIELD][1], one[FIELD][1])
    capsys.readouterr()
    assert main(["events", f"{raw}/*AGIPD0[0-2]*.h5"]) == 0
    assert "6 events of 3 modules" in capsys.readouterr().out
    assert main(["events", f"{raw}/*.nxs"]) == 2
    assert f"{raw}/*.nxs: no such file or folder" in capsys.readouterr().err
    assert main(["events"]) == 2
    assert "give the run: a folder, files, or MODULE=FILE:/DATA,/IDS" in capsys.readouterr().err
    # A name that is a pattern too is the file of this name.
    odd = tmp_path / "run[1].h5"
    shutil.copy(write_swissfel(tmp_path / "swissfel").sources[0], odd)
    assert main(["events", str(odd)]) == 0


# Selections


@settings(deadline=None)
@given(flags=st.lists(st.booleans(), max_size=12), data=st.data())
def test_selections_name_the_same_events(
    flags: list[bool], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ids = data.draw(
        st.lists(st.integers(0, 2**64 - 1), min_size=len(flags), max_size=len(flags), unique=True)
    )
    table = table_of(*sorted(ids))
    places = [k for k, flag in enumerate(flags) if flag]
    path = tmp_path_factory.getbasetemp() / "selections.h5"
    with h5py.File(path, "w") as file:
        file["flags"] = np.array(flags, bool)
        file["rows"] = np.array(data.draw(st.permutations(places)), "i4")
        file["ids"] = np.array([sorted(ids)[k] for k in places], "u8")
    for text in ("flags", "rows,rows", "ids"):
        found = selected(table, f"{path}:/{text}")
        assert found.ids[:, 0].tolist() == [sorted(ids)[k] for k in places]
        assert found.left_out == len(flags) - len(places)


def test_selections_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["flags"] = np.array([True, False])
        file["rows"] = np.array([0, 3])
    with pytest.raises(FileError, match="has 2 booleans, and the run has 3 events"):
        selected(table_of(5, 6, 7), f"{path}:/flags")
    with pytest.raises(FileError, match="goes from 0 to 3; expected numbers of events from 0 to 2"):
        selected(table_of(5, 6, 7), f"{path}:/rows,rows")


@given(
    events=st.lists(st.integers(0, 40), unique=True, max_size=12),
    listed=st.lists(st.integers(0, 40), max_size=20),
    offset=st.integers(-3, 3),
)
def test_joining_by_ids(events: list[int], listed: list[int], offset: int) -> None:
    """Against a dictionary: the first of several rows of an id."""
    first = {}
    for row, number in enumerate(listed):
        first.setdefault(number + offset, row)
    found = rows_of_events(table_of(*sorted(events)), np.array(listed, "i8"), offset)
    assert found.tolist() == [first.get(event, -1) for event in sorted(events)]


def test_ids_of_64_bits_are_joined_exactly(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["values"] = np.array([1.5, 2.5])
        file["ids"] = np.array([2**63 + 1, 2**63], "u8")
    found = per_event(table_of(2**63, 2**63 + 1), f"{path}:/values,/ids")
    assert found.tolist() == [2.5, 1.5]


# Octal MPCCD: eight tilted panels, stacked, recorded by one machine


def test_octal_mpccd(tmp_path: Path) -> None:
    """Positions by the formula of CrystFEL: corner + fs * (j + 1/2) + ss * (i + 1/2), in pixels."""
    random = np.random.default_rng(8)
    res, clen = 20000.0, 0.0512
    lines = [f"clen = {clen}", "photon_energy = 10000 eV", f"res = {res}"]
    lines += ["dim0 = %", "dim1 = ss", "dim2 = fs"]
    panels = []
    for number in range(8):
        angle = random.normal(0, 0.01) + np.pi / 2 * (1 + 2 * (number < 4))
        tilt = random.normal(0, 0.002, 2)
        fs = np.array([np.cos(angle), np.sin(angle), tilt[0]])
        ss = np.array([-np.sin(angle), np.cos(angle), tilt[1]])
        corner = np.array([random.uniform(-1100, 1100), random.uniform(-1100, 1100)])
        coffset = random.normal(0, 1e-4)
        panels.append((fs, ss, corner, coffset))
        name = f"q{number + 1}"
        lines += [f"{name}/min_fs = 0", f"{name}/max_fs = 511"]
        lines += [f"{name}/min_ss = {1024 * number}", f"{name}/max_ss = {1024 * number + 1023}"]
        for key, vector in (("fs", fs), ("ss", ss)):
            terms = " ".join(
                f"{value:+.12f}{axis}" for value, axis in zip(vector, "xyz", strict=True)
            )
            lines.append(f"{name}/{key} = {terms}")
        lines += [f"{name}/corner_x = {corner[0]:.9f}", f"{name}/corner_y = {corner[1]:.9f}"]
        lines.append(f"{name}/coffset = {coffset:.12f}")
    geometry = tmp_path / "mpccd.geom"
    geometry.write_text("\n".join(lines) + "\n")
    metadata = write_swissfel(tmp_path).metadata
    frames = random.integers(0, 4096, (3, 8192, 512)).astype("u2")
    with h5py.File(tmp_path / "run.h5", "w") as file:
        file["data"], file["tags"] = frames, np.array([500, 502, 504], "u4")
    output = tmp_path / "mpccd.nxs"
    command = ["master", f"mpccd={tmp_path / 'run.h5'}:/data,/tags", "--geometry", str(geometry)]
    command += ["--metadata", str(metadata), "--output", str(output)]
    assert main(command) == 0
    assert main(["validate", str(output)]) == 0
    back = tmp_path / "back.geom"
    assert main(["geometry", str(output), "--output", str(back)]) == 0
    again = tmp_path / "again.nxs"
    command[command.index("--geometry") + 1] = str(back)
    command[-1] = str(again)
    assert main(command) == 0
    i, j = np.mgrid[:1024, :512][..., np.newaxis] + 0.5
    for path in (output, again):
        with nxformula.open(path) as file:
            np.testing.assert_array_equal(file[FIELD][1], frames[1])
            modules = sorted(Chains(file).modules(file[DETECTOR]), key=lambda m: m.data_origin[-2])
        for module, (fs, ss, corner, coffset) in zip(modules, panels, strict=True):
            expected = (j * fs + i * ss + [*corner, 0]) / res + [0, 0, clen + coffset]
            difference = np.abs(module.positions() - expected).max() * res
            assert difference < 1e-3, "pixels"
