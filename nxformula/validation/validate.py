"""Validate a file: read its tree, ask all rules, keep one finding for one cause."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from nxformula.errors import FileError
from nxformula.nexus.metadata.nodes import Group
from nxformula.nexus.metadata.reader import MetadataFile
from nxformula.validation import checks as _checks  # noqa: F401 - registers the checks
from nxformula.validation.assertions import assertions
from nxformula.validation.catalogue import Rule, rules
from nxformula.validation.causes import together, told_once, without_consequences
from nxformula.validation.checks.entry import mx_entries
from nxformula.validation.findings import SEVERITIES, Finding, Report, ordered
from nxformula.validation.scope import CHECKS, FILE_CHECKS, Fault, Scope
from nxformula.validation.structure import attribute_names, structure
from nxformula.validation.tree import Tree

#: The rule that speaks alone.
_NO_ENTRY = "NXMX-ENT-001"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rules are asked, and how much they matter.

    Parameters
    ----------
    select, ignore : collection of str
        Beginnings of the ids of rules; all of them if `select` is empty.
    severity : mapping
        Severities by id, in place of those of the catalogue.

    Raises
    ------
    ValueError
        No rule begins so, or a severity is none.
    """

    select: Collection[str] = ()
    ignore: Collection[str] = ()
    severity: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for prefix in (*self.select, *self.ignore, *self.severity):
            if not any(rule.startswith(prefix) for rule in rules()):
                raise ValueError(f"no rule begins with {prefix!r}; 'nxformula rules' lists them")
        for level in self.severity.values():
            if level not in SEVERITIES:
                raise ValueError(f"{level!r} is no severity; expected {', '.join(SEVERITIES)}")

    def takes(self, rule: str) -> bool:
        """Whether findings of a rule are wanted."""
        chosen = not self.select or rule.startswith(tuple(self.select))
        return chosen and not (self.ignore and rule.startswith(tuple(self.ignore)))

    def level(self, rule: Rule, stated: str | None) -> str:
        """How much a fault matters."""
        for prefix, level in self.severity.items():
            if rule.id.startswith(prefix):
                return level
        return stated or rule.severity


def validate(
    path: str | os.PathLike[str],
    *,
    allow: Iterable[str | os.PathLike[str]] = (),
    external: bool = True,
    select: Collection[str] = (),
    ignore: Collection[str] = (),
    severity: Mapping[str, str] | None = None,
) -> Report:
    """Say what is wrong with an NXmx file.

    Parameters
    ----------
    path : path
        The file.
    allow : iterable of path
        Folders beside that of the file in which linked files may be read.
    external : bool
        Whether links to other files are followed.
    select, ignore : collection of str
        Beginnings of the ids of rules that are asked, and that are not; all by default.
    severity : mapping, optional
        Levels by beginnings of ids, in place of those of the catalogue.

    Returns
    -------
    Report
        Its findings; `unreadable` says why, where the file cannot be read.

    Raises
    ------
    ValueError
        No rule begins so, or a level is none.

    Examples
    --------
    >>> validate("nowhere.nxs").unreadable
    'nowhere.nxs: no such file'
    """
    selection = Selection(select, ignore, severity or {})
    name = os.fspath(path)
    try:
        with MetadataFile(name, allow=allow, external=external) as file:
            return Report(name, validate_tree(file.root, selection))
    except FileError as error:
        return Report(name, unreadable=str(error))
    except MemoryError:
        return Report(name, unreadable=f"{name}: not enough memory to read it")


def validate_tree(root: Group, selection: Selection | None = None) -> tuple[Finding, ...]:
    """Say what is wrong with a metadata tree.

    Parameters
    ----------
    root : Group
        Of a file, or from JSON.
    selection : Selection, optional
        Which rules are asked.
    """
    chosen = selection or Selection()
    known = rules()
    findings = [
        _finding(known[rule], fault, chosen)
        for rule, fault in together(told_once(_faults(Tree(root))))
        if chosen.takes(rule)
    ]
    return ordered(findings)


def _faults(tree: Tree) -> Iterator[tuple[str, Fault]]:
    entries = mx_entries(tree)
    if not entries:
        # One finding: nothing can be said of a file of another kind.
        yield from ((_NO_ENTRY, fault) for fault in FILE_CHECKS[_NO_ENTRY](tree))
        return
    for rule, check_file in FILE_CHECKS.items():
        yield from ((rule, fault) for fault in check_file(tree))
    for entry in entries:
        scope = Scope(tree, entry)
        yield from without_consequences(scope, _faults_of(scope))


def _faults_of(scope: Scope) -> Iterator[tuple[str, Fault]]:
    for rule, check in CHECKS.items():
        yield from ((rule, fault) for fault in check(scope))
    for known in rules().values():
        yield from ((known.id, fault) for fault in assertions(known, scope))
    for found in (*structure(scope), *attribute_names(scope)):
        yield found.rule, found.fault


def _finding(rule: Rule, fault: Fault, selection: Selection) -> Finding:
    return Finding(
        rule.id,
        selection.level(rule, fault.severity),
        fault.path,
        fault.message,
        fault.fix or rule.fix,
        fault.attribute,
        fault.related,
        _url(rule),
    )


def _url(rule: Rule) -> str | None:
    found = rule.reference.split()
    return next((word.rstrip(".,;") for word in found if word.startswith("https://")), None)
