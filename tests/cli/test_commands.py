"""The commands as a user meets them: output, messages, exit codes, and what is left on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import nxformula
from nxformula.cli import COMMANDS, main
from nxformula.masters.demonstration import FORMULA, Demonstration

Output = pytest.CaptureFixture[str]


def refused(capsys: Output, code: int, *arguments: object) -> str:
    """Run a command that must fail; return its one message."""
    assert main([str(argument) for argument in arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("nxformula: ")
    assert "Traceback" not in printed.err
    message = printed.err.removeprefix("nxformula: ")
    assert len(message.splitlines()[0]) < 400
    return message


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_help_has_an_example(command: object, capsys: Output) -> None:
    name: str = command.NAME  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"nxformula {name}" in capsys.readouterr().out.partition("example:")[2]


def test_usage_error_is_2(capsys: Output) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["calibrate"])
    assert ended.value.code == 2


def test_module_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nxformula", "check", "1 +"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[1:] == ["    1 +", "       ^"]


def test_output_to_a_closed_pipe(attached: Demonstration) -> None:
    command = f"{sys.executable} -m nxformula show {attached.master} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


class TestCheck:
    def test_fine(self, capsys: Output) -> None:
        code = main(["check", FORMULA, *symbols()])
        assert code == 0
        expected = (
            "fine: real as float32[frame, slow, fast] in keV; "
            "7 operations and 10 bytes read per element\n"
        )
        assert capsys.readouterr().out == expected

    def test_units_that_stay_open(self, capsys: Output) -> None:
        assert main(["check", "data / 2", "--units", "keV", *symbols()]) == 0
        expected = "fine: real as float32[frame, slow, fast] in keV (not checked: symbols without "
        assert capsys.readouterr().out.startswith(f"{expected}units leave it open); ")

    @pytest.mark.parametrize(
        ("formula", "more", "expected"),
        [
            ("data / 2", [], "[frame, slow, fast]; "),
            ("data * gain[0] / gain[1]", [], "[frame, slow, fast]; "),
            ("gain[0] / gain[1] + data", ["--units", ""], "[frame, slow, fast] without unit; "),
            ("data > 0", ["--dtype", "bool", "--units", "1"], "[frame, slow, fast]; "),
        ],
    )
    def test_units_in_words(
        self, formula: str, more: list[str], expected: str, capsys: Output
    ) -> None:
        assert main(["check", formula, *more, *symbols()]) == 0
        assert expected in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("formula", "units"), [("pedestal[0] / gain[0] + data", "keV"), ("data / 2", None)]
    )
    def test_units_in_json(self, formula: str, units: str | None, capsys: Output) -> None:
        assert main(["check", formula, "--json", *symbols()]) == 0
        assert json.loads(capsys.readouterr().out)["units"] == units

    def test_units_other_than_declared(self, capsys: Output) -> None:
        message = refused(capsys, 1, "check", FORMULA, "--units", "eV", *symbols())
        first, _, carets = message.splitlines()
        assert first.startswith("unit error at line 4, column 28: the result is in keV, ")
        assert carets.index("^") == 4 + 27

    def test_json(self, capsys: Output) -> None:
        assert main(["check", "data >> 14", "--dtype", "uint8", "--json", *symbols()]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["type"] == "integer in [0, 3]"
        assert found["axes"] == ["frame", "slow", "fast"]

    def test_json_of_a_refusal(self, capsys: Output) -> None:
        assert main(["check", "data +\n pedestl", "--json", *symbols()]) == 1
        found = json.loads(capsys.readouterr().out)
        assert (found["ok"], found["kind"]) == (False, "unknown-name")
        assert (found["line"], found["column"]) == (2, 2)

    def test_file_and_standard_input(
        self, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "jungfrau.nxf"
        path.write_text(FORMULA)
        assert main(["check", str(path)]) == 0
        assert "data, pedestal, gain" in capsys.readouterr().out
        with path.open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            assert main(["check", "-"]) == 0

    def test_declaration_of_another_form(self, capsys: Output) -> None:
        assert "NAME:DTYPE" in refused(capsys, 2, "check", "data", "--symbol", "data=3")


def symbols() -> list[str]:
    return [
        "--symbol",
        "data:uint16[frame,slow,fast]",
        "--symbol",
        "pedestal:float32[stage=3,slow,fast]{count}",
        "--symbol",
        "gain:float32[stage=3,slow,fast]{count/keV}",
    ]


def attach_arguments(demo: Demonstration, *more: object) -> list[str]:
    given = [str(part) for symbol in demo.symbols for part in ("--symbol", symbol)]
    field = ["--field", demo.field, "--formula", FORMULA, "--units", "keV"]
    return ["attach", str(demo.master), *field, *given, *(str(part) for part in more)]


class TestAttach:
    def test_new_file(self, demonstration: Demonstration, tmp_path: Path, capsys: Output) -> None:
        output = tmp_path / "demonstration" / "new.nxs"
        before = listing(demonstration.folder)
        assert main(attach_arguments(demonstration, "--output", output)) == 0
        group = f"{demonstration.field}_formula"
        assert capsys.readouterr().out == f"wrote {group} in {output}\n"
        after = listing(demonstration.folder)
        assert after.pop(str(output))
        assert after == before

    def test_formula_from_a_file(self, demonstration: Demonstration, tmp_path: Path) -> None:
        path = tmp_path / "f.nxf"
        path.write_text(FORMULA)
        arguments = attach_arguments(demonstration, "--in-place")
        at = arguments.index("--formula")
        arguments[at : at + 2] = ["--formula-file", str(path)]
        assert main(arguments) == 0
        with nxformula.open(demonstration.master) as file:
            assert file.only_formula().formula == FORMULA

    @pytest.mark.parametrize(
        ("change", "code", "message"),
        [
            (("pedestal=", "pedestl="), 1, "'pedestl' is given, and the formula does not use it"),
            (("[stage,slow,fast]{count/keV}", "[stage,fast,slow]"), 1, "length"),
            (("[stage,slow,fast]{count/keV}", "[slow,fast]"), 1, "2 names"),
            (("[stage,slow,fast]{count/keV}", ""), 1, "gain_axes"),
            ((":/gain[", ":/gians["), 2, "no /gians in"),
            (("gain.h5", "gone.h5"), 2, "no such file"),
            (("gain=", "gain:"), 2, "NAME=FILE:/PATH"),
            (
                ("{count/keV}", "{count/eV}"),
                1,
                "the result is in eV, declared is keV, which differ",
            ),
            (
                ("{count}", "{electron}"),
                1,
                "the result is in electron*keV/count, declared is keV; ",
            ),
            (("{count}", "{e-}"), 1, "units of 'pedestal': cannot read the unit 'e-'"),
        ],
        ids=[
            *("unused", "order", "rank", "no axes", "no dataset", "no file", "form"),
            *("result's units", "units", "unknown units"),
        ],
    )
    def test_refused_and_nothing_changed(
        self,
        demonstration: Demonstration,
        change: tuple[str, str],
        code: int,
        message: str,
        capsys: Output,
    ) -> None:
        before = listing(demonstration.folder)
        arguments = [a.replace(*change) for a in attach_arguments(demonstration, "--in-place")]
        assert message in refused(capsys, code, *arguments)
        assert listing(demonstration.folder) == before

    def test_constants_elsewhere(
        self, demonstration: Demonstration, tmp_path: Path, capsys: Output
    ) -> None:
        elsewhere = tmp_path / "constants"
        elsewhere.mkdir()
        os.rename(demonstration.gain, elsewhere / "gain.h5")
        arguments = [
            a.replace(str(demonstration.gain), str(elsewhere / "gain.h5"))
            for a in attach_arguments(demonstration, "--in-place")
        ]
        assert f"--allow {elsewhere}" in refused(capsys, 2, *arguments)
        assert main([*arguments, "--allow", str(elsewhere)]) == 0
        assert f"to read it, add --allow {elsewhere}" in capsys.readouterr().out
        assert f"--allow {elsewhere}" in refused(capsys, 2, "show", demonstration.master)
        assert main(["show", str(demonstration.master), "--allow", str(elsewhere)]) == 0

    def test_existing_output(self, demonstration: Demonstration, capsys: Output) -> None:
        output = demonstration.folder / "there.nxs"
        output.write_text("mine")
        arguments = attach_arguments(demonstration, "--output", output)
        assert "--force" in refused(capsys, 2, *arguments)
        assert output.read_text() == "mine"
        assert main([*arguments, "--force"]) == 0
        with nxformula.open(output) as file:
            assert file.only_formula().units == "keV"


class TestShow:
    def test_json(self, attached: Demonstration, capsys: Output) -> None:
        assert main(["show", str(attached.master), "--json"]) == 0
        (found,) = json.loads(capsys.readouterr().out)
        assert found["field"] == attached.field
        assert found["units"] == "keV"
        gain = next(symbol for symbol in found["symbols"] if symbol["name"] == "gain")
        assert gain["file"] == str(attached.gain)
        assert gain["axes"] == ["stage", "slow", "fast"]

    def test_applied(self, attached: Demonstration, capsys: Output) -> None:
        output = attached.folder / "calibrated.nxs"
        assert main(["calibrate", str(attached.master), "--output", str(output)]) == 0
        assert main(["show", str(output)]) == 0
        assert "applied: the field holds calibrated values" in capsys.readouterr().out

    def test_of_a_field(self, attached: Demonstration, capsys: Output) -> None:
        assert main(["show", str(attached.master), "/entry/data/data"]) == 0
        assert capsys.readouterr().out.startswith("/entry/data/data -> float32[frame=4")


UNUSABLE = {
    "missing": "no such file",
    "folder": "is a folder",
    "text": "not an HDF5 file",
    "empty": "not an HDF5 file",
    "truncated": "truncated",
}


@pytest.fixture(params=UNUSABLE, name="unusable")
def _unusable(
    request: pytest.FixtureRequest, attached: Demonstration, tmp_path: Path
) -> tuple[Path, str]:
    kind: str = request.param
    path = tmp_path / f"{kind}.nxs"
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("not HDF5 " * 100)
    elif kind == "empty":
        path.touch()
    elif kind == "truncated":
        path.write_bytes(attached.master.read_bytes()[:-2000])
    return path, UNUSABLE[kind]


@pytest.mark.parametrize(
    "command",
    [
        ["show", "{}"],
        ["calibrate", "{}", "--output", "{}.out"],
        ["plot", "{}", "--output", "{}.png"],
        ["attach", "{}", "--field", "/data", "--formula", "data", "--output", "{}.out"],
    ],
    ids=lambda command: command[0],
)
def test_unusable_files(unusable: tuple[Path, str], command: list[str], capsys: Output) -> None:
    path, message = unusable
    found = refused(capsys, 2, *(part.format(path) for part in command))
    assert message in found
    assert str(path) in found
    assert not list(path.parent.glob("*.out")) + list(path.parent.glob("*.part"))


@pytest.mark.parametrize("command", ["show", "calibrate", "plot"])
def test_no_formula(demonstration: Demonstration, command: str, capsys: Output) -> None:
    output = demonstration.folder / "out"
    more = [] if command == "show" else ["--output", output]
    assert "formula" in refused(capsys, 2, command, demonstration.master, *more)
    assert not output.exists()


def test_unknown_language(attached: Demonstration, capsys: Output) -> None:
    with h5py.File(attached.master, "r+") as file:
        file[f"{attached.field}_formula"].attrs["formula_language"] = "nxformula-2"
    message = refused(capsys, 1, "show", attached.master)
    assert "'nxformula-2'" in message
    assert "'nxformula-1'" in message


def test_missing_raw_file(attached: Demonstration, capsys: Output) -> None:
    attached.stack.unlink()
    message = refused(capsys, 2, "calibrate", attached.master, "--output", attached.folder / "o")
    assert str(attached.stack) in message
    assert not (attached.folder / "o").exists()


class TestCalibrate:
    def test_frames(self, attached: Demonstration) -> None:
        output = attached.folder / "two.nxs"
        arguments = ["calibrate", str(attached.master), "--output", str(output)]
        assert main([*arguments, "--frames", "1:3", "--compression", "gzip"]) == 0
        with nxformula.open(attached.master) as file, h5py.File(output) as written:
            np.testing.assert_array_equal(written[attached.field][...], file.only_formula()[1:3])

    @pytest.mark.parametrize("frames", ["3", "a:b", "0:4:0", "0:4:-1", "1:2:3:4"])
    def test_frames_of_another_form(self, frames: str, capsys: Output) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["calibrate", "run.nxs", "--output", "o", "--frames", frames])
        assert ended.value.code == 2
        assert "0:100" in capsys.readouterr().err

    def test_never_over_what_it_reads(self, attached: Demonstration, capsys: Output) -> None:
        before = listing(attached.folder)
        for path in (attached.master, attached.stack, attached.gain):
            arguments = ("calibrate", attached.master, "--output", path, "--force")
            assert "cannot be the output" in refused(capsys, 2, *arguments)
        assert listing(attached.folder) == before


class TestPlot:
    def test_picture(self, attached: Demonstration) -> None:
        output = attached.folder / "frame.png"
        assert main(["plot", str(attached.master), "--frame", "3", "--output", str(output)]) == 0
        assert output.read_bytes().startswith(b"\x89PNG")

    def test_no_such_frame(self, attached: Demonstration, capsys: Output) -> None:
        output = attached.folder / "frame.png"
        arguments = ("plot", attached.master, "--frame", "4", "--output", output)
        assert "out of range" in refused(capsys, 2, *arguments)
        assert not output.exists()

    def test_without_matplotlib(
        self, attached: Demonstration, capsys: Output, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        arguments = ("plot", attached.master, "--output", attached.folder / "frame.png")
        assert "pip install 'nxformula[plot]'" in refused(capsys, 2, *arguments)


def test_demo_refuses_to_replace(tmp_path: Path, capsys: Output) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "run.nxs").write_text("mine")
    assert "--force" in refused(capsys, 2, "demo", folder)
    assert (folder / "run.nxs").read_text() == "mine"
    assert len(list(folder.iterdir())) == 1
