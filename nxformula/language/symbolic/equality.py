"""Whether two formulas are the same up to algebra."""

from __future__ import annotations

from nxformula.errors import LimitError
from nxformula.language.symbolic.algebra import to_sympy
from nxformula.language.symbolic.normal import TERMS, is_zero, terms
from nxformula.language.tree import Formula


def equal(a: Formula, b: Formula) -> bool:
    """Whether two formulas are proven to be equal.

    They are compared in exact arithmetic; values with which a part of them is infinite or NaN are
    left aside, so that `x / x` is 1. Recognised are

    - the algebra of `+ - * /` and of integer powers: two quotients of polynomials;
    - conditions by the algebra of `and or not`, with comparisons that differ only in sides, sign
      or scale; `where` by what it selects, `choose` as a chain of `where`;
    - shifts by constants, `bits`, `div`, `mod`, `&` with a constant, and `|` and `^` by `&`;
    - `sqrt`, `hypot`, `abs`, `exp`, `log` and trigonometry as far as sympy simplifies them at
      once, as in `sqrt(x * x)`, `exp(x) * exp(y)`, `sin(-x)`;
    - the order of the arguments of `min`, `max` and `&`.

    All other functions and look-ups are equal where their arguments are.

    Parameters
    ----------
    a, b : Formula
        The formulas, in the same symbols.

    Returns
    -------
    bool
        True where it is proven. False otherwise: the formulas may still be equal.

    Raises
    ------
    LimitError
        With its definitions written out, a formula has more than 10,000 nodes, is nested too
        deeply, or the comparison needs more than 5,000 terms.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> equal(parse("let k = 1 / gain; (data - dark) * k"), parse("data / gain - dark / gain"))
    True
    >>> equal(parse("bits(data, 14, 2)"), parse("(data & 0xC000) >> 14"))
    True
    >>> equal(parse("where(g == 0, a, b) / c"), parse("where(g != 0, b / c, a / c)"))
    True
    >>> equal(parse("a / b * b"), parse("a + b"))
    False
    """
    one, other = to_sympy(a), to_sympy(b)
    if one == other:
        return True
    difference = one - other
    if terms(difference) > TERMS:
        raise LimitError(f"the comparison needs more than {TERMS} terms", a.text)
    return is_zero(difference)
