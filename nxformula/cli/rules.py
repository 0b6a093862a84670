"""`nxformula rules`: the rules of the validator."""

from __future__ import annotations

import argparse
import json

from nxformula.validation.catalogue import rules

NAME = "rules"
SUMMARY = "list the rules of the validator"
EXAMPLE = "nxformula rules NXMX-CHN"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("prefix", metavar="RULE", nargs="?", default="", help="only these")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each rule."""
    found = [rule for rule in rules().values() if rule.id.startswith(arguments.prefix)]
    if not found:
        raise ValueError(f"no rule begins with {arguments.prefix!r}")
    if arguments.json:
        kept = [{"id": r.id, "severity": r.severity, "title": r.title} for r in found]
        print(json.dumps(kept, indent=2))
    else:
        print("\n".join(f"{rule.id}  {rule.severity:<7}  {rule.title}" for rule in found))
    return 0
