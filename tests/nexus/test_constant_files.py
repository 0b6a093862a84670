"""`nxformula constants`: what facilities write becomes what formulas take, value by value."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import nxformula
from nxformula._resources import resource
from nxformula.cli import main
from nxformula.masters.demonstration import Demonstration
from nxformula.nexus.constant_files.layouts import layout, layout_names

RANDOM = np.random.default_rng(12)


def convert(*arguments: object) -> int:
    return main(["constants", *map(str, arguments)])


@pytest.mark.parametrize("name", layout_names())
def test_layouts_follow_the_schema(name: str) -> None:
    folder = resource("schemas", "constants")
    schema = json.loads(folder.joinpath("layout-1.schema.json").read_text(encoding="ascii"))
    Draft202012Validator.check_schema(schema)
    document = json.loads(folder.joinpath(f"{name}.json").read_text(encoding="ascii"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert document["name"] == layout(name).name == name


def test_gain_maps_of_psi(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    modules = [RANDOM.uniform(1, 50, (6, 512, 1024)) for _ in range(2)]
    modules[1][1, 3, 4] = 0
    paths = [tmp_path / f"gainMaps_M{k}.bin" for k in range(2)]
    for path, values in zip(paths, modules, strict=True):
        path.write_bytes(values.astype("<f8").tobytes())
    output = tmp_path / "gain.h5"
    command = (*paths, "--layout", "psi-gain-map", "--take", "stage=0:3", "--stack", "slow")
    assert convert(*command, "--invalid", 0, "--output", output) == 0
    said = capsys.readouterr().out
    assert f"{output}:/gain: float64[stage=3, slow=1024, fast=1024] in count/keV" in said
    with h5py.File(output) as file:
        gain = file["gain"]
        expected = np.concatenate([m[:3] for m in modules], axis=1)
        expected[expected == 0] = np.nan
        np.testing.assert_array_equal(gain[...], expected)
        assert np.isnan(gain[1, 512 + 3, 4])
        assert gain.chunks == (1, 1024, 1024)
        assert list(gain.attrs["axes"]) == ["stage", "slow", "fast"]
        assert list(gain.attrs["source"]) == [path.name for path in paths]


def test_pedestals_of_jungfrau_utils(tmp_path: Path) -> None:
    values = RANDOM.uniform(0, 16383, (4, 512, 1024)).astype("f4")
    path, output = tmp_path / "pedestal.h5", tmp_path / "out.h5"
    with h5py.File(path, "w") as file:
        file["gains"], file["gainsRMS"] = values, values / 1000
        file["pixel_mask"] = np.zeros((512, 1024), "i8")
    command = (path, "--layout", "jungfrau-pedestal", "--take", "stage=0,1,3")
    assert convert(*command, "--output", output) == 0
    with h5py.File(output) as file:
        assert set(file) == {"pedestal", "pedestal_errors", "mask"}
        np.testing.assert_array_equal(file["pedestal"][...], values[[0, 1, 3]])
        np.testing.assert_array_equal(file["pedestal_errors"][...], values[[0, 1, 3]] / 1000)


def test_constants_of_cheetah_and_of_european_xfel(tmp_path: Path) -> None:
    offset = RANDOM.integers(0, 9000, (3, 4, 512, 128)).astype("i2")
    level = RANDOM.integers(0, 9000, (3, 4, 512, 128)).astype("u2")
    path, output = tmp_path / "cheetah.h5", tmp_path / "one.h5"
    with h5py.File(path, "w") as file:
        file["AnalogOffset"], file["DigitalGainLevel"] = offset, level
    order = ("--order", "cell,stage,slow,fast")
    assert convert(path, "--layout", "cheetah-agipd", *order, "--output", output) == 0
    with h5py.File(output) as file:
        assert set(file) == {"offset", "low", "high"}
        for cell in range(4):
            np.testing.assert_array_equal(file["offset"][cell], offset[:, cell])
            np.testing.assert_array_equal(file["low"][cell], level[1, cell])
            np.testing.assert_array_equal(file["high"][cell], level[2, cell])

    # European XFEL's files hold the same values the other way round.
    path, other = tmp_path / "euxfel.h5", tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["AGIPD_SIV1_AGIPDV11_M305/Offset/0/data"] = offset.transpose(3, 2, 1, 0)
    assert convert(path, "--layout", "euxfel-agipd", *order, "--output", other) == 0
    with h5py.File(output) as one, h5py.File(other) as two:
        np.testing.assert_array_equal(two["offset"][...], one["offset"][...])
        assert list(two["offset"].attrs["axes"]) == ["cell", "stage", "slow", "fast"]
        assert two["offset"].chunks == (1, 1, 512, 128)


HEADS = {
    "old": "# DTYPE float32\n# NDIM 3\n# DIM:1 3\n# DIM:2 4\n# DIM:3 5\n",
    "new": "# TITLE a file\n# SHAPE (3,4,5)\n# DATATYPE float32\n",
}


@pytest.mark.parametrize("form", ["npy", "old", "new", "hdf5"])
def test_exports_of_psana(form: str, tmp_path: Path) -> None:
    values = RANDOM.uniform(0, 16383, (3, 4, 5)).astype("f4")
    path, output = tmp_path / "x.npy", tmp_path / "out.h5"
    source: object = path
    if form == "npy":
        np.save(path, values)
    elif form == "hdf5":
        source = f"{path}:/a/b"
        with h5py.File(path, "w") as file:
            file["a/b"] = values
    else:
        rows = "\n".join(" ".join(map(repr, row)) for row in values.reshape(-1, 5).tolist())
        path.write_text(HEADS[form] + rows + "\n")
    symbol = "pedestal[panel,slow,fast]{count}"
    assert convert(source, "--symbol", symbol, "--output", output) == 0
    with h5py.File(output) as file:
        np.testing.assert_array_equal(file["pedestal"][...].astype("f4"), values)
        assert file["pedestal"].attrs["units"] == "count"


def test_axes_are_known_from_there_on(attached: Demonstration) -> None:
    with h5py.File(attached.pedestal, "r+") as file:
        file["turned"] = file["pedestal"][...].transpose(2, 1, 0)
    turned = attached.folder / "turned.h5"
    symbol = "pedestal[fast,slow,stage]{count}"
    assert convert(f"{attached.pedestal}:/turned", "--symbol", symbol, "--output", turned) == 0
    output = attached.folder / "preset.nxs"
    nxformula.attach(
        attached.master,
        attached.field,
        nxformula.preset("jungfrau").formula,
        [f"pedestal={turned}:/pedestal", f"gain={attached.gain}:/gain"],
        preset=nxformula.preset("jungfrau"),
        replace=True,
        output=output,
    )
    with nxformula.open(output) as new, nxformula.open(attached.master) as old:
        np.testing.assert_array_equal(new[attached.field][...], old[attached.field][...])


@given(
    st.permutations(["stage", "cell", "slow", "fast"]),
    st.permutations(["stage", "cell", "slow", "fast"]),
    st.sampled_from([None, "stage", "cell", "module"]),
)
@settings(max_examples=30, deadline=None)
def test_any_order_is_the_same_constant(
    stored: list[str], wanted: list[str], stack: str | None
) -> None:
    with TemporaryDirectory() as folder:
        check_order(Path(folder), stored, wanted, stack)


def check_order(folder: Path, stored: list[str], wanted: list[str], stack: str | None) -> None:
    lengths = {"stage": 2, "cell": 3, "slow": 4, "fast": 5}
    paths = [folder / "a.npy", folder / "b.npy"] if stack else [folder / "a.npy"]
    arrays = [RANDOM.random([lengths[a] for a in stored]) for _ in paths]
    for path, values in zip(paths, arrays, strict=True):
        np.save(path, values)
    order = (["module"] if stack == "module" else []) + wanted
    command = [*paths, "--symbol", f"x[{','.join(stored)}]", "--order", ",".join(order)]
    stacked = ["--stack", stack] if stack else []
    assert convert(*command, *stacked, "--output", folder / "o.h5") == 0
    with h5py.File(folder / "o.h5") as file:
        found = file["x"][...]
    for place in ((0, 1, 2, 3), (1, 2, 0, 4)):
        at = dict(zip(lengths, place, strict=True))
        for k, values in enumerate(arrays):
            there = {**at, "module": k}
            if stack in ("stage", "cell"):
                there[stack] = at[stack] + k * lengths[stack]
            assert found[tuple(there[a] for a in order)] == values[tuple(at[a] for a in stored)]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("a.bin", b"123", ["--layout", "psi-gain-map"], "has 3 bytes; expected a multiple of"),
        ("a.npy", b"\x93NUMPY\x01\x00", ["--symbol", "x[slow]"], "is not an array of numbers"),
        ("a.txt", b"1 2\n3 b\n", ["--symbol", "x[slow,fast]"], "is not a text of numbers"),
        ("a.txt", b"# SHAPE (2,2)\n1 2 3\n", ["--symbol", "x[slow]"], "states the shape (2, 2)"),
        ("a.txt", b"# NDIM 2\n# DIM:1 3\n1\n", ["--symbol", "x[slow]"], "NDIM and no DIM:2"),
        ("a.txt", b"1 2 3\n", ["--symbol", "x[slow,fast]"], "has 1 dimensions (3,); expected 2"),
        ("a.txt", b"1 2 3\n", ["--symbol", "x[slow]", "--take", "slow=7"], "place 7 is wanted"),
        ("a.txt", b"1 2\n3 4\n", ["--symbol", "x[a,b]", "--order", "b"], "where is a?"),
        ("a.dat", b"\xff\xfe\x00", ["--symbol", "x[slow]"], "neither npy, HDF5 nor text"),
        ("a.txt", b"1 2 3\n", ["--symbol", "x{count}"], "the order of dimensions is never guessed"),
        ("a.txt", b"1 2 3\n", ["--layout", "psi-gain"], "did you mean 'psi-gain-map'"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", ["--symbol", "x[slow]"], "is HDF5: name the dataset"),
    ],
)
def test_what_cannot_be_read(
    name: str,
    content: bytes,
    options: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, output = tmp_path / name, tmp_path / "out.h5"
    path.write_bytes(content)
    assert convert(path, *options, "--output", output) in (1, 2)
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_of_a_layout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = tmp_path / "x.h5", tmp_path / "out.h5"
    with h5py.File(path, "w") as file:
        file["other"] = 1
    assert convert(path, "--layout", "cheetah-agipd", "--output", output) == 2
    assert "none of offset, low, high, relative_gain, bad is there" in capsys.readouterr().err
    assert convert(path, "--layout", "psi-gain-hdf5", "--output", output) == 2
    assert "/gains does not exist" in capsys.readouterr().err
    with h5py.File(path, "w") as file:
        file["A/Offset/0/data"], file["B/Offset/0/data"] = np.ones(3), np.ones(3)
    assert convert(path, "--layout", "euxfel-agipd", "--output", output) == 2
    assert "has 2 constants Offset: /A/Offset/0/data, /B" in capsys.readouterr().err
    assert not output.exists()


def test_files_that_do_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two, output = tmp_path / "1.npy", tmp_path / "2.npy", tmp_path / "out.h5"
    np.save(one, np.ones((3, 4)))
    np.save(two, np.ones((3, 5)))
    symbol = ("--symbol", "x[slow,fast]", "--output", output)
    assert convert(one, two, *symbol) == 1
    assert "'x' is in 2 files; --stack says along which dimension" in capsys.readouterr().err
    assert convert(one, two, *symbol, "--stack", "slow") == 1
    assert "float64(3, 5)" in capsys.readouterr().err
    assert convert(one, one, *symbol, "--stack", "module") == 0


def test_layouts_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("--list") == 0
    said = capsys.readouterr().out
    assert all(name in said for name in layout_names())
    assert convert("--symbol", "x[slow]") == 2
    assert "give the files, and --output" in capsys.readouterr().err
