"""The vector files and the tables of the specification, as they should be."""

from __future__ import annotations

from pathlib import Path

from topics import (
    arithmetic,
    comparisons,
    dimensions,
    elementwise,
    errors,
    grouped,
    indexing,
    integer_functions,
    interpolation,
    intervals,
    limits,
    rounding,
    selection,
    text,
    transcendental,
    uint64,
    units,
)
from topics.kit import Topic

GRAMMAR = Path(__file__).parents[3] / "grammar"
FOLDER = GRAMMAR / "conformance" / "1"


def topics() -> list[Topic]:
    """All topics."""
    return [
        text.lexis(),
        text.precedence(),
        text.errors_syntax(),
        limits.literals(),
        limits.limits(),
        limits.limits_refused(),
        arithmetic.arithmetic(),
        arithmetic.whole_numbers(),
        intervals.intervals(),
        arithmetic.bits(),
        comparisons.comparisons(),
        selection.logic(),
        comparisons.special_values(),
        rounding.float32_rounding(),
        rounding.float64(),
        rounding.dtypes(),
        uint64.uint64(),
        errors.errors_types(),
        elementwise.functions_elementwise(),
        transcendental.functions_transcendental(),
        integer_functions.integers_functions(),
        integer_functions.position(),
        selection.where_choose(),
        errors.errors_arity(),
        indexing.indexing(),
        dimensions.dimensions(),
        dimensions.errors_dimensions(),
        errors.errors_names(),
        interpolation.interp_poly(),
        grouped.grouped(),
        units.units_texts(),
        units.units_rules(),
        units.units_errors(),
        units.units_grouped(),
    ]


def files() -> dict[Path, str]:
    """The text of every vector file."""
    return {FOLDER / f"{topic.name}.json": topic.text() for topic in topics()}
