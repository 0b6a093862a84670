"""Checks that are functions, one file for each family of rules; each is registered by its rule."""

from __future__ import annotations

from nxformula.validation.checks import (
    beam,
    chains,
    data,
    detector,
    entry,
    events,
    formulas,
    geometry,
    links,
    modules,
    scans,
    times,
)

__all__ = [
    "beam",
    "chains",
    "data",
    "detector",
    "entry",
    "events",
    "formulas",
    "geometry",
    "links",
    "modules",
    "scans",
    "times",
]
