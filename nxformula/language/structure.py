"""What can be wrong with a formula before anything is known of its symbols."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from nxformula.errors import ArityError, FormulaSyntaxError, FormulaTypeError, UnknownNameError
from nxformula.language.functions import CONSTANTS, FUNCTIONS, Function, is_reserved
from nxformula.language.tree import Call, Formula, Index, Let, Name


def check_structure(formula: Formula) -> None:
    """Refuse a formula that no symbols could make right.

    Raises
    ------
    FormulaError
        A definition takes a name that is not free, or is used before it is made; a function is
        unknown or has the wrong number of arguments; something is indexed that is not a symbol.

    Examples
    --------
    >>> from nxformula.language.parser import parse
    >>> check_structure(parse("let a = sqrt(x); a * squrt(y)"))
    Traceback (most recent call last):
        ...
    nxformula.errors.UnknownNameError: ... 'squrt' is not a function; did you mean 'sqrt'?...
    """
    later = {let.name for let in formula.lets}
    made: set[str] = set()
    for node in formula.nodes:
        match node:
            case Let(name=name):
                check_free(node, formula, made)
                made.add(name)
            case Index(name=name) if name in later or name in CONSTANTS:
                message = f"only symbols can be indexed; {name!r} is not one"
                raise FormulaTypeError(message, formula.text, node.span)
            case Name(name=name) | Index(name=name) if name in FUNCTIONS:
                check_known(node, formula, ())
            case Name(name=name) if name in later - made:
                check_known(node, formula, made)
            case Call(name=name):
                function_of(node, formula, made)
                if name == "position":
                    message = f"'{FUNCTIONS[name].signature}' takes the name of a dimension"
                    raise FormulaSyntaxError(message, formula.text, node.span)


def check_free(
    node: Let, formula: Formula, taken: Iterable[str], symbols: Iterable[str] = ()
) -> None:
    """Refuse a definition of a name that means something already."""
    owners = {
        "already defined": node.name in taken,
        "a symbol": node.name in symbols,
        "part of the language": is_reserved(node.name),
    }
    for owner, has_it in owners.items():
        if has_it:
            message = f"{node.name!r} is {owner}; a definition needs a new name"
            raise FormulaSyntaxError(message, formula.text, node.span)


def check_known(node: Name | Index, formula: Formula, known: Collection[str]) -> None:
    """Refuse a name that is none of those known, and say what it may stand for."""
    name = node.name
    if name in FUNCTIONS:
        message = f"{name!r} is a function; write '{FUNCTIONS[name].signature}'"
        raise FormulaSyntaxError(message, formula.text, node.span)
    if name in known:
        return
    later = any(let.name == name for let in formula.lets)
    hint = "; it is defined further down" if later else _meant(name, [*known, *CONSTANTS])
    message = f"{name!r} is not a symbol or a definition{hint}"
    raise UnknownNameError(message, formula.text, node.span)


def function_of(node: Call, formula: Formula, values: Collection[str]) -> Function:
    """The function that is called; `values` are names that have a value instead."""
    function = FUNCTIONS.get(node.name)
    if function is None:
        is_value = node.name in values
        hint = "; a table is indexed with '[...]'" if is_value else _meant(node.name, FUNCTIONS)
        message = f"{node.name!r} is not a function{hint}"
        raise UnknownNameError(message, formula.text, node.span)
    fewest, most = function.arity
    given = len(node.arguments)
    if not fewest <= given <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        message = f"'{function.signature}' takes {wanted} arguments, found {given}"
        raise ArityError(message, formula.text, node.span)
    return function


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
