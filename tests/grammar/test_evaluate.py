"""`nxformula evaluate`: through this implementation, and through other programs."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from topics.files import FOLDER, GRAMMAR

from nxformula.cli import main
from nxformula.engine.vectors import load
from nxformula.interop.adapter import ask

Output = pytest.CaptureFixture[str]
Adapter = Callable[[str], str]

LOGIC = FOLDER / "logic.json"
GROUPED = FOLDER / "grouped.json"
TOPICS = ("logic", "errors_syntax", "special_values", "dimensions", "uint64")

#: An adapter that answers with the reference implementation, in the opposite order.
REFERENCE = """
import json, sys
from nxformula.engine.vectors import answer
vectors = [json.loads(line) for line in sys.stdin]
assert all(not {"result", "error"} & set(vector) and vector["language"] for vector in vectors)
for vector in reversed(vectors):
    print(json.dumps(answer(vector)))
"""
#: An adapter that answers every vector with one line of Python.
EACH = """
import json, sys, os, time
for line in sys.stdin:
    vector = json.loads(line)
    name = vector["name"]
    {}
"""


@pytest.fixture
def adapter(tmp_path: Path) -> Adapter:
    """Writes a program and gives the command that runs it."""

    def write(text: str) -> str:
        path = tmp_path / "an adapter.py"
        path.write_text(text)
        return f"{sys.executable} '{path}'"

    return write


def answering(expression: str) -> str:
    return EACH.format(f"print(json.dumps({expression}))")


def run(capsys: Output, *arguments: object) -> tuple[int, list[str], str]:
    code = main(["evaluate", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err


def test_this_implementation(capsys: Output) -> None:
    code, lines, _ = run(capsys, LOGIC)
    count = len(load(LOGIC).vectors)
    assert code == 0
    assert lines[0] == "pass logic/and"
    assert lines[-1] == f"{count} passed, 0 failed, 0 skipped"
    assert len(lines) == count + 1


def test_all_that_is_shipped(capsys: Output) -> None:
    code, lines, _ = run(capsys, "--quiet", "--class", "core", "--class", "grouped")
    passed = int(lines[0].split()[0])
    assert (code, len(lines)) == (0, 1)
    assert passed == sum(
        len(file.vectors)
        for file in map(load, FOLDER.glob("*.json"))
        if file.conformance in ("core", "grouped")
    )


def test_a_failure(capsys: Output, tmp_path: Path) -> None:
    content = json.loads(LOGIC.read_text())
    content["vectors"][1]["result"]["values"][3] = True
    content["vectors"][-1]["error"]["column"] += 1
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(content))
    code, lines, _ = run(capsys, path, "--quiet")
    assert code == 1
    assert lines[0] == "FAIL logic/or: expected True at [3], found False"
    assert lines[1].startswith("FAIL logic/refused-negated-true: expected an error of kind type at")
    assert lines[2] == f"{len(content['vectors']) - 2} passed, 2 failed, 0 skipped"


def test_json(capsys: Output, adapter: Adapter) -> None:
    command = adapter(answering("{'name': name, 'skipped': 'later'}"))
    code, lines, _ = run(capsys, LOGIC, "--json", "--adapter", command)
    report = json.loads("\n".join(lines))
    assert code == 0
    assert report["adapter"] == command
    assert (report["passed"], report["failed"]) == (0, 0)
    assert report["skipped"] == len(report["vectors"]) == len(load(LOGIC).vectors)
    assert report["vectors"][0] == {
        "file": str(LOGIC),
        "class": "core",
        "name": "logic/and",
        "status": "skipped",
        "reason": "later",
    }


@pytest.mark.parametrize("topic", TOPICS)
def test_an_adapter_that_is_right(topic: str, capsys: Output, adapter: Adapter) -> None:
    path = FOLDER / f"{topic}.json"
    code, lines, _ = run(capsys, path, "--quiet", "--adapter", adapter(REFERENCE))
    assert (code, lines) == (0, [f"{len(load(path).vectors)} passed, 0 failed, 0 skipped"])


def test_the_adapter_of_the_readme(capsys: Output, adapter: Adapter) -> None:
    text = (GRAMMAR / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code, lines, _ = run(capsys, LOGIC, "--adapter", adapter(program))
    assert code == 0
    assert lines[0] == "skip logic/and: not implemented"


def test_the_examples_of_the_readme_follow_the_schema(tmp_path: Path) -> None:
    text = (GRAMMAR / "README.md").read_text(encoding="utf-8")
    vectors, answers = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    found = [json.loads(part) for part in vectors.split("\n\n")]
    shown = {vector["name"]: vector for vector in load(FOLDER / "integers.json").vectors}
    for vector in found:
        assert {**vector, "language": "nxformula-1"} == shown[vector["name"]]
    assert [set(json.loads(line)) - {"name"} for line in answers.splitlines()] == [
        {"values"},
        {"values", "units"},
        {"error"},
        {"accepted"},
        {"skipped"},
    ]


def test_a_checker(capsys: Output, adapter: Adapter) -> None:
    program = """
import json, sys
from nxformula.engine.vectors import answer
for line in sys.stdin:
    given = answer(json.loads(line))
    given["accepted"] = given.pop("values", None) is not None
    print(json.dumps(given))
