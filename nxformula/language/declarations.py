"""What a formula is told from outside must make sense before the formula is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nxformula.errors import DimensionError, FormulaSyntaxError, FormulaTypeError, LimitError
from nxformula.language import functions, limits, types
from nxformula.language.symbols import DROPPED, Symbol
from nxformula.language.tree import Span


def check_declarations(
    symbols: Mapping[str, Symbol], axes: Sequence[str], dtype: str, text: str
) -> None:
    """Refuse symbols with names of the language, repeated axes, and unknown result dtypes."""
    for name in symbols:
        if functions.is_reserved(name):
            message = f"{name!r} belongs to the language; the symbol needs another name"
            raise FormulaSyntaxError(message, text)
    if len(set(axes)) < len(axes) or DROPPED in axes:
        raise DimensionError(f"the result's axes {listed(axes)} are not different names", text)
    if dtype not in types.RESULT_DTYPES:
        allowed = ", ".join(types.RESULT_DTYPES)
        message = f"the result dtype is {dtype!r}; expected one of {allowed}"
        raise FormulaTypeError(message, text)


def check_symbol(name: str, symbol: Symbol, text: str, span: Span) -> None:
    """Refuse a symbol whose dtype, number of dimensions or names cannot be used."""
    if symbol.dtype not in types.SYMBOL_DTYPES:
        message = f"{name!r} has dtype {symbol.dtype}; expected bool, integers or float16/32/64"
        raise FormulaTypeError(message, text, span)
    if len(symbol.axes) > limits.RANK:
        message = f"{name!r} has {len(symbol.axes)} dimensions; the limit is {limits.RANK}"
        raise LimitError(message, text, span)
    named = symbol.dimensions
    if len(set(named)) < len(named):
        raise DimensionError(f"{name!r} names a dimension twice: {listed(named)}", text, span)
    if symbol.shape is not None:
        _check_shape(name, symbol, symbol.shape, text, span)


def _check_shape(
    name: str, symbol: Symbol, shape: Sequence[int | None], text: str, span: Span
) -> None:
    if len(shape) != len(symbol.axes):
        message = (
            f"{name!r} has {len(shape)} dimensions {tuple(shape)}, and {len(symbol.axes)} names "
            f"for them {listed(symbol.axes)}; give one name each in '{name}_axes'"
        )
        raise DimensionError(message, text, span)
    for axis, length in zip(symbol.axes, shape, strict=True):
        if axis == DROPPED and length not in (1, None):
            message = f"{name!r} drops a dimension '.' of length {length}; only 1 can be"
            raise DimensionError(message, text, span)


class Lengths:
    """The lengths of the result's dimensions, as the symbols tell them one by one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._known: dict[str, tuple[int, str]] = {}

    def check(self, name: str, symbol: Symbol, dimensions: Sequence[str], span: Span) -> None:
        """Refuse a symbol whose lengths differ from those of earlier ones."""
        for dimension in dimensions:
            length = symbol.length(dimension)
            if length is None:
                continue
            known, owner = self._known.setdefault(dimension, (length, name))
            if known != length:
                message = (
                    f"{name!r} has length {length} along {dimension!r}, {owner!r} has {known}; "
                    f"check the order of the names in '{name}_axes'"
                )
                raise DimensionError(message, self._text, span)


def listed(names: Sequence[str]) -> str:
    """Names as they stand in messages.

    Examples
    --------
    >>> listed(("slow", "fast"))
    '(slow, fast)'
    """
    return f"({', '.join(names)})"
