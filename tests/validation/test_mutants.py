"""Single faults in valid files: told at the right place by the right rule, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import pytest
from mutants import MUTANTS

import nxformula

CASES = [(kind, label) for kind in ("scan", "stills") for label in MUTANTS]


def mutated(valid: dict[str, Path], kind: str, label: str, folder: Path) -> tuple[Path, str, str]:
    for file in valid[kind].parent.iterdir():
        shutil.copy(file, folder / file.name)
    path = folder / valid[kind].name
    with h5py.File(path, "r+") as file:
        expected = MUTANTS[label](file)
    if expected is None:
        pytest.skip("nothing in this file to which it could be done")
    return path, *expected


@pytest.mark.parametrize(("kind", "label"), CASES)
def test_a_fault_is_told_once_at_its_place(
    kind: str, label: str, valid: dict[str, Path], tmp_path: Path
) -> None:
    path, place, rules = mutated(valid, kind, label, tmp_path)
    report = nxformula.validate(path)
    told = [(finding.rule, finding.path) for finding in report]
    assert [at for rule, at in told if rule.removeprefix("NXMX-") in rules.split()] == [place], told
    assert len(told) == 1, told


@pytest.mark.parametrize("kind", ["scan", "stills"])
def test_valid_files_have_no_findings(kind: str, valid: dict[str, Path]) -> None:
    report = nxformula.validate(valid[kind])
    assert (report.status, report.findings) == ("ok", ())


def test_every_mutant_can_be_made(valid: dict[str, Path], tmp_path: Path) -> None:
    assert len(MUTANTS) >= 150
    unmade = set(MUTANTS)
    for kind in valid:
        for label in sorted(unmade):
            folder = tmp_path / kind / label
            folder.mkdir(parents=True)
            shutil.copy(valid[kind], folder)
            for file in valid[kind].parent.iterdir():
                (folder / file.name).exists() or (folder / file.name).symlink_to(file)
            with h5py.File(folder / valid[kind].name, "r+") as file:
                if MUTANTS[label](file) is not None:
                    unmade.discard(label)
    assert unmade == set()

