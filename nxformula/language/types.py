"""The three types of the language, and the dtypes that symbols and results may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from nxformula.language.intervals import Interval

Kind: TypeAlias = Literal["bool", "integer", "real"]


@dataclass(frozen=True, slots=True)
class Type:
    """`bool`, `integer` with the interval of its values, or `real`."""

    kind: Kind
    interval: Interval | None = None

    def __str__(self) -> str:
        return self.kind if self.interval is None else f"integer in {self.interval}"

    @property
    def bounds(self) -> Interval:
        """The interval of an integer."""
        assert self.interval is not None
        return self.interval

    @property
    def constant(self) -> int | None:
        """The value of an integer that can have only one."""
        if self.interval is None or self.interval.low != self.interval.high:
            return None
        return self.interval.low


BOOL: Final = Type("bool")
REAL: Final = Type("real")


def integer(interval: Interval) -> Type:
    """The integer type with these values."""
    return Type("integer", interval)


#: Values of each integer dtype, narrowest first, unsigned before signed.
INTEGER_DTYPES: Final = {
    f"{prefix}int{bits}": Interval(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    if prefix == ""
    else Interval(0, (1 << bits) - 1)
    for bits in (8, 16, 32, 64)
    for prefix in ("u", "")
}

#: Types of the values that a symbol of each dtype has.
SYMBOL_DTYPES: Final = {
    "bool": BOOL,
    **{name: integer(interval) for name, interval in INTEGER_DTYPES.items()},
    "float16": REAL,
    "float32": REAL,
    "float64": REAL,
}

#: Dtypes that a result may be declared to have.
RESULT_DTYPES: Final = ("float32", "float64", *INTEGER_DTYPES, "bool")


def real_dtype(result_dtype: str) -> str:
    """The floating-point format in which a formula with this result dtype computes its reals.

    Examples
    --------
    >>> real_dtype("float32"), real_dtype("int32")
    ('float32', 'float64')
    """
    return "float32" if result_dtype == "float32" else "float64"


def narrowest(*intervals: Interval) -> str | None:
    """The narrowest integer dtype that holds all of the intervals, None if no dtype does.

    Examples
    --------
    >>> narrowest(Interval(0, 255)), narrowest(Interval(0, 255), Interval(-1, 0))
    ('uint8', 'int16')
    """
    for name, values in INTEGER_DTYPES.items():
        if all(interval.within(values) for interval in intervals):
            return name
    return None
