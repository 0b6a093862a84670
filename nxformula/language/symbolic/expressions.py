"""What sympy may know of a formula: real symbols, opaque functions, conditions as 0 or 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from nxformula.language.symbolic.normal import normal

#: An expression of sympy, which has no types.
Expression: TypeAlias = Any

#: Largest exponent, and most bits of a number, that sympy may compute a power with.
_EXPONENT: Final = 64
_BITS: Final = 4096
#: Most bits of a number that sympy may take a root of: it looks for factors.
_ROOT_BITS: Final = 128


def symbol(name: str) -> Expression:
    """A real number; a name with other characters than the language has is no user's."""
    import sympy

    return sympy.Symbol(name, real=True)


def opaque(name: str, *arguments: Expression) -> Expression:
    """A function about which nothing is known but that equal arguments give equal values."""
    import sympy

    return sympy.Function(name, real=True)(*(normal(argument) for argument in arguments))


def is_opaque(value: Expression, name: str) -> bool:
    """Whether a value is of this opaque function."""
    return value.is_Function and bool(value.func.__name__ == name)


def commutative(name: str, values: Sequence[Expression]) -> Expression:
    """An opaque function that knows neither order nor nesting nor, but for `^`, repetition."""
    import sympy

    flat = [
        normal(part)
        for value in values
        for part in (value.args if is_opaque(value, name) else [value])
    ]
    ordered = sorted(flat if name == "^" else set(flat), key=sympy.default_sort_key)
    return ordered[0] if len(ordered) == 1 else opaque(name, *ordered)


# Arithmetic


def defined(value: Expression) -> Expression:
    """A value, or one symbol for all that sympy calls infinite or undefined."""
    import sympy

    infinite = value in (sympy.zoo, sympy.nan, sympy.oo, -sympy.oo)
    return symbol("1/0") if infinite else value


def inverted(value: Expression) -> Expression:
    """The value 1 / x."""
    return symbol("1/0") if value == 0 else defined(1 / value)


def power(base: Expression, exponent: Expression) -> Expression:
    """A power, opaque where sympy might compute a huge number."""
    import sympy

    if base == 0 and exponent.is_negative:
        return symbol("1/0")
    if exponent.is_Rational and max(abs(exponent.p), exponent.q) <= _EXPONENT:
        numbers = base.atoms(sympy.Rational)
        bits = max((n.p.bit_length() + n.q.bit_length() for n in numbers), default=1)
        if exponent.is_Integer and bits * abs(exponent.p) <= _BITS:
            return sympy.Pow(base, exponent)
        is_plain = not base.is_number or exponent.q == 2
        if not exponent.is_Integer and bits * abs(exponent.p) <= _ROOT_BITS and is_plain:
            return sympy.Pow(normal(base), exponent)
    return opaque("**", base, exponent)


def root(value: Expression) -> Expression:
    """The square root."""
    import sympy

    return power(value, sympy.Rational(1, 2))


def smooth(name: str, value: Expression) -> Expression:
    """A function that sympy knows, opaque where sympy might compute with numbers."""
    import sympy

    value = normal(value)
    # sympy makes powers of exponentials of logarithms, and would compute huge ones.
    is_power = name == "exp" and value.has(sympy.log) and value.func != sympy.log
    if value.is_number or is_power:
        return opaque(name, value)
    return getattr(sympy, name)(value)


def absolute(value: Expression) -> Expression:
    """The absolute value; that of a multiple or a negation is known."""
    import sympy

    content, rest, _ = _without_sign(value)
    return content * sympy.Abs(rest)


def sign(value: Expression) -> Expression:
    """The sign; a positive factor does not matter, and a negation changes it."""
    import sympy

    _, rest, direction = _without_sign(value)
    return direction * sympy.sign(rest)


def _without_sign(value: Expression) -> tuple[Expression, Expression, int]:
    """A positive factor, what it multiplies in the one of its two signs, and that sign."""
    content, rest = normal(value).as_content_primitive()
    return (content, -rest, -1) if rest.could_extract_minus_sign() else (content, rest, 1)


# Conditions


def comparison(operator: str, left: Expression, right: Expression) -> Expression:
    """1 where it holds, else 0; known by the sign of a difference without its scale."""
    import sympy

    difference = normal(right - left if operator in ("<", "<=") else left - right)
    _, difference = difference.as_content_primitive()
    if operator in ("==", "!="):
        same = is_zero_at(difference)
        return same if operator == "==" else 1 - same
    strict = operator in ("<", ">")
    if difference.is_Rational:
        return sympy.Integer(bool(difference > 0 if strict else difference >= 0))
    return opaque("positive" if strict else "not negative", difference)


def is_zero_at(value: Expression) -> Expression:
    """1 where a value is 0, else 0."""
    import sympy

    if value.is_Rational:
        return sympy.Integer(bool(value == 0))
    return opaque("zero", -value if value.could_extract_minus_sign() else value)


def condition(value: Expression) -> Expression:
    """A value in the place of a condition: a symbol or an entry of a table there is a bool."""
    is_entry = value.is_Symbol or (value.is_Function and value.func.__name__.endswith("]"))
    return opaque("bool", value) if is_entry else value


def where(holds: Expression, a: Expression, b: Expression) -> Expression:
    """The value a or b."""
    holds = condition(holds)
    return holds * a + (1 - holds) * b


def choose(selector: Expression, *values: Expression) -> Expression:
    """The value of this number; the last for all numbers that are left."""
    import sympy

    *others, last = values
    chosen = (
        comparison("==", selector, sympy.Integer(number)) * (value - last)
        for number, value in enumerate(others)
    )
    return sympy.Add(last, *chosen)
