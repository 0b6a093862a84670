"""The names that a formula group uses in a file: one table for reader, writer, schema and NXDL.

`FIELDNAME` stands for the calibrated field, `SYMBOL` for a name used in the formula.
"""

from __future__ import annotations

from typing import Final

#: Suffix of the group that holds the formula of the field beside it.
GROUP_SUFFIX: Final = "_formula"

#: The version of the language, as written in `formula_language`.
LANGUAGE: Final = "nxformula-1"

#: Class of the group: NXcollection until NIAC accepts NXformula.
GROUP_CLASS: Final = "NXcollection"
PROPOSED_CLASS: Final = "NXformula"

# Attributes of the group.
FORMULA: Final = "formula"
FORMULA_LANGUAGE: Final = "formula_language"
FORMULA_DTYPE: Final = "formula_dtype"
FORMULA_UNITS: Final = "formula_units"
FORMULA_AXES: Final = "formula_axes"
FORMULA_RESULTS: Final = "formula_results"
TARGET: Final = "target"
ATTRIBUTES: Final = (
    FORMULA,
    FORMULA_LANGUAGE,
    FORMULA_DTYPE,
    FORMULA_UNITS,
    FORMULA_AXES,
    FORMULA_RESULTS,
    TARGET,
)

# Attributes of the group that describe one of its symbols.
AXES_SUFFIX: Final = "_axes"
UNITS_SUFFIX: Final = "_units"
CHECKSUM_SUFFIX: Final = "_checksum"
SYMBOL_ATTRIBUTE_SUFFIXES: Final = (AXES_SUFFIX, UNITS_SUFFIX, CHECKSUM_SUFFIX)

# Fields of the group that are not symbols.
DESCRIPTION: Final = "description"
APPLIED: Final = "applied"
DATE: Final = "date"
PROGRAM: Final = "program"
VERSION: Final = "version"
HISTORY: Final = "history"
SATURATION_VALUE: Final = "saturation_value"
UNDERLOAD_VALUE: Final = "underload_value"
SEQUENCE_INDEX: Final = "sequence_index"
FIELDS: Final = (
    DESCRIPTION,
    APPLIED,
    DATE,
    PROGRAM,
    VERSION,
    HISTORY,
    SATURATION_VALUE,
    UNDERLOAD_VALUE,
    SEQUENCE_INDEX,
)
IDENTIFIER_PREFIX: Final = "identifier_"

#: Attribute of a dataset of constants that names its dimensions, as `nxformula constants` writes.
AXES: Final = "axes"

#: Suffix of the uncertainty partner of a symbol.
ERRORS_SUFFIX: Final = "_errors"

#: Suffixes of the offset and the scaling factor of a field, in the order of their use.
LINEAR_SUFFIXES: Final = ("_offset", "_scaling_factor")

#: Dimensions of a field that does not state its own, by rank.
FIELD_AXES_BY_RANK: Final = {
    2: ("slow", "fast"),
    3: ("frame", "slow", "fast"),
    4: ("frame", "module", "slow", "fast"),
}


def is_reserved(name: str) -> bool:
    """Whether a member of the group of this name is not a symbol.

    Examples
    --------
    >>> is_reserved("history"), is_reserved("identifier_doi"), is_reserved("pedestal")
    (True, True, False)
    """
    return name in FIELDS or name == FORMULA or name.startswith(IDENTIFIER_PREFIX)
