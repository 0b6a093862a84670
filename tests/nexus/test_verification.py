"""`nxformula show --verify`: constants that changed after a formula was attached."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest

import nxformula
from nxformula.cli import main
from nxformula.masters.demonstration import Demonstration


def shown(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = main(["show", str(path), "--verify", *options])
    return code, capsys.readouterr().out


def test_constants_that_are_the_same(
    attached: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = shown(attached.master, capsys)
    assert code == 0
    assert "checksum of pedestal: same\nchecksum of gain: same" in printed or (
        "checksum of gain: same\nchecksum of pedestal: same" in printed
    )


def test_one_number_that_changed(
    attached: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    with h5py.File(attached.gain, "r+") as file:
        file["gain"][1, 2, 3] += 1
    code, printed = shown(attached.master, capsys)
    assert code == 1
    assert "checksum of gain: CHANGED since the formula was attached" in printed
    assert "checksum of pedestal: same" in printed
    code, printed = shown(attached.master, capsys, "--json")
    assert code == 1
    assert json.loads(printed)[0]["checksums"] == {"pedestal": True, "gain": False}


def test_a_calibrated_file_can_be_verified_too(
    attached: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    output = attached.folder / "calibrated.nxs"
    nxformula.calibrate(attached.master, output)
    assert shown(output, capsys)[0] == 0
    with h5py.File(attached.pedestal, "r+") as file:
        file["pedestal"][0, 0, 0] += 1
    code, printed = shown(output, capsys)
    assert code == 1
    assert "checksum of pedestal: CHANGED" in printed


def test_constants_that_are_gone(
    attached: Demonstration, capsys: pytest.CaptureFixture[str]
) -> None:
    output = attached.folder / "calibrated.nxs"
    nxformula.calibrate(attached.master, output)
    attached.gain.unlink()
    assert main(["show", str(output), "--verify"]) == 2
    assert "there is no such file" in capsys.readouterr().err
