"""`nxformula presets`: the calibrations that come with the package."""

from __future__ import annotations

import argparse
import json

from nxformula.nexus.presets import preset, preset_names

NAME = "presets"
SUMMARY = "list the calibrations of detectors that come as presets"
EXAMPLE = "nxformula presets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each preset."""
    found = [preset(name) for name in preset_names()]
    if arguments.json:
        print(json.dumps([{"name": each.name, "title": each.title} for each in found], indent=2))
        return 0
    width = max(len(each.name) for each in found)
    print("\n".join(f"{each.name:<{width}}  {each.title}" for each in found))
    return 0
