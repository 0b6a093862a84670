"""Reports for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from nxformula.errors import printable
from nxformula.validation.findings import SEVERITIES, Finding, Report

_COLOURS: Final = {"error": "31", "warning": "33", "info": "36", "path": "1", "dim": "2"}
#: Related objects that are shown.
_RELATED: Final = 3


def full(reports: Sequence[Report], colour: bool) -> str:
    """Each finding with what to do, and a count at the end.

    Examples
    --------
    >>> found = Finding("NXMX-ATT-001", "warning", "/entry/a", "it is 2", "Write the share.")
    >>> print(full([Report("run.nxs", (found,)), Report("good.nxs")], False))
    run.nxs
      /entry/a
        warning NXMX-ATT-001: it is 2
        Write the share.
    good.nxs: no findings
    <BLANKLINE>
    2 files: 1 warning
    """
    blocks = ["\n".join(_full(report, colour)) for report in reports]
    return "\n".join([*blocks, "", _count(reports)])


def _full(report: Report, colour: bool) -> Iterator[str]:
    if report.unreadable is not None:
        yield _painted(f"{printable(report.unreadable)}", "error", colour)
        return
    if not report.findings:
        yield f"{printable(report.file)}: no findings"
        return
    yield _painted(printable(report.file), "path", colour)
    for finding in report.findings:
        yield f"  {_painted(place(finding), 'path', colour)}"
        kind = _painted(finding.severity, finding.severity, colour)
        yield f"    {kind} {finding.rule}: {printable(finding.message)}"
        if finding.related:
            yield f"    {_painted(f'see {_related(finding)}', 'dim', colour)}"
        yield f"    {printable(finding.fix)}"


def place(finding: Finding) -> str:
    """Path and attribute as one text."""
    attribute = f"@{finding.attribute}" if finding.attribute else ""
    return printable(f"{finding.path}{attribute}")


def _related(finding: Finding) -> str:
    shown = ", ".join(finding.related[:_RELATED])
    more = len(finding.related) - _RELATED
    return printable(f"{shown} and {more} more" if more > 0 else shown)


def _painted(text: str, kind: str, colour: bool) -> str:
    return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour else text


def _count(reports: Sequence[Report]) -> str:
    counts = Counter(finding.severity for report in reports for finding in report)
    unreadable = sum(report.unreadable is not None for report in reports)
    parts = [_plural(counts[level], level) for level in reversed(SEVERITIES) if counts[level]]
    parts += [f"{unreadable} unreadable"] if unreadable else []
    return f"{_plural(len(reports), 'file')}: {', '.join(parts) or 'no findings'}"


def _plural(count: int, name: str) -> str:
    return f"{count} {name}" + ("s" if count != 1 and name != "info" else "")


def concise(reports: Sequence[Report], colour: bool) -> str:
    """A line for each finding, as compilers write it."""
    lines = []
    for report in reports:
        if report.unreadable is not None:
            lines.append(_painted(f"{printable(report.unreadable)} [NXMX-IO-001]", "error", colour))
        for finding in report:
            kind = _painted(finding.severity, finding.severity, colour)
            where = f"{printable(report.file)}:{place(finding)}"
            lines.append(f"{where}: {kind}: {printable(finding.message)} [{finding.rule}]")
    return "\n".join(lines)
