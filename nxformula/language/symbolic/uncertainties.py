"""First-order uncertainties of formulas, as formulas."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from typing import Final

from nxformula.errors import FormulaTypeError
from nxformula.language.structure import check_structure
from nxformula.language.symbolic.assembling import Names, assemble, partner
from nxformula.language.symbolic.building import (
    call,
    is_negative,
    is_number,
    name,
    negative,
    number,
    plus,
    power,
    times,
)
from nxformula.language.symbolic.derivatives import Differentiation
from nxformula.language.symbolic.flow import Flow
from nxformula.language.tree import Formula, Index, Let, Literal, Name, Node

#: What NeXus appends to the name of a field for the one with its standard deviations.
SUFFIX: Final = "_errors"


def uncertainty(
    formula: Formula,
    symbols: Iterable[str],
    *,
    single: Collection[str] = (),
    nan_with_result: bool = False,
) -> Formula:
    """The standard deviation of a formula's result to first order, as a formula.

    It is `sqrt(sum((df/dx * x_errors) ** 2))` over the symbols `x` that have a partner `x_errors`
    with their standard deviations. These count as uncorrelated and never negative. A look-up takes
    the same entry of the partner. A definition may have a partner too: it then counts as a
    measured value of its own, whatever it is made of. A partner may itself be a definition of the
    formula, such as that of counts which follow Poisson's law. Conditions and indices count as
    certain.

    Parameters
    ----------
    formula : Formula
        The formula.
    symbols : iterable of str
        Symbols and definitions that have a partner; more than the formula uses is fine.
    single : collection of str
        Those whose partner is one number for the whole table.
    nan_with_result : bool
        Whether the standard deviation is NaN where the result is; else it means nothing there.

    Returns
    -------
    Formula
        The standard deviation.

    Raises
    ------
    FormulaTypeError
        Nothing uncertain enters the result, or something goes through what has no derivative or
        hides it: bit operators, `bits`, `interp`, `poly`, grouped reductions, `floor`, `round` and
        their like. Also where entries of one table may be the same or not, as in `a[i] - a[j]`.
    LimitError
        The result is larger than a formula may be.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> formula = parse("let counts = data & 0x3FFF; (counts - pedestal[g]) / gain")
    >>> print(uncertainty(formula, ["pedestal"]).text)
    abs(pedestal_errors[g] / gain)
    >>> print(uncertainty(formula, ["counts", "pedestal"]).text)
    sqrt((counts_errors / gain) ** 2 + (pedestal_errors[g] / gain) ** 2)
    >>> poisson = parse("let data_errors = sqrt(data); data / monitor")
    >>> print(uncertainty(poisson, ["data"]).text)
    let data_errors = sqrt(data);
    abs(data_errors / monitor)
    """
    if isinstance(symbols, str):
        raise TypeError(f"symbols is {symbols!r}; expected several names")
    check_structure(formula)
    uncertain = set(symbols)
    flow = Flow(formula, uncertain, steps=True)
    variables = flow.occurrences()
    _need_different(formula, variables)
    lets, terms = _terms(flow, variables, uncertain, single)
    if not terms:
        raise FormulaTypeError("nothing that has an uncertainty enters the result", formula.text)
    result = _combined(terms)
    if nan_with_result:
        result = call("where", call("isnan", formula.result), name("nan"), result)
    return assemble(formula, lets, result)


def _need_different(formula: Formula, variables: Sequence[Name | Index]) -> None:
    """Refuse several entries of one table, unless their indices are different numbers."""
    for count, variable in enumerate(variables):
        for other in variables[:count]:
            if variable.name == other.name and not _are_different(variable, other):
                message = f"{variable.name!r} is taken twice, perhaps with the same value"
                advice = "name both with 'let' and give these uncertainties"
                raise FormulaTypeError(f"{message}; {advice}", formula.text, variable.span)


def _are_different(one: Name | Index, other: Name | Index) -> bool:
    if isinstance(one, Name) or isinstance(other, Name):
        return False
    places = [{item.dimension: item.value for item in node.items} for node in (one, other)]
    shared = [(places[0][d], places[1][d]) for d in places[0] if d in places[1]]
    return any(
        isinstance(a, Literal) and isinstance(b, Literal) and a.value != b.value for a, b in shared
    )


def _terms(
    flow: Flow,
    variables: Sequence[Name | Index],
    uncertain: Iterable[str],
    single: Collection[str],
) -> tuple[list[Let], list[Node]]:
    """All definitions, and the contribution of each variable."""
    formula = flow.formula
    partners = [variable.name + SUFFIX for variable in variables]
    names = Names([*formula.names, *flow.definitions, *uncertain, *partners])
    found = {let.name: [let] for let in formula.lets}
    terms = []
    for new, variable in zip(partners, variables, strict=True):
        suffix = f"_{variable.name}" if len(variables) > 1 else ""
        differentiation = Differentiation(flow, variable, names, suffix)
        for let, definitions in differentiation.lets.items():
            found[let] += definitions
        if not is_number(differentiation.result, 0):
            is_single = new in flow.definitions or variable.name in single
            error = name(new) if is_single else partner(variable, new)
            terms.append(times(differentiation.result, error))
    return [let for group in found.values() for let in group], terms


def _combined(terms: Sequence[Node]) -> Node:
    positive = [negative(term) if is_negative(term) else term for term in terms]
    if len(positive) > 1:
        return call("sqrt", reduce(plus, (power(term, number(2)) for term in positive)))
    (term,) = positive
    return term if isinstance(term, Name | Index) else call("abs", term)
