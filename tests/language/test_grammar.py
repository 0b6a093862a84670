"""The grammar file itself: free of conflicts, and the language it describes.

The sentences come from trees that are written out by the rules of precedence below, which are
those of the specification and know nothing of the grammar file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark

import nxformula
from nxformula.errors import FormulaSyntaxError
from nxformula.language.tree import Binary, Call, Index, Let, Literal, Name, Node, Unary

GRAMMAR = Path(__file__).parents[2] / "grammar" / "nxformula.lark"


def test_lark_accepts_the_grammar_in_strict_mode() -> None:
    text = GRAMMAR.read_text(encoding="ascii")
    parser = Lark(text, parser="lalr", lexer="basic", start="formula", strict=True)
    assert parser.parse("let a = b >> 1; f(a)").data


# Trees are tuples: ("integer", text), ("real", text), ("name", name), ("-", tree), ("not", tree),
# ("binary", operator, left, right), ("call", name, trees), ("index", name, items, else or None).
Tree = tuple[Any, ...]

# From loose to tight. An operator's left operand binds as tightly as itself or tighter, its right
# operand tighter, but for the exceptions in `operands`.
LEVELS = [
    ("or",),
    ("and",),
    ("not",),
    ("==", "!=", "<", "<=", ">", ">="),
    ("|",),
    ("^",),
    ("&",),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/"),
    ("negative",),
    ("**",),
    ("number",),
    ("primary",),
]
RANK = {name: rank for rank, names in enumerate(LEVELS) for name in names}
BINARY = [name for names in LEVELS[:12] for name in names if name not in ("not", "negative")]


def operands(operator: str) -> tuple[int, int]:
    """The loosest rank that may stand bare on the left and on the right."""
    rank = RANK[operator]
    if rank == RANK["=="]:
        return RANK["<<"], RANK["<<"]
    if operator == "**":
        return RANK["number"], RANK["negative"]
    return rank, rank + 1


def rank_of(tree: Tree) -> int:
    kind = tree[0]
    if kind == "binary":
        return RANK[tree[1]]
    if kind in ("integer", "real"):
        return RANK["number"]
    return RANK[{"-": "negative", "not": "not"}.get(kind, "primary")]


def tokens(tree: Tree, loosest: int = 0) -> list[str]:
    """The tokens of a tree, in parentheses only where they are needed."""
    if rank_of(tree) < loosest:
        return ["(", *tokens(tree), ")"]
    match tree:
        case ("integer" | "real" | "name", text):
            return [text]
        case ("-", operand):
            return ["-", *tokens(operand, RANK["number"])]
        case ("not", operand):
            return ["not", *tokens(operand, RANK["primary"])]
        case ("binary", operator, left, right):
            on_left, on_right = operands(operator)
            return [*tokens(left, on_left), operator, *tokens(right, on_right)]
        case ("call", name, arguments):
            return [name, "(", *separated([tokens(a) for a in arguments]), ")"]
        case ("index", name, items, otherwise):
            inside = [
                tokens(value) if dimension is None else [dimension, "=", *tokens(value)]
                for dimension, value in items
            ]
            if otherwise is not None:
                inside.append(["else", "=", *tokens(otherwise)])
            return [name, "[", *separated(inside), "]"]
    raise AssertionError(tree)


def separated(parts: list[list[str]]) -> list[str]:
    return [token for part in parts for token in (",", *part)][1:]


def as_tree(node: Node) -> Tree:
    """What the parser built, in the form of the generated trees."""
    match node:
        case Literal(value=value):
            return ("integer" if isinstance(value, int) else "real", value)
        case Name(name=name):
            return ("name", name)
        case Unary(operator=operator, operand=operand):
            return (operator, as_tree(operand))
        case Binary(operator=operator, left=left, right=right):
            return ("binary", operator, as_tree(left), as_tree(right))
        case Call(name=name, arguments=arguments):
            return ("call", name, [as_tree(argument) for argument in arguments])
        case Index(name=name, items=items, otherwise=otherwise):
            found = [(item.dimension, as_tree(item.value)) for item in items]
            return ("index", name, found, None if otherwise is None else as_tree(otherwise))
        case Let():
            raise AssertionError("a definition inside an expression")


def with_values(tree: Tree) -> Tree:
    """The generated tree with numbers for their texts."""
    match tree:
        case ("integer", text):
            return ("integer", int(text, 0))
        case ("real", text):
            return ("real", float(text))
        case ("name", _):
            return tree
        case ("-" | "not" as operator, operand):
            return (operator, with_values(operand))
        case ("binary", operator, left, right):
            return ("binary", operator, with_values(left), with_values(right))
        case ("call", name, arguments):
            return ("call", name, [with_values(argument) for argument in arguments])
        case ("index", name, items, otherwise):
            found = [(dimension, with_values(value)) for dimension, value in items]
            return ("index", name, found, None if otherwise is None else with_values(otherwise))
    raise AssertionError(tree)


NAMES = st.sampled_from(["a", "data", "_x", "B2", "nothing", "lets", "e5", "x0", "where", "pi"])
INTEGERS = st.one_of(
    st.integers(0, 2**64 - 1).map(str),
    st.integers(0, 300).map(hex),
    st.integers(0, 300).map(bin),
)
REALS = st.from_regex(
    r"([0-9]{1,3}\.[0-9]{1,3}|\.[0-9]{1,3})([eE][+-]?[0-9]{1,2})?|[0-9]{1,3}[eE][+-]?[0-9]{1,2}",
    fullmatch=True,
)
LEAVES: st.SearchStrategy[Tree] = st.one_of(
    st.tuples(st.just("integer"), INTEGERS),
    st.tuples(st.just("real"), REALS),
    st.tuples(st.just("name"), NAMES),
)


def grown(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    items = st.lists(st.tuples(st.none() | NAMES, trees), min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("-"), trees),
        st.tuples(st.just("not"), trees),
        st.tuples(st.just("binary"), st.sampled_from(BINARY), trees, trees),
        st.tuples(st.just("call"), NAMES, st.lists(trees, max_size=3)),
        st.tuples(st.just("index"), NAMES, items, st.none() | trees),
    )


TREES = st.recursive(LEAVES, grown, max_leaves=20)
GAPS = st.sampled_from([" ", "  ", "\t", "\n", "\r\n", " # not ( a [\n", ""])
WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")


def written(parts: list[str], gaps: list[str]) -> str:
    """The tokens with gaps between them, with a blank where two would run together."""
    text = ""
    for number, part in enumerate(parts):
        gap = gaps[number % len(gaps)]
        joined = text and {text[-1], part[0]} <= WORD
        text += (gap or (" " if joined else "")) + part
    return text + gaps[-1]


@settings(max_examples=300, deadline=None)
@given(
    lets=st.lists(TREES, max_size=2),
    result=TREES,
    gaps=st.lists(GAPS, min_size=1, max_size=9),
)
def test_generated_sentences_parse_to_what_was_generated(
    lets: list[Tree], result: Tree, gaps: list[str]
) -> None:
    parts: list[str] = []
    for number, value in enumerate(lets):
        parts += ["let", f"v{number}", "=", *tokens(value), ";"]
    formula = nxformula.parse(written([*parts, *tokens(result)], gaps))
    assert [as_tree(let.value) for let in formula.lets] == [with_values(value) for value in lets]
    assert as_tree(formula.result) == with_values(result)


@pytest.mark.parametrize("first", BINARY)
@pytest.mark.parametrize("second", BINARY)
def test_two_operators_in_a_row_are_grouped_or_refused(first: str, second: str) -> None:
    text = f"a {first} b {second} c"
    left = ("binary", second, ("binary", first, ("name", "a"), ("name", "b")), ("name", "c"))
    right = ("binary", first, ("name", "a"), ("binary", second, ("name", "b"), ("name", "c")))
    bare = [tree for tree in (left, right) if "(" not in tokens(tree)]
    if bare:
        assert [as_tree(nxformula.parse(text).result)] == bare
    else:
        with pytest.raises(FormulaSyntaxError):
            nxformula.parse(text)
