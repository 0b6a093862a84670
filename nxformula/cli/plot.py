"""`nxformula plot`: a picture of one frame."""

from __future__ import annotations

import argparse

from nxformula.cli.options import add_allow, add_force
from nxformula.interop.assembled import draw_assembled
from nxformula.interop.picture import draw_frame
from nxformula.nexus.reader import open as open_reader

NAME = "plot"
SUMMARY = "draw a frame: raw, gain stage and calibrated side by side"
EXAMPLE = "nxformula plot run.nxs --frame 0 --output frame.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--frame", type=int, help="number of the frame (default: 0)")
    parser.add_argument("--field", metavar="PATH", help="needed where several have a formula")
    parser.add_argument("--output", required=True, metavar="PNG")
    parser.add_argument(
        "--assembled", action="store_true", help="the calibrated frame alone, in lab geometry"
    )
    add_force(parser)
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw the frame."""
    with open_reader(arguments.file, allow=arguments.allow) as file:
        images = file.only_formula(arguments.field)
        if arguments.assembled:
            frame = arguments.frame or 0
            draw_assembled(images, frame, arguments.output, force=arguments.force)
        else:
            draw_frame(images, arguments.frame, arguments.output, force=arguments.force)
    print(f"wrote {arguments.output}")
    return 0
