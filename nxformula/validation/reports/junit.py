"""Reports as JUnit XML: a test case for each file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from nxformula.validation.findings import Report
from nxformula.validation.reports.text import place

#: Characters that XML does not have.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def suite(reports: Sequence[Report], colour: bool) -> str:
    """One suite; errors and warnings fail a case, what is unreadable is an error."""
    failed = [report for report in reports if report.at_least("warning")]
    unreadable = [report for report in reports if report.unreadable is not None]
    root = ElementTree.Element(
        "testsuite",
        name="nxformula validate",
        tests=str(len(reports)),
        failures=str(len(failed)),
        errors=str(len(unreadable)),
    )
    for report in reports:
        case = ElementTree.SubElement(
            root, "testcase", classname="nxformula.validate", name=_clean(report.file)
        )
        if report.unreadable is not None:
            ElementTree.SubElement(case, "error", message=_clean(report.unreadable))
        elif report.findings:
            _fill(case, report)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode")


def _fill(case: ElementTree.Element, report: Report) -> None:
    lines = [
        f"{finding.severity} {finding.rule} {place(finding)}: {finding.message}"
        for finding in report
    ]
    serious = report.at_least("warning")
    name = "failure" if serious else "system-out"
    found = ElementTree.SubElement(case, name)
    if serious:
        found.set("message", _clean(f"{len(serious)} findings, first {serious[0].rule}"))
    found.text = _clean("\n".join(lines))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
