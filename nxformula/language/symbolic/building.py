"""New nodes from nodes, simplified where that takes one look: 0 * x, 1 * x, x + 0, -(-x).

The simplifications hold for finite numbers: `0 * x` becomes 0 although it is NaN for infinite x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from nxformula.language.functions import FUNCTIONS
from nxformula.language.parser import children_of
from nxformula.language.tree import (
    Binary,
    Call,
    Index,
    Let,
    Literal,
    Name,
    Node,
    Position,
    Span,
    Unary,
)

#: The span of nodes that are in no text.
NOWHERE: Final[Span] = (0, 0)


def number(value: int | float) -> Node:
    """A number; a negative one is a negated literal."""
    return negative(Literal(-value, NOWHERE)) if value < 0 else Literal(value, NOWHERE)


def name(of: str) -> Name:
    """A name."""
    return Name(of, NOWHERE)


def call(function: str, *arguments: Node) -> Call:
    """A call of a function."""
    return Call(function, arguments, NOWHERE)


def is_number(node: Node, value: int | float) -> bool:
    """Whether a node is this number."""
    return isinstance(node, Literal) and node.value == value


def is_nan(node: Node) -> bool:
    """Whether a node is the constant `nan`."""
    return isinstance(node, Name) and node.name == "nan"


def same(one: Node, other: Node) -> bool:
    """Whether two nodes are written alike, up to the spelling of numbers."""
    pairs = [(one, other)]
    while pairs:
        a, b = pairs.pop()
        if a is b:
            continue
        below = children_of(a), children_of(b)
        if _label(a) != _label(b) or len(below[0]) != len(below[1]):
            return False
        pairs += zip(*below, strict=True)
    return True


def _label(node: Node) -> tuple[object, ...]:
    """What a node is besides its operands."""
    match node:
        case Literal(value=value):
            return Literal, type(value), value
        case Name(name=found) | Call(name=found) | Let(name=found):
            return type(node), found
        case Unary(operator=operator) | Binary(operator=operator):
            return type(node), operator
        case Position(dimension=dimension):
            return Position, dimension
        case Index(name=found, items=items, otherwise=otherwise):
            return Index, found, otherwise is None, *(item.dimension for item in items)


# Signs: a negated product is a product whose first factor is negated, as in `-2 * a`. Before a
# quotient this is not always possible: the first factor may be an integer that has no negative
# within int64, while the quotient is real.


def _factors(node: Node) -> list[Binary]:
    """The products and quotients on the way to the first factor, outermost first."""
    found: list[Binary] = []
    while isinstance(node, Binary) and node.operator in ("*", "/"):
        found.append(node)
        node = node.left
    return found


def is_negative(node: Node) -> bool:
    """Whether a node is written with a minus in front of its first factor."""
    factors = _factors(node)
    first = factors[-1].left if factors else node
    return isinstance(first, Unary) and first.operator == "-"


def negative(node: Node) -> Node:
    """The negation `-x`; a product takes the minus into its first factor where that is safe."""
    if is_number(node, 0):
        return node
    factors = _factors(node)
    first = factors[-1].left if factors else node
    if any(factor.operator == "/" for factor in factors) and not _may_be_negated(first):
        return Unary("-", node, NOWHERE)
    result = _negative_factor(first)
    for factor in reversed(factors):
        product = is_number(result, 1) and factor.operator == "*"
        result = factor.right if product else Binary(factor.operator, result, factor.right, NOWHERE)
    return result


def _may_be_negated(factor: Node) -> bool:
    match factor:
        case Literal() | Unary():
            return True
        case Binary(operator=operator):
            return operator in ("+", "-", "*", "/", "**")
        case Call(name=function) if function in FUNCTIONS:
            return FUNCTIONS[function].type == "real"
    return False


def _negative_factor(node: Node) -> Node:
    if isinstance(node, Unary) and node.operator == "-":
        return node.operand
    if isinstance(node, Binary) and node.operator == "-":
        return minus(node.right, node.left)
    return Unary("-", node, NOWHERE)


# Arithmetic


def _integers(a: Node, b: Node) -> tuple[int, int] | None:
    """The values of two integer literals that are small enough to compute with."""
    if not (isinstance(a, Literal) and isinstance(b, Literal)):
        return None
    one, other = a.value, b.value
    if isinstance(one, int) and isinstance(other, int) and max(one, other) < 1 << 31:
        return one, other
    return None


def plus(a: Node, b: Node) -> Node:
    """The sum `a + b`."""
    if same(a, b):
        return times(number(2), a)
    if is_number(a, 0):
        return b
    if is_number(b, 0):
        return a
    if is_negative(b):
        return minus(a, negative(b))
    if is_negative(a):
        return minus(b, negative(a))
    values = _integers(a, b)
    if values:
        return number(values[0] + values[1])
    return _joined_where(plus, a, b) or Binary("+", a, b, NOWHERE)


def _joined_where(operation: Callable[[Node, Node], Node], a: Node, b: Node) -> Node | None:
    """The sum or difference of two `where` with the same condition."""
    if not (isinstance(a, Call) and isinstance(b, Call) and a.name == b.name == "where"):
        return None
    if not same(a.arguments[0], b.arguments[0]):
        return None
    condition, *_ = a.arguments
    branches = zip(a.arguments[1:], b.arguments[1:], strict=True)
    return select("where", condition, [operation(*branch) for branch in branches])


def minus(a: Node, b: Node) -> Node:
    """The difference `a - b`."""
    if same(a, b):
        return number(0)
    if is_number(b, 0):
        return a
    if is_number(a, 0):
        return negative(b)
    if is_negative(b):
        return plus(a, negative(b))
    values = _integers(a, b)
    if values:
        return number(values[0] - values[1])
    return _joined_where(minus, a, b) or Binary("-", a, b, NOWHERE)


def times(a: Node, b: Node) -> Node:
    """The product `a * b`."""
    if is_number(a, 0) or is_number(b, 0):
        return number(0)
    if is_negative(a):
        return negative(times(negative(a), b))
    if is_negative(b):
        return negative(times(a, negative(b)))
    if is_number(a, 1):
        return b
    if is_number(b, 1):
        return a
    values = _integers(a, b)
    if values:
        return number(values[0] * values[1])
    return _selected_product(a, b) or _product(a, b)


def _selected_product(a: Node, b: Node) -> Node | None:
    """The product with a `where` of zeros, ones and NaN: what it lets through."""
    for mask, other in ((a, b), (b, a)):
        if not (isinstance(mask, Call) and mask.name == "where"):
            continue
        condition, *branches = mask.arguments
        if all(is_nan(x) or is_number(x, 0) or is_number(x, 1) for x in branches):
            passed = [x if is_nan(x) else times(x, other) for x in branches]
            return select("where", condition, passed)
    return None


def _product(a: Node, b: Node) -> Node:
    for one, other in ((a, b), (b, a)):
        if isinstance(one, Binary) and one.operator == "/" and is_number(one.left, 1):
            return over(other, one.right)
    is_quotient = isinstance(a, Binary) and a.operator == "/"
    if isinstance(b, Literal) and not isinstance(a, Literal) and not is_quotient:
        a, b = b, a
    return Binary("*", a, b, NOWHERE)


def over(a: Node, b: Node) -> Node:
    """The quotient `a / b`."""
    if is_number(a, 0) or is_number(b, 1):
        return a
    if is_negative(b):
        return negative(over(a, negative(b)))
    return Binary("/", a, b, NOWHERE)


def power(a: Node, b: Node) -> Node:
    """The power `a ** b`."""
    if is_number(b, 0):
        return number(1)
    return a if is_number(b, 1) else Binary("**", a, b, NOWHERE)


def select(function: str, selector: Node, values: Sequence[Node]) -> Node:
    """`where` or `choose`; one number where all values are that."""
    first = values[0]
    if isinstance(first, Literal) and all(is_number(value, first.value) for value in values):
        return first
    return Call(function, (selector, *values), NOWHERE)
