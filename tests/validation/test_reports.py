"""Reports in every format, and the command that prints them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import pytest
from jsonschema import Draft202012Validator

import nxformula
from nxformula._resources import resource
from nxformula.cli import main
from nxformula.validation.findings import Finding, Report
from nxformula.validation.reports import REPORTERS

ERROR = Finding(
    "NXMX-CHN-002", "error", "/entry/omega", "a circle: a -> b", "Mend it.", "depends_on", ("/b",)
)
WARNING = Finding("NXMX-ATT-001", "warning", "/entry/a,b:c", "it is 2\n100 %", "Write a share.")
INFO = Finding("NXMX-SRC-001", "info", "/entry/source/name", "unknown \x1b[2J", "Look it up.")
REPORTS = [
    Report("bad run.nxs", (ERROR, WARNING, INFO)),
    Report("good.nxs"),
    Report("lost.nxs", unreadable="lost.nxs: no such file"),
]


@pytest.fixture
def faulty(valid: dict[str, Path], tmp_path: Path) -> Path:
    """A file with an error and a warning."""
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(valid["scan"].parent, folder)
    with h5py.File(folder / "scan.nxs", "r+") as file:
        del file["entry/sample/name"]
        file["entry/instrument/attenuator/attenuator_transmission"][...] = 50.0
    return folder / "scan.nxs"


def run(*arguments: object) -> int:
    return main(["validate", *map(str, arguments)])


def test_full() -> None:
    assert (
        REPORTERS["full"](REPORTS, False)
        == """\
