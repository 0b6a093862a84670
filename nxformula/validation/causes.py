"""One finding for one cause: what follows from another fault is not told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from nxformula.nexus.metadata.nodes import Group
from nxformula.validation.classes import guessed
from nxformula.validation.scope import Fault, Scope, module_axes
from nxformula.validation.structure import NO_GROUP

Told: TypeAlias = tuple[str, Fault]

#: As many findings of one kind are told one by one.
_FEW: Final = 3
#: Rules that speak of the same fault as others, and less exactly.
_GENERAL: Final = ("NXMX-STR-", "NXMX-NAM-")
#: Rules that need whole chains, and faults of an axis that make a chain something else.
_GEOMETRY: Final = (
    *("NXMX-DET-008", "NXMX-DET-009", "NXMX-DET-010", "NXMX-MOD-009", "NXMX-MOD-012"),
    *("NXMX-MOD-011",),
)
_AXIS_FAULTS: Final = (
    *("NXMX-CHN-001", "NXMX-CHN-002", "NXMX-CHN-003", "NXMX-CHN-004", "NXMX-CHN-005"),
    *("NXMX-CHN-006", "NXMX-CHN-007", "NXMX-CHN-015", "NXMX-MOD-005", "NXMX-MOD-006"),
    *("NXMX-MOD-007", "NXMX-MOD-001", "NXMX-MOD-002", "NXMX-MOD-004", "NXMX-STR-002"),
    "NXMX-MOD-008",
)


@dataclass(frozen=True, slots=True)
class _Consequence:
    """Faults of a rule that follow from those of others, where they are near."""

    of: str
    from_rules: tuple[str, ...]
    is_near: Callable[[Fault, Fault], bool]


def _is_related(fault: Fault, cause: Fault) -> bool:
    return cause.path == fault.path or cause.path in fault.related


def _is_beside(fault: Fault, cause: Fault) -> bool:
    folder = os.path.dirname(cause.path)
    return fault.path.startswith(folder + "/") or fault.path == folder


def _is_inside(fault: Fault, cause: Fault) -> bool:
    return fault.path.startswith(cause.path)


_CONSEQUENCES: Final = (
    _Consequence("NXMX-DET-013", ("NXMX-BEA-001", "NXMX-STR-004"), _is_related),
    _Consequence("NXMX-MOD-007", ("NXMX-CHN-001", "NXMX-CHN-002", "NXMX-CHN-003"), _is_related),
    _Consequence("NXMX-EVT-002", ("NXMX-EVT-001",), _is_beside),
    _Consequence("NXMX-EVT-003", ("NXMX-EVT-001", "NXMX-EVT-002"), _is_beside),
    _Consequence("NXMX-FRM-004", ("NXMX-FRM-007",), _is_inside),
    _Consequence("NXMX-CHN-010", ("NXMX-CHN-015", "NXMX-DAT-004"), _is_related),
    _Consequence("NXMX-STR-005", ("NXMX-STR-002",), _is_related),
    _Consequence("NXMX-MOD-002", ("NXMX-MOD-001",), _is_beside),
    _Consequence("NXMX-DET-006", ("NXMX-DET-005",), _is_related),
)


def without_consequences(scope: Scope, told: Iterable[Told]) -> list[Told]:
    """The faults of an entry that are causes.

    Parameters
    ----------
    scope : Scope
        The entry.
    told : iterable
        Rules with what they found.
    """
    found = list(told)
    by_rule: dict[str, list[Fault]] = {}
    for rule, fault in found:
        by_rule.setdefault(rule, []).append(fault)
    silent = set(_GEOMETRY) if _has_faulty_chain(scope, by_rule) else set()
    return [
        (rule, fault)
        for rule, fault in found
        if rule not in silent and not _follows(rule, fault, by_rule)
    ]


def _has_faulty_chain(scope: Scope, by_rule: dict[str, list[Fault]]) -> bool:
    faulty = {fault.path for rule in _AXIS_FAULTS for fault in by_rule.get(rule, ())}
    if not faulty:
        return False
    for module in scope.modules:
        if any(path.startswith(module.path + "/") for path in faulty):
            return True
        for axis in module_axes(module).values():
            if faulty & set(scope.axis_chain(axis).paths):
                return True
    return False


def _follows(rule: str, fault: Fault, by_rule: dict[str, list[Fault]]) -> bool:
    return any(
        consequence.is_near(fault, cause)
        for consequence in _CONSEQUENCES
        if consequence.of == rule
        for other in consequence.from_rules
        for cause in by_rule.get(other, ())
    )


def told_once(told: Iterable[Told]) -> list[Told]:
    """Without general rules where a special one speaks, and links into what is missing."""
    found = list(told)
    special = {
        (fault.path, fault.attribute) for rule, fault in found if not rule.startswith(_GENERAL)
    }
    missing = {
        (fault.path, fault.message.removeprefix(NO_GROUP))
        for rule, fault in found
        if rule == "NXMX-STR-001" and fault.message.startswith(NO_GROUP)
    }
    return [
        (rule, fault)
        for rule, fault in found
        if not (rule.startswith(_GENERAL) and (fault.path, fault.attribute) in special)
        and not (rule == "NXMX-LNK-002" and _leads_into(fault, missing))
    ]


def _leads_into(link: Fault, missing: set[tuple[str, str]]) -> bool:
    """Whether a link leads to a group that is told to be missing."""
    for target in link.related:
        names = target.strip("/").split("/")
        for k in range(1, len(names)):
            parent = "/" + "/".join(names[:k])
            group = guessed(Group(f"{parent}/{names[k]}"))
            if group is not None and (parent, group) in missing:
                return True
    return False


def together(told: Iterable[Told]) -> list[Told]:
    """Faults of one kind at objects of one name, as in all modules, become one."""
    kinds: dict[tuple[str, str, str | None, str | None], list[Fault]] = {}
    for rule, fault in told:
        key = rule, os.path.basename(fault.path), fault.attribute, fault.severity
        if fault not in kinds.setdefault(key, []):
            kinds[key].append(fault)
    found: list[Told] = []
    for (rule, *_), faults in kinds.items():
        if len(faults) <= _FEW:
            found += [(rule, fault) for fault in faults]
            continue
        first, *others = sorted(faults, key=lambda fault: fault.path)
        message = f"{first.message} (and {len(others)} more like it)"
        found.append((rule, replace(first, message=message, related=tuple(f.path for f in others))))
    return found
