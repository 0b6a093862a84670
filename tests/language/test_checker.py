"""What the checker accepts, with which type and dimensions, and what it refuses and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nxformula
from nxformula import Symbol
from nxformula.errors import FormulaError
from nxformula.language.checker import Checked, check
from nxformula.language.functions import CONSTANTS, FUNCTIONS, KEYWORDS

AXES = ("frame", "slow", "fast")
SYMBOLS = {
    "data": Symbol("uint16", AXES, (None, 4, 8)),
    "signed": Symbol("int16", AXES),
    "i8": Symbol("int8", ("slow", "fast")),
    "i64": Symbol("int64", ("slow", "fast")),
    "u64": Symbol("uint64", ("slow", "fast")),
    "mask": Symbol("bool", ("slow", "fast")),
    "dark": Symbol("float32", ("slow", "fast"), (4, 8)),
    "cell_id": Symbol("uint16", ("frame",)),
    "scale": Symbol("float64"),
    "gain": Symbol("float32", ("stage", "slow", "fast"), (3, 4, 8)),
    "codes": Symbol("int8", ("stage", "slow", "fast"), (4, 4, 8)),
    "loose": Symbol("int8", ("stage", "slow", "fast")),
    "flags": Symbol("bool", ("stage", "slow", "fast"), (4, 4, 8)),
    "offset": Symbol("float32", ("stage", "cell", "slow", "fast"), (3, 32, 4, 8)),
    "turned": Symbol("int32", ("fast", "slow", "cell", "stage"), (8, 4, 32, 4)),
    "list": Symbol("int32", ("stage",), (4,)),
    "column": Symbol("int16", ("slow", "."), (4, 1)),
    "empty": Symbol("int16", ("stage",), (0,)),
    "big_table": Symbol("uint64", ("stage",), (4,)),
}


def checked(text: str, dtype: str = "float32", field: str | None = None) -> Checked:
    """Check against all symbols; a term that has every dimension completes the result."""
    return check(nxformula.parse(text), SYMBOLS, axes=AXES, dtype=dtype, field=field)


def type_of(text: str, dtype: str) -> str:
    """The type of an expression, whatever dimensions of the result it has."""
    formula = nxformula.parse(text)
    result = check(formula, SYMBOLS, axes=_axes(text), dtype=dtype)
    return str(result.value(formula.result).type)


def _axes(text: str) -> tuple[str, ...]:
    """Those dimensions of the result that the symbols of a text have."""
    used = [SYMBOLS[name] for name in nxformula.parse(text).names if name in SYMBOLS]
    return tuple(axis for axis in AXES if any(axis in symbol.axes for symbol in used))


def refusal(
    text: str,
    symbols: Mapping[str, Symbol] = SYMBOLS,
    axes: tuple[str, ...] = AXES,
    dtype: str = "float32",
    field: str | None = None,
) -> FormulaError:
    formula = nxformula.parse(text)
    with pytest.raises(FormulaError) as caught:
        check(formula, symbols, axes=axes, dtype=dtype, field=field)
    return caught.value


# Types of what is accepted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data", "integer in [0, 65535]"),
        ("signed", "integer in [-32768, 32767]"),
        ("u64", "integer in [0, 18446744073709551615]"),
        ("dark", "real"),
        ("mask", "bool"),
        ("1", "integer in [1, 1]"),
        ("1.5", "real"),
        ("18446744073709551615", "integer in [18446744073709551615, 18446744073709551615]"),
        ("pi", "real"),
        ("nan", "real"),
        ("inf", "real"),
        ("true", "bool"),
        ("data >> 14", "integer in [0, 3]"),
        ("data & 0x3FFF", "integer in [0, 16383]"),
        ("data - data", "integer in [-65535, 65535]"),
        ("signed >> 14", "integer in [-2, 1]"),
        ("-i8", "integer in [-127, 128]"),
        ("i8 * i8", "integer in [-16256, 16384]"),
        ("1 << 14", "integer in [16384, 16384]"),
        ("1 << 63", "integer in [9223372036854775808, 9223372036854775808]"),
        ("-1 << 63", "integer in [-9223372036854775808, -9223372036854775808]"),
        ("data << (data & 7)", "integer in [0, 8388480]"),
        ("data + 0.5", "real"),
        ("data * dark", "real"),
        ("data / 2", "real"),
        ("4 / 2", "real"),
        ("2 ** 3", "real"),
        ("-dark", "real"),
        ("data < dark", "bool"),
        ("data != 0", "bool"),
        ("u64 >= -1", "bool"),
        ("u64 == i64", "bool"),
        ("not mask", "bool"),
        ("mask and data > 3 or false", "bool"),
        ("u64 >> 1", "integer in [0, 9223372036854775807]"),
        ("(u64 >> 1) - 1", "integer in [-1, 9223372036854775806]"),
        ("u64 & 0xFF", "integer in [0, 255]"),
        ("u64 | u64", "integer in [0, 18446744073709551615]"),
        ("u64 + 0.5", "real"),
        ("u64 / 2", "real"),
        ("where(mask, 1, data)", "integer in [0, 65535]"),
        ("where(mask, -3, 7)", "integer in [-3, 7]"),
        ("where(mask, 1, 0.5)", "real"),
        ("where(mask, nan, data)", "real"),
        ("where(mask, mask, true)", "bool"),
        ("choose(data >> 14, 0, 1, -1, 2)", "integer in [-1, 2]"),
        ("choose(data >> 14, 0, 1, nan, 2)", "real"),
        ("choose(data >> 14, mask, true, false, mask)", "bool"),
        ("choose(0, 5)", "integer in [5, 5]"),
        ("abs(i8)", "integer in [0, 128]"),
        ("abs(dark)", "real"),
        ("sqrt(4)", "real"),
        ("exp(data)", "real"),
        ("min(data, 100)", "integer in [0, 100]"),
        ("max(data, i8, 5)", "integer in [5, 65535]"),
        ("min(data, 0.5)", "real"),
        ("clip(data, 10, 100)", "integer in [10, 100]"),
        ("floor(data)", "integer in [0, 65535]"),
        ("floor(dark)", "real"),
        ("round(dark)", "real"),
        ("isnan(dark)", "bool"),
        ("isnan(data)", "bool"),
        ("bits(data, 14, 2)", "integer in [0, 3]"),
        ("bits(u64, 63, 1)", "integer in [0, 1]"),
        ("list[stage = data >> 14]", "integer in [-2147483648, 2147483647]"),
        ("list[data >> 14]", "integer in [-2147483648, 2147483647]"),
        ("list[stage = data >> 13]", "real"),
        ("list[stage = i8]", "real"),
        ("list[stage = -1]", "real"),
        ("list[stage = 3]", "integer in [-2147483648, 2147483647]"),
        ("list[stage = 4]", "real"),
        ("empty[stage = 0]", "real"),
        ("codes[stage = 3]", "integer in [-128, 127]"),
        ("loose[stage = 0]", "real"),
        ("loose[stage = 0, else = 1]", "integer in [-128, 127]"),
        ("codes[stage = data, else = 1000]", "integer in [-128, 1000]"),
        ("codes[stage = data, else = 0.5]", "real"),
        ("codes[stage = data, else = nan]", "real"),
        ("gain[stage = data]", "real"),
        ("gain[stage = data, else = 1]", "real"),
        ("flags[stage = data >> 14]", "bool"),
        ("flags[stage = data, else = true]", "bool"),
        ("turned[stage = data >> 14, cell = cell_id & 31]", "integer in [-2147483648, 2147483647]"),
        ("turned[stage = data >> 14, cell = cell_id]", "real"),
        ("big_table[stage = 1]", "integer in [0, 18446744073709551615]"),
        ("let a = data & 3; let b = a + 1; b * b", "integer in [1, 16]"),
        ("let m = data != 0; where(m, 1, 0)", "integer in [0, 1]"),
    ],
)
def test_types(text: str, expected: str) -> None:
    assert type_of(text, "bool" if expected == "bool" else "float64") == expected


@pytest.mark.parametrize(
    ("text", "axes", "expected"),
    [
        ("data", AXES, {"frame", "slow", "fast"}),
        ("dark + cell_id", AXES, {"frame", "slow", "fast"}),
        ("scale", (), set()),
        ("column", ("slow",), {"slow"}),
        ("list[stage = cell_id]", ("frame",), {"frame"}),
        ("gain[stage = 1]", ("slow", "fast"), {"slow", "fast"}),
        ("gain[stage = cell_id]", AXES, {"frame", "slow", "fast"}),
        ("gain[cell_id]", AXES, {"frame", "slow", "fast"}),
        ("turned[stage = 1, cell = cell_id]", AXES, {"frame", "slow", "fast"}),
        ("dark[slow = 1, fast = 2]", (), set()),
        ("dark[slow = cell_id]", ("frame", "fast"), {"frame", "fast"}),
        ("list[stage = 0, else = cell_id]", ("frame",), {"frame"}),
        ("where(mask, cell_id, 0)", AXES, {"frame", "slow", "fast"}),
        ("data", ("fast", "frame", "slow"), {"frame", "slow", "fast"}),
    ],
)
def test_dimensions(text: str, axes: tuple[str, ...], expected: set[str]) -> None:
    formula = nxformula.parse(text)
    result = check(formula, SYMBOLS, axes=axes)
    assert set(result.value(formula.result).dimensions) == expected
    assert result.axes == axes


def test_each_index_knows_its_dimension_whatever_the_order() -> None:
    result = checked("data + turned[cell = cell_id, stage = data >> 14] + gain[data >> 14]")
    found = [
        result.lookups[id(node)] for node in result.formula.nodes if id(node) in result.lookups
    ]
    assert found == [("cell", "stage"), ("stage",)]


def test_only_used_symbols_are_reported_in_order_of_use() -> None:
    result = checked("let unused = scale; data * dark")
    assert list(result.symbols) == ["scale", "data", "dark"]
    assert list(result.definitions) == ["unused"]
    assert result.dtype == "float32"


def test_every_node_has_a_value() -> None:
    result = checked("let s = data >> 14; (data & 0x3FFF) / gain[s]")
    assert all(result.value(node) for node in result.formula.nodes)
    assert len(result.values) == len(result.formula.nodes)


@pytest.mark.parametrize("field", [None, "data"])
def test_the_field_may_be_indexed_in_a_dimension_that_the_result_lacks(field: str | None) -> None:
    symbols = {"data": Symbol("uint16", ("frame", "channel", "slow", "fast"), (None, 2, 4, 8))}
    formula = nxformula.parse("data[channel = 0] - data[channel = 1]")
    result = check(formula, symbols, axes=AXES, field=field)
    assert str(result.value(formula.result).type) == "integer in [-65535, 65535]"


def test_other_symbols_may_be_indexed_in_a_dimension_that_the_result_has() -> None:
    assert checked("data - dark[slow = data & 3]", field="data").axes == AXES


def test_indexed_dimensions_may_have_another_length_than_the_result() -> None:
    symbols = {**SYMBOLS, "table": Symbol("int32", ("slow",), (16,))}
    formula = nxformula.parse("data + table[slow = data & 15]")
    assert str(check(formula, symbols, axes=AXES).value(formula.result).type).startswith("integer")


def test_dimension_names_are_a_name_space_of_their_own() -> None:
    text = "let stage = data >> 14; let slow = 1; data + slow - gain[stage = stage]"
    assert checked(text).definitions.keys() == {"stage", "slow"}


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int64", "uint64", "float64"])
def test_results_fit_dtypes_that_hold_their_interval(dtype: str) -> None:
    assert checked("data & 127", dtype=dtype).dtype == dtype


# What is refused, at which place

REFUSED = [
    # Conditions are not numbers.
    ("mask + 1", "type", 1, 6, "where(condition, 1, 0)"),
    ("1 - mask", "type", 1, 3, "'-' takes numbers"),
    ("mask * mask", "type", 1, 6, "'*' takes numbers"),
    ("mask / 2", "type", 1, 6, "'/' takes numbers"),
    ("mask ** 2", "type", 1, 6, "'**' takes numbers"),
    ("-mask", "type", 1, 1, "'-' takes numbers"),
    ("mask == true", "type", 1, 6, "'==' takes numbers"),
    ("mask < 1", "type", 1, 6, "'<' takes numbers"),
    ("mask & 1", "type", 1, 6, "'&' takes integers"),
    ("true | false", "type", 1, 6, "'|' takes integers"),
    ("mask << 1", "type", 1, 6, "'<<' takes integers"),
    ("sqrt(mask)", "type", 1, 1, "expected a number"),
    ("data + abs(mask)", "type", 1, 8, "expected a number"),
    ("min(1, mask)", "type", 1, 1, "argument 2"),
    ("isnan(mask)", "type", 1, 1, "expected a number"),
    ("clip(data, 0, mask)", "type", 1, 1, "argument 3"),
    ("bits(mask, 0, 1)", "type", 1, 1, "expected an integer"),
    # Numbers are not conditions.
    ("not data", "type", 1, 1, "x == 0"),
    ("data and mask", "type", 1, 6, "x != 0"),
    ("mask or\n data or 1", "type", 1, 6, "x != 0"),
    ("mask and dark", "type", 1, 6, "found real"),
    ("where(data, 1, 2)", "type", 1, 1, "x != 0"),
    ("where(dark, 1, 2)", "type", 1, 1, "found a real"),
    # Bit operators take integers.
    ("dark & 1", "type", 1, 6, "takes integers, found real"),
    ("data | 1.0", "type", 1, 6, "takes integers"),
    ("data ^ pi", "type", 1, 6, "takes integers"),
    ("dark >> 1", "type", 1, 6, "takes integers"),
    ("1 << 2.0", "type", 1, 3, "takes integers"),
    ("bits(dark, 0, 1)", "type", 1, 1, "expected an integer"),
    ("bits(data, 0.0, 1)", "type", 1, 1, "argument 2"),
    # uint64 and overflow.
    ("u64 + 1", "type", 1, 5, "int64"),
    ("1 - u64", "type", 1, 3, "int64"),
    ("u64 * 1", "type", 1, 5, "int64"),
    ("-u64", "type", 1, 1, "int64"),
    ("(u64 >> 0) + 1", "type", 1, 12, "int64"),
    ("18446744073709551615 - 1", "type", 1, 22, "int64"),
    ("-9223372036854775808", "type", 1, 1, "int64"),
    ("i64 + 1", "type", 1, 5, "int64"),
    ("1 - i64", "type", 1, 3, "int64"),
    ("i64 * 2", "type", 1, 5, "int64"),
    ("-i64", "type", 1, 1, "int64"),
    ("abs(i64)", "type", 1, 1, "int64"),
    ("let m = -9223372036854775807 - 1;\n-m", "type", 2, 1, "int64"),
    ("-min(i64, -1)", "type", 1, 1, "int64"),
    ("data * data * data * data", "type", 1, 20, "int64"),
    ("(1 << 62) + (1 << 62)", "type", 1, 11, "int64"),
    ("data << 49", "type", 1, 6, "64"),
    ("u64 << 1", "type", 1, 5, "64"),
    ("-1 << 63 >> 1 << 2", "type", 1, 15, "64"),
    ("u64 & i64", "type", 1, 5, "64"),
    ("u64 | -1", "type", 1, 5, "64"),
    ("where(mask, u64, i8)", "type", 1, 1, "64"),
    ("choose(data >> 15, u64, -1)", "type", 1, 1, "64"),
    ("min(u64, i8)", "type", 1, 1, "64"),
    ("big_table[stage = data, else = -1]", "type", 1, 1, "64"),
    # Shift counts.
    ("data << 64", "type", 1, 6, "[0, 63]"),
    ("data >> -1", "type", 1, 6, "[0, 63]"),
    ("1 << data", "type", 1, 3, "[0, 65535]"),
    ("data >> i8", "type", 1, 6, "[-128, 127]"),
    ("bits(data, 64, 1)", "type", 1, 1, "argument 2"),
    ("bits(data, 0, 64)", "type", 1, 1, "argument 3"),
    ("bits(data, data, 1)", "type", 1, 1, "argument 2"),
    # choose and where.
    ("choose(data >> 14, 1, 2, 3)", "type", 1, 1, "[0, 2]"),
    ("choose(i8, 1, 2)", "type", 1, 1, "[-128, 127]"),
    ("choose(-1, 1, 2)", "type", 1, 1, "[0, 1]"),
    ("choose(dark, 1, 2)", "type", 1, 1, "found a real"),
    ("choose(mask, 1, 2)", "type", 1, 1, "found a bool"),
    ("choose(data >> 15, 1, true)", "type", 1, 1, "argument 3"),
    ("where(mask, 1, true)", "type", 1, 1, "argument 3"),
    ("where(mask, false, 0)", "type", 1, 1, "argument 3"),
    # Numbers of arguments.
    ("sqrt()", "arity", 1, 1, "found 0"),
    ("data +\n sqrt(1, 2)", "arity", 2, 2, "found 2"),
    ("where(mask, 1)", "arity", 1, 1, "found 2"),
    ("where(mask, 1, 2, 3)", "arity", 1, 1, "found 4"),
    ("min(1)", "arity", 1, 1, "found 1"),
    ("choose(0)", "arity", 1, 1, "found 1"),
    (f"choose(0, {', '.join(['1'] * 65)})", "arity", 1, 1, "found 66"),
    ("clip(1, 2)", "arity", 1, 1, "clip(x, low, high)"),
    # Names.
    ("data - pedestl", "unknown-name", 1, 8, "'pedestl'"),
    ("data - drak", "unknown-name", 1, 8, "did you mean 'dark'?"),
    ("Data", "unknown-name", 1, 1, "did you mean 'data'?"),
    ("let count = data;\n coutn", "unknown-name", 2, 2, "did you mean 'count'?"),
    ("let a = b; let b = data; a", "unknown-name", 1, 9, "further down"),
    ("let a = a; a", "unknown-name", 1, 9, "'a'"),
    ("tabel[stage = 0]", "unknown-name", 1, 1, "'tabel'"),
    ("gian[stage = 0]", "unknown-name", 1, 1, "did you mean 'gain'?"),
    ("sqr(data)", "unknown-name", 1, 1, "did you mean 'sqrt'?"),
    ("data + clamp(data, 0, 1)", "unknown-name", 1, 8, "'clamp'"),
    ("gain(1)", "unknown-name", 1, 1, "'[...]'"),
    ("let a = data; a(1)", "unknown-name", 1, 15, "'[...]'"),
    ("pi(1)", "unknown-name", 1, 1, "not a function"),
    # Functions that look at dimensions.
    ("group_median(data, data)", "dimension", 1, 1, "may not vary along 'frame'"),
    ("group_median(data, 1)", "dimension", 1, 1, "need a dimension"),
    ("group_median(data, dark)", "type", 1, 1, "expected integer labels, found a real"),
    ("group_quantile(data, position(slow), 1.5)", "type", 1, 1, "a number from 0 to 1"),
    ("group_quantile(data, position(slow), dark)", "type", 1, 1, "a number from 0 to 1"),
    ("1 + position(stage)", "dimension", 1, 5, "the result has no dimension 'stage'"),
    ("data + position(slwo)", "dimension", 1, 8, "did you mean 'slow'?"),
    ("position(3)", "syntax", 1, 1, "takes the name of a dimension"),
    ("position()", "arity", 1, 1, "takes 1 arguments, found 0"),
    ("poly(data, 3)", "type", 1, 1, "argument 2 of 'poly(x, coefficients)' must be a symbol"),
    ("poly(data, dark)", "dimension", 1, 12, "takes exactly one"),
    ("div(data, data)", "type", 1, 1, "a divisor proven not to be 0"),
    ("to_integer(dark, 0, data, 1)", "type", 1, 1, "a constant integer within int64"),
    ("to_integer(dark, 3, 2, 1)", "type", 1, 1, "expected at least 3, found 2"),
    ("where + 1", "syntax", 1, 1, "where(condition, a, b)"),
    ("sqrt[0]", "syntax", 1, 1, "'sqrt(x)'"),
    # Definitions.
    ("let data = 1; data", "syntax", 1, 5, "'data' is a symbol"),
    ("let scale = 1; data", "syntax", 1, 5, "'scale' is a symbol"),
    ("let a = 1;\nlet a = 2; data", "syntax", 2, 5, "already defined"),
    ("let pi = 3; data", "syntax", 1, 5, "part of the language"),
    ("let true = 3; data", "syntax", 1, 5, "part of the language"),
    ("let sqrt = 3; data", "syntax", 1, 5, "part of the language"),
    ("let group_sum = 3; data", "syntax", 1, 5, "part of the language"),
    # Indexing.
    ("let t = data; t[stage = 0]", "type", 1, 15, "only symbols can be indexed"),
    ("pi[0]", "type", 1, 1, "only symbols can be indexed"),
    ("gain[stage = dark]", "type", 1, 6, "an index is an integer"),
    ("gain[stage = mask]", "type", 1, 6, "an index is an integer"),
    ("gain[1.0]", "type", 1, 6, "an index is an integer"),
    ("flags[stage = data]", "type", 1, 1, "else = true"),
    ("flags[stage = data, else = 1]", "type", 1, 1, "'else' gives integer"),
    ("codes[stage = data, else = true]", "type", 1, 1, "'else' gives bool"),
    ("gain[stage = 0, else = mask]", "type", 1, 1, "'else' gives bool"),
    ("gain[stgae = 0]", "dimension", 1, 6, "did you mean 'stage'?"),
    ("gain[cell = 0]", "dimension", 1, 6, "no dimension 'cell'"),
    ("gain[stage = 0, stage = 1]", "dimension", 1, 17, "indexed twice"),
    ("gain[data, cell_id]", "dimension", 1, 12, "[NAME = ..."),
    ("offset[data, cell_id]", "dimension", 1, 8, "(stage, cell)"),
    ("offset[data, cell = cell_id]", "dimension", 1, 8, "[NAME = ..."),
    ("offset[data]", "dimension", 1, 8, "(stage, cell)"),
    ("dark[data]", "dimension", 1, 6, "none"),
    ("scale[0]", "dimension", 1, 7, "none"),
    ("column[0]", "dimension", 1, 8, "none"),
    ("offset[stage = data]", "dimension", 1, 1, "'cell'"),
    ("gain", "dimension", 1, 1, "'gain[stage = ...]'"),
    ("data +\n  list", "dimension", 2, 3, "'stage'"),
    ("let t = gain; t", "dimension", 1, 9, "'stage'"),
    # The result.
    ("dark", "dimension", 1, 1, "(frame)"),
    ("let a = data; 1 + cell_id", "dimension", 1, 17, "(slow, fast)"),
    ("1", "dimension", 1, 1, "(frame, slow, fast)"),
    ("data != 0", "type", 1, 6, "where(..., 1, 0)"),
    ("let m = mask; data + 0 == 1 and m", "type", 1, 29, "declare dtype bool"),
]


@pytest.mark.parametrize(("text", "kind", "line", "column", "fragment"), REFUSED)
def test_refusals(text: str, kind: str, line: int, column: int, fragment: str) -> None:
    error = refusal(text)
    assert (error.kind, error.line, error.column) == (kind, line, column)
    assert fragment in error.message


@pytest.mark.parametrize(
    ("text", "dtype", "column", "fragment"),
    [
        ("data", "uint8", 1, "[0, 65535]"),
        ("data", "int16", 1, "[0, 65535]"),
        ("data - 1", "uint16", 6, "[-1, 65534]"),
        ("data + 0", "bool", 6, "cannot hold"),
        ("data / 2", "int32", 6, "cannot hold"),
        ("data != 0", "int32", 6, "cannot hold"),
        ("data + 0.0", "bool", 6, "cannot hold"),
        ("data + codes[stage = data]", "int32", 6, "cannot hold"),
        ("where(data > 0, 1, nan)", "int8", 1, "cannot hold"),
    ],
)
def test_results_that_do_not_fit_the_dtype(
    text: str, dtype: str, column: int, fragment: str
) -> None:
    error = refusal(text, dtype=dtype)
    assert (error.kind, error.line, error.column) == ("type", 1, column)
    assert fragment in error.message


@pytest.mark.parametrize("dtype", ["float16", "complex64", "object", "", "f4", "int"])
def test_unknown_result_dtypes(dtype: str) -> None:
    error = refusal("data", dtype=dtype)
    assert error.kind == "type"
    assert "float32, float64" in error.message


@pytest.mark.parametrize("axes", [("slow", "slow"), ("frame", "slow", "fast", "."), (".",)])
def test_axes_of_the_result_are_different_names(axes: tuple[str, ...]) -> None:
    assert refusal("data", axes=axes).kind == "dimension"


@pytest.mark.parametrize(
    ("text", "column"), [("data[slow = 0]", 6), ("1 + data[frame = 0, slow = 1]", 10)]
)
def test_the_field_keeps_the_dimensions_of_the_result(text: str, column: int) -> None:
    error = refusal(text, field="data")
    assert (error.kind, error.line, error.column) == ("dimension", 1, column)
    assert "cannot be indexed in 'data'" in error.message


FAULTY = {
    "complex": (Symbol("complex64", AXES), "type", "complex64"),
    "text": (Symbol("S4", AXES), "type", "bytes32"),
    "time": (Symbol("datetime64[s]", AXES), "type", "datetime64"),
    "rank": (Symbol("uint8", AXES, (1, 2)), "dimension", "'x_axes'"),
    "doubled": (Symbol("uint8", ("slow", "slow")), "dimension", "twice"),
    "dropped": (Symbol("uint8", (*AXES, "."), (1, 4, 8, 2)), "dimension", "length 2"),
    "length": (Symbol("uint8", AXES, (None, 5, 8)), "dimension", "length 5 along 'slow'"),
    "swapped": (Symbol("uint8", ("fast", "slow"), (4, 8)), "dimension", "'x_axes'"),
    "one": (Symbol("uint8", ("slow", "fast"), (1, 8)), "dimension", "length 1 along 'slow'"),
    "undeclared": (Symbol("uint8", ("slow", "bank")), "dimension", "'bank'"),
}


@pytest.mark.parametrize(("symbol", "kind", "fragment"), FAULTY.values(), ids=FAULTY.keys())
def test_faulty_symbols_are_refused_where_they_are_used(
    symbol: Symbol, kind: str, fragment: str
) -> None:
    error = refusal("data\n + x", {**SYMBOLS, "x": symbol})
    assert (error.kind, error.line, error.column) == (kind, 2, 4)
    assert fragment in error.message


@pytest.mark.parametrize("symbol", [symbol for symbol, _, _ in FAULTY.values()], ids=FAULTY.keys())
def test_faulty_symbols_do_no_harm_where_they_are_not_used(symbol: Symbol) -> None:
    formula = nxformula.parse("data")
    assert set(check(formula, {**SYMBOLS, "x": symbol}, axes=AXES).symbols) == {"data"}


def test_lengths_that_disagree_after_indexing() -> None:
    symbols = {**SYMBOLS, "x": Symbol("float32", ("stage", "slow", "fast"), (3, 4, 9))}
    error = refusal("dark * x[stage = data]", symbols)
    assert (error.kind, error.line, error.column) == ("dimension", 1, 8)
    assert "length 9 along 'fast'" in error.message


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *CONSTANTS, *KEYWORDS}))
def test_reserved_names_are_no_symbols(name: str) -> None:
    error = refusal("data", {**SYMBOLS, name: Symbol("uint8")})
    assert error.kind == "syntax"
    assert repr(name) in error.message


@pytest.mark.parametrize("name", sorted({*FUNCTIONS, *CONSTANTS}))
def test_reserved_names_are_no_definitions(name: str) -> None:
    error = refusal(f"let {name} = 1; data")
    assert (error.kind, error.line, error.column) == ("syntax", 1, 5)


def test_all_names_of_the_specification_are_reserved() -> None:
    specified = """
        abs sqrt exp expm1 log log1p log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh
        hypot floor ceil round sign min max clip mod isnan isfinite div to_integer bits position
        where choose interp poly group_median group_mean group_sum group_min group_max
        group_count group_std group_quantile nan inf pi true false let and or not else
    """
    assert {*FUNCTIONS, *CONSTANTS, *KEYWORDS} == set(specified.split())


def test_the_first_fault_in_the_text_is_reported() -> None:
    error = refusal("let a = nothing; let b = mask + 1; where(data, 1, 2)")
    assert (error.kind, error.column) == ("unknown-name", 9)
    error = refusal("(mask + 1) * missing")
    assert (error.kind, error.column) == ("type", 7)


@pytest.mark.parametrize("hostile", ["\x1b[31m", "a\nb", "\u202e"])
def test_names_from_outside_are_never_echoed_raw(hostile: str) -> None:
    table = Symbol("uint8", (hostile, "b", "slow"))
    errors = [
        refusal("data", axes=(hostile, hostile)),
        refusal("data", axes=(hostile, *AXES)),
        refusal("data", dtype=hostile),
        refusal("data", {**SYMBOLS, hostile: table, "where": table}),
        refusal("x", {"x": table}),
        refusal("x[0]", {"x": table}, axes=("slow",)),
        refusal("x[a = 0]", {"x": table}, axes=("slow",)),
        refusal("x", {"x": Symbol("uint8", (hostile, hostile))}),
        refusal("x", {"x": Symbol("uint8", (hostile,), (1, 2))}),
    ]
    assert [repr(error.message) for error in errors if hostile in str(error)] == []


# Soundness: accepted integer formulas stay inside the stated interval

Values = Mapping[str, int]
#: A formula as text, and how to compute it with Python integers.
Compiled = tuple[str, Callable[[Values], int]]

RANGES = {
    "a": ("uint8", 0, 255),
    "b": ("int8", -128, 127),
    "c": ("uint16", 0, 65535),
    "d": ("int32", -(2**31), 2**31 - 1),
    "e": ("uint64", 0, 2**64 - 1),
    "f": ("int64", -(2**63), 2**63 - 1),
}
INTEGERS = {
    **{name: Symbol(dtype) for name, (dtype, _, _) in RANGES.items()},
    "table": Symbol("int16", ("n",), (8,)),
}
TABLE = (-32768, 5, -7, 0, 32767, 100, 1, -1)

OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "&": lambda x, y: x & y,
    "|": lambda x, y: x | y,
    "^": lambda x, y: x ^ y,
}
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": lambda x, y: x < y,
    ">=": lambda x, y: x >= y,
    "==": lambda x, y: x == y,
}


def leaf(value: int | str) -> Compiled:
    if isinstance(value, str):
        return value, lambda values: values[value]
    return (f"({value})", lambda values: value)


def joined(parts: tuple[str, Compiled, Compiled]) -> Compiled:
    operator, (left, of_left), (right, of_right) = parts
    compute = OPERATIONS[operator]
    return f"({left} {operator} {right})", lambda v: compute(of_left(v), of_right(v))


def shifted(parts: tuple[str, Compiled, int, bool]) -> Compiled:
    operator, (left, of_left), count, is_fixed = parts
    right = str(count) if is_fixed else f"(a & {count})"

    def compute(v: Values) -> int:
        n = count if is_fixed else v["a"] & count
        return of_left(v) << n if operator == "<<" else of_left(v) >> n

    return f"({left} {operator} {right})", compute


def selected(parts: tuple[str, Compiled, Compiled, Compiled, Compiled]) -> Compiled:
    comparison, (p, of_p), (q, of_q), (x, of_x), (y, of_y) = parts
    holds = COMPARISONS[comparison]
    text = f"where({p} {comparison} {q}, {x}, {y})"
    return text, lambda v: of_x(v) if holds(of_p(v), of_q(v)) else of_y(v)


def called(parts: tuple[str, Compiled, Compiled, Compiled]) -> Compiled:
    name, (x, of_x), (y, of_y), (z, of_z) = parts
    match name:
        case "-" | "abs" | "floor" | "round":
            unary = {"-": lambda n: -n, "abs": abs}.get(name, lambda n: n)
            return f"{name}({x})", lambda v: unary(of_x(v))
        case "min" | "max":
            many = {"min": min, "max": max}[name]
            return f"{name}({x}, {y}, {z})", lambda v: many(of_x(v), of_y(v), of_z(v))
        case "clip":
            return f"clip({x}, {y}, {z})", lambda v: min(max(of_x(v), of_y(v)), of_z(v))
        case "bits":
            return f"bits({x}, 3, a & 15)", lambda v: (of_x(v) >> 3) & (2 ** (v["a"] & 15) - 1)
        case "choose":
            return f"choose(a >> 7, {x}, {y})", lambda v: (of_x, of_y)[v["a"] >> 7](v)
        case "inside":
            return f"table[n = {x} & 7]", lambda v: TABLE[of_x(v) & 7]
    text = f"table[n = {x}, else = {y}]"
    return text, lambda v: TABLE[of_x(v)] if 0 <= of_x(v) < len(TABLE) else of_y(v)


NAMED = ["-", "abs", "floor", "round", "min", "max", "clip", "bits", "choose", "inside", "outside"]


def grown(parts: st.SearchStrategy[Compiled]) -> st.SearchStrategy[Compiled]:
    return st.one_of(
        st.tuples(st.sampled_from(sorted(OPERATIONS)), parts, parts).map(joined),
        st.tuples(st.sampled_from(["<<", ">>"]), parts, st.integers(0, 40), st.booleans()).map(
            shifted
        ),
        st.tuples(st.sampled_from(sorted(COMPARISONS)), parts, parts, parts, parts).map(selected),
        st.tuples(st.sampled_from(NAMED), parts, parts, parts).map(called),
    )


LEAVES = st.one_of(st.sampled_from(sorted(RANGES)), st.integers(-300, 300)).map(leaf)
FORMULAS = st.recursive(LEAVES, grown, max_leaves=8)
ENDS = {name: st.sampled_from([low, high]) for name, (_, low, high) in RANGES.items()}
ANY = {name: st.integers(low, high) for name, (_, low, high) in RANGES.items()}
INPUTS = st.fixed_dictionaries({name: ENDS[name] | ANY[name] for name in RANGES})


@settings(max_examples=500, deadline=None)
@given(FORMULAS, st.lists(INPUTS, min_size=3, max_size=10))
def test_accepted_integer_formulas_stay_inside_their_interval(
    compiled: Compiled, inputs: list[dict[str, int]]
) -> None:
    text, compute = compiled
    formula = nxformula.parse(text)
    try:
        result = check(formula, INTEGERS, axes=(), dtype="float64")
    except FormulaError as error:
        assert error.kind == "type"  # noqa: PT017
        assume(False)
    stated = result.value(formula.result).type.bounds
    for values in inputs:
        assert stated.low <= compute(values) <= stated.high


@settings(max_examples=100, deadline=None)
@given(FORMULAS)
def test_definitions_change_no_type(compiled: Compiled) -> None:
    text, _ = compiled

    def outcome(formula_text: str) -> Any:
        formula = nxformula.parse(formula_text)
        try:
            result = check(formula, INTEGERS, axes=(), dtype="float64")
        except FormulaError as error:
            return error.kind
        return result.value(formula.result).type

    assert outcome(f"let v = {text}; let w = v; w") == outcome(text)
