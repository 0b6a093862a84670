"""Reports as SARIF 2.1.0, the format of code scanners."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from nxformula._version import __version__
from nxformula.validation.catalogue import rules
from nxformula.validation.findings import Finding, Report

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}


def log(reports: Sequence[Report], colour: bool) -> str:
    """One log with one run."""
    told = {finding.rule for report in reports for finding in report}
    unreadable = [report for report in reports if report.unreadable is not None]
    told |= {"NXMX-IO-001"} if unreadable else set()
    listed = [rule for rule in rules().values() if rule.id in told]
    driver = {
        "name": "nxformula",
        "version": __version__,
        "informationUri": "https://github.com/nexusformat/definitions/issues/711",
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "fullDescription": {"text": rule.what},
                "help": {"text": rule.fix},
                "defaultConfiguration": {"level": _LEVELS[rule.severity]},
            }
            for rule in listed
        ],
    }
    results = [_result(report, finding) for report in reports for finding in report]
    results += [_unreadable(report) for report in unreadable]
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(report: Report, finding: Finding) -> dict[str, Any]:
    name = finding.path + (f"@{finding.attribute}" if finding.attribute else "")
    return {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{name}: {finding.message} {finding.fix}"},
        "locations": [_location(report.file, name)],
    }


def _unreadable(report: Report) -> dict[str, Any]:
    return {
        "ruleId": "NXMX-IO-001",
        "level": "error",
        "message": {"text": report.unreadable},
        "locations": [_location(report.file, "/")],
    }


def _location(file: str, name: str) -> dict[str, Any]:
    return {
        "physicalLocation": {"artifactLocation": {"uri": quote(Path(file).as_posix())}},
        "logicalLocations": [{"fullyQualifiedName": name}],
    }
