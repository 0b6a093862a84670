"""Formulas as expressions of sympy, made node by node; text never goes to sympy's parser.

Conditions are 0 or 1, so that `where` is a sum, and bit operators with constants become floors:
what is equal then often is equal as a quotient of polynomials. All else that sympy would have to
guess about is a function without properties, named here in `_opaque`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, Final, TypeAlias

from nxformula.errors import LimitError
from nxformula.language import limits
from nxformula.language.normal import Sizes, normal
from nxformula.language.parser import children_of
from nxformula.language.structure import check_structure
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

#: An expression of sympy, which has no types.
Expression: TypeAlias = Any

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
#: Largest exponent, and most bits of a number, that sympy may compute a power with.
_EXPONENT: Final = 64
_BITS: Final = 4096
#: Most places in a mask where ones begin or end.
_EDGES: Final = 16
#: Largest expression, and all expressions together, in sympy's objects.
_SIZE: Final = 10_000
_WORK: Final = 200_000
_INTEGERS: Final = {"&": operator.and_, "|": operator.or_, "^": operator.xor}


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
        import sympy

        self._sympy: Any = sympy
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
            value = self._defined(self._converted(node))
            self._values[id(node)] = value
            size = sizes.of(value)
            work += size
            if size > _SIZE or work > _WORK:
                raise LimitError("the formula is too large to compare", formula.text, node.span)
        self.result = self._values[id(formula.result)]

    def _of(self, node: Node) -> Expression:
        return self._values[id(node)]

    def _symbol(self, name: str) -> Expression:
        return self._sympy.Symbol(name, real=True)

    def _opaque(self, name: str, *arguments: Expression) -> Expression:
        """A function about which nothing is known but that equal arguments give equal values."""
        return self._sympy.Function(name, real=True)(*(normal(a) for a in arguments))

    def _defined(self, value: Expression) -> Expression:
        s = self._sympy
        return self._symbol("1/0") if value in (s.zoo, s.nan, s.oo, -s.oo) else value

    def _converted(self, node: Node) -> Expression:
        match node:
            case Literal(value=value):
                exact = Fraction(repr(value))
                return self._sympy.Rational(exact.numerator, exact.denominator)
            case Name():
                return self._name(node)
            case Let(name=name, value=value):
                self._definitions[name] = value
                return self._of(value)
            case Unary(operator="not", operand=operand):
                return 1 - self._condition(self._of(operand))
            case Unary(operand=operand):
                return -self._of(operand)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
            case Index():
                return self._index(node)
            case Position(dimension=dimension):
                return self._symbol(f"position({dimension})")

    def _name(self, node: Name) -> Expression:
        if node.name in self._definitions:
            return self._of(self._definitions[node.name])
        truth = {"true": 1, "false": 0}.get(node.name)
        return self._symbol(node.name) if truth is None else self._sympy.Integer(truth)

    def _index(self, node: Index) -> Expression:
        items = sorted(node.items, key=lambda item: item.dimension or "")
        label = ",".join(item.dimension or "" for item in items)
        values = [self._of(item.value) for item in items]
        if node.otherwise is not None:
            values.append(self._of(node.otherwise))
            label += ",else"
        return self._opaque(f"{node.name}[{label}]", *values)

    # Operators

    def _binary(self, node: Binary) -> Expression:
        if node.operator in _CHAINS:
            return self._chain(node)
        left, right = self._of(node.left), self._of(node.right)
        match node.operator:
            case "**":
                return self._power(left, right)
            case "<<":
                return self._shift(left, right, up=True)
            case ">>":
                return self._shift(left, right, up=False)
        return self._comparison(node.operator, left, right)

    def _chain(self, node: Binary) -> Expression:
        parts: list[tuple[str, Expression]] = []
        first: Node = node
        while isinstance(first, Binary) and id(first) not in self._values:
            parts.append((first.operator, self._of(first.right)))
            first = first.left
        values = [self._of(first), *(value for _, value in reversed(parts))]
        s = self._sympy
        match _CHAINS[node.operator]:
            case "sum":
                signed = [-value if operator == "-" else value for operator, value in parts]
                return s.Add(values[0], *signed)
            case "product":
                factors = [self._inverted(v) if operator == "/" else v for operator, v in parts]
                return s.Mul(values[0], *factors)
            case "and":
                return s.Mul(*(self._condition(value) for value in values))
            case "or":
                return 1 - s.Mul(*(1 - self._condition(value) for value in values))
        return self._bits(node.operator, values)

    def _inverted(self, value: Expression) -> Expression:
        return self._defined(1 / value) if value != 0 else self._symbol("1/0")

    def _power(self, base: Expression, exponent: Expression) -> Expression:
        s = self._sympy
        if base == 0 and exponent.is_negative:
            return self._symbol("1/0")
        if exponent.is_Rational and max(abs(exponent.p), exponent.q) <= _EXPONENT:
            bits = max(
                (n.p.bit_length() + n.q.bit_length() for n in base.atoms(s.Rational)), default=1
            )
            small = bits * abs(exponent.p) <= _BITS
            if small and (exponent.is_Integer or not base.is_number or exponent.q == 2):
                return s.Pow(base if exponent.is_Integer else normal(base), exponent)
        return self._opaque("pow", base, exponent)

    def _comparison(self, operator: str, left: Expression, right: Expression) -> Expression:
        difference = normal(left - right if operator in (">", ">=", "==", "!=") else right - left)
        _, difference = difference.as_content_primitive()
        if operator in ("==", "!="):
            equal = self._zero(difference)
            return equal if operator == "==" else 1 - equal
        strict = operator in ("<", ">")
        if difference.is_Rational:
            return self._sympy.Integer(bool(difference > 0 if strict else difference >= 0))
        return self._opaque("positive" if strict else "not negative", difference)

    def _zero(self, value: Expression) -> Expression:
        """Whether a value is 0."""
        if value.is_Rational:
            return self._sympy.Integer(bool(value == 0))
        return self._opaque("zero", -value if value.could_extract_minus_sign() else value)

    def _condition(self, value: Expression) -> Expression:
        """A condition; a symbol in the place of one is a bool."""
        is_entry = value.is_Symbol or getattr(value.func, "__name__", "").endswith("]")
        return self._opaque("bool", value) if is_entry else value

    # Integers

    def _floor(self, value: Expression) -> Expression:
        """The floor; that of a floor divided by an integer is one floor."""
        s = self._sympy
        found = s.floor(normal(value))
        nested = {}
        for floor in found.atoms(s.floor):
            factor, inner = floor.args[0].as_coeff_Mul()
            if inner.func == s.floor and factor.is_positive and (1 / factor).is_Integer:
                nested[floor] = s.floor(factor * inner.args[0])
        return found.xreplace(nested)

    def _shift(self, value: Expression, count: Expression, *, up: bool) -> Expression:
        if not (count.is_Integer and 0 <= count < 64):
            return self._opaque("<<" if up else ">>", value, count)
        if up or count == 0:
            return value * 2**count
        return self._floor(value / 2**count)

    def _low(self, value: Expression, count: int) -> Expression:
        """The bits below a place, of an integer that may be negative."""
        return value - 2**count * self._floor(value / 2**count) if count else 0

    def _masked(self, value: Expression, mask: int) -> Expression:
        """`value & mask`: a run of ones is what is below its end, less what is below its start."""
        if mask < 0:
            return value - self._masked(value, ~mask)
        result, place = self._sympy.Integer(0), 0
        while mask >> place:
            start = place + ((mask >> place) & -(mask >> place)).bit_length() - 1
            place = start + (~(mask >> start) & ((mask >> start) + 1)).bit_length() - 1
            result += self._low(value, place) - self._low(value, start)
        return result

    def _bits(self, operator: str, values: Sequence[Expression]) -> Expression:
        """Bit operators with constants by `&`: `x | c = x + c - (x & c)`, `^` with that twice."""
        integers = [int(value) for value in values if value.is_Integer]
        others = [normal(value) for value in values if not value.is_Integer]
        constant = reduce(_INTEGERS[operator], integers, -1 if operator == "&" else 0)
        if operator == "^":
            others = [value for value in set(others) if others.count(value) % 2]
        if not others:
            return self._sympy.Integer(constant)
        value = self._commutative(operator, others)
        if constant == (-1 if operator == "&" else 0):
            return value
        if not self._is_mask(constant):
            return self._opaque(operator, value, self._sympy.Integer(constant))
        common = self._masked(value, constant)
        if operator == "&":
            return common
        return value + constant - (common if operator == "|" else 2 * common)

    def _is_mask(self, constant: int) -> bool:
        """Whether an integer has only a few runs of ones."""
        positive = constant if constant >= 0 else ~constant
        return (
            positive < limits.INTEGER_LITERAL and (positive ^ (positive >> 1)).bit_count() <= _EDGES
        )

    def _commutative(self, name: str, values: Sequence[Expression]) -> Expression:
        """An opaque function that knows neither order nor nesting nor, but for `^`, repetition."""
        flat = [
            normal(part)
            for value in values
            for part in (value.args if getattr(value.func, "__name__", "") == name else [value])
        ]
        ordered = sorted(flat if name == "^" else set(flat), key=self._sympy.default_sort_key)
        return ordered[0] if len(ordered) == 1 else self._opaque(name, *ordered)

    # Functions

    def _call(self, node: Call) -> Expression:
        values = [self._of(argument) for argument in node.arguments]
        special = _FUNCTIONS.get(node.name)
        if special is not None:
            return special(self, *values)
        return self._opaque(node.name, *values)

    def _smooth(self, name: str, value: Expression) -> Expression:
        """A function that sympy knows, unless it would have to compute with a number."""
        s, value = self._sympy, normal(value)
        # sympy makes powers of exponentials of logarithms, and would compute huge ones.
        is_power = name == "exp" and value.has(s.log) and value.func != s.log
        return self._opaque(name, value) if value.is_number or is_power else getattr(s, name)(value)

    def _choose(self, selector: Expression, *values: Expression) -> Expression:
        last = values[-1]
        which = [
            self._comparison("==", selector, self._sympy.Integer(i)) for i in range(len(values))
        ]
        chosen = (w * (value - last) for w, value in zip(which[:-1], values[:-1], strict=True))
        return self._sympy.Add(last, *chosen)

    def _where(self, condition: Expression, a: Expression, b: Expression) -> Expression:
        condition = self._condition(condition)
        return condition * a + (1 - condition) * b

    def _clip(self, x: Expression, low: Expression, high: Expression) -> Expression:
        return self._commutative("min", [self._commutative("max", [x, low]), high])

    def _modulo(self, x: Expression, y: Expression) -> Expression:
        return x - y * self._floor(x * self._inverted(y))

    def _field(self, x: Expression, first: Expression, count: Expression) -> Expression:
        shifted = self._shift(x, first, up=False)
        if not (count.is_Integer and 0 <= count < 64):
            return self._opaque("bits", x, first, count)
        return self._bits("&", [shifted, self._sympy.Integer(2**count - 1)])


_Special: TypeAlias = Callable[..., Expression]


def _known(name: str, *, of: Callable[[Expression], Expression] = lambda x: x) -> _Special:
    return lambda self, x: self._smooth(name, of(x))


def _logarithm(base: int) -> _Special:
    return lambda self, x: self._smooth("log", x) / self._opaque("log", self._sympy.Integer(base))


def _root(self: _Converter, value: Expression) -> Expression:
    return self._power(value, self._sympy.Rational(1, 2))


_FUNCTIONS: Final[Mapping[str, _Special]] = {
    **{name: _known(name) for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: _known(name) for name in ("asin", "acos", "atan", "sign")},
    "abs": _known("Abs"),
    "expm1": lambda self, x: self._smooth("exp", x) - 1,
    "log1p": _known("log", of=lambda x: 1 + x),
    "log2": _logarithm(2),
    "log10": _logarithm(10),
    "sqrt": _root,
    "hypot": lambda self, x, y: _root(self, x**2 + y**2),
    "floor": lambda self, x: self._floor(x),
    "ceil": lambda self, x: -self._floor(-x),
    "min": lambda self, *values: self._commutative("min", values),
    "max": lambda self, *values: self._commutative("max", values),
    "clip": _Converter._clip,
    "mod": _Converter._modulo,
    "div": lambda self, a, b: self._floor(a * self._inverted(b)),
    "bits": _Converter._field,
    "where": _Converter._where,
    "choose": _Converter._choose,
}
