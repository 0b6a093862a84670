"""Syntax trees as plain data, to compare them without the package's own comparison."""

from __future__ import annotations

from typing import Any

from nxformula.language.parser import children_of
from nxformula.language.tree import Formula, Index, Literal

#: What a node has besides its operands.
_LABELS = ("name", "operator", "dimension", "value")


def flat(formula: Formula) -> list[tuple[Any, ...]]:
    """The nodes in their order, with the places of their operands."""
    places = {id(node): place for place, node in enumerate(formula.nodes)}
    found = []
    for node in formula.nodes:
        labels = [getattr(node, label, None) for label in _LABELS[:3]]
        if isinstance(node, Literal):
            labels += [type(node.value), node.value]
        if isinstance(node, Index):
            labels += [node.otherwise is None, *(item.dimension for item in node.items)]
        found.append((type(node), *labels, *(places[id(child)] for child in children_of(node))))
    return found
