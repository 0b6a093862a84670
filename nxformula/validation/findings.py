"""Findings, and the report that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

#: From the mildest on.
SEVERITIES: Final = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, at the object at fault.

    Attributes
    ----------
    rule : str
        Id of the rule.
    severity : {"error", "warning", "info"}
        How much it matters.
    path : str
        The HDF5 object; for something missing, the group that lacks it.
    attribute : str or None
        The attribute of that object, if the fault is there.
    message : str
        What was found and what was expected.
    fix : str
        What to do.
    related : tuple of str
        Other objects that it concerns.
    url : str or None
        Where more is said.
    """

    rule: str
    severity: str
    path: str
    message: str
    fix: str
    attribute: str | None = None
    related: tuple[str, ...] = ()
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As in the JSON report."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "path": self.path,
            "attribute": self.attribute,
            "message": self.message,
            "fix": self.fix,
            "related": list(self.related),
            "url": self.url,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one file.

    Attributes
    ----------
    file : str
        The file.
    findings : tuple of Finding
        By path, the worst first; empty for a valid file.
    unreadable : str or None
        Why the file could not be read, if it could not.
    """

    file: str
    findings: tuple[Finding, ...] = field(default=())
    unreadable: str | None = None

    @property
    def status(self) -> str:
        """`ok`, `findings` or `unreadable`."""
        if self.unreadable is not None:
            return "unreadable"
        return "findings" if self.findings else "ok"

    def at_least(self, severity: str) -> tuple[Finding, ...]:
        """The findings that matter this much or more."""
        least = SEVERITIES.index(severity)
        return tuple(f for f in self.findings if SEVERITIES.index(f.severity) >= least)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def to_json(self) -> dict[str, Any]:
        """As in the JSON report of one file."""
        found: dict[str, Any] = {
            "file": self.file,
            "status": self.status,
            "findings": [finding.to_json() for finding in self.findings],
        }
        return found if self.unreadable is None else found | {"problem": self.unreadable}


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, the worst first, then by path."""

    def order(finding: Finding) -> tuple[int, str, str, str]:
        worst_first = -SEVERITIES.index(finding.severity)
        return worst_first, finding.path, finding.rule, finding.message

    return tuple(sorted(dict.fromkeys(findings), key=order))
