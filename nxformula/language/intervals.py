"""Integer intervals: what values an integer expression can have.

These rules are part of the language: two implementations must accept the same formulas. Operators
take the corner values of their operands; conditions and repeated operands teach nothing, so
`x - x` is not 0. Bounds are Python integers and never wrap.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final, NamedTuple


class Interval(NamedTuple):
    """All integers from `low` to `high`, both included."""

    low: int
    high: int

    def within(self, other: Interval) -> bool:
        """Whether every value of this interval is in the other."""
        return other.low <= self.low and self.high <= other.high

    @property
    def values(self) -> range:
        """All integers of the interval."""
        return range(self.low, self.high + 1)

    def __str__(self) -> str:
        return f"[{self.low}, {self.high}]"


INT64: Final = Interval(-(1 << 63), (1 << 63) - 1)
UINT64: Final = Interval(0, (1 << 64) - 1)
#: Shift counts that are accepted.
SHIFT: Final = Interval(0, 63)


def hull(*intervals: Interval) -> Interval:
    """The smallest interval that holds all of them."""
    return Interval(min(i.low for i in intervals), max(i.high for i in intervals))


def _corners(function: Callable[[int, int], int], a: Interval, b: Interval) -> Interval:
    values = [function(x, y) for x, y in product(a, b)]
    return Interval(min(values), max(values))


def add(a: Interval, b: Interval) -> Interval:
    """Interval of `a + b`."""
    return Interval(a.low + b.low, a.high + b.high)


def subtract(a: Interval, b: Interval) -> Interval:
    """Interval of `a - b`."""
    return Interval(a.low - b.high, a.high - b.low)


def multiply(a: Interval, b: Interval) -> Interval:
    """Interval of `a * b`."""
    return _corners(lambda x, y: x * y, a, b)


def negate(a: Interval) -> Interval:
    """Interval of `-a`."""
    return Interval(-a.high, -a.low)


def shift_left(a: Interval, count: Interval) -> Interval:
    """Interval of `a << count`, for counts in `SHIFT`."""
    return _corners(lambda x, n: x << n, a, count)


def shift_right(a: Interval, count: Interval) -> Interval:
    """Interval of `a >> count`, for counts in `SHIFT`: floor of a division by a power of two."""
    return _corners(lambda x, n: x >> n, a, count)


def _bit_range(a: Interval, b: Interval) -> Interval:
    """All values with no more bits than the widest operand, in two's complement."""
    bits = max(_magnitude_bits(v) for v in (*a, *b))
    low = 0 if min(a.low, b.low) >= 0 else -(1 << bits)
    return Interval(low, (1 << bits) - 1)


def _magnitude_bits(value: int) -> int:
    return (value if value >= 0 else ~value).bit_length()


def bit_and(a: Interval, b: Interval) -> Interval:
    """Interval of `a & b`: not above the smaller operand that is never negative."""
    highs = [i.high for i in (a, b) if i.low >= 0]
    return Interval(0, min(highs)) if highs else _bit_range(a, b)


def bit_or(a: Interval, b: Interval) -> Interval:
    """Interval of `a | b`: not below the larger operand where neither is negative."""
    width = _bit_range(a, b)
    return Interval(max(a.low, b.low), width.high) if width.low == 0 else width


def bit_xor(a: Interval, b: Interval) -> Interval:
    """Interval of `a ^ b`."""
    return _bit_range(a, b)


def absolute(a: Interval) -> Interval:
    """Interval of `abs(a)`."""
    low = 0 if a.low <= 0 <= a.high else min(abs(a.low), abs(a.high))
    return Interval(low, max(abs(a.low), abs(a.high)))


def minimum(*intervals: Interval) -> Interval:
    """Interval of `min` of the operands."""
    return Interval(min(i.low for i in intervals), min(i.high for i in intervals))


def maximum(*intervals: Interval) -> Interval:
    """Interval of `max` of the operands."""
    return Interval(max(i.low for i in intervals), max(i.high for i in intervals))


def clip(x: Interval, low: Interval, high: Interval) -> Interval:
    """Interval of `clip(x, low, high)`, which is `min(max(x, low), high)`."""
    return minimum(maximum(x, low), high)


def identity(a: Interval) -> Interval:
    """Interval of functions that leave integers as they are."""
    return a


def sign(a: Interval) -> Interval:
    """Interval of `sign(a)`."""
    return Interval((a.low > 0) - (a.low < 0), (a.high > 0) - (a.high < 0))


def divide(a: Interval, b: Interval) -> Interval:
    """Interval of `div(a, b)`, the floored quotient, for divisors without 0."""
    return _corners(lambda x, y: x // y, a, b)


def modulo(a: Interval, b: Interval) -> Interval:
    """Interval of `mod(a, b)`, for divisors without 0: from 0 to the divisor, which it is not."""
    return Interval(0, b.high - 1) if b.low > 0 else Interval(b.low + 1, 0)
