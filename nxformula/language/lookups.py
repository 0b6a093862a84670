"""Indexing of symbols by named dimensions: which dimension each index means, and the type."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from nxformula.errors import DimensionError, FormulaError, FormulaTypeError
from nxformula.language import intervals, types
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Index, IndexItem, Span
from nxformula.language.types import BOOL, REAL, Type

if TYPE_CHECKING:
    from nxformula.language.checker import Value


class Lookups:
    """The rules for tables, for one formula.

    Attributes
    ----------
    dimensions : dict of tuple of str
        For each `Index` node seen, by identity, the dimension of each of its items.
    """

    def __init__(self, text: str, axes: tuple[str, ...], field: str | None) -> None:
        self.text = text
        self.axes = axes
        self.field = field
        self.dimensions: dict[int, tuple[str, ...]] = {}

    def _fail(self, error: type[FormulaError], message: str, span: Span) -> NoReturn:
        raise error(message, self.text, span)

    def check_leftover(self, name: str, dimensions: Sequence[str], span: Span) -> None:
        """Refuse dimensions of a symbol that the result has not."""
        for dimension in dimensions:
            if dimension not in self.axes:
                message = (
                    f"{name!r} has the dimension {dimension!r}, which the result has not; "
                    f"index it, '{name}[{dimension} = ...]', or correct '{name}_axes'"
                )
                self._fail(DimensionError, message, span)

    def resolve(self, node: Index, symbol: Symbol) -> tuple[str, ...]:
        """Find the dimension of every index; give the dimensions that are left of the table."""
        found: list[str] = []
        for item in node.items:
            dimension = item.dimension or self._only(node, symbol, item)
            self._check_dimension(node, symbol, item, dimension, found)
            found.append(dimension)
        self.dimensions[id(node)] = tuple(found)
        return tuple(dimension for dimension in symbol.dimensions if dimension not in found)

    def _only(self, node: Index, symbol: Symbol, item: IndexItem) -> str:
        positional = [other for other in node.items if other.dimension is None]
        if item is not positional[0]:
            message = f"a second index without a dimension; write '{node.name}[NAME = ..., ...]'"
            self._fail(DimensionError, message, item.span)
        free = [d for d in symbol.dimensions if d not in self.axes]
        if len(free) != 1:
            what = f"({', '.join(free)})" if free else "none"
            message = (
                f"the dimensions of {node.name!r} that the result has not are {what}; an index "
                f"without a name needs exactly one: write '{node.name}[NAME = ...]'"
            )
            self._fail(DimensionError, message, item.span)
        return free[0]

    def _check_dimension(
        self, node: Index, symbol: Symbol, item: IndexItem, dimension: str, found: list[str]
    ) -> None:
        if dimension not in symbol.dimensions:
            close = get_close_matches(dimension, symbol.dimensions, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            has = ", ".join(symbol.dimensions)
            message = f"{node.name!r} has no dimension {dimension!r}, it has ({has}){hint}"
            self._fail(DimensionError, message, item.span)
        if dimension in found:
            self._fail(DimensionError, f"{dimension!r} is indexed twice", item.span)
        if node.name == self.field and dimension in self.axes:
            message = f"the result keeps {dimension!r}, so it cannot be indexed in {node.name!r}"
            self._fail(DimensionError, message, item.span)

    def type_of(
        self, node: Index, symbol: Symbol, indices: Sequence[Type], otherwise: Value | None
    ) -> Type:
        """Type of a look-up; integers and bools stay so where no index can be outside."""
        for item, found in zip(node.items, indices, strict=True):
            if found.kind != "integer":
                message = f"an index is an integer, found {found}"
                self._fail(FormulaTypeError, message, item.span)
        stored = types.SYMBOL_DTYPES[symbol.dtype]
        if otherwise is not None:
            return self._with_otherwise(node, stored, otherwise.type)
        if stored == REAL or self._inside(node, symbol, indices):
            return stored
        if stored == BOOL:
            message = (
                f"the index of {node.name!r} may be outside the table, and a bool cannot be NaN; "
                f"write '{node.name}[..., else = true]'"
            )
            self._fail(FormulaTypeError, message, node.span)
        return REAL

    def _with_otherwise(self, node: Index, stored: Type, otherwise: Type) -> Type:
        if (stored.kind == "bool") != (otherwise.kind == "bool"):
            message = f"{node.name!r} holds {stored.kind} values, 'else' gives {otherwise.kind}"
            self._fail(FormulaTypeError, message, node.span)
        if stored.kind == "integer" and otherwise.kind == "integer":
            hull = intervals.hull(stored.bounds, otherwise.bounds)
            if types.narrowest(hull) is None:
                message = f"{node.name!r} with its 'else' needs integers in {hull}"
                self._fail(FormulaTypeError, f"{message}, more than 64 bits hold", node.span)
            return types.integer(hull)
        return BOOL if stored == BOOL else REAL

    def _inside(self, node: Index, symbol: Symbol, indices: Sequence[Type]) -> bool:
        for dimension, found in zip(self.dimensions[id(node)], indices, strict=True):
            length = symbol.length(dimension)
            if length is None or not found.bounds.within(intervals.Interval(0, length - 1)):
                return False
        return True
