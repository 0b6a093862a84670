"""`nxformula tree`: the metadata of a file as JSON."""

from __future__ import annotations

import argparse
import json

from nxformula.cli.options import add_allow
from nxformula.nexus.metadata.json_tree import to_json
from nxformula.nexus.metadata.reader import MetadataFile

NAME = "tree"
SUMMARY = "print groups, fields, attributes and links of a file as JSON, large values left out"
EXAMPLE = "nxformula tree run.nxs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--no-external", action="store_true", help="do not follow links to other files"
    )
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the tree."""
    external = not arguments.no_external
    with MetadataFile(arguments.file, allow=arguments.allow, external=external) as file:
        print(json.dumps(to_json(file.root), indent=1))
    return 0
