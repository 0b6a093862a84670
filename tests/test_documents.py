"""The README's commands give the output that stands there; the examples run."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from nxformula.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
EXAMPLES = sorted(ROOT.glob("examples/[0-9][0-9]_*.py"))


def commands(session: str) -> list[tuple[str, str]]:
    """The commands of a session with what they print."""
    joined = re.sub(r" \\\n +", " ", session)
    parts = re.split(r"^\$ nxformula ", joined, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def test_readme_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    listed = [command for session in SESSIONS for command in commands(session)]
    assert len(listed) >= 5
    for command, expected in listed:
        main(shlex.split(command))
        printed = capsys.readouterr()
        assert printed.out + printed.err == expected, command
    assert (tmp_path / "nxformula-demo" / "frame.png").read_bytes().startswith(b"\x89PNG")


def test_readme_names_the_commands() -> None:
    from nxformula.cli import COMMANDS

    named = set(re.findall(r"^\| `nxformula (\w+)", README, re.MULTILINE))
    assert named == {command.NAME for command in COMMANDS}


def test_readme_names_the_functions() -> None:
    from nxformula.language.functions import FUNCTIONS

    line = re.search(r"Functions: `([^`]*)`", README)
    assert line is not None
    assert line.group(1).split() == list(FUNCTIONS)


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.name)
def test_example(
    script: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path / "out")])
    runpy.run_path(str(script), run_name="__main__")
    assert "bit for bit: True" in capsys.readouterr().out
    picture = tmp_path / "out" / f"{script.stem}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert (script.parent / picture.name).exists(), "the README shows the example's picture"
