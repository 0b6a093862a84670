"""An opened file behaves as h5py's, except that a field with a formula is calibrated."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula import CalibratedDataset
from nxformula.masters.demonstration import Demonstration
from nxformula.nexus import names

DETECTOR = "/entry/instrument/detector"
FIELD = f"{DETECTOR}/data"
GROUP = f"{FIELD}_formula"


def edit(path: Path, change: Callable[[Any], object]) -> None:
    with h5py.File(path, "r+") as file:
        change(file)


def _extend(file: Any) -> None:
    """Members of every kind: links that dangle, a type, references, an alias."""
    file["dangling"] = h5py.SoftLink("/nowhere")
    file["outside"] = h5py.ExternalLink("absent.h5", "/x")
    file["type"] = np.dtype("f4")
    file["plain"] = np.arange(6).reshape(2, 3)
    file["grüße"] = 1
    file["soft"] = h5py.SoftLink("/entry/instrument")
    file["hard"] = file["entry/instrument"]
    references = file.create_dataset("references", (3,), h5py.ref_dtype)
    references[0] = file["plain"].ref
    references[1] = file["entry"].ref
    file["region"] = np.array([0])
    file["region"].attrs["of"] = file["plain"].regionref[0:1]


@pytest.fixture
def both(attached: Demonstration) -> Iterator[tuple[Any, Any]]:
    """The file as nxformula and as h5py open it; two copies, so that one may be closed."""
    edit(attached.master, _extend)
    other = attached.folder / "copy.nxs"
    shutil.copy(attached.master, other)
    with nxformula.open(attached.master) as file, h5py.File(other) as plain:
        yield file, plain


def kind(found: Any) -> Any:
    """What of an object must be the same in both."""
    if isinstance(found, CalibratedDataset | h5py.Dataset):
        return h5py.Dataset, found.shape
    if isinstance(found, h5py.Group):
        return h5py.Group, list(found)
    if isinstance(found, h5py.Datatype):
        return h5py.Datatype, found.dtype
    if isinstance(found, h5py.SoftLink):
        return h5py.SoftLink, found.path
    if isinstance(found, h5py.ExternalLink):
        return h5py.ExternalLink, found.filename, found.path
    return found if isinstance(found, type | str | bool | None) else type(found)


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return kind(call())
    except Exception as error:
        return next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")


PATHS = [
    "/",
    "//",
    ".",
    "entry",
    "/entry",
    "entry/",
    "/entry/instrument/detector/data",
    "entry//instrument/./detector/data/",
    "./entry/data/data",
    "soft/detector",
    "soft/detector/data",
    "hard/detector/data",
    "hard/detector",
    "plain",
    "grüße",
    "type",
    "soft",
    "entry/../plain",
    "no",
    "plain/no",
    "no/no",
    "soft/no",
    "entry/data/no",
    "",
    5,
    None,
    b"entry/instrument",
    b"/entry/instrument/detector/data",
    "grüße".encode(),
]


@pytest.mark.parametrize("path", PATHS, ids=repr)
def test_indexing_is_as_in_h5py(both: tuple[Any, Any], path: Any) -> None:
    file, plain = both
    assert outcome(lambda: file[path]) == outcome(lambda: plain[path])


@pytest.mark.parametrize("path", [*PATHS, "dangling", "outside", "dangling/x"], ids=repr)
def test_in_is_as_in_h5py(both: tuple[Any, Any], path: Any) -> None:
    file, plain = both
    assert outcome(lambda: path in file) == outcome(lambda: path in plain)


@pytest.mark.parametrize("path", [*PATHS, "dangling", "outside"], ids=repr)
@pytest.mark.parametrize("options", [{}, {"getlink": True}, {"getlink": True, "getclass": True}])
def test_get_is_as_in_h5py(both: tuple[Any, Any], path: Any, options: dict[str, bool]) -> None:
    file, plain = both
    expected = outcome(lambda: plain.get(path, "default", **options))
    assert outcome(lambda: file.get(path, "default", **options)) == expected


@pytest.mark.parametrize("path", [path for path in PATHS if path not in (5, None)], ids=repr)
def test_get_class_is_as_in_h5py(both: tuple[Any, Any], path: Any) -> None:
    file, plain = both
    expected = plain.get(path, "default", getclass=True)
    assert file.get(path, "default", getclass=True) == expected


def test_the_class_of_a_dangling_link_is_the_default(both: tuple[Any, Any]) -> None:
    assert both[0].get("outside", "default", getclass=True) == "default"


@pytest.mark.parametrize("path", ["/", "entry", "entry/instrument/detector", "soft", "hard"])
def test_groups_are_as_in_h5py(both: tuple[Any, Any], path: str) -> None:
    group, plain = both[0][path], both[1][path]
    assert isinstance(group, h5py.Group)
    assert list(group) == list(plain)
    assert len(group) == len(plain)
    assert list(group.keys()) == list(plain.keys())
    assert [kind(found) for found in group.values()] == [kind(found) for found in plain.values()]
    assert [(n, kind(o)) for n, o in group.items()] == [(n, kind(o)) for n, o in plain.items()]
    assert all(name in group for name in group)
    assert dict(group.attrs) == dict(plain.attrs)
    if path != "soft":
        # h5py calls an object behind a soft link by the path that was asked for.
        assert group.name == plain.name
        assert kind(group.parent) == kind(plain.parent)
    assert group.file == both[0]
    assert bool(group)


def test_visits_are_as_in_h5py(both: tuple[Any, Any]) -> None:
    seen: list[list[Any]] = [[], []]
    for file, found in zip(both, seen, strict=True):
        file.visit(found.append)
        file["entry"].visititems(lambda name, item, found=found: found.append((name, kind(item))))
        file.visititems_links(lambda name, link, found=found: found.append((name, kind(link))))
        assert file.visititems(lambda name, item: name if name == "plain" else None) == "plain"
    assert len(seen[0]) > 20
    assert seen[0] == seen[1]


def test_references_lead_to_views(both: tuple[Any, Any]) -> None:
    file, plain = both
    first, second, empty = file["references"][:]
    assert kind(file[first]) == kind(plain["plain"])
    assert isinstance(file[second]["instrument/detector/data"], CalibratedDataset)
    assert kind(file[file["region"].attrs["of"]]) == kind(plain["plain"])
    with pytest.raises(ValueError, match="Invalid HDF5 object reference"):
        file[empty]


def test_a_reference_to_an_object_without_a_name(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        file["gone"] = np.arange(3)
        file.create_dataset("references", (2,), h5py.ref_dtype)[0] = file["gone"].ref
        file["references"][1] = file.create_group("empty").ref
        file["kept"] = file["gone"]
        del file["gone"]

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        references = file["references"][:]
        assert file[references[0]][:].tolist() == [0, 1, 2]
        assert isinstance(file[references[1]], h5py.Group)


def test_the_file_itself(attached: Demonstration) -> None:
    file = nxformula.open(attached.master)
    assert isinstance(file, h5py.File)
    assert file.mode == "r"
    assert file.filename == str(attached.master)
    assert (file.name, file.parent.name) == ("/", "/")
    images = file[FIELD]
    raw = images.raw
    assert bool(images)
    assert bool(raw)
    file.close()
    assert not file
    assert not raw
    assert not images
    file.close()


def test_leaving_the_context_closes_all_files(attached: Demonstration) -> None:
    with nxformula.open(attached.master) as file:
        image = file[FIELD][0]
        paths = file.context.pool.paths
        assert len(paths) == 4
    assert image.shape == (64, 128)
    for path in paths:
        # HDF5 refuses to open for writing what is still open for reading.
        h5py.File(path, "r+").close()


def test_groups_are_thin(attached: Demonstration) -> None:
    with nxformula.open(attached.master) as file:
        detector = file[DETECTOR]
        assert "data" in detector
        assert detector.get("data", getlink=True).filename == "run_data.h5"
        assert len(list(file["entry"])) > 3
        assert file.context.pool.paths == (str(attached.master),)


def test_objects_know_where_they_are(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        file["soft"] = h5py.SoftLink("/entry/instrument")

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert file["entry/data/data"].name == "/entry/data/data"
        assert file["entry"]["data/./data"].name == "/entry/data/data"
        assert file["entry/instrument"]["/entry/data/data"].name == "/entry/data/data"
        assert file["soft"].name == "/entry/instrument"
        assert file["soft"]["detector/data"].name == FIELD
        assert file["soft/detector/data"].parent == file[DETECTOR]


@pytest.mark.parametrize(
    "way",
    [
        lambda f: f[FIELD],
        lambda f: f[FIELD.encode()],
        lambda f: f["entry"]["instrument"]["detector"]["data"],
        lambda f: f["entry/instrument"]["detector/data"],
        lambda f: f.get(FIELD),
        lambda f: f["entry/data/data"],
        lambda f: f["entry/data"]["data"],
        lambda f: f["entry/alias"],
        lambda f: f["moved"],
        lambda f: f["shortcut/data"],
        lambda f: f["twice"],
        lambda f: dict(f[DETECTOR].items())["data"],
        lambda f: list(f["entry/data"].values())[list(f["entry/data"]).index("data")],
        lambda f: f[f[DETECTOR].ref]["data"],
        lambda f: f[DETECTOR].parent["detector/data"],
        lambda f: f[DETECTOR].file[FIELD],
        lambda f: f[FIELD].parent["data"],
        lambda f: f[FIELD].file[FIELD],
        lambda f: f[GROUP]["data"],
        lambda f: next(iter(f.formulas())),
        lambda f: f.only_formula(),
        lambda f: f["/"][FIELD],
    ],
)
def test_every_way_to_the_field_gives_calibrated_values(
    attached: Demonstration, way: Callable[[Any], Any]
) -> None:
    def change(file: Any) -> None:
        # The field as a dataset of the master, so that it can have hard links too.
        raw = h5py.File(attached.stack)["data"][:]
        del file[FIELD]
        file[FIELD] = raw
        file[FIELD].attrs["target"] = FIELD
        file["entry/alias"] = file[FIELD]
        file["moved"] = h5py.SoftLink("/entry/alias")
        file["shortcut"] = h5py.SoftLink("entry/instrument/detector")
        file["twice"] = h5py.SoftLink("/entry/data/data")

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        found = way(file)
        assert isinstance(found, CalibratedDataset)
        assert found.dtype == np.float32
        assert found[2].tobytes() == file[FIELD][2].tobytes()
        assert isinstance(found.raw, h5py.Dataset)
        assert found.raw.dtype == np.uint16


def test_visititems_gives_calibrated_values(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        del file[FIELD]
        file[FIELD] = np.zeros((4, 64, 128), np.uint16)

    edit(attached.master, change)
    found: dict[str, Any] = {}
    with nxformula.open(attached.master) as file:
        file.visititems(found.__setitem__)
        assert isinstance(found[FIELD[1:]], CalibratedDataset)
        assert not any(
            isinstance(item, CalibratedDataset) for name, item in found.items() if name != FIELD[1:]
        )


def test_a_field_behind_a_group_in_another_file(attached: Demonstration) -> None:
    other = attached.folder / "other.h5"
    with h5py.File(other, "w") as file:
        file["entry"] = h5py.ExternalLink("run.nxs", "/entry")
        file["root"] = h5py.ExternalLink("run.nxs", "/")
    with nxformula.open(attached.master) as file, nxformula.open(other) as linked:
        expected = file[FIELD][0].tobytes()
        assert linked[FIELD][0].tobytes() == expected
        group = linked["root"]
        assert isinstance(group[FIELD], CalibratedDataset)
        assert isinstance(group.file[FIELD], CalibratedDataset)
        assert group.file.filename == str(attached.master)
        assert group.parent == group
        assert linked["root/entry"].parent.name == "/"
        assert linked["entry/instrument"].parent["instrument/detector/data"].dtype == np.float32
        assert linked.file.filename == str(other)
        assert not list(linked.formulas())


def test_links_do_not_depend_on_the_working_directory(
    attached: Demonstration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(attached.folder)
    with nxformula.open("run.nxs") as file:
        assert file.filename == "run.nxs"
        monkeypatch.chdir(tmp_path)
        assert file[FIELD][0].shape == (64, 128)


# When a field is calibrated and when not


def test_an_applied_formula_is_not_applied_again(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        file[f"{GROUP}/applied"][()] = True

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert type(file[FIELD]) is h5py.Dataset
        assert file[FIELD].dtype == np.uint16
        assert list(file.formulas()) == []
        with pytest.raises(nxformula.NoFormulaError, match="no field with a formula"):
            file.only_formula()


@pytest.mark.parametrize("value", ["yes", np.zeros(3, bool), 0.5])
def test_applied_is_one_boolean(attached: Demonstration, value: Any) -> None:
    def change(file: Any) -> None:
        del file[f"{GROUP}/applied"]
        file[f"{GROUP}/applied"] = value

    edit(attached.master, change)
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(nxformula.FileError, match=r"applied in .* is not one boolean"),
    ):
        file[FIELD]


@pytest.mark.parametrize("value", [np.int8(0), np.array([False]), np.uint64(0)])
def test_applied_however_it_is_written(attached: Demonstration, value: Any) -> None:
    def change(file: Any) -> None:
        del file[f"{GROUP}/applied"]
        file[f"{GROUP}/applied"] = value

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert isinstance(file[FIELD], CalibratedDataset)


def test_a_group_without_a_language_is_no_formula(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        del file[GROUP].attrs[names.FORMULA_LANGUAGE]

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert type(file[FIELD]) is h5py.Dataset


def test_a_dataset_of_that_name_is_no_formula(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        del file[GROUP]
        file[GROUP] = 1
        file[GROUP].attrs[names.FORMULA_LANGUAGE] = names.LANGUAGE

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert type(file[FIELD]) is h5py.Dataset


@pytest.mark.parametrize("language", ["nxformula-2", "python", "nxformula-1 "])
def test_an_unknown_language_is_refused(attached: Demonstration, language: str) -> None:
    def change(file: Any) -> None:
        file[GROUP].attrs[names.FORMULA_LANGUAGE] = language

    edit(attached.master, change)
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(nxformula.VersionError, match="this release knows 'nxformula-1'"),
    ):
        file[FIELD]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        (names.FORMULA, 3, nxformula.FileError),
        (names.FORMULA, None, nxformula.FileError),
        (names.FORMULA, "data *", nxformula.FormulaSyntaxError),
        (names.FORMULA, "dat * 2", nxformula.UnknownNameError),
        (names.FORMULA_DTYPE, "complex64", nxformula.FormulaTypeError),
        (names.FORMULA_DTYPE, None, nxformula.FileError),
        (names.FORMULA_AXES, None, nxformula.DimensionError),
        (names.FORMULA_AXES, ["frame", "slow", "fa st"], nxformula.DimensionError),
        (names.FORMULA_AXES, [1, 2, 3], nxformula.DimensionError),
        (names.FORMULA_AXES, ["frame", "slow"], nxformula.DimensionError),
        ("pedestal_axes", None, nxformula.DimensionError),
        ("pedestal_axes", ["stage", "slow"], nxformula.DimensionError),
        ("pedestal_axes", ["stage", "fast", "slow"], nxformula.DimensionError),
        (names.FORMULA_LANGUAGE, h5py.Empty("f4"), nxformula.FileError),
    ],
)
def test_what_a_group_lacks_is_said(
    attached: Demonstration, name: str, value: Any, error: type[Exception]
) -> None:
    def change(file: Any) -> None:
        del file[GROUP].attrs[name]
        if value is not None:
            file[GROUP].attrs[name] = value

    edit(attached.master, change)
    with nxformula.open(attached.master) as file, pytest.raises(error):
        file[FIELD]


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.encode(),
        np.bytes_,
        lambda text: np.array([text], h5py.string_dtype()),
        lambda text: np.array([text.encode()]),
        lambda text: np.array(text.encode(), h5py.string_dtype("ascii", 4 + len(text))),
    ],
    ids=["bytes", "fixed", "array", "fixed array", "padded"],
)
def test_attributes_however_they_are_written(
    attached: Demonstration, write: Callable[[str], Any]
) -> None:
    with nxformula.open(attached.master) as file:
        expected = file[FIELD][0].tobytes()

    def change(file: Any) -> None:
        attributes = file[GROUP].attrs
        for name, value in dict(attributes).items():
            if isinstance(value, str):
                attributes[name] = write(value)
            else:
                attributes[name] = np.array([item.encode() for item in value])

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        images = file[FIELD]
        assert images.units == "keV"
        assert images.results == ("stage",)
        assert images.axes == ("frame", "slow", "fast")
        assert images[0].tobytes() == expected


def test_more_than_one_formula_must_be_named(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        file.copy(file[DETECTOR], "entry/instrument/second")
        for name in ("second", "detector"):
            group = file[f"entry/instrument/{name}/data_formula"]
            del group["data"]
            group["data"] = h5py.SoftLink(f"/entry/instrument/{name}/data")

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        found = sorted(field.name for field in file.formulas())
        assert found == [FIELD, "/entry/instrument/second/data"]
        with pytest.raises(nxformula.NoFormulaError, match="2 fields with a formula; name one"):
            file.only_formula()


def test_a_formula_without_its_field_is_said(attached: Demonstration) -> None:
    def change(file: Any) -> None:
        del file[FIELD]

    edit(attached.master, change)
    with nxformula.open(attached.master) as file:
        assert FIELD not in file
        with pytest.raises(nxformula.MissingSourceError, match="which does not exist"):
            file.only_formula()


# Pickling


def test_a_calibrated_field_is_pickled_by_path(
    attached: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(attached.folder)
    with nxformula.open("run.nxs") as file:
        images = file["entry/data/data"]
        frame, stage = images[1], images.result("stage")[1]
        pickled = pickle.dumps((images, images.result("stage")))
    monkeypatch.chdir("/")
    again, again_stage = pickle.loads(pickled)
    assert again.name == "/entry/data/data"
    assert again[1].tobytes() == frame.tobytes()
    assert again_stage[1].tobytes() == stage.tobytes()
    again.file.close()
    again_stage.file.close()


def test_pickling_keeps_the_allowed_folders(
    attached: Demonstration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    attached.stack.rename(tmp_path / "elsewhere" / "run_data.h5")

    def change(file: Any) -> None:
        del file[FIELD]
        file[FIELD] = h5py.ExternalLink("../elsewhere/run_data.h5", "/data")

    edit(attached.master, change)
    monkeypatch.chdir(tmp_path)
    with nxformula.open(attached.master, allow=["elsewhere"]) as file:
        pickled = pickle.dumps(file[FIELD])
    monkeypatch.chdir("/")
    again = pickle.loads(pickled)
    assert again[0].shape == (64, 128)
    again.file.close()


def test_unpickling_what_is_no_longer_calibrated(attached: Demonstration) -> None:
    with nxformula.open(attached.master) as file:
        pickled = pickle.dumps(file[FIELD])
    edit(attached.master, lambda file: file[f"{GROUP}/applied"].write_direct(np.array(True)))
    with pytest.raises(nxformula.NoFormulaError, match="no formula to evaluate"):
        pickle.loads(pickled)


def test_groups_cannot_be_pickled_as_in_h5py(attached: Demonstration) -> None:
    with (
        nxformula.open(attached.master) as file,
        pytest.raises(TypeError, match="h5py objects cannot be pickled"),
    ):
        pickle.dumps(file["entry"])