"""
    code, lines, _ = run(capsys, LOGIC, "--adapter", adapter(program))
    assert code == 0
    assert lines[0] == "skip logic/and: accepted, not evaluated"
    assert "pass logic/refused-negated-true" in lines


@pytest.mark.parametrize(
    ("expression", "first", "last"),
    [
        ("{'name': name}", "FAIL logic/and: the answer has neither values nor error", "FAIL"),
        ("{'name': name, 'values': 3}", "FAIL logic/and: expected [True, ", "FAIL"),
        ("{'name': name, 'values': [True] * 4}", "FAIL logic/and: expected False at [1]", "FAIL"),
        ("{'name': name, 'error': {'kind': 'type'}}", "FAIL logic/and: expected values", "FAIL"),
        ("{'name': name, 'error': 3}", "FAIL logic/and: expected values, found 3", "FAIL"),
        ("{'name': name, 'accepted': True}", "skip logic/and", "FAIL"),
        ("{'name': name, 'skipped': 'no\\x1b[2J'}", "skip logic/and: no?[2J", "skip"),
    ],
)
def test_an_adapter_that_is_wrong(
    expression: str, first: str, last: str, capsys: Output, adapter: Adapter
) -> None:
    code, lines, _ = run(capsys, LOGIC, "--adapter", adapter(answering(expression)))
    assert lines[0].startswith(first)
    assert lines[-2].startswith(last)
    assert code == (0 if last == "skip" else 1)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("print('hello')", "line 1 of the adapter is 'hello'; expected a JSON object"),
        ("print('{\"name\": NaN}')", "expected a JSON object"),
        ("print('[1]')", "expected a JSON object with a 'name'"),
        ("print('{}')", "expected a JSON object with a 'name'"),
        ("print('{\"name\": 3}')", "expected a JSON object with a 'name'"),
        ("print('[' * 100000)", "expected a JSON object"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\x1b\\n')", r"is '\\xff\x1b'"),
        (answering("{'name': 'other', 'values': 1}"), "answers 'other', which was not asked"),
        (answering("{'name': 'logic/and', 'skipped': ''}"), "answers 'logic/and' again"),
    ],
)
def test_an_adapter_that_talks_nonsense(
    program: str, message: str, capsys: Output, adapter: Adapter
) -> None:
    code, lines, complaint = run(capsys, LOGIC, "--adapter", adapter(program))
    assert (code, lines) == (2, [])
    assert message in complaint
    assert complaint.isprintable() or complaint.count("\n") == 1


@pytest.mark.parametrize(
    "program",
    [
        "",
        "import sys; sys.stdin.close()",
        "import os; os._exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
def test_an_adapter_that_says_nothing(program: str, capsys: Output, adapter: Adapter) -> None:
    code, lines, _ = run(capsys, FOLDER / "limits.json", "--adapter", adapter(program))
    assert code == 1
    assert all(line.endswith(": no answer") for line in lines[:-1])


SLOW = """
import json, subprocess, sys, time
line = sys.stdin.readline()
print(json.dumps({"name": json.loads(line)["name"], "skipped": "first"}), flush=True)
print('{"name": "logic/o', end="", flush=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
time.sleep(100)
"""


def test_an_adapter_that_takes_too_long(capsys: Output, adapter: Adapter) -> None:
    started = time.monotonic()
    code, lines, _ = run(capsys, LOGIC, "--adapter", adapter(SLOW), "--timeout", "2")
    assert time.monotonic() - started < 20
    assert code == 1
    assert lines[:2] == ["skip logic/and: first", "FAIL logic/or: no answer"]


def test_no_shell_is_involved(adapter: Adapter, tmp_path: Path) -> None:
    program = "import sys; open(sys.argv[2], 'w').write(sys.argv[1])"
    command = f"{adapter(program)} '$HOME; `ls`' '{tmp_path / 'given'}' "
    assert ask(command, load(LOGIC).vectors, 60) == {}
    assert (tmp_path / "given").read_text() == "$HOME; `ls`"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "the adapter's command is empty"),
        ("no-such-program-anywhere x", "No such file or directory"),
        ("'unfinished", "No closing quotation"),
    ],
)
def test_a_command_that_cannot_be_run(command: str, message: str, capsys: Output) -> None:
    code, lines, complaint = run(capsys, LOGIC, "--adapter", command)
    assert (code, lines) == (2, [])
    assert message in complaint


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_a_time_that_is_none(seconds: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", str(LOGIC), "--timeout", seconds])
    assert ended.value.code == 2


def test_a_file_that_is_no_vector_file(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text("[]")
    code, lines, complaint = run(capsys, LOGIC, path)
    assert (code, lines) == (2, [])
    assert "bad.json is not a vector file" in complaint
    assert run(capsys, tmp_path / "missing.json")[0] == 2


def test_names_cannot_move_the_cursor(capsys: Output, tmp_path: Path) -> None:
    content = json.loads(LOGIC.read_text())
    content["vectors"][0]["name"] = "\x1b[2J\ud800"
    path = tmp_path / "names.json"
    path.write_text(json.dumps(content))
    code, lines, _ = run(capsys, path)
    assert (code, lines[0]) == (0, "pass ?[2J?")


def test_a_class_that_no_file_has(capsys: Output) -> None:
    code, lines, complaint = run(capsys, LOGIC, "--class", "grouped", "--class", "corn")
    assert (code, lines) == (2, [])
    assert "no file is of the class grouped or corn" in complaint
