"""Whatever the text, parser and checker either accept it or raise a `FormulaError`."""

from __future__ import annotations

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

import nxformula
from nxformula import Symbol
from nxformula.errors import FormulaError, excerpt
from nxformula.language import limits
from nxformula.language.checker import check
from nxformula.language.functions import CONSTANTS, FUNCTIONS, KEYWORDS

KINDS = {"syntax", "unknown-name", "type", "arity", "dimension", "limit"}
AXES = ("frame", "slow", "fast")
SYMBOLS = {
    "data": Symbol("uint16", AXES, (None, 4, 8)),
    "frames": Symbol("int64", ("frame",)),
    "big": Symbol("uint64", ("slow", "fast"), (4, 8)),
    "gain": Symbol("float32", ("stage", "slow", "fast"), (4, 4, 8)),
    "turned": Symbol("float64", ("fast", "slow", "stage"), (8, 4, None)),
    "bad": Symbol("bool", ("slow", "fast"), (4, 8)),
    "codes": Symbol("int8", ("stage", "."), (4, 1)),
    "flags": Symbol("bool", ("stage",)),
    "scalar": Symbol("float16"),
    "text": Symbol("S4", ("slow",)),
    "wrong": Symbol("uint8", ("slow",), (5,)),
}
WORDS = [
    *SYMBOLS,
    *("frame", "slow", "fast", "stage", "x", "y", "unknown"),
    *sorted({*FUNCTIONS, *CONSTANTS, *KEYWORDS}),
    *("0", "1", "3", "63", "64", "0x3FFF", "0b11", "9223372036854775808", "18446744073709551615"),
    *("1.5", ".5", "1e2", "1e308", "# note\n"),
    *("+", "-", "*", "/", "**", "<<", ">>", "&", "^", "|", "==", "!=", "<", "<=", ">", ">="),
    *("=", ";", ",", "(", ")", "[", "]", "(", ")", "[", "]"),
    *("!", "~", "%", ".", "//", "&&", '"', "?", ":", "@", "\\", "\x00", "\u00b5", "\r\n", "\t"),
]
OPERATORS = ["+", "-", "*", "/", "**", "<<", ">>", "&", "^", "|", "==", "<", ">=", "and", "or"]
WORD = st.sampled_from(WORDS)
ASCII = st.text(st.characters(max_codepoint=126), max_size=60)


def survives(text: str) -> None:
    """Parse and check; a refusal has a known kind and a place inside the text."""
    try:
        formula = nxformula.parse(text)
    except FormulaError as error:
        well_placed(error, text)
        event(f"refused by the parser: {error.kind}")
        return
    assert len(formula.nodes) <= limits.NODES
    for dtype in ("float32", "int64", "bool"):
        try:
            check(formula, SYMBOLS, axes=AXES, dtype=dtype, field="data")
        except FormulaError as error:
            well_placed(error, text)
            event(f"refused by the checker: {error.kind}")
        else:
            event("accepted")


def well_placed(error: FormulaError, text: str) -> None:
    assert error.kind in KINDS
    assert error.text == text
    assert error.span is not None
    start, end = error.span
    assert 0 <= start <= end <= len(text)
    assert start < end or start == len(text)
    assert error.line == text.count("\n", 0, start) + 1
    assert error.column == len(text[:start].rpartition("\n")[2]) + 1
    lines = str(error).split("\n")
    assert all(line.isprintable() for line in lines)
    assert set(lines[-1].strip()) == {"^"}


@settings(max_examples=300, deadline=None)
@given(ASCII)
@example("\x00")
@example("\x1b]0;x\x07")
def test_ascii(text: str) -> None:
    survives(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("\ud800")
@example("a #\u202e")
def test_unicode(text: str) -> None:
    survives(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORD, max_size=25), st.sampled_from(["", " ", "\n"]))
def test_words_of_the_language(words: list[str], gap: str) -> None:
    survives(gap.join(words))


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Texts that the grammar allows, of whatever types and dimensions."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        numbers = ["0", "1", "2", "64", "0x3FFF", "18446744073709551615", "1.5"]
        return draw(st.sampled_from([*SYMBOLS, *numbers, "pi", "true", "x", "missing", "abs"]))

    def part() -> str:
        return draw(expressions(depth - 1))

    form = draw(st.sampled_from(["binary", "unary", "call", "index"]))
    if form == "binary":
        operator = draw(
            st.sampled_from(
                ["+", "-", "*", "/", "**", "<<", ">>", "&", "^", "|", "==", "<", ">=", "and", "or"]
            )
        )
        return f"({part()} {operator} {part()})"
    if form == "unary":
        return f"({draw(st.sampled_from(['-', 'not ']))}({part()}))"
    if form == "call":
        name = draw(st.sampled_from([*FUNCTIONS, "mod", "group_median", "missing"]))
        return f"{name}({', '.join(part() for _ in range(draw(st.integers(0, 4))))})"
    dimensions = st.sampled_from(["", "stage = ", "slow = ", "cell = "])
    items = [f"{draw(dimensions)}{part()}" for _ in range(draw(st.integers(1, 2)))]
    if draw(st.booleans()):
        items.append(f"else = {part()}")
    return f"{draw(st.sampled_from([*SYMBOLS, 'x', 'pi', 'abs']))}[{', '.join(items)}]"


@settings(max_examples=400, deadline=None)
@given(st.none() | expressions(), expressions())
def test_texts_of_the_grammar(definition: str | None, result: str) -> None:
    text = result if definition is None else f"let x = {definition}; {result}"
    nxformula.parse(text)
    survives(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.data())
def test_excerpts_show_two_printable_lines(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    line, carets = excerpt(text, (start, end)).split("\n")
    assert line.isprintable()
    assert carets.strip().strip("^") == ""
    assert "^" in carets
    assert len(line) < 200


@pytest.mark.parametrize("bad", [None, 3, b"a + b", ["a"]])
def test_what_is_no_text_is_a_mistake_of_the_caller(bad: object) -> None:
    with pytest.raises(TypeError):
        nxformula.parse(bad)  # type: ignore[arg-type]
