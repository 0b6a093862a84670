"""Formulas as mathematics: printing, comparing, differentiating and solving them.

These work on the syntax tree and need no symbols. Derivatives, uncertainties and inverses are
formulas of the same language, with the definitions of the original where they are needed.

Examples
--------
>>> import nxformula
>>> formula = nxformula.parse("let net = counts - pedestal; net / gain")
>>> print(derivative(formula, "gain").text)
let net = counts - pedestal;
-(net / gain / gain)
>>> print(uncertainty(formula, ["counts", "pedestal"]).text)
sqrt((counts_errors / gain) ** 2 + (pedestal_errors / gain) ** 2)
>>> print(inverse(formula, "counts", "energy").text)
energy * gain + pedestal
>>> equal(formula, nxformula.parse("counts / gain - pedestal / gain"))
True
"""

from nxformula.language.symbolic.derivatives import derivative
from nxformula.language.symbolic.equality import equal
from nxformula.language.symbolic.inverses import inverse
from nxformula.language.symbolic.latex import to_latex
from nxformula.language.symbolic.uncertainties import uncertainty
from nxformula.language.symbolic.unicode import to_unicode
from nxformula.language.symbolic.writing import write

__all__ = ["derivative", "equal", "inverse", "to_latex", "to_unicode", "uncertainty", "write"]
