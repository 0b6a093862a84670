"""`nxformula validate`: what is wrong with NXmx files."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from glob import glob, has_magic
from typing import Any, Final

from nxformula.cli.configuration import configured
from nxformula.cli.isolation import Isolated
from nxformula.cli.options import add_allow
from nxformula.validation.findings import SEVERITIES, Report
from nxformula.validation.reports import REPORTERS

NAME = "validate"
SUMMARY = "check NXmx files: structure, chains, geometry, links, formulas"
EXAMPLE = "nxformula validate run.nxs"

#: Where a configuration can say the same as an option.
_CONFIGURED: Final = ("select", "ignore", "severity", "fail_on", "external", "allow", "format")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a file, or a folder: its .nxs files and those that end in _master.h5",
    )
    parser.add_argument("--format", choices=tuple(REPORTERS), help="how to show it (full)")
    for name, text in (
        ("select", "ask only rules that begin so, as NXMX-CHN (may be repeated)"),
        ("ignore", "do not ask rules that begin so (may be repeated)"),
    ):
        parser.add_argument(f"--{name}", action="append", metavar="RULE", help=text)
    parser.add_argument(
        "--severity",
        action="append",
        metavar="RULE=LEVEL",
        help="another level for rules that begin so (may be repeated)",
    )
    parser.add_argument(
        "--fail-on", choices=SEVERITIES, help="exit with 1 from this level on (error)"
    )
    parser.add_argument(
        "--no-external", action="store_true", help="do not follow links to other files"
    )
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the reports; 0 fine, 1 findings, 2 a file that cannot be read."""
    # Other commands need not wait for the rules.
    from nxformula.validation.validate import Selection, validate

    settings = configured("validate", _CONFIGURED)
    chosen = Selection(
        arguments.select or settings.names("select"),
        arguments.ignore or settings.names("ignore"),
        _levels(arguments.severity) or settings.table("severity"),
    )
    options: dict[str, Any] = asdict(chosen)
    external = not arguments.no_external and settings.flag("external", True)
    allow = (*arguments.allow, *settings.names("allow"))
    fail_on = arguments.fail_on or settings.choice("fail_on", SEVERITIES, "error")
    name = arguments.format or settings.choice("format", tuple(REPORTERS), "full")
    files = list(_files(arguments.files))
    with Isolated(
        lambda file: validate(file, allow=allow, external=external, **options)
    ) as isolated:
        reports = [_checked(isolated, file) for file in files]
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    shown = REPORTERS[name](reports, colour)
    if shown:
        print(shown)
    if any(report.unreadable is not None for report in reports):
        return 2
    return 1 if any(report.at_least(fail_on) for report in reports) else 0


def _checked(isolated: Isolated[Report], file: str) -> Report:
    """The report of a file, whatever the file does to the library that reads it."""
    problem = isolated.run(file)
    return problem if isinstance(problem, Report) else Report(file, unreadable=f"{file}: {problem}")


def _levels(stated: list[str] | None) -> dict[str, str]:
    found = {}
    for text in stated or ():
        rule, equals, level = text.partition("=")
        if not equals:
            raise ValueError(f"--severity {text!r}: expected RULE=LEVEL")
        found[rule] = level
    return found


def _files(named: list[str]) -> Iterator[str]:
    """The files that are meant: those of folders too."""
    for name in named:
        if has_magic(name) and not os.path.lexists(name):
            yield from sorted(glob(name, recursive=True)) or [name]
            continue
        if not os.path.isdir(name):
            yield name
            continue
        yield from sorted(_in_folder(name)) or [name]


def _in_folder(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        for file in files:
            if file.endswith((".nxs", "_master.h5")):
                yield os.path.join(parent, file)
