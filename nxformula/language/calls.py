"""Functions that look at dimensions: tables, grouped reductions, and `position`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final, NoReturn

from nxformula.errors import (
    DimensionError,
    FormulaError,
    FormulaSyntaxError,
    FormulaTypeError,
    LimitError,
)
from nxformula.language import limits
from nxformula.language.declarations import listed
from nxformula.language.functions import FUNCTIONS
from nxformula.language.intervals import Interval
from nxformula.language.symbols import Symbol
from nxformula.language.tree import Call, Formula, Index, Literal, Name, Position, Span

#: Arguments that are whole tables, by function.
TABLES: Final[Mapping[str, tuple[int, ...]]] = {"interp": (1, 2), "poly": (1,)}
#: The dimension along which nothing is grouped: frames are calibrated on their own.
FRAME: Final = "frame"
#: Positions along a dimension of unknown length.
_ANYWHERE: Final = Interval(0, (1 << 53) - 1)


class Calls:
    """The rules of these functions, for one formula.

    Attributes
    ----------
    along : dict of str
        For each argument that is a whole table, by identity, the dimension that the function
        takes.
    """

    def __init__(
        self, formula: Formula, symbols: Mapping[str, Symbol], axes: Sequence[str]
    ) -> None:
        self.formula = formula
        self.symbols = symbols
        self.axes = axes
        self.along: dict[int, str] = {}
        self._tables = {
            id(node.arguments[i]): node
            for node in formula.nodes
            if isinstance(node, Call)
            for i in TABLES.get(node.name, ())
            if i < len(node.arguments)
        }

    def _fail(self, error: type[FormulaError], message: str, span: Span) -> NoReturn:
        raise error(message, self.formula.text, span)

    # Tables

    def take_table(
        self, node: Name | Index, symbol: Symbol, left: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Where the node is a whole table, note the dimension that the function takes of it.

        Parameters
        ----------
        left : tuple of str
            Dimensions of the symbol that no index takes.

        Returns
        -------
        tuple of str
            The others.
        """
        call = self._tables.get(id(node))
        if call is None:
            return left
        outside = [dimension for dimension in left if dimension not in self.axes]
        if len(outside) != 1:
            message = (
                f"{node.name!r} has {listed(outside)} besides the result's dimensions; "
                f"'{FUNCTIONS[call.name].signature}' takes exactly one"
            )
            self._fail(DimensionError, message, node.span)
        if symbol.length(outside[0]) is None:
            message = f"the length of {outside[0]!r} of {node.name!r} must be known"
            self._fail(DimensionError, f"{message}; add it to its shape", node.span)
        self.along[id(node)] = outside[0]
        return tuple(dimension for dimension in left if dimension != outside[0])

    # Calls

    def check(self, node: Call, dimensions: Sequence[tuple[str, ...]]) -> None:
        """Refuse arguments with dimensions that the function cannot take."""
        if node.name == "position":
            message = f"'{FUNCTIONS['position'].signature}' takes the name of a dimension"
            self._fail(FormulaSyntaxError, message, node.span)
        for i in TABLES.get(node.name, ()):
            self._check_table(node, i)
        if node.name == "interp":
            self._check_same_table(node)
        if FUNCTIONS[node.name].type == "grouped":
            self._check_groups(node, dimensions[1])

    def _check_table(self, node: Call, i: int) -> None:
        argument = node.arguments[i]
        if id(argument) not in self.along:
            message = f"argument {i + 1} of '{FUNCTIONS[node.name].signature}' must be a symbol"
            self._fail(FormulaTypeError, message, node.span)
        if node.name == "poly" and self.length(argument) > limits.COEFFICIENTS:
            found, most = self.length(argument), limits.COEFFICIENTS
            self._fail(LimitError, f"{found} coefficients; the limit is {most}", node.span)

    def length(self, table: object) -> int:
        """Number of entries of a whole table."""
        assert isinstance(table, Name | Index)
        length = self.symbols[table.name].length(self.along[id(table)])
        assert length is not None, "checked when the table was taken"
        return length

    def _check_same_table(self, node: Call) -> None:
        xs, ys = node.arguments[1:]
        if self.length(xs) != self.length(ys) or self.along[id(xs)] != self.along[id(ys)]:
            described = [f"{self.along[id(t)]}={self.length(t)}" for t in (xs, ys)]
            message = f"xs and ys of 'interp' differ: {described[0]} and {described[1]}"
            self._fail(DimensionError, message, node.span)

    def _check_groups(self, node: Call, labels: tuple[str, ...]) -> None:
        signature = FUNCTIONS[node.name].signature
        if not labels or FRAME in labels:
            why = "need a dimension" if not labels else f"may not vary along {FRAME!r}"
            self._fail(DimensionError, f"the labels of '{signature}' {why}", node.span)
        if node.name == "group_quantile":
            q = node.arguments[2]
            if not isinstance(q, Literal) or not 0 <= q.value <= 1:
                message = f"argument 3 of '{signature}': expected a number from 0 to 1"
                self._fail(FormulaTypeError, message, node.span)

    # Position

    def positions(self, node: Position) -> Interval:
        """The interval of `position(dimension)`."""
        dimension = node.dimension
        if dimension not in self.axes:
            close = get_close_matches(dimension, self.axes, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            message = f"the result has no dimension {dimension!r}, it has {listed(self.axes)}{hint}"
            self._fail(DimensionError, message, node.span)
        length = self._length_of_axis(dimension)
        return _ANYWHERE if length is None else Interval(0, max(0, length - 1))

    def _length_of_axis(self, dimension: str) -> int | None:
        """Length of a dimension of the result, from a symbol that is not indexed along it."""
        for node in self.formula.nodes:
            if not isinstance(node, Name | Index) or node.name not in self.symbols:
                continue
            items = node.items if isinstance(node, Index) else ()
            symbol = self.symbols[node.name]
            if dimension in symbol.dimensions and all(i.dimension != dimension for i in items):
                length = symbol.length(dimension)
                if length is not None:
                    return length
        return None
