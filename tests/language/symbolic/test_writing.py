"""Trees written as text: the text stands for the same tree."""

from __future__ import annotations

import random

import pytest
from formulas.writer import Writer
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling.trees import flat

from nxformula.errors import LimitError
from nxformula.language.parser import parse
from nxformula.language.symbolic import write
from nxformula.language.symbolic.building import name, number, times
from nxformula.language.symbolic.writing import Writer as TreeWriter
from nxformula.language.tree import Literal

OPERATORS = ["+", "-", "*", "/", "**", "<<", ">>", "&", "^", "|"]
OPERATORS += ["==", "!=", "<", "<=", ">", ">=", "and", "or"]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.sampled_from("rib"), st.integers(1, 4))
def test_the_tree_stays(seed: int, kind: str, depth: int) -> None:
    formula = parse(Writer(random.Random(seed)).formula(kind, depth))
    written = write(formula)
    assert flat(parse(written)) == flat(formula)
    assert write(parse(written)) == written


@pytest.mark.parametrize("outer", OPERATORS)
def test_every_pair_of_operators(outer: str) -> None:
    for operand in ("(-b)", "(not b)", *(f"(b {inner} c)" for inner in OPERATORS)):
        for text in (f"{operand} {outer} a", f"a {outer} {operand}", f"(-{operand}) {outer} a"):
            formula = parse(text)
            assert flat(parse(write(formula))) == flat(formula)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("((a - b)) - c", "a - b - c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a / (b * c)", "a / (b * c)"),
        ("(a ** b) ** c", "(a ** b) ** c"),
        ("a ** (b ** c)", "a ** b ** c"),
        ("a ** (-b)", "a ** -b"),
        ("a ** (-(b ** c))", "a ** -(b ** c)"),
        ("-(a ** b)", "-(a ** b)"),
        ("(-a) ** b", "(-a) ** b"),
        ("-(-a)", "-(-a)"),
        ("-(a * b)", "-(a * b)"),
        ("(-a) * b", "-a * b"),
        ("a * (-b)", "a * -b"),
        ("a - (-b)", "a - -b"),
        ("(a & b) == c", "(a & b) == c"),
        ("a & (b == c)", "a & (b == c)"),
        ("(a & b) ^ (c | d)", "a & b ^ (c | d)"),
        ("(a << b) + c", "(a << b) + c"),
        ("a << (b + c)", "a << b + c"),
        ("not (a == b)", "not (a == b)"),
        ("not (not a)", "not (not a)"),
        ("not (a[i])", "not a[i]"),
        ("(not a) and b", "not a and b"),
        ("(a or b) and c", "(a or b) and c"),
        ("a or (b and c)", "a or b and c"),
        ("(a < b) < c", "(a < b) < c"),
        ("t[k=(i + 1),else=(-1)]", "t[k = i + 1, else = -1]"),
        ("where((a), (b + 1), c)", "where(a, b + 1, c)"),
        ("position( fast )", "position(fast)"),
        ("let k = 1e3; # why\n\nk*0x0F + 0b01 + 1.50", "let k = 1e3;\nk * 0x0F + 0b01 + 1.50"),
    ],
)
def test_the_fewest_parentheses(text: str, written: str) -> None:
    assert write(parse(text)) == written
    assert flat(parse(written)) == flat(parse(text))


def test_large_formulas() -> None:
    for text in ("1" + " + 1" * 900, "(" * 60 + "x" + ")" * 60, "-(" * 60 + "x" + ")" * 60):
        assert flat(parse(write(parse(text)))) == flat(parse(text))


def test_numbers_from_nowhere_keep_their_value() -> None:
    for value in (0.1, 1e-7, 1e300, 5e-324, 3.0, 0, 2**63):
        found = parse(TreeWriter("a").text(number(value))).result
        assert isinstance(found, Literal)
        assert (type(found.value), found.value) == (type(value), value)


def test_shared_parts_cannot_grow_without_end() -> None:
    node = name("a_rather_long_name")
    for _ in range(40):
        node = times(node, node)
    with pytest.raises(LimitError):
        TreeWriter("").text(node)
