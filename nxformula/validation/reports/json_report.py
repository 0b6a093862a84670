"""Reports for programs; `schemas/report/report-1.json` describes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from nxformula._version import __version__
from nxformula.validation.findings import Report

SCHEMA: Final = "https://nxformula.org/schemas/report/report-1.json"


def whole(reports: Sequence[Report], colour: bool) -> str:
    """One document for all files."""
    files = [report.to_json() for report in reports]
    document = {"schema": SCHEMA, "nxformula": __version__, "files": files}
    return json.dumps(document, indent=2)


def lines(reports: Sequence[Report], colour: bool) -> str:
    """A document for each file, on a line."""
    return "\n".join(json.dumps(report.to_json()) for report in reports)