bad run.nxs
  /entry/omega@depends_on
    error NXMX-CHN-002: a circle: a -> b
    see /b
    Mend it.
  /entry/a,b:c
    warning NXMX-ATT-001: it is 2?100 %
    Write a share.
  /entry/source/name
    info NXMX-SRC-001: unknown ?[2J
    Look it up.
good.nxs: no findings
lost.nxs: no such file

3 files: 1 error, 1 warning, 1 info, 1 unreadable"""
    )


def test_concise() -> None:
    assert REPORTERS["concise"](REPORTS, False).splitlines() == [
        "bad run.nxs:/entry/omega@depends_on: error: a circle: a -> b [NXMX-CHN-002]",
        "bad run.nxs:/entry/a,b:c: warning: it is 2?100 % [NXMX-ATT-001]",
        "bad run.nxs:/entry/source/name: info: unknown ?[2J [NXMX-SRC-001]",
        "lost.nxs: no such file [NXMX-IO-001]",
    ]


def test_colours_are_asked_for() -> None:
    assert "\x1b[31merror\x1b[0m" in REPORTERS["full"](REPORTS, True)
    for name, reporter in REPORTERS.items():
        assert "\x1b" not in reporter(REPORTS, False), name


def test_json_follows_its_schema() -> None:
    text = resource("schemas", "report", "report-1.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    document = json.loads(REPORTERS["json"](REPORTS, False))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert document["files"][0]["findings"][0]["related"] == ["/b"]
    lines = [json.loads(line) for line in REPORTERS["jsonl"](REPORTS, False).splitlines()]
    assert lines == document["files"]


def test_github_escapes_what_it_must() -> None:
    lines = REPORTERS["github"](REPORTS, False).splitlines()
    assert lines[0].startswith("::error file=bad run.nxs,title=NXMX-CHN-002::/entry/omega@")
    assert "%0A100 %25" in lines[1]
    assert lines[1].startswith("::warning ")
    assert lines[2].startswith("::notice ")
    assert lines[3] == "::error file=lost.nxs,title=NXMX-IO-001::lost.nxs: no such file"


def test_sarif_has_what_code_scanners_want() -> None:
    log = json.loads(REPORTERS["sarif"](REPORTS, False))
    assert log["version"] == "2.1.0"
    (found,) = log["runs"]
    ids = {rule["id"] for rule in found["tool"]["driver"]["rules"]}
    assert ids == {"NXMX-CHN-002", "NXMX-ATT-001", "NXMX-SRC-001", "NXMX-IO-001"}
    assert [r["level"] for r in found["results"]] == ["error", "warning", "note", "error"]
    assert {result["ruleId"] for result in found["results"]} == ids
    location = found["results"][0]["locations"][0]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "bad%20run.nxs"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "/entry/omega@depends_on"


def test_junit_has_a_case_for_each_file() -> None:
    root = ElementTree.fromstring(REPORTERS["junit"](REPORTS, False))
    assert {key: root.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    assert [case.get("name") for case in root] == [report.file for report in REPORTS]
    assert [[part.tag for part in case] for case in root] == [["failure"], [], ["error"]]


# The command


def test_exit_codes(
    faulty: Path, valid: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(valid["scan"], valid["stills"]) == 0
    assert "2 files: no findings" in capsys.readouterr().out
    assert run(faulty) == 1
    assert run(faulty, "--fail-on", "error", "--ignore", "NXMX-STR") == 0
    assert run(faulty, "--fail-on", "warning", "--ignore", "NXMX-STR") == 1
    assert run(faulty, faulty.parent / "gone.nxs") == 2
    assert "gone.nxs: no such file" in capsys.readouterr().out


def test_rules_are_chosen(faulty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str) -> list[tuple[str, str]]:
        run(faulty, "--format", "json", *arguments)
        (file,) = json.loads(capsys.readouterr().out)["files"]
        return [(finding["rule"], finding["severity"]) for finding in file["findings"]]

    both = [("NXMX-STR-001", "error"), ("NXMX-ATT-001", "warning")]
    assert told() == both
    assert told("--select", "NXMX-ATT") == both[1:]
    assert told("--ignore", "NXMX-ATT") == both[:1]
    assert told("--severity", "NXMX-ATT-001=error", "--select", "NXMX-ATT") == [
        ("NXMX-ATT-001", "error")
    ]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--select", "NXMX-XY"], "no rule begins with 'NXMX-XY'"),
        (["--severity", "NXMX-ATT"], "expected RULE=LEVEL"),
        (["--severity", "NXMX-ATT=awful"], "'awful' is no severity; expected info, warning, error"),
    ],
)
def test_wrong_usage(
    option: list[str], message: str, faulty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(faulty, *option) == 2
    assert message in capsys.readouterr().err


def test_folders_and_patterns(
    faulty: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(faulty.parent.parent)
    for name in ("run", "run/*.nxs", "**/*.nxs"):
        assert run(name, "--format", "concise") == 1
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 2
        assert all("scan.nxs:" in line for line in lines)
    assert run("nothing/*.nxs") == 2
    assert "no such file" in capsys.readouterr().out


def test_a_folder_without_masters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 2
    assert "is a folder; expected an HDF5 file" in capsys.readouterr().out


def test_configuration(
    faulty: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(faulty.parent)
    table = 'ignore = ["NXMX-STR"]\nfail-on = "warning"\nformat = "concise"\n'
    Path("pyproject.toml").write_text(f"[tool.nxformula.validate]\n{table}")
    assert run(faulty) == 1
    assert capsys.readouterr().out.count("\n") == 1
    # What is nearer goes before, and options before both.
    Path("nxformula.toml").write_text('[validate]\nselect = ["NXMX-CHN"]\n')
    assert run(faulty) == 0
    assert run(faulty, "--select", "NXMX-ATT", "--fail-on", "warning") == 1
    Path("nxformula.toml").write_text('[validate]\nselekt = ["NXMX-CHN"]\n')
    assert run(faulty) == 2
    assert "'selekt'; known are select, ignore" in capsys.readouterr().err
    Path("nxformula.toml").write_text("[validate]\nselect = 3\n")
    assert run(faulty) == 2
    Path("nxformula.toml").write_text("[validate\n")
    assert run(faulty) == 2
    assert "nxformula.toml is no TOML" in capsys.readouterr().err


def test_links_are_not_followed_when_told_so(
    valid: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "alone.nxs"
    alone.write_bytes(valid["scan"].read_bytes())
    assert run(alone) == 1
    assert "scan_meta.h5" in capsys.readouterr().out
    assert run(alone, "--no-external") == 0


def test_a_linked_folder_is_allowed(
    valid: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.nxs"
    path.write_bytes(valid["scan"].read_bytes())
    with h5py.File(path, "r+") as file:
        for name in ("data_000001", "data_000002", "data"):
            del file[f"entry/data/{name}"]
        file["entry/data/data"] = h5py.ExternalLink(str(valid["scan"]), "/entry/data/data")
        detector = file["entry/instrument/detector"]
        for name in list(detector):
            if isinstance(detector.get(name, getlink=True), h5py.ExternalLink):
                del detector[name]
    assert run(path, "--format", "concise") == 0
    assert "--allow" in capsys.readouterr().out
    assert run(path, "--format", "concise", "--allow", valid["scan"].parent) == 0
    assert "[NXMX-LNK-005]" in capsys.readouterr().out


def test_output_has_no_colour_in_a_pipe(faulty: Path) -> None:
    command = [sys.executable, "-m", "nxformula", "validate", str(faulty)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout


def test_a_fault_of_the_rules_does_not_stop_the_others(
    valid: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nxformula.validation import validate as module

    def broken(*given: Any, **named: Any) -> Report:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(module, "validate", broken)
    assert run(valid["scan"]) == 2
    assert "ZeroDivisionError in nxformula, please report it" in capsys.readouterr().out


@pytest.mark.parametrize("end", ["crash", "loop"])
def test_a_crash_of_the_library_is_told(
    end: str,
    valid: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from nxformula.cli import isolation
    from nxformula.validation import validate as module

    real = module.validate

    def fatal(path: str, **named: Any) -> Report:
        if path == str(valid["stills"]):
            return real(path, **named)
        if end == "crash":
            signal.signal(signal.SIGSEGV, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGSEGV)
        while True:
            pass

    monkeypatch.setattr(isolation, "_SECONDS", 0.2)
    monkeypatch.setattr(module, "validate", fatal)
    assert run(valid["scan"], valid["stills"]) == 2
    printed = capsys.readouterr().out
    words = {"crash": "crashed on it (SIGSEGV)", "loop": "comes to no end with it"}[end]
    assert words in printed
    assert f"{valid['stills']}: no findings" in printed


def test_the_library_takes_what_the_command_does(faulty: Path) -> None:
    report = nxformula.validate(faulty, select=["NXMX-ATT"], severity={"NXMX-ATT": "info"})
    assert [(finding.rule, finding.severity) for finding in report] == [("NXMX-ATT-001", "info")]
    assert (report.status, len(report), report.at_least("warning")) == ("findings", 1, ())
    with pytest.raises(ValueError, match="no rule begins with"):
        nxformula.validate(faulty, ignore=["CHN"])
