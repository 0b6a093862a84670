"""`nxformula events`: which frames of many recorders belong together."""

from __future__ import annotations

import argparse
import json
import os

import h5py

from nxformula.cli.options import add_force
from nxformula.errors import printable
from nxformula.masters.events.index import write_index
from nxformula.masters.events.matching import match
from nxformula.masters.events.runs import read_run
from nxformula.masters.events.summary import lines, summary
from nxformula.nexus.output import new_file

NAME = "events"
SUMMARY = "match the frames of all modules by their ids, and write the event index"
EXAMPLE = (
    "nxformula events raw/r0238 --output events.h5\n"
    "  nxformula events m0=a.h5:/data,/pulse_id m1=b.h5:/data,/pulse_id --offset m1=-1"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    add_sources(parser)
    parser.add_argument("--output", metavar="index.h5", help="write the event index")
    add_matching(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_force(parser)


def add_sources(parser: argparse._ActionsContainer) -> None:
    """The run, and its detector."""
    parser.add_argument(
        "sources",
        metavar="RUN",
        nargs="*",
        help="run folder of European XFEL, its files or those of SwissFEL by names or patterns, "
        "or MODULE=FILE:/DATA,/IDS",
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="RUN",
        help="the same as an option, as 'run/*.h5' (may be repeated)",
    )
    parser.add_argument("--detector", metavar="NAME", help="where the run has several")


def sources_of(arguments: argparse.Namespace) -> list[str]:
    """All that was given as the run.

    Raises
    ------
    ValueError
        Nothing was.
    """
    found: list[str] = [*arguments.sources, *arguments.data]
    if not found:
        raise ValueError("give the run: a folder, files, or MODULE=FILE:/DATA,/IDS")
    return found


def add_matching(parser: argparse._ActionsContainer) -> None:
    """Options that say how rows are matched."""
    parser.add_argument(
        "--offset",
        action="append",
        default=[],
        type=_offset,
        metavar="MODULE=N",
        help="add this to the ids of a module whose clock is off (may be repeated)",
    )
    parser.add_argument(
        "--least", type=int, default=1, metavar="N", help="modules that an event must have"
    )


def _offset(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not number.removeprefix("-").isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form MODULE=N")
    return name, int(number)


def run(arguments: argparse.Namespace) -> int:
    """Match, write, and print what became of the frames."""
    found = read_run(sources_of(arguments), arguments.detector)
    table = match(found.stacks, dict(arguments.offset), arguments.least)
    counts = summary(found, table)
    if arguments.output is not None:
        inputs = [source.file for stack in found.stacks for source in stack.sources]
        folder = os.path.dirname(os.path.abspath(arguments.output))
        with (
            new_file(arguments.output, force=arguments.force, inputs=inputs) as temporary,
            h5py.File(temporary, "w", libver=("earliest", "v110")) as file,
        ):
            write_index(file, found, table, folder, 0)
    if arguments.json:
        print(json.dumps(counts, indent=2))
    else:
        print("\n".join(printable(line) for line in lines(counts)))
        if arguments.output is not None:
            print(printable(f"wrote /event_index in {arguments.output}"))
    return 0
