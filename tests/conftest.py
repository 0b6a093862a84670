"""Helper packages of tests, and fresh copies of the demonstration for tests that change files."""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nxformula.engine import backends
from nxformula.masters.demonstration import Demonstration

#: Programs to run by hand, with a tool that tests do not need.
collect_ignore = ["fuzz"]


def _import_package(folder: Path, name: str) -> None:
    """Import a folder of helpers: pytest in importlib mode does not put this folder on the path."""
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


_import_package(Path(__file__).with_name("oracle"), "oracle")
_import_package(Path(__file__).parent / "engine" / "formulas", "formulas")
_import_package(Path(__file__).parent / "language" / "symbolic" / "sampling", "sampling")


def _copy(made: Demonstration, folder: Path) -> Demonstration:
    folder.mkdir()
    names = ("master", "stack", "pedestal", "gain")
    paths = {name: folder / getattr(made, name).name for name in names}
    for name, path in paths.items():
        shutil.copy(getattr(made, name), path)
    return dataclasses.replace(made, folder=folder, **paths)


@pytest.fixture
def demonstration(raw_demonstration: Demonstration, tmp_path: Path) -> Demonstration:
    """A raw stack, constants and a master without a formula, in a folder of their own."""
    return _copy(raw_demonstration, tmp_path / "demonstration")


@pytest.fixture
def attached(attached_demonstration: Demonstration, tmp_path: Path) -> Demonstration:
    """The same with the formula in the master; `stage` is one of its results."""
    return _copy(attached_demonstration, tmp_path / "attached")


@pytest.fixture(autouse=True, scope="session")
def _cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Machine code that tests make stays out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(params=["numpy", "fast"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What evaluates formulas for which no backend is asked for."""
    elements = 1 << 60 if request.param == "numpy" else 0
    monkeypatch.setattr(backends, "_REPAID", elements)
    return str(request.param)
