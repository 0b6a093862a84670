"""Units of formulas: their names, their texts, the rule of every operator, and the check."""

from nxformula.language.units.checking import check_units

__all__ = ["check_units"]
