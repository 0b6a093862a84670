"""The metadata tree: whatever is in a file, it is read once, in bounds, and without harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nxformula
from nxformula.cli import main
from nxformula.nexus.metadata import reader
from nxformula.nexus.metadata.json_tree import from_json, to_json
from nxformula.nexus.metadata.nodes import Broken, Field, Group, summarize, walk
from nxformula.nexus.metadata.reader import MetadataFile


def tree_of(path: Path, **options: Any) -> Group:
    with MetadataFile(path, **options) as file:
        return file.root


def field_of(group: Group, path: str) -> Field:
    *way, name = path.split("/")
    for step in way:
        found = group.group(step)
        assert found is not None
        group = found
    field = group.field(name)
    assert field is not None
    return field


def test_texts_of_every_kind_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    utf8, ascii_ = h5py.string_dtype("utf-8"), h5py.string_dtype("ascii")
    with h5py.File(path, "w") as file:
        group = file.create_group("entry")
        for number, (value, dtype) in enumerate(
            [
                ("NXmx", utf8),
                ("NXmx", ascii_),
                (np.bytes_("NXmx"), None),
                ("NXmx", h5py.string_dtype("utf-8", 8)),
                ("NXmx", h5py.string_dtype("ascii", 4)),
            ]
        ):
            group.create_dataset(f"f{number}", data=value, dtype=dtype)
            group.attrs.create(f"a{number}", value, dtype=dtype)
        group.attrs["list"] = [b"NXmx"]
        group.attrs["empty"] = h5py.Empty("f4")
        group.attrs["bad"] = np.bytes_(b"\xff\xfe")
        group.attrs["reference"] = group.ref
    entry = tree_of(path).group("entry")
    assert entry is not None
    assert [field_of(entry, f"f{k}").words for k in range(5)] == ["NXmx"] * 5
    assert [entry.text(f"a{k}") for k in range(5)] == ["NXmx"] * 5
    assert entry.attributes["list"] == ["NXmx"]
    assert entry.attributes["empty"] is None
    assert entry.text("bad") == "\ufffd\ufffd"
    assert entry.attributes["reference"] is None


def test_links_are_followed_and_kept(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["inner/x"] = 3.0
        file["inner/again"] = h5py.SoftLink("x")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry/hard"] = 1.0
        file["entry/same"] = file["entry/hard"]
        file["entry/soft"] = h5py.SoftLink("hard")
        file["entry/external"] = h5py.ExternalLink("other.h5", "/inner")
        file["entry/dangling"] = h5py.SoftLink("/nowhere")
        file["entry/gone"] = h5py.ExternalLink("gone.h5", "/x")
        file["entry/outside"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["entry/loop"] = h5py.SoftLink("loop")
    root = tree_of(path)
    assert field_of(root, "entry/soft").scalar == 1
    assert field_of(root, "entry/same").same_as == "/entry/hard"
    assert field_of(root, "entry/external/x").path == "/entry/external/x"
    assert field_of(root, "entry/external/again").scalar == 3
    broken = {node.name: node.kind for node in walk(root) if isinstance(node, Broken)}
    assert broken == {
        "dangling": "missing",
        "gone": "missing file",
        "outside": "forbidden",
        "loop": "cycle",
    }
    kept = tree_of(path, external=False)
    assert {n.name: n.kind for n in walk(kept) if isinstance(n, Broken)}["external"] == (
        "not followed"
    )


def test_groups_in_a_circle_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        group = file.create_group("a/b/c")
        group["top"] = file["a"]
        group["soft"] = h5py.SoftLink("/a")
        group["self"] = h5py.ExternalLink("a.h5", "/")
    root = tree_of(path)
    assert len(list(walk(root))) < 10
    assert len(json.dumps(to_json(root))) < 2000


def test_a_ladder_of_groups_does_not_grow(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        here = file.create_group("g0")
        for k in range(60):
            following = here.create_group("left")
            here["right"] = following
            here = following
            assert k < 60
    assert len(list(walk(tree_of(path)))) < 200


def test_thousands_of_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for k in range(5000):
            file.create_group(f"group_{k:05d}")
    assert len(list(walk(tree_of(path)))) == 5001


def test_large_fields_are_streamed(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    values = np.arange(3000 * 40, dtype="i4").reshape(3000, 40) - 5
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=values, chunks=(7, 40), compression="gzip")
    with MetadataFile(path) as file:
        field = field_of(file.root, "x")
        assert field.value is None
        known = field.statistics
        assert known is not None
        assert (known.least, known.most) == (-5, values.max())
        assert known.nonzero == np.count_nonzero(values)
        assert known.bits == int(np.bitwise_or.reduce(values.reshape(-1))) & 0xFFFFFFFF


def test_sizes_that_are_only_declared_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (1 << 20, 1 << 20), "f8", chunks=(1, 1024))
        file.create_dataset("text", (1 << 30,), h5py.string_dtype("ascii", 100), chunks=(1024,))
        file["big"] = h5py.Empty("f8")
    with MetadataFile(path) as file:
        assert field_of(file.root, "x").statistics is None
        assert field_of(file.root, "text").value is None
        assert field_of(file.root, "big").shape is None


def test_values_of_all_fields_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MOST_KEPT", 20_000)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        for k in range(5):
            file[f"x{k}"] = np.full(1000, k, "f8")
    with MetadataFile(path) as file:
        fields = [field_of(file.root, f"x{k}") for k in range(5)]
        assert [field.value is not None for field in fields] == [True, True, False, False, False]
        assert [field.statistics.most for field in fields if field.statistics] == [0, 1, 2, 3, 4]


@settings(max_examples=60)
@given(
    st.recursive(
        st.one_of(
            st.text(max_size=5),
            st.integers(-5, 5),
            st.floats(),
            st.lists(st.one_of(st.floats(), st.text(max_size=3)), max_size=3),
        ),
        lambda inner: st.dictionaries(
            st.text(st.characters(categories=["L"]), min_size=1, max_size=3), inner, max_size=4
        ),
        max_leaves=20,
    ).filter(lambda value: isinstance(value, dict))
)
def test_trees_survive_json(content: Any) -> None:
    def grow(path: str, value: Any) -> Any:
        if isinstance(value, dict):
            members = {name: grow(f"{path}/{name}", item) for name, item in value.items()}
            return Group(path or "/", {}, None, members)
        if isinstance(value, float):
            return Field(path, {"a": value, "NaN": "NaN"}, value=np.float64(value))
        return Field(path, {"a": value}, dtype="string", value="x")

    document = to_json(grow("", content))
    text = json.dumps(document, allow_nan=False)
    assert to_json(from_json(json.loads(text))) == document


@given(st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=6), max_size=5))
def test_statistics_are_those_of_all_values(blocks: list[list[int]]) -> None:
    arrays = [np.array(block, np.int32) for block in blocks]
    whole = np.concatenate([*arrays, np.array([], np.int32)])
    found = summarize(arrays)
    assert found is not None
    assert (found.finite, found.nonzero) == (whole.size, np.count_nonzero(whole))
    if whole.size:
        assert (found.least, found.most) == (whole.min(), whole.max())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"kind": "field"},
        {"kind": "group", "members": {"a": {"kind": "group", "same_as": "/b"}}},
    ],
)
def test_what_is_no_tree(document: Any) -> None:
    with pytest.raises(ValueError, match="not a metadata tree"):
        from_json(document)


def test_the_command_prints_the_tree(
    valid: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tree", str(valid["scan"])]) == 0
    document = json.loads(capsys.readouterr().out)
    root = from_json(document)
    assert field_of(root, "entry/definition").words == "NXmx"
    assert field_of(root, "entry/sample/transformations/omega").numbers("vector").tolist() == [
        -1,
        0,
        0,
    ]


# Files that cannot be read


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(600)])
def test_files_of_another_kind(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.nxs"
    path.write_bytes(content)
    report = nxformula.validate(path)
    assert report.status == "unreadable"
    assert report.unreadable is not None
    assert str(path) in report.unreadable
    assert "\n" not in report.unreadable


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    assert "is a folder" in str(nxformula.validate(tmp_path).unreadable)
    assert "no such file" in str(nxformula.validate(tmp_path / "a.nxs").unreadable)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.nxs"
    path.write_bytes(b"x")
    path.chmod(0)
    assert "no permission" in str(nxformula.validate(path).unreadable)


CUTS = [0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99]


@pytest.mark.parametrize("kind", ["scan", "stills"])
def test_cut_and_damaged_files_end_in_a_sentence(
    kind: str, valid: dict[str, Path], tmp_path: Path
) -> None:
    """In another process: HDF5 itself may crash on what is damaged."""
    content = valid[kind].read_bytes()
    random = np.random.default_rng(11)
    for number, share in enumerate(CUTS):
        (tmp_path / f"cut_{number}.nxs").write_bytes(content[: int(share * len(content))])
    for number in range(25):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 20):
            damaged[place] = int(random.integers(0, 256))
        (tmp_path / f"damaged_{number:02d}.nxs").write_bytes(damaged)
    command = [sys.executable, "-m", "nxformula", "validate", "--format", "json", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    files = json.loads(done.stdout)["files"]
    assert len(files) == len(CUTS) + 25
    assert all(f["status"] == "unreadable" for f in files if "/cut_" in f["file"])
