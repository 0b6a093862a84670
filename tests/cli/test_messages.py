"""Input from the edge of what a terminal can send: one sentence, a code, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from nxformula.cli import calibrate, main
from nxformula.language import limits
from nxformula.masters.demonstration import Demonstration


def run(*arguments: str | bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, whose arguments may be any bytes."""
    command = [sys.executable, "-m", "nxformula", *arguments]
    return subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, **environment}
    )


class TestText:
    def test_description_that_is_not_utf8(self, demonstration: Demonstration) -> None:
        before = sorted(demonstration.folder.iterdir())
        arguments = ["attach", str(demonstration.master), "--field", demonstration.field]
        more = ["--formula", "data", "--in-place", "--description", b"caf\xe9"]
        done = run(*arguments, *more)
        assert done.returncode == 2
        assert done.stderr == b"nxformula: text that is not UTF-8: 'caf\\udce9'\n"
        assert sorted(demonstration.folder.iterdir()) == before

    def test_units_on_an_ascii_terminal(self, attached: Demonstration) -> None:
        with h5py.File(attached.master, "r+") as file:
            file[f"{attached.field}_formula"].attrs["formula_units"] = "Å"
        done = run("show", str(attached.master), PYTHONIOENCODING="ascii")
        assert done.returncode == 0
        assert b"in \\xc5\n" in done.stdout

    def test_nothing_from_the_file_moves_the_cursor(
        self, attached: Demonstration, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with h5py.File(attached.master, "r+") as file:
            file[f"{attached.field}_formula"].attrs["formula_units"] = "keV\x1b[2J\r\x07"
        assert main(["show", str(attached.master)]) == 0
        printed = capsys.readouterr().out
        assert "in keV?[2J??\n" in printed
        assert not set(printed) & set("\x1b\r\x07")


class TestFormulaFiles:
    def test_missing(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", str(tmp_path / "nope.nxf")]) == 2
        assert (
            capsys.readouterr().err
            == f"nxformula: {tmp_path}/nope.nxf: No such file or directory\n"
        )

    def test_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "windows.nxf"
        path.write_bytes(b"\xef\xbb\xbfdata / 2\r\n")
        assert main(["check", str(path)]) == 0

    def test_endless(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert (
            main(["attach", "x", "--field", "d", "--formula-file", "/dev/zero", "--in-place"]) == 2
        )
        assert "x: no such file" in capsys.readouterr().err

    def test_too_long(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "long.nxf"
        path.write_text("é" * (limits.TEXT + 1))
        assert main(["check", str(path)]) == 1
        assert f"the limit is {limits.TEXT}" in capsys.readouterr().err


class TestUsage:
    def test_symbol_twice(self, capsys: pytest.CaptureFixture[str]) -> None:
        declared = ["--symbol", "data:uint16[x]"]
        assert main(["check", "data", *declared, *declared]) == 2
        assert capsys.readouterr().err == "nxformula: symbol 'data' is given twice\n"

    def test_units_without_symbols(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "data * 2", "--units", "keV"]) == 2
        expected = "nxformula: --units needs --symbol: without symbols only the syntax is checked\n"
        assert capsys.readouterr().err == expected

    def test_options_are_not_guessed(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["show", "run.nxs", "--js"])
        assert ended.value.code == 2

    @pytest.mark.parametrize("command", ["show", "plot", "calibrate", "attach"])
    def test_one_wording_for_a_field_that_is_not_there(
        self, attached: Demonstration, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        output = ["--output", str(attached.folder / "new.png")]
        more = {
            "show": ["/entry/nope"],
            "attach": ["--field", "/entry/nope", "--formula", "data", *output],
        }.get(command, ["--field", "/entry/nope", *output])
        assert main([command, str(attached.master), *more]) == 2
        assert capsys.readouterr().err == f"nxformula: {attached.master} has no /entry/nope\n"

    def test_no_memory(
        self,
        attached: Demonstration,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise MemoryError("Unable to allocate 1.5 TiB")

        monkeypatch.setattr(calibrate, "calibrate", full)
        assert main(["calibrate", "a", "--output", "b"]) == 2
        assert (
            capsys.readouterr().err == "nxformula: not enough memory: Unable to allocate 1.5 TiB\n"
        )
