"""Declarations of symbols: dtype, dimensions, lengths, units."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxformula import Symbol
from nxformula.language.symbols import parse_declaration


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("uint16", "uint16"),
        (">u2", "uint16"),
        ("<i4", "int32"),
        ("f4", "float32"),
        (np.float64, "float64"),
        (np.dtype(">f2"), "float16"),
        (bool, "bool"),
        ("complex64", "complex64"),
    ],
)
def test_dtypes_are_named_without_byte_order(dtype: str, expected: str) -> None:
    assert Symbol(dtype).dtype == expected


def test_a_dtype_that_does_not_exist_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(TypeError):
        Symbol("float33")


def test_what_is_not_given_is_unknown() -> None:
    symbol = Symbol("uint16", ("slow", "fast"))
    assert (symbol.shape, symbol.units) == (None, None)
    assert [symbol.length(dimension) for dimension in symbol.dimensions] == [None, None]
    assert Symbol("uint16").dimensions == ()


def test_dropped_dimensions_do_not_count() -> None:
    symbol = Symbol("int16", ("module", ".", "slow", "."), (2, 1, 5, 1))
    assert symbol.dimensions == ("module", "slow")
    assert (symbol.length("module"), symbol.length("slow")) == (2, 5)


def test_lists_become_tuples() -> None:
    symbol = Symbol("int16", ["slow"], [4])  # type: ignore[arg-type]
    assert (symbol.axes, symbol.shape) == (("slow",), (4,))
    assert symbol == Symbol("int16", ("slow",), (4,))
    assert hash(symbol) == hash(Symbol("<i2", ("slow",), (4,)))


def test_symbols_are_values() -> None:
    symbol = Symbol("int16", ("slow", "."), (None, 1), "count")
    assert pickle.loads(pickle.dumps(symbol)) == copy.deepcopy(symbol) == symbol
    assert symbol != Symbol("int16", ("slow", "."), (None, 1), "keV")
    with pytest.raises(AttributeError):
        symbol.dtype = "int32"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        (Symbol("uint16"), "uint16"),
        (Symbol("uint16", units="count"), "uint16{count}"),
        (Symbol("float32", ("slow", "fast")), "float32[slow, fast]"),
        (Symbol("float32", ("stage", "."), (3, None)), "float32[stage=3, .]"),
        (Symbol("bool", ("n",), (0,), "1"), "bool[n=0]{1}"),
    ],
)
def test_text_of_a_symbol(symbol: Symbol, text: str) -> None:
    assert str(symbol) == text


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("data:uint16", "data", Symbol("uint16", (), ())),
        ("data:uint16[]", "data", Symbol("uint16", (), ())),
        (
            "data:uint16[frame,slow,fast]",
            "data",
            Symbol("uint16", ("frame", "slow", "fast"), (None, None, None)),
        ),
        (
            "gain:float32[stage=3,slow,fast]{count/keV}",
            "gain",
            Symbol("float32", ("stage", "slow", "fast"), (3, None, None), "count/keV"),
        ),
        ("x_1:f8[.=1, slow = 4]", "x_1", Symbol("float64", (".", "slow"), (1, 4))),
        ("_:bool[.]", "_", Symbol("bool", (".",), (None,))),
        (" a : int8 [ n = 0 ] {m s-1} ", "a", Symbol("int8", ("n",), (0,), "m s-1")),
        ("k:float64{12.398 keV}", "k", Symbol("float64", (), (), "12.398 keV")),
    ],
)
def test_declarations(text: str, name: str, expected: Symbol) -> None:
    assert parse_declaration(text) == (name, expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "data",
        "data:",
        ":uint16",
        "1data:uint16",
        "da ta:uint16",
        "d\u0430ta:uint16",
        "data:float33",
        "data:uint 16",
        "data:T",
        "data:uint16[slow",
        "data:uint16]slow[",
        "data:uint16(slow)",
        "data:uint16[slow fast]",
        "data:uint16[slow;fast]",
        "data:uint16[slow=]",
        "data:uint16[slow=-1]",
        "data:uint16[slow=1.5]",
        "data:uint16[slow=n]",
        "data:uint16[=3]",
        "data:uint16[3]",
        "data:uint16[..]",
        "data:uint16[ ]",
        "data:uint16[,]",
        "data:uint16[slow,,fast]",
        "data:uint16[slow,]",
        "data:uint16[sl\u00f6w]",
        "data:uint16[slow=\uff13]",
        "data:uint16{count",
        "data:uint16{count}[slow]",
        "data:uint16[slow]{a}{b}",
        "data:uint16[slow] count",
    ],
)
def test_other_texts_are_no_declarations(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_declaration(text)


NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
DTYPES = st.sampled_from(["bool", "uint8", "int16", "uint64", "float16", "float32", "float64"])
DIMENSIONS = st.tuples(NAMES | st.just("."), st.none() | st.integers(0, 99))
PARTS = st.sampled_from([*"ab:[],={}. 1\n", "uint8", "slow", "\x1b", "\u00b5"])
UNITS = st.none() | st.from_regex(r"[a-zA-Z0-9^*/ .-]{0,8}[a-z]", fullmatch=True)


@settings(max_examples=200, deadline=None)
@given(
    NAMES, DTYPES, st.lists(st.tuples(NAMES | st.just("."), st.none() | st.integers(0, 99))), UNITS
)
def test_the_text_of_a_symbol_declares_it(
    name: str, dtype: str, axes: list[tuple[str, int | None]], units: str | None
) -> None:
    symbol = Symbol(dtype, tuple(a for a, _ in axes), tuple(n for _, n in axes), units)
    assert parse_declaration(f"{name}:{symbol}") == (name, symbol)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*"ab:[],={}. 1\n", "uint8", "slow", "\x1b", "\u00b5"]), max_size=14)
)
def test_texts_are_declarations_or_raise_value_errors(parts: list[str]) -> None:
    text = "data:uint8" + "".join(parts)
    try:
        name, symbol = parse_declaration(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017
    else:
        assert name == "data"
        assert symbol.shape is not None
        assert len(symbol.shape) == len(symbol.axes)


@pytest.mark.parametrize("length", [-1, 1 << 63, 10**30])
def test_no_array_has_such_a_length(length: int) -> None:
    with pytest.raises(ValueError, match=f"a dimension has length {length}; expected 0 to"):
        Symbol("float32", ("i", "j"), (3, length))
    Symbol("float32", ("i", "j"), (None, (1 << 63) - 1))
