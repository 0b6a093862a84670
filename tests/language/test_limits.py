"""Sizes: what is just allowed, what is refused and where, and that nothing recurses."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import nxformula
from nxformula import Symbol
from nxformula.errors import FormulaError, LimitError
from nxformula.language import limits
from nxformula.language.checker import Checked, check

PIXELS = Symbol("uint16", ("slow", "fast"))
TABLE = Symbol("int32", ("stage",), (3,))


def checked(text: str) -> Checked:
    symbols = {"a": PIXELS, "t": TABLE}
    return check(nxformula.parse(text), symbols, axes=("slow", "fast"), dtype="float32")


def refusal(text: str, action: Callable[[str], object] = nxformula.parse) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        action(text)
    return caught.value


def names(count: int, operator: str = "+") -> str:
    return operator.join(["a"] * count)


def test_limits_are_those_of_the_specification() -> None:
    assert limits.TEXT == 16 * 1024
    assert (limits.NESTING, limits.NODES, limits.SYMBOLS, limits.LETS) == (64, 2000, 64, 64)
    assert limits.RANK == 8
    assert limits.INTEGER_LITERAL == 2**64


ACCEPTED = {
    "text": "a".ljust(16384),
    "text in a comment": "a#".ljust(16384, "x"),
    "name": "n" * 16384,
    "parentheses": "(" * 64 + "a" + ")" * 64,
    "calls": "sqrt(" * 64 + "a" + ")" * 64,
    "indices": "t[" * 64 + "a" + "]" * 64,
    "mixed brackets": "(t[sqrt(-" * 21 + "(a" + ")" + ")])" * 21,
    "brackets side by side": "+".join(["(a)"] * 600),
    "brackets in a comment": "a #" + "(" * 1000,
    "powers": names(65, "**"),
    "powers in parentheses": "a**(" * 64 + "a" + ")" * 64,
    "nodes": "-" + names(1000),
    "nodes of a call": f"max({','.join(['a'] * 1999)})",
    "nodes of decimal literals": "-" + "+".join(["1.5"] * 1000),
    "nodes of exponents": "-" + "+".join(["1e-2"] * 1000),
    "nodes of hexadecimal literals": "-" + "+".join(["0x1F"] * 1000),
    "nodes of binary literals": "-" + "+".join(["0b11"] * 1000),
    "nodes of named indices": "-" + "+".join(["t[stage=a]"] * 667)[:-10] + "a",
    "nodes around comments": "-" + names(1000, " + # a + b - 1\n"),
    "definitions": "".join(f"let v{n} = a;" for n in range(64)) + "v63",
    "real literal": "1." + "0" * 126,
    "hexadecimal literal": "0x" + "0" * 125 + "1",
    "integer": "18446744073709551615",
    "integer in hexadecimal": "0xFFFFFFFFFFFFFFFF",
    "integer in binary": "0b" + "1" * 64,
    "largest real": "1.7976931348623157e308",
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_at_the_limit(text: str) -> None:
    assert len(nxformula.parse(text).nodes) <= limits.NODES


@pytest.mark.parametrize("topic", [topic for topic in ACCEPTED if topic.startswith("nodes")])
def test_formulas_at_the_limit_of_nodes_have_that_many(topic: str) -> None:
    assert len(nxformula.parse(ACCEPTED[topic]).nodes) == limits.NODES


REFUSED = {
    "text": ("a".ljust(16385), 1, 16385),
    "text on lines": ("a".ljust(16000) + "\n" + " " * 500, 2, 384),
    "text in a comment": ("a#".ljust(16385, "x"), 1, 16385),
    "parentheses": ("(" * 65 + "a" + ")" * 65, 1, 65),
    "parentheses on lines": ("(" * 60 + "\n" + "(" * 5 + "a" + ")" * 65, 2, 5),
    "calls": ("sqrt(" * 65 + "a" + ")" * 65, 1, 65 * 5),
    "indices": ("t[" * 65 + "a" + "]" * 65, 1, 65 * 2),
    "brackets before a fault": ("(" * 65 + "%", 1, 65),
    "nodes": (names(1001), 1, 2001),
    "nodes on lines": (names(1001, "\n+"), 1001, 2),
    "nodes of a call": (f"max({','.join(['a'] * 2000)})", 1, 4 + 2 * 1999 + 1),
    "nodes of decimal literals": ("+".join(["1.5"] * 1001), 1, 4001),
    "nodes of hexadecimal literals": ("+".join(["0x1F"] * 1001), 1, 5001),
    "nodes with a definition": ("let b = a; " + names(1000), 1, 11 + 1999),
    "definitions": ("".join(f"let v{n} = a;\n" for n in range(65)) + "a", 65, 5),
    "real literal": ("a + 1." + "0" * 127, 1, 5),
    "decimal integer literal": ("a + 1" + "0" * 128, 1, 5),
    "hexadecimal literal": ("a + 0x" + "0" * 126 + "1", 1, 5),
    "integer": ("a + 18446744073709551616", 1, 5),
    "integer in hexadecimal": ("a +\n 0x10000000000000000", 2, 2),
    "integer in binary": ("0b1" + "0" * 64, 1, 1),
    "real": ("a * 1.8e308", 1, 5),
}


@pytest.mark.parametrize(("text", "line", "column"), REFUSED.values(), ids=REFUSED.keys())
def test_beyond_the_limit(text: str, line: int, column: int) -> None:
    error = refusal(text)
    assert isinstance(error, LimitError)
    assert (error.kind, error.line, error.column) == ("limit", line, column)
    assert len(str(error)) < 1000


def test_powers_beyond_the_limit() -> None:
    text = names(66, "**")
    error = refusal(text)
    assert error.kind == "limit"
    assert error.span is not None
    assert text[slice(*error.span)] == "**"


def test_powers_beyond_the_limit_in_parentheses() -> None:
    assert refusal("a**(" * 32 + names(34, "**") + ")" * 32).kind == "limit"


def test_symbols() -> None:
    symbols = {f"s{n}": PIXELS for n in range(100)}
    inside = nxformula.parse(" + ".join(f"s{n} + s{n}" for n in range(64)))
    assert len(check(inside, symbols, axes=("slow", "fast")).symbols) == 64
    outside = nxformula.parse("s0\n+ " + " + ".join(f"s{n}" for n in range(66)))
    with pytest.raises(LimitError) as caught:
        check(outside, symbols, axes=("slow", "fast"))
    error = caught.value
    assert error.span is not None
    assert (error.kind, error.line) == ("limit", 2)
    assert outside.text[slice(*error.span)] == "s64"


def test_rank() -> None:
    axes = tuple("abcdefghi")
    formula = nxformula.parse("1 + x")
    assert check(formula, {"x": Symbol("int8", axes[:8])}, axes=axes[:8]).axes == axes[:8]
    with pytest.raises(LimitError) as caught:
        check(formula, {"x": Symbol("int8", axes)}, axes=axes)
    assert (caught.value.kind, caught.value.line, caught.value.column) == ("limit", 1, 5)


HOSTILE = {
    "50,000 parentheses": "(" * 50_000 + "a" + ")" * 50_000,
    "50,000 open parentheses": "(" * 50_000,
    "16,000 open parentheses": "(" * 16_000,
    "8,000 parentheses": "(" * 8_000 + "a" + ")" * 8_000,
    "100,000 terms": names(100_000),
    "8,000 terms": names(8_000),
    "8,000 signs": "-" * 8_000 + "a",
    "a tower of powers": names(800, "**"),
    "a higher tower of powers": names(5_000, "**"),
    "a tower of negative powers": "a" + "**-a" * 3_000,
    "10,000 digits": "9" * 10_000,
    "10,000 digits of a power": "9**" + "9" * 10_000,
    "10,000 hexadecimal digits": "0x" + "f" * 10_000,
    "10,000 binary digits": "0b" + "1" * 10_000,
    "10,000 digits after the point": "0." + "1" * 10_000,
    "10,000 digits of an exponent": "1e" + "9" * 10_000,
    "a chain of comparisons": names(2_000, "<"),
    "nested calls": "sqrt(" * 3_000 + "a" + ")" * 3_000,
    "nested indices": "t[" * 5_000 + "a" + "]" * 5_000,
    "nested named indices": "t[stage=" * 1_500 + "a" + "]" * 1_500,
    "nested else": "t[a, else=" * 1_500 + "a" + "]" * 1_500,
    "nested not": "not (" * 3_000 + "a" + ")" * 3_000,
    "many not": "not " * 4_000 + "a",
    "many definitions": "".join(f"let v{n}=a;" for n in range(1_200)) + "a",
    "many arguments": f"max({','.join(['a'] * 8_000)})",
    "closing parentheses": ")" * 16_000,
    "separators": ";" * 16_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_are_refused(text: str) -> None:
    error = refusal(text)
    assert error.kind in ("limit", "syntax")
    assert len(str(error)) < 1000


LARGEST = {
    "sum": "-" + names(1000),
    "sum in parentheses on the right": "a+(" * 64 + "a" + ")" * 64,
    "products": names(1000, "/"),
    "comparisons": " and ".join(["a<1"] * 500),
    "calls": "sqrt(" * 64 + "a" + ")" * 64,
    "indices": "t[" * 64 + "a&1" + ", else=0]" * 64,
    "powers": names(65, "**"),
    "definitions": "let v0 = a & 1;"
    + "".join(f"let v{n} = v{n - 1} ^ v{n - 1};" for n in range(1, 64))
    + "v63 + v63",
    "reals by definitions": "let v0 = a / 2;"
    + "".join(f"let v{n} = v{n - 1} * v{n - 1};" for n in range(1, 64))
    + "v63 + v63",
    "arguments": f"max({','.join(['a'] * 1999)})",
    "choices": f"choose(a & 63,{','.join(['a'] * 64)})",
}
DTYPE = {"comparisons": "bool"}


@pytest.mark.parametrize("topic", LARGEST)
def test_the_largest_formulas_are_checked(topic: str) -> None:
    formula = nxformula.parse(LARGEST[topic])
    symbols = {"a": PIXELS, "t": TABLE}
    dtype = DTYPE.get(topic, "float32")
    result = check(formula, symbols, axes=("slow", "fast"), dtype=dtype)
    assert len(result.values) == len(formula.nodes)
    assert set(result.value(formula.result).dimensions) == {"slow", "fast"}


@contextmanager
def little_stack(frames: int) -> Iterator[None]:
    """Allow only some more frames than are in use."""
    depth, frame = 0, sys._getframe()
    while frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + frames)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def test_the_little_stack_is_little() -> None:
    def deeper(levels: int) -> int:
        return levels and deeper(levels - 1)

    with pytest.raises(RecursionError), little_stack(60):
        deeper(70)


@pytest.mark.parametrize("topic", LARGEST)
def test_checking_does_not_recurse(topic: str) -> None:
    checked("a")
    text, dtype = LARGEST[topic], DTYPE.get(topic, "float32")
    with little_stack(60):
        formula = nxformula.parse(text)
        result = check(formula, {"a": PIXELS, "t": TABLE}, axes=("slow", "fast"), dtype=dtype)
        names_of = formula.names
    assert result.formula is formula
    assert set(names_of) <= {"a", "t"}


@pytest.mark.parametrize("topic", HOSTILE)
def test_refusing_does_not_recurse(topic: str) -> None:
    refusal("a b")
    error: FormulaError | None = None
    with little_stack(60):
        try:
            nxformula.parse(HOSTILE[topic])
        except FormulaError as caught:
            error = caught
    assert error is not None
    assert error.kind in ("limit", "syntax")


def test_a_power_of_powers_is_real_at_once() -> None:
    formula = nxformula.parse("a + 9**9**9")
    result = check(formula, {"a": PIXELS}, axes=("slow", "fast"))
    assert result.value(formula.result).type.kind == "real"


def test_integers_that_grow_by_definitions_are_refused() -> None:
    lets = "".join(f"let v{n} = v{n - 1} * v{n - 1};\n" for n in range(1, 60))
    error = refusal(f"let v0 = a;\n{lets}v59", checked)
    assert (error.kind, error.line, error.column) == ("type", 3, 13)
