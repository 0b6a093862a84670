"""Shared by all tests and by the examples in docstrings: one small demonstration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.masters.demonstration import FORMULA, Demonstration, write_demonstration

#: Frames, slow and fast pixels: small enough that every test can copy the files.
SHAPE = (4, 64, 128)


@pytest.fixture(scope="session")
def raw_demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    """A demonstration without a formula; to be copied, never to be changed."""
    return write_demonstration(tmp_path_factory.mktemp("raw"), SHAPE)


@pytest.fixture(scope="session")
def attached_demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    """A demonstration with its formula; to be copied, never to be changed."""
    made = write_demonstration(tmp_path_factory.mktemp("attached"), SHAPE)
    nxformula.attach(
        made.master,
        made.field,
        FORMULA,
        made.symbols,
        units="keV",
        results=("stage",),
        in_place=True,
    )
    return made


@pytest.fixture(autouse=True, scope="session")
def _names_in_docstrings(
    doctest_namespace: dict[str, Any],
    raw_demonstration: Demonstration,
    attached_demonstration: Demonstration,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    doctest_namespace.update(
        np=np,
        nxformula=nxformula,
        h5py=h5py,
        master=str(attached_demonstration.master),
        raw_master=str(raw_demonstration.master),
        demonstration=raw_demonstration,
        output=str(tmp_path_factory.mktemp("docstrings") / "output.nxs"),
    )


@pytest.fixture(scope="session")
def documented_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `nxformula-demo/run.nxs`, as the README's first command leaves it."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "nxformula-demo").mkdir()
    demo = write_demonstration(folder / "nxformula-demo")
    nxformula.attach(
        demo.master,
        demo.field,
        FORMULA,
        demo.symbols,
        units="keV",
        results=("stage",),
        in_place=True,
    )
    return folder


@pytest.fixture(autouse=True)
def _beside_the_documented_run(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run the examples of documents where the README's first command was run."""
    if isinstance(request.node, pytest.DoctestItem) and request.node.path.suffix == ".md":
        monkeypatch.chdir(request.getfixturevalue("documented_run"))
