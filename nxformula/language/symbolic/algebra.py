"""Formulas as expressions of sympy, made node by node; text never goes to sympy's parser.

Conditions are 0 or 1, so that `where` is a sum, and bit operators with constants become floors:
what is equal then often is equal as a quotient of polynomials. All else that sympy would have to
guess about is an opaque function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final, TypeAlias

from nxformula.errors import LimitError
from nxformula.language import limits
from nxformula.language.parser import children_of
from nxformula.language.structure import check_structure
from nxformula.language.symbolic import exact_integers, expressions
from nxformula.language.symbolic.exact_integers import floor
from nxformula.language.symbolic.expressions import (
    Expression,
    commutative,
    condition,
    opaque,
    symbol,
)
from nxformula.language.symbolic.normal import Sizes
from nxformula.language.tree import (
    Binary,
    Call,
    Formula,
    Index,
    Let,
    Literal,
    Name,
    Node,
    Position,
    Unary,
)

#: Operators that chain: sums and products of a thousand operands are not a thousand levels deep.
_CHAINS: Final[Mapping[str, str]] = {
    "+": "sum",
    "-": "sum",
    "*": "product",
    "/": "product",
    **{operator: operator for operator in ("and", "or", "&", "|", "^")},
}
#: Levels of operators that are not of one chain, with definitions written out.
_DEPTH: Final = 100
#: Largest expression, and all expressions together, in sympy's objects.
_SIZE: Final = 10_000
_WORK: Final = 200_000


def to_sympy(formula: Formula) -> Expression:
    """The result of a formula, with its definitions written out.

    Raises
    ------
    LimitError
        More than 10,000 nodes, or operators nested too deeply for sympy.
    """
    check_structure(formula)
    _check_expanded(formula)
    return _Converter(formula).result


def _check_expanded(formula: Formula) -> None:
    """Refuse definitions that become large, or nested, when written out."""
    measured: dict[int, tuple[int, int]] = {}
    definitions: dict[str, Node] = {}
    for node in formula.nodes:
        if isinstance(node, Let):
            definitions[node.name] = node.value
        below = children_of(node)
        if isinstance(node, Name) and node.name in definitions:
            below = (definitions[node.name],)
        nodes = 1 + sum(measured[id(child)][0] for child in below)
        depth = max(
            (measured[id(child)][1] + (not _chains(node, child)) for child in below), default=0
        )
        measured[id(node)] = nodes, depth
        if nodes > limits.EXPANDED:
            message = f"the definitions written out have more than {limits.EXPANDED} nodes"
            raise LimitError(message, formula.text, node.span)
        if depth > _DEPTH:
            message = f"with the definitions written out, operators nest deeper than {_DEPTH}"
            raise LimitError(message, formula.text, node.span)


def _chains(node: Node, child: Node) -> bool:
    """Whether the first operand of a node belongs to the same chain."""
    if not (isinstance(node, Binary) and isinstance(child, Binary) and child is node.left):
        return isinstance(node, Let | Name)
    chain = _CHAINS.get(node.operator)
    return chain is not None and chain == _CHAINS.get(child.operator)


class _Converter:
    def __init__(self, formula: Formula) -> None:
        self._values: dict[int, Expression] = {}
        self._definitions: dict[str, Node] = {}
        inner = {
            id(child)
            for node in formula.nodes
            for child in children_of(node)[:1]
            if isinstance(node, Binary) and _chains(node, child)
        }
        sizes = Sizes()
        work = 0
        for node in formula.nodes:
            if id(node) in inner:
                continue
            value = expressions.defined(self._converted(node))
            self._values[id(node)] = value
            work += sizes.of(value)
            if sizes.of(value) > _SIZE or work > _WORK:
                raise LimitError("the formula is too large to compare", formula.text, node.span)
        self.result = self._values[id(formula.result)]

    def _of(self, node: Node) -> Expression:
        return self._values[id(node)]

    def _converted(self, node: Node) -> Expression:
        match node:
            case Literal(value=value):
                return _exact(value)
            case Name(name=name) if name in self._definitions:
                return self._of(self._definitions[name])
            case Name(name=name):
                return _exact(int(name == "true")) if name in ("true", "false") else symbol(name)
            case Let(name=name, value=value):
                self._definitions[name] = value
                return self._of(value)
            case Position(dimension=dimension):
                return symbol(f"position({dimension})")
        return self._operation(node)

    def _operation(self, node: Node) -> Expression:
        match node:
            case Unary(operator="not", operand=operand):
                return 1 - condition(self._of(operand))
            case Unary(operand=operand):
                return -self._of(operand)
            case Binary(operator=operator) if operator in _CHAINS:
                return self._chain(node)
            case Binary(operator=operator, left=left, right=right):
                return _infix(operator, self._of(left), self._of(right))
            case Call(name=name, arguments=arguments):
                values = [self._of(argument) for argument in arguments]
                known = _FUNCTIONS.get(name)
                return opaque(name, *values) if known is None else known(*values)
            case Index():
                return self._entry(node)

    def _entry(self, node: Index) -> Expression:
        items = sorted(node.items, key=lambda item: item.dimension or "")
        label = ",".join(item.dimension or "" for item in items)
        values = [self._of(item.value) for item in items]
        if node.otherwise is not None:
            values.append(self._of(node.otherwise))
            label += ",else"
        return opaque(f"{node.name}[{label}]", *values)

    def _chain(self, node: Binary) -> Expression:
        """A sum, product, or other chain, from all of its operands at once."""
        parts: list[tuple[str, Expression]] = []
        first: Node = node
        while isinstance(first, Binary) and id(first) not in self._values:
            parts.append((first.operator, self._of(first.right)))
            first = first.left
        return _chained(_CHAINS[node.operator], self._of(first), parts[::-1])


def _exact(value: int | float) -> Expression:
    import sympy

    exact = Fraction(repr(value))
    return sympy.Rational(exact.numerator, exact.denominator)


def _infix(operator: str, left: Expression, right: Expression) -> Expression:
    if operator == "**":
        return expressions.power(left, right)
    if operator in ("<<", ">>"):
        return exact_integers.shift(operator, left, right)
    return expressions.comparison(operator, left, right)


def _chained(chain: str, first: Expression, parts: list[tuple[str, Expression]]) -> Expression:
    import sympy

    match chain:
        case "sum":
            return sympy.Add(first, *(-v if operator == "-" else v for operator, v in parts))
        case "product":
            factors = (expressions.inverted(v) if operator == "/" else v for operator, v in parts)
            return sympy.Mul(first, *factors)
    values = [first, *(value for _, value in parts)]
    match chain:
        case "and":
            return sympy.Mul(*(condition(value) for value in values))
        case "or":
            return 1 - sympy.Mul(*(1 - condition(value) for value in values))
    return exact_integers.bits(chain, values)


_Function: TypeAlias = Callable[..., Expression]


def _known(name: str) -> _Function:
    return lambda x: expressions.smooth(name, x)


def _logarithm(base: int) -> _Function:
    return lambda x: expressions.smooth("log", x) / opaque("log", _exact(base))


_SMOOTH: Final = ("exp", "log", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
#: Functions that are not opaque.
_FUNCTIONS: Final[Mapping[str, _Function]] = {
    **{name: _known(name) for name in _SMOOTH},
    "abs": expressions.absolute,
    "sign": expressions.sign,
    "expm1": lambda x: expressions.smooth("exp", x) - 1,
    "log1p": lambda x: expressions.smooth("log", 1 + x),
    "log2": _logarithm(2),
    "log10": _logarithm(10),
    "sqrt": expressions.root,
    "hypot": lambda x, y: expressions.root(x**2 + y**2),
    "floor": floor,
    "ceil": lambda x: -floor(-x),
    "min": lambda *values: commutative("min", values),
    "max": lambda *values: commutative("max", values),
    "clip": lambda x, low, high: commutative("min", [commutative("max", [x, low]), high]),
    "mod": exact_integers.modulo,
    "div": lambda a, b: floor(a * expressions.inverted(b)),
    "bits": exact_integers.field,
    "where": expressions.where,
    "choose": expressions.choose,
}
