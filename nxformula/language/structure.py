"""What can be wrong with a formula before anything is known of its symbols."""

from __future__ import annotations

from nxformula.errors import ArityError, FormulaSyntaxError, FormulaTypeError, UnknownNameError
from nxformula.language.functions import CONSTANTS, FUNCTIONS, is_reserved
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
    nxformula.errors.UnknownNameError: ... 'squrt' is not a function...
    """
    text = formula.text
    later = {let.name for let in formula.lets}
    made: set[str] = set()
    for node in formula.nodes:
        match node:
            case Let(name=name) if name in made or is_reserved(name):
                message = f"{name!r} is not free; a definition needs a new name"
                raise FormulaSyntaxError(message, text, node.span)
            case Let(name=name):
                made.add(name)
            case Index(name=name) if name in later or name in CONSTANTS:
                message = f"only symbols can be indexed; {name!r} is not one"
                raise FormulaTypeError(message, text, node.span)
            case Name(name=name) | Index(name=name) if name in FUNCTIONS:
                message = f"{name!r} is a function; write '{FUNCTIONS[name].signature}'"
                raise FormulaSyntaxError(message, text, node.span)
            case Name(name=name) if name in later and name not in made:
                message = f"{name!r} is defined further down"
                raise UnknownNameError(message, text, node.span)
            case Call():
                _check_call(node, text)


def _check_call(node: Call, text: str) -> None:
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise UnknownNameError(f"{node.name!r} is not a function", text, node.span)
    fewest, most = function.arity
    if not fewest <= len(node.arguments) <= most:
        message = f"'{function.signature}' takes another number of arguments"
        raise ArityError(message, text, node.span)
    if node.name == "position":
        message = f"'{function.signature}' takes the name of a dimension"
        raise FormulaSyntaxError(message, text, node.span)
