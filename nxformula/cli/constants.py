"""`nxformula constants`: make files of constants into datasets that a formula can take."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from nxformula.cli.options import add_force, names
from nxformula.errors import printable
from nxformula.nexus.constant_files.conversion import Choice, write_constants
from nxformula.nexus.constant_files.layouts import Layout, Part, layout, layout_names
from nxformula.nexus.sources import parse_source

NAME = "constants"
SUMMARY = "write constants of other files (PSI, European XFEL, psana, npy) into one for formulas"
EXAMPLE = (
    "nxformula constants gainMaps_M049.bin --layout psi-gain-map --take stage=0:3\n"
    "      --output gain.h5\n"
    "  nxformula constants pedestal.npy --symbol 'pedestal[stage,slow,fast]{count}'\n"
    "      --output pedestal.h5"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "files", metavar="FILE", nargs="*", help="npy, text, HDF5 as FILE:/PATH, or of a layout"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--layout", metavar="NAME", help="what the files are")
    what.add_argument(
        "--symbol", metavar="NAME[AXES]{UNITS}", help="what the array in each file is"
    )
    what.add_argument("--list", action="store_true", help="show all layouts")
    parser.add_argument("--output", metavar="OUT.h5")
    parser.add_argument(
        "--take",
        action="append",
        default=[],
        type=_taken,
        metavar="AXIS=A:B",
        help="keep these places along a dimension, as 0:3, 0,1,3 or 0 (may be repeated)",
    )
    parser.add_argument(
        "--stack", metavar="AXIS", help="files follow one another along this dimension"
    )
    parser.add_argument(
        "--order", type=names, default=(), metavar="A,B,C", help="dimensions in the output"
    )
    parser.add_argument(
        "--invalid",
        action="append",
        default=[],
        type=float,
        metavar="VALUE",
        help="make values that are this NaN (may be repeated)",
    )
    add_force(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the file, and say what is in it."""
    if arguments.list:
        found = [layout(name) for name in layout_names()]
        width = max(len(each.name) for each in found)
        for each in found:
            print(f"{each.name:<{width}}  {each.title}")
            for note in each.notes:
                print(f"{'':<{width}}  - {note}")
        return 0
    if not arguments.files or arguments.output is None:
        raise ValueError("give the files, and --output OUT.h5")
    paths, known = _what(arguments)
    choice = Choice(
        dict(arguments.take), arguments.stack, arguments.order, tuple(arguments.invalid)
    )
    for one in write_constants(paths, known, choice, arguments.output, force=arguments.force):
        sizes = ", ".join(f"{a}={n}" for a, n in zip(one.axes, one.shape, strict=True))
        units = f" in {one.units}" if one.units else ""
        print(printable(f"wrote {arguments.output}:/{one.symbol}: {one.dtype}[{sizes}]{units}"))
    return 0


def _what(arguments: argparse.Namespace) -> tuple[list[str], Layout]:
    """The files, and what they hold."""
    if arguments.layout:
        return arguments.files, layout(arguments.layout)
    symbol, source = parse_source(arguments.symbol)
    if source.axes is None or source.path is not None or source.value is not None:
        message = f"--symbol is {arguments.symbol!r}; expected NAME[AXES]{{UNITS}}"
        raise ValueError(f"{message}, the order of dimensions is never guessed")
    split = [path.rpartition(":/") for path in arguments.files]
    inside = {path for file, _, path in split if file}
    if len(inside) > 1 or (inside and not all(file for file, _, _ in split)):
        raise ValueError("all files have the dataset at the same path; give them one by one")
    files = [file or path for file, _, path in split]
    path = f"/{inside.pop()}" if inside else None
    part = Part(source.axes, source.units, path, None, {})
    kind = "hdf5" if path else "array"
    return files, Layout("the option --symbol", "", kind, None, (), {symbol: part}, (), ())


def _taken(text: str) -> tuple[str, Sequence[int]]:
    axis, _, places = text.partition("=")
    try:
        first, colon, last = places.partition(":")
        chosen: Sequence[int] = (
            range(int(first or 0), int(last)) if colon else [int(n) for n in places.split(",")]
        )
    except ValueError:
        chosen = []
    if not axis.strip() or not chosen or min(chosen) < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form stage=0:3 or stage=0,1,3")
    return axis.strip(), chosen
