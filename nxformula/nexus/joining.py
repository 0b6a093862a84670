"""Bind the fields of a formula to the frames that an event index joins."""

from __future__ import annotations

from nxformula.language.symbols import Symbol
from nxformula.nexus import names
from nxformula.nexus.binding import Extra
from nxformula.nexus.event_index import EventFrames, event_fields, event_index_of
from nxformula.nexus.group import FormulaGroup
from nxformula.nexus.links import Resolver


def joined_fields(definition: FormulaGroup, resolver: Resolver) -> dict[str, Extra]:
    """The fields that the event index beside a field joins; none without an index.

    Parameters
    ----------
    definition : FormulaGroup
        The formula of the field.
    resolver : Resolver
        Finds the sources.

    Raises
    ------
    FileError
        The index is not as it should be.
    """
    group = event_index_of(definition.holder)
    if group is None:
        return {}
    found = {}
    for name, channel in event_fields(group).items():
        frames = EventFrames(group, resolver, channel)
        axes = definition.symbol_axes(name) or names.FIELD_AXES_BY_RANK[frames.ndim]
        found[name] = Extra(frames, Symbol(frames.dtype.name, axes, frames.shape))
    return found
