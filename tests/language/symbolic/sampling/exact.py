"""Values of formulas in fractions: what is equal is equal to the last digit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

from nxformula.language.parser import children_of
from nxformula.language.tree import Binary, Call, Formula, Let, Literal, Name, Node, Unary

_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: Fraction(a) / b,
    "**": lambda a, b: Fraction(a) ** b,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "floor": floor,
    "ceil": ceil,
    "round": round,
    "sign": lambda x: (x > 0) - (x < 0),
    "min": min,
    "max": max,
    "clip": lambda x, low, high: min(max(x, low), high),
    "mod": lambda x, y: x - y * floor(Fraction(x) / y),
    "div": lambda a, b: floor(Fraction(a) / b),
    "bits": lambda x, first, count: (x >> first) & (2**count - 1),
    "where": lambda condition, a, b: a if condition else b,
    "choose": lambda i, *values: values[i],
}


def exact(formula: Formula, symbols: Mapping[str, Any]) -> Any:
    """The value; None where a part divides by zero or takes something of the wrong kind."""
    values: dict[int, Any] = {}
    definitions: dict[str, Any] = {"true": True, "false": False}
    for node in formula.nodes:
        operands = [values[id(child)] for child in children_of(node)]
        try:
            values[id(node)] = _value(node, operands, {**symbols, **definitions})
        except (ZeroDivisionError, TypeError, ValueError, OverflowError, IndexError):
            return None
        if isinstance(node, Let):
            definitions[node.name] = operands[0]
    return values[id(formula.result)]


def _value(node: Node, operands: list[Any], names: Mapping[str, Any]) -> Any:
    match node:
        case Literal(value=value):
            return value if isinstance(value, int) else Fraction(repr(value))
        case Name(name=name):
            return names[name]
        case Unary(operator="not"):
            return not operands[0]
        case Unary():
            return -operands[0]
        case Binary(operator=symbol):
            return _OPERATORS[symbol](*operands)
        case Call(name=name):
            return _FUNCTIONS[name](*operands)
    return operands[0]
