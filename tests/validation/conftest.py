"""Fixtures: the two valid files, written once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import bases


@pytest.fixture(scope="session")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Valid files by kind, each in a folder with what it links."""
    made = {}
    for kind in ("scan", "stills"):
        folder = tmp_path_factory.mktemp(kind)
        made[kind] = getattr(bases, kind)(folder)
    return made
