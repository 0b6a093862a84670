"""`nxformula rule`: the page of a rule."""

from __future__ import annotations

import argparse
import json
from difflib import get_close_matches
from typing import Any

from nxformula.validation.catalogue import Rule, rules

NAME = "rule"
SUMMARY = "show what a rule of the validator asks, why, and what to do"
EXAMPLE = "nxformula rule NXMX-CHN-002"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("id", metavar="RULE")


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    known = rules()
    rule = known.get(arguments.id.upper())
    if rule is None:
        close = get_close_matches(arguments.id.upper(), known, n=1)
        hint = f"; did you mean {close[0]}?" if close else "; 'nxformula rules' lists them"
        raise ValueError(f"there is no rule {arguments.id!r}{hint}")
    print(_page(rule))
    return 0


def _page(rule: Rule) -> str:
    lines = [f"{rule.id} ({rule.severity}): {rule.title}", "", rule.what]
    lines += ["", f"Why: {rule.why}", f"Fix: {rule.fix}"]
    for check in rule.check.get("formulas", ()):
        lines.append(f"Formula: {_formula(check)}")
    for title, key in (("Passes", "passing"), ("Fails", "failing")):
        for example in rule.examples.get(key, ()):
            lines.append(f"{title}: {_example(example)}")
    return "\n".join([*lines, f"Reference: {rule.reference}"])


def _formula(check: dict[str, Any]) -> str:
    symbols = []
    for name, facts in check["symbols"].items():
        units = f" in {facts['units']}" if "units" in facts else ""
        symbols.append(f"{name} = {check['class']}/{facts['field']}{units}")
    return f"{check['formula']}   where {', '.join(symbols)}"


def _example(example: dict[str, Any]) -> str:
    if not example["edits"]:
        return f"the file {example['base']} as it is"
    return "; ".join(map(_edit, example["edits"]))


def _edit(edit: dict[str, Any]) -> str:
    where = edit["at"]
    if edit.get("remove"):
        return f"without {where}"
    if "attribute" in edit:
        name = f"{where}@{edit['attribute']}"
        return f"without {name}" if "value" not in edit else f"{name} = {_short(edit['value'])}"
    if "value" in edit:
        return f"{where} = {_short(edit['value'])}"
    return f"{where} is {_short(edit['node'])}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
