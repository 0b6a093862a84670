"""`nxformula master`: the master of a run, with events, geometry, metadata and formula."""

from __future__ import annotations

import argparse

from nxformula.cli.events import add_matching
from nxformula.cli.options import add_allow, add_force
from nxformula.errors import printable
from nxformula.masters.events.summary import lines, summary
from nxformula.masters.master import Options, build_master
from nxformula.masters.metadata import read_metadata
from nxformula.masters.writer import DETECTOR, FIELD
from nxformula.nexus.presets import preset

NAME = "master"
SUMMARY = "join the stacks of all modules, a geometry and constants in a valid NXmx master"
EXAMPLE = (
    "nxformula master raw/r0238 --geometry agipd.geom --metadata run.toml\n"
    "      --preset agipd --symbol offset=constants.h5:/offset ... --output run.nxs"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "sources",
        metavar="RUN",
        nargs="+",
        help="run folder of European XFEL, files of SwissFEL, or MODULE=FILE:/DATA,/IDS",
    )
    parser.add_argument("--geometry", required=True, metavar="FILE.geom", help="of CrystFEL")
    parser.add_argument("--output", required=True, metavar="OUT.nxs")
    parser.add_argument("--detector", metavar="NAME", help="where the run has several")
    parser.add_argument("--metadata", metavar="FILE.toml", help="what NXmx requires")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="one such value, as sample.name=lysozyme (may be repeated)",
    )
    parser.add_argument("--preset", metavar="NAME", help="the calibration")
    parser.add_argument(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME=FILE:/PATH[AXES]{UNITS}",
        help="a constant of the preset (may be repeated)",
    )
    add_matching(parser)
    parser.add_argument("--select", metavar="FILE:/PATH", help="ids of the events to keep")
    parser.add_argument(
        "--wavelengths",
        metavar="FILE:/VALUES,/IDS",
        help="a wavelength in angstrom for each event, joined by ids",
    )
    parser.add_argument(
        "--per-event",
        action="append",
        default=[],
        metavar="NAME=FILE:/VALUES,/IDS{UNITS}",
        help="other values for each event, joined by ids; ',offset=N' behind the ids is added to "
        "them (may be repeated)",
    )
    parser.add_argument("--mask", metavar="FILE:/PATH", help="bits as pixel_mask has them")
    parser.add_argument(
        "--no-vds", action="store_true", help="leave the stacked virtual dataset out"
    )
    add_force(parser)
    add_allow(parser)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def run(arguments: argparse.Namespace) -> int:
    """Write the master, and print what became of the frames."""
    options = Options(
        arguments.detector,
        dict(arguments.offset),
        arguments.least,
        arguments.select,
        preset(arguments.preset) if arguments.preset else None,
        tuple(arguments.symbol),
        not arguments.no_vds,
        arguments.wavelengths,
        tuple(arguments.per_event),
        arguments.mask,
    )
    metadata = read_metadata(arguments.metadata, dict(arguments.set))
    built = build_master(
        arguments.sources,
        arguments.geometry,
        arguments.output,
        metadata,
        options,
        force=arguments.force,
        allow=arguments.allow,
    )
    print("\n".join(printable(line) for line in lines(summary(built.run, built.table))))
    print(f"geometry: no corner of a panel is more than {built.deviation:.1e} pixels off")
    if built.mappings:
        print(f"stacked virtual dataset: {built.mappings} mappings")
    print(printable(f"wrote {DETECTOR}/{FIELD} in {arguments.output}"))
    if built.allow:
        folders = " ".join(f"--allow {folder}" for folder in built.allow)
        print(printable(f"to read it, add {folders}"))
    return 0
