"""Another program's answers to conformance vectors, as `grammar/README.md` describes it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from nxformula.engine.strict_json import parse_json
from nxformula.engine.vectors import Answer, Vector, question


def ask(command: str, vectors: Sequence[Vector], timeout: float) -> dict[str, Answer]:
    """Give vectors to a program, one a line, and read its answers.

    Parameters
    ----------
    command : str
        The program and its arguments, split as a shell would; no shell is involved.
    vectors : sequence of mapping
        The vectors; what must come of them is not passed on.
    timeout : float
        Seconds after which the program is ended; what it answered until then counts.

    Returns
    -------
    dict of mapping
        Answers by the name of the vector. A program may leave vectors unanswered.

    Raises
    ------
    ValueError
        The command is empty, or a line of the output is no answer to any of the vectors.
    OSError
        The program cannot be started.
    """
    words = shlex.split(command)
    if not words:
        raise ValueError("the adapter's command is empty")
    lines = "".join(json.dumps(question(vector)) + "\n" for vector in vectors)
    names = {vector["name"] for vector in vectors}
    return _answers(_output(words, lines.encode("ascii"), timeout), names)


def _output(words: Sequence[str], given: bytes, timeout: float) -> bytes:
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as program:
        try:
            return program.communicate(given, timeout)[0]
        except subprocess.TimeoutExpired:
            _end(program)
            whole, newline, _ = program.communicate()[0].rpartition(b"\n")
            return whole + newline
        except BaseException:
            _end(program)
            raise


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program and what it started: its session is its own."""
    if hasattr(os, "killpg"):
        os.killpg(program.pid, signal.SIGKILL)
    else:
        program.kill()


def _answers(output: bytes, names: set[str]) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    for number, line in enumerate(output.splitlines(), 1):
        if not line.strip():
            continue
        answer = _answer(line, number)
        name = answer["name"]
        if name not in names:
            raise ValueError(f"line {number} of the adapter answers {name!r}, which was not asked")
        if name in found:
            raise ValueError(f"line {number} of the adapter answers {name!r} again")
        found[name] = answer
    return found


def _answer(line: bytes, number: int) -> Mapping[str, Any]:
    try:
        answer = parse_json(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("name"), str):
        shown = line[:80].decode("ascii", "backslashreplace").strip()
        raise ValueError(
            f"line {number} of the adapter is {shown!r}; expected a JSON object with a 'name'"
        )
    return answer
