"""What a formula is told about a symbol before any value is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from nxformula.language.types import SYMBOL_DTYPES

#: Name of a dimension that has length 1 and is dropped.
DROPPED: Final = "."

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_DECLARATION = re.compile(
    rf"\s*(?P<name>{_NAME})\s*:\s*(?P<dtype>\w+)\s*(?:\[(?P<axes>[^\]]*)\])?\s*"
    rf"(?:\{{(?P<units>[^}}]*)\}})?\s*"
)
_SHORT = re.compile(r"[iu][1248]|f[248]")
#: No array is longer along a dimension.
_LENGTHS = 1 << 63
_AXIS = re.compile(rf"(?P<axis>{_NAME}|\.)\s*(?:=\s*(?P<length>[0-9]+))?")


@dataclass(frozen=True, slots=True)
class Symbol:
    """Type, dimensions and units of a symbol.

    Parameters
    ----------
    dtype : str or numpy.dtype
        Type as stored; byte order does not matter.
    axes : tuple of str
        Names of the dimensions, in the order of storage; "." is one of length 1 that is dropped.
    shape : tuple of int, optional
        Lengths of the dimensions; without it an index is never proven to be inside.
    units : str, optional
        Units of the values: None if they are not known, an empty text for plain numbers.

    Raises
    ------
    ValueError
        A length is negative, or beyond what any array has.

    Examples
    --------
    >>> Symbol(">u2", axes=("frame", "slow", "fast")).dtype
    'uint16'
    """

    dtype: str
    axes: tuple[str, ...] = ()
    shape: tuple[int | None, ...] | None = None
    units: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.axes, str):
            raise TypeError(f"axes is {self.axes!r}; expected a tuple of names")
        dtype: Any = np.dtype(self.dtype)
        object.__setattr__(self, "dtype", dtype.name)
        object.__setattr__(self, "axes", tuple(self.axes))
        if self.shape is not None:
            object.__setattr__(self, "shape", tuple(self.shape))
            for length in self.shape:
                if length is not None and not 0 <= length < _LENGTHS:
                    raise ValueError(f"a dimension has length {length}; expected 0 to 2**63 - 1")
        object.__setattr__(self, "units", None if self.units is None else self.units.strip())

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that count: all but the dropped ones."""
        return tuple(axis for axis in self.axes if axis != DROPPED)

    def length(self, dimension: str) -> int | None:
        """Length of a dimension, None if unknown."""
        return None if self.shape is None else self.shape[self.axes.index(dimension)]

    def __str__(self) -> str:
        shape = self.shape or (None,) * len(self.axes)
        named = zip(self.axes, shape, strict=False)
        axes = ", ".join(axis if n is None else f"{axis}={n}" for axis, n in named)
        units = "" if self.units is None else f"{{{self.units}}}"
        return f"{self.dtype}[{axes}]{units}" if axes else f"{self.dtype}{units}"


def parse_declaration(text: str) -> tuple[str, Symbol]:
    """Read `NAME:DTYPE[AXIS,AXIS=LENGTH,...]{UNITS}`.

    Raises
    ------
    ValueError
        The text has another form, or names no dtype.

    Examples
    --------
    >>> name, symbol = parse_declaration("gain:float32[stage=3,slow,fast]{count/keV}")
    >>> name, symbol.axes, symbol.shape, symbol.units
    ('gain', ('stage', 'slow', 'fast'), (3, None, None), 'count/keV')
    """
    match = _DECLARATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not of the form NAME:DTYPE[AXIS,AXIS=LENGTH]{{UNITS}}")
    listed = match["axes"].split(",") if match["axes"] else []
    axes = [_AXIS.fullmatch(axis.strip()) for axis in listed]
    if any(axis is None for axis in axes):
        raise ValueError(f"{text!r}: axes are names, with a length as in stage=3, or '.'")
    found = [axis for axis in axes if axis is not None]
    shape = tuple(int(axis["length"]) if axis["length"] else None for axis in found)
    dtype = np.dtype(match["dtype"]).name if _SHORT.fullmatch(match["dtype"]) else match["dtype"]
    if dtype not in SYMBOL_DTYPES:
        allowed = ", ".join(SYMBOL_DTYPES)
        raise ValueError(f"{text!r}: {match['dtype']!r} is not a dtype; expected one of {allowed}")
    return match["name"], Symbol(dtype, tuple(a["axis"] for a in found), shape, match["units"])
