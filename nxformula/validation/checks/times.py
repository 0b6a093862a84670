"""Rules of dates and times: NXMX-TIM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from nxformula.nexus.metadata.nodes import Field
from nxformula.validation.chains import scale_to
from nxformula.validation.scope import Fault, Scope, check

FIELDS: Final = ("start_time", "end_time", "end_time_estimated")
UNKNOWN: Final = ("", ".", "?")
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?(Z|[+-]\d\d(?::?\d\d)?)?"
)
_OFFSET: Final = re.compile(r"Z|[+-](0\d|1[0-4])(:?[0-5]\d)?")
_SHARE: Final = 0.1
_SLACK: Final = timedelta(seconds=60)


def read_time(text: str) -> tuple[datetime, str] | None:
    """A time, and how its zone is written: `Z`, an offset or nothing.

    Examples
    --------
    >>> read_time("2024-05-01T10:11:12.1234567Z")[1], read_time("01/05/2024")
    ('Z', None)
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    day, _, clock, fraction, zone = match.groups()
    digits = (fraction or "")[:6].ljust(6, "0")
    seconds = clock if clock.count(":") == 2 else f"{clock}:00"
    offset = "+00:00" if zone in (None, "Z") else zone
    try:
        return datetime.fromisoformat(f"{day}T{seconds}.{digits}{offset}"), zone or ""
    except ValueError:
        return None


def _texts(scope: Scope) -> Iterator[tuple[Field, str]]:
    for name in FIELDS:
        field = scope.entry.field(name)
        text = field.words if field is not None else None
        if field is not None and text is not None:
            yield field, text


@check("NXMX-TIM-001")
def readable(scope: Scope) -> Iterator[Fault]:
    """Times are ISO 8601."""
    for field, text in _texts(scope):
        if read_time(text) is None and not _is_unknown(field, text) and not _leftover(text):
            message = f"{text[:60]!r} is not a time such as '2024-05-01T10:11:12Z'"
            yield Fault(field.path, message)


def _is_unknown(field: Field, text: str) -> bool:
    return text.strip() in UNKNOWN and field.name == "end_time_estimated"


def _leftover(text: str) -> str:
    """What follows a time that would be one without it."""
    match = _TIME.match(text)
    if match is None or read_time(match.group(0)) is None:
        return ""
    return text[match.end() :]


@check("NXMX-TIM-002")
def universal(scope: Scope) -> Iterator[Fault]:
    """Times end in Z."""
    for field, text in _texts(scope):
        found = read_time(text)
        if found is None or found[1] == "Z":
            continue
        time, zone = found
        if zone:
            right = time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield Fault(field.path, f"{text!r} is local time; expected UTC, {right!r}")
        else:
            yield Fault(field.path, f"{text!r} has no zone and is ambiguous; expected UTC with Z")


@check("NXMX-TIM-003")
def in_order(scope: Scope) -> Iterator[Fault]:
    """What ends has begun before, and lasts as long as the frames do."""
    times = {}
    for field, text in _texts(scope):
        found = read_time(text)
        if found is not None:
            times[field.name] = field, text, *found
    start = times.pop("start_time", None)
    if start is None:
        return
    for field, text, time, zone in times.values():
        if bool(zone) != bool(start[3]):
            continue
        if time < start[2]:
            message = f"{text!r} is before the start, {start[1]!r}"
            yield Fault(field.path, message, related=(start[0].path,))
        else:
            yield from _duration(scope, field, time - start[2], start[0])


def _duration(scope: Scope, field: Field, spent: timedelta, start: Field) -> Iterator[Fault]:
    expected = _expected(scope)
    if expected is None:
        return
    if abs(spent - expected) > _SHARE * expected + _SLACK:
        message = (
            f"the end is {spent.total_seconds():g} s after the start, and the frames take "
            f"{expected.total_seconds():g} s"
        )
        yield Fault(field.path, message, related=(start.path,), severity="info")


def _expected(scope: Scope) -> timedelta | None:
    """How long a scan takes; None without a varying axis."""
    frames = scope.frames
    scan = any((axis.size or 0) > 1 and axis.size == frames for axis in scope.axes)
    if frames is None or not scan or len(scope.detectors) != 1:
        return None
    field = scope.detectors[0].field("frame_time")
    each, scale = (field.scalar, scale_to(field.units, "s")) if field else (None, None)
    if each is None or scale is None or not 0 < each * scale * frames < 1e8:
        return None
    return timedelta(seconds=each * scale * frames)


@check("NXMX-TIM-004")
def unknown(scope: Scope) -> Iterator[Fault]:
    """An end that is not known yet."""
    for field, text in _texts(scope):
        if _is_unknown(field, text):
            yield Fault(field.path, f"the end is not known: {text!r}")


@check("NXMX-TIM-005")
def zone(scope: Scope) -> Iterator[Fault]:
    """The time zone of the beamline is an offset."""
    for instrument in scope.instruments:
        field = instrument.field("time_zone")
        text = field.words if field is not None else None
        if field is not None and (text is None or not _OFFSET.fullmatch(text)):
            yield Fault(field.path, f"{(text or 'no text')[:60]!r} is not an offset as '+01:00'")


@check("NXMX-TIM-006")
def exact(scope: Scope) -> Iterator[Fault]:
    """Nothing follows a time, and T separates its parts."""
    for field, text in _texts(scope):
        leftover = _leftover(text)
        if leftover:
            message = f"{text[:60]!r} ends in {leftover[:20]!r} after the time"
            yield Fault(field.path, message)
        elif read_time(text) is not None and text[10] == " ":
            message = f"{text!r} has a blank between date and time; expected T"
            yield Fault(field.path, message, severity="warning")
