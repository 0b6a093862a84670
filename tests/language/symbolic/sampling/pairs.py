"""Random formulas, each written in two ways: `a * (b + c)` beside `c * a + a * b`."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeAlias

#: One expression in two ways.
Pair: TypeAlias = tuple[str, str]

_RINGS: list[tuple[str, str]] = [
    ("({0} + {1})", "({1} + {0})"),
    ("({0} - {1})", "(-{1} + {0})"),
    ("({0} * {1})", "({1} * {0})"),
    ("({0} * ({1} + {2}))", "({2} * {0} + {0} * {1})"),
    ("(({0} - {1}) * {2})", "(-({2} * ({1} - {0})))"),
    ("(({0} - {1}) ** 2)", "({0} * {0} - 2 * {0} * {1} + {1} ** 2)"),
    ("({0} / {1})", "({0} * (1 / {1}))"),
    ("({0} / {1} / {2})", "({0} / ({2} * {1}))"),
    ("(({0} - {1}) / {2})", "({0} / {2} - {1} / {2})"),
    ("({0} ** -2)", "(1 / ({0} * {0}))"),
    ("({0} + {0} + {1})", "({1} + {0} * 2)"),
]
_OTHERS: list[tuple[str, str]] = [
    ("min({0}, {1})", "min({1}, {0}, {1})"),
    ("max({0}, max({1}, {2}))", "max({2}, {0}, {1})"),
    ("abs({0} * 2)", "(2 * abs(-{0}))"),
    ("sign({0})", "(-sign(-{0}))"),
    ("floor({0})", "(-ceil(-{0}))"),
    ("mod({0}, 2)", "({0} - 2 * floor({0} / 2))"),
    ("clip({0}, 1, 2)", "min(2, max({0}, 1))"),
]
_CHOICES: list[tuple[str, str]] = [
    ("where({3}, {0}, {1})", "where(not {3}, {1}, {0})"),
    ("(where({3}, {0}, {1}) * {2})", "where({3}, {2} * {0}, {1} * {2})"),
    ("where({3}, {0}, where({4}, {0}, {1}))", "where({3} or {4}, {0}, {1})"),
    ("choose(k, {0}, {1}, {2})", "where(k == 0, {0}, where(1 == k, {1}, {2}))"),
]
_CONDITIONS: list[tuple[str, str]] = [
    ("({0} < {1})", "({1} > {0})"),
    ("({0} <= {1})", "({0} - {1} <= 0)"),
    ("({0} == {1})", "(2 * {1} == {0} * 2)"),
    ("({0} != {1})", "(not ({1} == {0}))"),
    ("({3} and {4})", "(not ((not {4}) or (not {3})))"),
    ("({3} or {4})", "({4} or {3})"),
    ("(not {3})", "(not (not (not {3})))"),
]
_INTEGERS: list[tuple[str, str]] = [
    ("(i >> 3)", "div(i, 8)"),
    ("bits(i, 2, 4)", "((i >> 2) & 15)"),
    ("bits(i, 2, 4)", "((i & 60) >> 2)"),
    ("(i & 7)", "mod(i, 8)"),
    ("(i | 3)", "(i + 3 - (i & 3))"),
    ("(i ^ 0xF0)", "(i + 0xF0 - 2 * (i & 0xF0))"),
    ("((i >> 2) >> 3)", "(i >> 5)"),
    ("(j & i & 12)", "(12 & (i & j))"),
    ("(i << 2)", "(4 * i)"),
    ("(i & -4)", "(i - (i & 3))"),
    ("div(i + 8, 4)", "((i >> 2) + 2)"),
]
_LEAVES: list[str] = ["a", "b", "c", "a", "b", "2", "0.5", "1", "3"]
_TRUTHS: list[str] = ["m", "n"]


class Pairs:
    """Writes pairs.

    Parameters
    ----------
    rng : random.Random
        Chooses.
    rules : str
        "ring" for the four operations and powers, "all" for everything.
    """

    def __init__(self, rng: random.Random, rules: str) -> None:
        self._rng = rng
        self._rules = _RINGS if rules == "ring" else [*_RINGS, *_OTHERS, *_CHOICES, *_CHOICES]
        self._is_ring = rules == "ring"

    def number(self, depth: int) -> Pair:
        if depth == 0 or self._rng.random() < 0.2:
            if not self._is_ring and self._rng.random() < 0.4:
                return self._rng.choice(_INTEGERS)
            leaf = self._rng.choice(_LEAVES)
            return leaf, leaf
        return self._filled(self._rng.choice(self._rules), depth)

    def condition(self, depth: int) -> Pair:
        if depth <= 0 or self._rng.random() < 0.3:
            leaf = self._rng.choice(_TRUTHS)
            return leaf, leaf
        return self._filled(self._rng.choice(_CONDITIONS), depth)

    def _filled(self, rule: Pair, depth: int) -> Pair:
        parts = [
            self._part("{%d}" % at in rule[0], at, depth)  # noqa: UP031
            for at in range(5)
        ]
        if self._rng.random() < 0.5:
            rule = rule[::-1]
        first, second = ([part[side] for part in parts] for side in (0, 1))
        return rule[0].format(*first), rule[1].format(*second)

    def _part(self, used: bool, at: int, depth: int) -> Pair:
        if not used:
            return "", ""
        return self.number(depth - 1) if at < 3 else self.condition(depth - 1)


_SWAPS: Mapping[str, tuple[str, ...]] = {
    "+": ("-", "*"),
    "-": ("+",),
    "*": ("/", "+"),
    "/": ("*",),
    "<": ("<=", ">", "=="),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    "==": ("!=", "<="),
    "!=": ("==",),
    "and": ("or",),
    "or": ("and",),
    ">>": ("<<",),
    "&": ("|", "^"),
    "|": ("&",),
    "a": ("b", "-a", "abs(a)"),
    "b": ("a", "c", "i"),
    "c": ("a", "2"),
    "m": ("n", "true"),
    "n": ("m", "false"),
    "i": ("j", "(i + 1)"),
    "1": ("2", "0"),
    "2": ("1", "3", "4"),
    "3": ("2", "7"),
    "floor": ("ceil", "round"),
    "ceil": ("floor",),
    "min": ("max",),
    "max": ("min",),
    "abs": ("sign", "floor"),
}
_TOKEN = re.compile(r"[A-Za-z_]\w*|[0-9.]+|0x\w+|\*\*|<<|>>|[<>=!]=|[^\s\w]")


def changed(text: str, rng: random.Random) -> str:
    """The formula with one token exchanged for another."""
    places = [match for match in _TOKEN.finditer(text) if match.group() in _SWAPS]
    if not places:
        return f"{text} + 1"
    at = rng.choice(places)
    return text[: at.start()] + rng.choice(_SWAPS[at.group()]) + text[at.end() :]


def point(rng: random.Random) -> dict[str, Any]:
    """Values of all symbols; small numbers, so that some are equal."""
    found: dict[str, Any] = {name: rng.random() < 0.5 for name in "mn"}
    found |= {name: Fraction(rng.randrange(-12, 13), rng.choice((1, 1, 2, 3))) for name in "abc"}
    found |= {name: rng.choice((rng.randrange(-9, 9), rng.randrange(1 << 16))) for name in "ij"}
    return {**found, "k": rng.randrange(3)}
