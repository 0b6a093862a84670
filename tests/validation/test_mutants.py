"""Single faults in valid files: told at the right place by the right rule, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import pytest
from mutants import MUTANTS, Mutant

import nxformula
from nxformula.masters.demonstration import Demonstration


def copied(valid: Path, folder: Path) -> Path:
    """A copy of a master with what it links."""
    shutil.copytree(valid.parent, folder)
    return folder / valid.name


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_fault_is_told_once_at_its_place(
    mutant: Mutant, valid: dict[str, Path], tmp_path: Path
) -> None:
    made = 0
    for kind, master in valid.items():
        path = copied(master, tmp_path / kind)
        with h5py.File(path, "r+") as file:
            expected = mutant(file)
        if expected is None:
            continue
        made += 1
        place, rules = expected
        told = [(finding.rule, finding.path) for finding in nxformula.validate(path)]
        assert len(told) == 1, (kind, told)
        assert told[0][0].removeprefix("NXMX-") in rules.split(), (kind, told)
        assert told[0][1] == place, kind
    assert made, "no file has anything to which it could be done"


def test_there_are_many_mutants() -> None:
    assert len(MUTANTS) >= 150


@pytest.mark.parametrize("kind", ["scan", "stills"])
def test_valid_files_have_no_findings(kind: str, valid: dict[str, Path]) -> None:
    report = nxformula.validate(valid[kind])
    assert (report.status, report.findings) == ("ok", ())


def test_what_this_package_writes(attached: Demonstration, tmp_path: Path) -> None:
    """The demonstration does not say where its detector saturates, nor where it was made."""
    nxformula.calibrate(attached.master, tmp_path / "calibrated.nxs")
    for path in (attached.master, tmp_path / "calibrated.nxs"):
        told = {finding.rule for finding in nxformula.validate(path)}
        assert told == {"NXMX-DET-005", "NXMX-SRC-001"}
