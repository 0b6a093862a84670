"""Formulas made from that of a field: its uncertainty, and itself without unusable pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from nxformula.errors import DimensionError, FileError
from nxformula.language.symbolic.assembling import Names, with_result
from nxformula.language.symbolic.building import NOWHERE, call, name, number
from nxformula.language.symbolic.uncertainties import uncertainty
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Binary, Formula, Name, Node, Unary
from nxformula.nexus import names
from nxformula.nexus.binding import Binding, Extra, bind
from nxformula.nexus.group import FormulaGroup
from nxformula.nexus.links import Resolver
from nxformula.nexus.masks import UNUSABLE_BITS, Mask, mask_of


def uncertain(binding: Binding, resolver: Resolver) -> FormulaGroup | None:
    """The formula group of the standard deviation of a field.

    Parameters
    ----------
    binding : Binding
        Of the field. What has an uncertainty are symbols with a member `SYMBOL_errors` in the
        group, and whatever has a definition `NAME_errors` in the formula.
    resolver : Resolver
        Finds the members.

    Returns
    -------
    FormulaGroup or None
        None if nothing has an uncertainty.

    Raises
    ------
    FormulaError
        The uncertainty cannot be derived.
    """
    definition, formula = binding.definition, binding.formula
    known = uncertain_names(formula, definition.symbols)
    if not known:
        return None
    partners = {of: of + names.ERRORS_SUFFIX for of in known}
    single = {
        of
        for of, partner in partners.items()
        if partner in definition.symbols
        and getattr(resolver.find(definition.group, partner).object, "shape", None) == ()
    }
    # An uncertainty may lack dimensions that the result has: with its NaN it has them all.
    derived = uncertainty(formula, known, single=single, nan_with_result=True)
    dtype = definition.dtype if _is_real(definition) else "float64"
    return replace(definition, text=derived.text, dtype=dtype, results=())


def _is_real(definition: FormulaGroup) -> bool:
    """Whether the result can be NaN."""
    return definition.dtype.startswith("float")


def uncertain_names(formula: Formula, members: tuple[str, ...]) -> list[str]:
    """The symbols and definitions of a formula that have a partner with their uncertainties."""
    defined = [let.name for let in formula.lets]
    partners = {*members, *defined}
    return [of for of in (*formula.names, *defined) if of + names.ERRORS_SUFFIX in partners]


def masked(binding: Binding, mask: Mask) -> tuple[FormulaGroup, dict[str, Extra]] | None:
    """The formula group of a field with NaN where values are unusable, and the mask as a symbol.

    Nothing, if no value can be unusable.

    Parameters
    ----------
    binding : Binding
        Of the field.
    mask : Mask
        What is unusable.

    Raises
    ------
    DimensionError
        The mask is not of the shape of the images.
    """
    definition, formula = binding.definition, binding.formula
    extra: dict[str, Extra] = {}
    conditions: list[Node] = []
    if mask.pixels is not None:
        taken = Names([*formula.names, *(let.name for let in formula.lets)])
        symbol = taken.new("pixel_mask")
        extra[symbol] = Extra(mask.pixels, _mask_symbol(binding, mask))
        conditions.append(_is_usable(symbol, mask.pixels.dtype.kind == "b"))
    conditions += _within_limits(binding, mask)
    if not conditions:
        return None
    valid = reduce(lambda a, b: Binary("and", a, b, NOWHERE), conditions)
    result = call("where", valid, formula.result, name("nan"))
    dtype = definition.dtype if _is_real(definition) else "float64"
    return replace(definition, text=with_result(formula, result).text, dtype=dtype), extra


def bind_masked(binding: Binding, groups: Sequence[Any], resolver: Resolver, where: str) -> Binding:
    """The formula of a field with NaN where its detector says that values are unusable.

    Parameters
    ----------
    binding : Binding
        Of the field.
    groups : sequence of h5py.Group
        That show the field.
    resolver : Resolver
        Finds the mask.
    where : str
        The field and its file, for a message.

    Raises
    ------
    FileError
        The detector says nothing of that, or the mask cannot be found.
    """
    found = masked(binding, mask_of(groups, resolver))
    if found is None:
        message = (
            f"{where} has no pixel_mask, saturation_value or underload_value beside it; read it "
            "without a mask"
        )
        raise FileError(message, binding.definition.group.file.filename)
    return bind(found[0], resolver, {**binding.extra, **found[1]})


def _mask_symbol(binding: Binding, mask: Mask) -> Symbol:
    """The mask as a symbol: of the last dimensions of the result."""
    shape = mask.pixels.shape
    rank = len(shape)
    if rank > len(binding.shape) or shape != binding.shape[len(binding.shape) - rank :]:
        message = (
            f"'{mask.pixels.name}' has the shape {shape}, and calibrated images have "
            f"{binding.shape[1:]}"
        )
        raise DimensionError(message)
    axes = binding.definition.axes[len(binding.shape) - rank :]
    return Symbol(mask.pixels.dtype.name, axes, shape)


def _is_usable(symbol: str, is_bool: bool) -> Node:
    if is_bool:
        return Unary("not", name(symbol), NOWHERE)
    bits = Binary("&", name(symbol), number(UNUSABLE_BITS), NOWHERE)
    return Binary("==", bits, number(0), NOWHERE)


def _within_limits(binding: Binding, mask: Mask) -> list[Node]:
    """Conditions on the raw value, where the formula takes that pixel by pixel."""
    field = binding.definition.field
    used = any(isinstance(node, Name) and node.name == field for node in binding.formula.nodes)
    if not used:
        return []
    limits = (("<=", mask.saturation), (">=", mask.underload))
    return [
        Binary(operator, name(field), number(limit), NOWHERE)
        for operator, limit in limits
        if limit is not None
    ]
