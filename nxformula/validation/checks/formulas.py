"""Rules of formulas: NXMX-FRM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from nxformula.errors import (
    DimensionError,
    FormulaError,
    FormulaTypeError,
    UnitError,
    UnknownNameError,
)
from nxformula.language import types
from nxformula.language.checker import Checked
from nxformula.language.checker import check as check_formula
from nxformula.language.parser import parse
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Formula
from nxformula.language.units.checking import check_units
from nxformula.nexus import names
from nxformula.nexus.metadata.nodes import Broken, Field, Group
from nxformula.validation.checks.data import has_event_index, joined_fields
from nxformula.validation.scope import Fault, Scope, check

#: Linear calibrations that would be applied as well as a formula.
_LINEAR: Final = ("_scaling_factor", "_offset")


@dataclass
class Calibration:
    """A formula group, as far as it can be understood.

    Attributes
    ----------
    scope : Scope
        The entry.
    group : Group
        The formula group.
    """

    scope: Scope
    group: Group

    @property
    def field_name(self) -> str:
        """Name of the calibrated field."""
        return self.group.name.removesuffix(names.GROUP_SUFFIX)

    @cached_property
    def field(self) -> Field | None:
        """The calibrated field: beside the group."""
        return self.scope.tree.parent(self.group).field(self.field_name)

    @property
    def is_applied(self) -> bool:
        """Whether the field holds calibrated values, which the formula does not take."""
        node = self.group.members.get(names.APPLIED)
        return isinstance(node, Field) and bool(node.scalar)

    @cached_property
    def parsed(self) -> Formula | FormulaError | None:
        """The formula, or why it is none."""
        text = self.group.text(names.FORMULA)
        if text is None:
            return None
        try:
            return parse(text)
        except FormulaError as error:
            return error

    @property
    def formula(self) -> Formula | None:
        """The formula, if it is one."""
        if self.group.text(names.FORMULA_LANGUAGE) != names.LANGUAGE:
            return None
        return self.parsed if isinstance(self.parsed, Formula) else None

    @property
    def axes(self) -> tuple[str, ...] | None:
        """Dimensions of the result."""
        return self.listed(names.FORMULA_AXES)

    def listed(self, attribute: str) -> tuple[str, ...] | None:
        """An attribute as a list of names."""
        value = self.group.attributes.get(attribute)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            return None
        return tuple(found)

    def member(self, name: str) -> Field | Broken | Group | None:
        """The member of the group that a symbol is."""
        if names.is_reserved(name):
            return None
        node = self.group.members.get(name)
        return node if isinstance(node, Field | Broken | Group) else None

    def symbol_axes(self, name: str) -> tuple[str, ...] | None:
        """Dimensions of a symbol: as declared, else as its rank tells."""
        declared = self.listed(name + names.AXES_SUFFIX)
        if declared is not None:
            return declared
        node = self.member(name)
        if not isinstance(node, Field) or node.shape is None:
            return None
        if not node.shape:
            return ()
        if name == self.field_name:
            return names.FIELD_AXES_BY_RANK.get(len(node.shape))
        return None

    @cached_property
    def symbols(self) -> dict[str, Symbol] | None:
        """The symbols of the formula; None unless all are there and have axes."""
        if self.formula is None or self.is_applied:
            return None
        real = types.real_dtype(self.group.text(names.FORMULA_DTYPE) or "float32")
        found = {}
        for name in self.formula.names:
            node, axes = self.member(name), self.symbol_axes(name)
            if not isinstance(node, Field) or node.dtype not in types.SYMBOL_DTYPES:
                return None
            if axes is None or len(axes) != len(node.shape or ()):
                return None
            units = self.group.text(name + names.UNITS_SUFFIX) or node.units
            is_real = types.SYMBOL_DTYPES[node.dtype].kind == "real" and name != self.field_name
            found[name] = Symbol(real if is_real else node.dtype, axes, node.shape, units)
        return found

    @cached_property
    def checked(self) -> Checked | FormulaError | None:
        """The formula on its symbols, or why it does not fit them."""
        symbols, axes = self.symbols, self.axes
        dtype = self.group.text(names.FORMULA_DTYPE) or "float32"
        if symbols is None or axes is None or self.formula is None:
            return None
        if dtype not in types.RESULT_DTYPES or any(conflicts(self)):
            return None
        try:
            return check_formula(
                self.formula, symbols, axes=axes, dtype=dtype, field=self.field_name
            )
        except FormulaError as error:
            return error

    def place_of(self, error: FormulaError) -> tuple[str, str | None]:
        """The symbol that an error speaks of, else the formula."""
        quoted = error.message.split("'")[1::2]
        known = [name for name in quoted if isinstance(self.member(name), Field)]
        if known and isinstance(error, DimensionError | UnitError | FormulaTypeError):
            return f"{self.group.path}/{known[0]}", None
        return self.group.path, names.FORMULA


def calibrations(scope: Scope) -> list[Calibration]:
    """The formula groups of an entry."""
    return [
        Calibration(scope, group)
        for group in scope.all_groups()
        if names.FORMULA_LANGUAGE in group.attributes
        or (names.FORMULA in group.attributes and group.name.endswith(names.GROUP_SUFFIX))
        or group.nx_class == names.PROPOSED_CLASS
    ]


def _first_line(error: FormulaError) -> str:
    place = f" at line {error.line}, column {error.column}" if error.line else ""
    return f"{error.kind} error{place}: {error.message}"


@check("NXMX-FRM-001")
def parses(scope: Scope) -> Iterator[Fault]:
    """A formula is in the grammar."""
    for each in calibrations(scope):
        if each.group.text(names.FORMULA_LANGUAGE) not in (names.LANGUAGE, None):
            continue
        if each.parsed is None:
            message = "the group has no text attribute 'formula'"
            yield Fault(each.group.path, message, names.FORMULA)
        elif isinstance(each.parsed, FormulaError):
            yield Fault(each.group.path, _first_line(each.parsed), names.FORMULA)


@check("NXMX-FRM-002")
def language(scope: Scope) -> Iterator[Fault]:
    """The language is known."""
    for each in calibrations(scope):
        stated = each.group.text(names.FORMULA_LANGUAGE)
        if stated != names.LANGUAGE:
            shown = repr(stated[:60]) if stated is not None else "not stated"
            message = f"formula_language is {shown}; expected {names.LANGUAGE!r}"
            yield Fault(each.group.path, message, names.FORMULA_LANGUAGE)


@check("NXMX-FRM-003")
def resolves(scope: Scope) -> Iterator[Fault]:
    """Symbols are members of the group, and results definitions of the formula."""
    for each in calibrations(scope):
        formula = each.formula
        if formula is None:
            continue
        path = each.group.path
        joined = joined_fields(scope.tree.parent(each.group))
        for name in formula.names:
            node = each.member(name)
            if node is None and name not in joined:
                message = f"the formula uses {name!r}, and the group has no such member"
                yield Fault(path, message, names.FORMULA)
            elif isinstance(node, Group):
                yield Fault(f"{path}/{name}", f"the symbol {name!r} is a group, not a field")
        offered = {let.name for let in formula.lets}
        for name in each.listed(names.FORMULA_RESULTS) or ():
            if name not in offered:
                message = f"formula_results has {name!r}, which the formula does not define"
                yield Fault(path, message, names.FORMULA_RESULTS)


def conflicts(each: Calibration) -> Iterator[Fault]:
    """Symbols whose dimensions have no names, or lengths that others have not."""
    formula, path = each.formula, each.group.path
    if formula is None:
        return
    lengths: dict[str, dict[str, int]] = {}
    for name, node, shape in _shaped(each, formula):
        axes, declared = each.symbol_axes(name), name + names.AXES_SUFFIX
        if axes is None:
            message = f"the {len(shape)} dimensions of {name!r} have no names"
            yield Fault(path, message, declared)
        elif len(axes) != len(shape):
            message = f"{len(axes)} names for the {len(shape)} dimensions of {name!r}"
            yield Fault(path, message, declared, (node.path,))
        else:
            for axis, length in zip(axes, shape, strict=True):
                if axis != ".":
                    lengths.setdefault(axis, {})[name] = length
    for axis, known in lengths.items():
        if len(set(known.values())) > 1:
            yield from _odd_ones(each, axis, known)


def _shaped(each: Calibration, formula: Formula) -> Iterator[tuple[str, Field, tuple[int, ...]]]:
    """The symbols that are fields of numbers, with their shapes."""
    for name in formula.names:
        node = each.member(name)
        if each.is_applied and name == each.field_name:
            continue
        if isinstance(node, Field) and node.shape is not None and node.is_numeric:
            yield name, node, node.shape


def _odd_ones(each: Calibration, axis: str, known: dict[str, int]) -> Iterator[Fault]:
    counts = Counter(known.values())
    usual = known.get(each.field_name) or counts.most_common(1)[0][0]
    if each.field_name not in known and counts.most_common(1)[0][1] == 1:
        usual = max(known.values())
    for name, length in known.items():
        if length != usual:
            message = f"dimension {axis!r} of {name!r} has the length {length}; others have {usual}"
            others = tuple(f"{each.group.path}/{n}" for n, k in known.items() if k == usual)
            yield Fault(f"{each.group.path}/{name}", message, None, others)


@check("NXMX-FRM-004")
def dimensions(scope: Scope) -> Iterator[Fault]:
    """Dimensions have names, and one length each."""
    for each in calibrations(scope):
        if each.formula is None:
            continue
        if each.axes is None:
            message = "the group has no list of names 'formula_axes', the result's dimensions"
            yield Fault(each.group.path, message, names.FORMULA_AXES)
        found = dict.fromkeys((fault.path, fault) for fault in conflicts(each))
        seen = set()
        for path, fault in found:
            if path not in seen:
                seen.add(path)
                yield fault
        yield from _refused(each, DimensionError)


def _refused(each: Calibration, kind: type[FormulaError]) -> Iterator[Fault]:
    if isinstance(each.checked, kind):
        path, attribute = each.place_of(each.checked)
        yield Fault(path, _first_line(each.checked), attribute)


@check("NXMX-FRM-005")
def value_types(scope: Scope) -> Iterator[Fault]:
    """Types fit, and the result has one."""
    for each in calibrations(scope):
        if each.formula is None:
            continue
        dtype = each.group.text(names.FORMULA_DTYPE)
        if dtype not in types.RESULT_DTYPES:
            shown = repr(dtype[:40]) if dtype is not None else "missing"
            message = f"formula_dtype is {shown}; expected one of {', '.join(types.RESULT_DTYPES)}"
            yield Fault(each.group.path, message, names.FORMULA_DTYPE)
        for name in each.formula.names:
            node = each.member(name)
            if isinstance(node, Field) and node.dtype not in types.SYMBOL_DTYPES:
                message = f"the symbol {name!r} holds {node.dtype}; expected numbers"
                yield Fault(f"{each.group.path}/{name}", message)
        yield from _refused(each, FormulaTypeError)
        if isinstance(each.checked, FormulaError) and not isinstance(
            each.checked, FormulaTypeError | DimensionError | UnknownNameError
        ):
            yield Fault(each.group.path, _first_line(each.checked), names.FORMULA)


@check("NXMX-FRM-006")
def units(scope: Scope) -> Iterator[Fault]:
    """Units fit."""
    for each in calibrations(scope):
        if not isinstance(each.checked, Checked):
            continue
        try:
            check_units(each.checked, each.group.text(names.FORMULA_UNITS))
        except UnitError as error:
            path, attribute = each.place_of(error)
            known = each.symbols or {}
            related = [f"{each.group.path}/{name}" for name in known if known[name].units]
            yield Fault(path, _first_line(error), attribute, tuple(related))


@check("NXMX-FRM-007")
def result(scope: Scope) -> Iterator[Fault]:
    """The result has the dimensions of its field."""
    for each in calibrations(scope):
        field, axes = each.field, each.axes
        parent = scope.tree.parent(each.group)
        is_broken = isinstance(parent.members.get(each.field_name), Broken)
        if field is None and not is_broken and not has_event_index(parent):
            message = f"there is no field {each.field_name!r} beside the formula"
            yield Fault(each.group.path, message)
        if field is None or field.shape is None or axes is None:
            continue
        if len(axes) != len(field.shape):
            message = (
                f"the result has {len(axes)} dimensions, and {each.field_name!r} has "
                f"{len(field.shape)}"
            )
            yield Fault(each.group.path, message, names.FORMULA_AXES, (field.path,))


@check("NXMX-FRM-008")
def described(scope: Scope) -> Iterator[Fault]:
    """A formula has a description."""
    for each in calibrations(scope):
        node = each.group.members.get(names.DESCRIPTION)
        text = node.words if isinstance(node, Field) else None
        if not isinstance(node, Broken) and not (text or "").strip():
            yield Fault(each.group.path, "the group has no description of its formula")


@check("NXMX-FRM-009")
def once(scope: Scope) -> Iterator[Fault]:
    """A field is not calibrated twice."""
    for each in calibrations(scope):
        parent = scope.tree.parent(each.group)
        for suffix in _LINEAR:
            name = each.field_name + suffix
            if name in parent.members:
                message = f"it would be applied as well as the formula {each.group.name}"
                yield Fault(f"{parent.path}/{name}", message, None, (each.group.path,))


@check("NXMX-FRM-010")
def checksums(scope: Scope) -> Iterator[Fault]:
    """Constants are those that the formula was written for."""
    for each in calibrations(scope):
        for name in each.formula.names if each.formula is not None else ():
            stated = each.group.text(name + names.CHECKSUM_SUFFIX)
            node = each.member(name)
            if stated is None or not isinstance(node, Field):
                continue
            found = node.checksum
            if found is not None and found != stated:
                message = (
                    f"the values of {name!r} have changed: {found[:23]}... is not {stated[:23]}..."
                )
                yield Fault(f"{each.group.path}/{name}", message)
