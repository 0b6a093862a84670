"""Writes formulas of a wanted kind, from productions that are chosen at random."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeAlias

from . import conditions, integers, reals

#: Writes an expression that is at most so deep.
Production: TypeAlias = Callable[["Writer", int], str]


class Writer:
    """Expressions of the three kinds, as deep as asked for."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    # Choices

    def pick(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def below(self, end: int) -> int:
        return self.rng.randrange(end)

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def _one_of(self, productions: Sequence[Production], leaf: Production, depth: int) -> str:
        if depth <= 0 or self.chance(0.12):
            return leaf(self, depth)
        return self.rng.choice(productions)(self, depth - 1)

    # Expressions

    def expression(self, kind: str, depth: int) -> str:
        return {"i": self.integer, "r": self.real, "b": self.condition}[kind](depth)

    def integer(self, depth: int) -> str:
        return self._one_of(integers.PRODUCTIONS, integers.leaf, depth)

    def real(self, depth: int) -> str:
        """A number; the checker may find that it is an integer."""
        return self._one_of(reals.PRODUCTIONS, reals.leaf, depth)

    def condition(self, depth: int) -> str:
        return self._one_of(conditions.PRODUCTIONS, conditions.leaf, depth)

    def code(self, last: int, depth: int) -> str:
        """An integer proven in 0..last."""
        match self.below(6):
            case 0:
                return f"to_integer({self.real(depth)}, 0, {last}, {self.below(last + 1)})"
            case 1:
                return f"mod({self.integer(depth)}, {last + 1})"
            case 2:
                return (
                    f"bits({self.integer(depth)}, {self.below(9)}, {(last + 1).bit_length() - 1})"
                )
        return f"clip({self.integer(depth)}, 0, {last})"

    def index(self, depth: int) -> str:
        """An integer that is often, not always, inside a table."""
        match self.below(6):
            case 0:
                codes = ", ".join(self.pick("0", "1", "-1", "2") for _ in range(4))
                return f"choose(data & 3, {codes})"
            case 1 | 2:
                return self.pick("stage", "cell_id", "(cell_id + 1)", "(stage - position(slow))")
            case 3:
                return self.integer(depth)
        return self.code(3, depth)

    # Formulas

    def definitions(self) -> str:
        """`few` is a small integer, `lots` is 0..3, and `picture` is an image."""
        few = self.expression("i", 1)
        return f"let few = {few} & 7;\nlet lots = data & 3;\nlet picture = image;\n"

    def body(self, kind: str, depth: int) -> str:
        if kind == "r" and self.chance(0.4):
            found = self.rng.choice(reals.OF_MANY)(self, depth - 2)
        else:
            found = self.expression(kind, depth)
        if self.chance(0.3):
            return found.replace("(data & 3)", "lots").replace("image", "picture")
        return found

    def formula(self, kind: str, depth: int) -> str:
        """A formula that depends on all of AXES."""
        body = self.body(kind, depth)
        if self.chance(0.5):
            result = f"where(data >= few, {body}, {self.expression(kind, depth - 1)})"
        else:
            tail = {"i": "((data & 1) + few)", "r": "(data + few)", "b": "(data != few)"}[kind]
            result = f"{body} { ({'i': '^', 'r': '+', 'b': 'or'}[kind]) } {tail}"
        return self.definitions() + result

    def small_formula(self, depth: int) -> str:
        """A formula that fits uint8."""
        return f"{self.definitions()}clip({self.body('i', depth)}, data & 3, 255)"
