"""`nxformula master`: the master of a run, with events, geometry, metadata and formula."""

from __future__ import annotations

import argparse

from nxformula.cli.events import add_matching, add_sources, sources_of
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
    _add_run(parser.add_argument_group("run and events"))
    _add_detector(parser.add_argument_group("detector and calibration"))
    _add_metadata(parser.add_argument_group("what NXmx requires"))
    parser.add_argument("--output", required=True, metavar="OUT.nxs")
    parser.add_argument(
        "--no-vds", action="store_true", help="leave the stacked virtual dataset out"
    )
    add_force(parser)
    add_allow(parser)


def _add_run(group: argparse._ArgumentGroup) -> None:
    add_sources(group)
    add_matching(group)
    group.add_argument(
        "--select",
        metavar="FILE:/PATH",
        help="events to keep: their ids, or a boolean for each; with ',rows' numbers from 0",
    )
    group.add_argument(
        "--per-event",
        action="append",
        default=[],
        metavar="NAME=FILE:/VALUES,/IDS{UNITS}",
        help="other values for each event, joined by ids; ',offset=N' behind the ids is added to "
        "them (may be repeated)",
    )


def _add_detector(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--geometry", required=True, metavar="FILE.geom", help="of CrystFEL")
    group.add_argument("--preset", metavar="NAME", help="the calibration")
    group.add_argument(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME=FILE:/PATH[AXES]{UNITS}",
        help="a constant of the preset (may be repeated)",
    )
    group.add_argument(
        "--repack-constants",
        action="store_true",
        help="copy constants of pixels into the master, plane by plane",
    )
    group.add_argument("--mask", metavar="FILE:/PATH", help="bits as pixel_mask has them")
    group.add_argument(
        "--module-map",
        metavar="FILE:/PATH",
        help="of each module of geometry and constants its place in the run, -1 for none; or the "
        "places themselves, as 0,-1,1",
    )


def _add_metadata(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--metadata", metavar="FILE.toml", help="values in tables, by their names")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="one such value, as sample.name=lysozyme (may be repeated)",
    )
    beam = group.add_mutually_exclusive_group()
    beam.add_argument(
        "--wavelengths",
        metavar="FILE:/VALUES,/IDS{UNITS}",
        help="a wavelength or photon energy for each event, joined by ids",
    )
    beam.add_argument(
        "--spectrum",
        metavar="FILE:/SPECTRA,/CHANNELS,/IDS{UNITS}",
        help="a spectrum for each event, joined by ids; units are those of the channels",
    )


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def run(arguments: argparse.Namespace) -> int:
    """Write the master, and print what became of the frames."""
    options = Options(
        detector=arguments.detector,
        offsets=dict(arguments.offset),
        least=arguments.least,
        module_map=arguments.module_map,
        select=arguments.select,
        preset=preset(arguments.preset) if arguments.preset else None,
        symbols=tuple(arguments.symbol),
        repack=arguments.repack_constants,
        vds=not arguments.no_vds,
        wavelengths=arguments.wavelengths,
        spectrum=arguments.spectrum,
        per_event=tuple(arguments.per_event),
        mask=arguments.mask,
    )
    metadata = read_metadata(arguments.metadata, dict(arguments.set))
    built = build_master(
        sources_of(arguments),
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
