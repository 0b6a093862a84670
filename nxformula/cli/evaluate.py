"""`nxformula evaluate`: run the conformance vectors."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from nxformula._version import __version__
from nxformula.engine.strict_json import shown
from nxformula.engine.vectors import Outcome, Vector, VectorFile, answer, judge, load, shipped
from nxformula.interop.adapter import ask

NAME = "evaluate"
SUMMARY = "run conformance vectors, through this implementation or another program"
EXAMPLE = "nxformula evaluate grammar/conformance/1/lexis.json --adapter 'node adapter.js'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="vector files (default: all of this language)"
    )
    parser.add_argument(
        "--adapter",
        metavar="COMMAND",
        help="the program to test, as grammar/README.md describes it; run without a shell",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="time for the program, for each file (default: 60)",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        metavar="NAME",
        help="only files of this conformance class (may be repeated)",
    )
    parser.add_argument("--quiet", action="store_true", help="leave out the lines of what passed")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run the vectors of all files; 1 if one failed."""
    files = [load(path) for path in arguments.files or shipped()]
    if arguments.classes is not None:
        files = [file for file in files if file.conformance in arguments.classes]
        if not files:
            raise ValueError(f"no file is of the class {' or '.join(arguments.classes)}")
    found = [
        (file, outcome)
        for file in files
        for outcome in _outcomes(file, arguments.adapter, arguments.timeout)
    ]
    counts = Counter(outcome.status for _, outcome in found)
    if arguments.json:
        print(json.dumps(_report(found, arguments.adapter), indent=2))
    else:
        _print_lines([outcome for _, outcome in found], arguments.quiet)
        print(_summary(counts))
    return 1 if counts["failed"] else 0


def _outcomes(file: VectorFile, adapter: str | None, timeout: float) -> list[Outcome]:
    if adapter is None:
        return [judge(vector, answer(vector)) for vector in file.vectors]
    given = ask(adapter, file.vectors, timeout)
    return [_judged(vector, given) for vector in file.vectors]


def _judged(vector: Vector, given: dict[str, Any]) -> Outcome:
    name = vector["name"]
    return judge(vector, given[name]) if name in given else Outcome(name, "failed", "no answer")


def _print_lines(outcomes: Sequence[Outcome], quiet: bool) -> None:
    words = {"passed": "pass", "failed": "FAIL", "skipped": "skip"}
    for outcome in outcomes:
        if not (quiet and outcome.status == "passed"):
            reason = f": {outcome.reason}" if outcome.reason else ""
            print(shown(f"{words[outcome.status]} {outcome.name}{reason}"))


def _summary(counts: Counter[Any]) -> str:
    return ", ".join(f"{counts[status]} {status}" for status in ("passed", "failed", "skipped"))


def _report(found: Sequence[tuple[VectorFile, Outcome]], adapter: str | None) -> dict[str, Any]:
    counts = Counter(outcome.status for _, outcome in found)
    return {
        "nxformula": __version__,
        "adapter": adapter,
        **{status: counts[status] for status in ("passed", "failed", "skipped")},
        "vectors": [
            {
                "file": file.path,
                "class": file.conformance,
                "name": outcome.name,
                "status": outcome.status,
                "reason": outcome.reason,
            }
            for file, outcome in found
        ],
    }


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
