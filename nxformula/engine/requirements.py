"""What a plan needs of each symbol: which dimensions, which lengths, which order of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nxformula.engine.layout import Array
from nxformula.engine.plan import Plan
from nxformula.errors import FormulaTypeError
from nxformula.language.checker import Checked
from nxformula.language.tree import Call, Index, Name, Span
from nxformula.language.types import real_dtype


def kept_dimensions(plan: Plan, checked: Checked) -> dict[str, dict[str, None]]:
    """The symbols that a plan needs, each with the dimensions that some use does not index."""
    kept: dict[str, dict[str, None]] = {}
    axes = set(plan.axes)
    for part in plan.parts():
        axes.update(part.axes)
        for operation in part.operations:
            if operation.code == "load":
                _note(kept, checked, str(operation.detail), ())
            elif operation.code in ("lookup", "inside"):
                _note(kept, checked, operation.table.symbol, operation.table.dimensions)
    for number in plan.used():
        axes.update(plan.reductions[number].axes)
    # Operations that can have only one value are gone (`data >> 16` of 16 bits), and with them
    # perhaps the only symbol that knows how long the result is.
    for node in checked.formula.nodes:
        known = {dimension for dimensions in kept.values() for dimension in dimensions}
        if isinstance(node, Name | Index) and node.name in checked.symbols:
            along = checked.along.get(id(node))
            indexed = (*checked.lookups.get(id(node), ()), *((along,) if along else ()))
            own = set(checked.symbols[node.name].dimensions) - set(indexed)
            if own & axes - known:
                _note(kept, checked, node.name, indexed)
    return kept


def _note(
    kept: dict[str, dict[str, None]], checked: Checked, name: str, indexed: Sequence[str]
) -> None:
    own = (d for d in checked.symbols[name].dimensions if d not in indexed)
    kept.setdefault(name, {}).update(dict.fromkeys(own))


def indexed_dimensions(plan: Plan) -> dict[str, frozenset[str]]:
    """For each symbol of a plan, the dimensions that some use of it indexes."""
    indexed: dict[str, frozenset[str]] = {}
    for part in plan.parts():
        for operation in part.operations:
            if operation.code in ("lookup", "inside"):
                table = operation.table
                own = indexed.get(table.symbol, frozenset())
                indexed[table.symbol] = own.union(table.dimensions)
    return indexed


def used_positions(plan: Plan) -> tuple[str, ...]:
    """Dimensions whose positions a plan uses."""
    operations = (o for part in plan.parts() for o in part.operations)
    return tuple(dict.fromkeys(str(o.detail) for o in operations if o.code == "position"))


class IncreasingTables:
    """The tables that `interp` takes as `xs`: their values must increase.

    Parameters
    ----------
    checked : Checked
        The formula.
    """

    def __init__(self, checked: Checked) -> None:
        self.text = checked.formula.text
        self.real = real_dtype(checked.dtype)
        self.tables: dict[str, tuple[int, str, Span]] = {}
        for node in checked.formula.nodes:
            if isinstance(node, Call) and node.name == "interp":
                xs = node.arguments[1]
                assert isinstance(xs, Name | Index)
                along = checked.along[id(xs)]
                axis = checked.symbols[xs.name].axes.index(along)
                self.tables[xs.name] = axis, along, node.span

    def check(self, arrays: Mapping[str, Array]) -> None:
        """Refuse tables that do not increase once rounded to the formula's reals.

        Raises
        ------
        FormulaTypeError
            At the `interp`.
        """
        for name, (axis, along, span) in self.tables.items():
            if name in arrays:
                values = np.asarray(arrays[name]).astype(self.real, copy=False)
                if not np.all(np.diff(values, axis=axis) > 0):
                    message = f"the xs of 'interp' must increase; {name!r} does not along {along!r}"
                    raise FormulaTypeError(message, self.text, span)
