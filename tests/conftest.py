"""Fresh copies of the demonstration for tests that change files."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from nxformula.masters.demonstration import Demonstration


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
