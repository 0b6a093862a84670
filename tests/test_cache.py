"""What is kept is taken from the user's own folder, whole and unchanged, or made anew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import nxformula
from nxformula import _cache
from nxformula.engine.llvm import machine
from nxformula.language import parser

KEY = "a" * 64


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "nxformula" / "llvm"


def test_what_is_kept_is_found(folder: Path) -> None:
    assert _cache.find("llvm", KEY) is None
    _cache.keep("llvm", KEY, b"code")
    assert _cache.find("llvm", KEY) == b"code"
    assert _cache.find("llvm", "b" * 64) is None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"x", bytes(100)])
def test_damaged_code_is_not_taken(folder: Path, content: bytes) -> None:
    _cache.keep("llvm", KEY, b"code")
    (folder / KEY).write_bytes(content)
    assert _cache.find("llvm", KEY) is None


def test_a_changed_byte_is_seen(folder: Path) -> None:
    _cache.keep("llvm", KEY, b"code")
    kept = bytearray((folder / KEY).read_bytes())
    kept[-1] ^= 1
    (folder / KEY).write_bytes(bytes(kept))
    assert _cache.find("llvm", KEY) is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o750])
def test_a_folder_that_others_see_is_not_used(folder: Path, mode: int) -> None:
    _cache.keep("llvm", KEY, b"code")
    folder.chmod(mode)
    assert _cache.find("llvm", KEY) is None
    _cache.keep("llvm", "b" * 64, b"code")
    assert [path.name for path in folder.iterdir()] == [KEY]


def test_a_file_that_others_may_write_is_not_taken(folder: Path) -> None:
    _cache.keep("llvm", KEY, b"code")
    (folder / KEY).chmod(0o666)
    assert _cache.find("llvm", KEY) is None


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    _cache.keep("llvm", KEY, b"code")
    (folder / KEY).rename(tmp_path / "elsewhere")
    (folder / KEY).symlink_to(tmp_path / "elsewhere")
    assert _cache.find("llvm", KEY) is None
    folder.rename(tmp_path / "other")
    folder.symlink_to(tmp_path / "other")
    assert _cache.find("llvm", KEY) is None


def test_a_fifo_does_not_hang(folder: Path) -> None:
    _cache.keep("llvm", KEY, b"code")
    (folder / KEY).unlink()
    os.mkfifo(folder / KEY, 0o600)
    assert _cache.find("llvm", KEY) is None


def test_relative_folders_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    _cache.keep("llvm", KEY, b"code")
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cache, "_MOST", 2)
    for number, key in enumerate("abc"):
        _cache.keep("llvm", key * 64, b"code")
        os.utime(folder / (key * 64), (number, number))
    _cache.keep("llvm", "d" * 64, b"code")
    assert sorted(path.name[0] for path in folder.iterdir()) == ["c", "d"]


def test_code_from_the_folder_gives_the_same_values(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    symbols = {"x": (("i",), np.arange(100.0)), "y": (("i",), np.full(100, 0.1))}

    def values() -> bytes:
        machine.machine_code.cache_clear()
        return nxformula.evaluate(
            "x * y - 3 / (x + 1)", symbols, axes=("i",), backend="fast"
        ).tobytes()

    first = values()
    (made,) = folder.iterdir()
    monkeypatch.setattr(machine, "_compiled", lambda text: pytest.fail("made again"))
    assert values() == first
    made.unlink()
    monkeypatch.undo()
    assert values() == first


def test_tables_from_the_folder_parse_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "let a = x >> 2; where(a > 3, t[a, else = 0] ** -2, choose(a, 1, .5e3))"

    def parsed() -> list[object]:
        parser._parser.cache_clear()
        return [(type(node).__name__, node.span) for node in parser.parse(text).nodes]

    first = parsed()
    (made,) = (folder.parent / "grammar").iterdir()
    assert parsed() == first
    made.write_bytes(b"damaged")
    assert parsed() == first
    made.unlink()
    made.mkdir()
    assert parsed() == first
    monkeypatch.setenv("XDG_CACHE_HOME", "/nowhere")
    assert parsed() == first
    parser._parser.cache_clear()
