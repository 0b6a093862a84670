"""The catalogue of rules: data in `schemas/rules`, read once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from nxformula._resources import resource


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Attributes
    ----------
    id : str
        Stable name, as `NXMX-CHN-002`.
    severity : {"error", "warning", "info"}
        How much a fault matters, unless a check says otherwise.
    title, what, why, fix, reference : str
        One line; what is checked; why it matters; what to do; where it comes from.
    check : mapping
        `{"schema": keywords}`, `{"function": True}`, or a formula with its symbols.
    examples : mapping
        Edits of a valid tree that pass, and such that fail, with the place of the fault.
    """

    id: str
    severity: str
    title: str
    what: str
    why: str
    fix: str
    reference: str
    check: Mapping[str, Any]
    examples: Mapping[str, Any]


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in their order.

    Examples
    --------
    >>> rules()["NXMX-CHN-002"].title
    'Chains of axes end'
    """
    folder = resource("schemas", "rules")
    found: dict[str, Rule] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.startswith("NXMX-") and file.name.endswith(".json"):
            for entry in json.loads(file.read_text(encoding="utf-8"))["rules"]:
                found[entry["id"]] = Rule(**entry)
    return found
