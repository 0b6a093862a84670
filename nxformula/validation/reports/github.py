"""Reports as commands of GitHub workflows, which shows them beside the files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nxformula.errors import printable
from nxformula.validation.findings import Report
from nxformula.validation.reports.text import place

_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def commands(reports: Sequence[Report], colour: bool) -> str:
    """A line for each finding."""
    found = []
    for report in reports:
        file = _property(report.file)
        if report.unreadable is not None:
            found.append(f"::error file={file},title=NXMX-IO-001::{_data(report.unreadable)}")
        for finding in report:
            text = f"{place(finding)}: {finding.message} {finding.fix}"
            command = _COMMANDS[finding.severity]
            found.append(f"::{command} file={file},title={finding.rule}::{_data(text)}")
    return "\n".join(found)


def _data(text: str) -> str:
    text = "\n".join(printable(line) for line in text.split("\n"))
    return text.replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
