"""Ways to show reports, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from nxformula.validation.findings import Report
from nxformula.validation.reports import github, json_report, junit, sarif, text

#: Each takes the reports and whether colours are wanted.
REPORTERS: Final[dict[str, Callable[[Sequence[Report], bool], str]]] = {
    "full": text.full,
    "concise": text.concise,
    "json": json_report.whole,
    "jsonl": json_report.lines,
    "github": github.commands,
    "sarif": sarif.log,
    "junit": junit.suite,
}
