"""Files from strangers: nothing outside the allowed folders is read, nothing exhausts memory."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.masters.demonstration import FORMULA, Demonstration

FIELD = "/entry/instrument/detector/data"
GROUP = f"{FIELD}_formula"
SHAPE = (4, 64, 128)


def edit(path: Path, change: Callable[[Any], object]) -> None:
    with h5py.File(path, "r+") as file:
        change(file)


def replace(path: Path, name: str, link: Any) -> None:
    def change(file: Any) -> None:
        del file[name]
        file[name] = link

    edit(path, change)


def virtual(path: Path, name: str, source: str, dataset: str, shape: Any = SHAPE) -> None:
    """Make (or replace) a virtual dataset that is all of another."""
    layout = h5py.VirtualLayout(shape, np.uint16)
    layout[...] = h5py.VirtualSource(source, dataset, shape)
    with h5py.File(path, "a") as file:
        if file.get(name, getlink=True) is not None:
            del file[name]
        file.create_virtual_dataset(name, layout)


def frame(path: Path, **options: Any) -> np.ndarray:
    with nxformula.open(path, **options) as file:
        return file[FIELD][1]


# Ways to a file outside the folder of the master


def _absolute(made: Demonstration, secret: Path) -> None:
    replace(made.master, FIELD, h5py.ExternalLink(str(secret), "/data"))


def _upwards(made: Demonstration, secret: Path) -> None:
    replace(made.master, FIELD, h5py.ExternalLink("../outside/secret.h5", "/data"))


def _symbolic_file(made: Demonstration, secret: Path) -> None:
    made.stack.symlink_to(secret)


def _symbolic_folder(made: Demonstration, secret: Path) -> None:
    (made.folder / "inside").symlink_to(secret.parent)
    replace(made.master, FIELD, h5py.ExternalLink("inside/secret.h5", "/data"))


def _middle_of_a_path(made: Demonstration, secret: Path) -> None:
    def change(file: Any) -> None:
        file["far"] = h5py.ExternalLink(str(secret), "/")
        del file[FIELD]
        file[FIELD] = h5py.SoftLink("/far/group/data")

    edit(made.master, change)


def _nested(made: Demonstration, secret: Path) -> None:
    with h5py.File(made.stack, "w") as file:
        file["data"] = h5py.SoftLink("/further")
        file["further"] = h5py.ExternalLink(str(secret), "/data")


def _virtual(made: Demonstration, secret: Path) -> None:
    virtual(made.master, FIELD, str(secret), "data")


def _virtual_of_virtual(made: Demonstration, secret: Path) -> None:
    virtual(made.stack, "data", str(secret), "data")
    virtual(made.master, FIELD, made.stack.name, "data")


def _virtual_through_a_link(made: Demonstration, secret: Path) -> None:
    with h5py.File(made.stack, "w") as file:
        file["data"] = h5py.ExternalLink(str(secret), "/data")
    virtual(made.master, FIELD, made.stack.name, "data")


def _virtual_through_an_own_link(made: Demonstration, secret: Path) -> None:
    edit(made.master, lambda file: file.__setitem__("far", h5py.ExternalLink(str(secret), "/")))
    virtual(made.master, FIELD, ".", "/far/data")


def _constant(made: Demonstration, secret: Path) -> None:
    shutil.move(made.pedestal, secret.parent)
    made.stack.write_bytes(secret.read_bytes())
    link = h5py.ExternalLink("../outside/pedestal.h5", "/pedestal")
    replace(made.master, f"{GROUP}/pedestal", link)


WAYS = [
    _absolute,
    _upwards,
    _symbolic_file,
    _symbolic_folder,
    _middle_of_a_path,
    _nested,
    _virtual,
    _virtual_of_virtual,
    _virtual_through_a_link,
    _virtual_through_an_own_link,
    _constant,
]


@pytest.fixture
def secret(attached: Demonstration, tmp_path: Path) -> Path:
    """The raw stack, moved to another folder."""
    path = tmp_path / "outside" / "secret.h5"
    path.parent.mkdir()
    shutil.move(attached.stack, path)
    edit(path, lambda file: file.__setitem__("group/data", file["data"]))
    return path


@pytest.fixture
def wanted(attached_demonstration: Demonstration) -> bytes:
    return frame(attached_demonstration.master).tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_files_outside_the_folder_are_refused(
    attached: Demonstration,
    secret: Path,
    wanted: bytes,
    way: Callable[[Demonstration, Path], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    way(attached, secret)
    outside = str(secret.parent)
    with pytest.raises(nxformula.ForbiddenPathError) as caught:
        frame(attached.master)
    assert f"--allow {outside}" in str(caught.value)
    assert caught.value.path.startswith(outside)
    # A folder whose name only begins alike is another folder.
    with pytest.raises(nxformula.ForbiddenPathError):
        frame(attached.master, allow=[outside[:-1], outside + "s"])
    assert frame(attached.master, allow=[outside]).tobytes() == wanted
    with monkeypatch.context() as patch:
        patch.setenv("NXFORMULA_ALLOW", f"/nowhere{os.pathsep}{outside}")
        assert frame(attached.master).tobytes() == wanted
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        (tmp_path / "nxformula").mkdir()
        (tmp_path / "nxformula" / "config.toml").write_text(f"allow = ['{outside}']\n")
        assert frame(attached.master).tobytes() == wanted


@pytest.mark.parametrize("way", WAYS[:-1])
def test_attach_and_calibrate_refuse_them_too(
    attached: Demonstration, secret: Path, way: Callable[[Demonstration, Path], None]
) -> None:
    way(attached, secret)
    output = attached.folder / "output.nxs"
    with pytest.raises(nxformula.ForbiddenPathError):
        nxformula.calibrate(attached.master, output)
    with pytest.raises(nxformula.ForbiddenPathError):
        nxformula.attach(attached.master, FIELD, "data / 2", replace=True, output=output)
    assert not output.exists()


def test_a_configuration_that_is_no_list(
    attached: Demonstration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "nxformula").mkdir()
    for text in ("allow = '/data'", "allow = [1]", "allow = ", "\udcff"):
        content = text.encode("utf-8", "surrogateescape")
        (tmp_path / "nxformula" / "config.toml").write_bytes(content)
        with pytest.raises(nxformula.FileError, match=r"config\.toml"):
            nxformula.open(attached.master)


def test_a_formula_in_another_file_is_refused(attached: Demonstration, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "formula.h5", "w") as file, h5py.File(attached.master) as master:
        master.copy(GROUP, file, "formula")
    replace(attached.master, GROUP, h5py.ExternalLink("../formula.h5", "/formula"))
    with pytest.raises(nxformula.ForbiddenPathError):
        frame(attached.master)
    with nxformula.open(attached.master) as file:
        with pytest.raises(nxformula.ForbiddenPathError):
            file[GROUP]
        assert isinstance(file.get(GROUP, getlink=True), h5py.ExternalLink)
        assert GROUP in file


def test_what_is_beyond_a_forbidden_link_is_not_looked_at(
    attached: Demonstration, secret: Path
) -> None:
    edit(attached.master, lambda f: f.__setitem__("far", h5py.ExternalLink(str(secret), "/")))
    with nxformula.open(attached.master) as file:
        for look in (
            lambda: file["far"],
            lambda: file["far/data"],
            lambda: "far/data" in file,
            lambda: file.get("far/data"),
            lambda: file.get("far/data", getlink=True),
            lambda: file.get("far/data", getclass=True),
        ):
            with pytest.raises(nxformula.ForbiddenPathError):
                look()
        assert "far" in file


# Values kept outside HDF5


def _raw_storage(made: Demonstration, name: str) -> None:
    with h5py.File(made.stack) as stack:
        values = stack["data"][:]
    (made.folder / "raw.bin").write_bytes(values.tobytes())

    def change(file: Any) -> None:
        del file[FIELD]
        storage = [(name, 0, values.nbytes)]
        file.create_dataset(FIELD, SHAPE, np.uint16, external=storage)

    edit(made.master, change)


def test_raw_storage_outside_is_refused(
    attached: Demonstration, tmp_path: Path, wanted: bytes
) -> None:
    _raw_storage(attached, str(tmp_path / "raw.bin"))
    shutil.move(attached.folder / "raw.bin", tmp_path)
    with pytest.raises(nxformula.ForbiddenPathError, match="--allow"):
        frame(attached.master)
    assert frame(attached.master, allow=[tmp_path]).tobytes() == wanted


def test_raw_storage_inside(
    attached: Demonstration, wanted: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _raw_storage(attached, str(attached.folder / "raw.bin"))
    assert frame(attached.master).tobytes() == wanted
    _raw_storage(attached, "raw.bin")
    monkeypatch.chdir(attached.folder)
    assert frame(attached.master).tobytes() == wanted
    # HDF5 would read this one.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.bin").write_bytes(bytes(1 << 20))
    with pytest.raises(nxformula.ForbiddenPathError, match="working directory"):
        frame(attached.master)


def test_raw_storage_behind_a_virtual_dataset(
    attached: Demonstration, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _raw_storage(attached, "raw.bin")
    attached.stack.unlink()
    attached.master.rename(attached.folder / "source.nxs")
    shutil.copy(attached.folder / "source.nxs", attached.master)
    virtual(attached.master, FIELD, "source.nxs", FIELD)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.bin").write_bytes(bytes(1 << 20))
    with pytest.raises(nxformula.ForbiddenPathError, match="working directory"):
        frame(attached.master)


def test_missing_raw_storage_is_an_error(attached: Demonstration) -> None:
    _raw_storage(attached, str(attached.folder / "raw.bin"))
    (attached.folder / "raw.bin").unlink()
    with pytest.raises(nxformula.MissingSourceError, match=r"raw\.bin"):
        frame(attached.master)


# What is missing


def _linked(made: Demonstration, name: str) -> None:
    replace(made.master, FIELD, h5py.ExternalLink(name, "/data"))


def _mapped(made: Demonstration, name: str) -> None:
    virtual(made.master, FIELD, name, "data")


@pytest.mark.parametrize("way", [_linked, _mapped])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_file_of_the_same_name_is_never_taken(
    attached: Demonstration,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[Demonstration, str], None],
    absolute: bool,
) -> None:
    missing = attached.folder / "sub" / "run_data.h5"
    way(attached, str(missing) if absolute else "sub/run_data.h5")
    # Where HDF5 goes on to look: the working directory, and beside the master.
    (tmp_path / "sub").mkdir()
    shutil.copy(attached.stack, tmp_path / "sub")
    shutil.copy(attached.stack, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(nxformula.MissingSourceError, match=r"sub/run_data\.h5.*no such file"):
        frame(attached.master)
    with pytest.raises(nxformula.MissingSourceError):
        nxformula.calibrate(attached.master, tmp_path / "out.nxs")
    with pytest.raises(nxformula.MissingSourceError):
        nxformula.calibrate(attached.master, tmp_path / "out.nxs", field=FIELD)


def test_a_missing_dataset_of_a_virtual_source(attached: Demonstration) -> None:
    virtual(attached.master, FIELD, attached.stack.name, "absent")
    with pytest.raises(nxformula.MissingSourceError, match="absent"):
        frame(attached.master)


def test_a_group_as_virtual_source(attached: Demonstration) -> None:
    edit(attached.stack, lambda file: file.create_group("group"))
    virtual(attached.master, FIELD, attached.stack.name, "group")
    with pytest.raises(nxformula.FileError, match="group"):
        frame(attached.master)


@pytest.mark.parametrize("name", ["run_%b.h5", "%b"])
def test_name_patterns_are_refused(attached: Demonstration, name: str) -> None:
    layout = h5py.VirtualLayout(SHAPE, np.uint16, maxshape=(None, *SHAPE[1:]))
    source = h5py.VirtualSource(name, "data", (1, *SHAPE[1:]))
    layout[0 : h5py.h5s.UNLIMITED] = source[0:1]
    edit(attached.master, lambda file: file.pop(FIELD))
    edit(attached.master, lambda file: file.create_virtual_dataset(FIELD, layout))
    with pytest.raises(nxformula.ForbiddenPathError, match="pattern"):
        frame(attached.master)


def test_a_link_into_nothing(attached: Demonstration) -> None:
    replace(attached.master, FIELD, h5py.SoftLink("/nowhere"))
    with pytest.raises(nxformula.MissingSourceError, match="does not exist"):
        frame(attached.master)


@pytest.mark.parametrize("folder", ["folder", "pipe"])
def test_a_link_to_what_is_no_file(attached: Demonstration, folder: str) -> None:
    path = attached.folder / folder
    path.mkdir() if folder == "folder" else os.mkfifo(path)
    replace(attached.master, FIELD, h5py.ExternalLink(folder, "/data"))
    with pytest.raises(nxformula.MissingSourceError, match="no such file"):
        frame(attached.master)


# What would make HDF5 read other files than those that were checked


@pytest.mark.parametrize("variable", ["HDF5_VDS_PREFIX", "HDF5_EXT_PREFIX", "HDF5_EXTFILE_PREFIX"])
@pytest.mark.parametrize("way", ["mapped", "own link", "raw storage"])
def test_redirected_searches_are_refused(
    attached: Demonstration,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    way: str,
) -> None:
    if way == "mapped":
        virtual(attached.master, FIELD, attached.stack.name, "data")
    elif way == "own link":
        link = h5py.ExternalLink(attached.stack.name, "/")
        edit(attached.master, lambda file: file.__setitem__("far", link))
        virtual(attached.master, FIELD, ".", "/far/data")
    else:
        _raw_storage(attached, str(attached.folder / "raw.bin"))
    assert frame(attached.master).shape == SHAPE[1:]
    monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(nxformula.ForbiddenPathError, match=f"{variable}.*unset it"):
        frame(attached.master)


def test_links_through_a_symbolic_link_begin_where_the_file_is(
    attached: Demonstration, tmp_path: Path, wanted: bytes
) -> None:
    """`inside/chain.h5` is `other/chain.h5`, whose source is beside it there."""
    for name in ("other", "inside"):
        (attached.folder / name).mkdir()
    shutil.copy(attached.stack, attached.folder / "other" / "source.h5")
    virtual(attached.folder / "other" / "chain.h5", "data", "source.h5", "data")
    (attached.folder / "inside" / "chain.h5").symlink_to(attached.folder / "other" / "chain.h5")
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.zeros(SHAPE, np.uint16)
    (attached.folder / "inside" / "source.h5").symlink_to(tmp_path / "secret.h5")
    virtual(attached.master, FIELD, "inside/chain.h5", "data")
    assert frame(attached.master).tobytes() == wanted


def user_defined(path: Path, name: str) -> None:
    """Turn an external link into one of a kind that HDF5 itself does not know."""
    content = path.read_bytes()
    # Message of a link: version 1, flags with a type, type 64, its name with the length before.
    mark = bytes([64, len(name)]) + name.encode()
    assert content.count(mark) == 1
    path.write_bytes(content.replace(mark, bytes([70]) + mark[1:]))


def test_user_defined_links_are_refused(attached: Demonstration) -> None:
    link = h5py.ExternalLink(attached.stack.name, "/data")
    edit(attached.master, lambda file: file.__setitem__("entry/strange", link))
    user_defined(attached.master, "strange")
    with nxformula.open(attached.master) as file:
        with pytest.raises(nxformula.ForbiddenPathError, match="user-defined"):
            file["entry/strange"]
        assert "strange" in file["entry"]
        assert file[FIELD].shape == SHAPE
    output = attached.folder / "output.nxs"
    nxformula.calibrate(attached.master, output)
    assert frame(output).shape == SHAPE[1:]


# Circles


def test_soft_links_in_a_circle(attached: Demonstration) -> None:
    replace(attached.master, FIELD, h5py.SoftLink("/entry/data/data"))
    with pytest.raises(nxformula.CorruptFileError, match="circle"):
        frame(attached.master)


def test_external_links_in_a_circle(attached: Demonstration) -> None:
    with h5py.File(attached.stack, "w") as file:
        file["data"] = h5py.ExternalLink(attached.master.name, FIELD)
    with pytest.raises(nxformula.CorruptFileError, match="circle"):
        frame(attached.master)


def test_groups_in_a_circle(attached: Demonstration, wanted: bytes) -> None:
    def change(file: Any) -> None:
        file["entry/again"] = file["entry"]
        file["entry/instrument/detector/top"] = file["/"]

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert file["entry/again/again/again" + FIELD[6:]][1].tobytes() == wanted
        assert len(list(file.formulas())) == 1
    output = attached.folder / "elsewhere" / "output.nxs"
    output.parent.mkdir()
    nxformula.calibrate(attached.master, output)
    assert frame(output).tobytes() == wanted


def test_virtual_datasets_in_a_circle(attached: Demonstration) -> None:
    virtual(attached.master, FIELD, ".", FIELD)
    with pytest.raises(nxformula.CorruptFileError, match="circle"):
        frame(attached.master)
    attached.stack.unlink()
    virtual(attached.stack, "data", attached.master.name, FIELD)
    virtual(attached.master, FIELD, attached.stack.name, "data")
    with pytest.raises(nxformula.CorruptFileError, match="circle"):
        frame(attached.master)


# More declared than stored


@pytest.fixture
def little_memory() -> Any:
    """Whatever a test does takes less than 32 MiB."""
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


def bomb(folder: Path, data: Any, constant: Any) -> Path:
    """A master without a formula; shapes of the field and of a constant, nothing is stored."""
    path = folder / "bomb.nxs"
    with h5py.File(path, "w") as file:
        options = {"chunks": True, "fillvalue": 1}
        file.create_dataset("entry/detector/data", data, "u2", **options)
        file.create_dataset("entry/detector/offset", constant, "f4", **options)
    return path


def write_formula(path: Path, text: str, offset_axes: list[str]) -> None:
    """A formula group as another program writes it, that asks nobody."""

    def change(file: Any) -> None:
        group = file.create_group("entry/detector/data_formula")
        group.attrs.update(
            formula=text,
            formula_language="nxformula-1",
            formula_dtype="float32",
            formula_axes=["frame", "slow", "fast"],
            offset_axes=offset_axes,
        )
        for name in ("data", "offset"):
            group[name] = h5py.SoftLink(f"/entry/detector/{name}")

    edit(path, change)


@pytest.mark.usefixtures("little_memory")
def test_a_field_that_declares_terabytes(tmp_path: Path) -> None:
    path = bomb(tmp_path, (1 << 20, 1 << 10, 1 << 10), (1 << 10, 1 << 10))
    write_formula(path, "data - offset", ["slow", "fast"])
    with nxformula.open(path) as file:
        images = file["entry/detector/data"]
        assert images.nbytes == 4 << 40
        assert not images[5, :3, :3].any()
        for index in (..., np.s_[:, 5:], np.s_[: 1 << 19]):
            with pytest.raises(nxformula.FileError, match=r"would give .* are stored"):
                images[index]
    with pytest.raises(nxformula.FileError, match="choose a part with --frames"):
        nxformula.calibrate(path, tmp_path / "out.nxs")
    with pytest.raises(nxformula.FileError, match="would give"):
        nxformula.calibrate(path, tmp_path / "out.nxs", frames=slice(0, 1 << 19))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bomb.nxs"]


@pytest.mark.usefixtures("little_memory")
def test_a_constant_that_declares_terabytes(tmp_path: Path) -> None:
    path = bomb(tmp_path, (2, 8, 8), (1 << 34, 8, 8))
    sources = ["offset=/entry/detector/offset[stage,slow,fast]"]
    for options in ({"in_place": True}, {"output": tmp_path / "out.nxs"}, {"copy": True}):
        where = {"output": tmp_path / "out.nxs"} if "copy" in options else {}
        with pytest.raises(nxformula.FileError, match=r"would give .* are stored"):
            nxformula.attach(
                path, "/entry/detector/data", "data - offset[data]", sources, **options, **where
            )
    write_formula(path, "data - offset[data]", ["stage", "slow", "fast"])
    with nxformula.open(path) as file, pytest.raises(nxformula.FileError, match="would give"):
        file["entry/detector/data"][0, 0, 0]
    with pytest.raises(nxformula.FileError, match="would give"):
        nxformula.calibrate(path, tmp_path / "out.nxs")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bomb.nxs"]


@pytest.mark.usefixtures("little_memory")
def test_a_result_far_larger_than_what_is_stored(tmp_path: Path) -> None:
    """A row and a column are small; what a formula makes of them need not be."""
    path = tmp_path / "bomb.nxs"
    with h5py.File(path, "w") as file:
        file["entry/detector/data"] = np.zeros((1, 1, 1 << 18), np.uint16)
        file["entry/detector/offset"] = np.zeros(1 << 18, np.float32)

    def change(file: Any) -> None:
        file["entry/detector/data_formula"].attrs["data_axes"] = ["frame", ".", "fast"]

    write_formula(path, "data - offset", ["slow"])
    edit(path, change)
    with nxformula.open(path) as file:
        images = file["entry/detector/data"]
        assert images.shape == (1, 1 << 18, 1 << 18)
        assert images[0, 5, :3].tolist() == [0, 0, 0]
        with pytest.raises(nxformula.FileError, match="would give"):
            images[...]
    with pytest.raises(nxformula.FileError, match="would give"):
        nxformula.calibrate(path, tmp_path / "out.nxs")


def test_a_virtual_dataset_counts_what_its_sources_store(tmp_path: Path) -> None:
    path = bomb(tmp_path, (1, 1, 1), (1, 1))
    with h5py.File(tmp_path / "source.h5", "w") as file:
        file["stored"] = np.ones((1, 1000, 1000), np.uint16)
    layout = h5py.VirtualLayout((5000, 1000, 1000), np.uint16)
    for i in range(5000):
        layout[i] = h5py.VirtualSource("source.h5", "stored", (1, 1000, 1000))[0]
    edit(path, lambda file: file.pop("entry/detector/data", None))
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("entry/detector/data", layout)
    write_formula(path, "data - offset", ["slow", "fast"])
    replace(path, "entry/detector/offset", np.zeros((1000, 1000), np.float32))
    with nxformula.open(path) as file:
        images = file["entry/detector/data"]
        # One source shown a thousand times over counts once.
        with pytest.raises(nxformula.FileError, match="2,000,000 are stored"):
            images[...]
        assert images[4999, 5, :3].tolist() == [1, 1, 1]


# Broken files


def use(path: Path, folder: Path) -> str:
    """Do everything with a file; what stopped it."""
    try:
        with nxformula.open(path) as file:
            list(file.formulas())
            for _ in range(2):
                file[FIELD][...]
        nxformula.calibrate(path, folder / "calibrated.nxs", force=True)
        nxformula.attach(
            path, FIELD, "data / 2", replace=True, output=folder / "out.nxs", force=True
        )
    except (nxformula.NXFormulaError, KeyError) as error:
        # A member that is not there is a KeyError, as in h5py.
        return type(error).__name__
    return "nothing"


PARTS = [i / 50 for i in range(50)]


@pytest.mark.parametrize("name", ["master", "stack", "pedestal"])
def test_truncated_files(attached: Demonstration, name: str) -> None:
    path: Path = getattr(attached, name)
    content = path.read_bytes()
    assert use(attached.master, attached.folder) == "nothing"
    found = set()
    for part in PARTS:
        path.write_bytes(content[: int(part * len(content))])
        found.add(use(attached.master, attached.folder))
    path.write_bytes(content[:-1])
    found.add(use(attached.master, attached.folder))
    assert found == {"CorruptFileError"}


def heaps(content: bytes) -> list[tuple[int, int]]:
    """Where the texts of attributes are; HDF5 2.0.0 itself never ends on zeros inside one."""
    found = []
    start = content.find(b"GCOL")
    while start >= 0:
        end = start + int.from_bytes(content[start + 8 : start + 16], "little")
        found.append((start, end))
        start = content.find(b"GCOL", end)
    return found


@pytest.mark.parametrize("name", ["master", "stack", "pedestal"])
@pytest.mark.parametrize("width", [8, 64, 1 << 30])
def test_files_with_a_hole(attached: Demonstration, name: str, width: int) -> None:
    path: Path = getattr(attached, name)
    content = path.read_bytes()
    found = set()
    for part in PARTS:
        start = 64 + int(part * (len(content) - 64))
        end = min(len(content), start + width)
        if any(begin + 4 <= start < stop for begin, stop in heaps(content)):
            continue
        path.write_bytes(content[:start] + bytes(end - start) + content[end:])
        found.add(use(attached.master, attached.folder))
    assert "CorruptFileError" in found


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated|not an HDF5 file"),
        (b"data = 1\n" * 1000, "not an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n", "run"),
        (b"\x89HDF\r\n\x1a\n" + bytes(4096), "run"),
    ],
)
def test_what_is_not_hdf5(attached: Demonstration, content: bytes, reason: str) -> None:
    attached.master.write_bytes(content)
    with pytest.raises(nxformula.CorruptFileError, match=reason):
        nxformula.open(attached.master)


def test_a_folder_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(nxformula.FileError, match="is a folder"):
        nxformula.open(tmp_path)
    with pytest.raises(nxformula.FileError, match="no such file"):
        nxformula.open(tmp_path / "run.nxs")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(attached: Demonstration) -> None:
    attached.master.chmod(0)
    with pytest.raises(nxformula.FileError, match="no permission"):
        nxformula.open(attached.master)


def test_a_corrupt_chunk(attached: Demonstration) -> None:
    with h5py.File(attached.stack) as file:
        chunk = file["data"].id.get_chunk_info(2)
    with attached.stack.open("r+b") as stack:
        stack.seek(chunk.byte_offset)
        stack.write(b"\xff" * chunk.size)
    with nxformula.open(attached.master) as file:
        images = file[FIELD]
        assert images[1].shape == (64, 128)
        with pytest.raises(nxformula.CorruptFileError, match=r"'/data' in .*run_data\.h5"):
            images[2]
    with pytest.raises(nxformula.CorruptFileError):
        nxformula.calibrate(attached.master, attached.folder / "out.nxs")
    assert not (attached.folder / "out.nxs").exists()


def test_a_corrupt_constant(attached: Demonstration) -> None:
    with h5py.File(attached.pedestal, "r+") as file:
        values = file["pedestal"][:]
        del file["pedestal"]
        file.create_dataset("pedestal", data=values, compression="gzip", chunks=(1, 64, 128))
        chunk = file["pedestal"].id.get_chunk_info(0)
    with attached.pedestal.open("r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(b"\xff" * chunk.size)
    with pytest.raises(nxformula.CorruptFileError, match="'/pedestal'"):
        frame(attached.master)
    with pytest.raises(nxformula.CorruptFileError, match="'/pedestal'"):
        nxformula.attach(
            attached.master, FIELD, FORMULA, attached.symbols, replace=True, in_place=True
        )
