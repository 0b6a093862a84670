"""Text to tree: precedence, spans, literals, refusals, and how errors are shown."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable

import pytest

import nxformula
from nxformula import errors
from nxformula.errors import FormulaError, FormulaSyntaxError, LimitError, UnknownNameError
from nxformula.language.tree import (
    Binary,
    Call,
    Formula,
    Index,
    Let,
    Literal,
    Name,
    Node,
    Unary,
)


def shown(node: Node) -> str:
    """The tree with every operation in parentheses."""
    match node:
        case Literal(value=value):
            return repr(value)
        case Name(name=name):
            return name
        case Unary(operator=operator, operand=operand):
            return f"({operator} {shown(operand)})"
        case Binary(operator=operator, left=left, right=right):
            return f"({shown(left)} {operator} {shown(right)})"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(shown(argument) for argument in arguments)})"
        case Index(name=name, items=items, otherwise=otherwise):
            inside = [
                shown(item.value)
                if item.dimension is None
                else f"{item.dimension}={shown(item.value)}"
                for item in items
            ]
            if otherwise is not None:
                inside.append(f"else={shown(otherwise)}")
            return f"{name}[{', '.join(inside)}]"
        case Let(name=name, value=value):
            return f"let {name} = {shown(value)};"


def tree(text: str) -> str:
    formula = nxformula.parse(text)
    return " ".join(shown(node) for node in (*formula.lets, formula.result))


def refusal(text: str) -> FormulaError:
    with pytest.raises(FormulaError) as caught:
        nxformula.parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a * b + c", "((a * b) + c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a - b + c - d", "(((a - b) + c) - d)"),
        ("a / b / c", "((a / b) / c)"),
        ("a / b * c", "((a / b) * c)"),
        ("a ** b ** c", "(a ** (b ** c))"),
        ("a * b ** c * d", "((a * (b ** c)) * d)"),
        ("10 ** -3", "(10 ** (- 3))"),
        ("a ** -b * c", "((a ** (- b)) * c)"),
        ("a ** b ** -c", "(a ** (b ** (- c)))"),
        ("(-a) ** b", "((- a) ** b)"),
        ("-(a ** b)", "(- (a ** b))"),
        ("c - a ** b", "(c - (a ** b))"),
        ("-a * b", "((- a) * b)"),
        ("-a + b", "((- a) + b)"),
        ("a * -b", "(a * (- b))"),
        ("a - -b", "(a - (- b))"),
        ("a << b + c", "(a << (b + c))"),
        ("a + b << c", "((a + b) << c)"),
        ("a << b >> c", "((a << b) >> c)"),
        ("a >> b & c", "((a >> b) & c)"),
        ("a & b >> c", "(a & (b >> c))"),
        ("a & b ^ c | d", "(((a & b) ^ c) | d)"),
        ("a | b ^ c & d", "(a | (b ^ (c & d)))"),
        ("a | b | c", "((a | b) | c)"),
        ("a ^ b ^ c", "((a ^ b) ^ c)"),
        ("a & b & c", "((a & b) & c)"),
        ("a + b < c * d", "((a + b) < (c * d))"),
        ("a >> 1 == b << 2", "((a >> 1) == (b << 2))"),
        ("a < b and c >= d", "((a < b) and (c >= d))"),
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("a and b and c", "((a and b) and c)"),
        ("a or b or c", "((a or b) or c)"),
        ("not a and b", "((not a) and b)"),
        ("not a or not b", "((not a) or (not b))"),
        ("not (a == b)", "(not (a == b))"),
        ("not isnan(a)", "(not isnan(a))"),
        ("not t[0]", "(not t[0])"),
        ("a & b and c", "((a & b) and c)"),
        ("a <= b or c != d", "((a <= b) or (c != d))"),
        ("((a))", "a"),
        ("(a + b) * c", "((a + b) * c)"),
        ("a - (b - c)", "(a - (b - c))"),
        ("(a ** b) ** c", "((a ** b) ** c)"),
        ("f(a, b + 1, g())", "f(a, (b + 1), g())"),
        ("-f(a) * t[b]", "((- f(a)) * t[b])"),
        ("f(a) ** t[b]", "(f(a) ** t[b])"),
        ("t[s = a + 1, c = b, else = -1]", "t[s=(a + 1), c=b, else=(- 1)]"),
        ("t[a, c = b]", "t[a, c=b]"),
        ("t[a == b]", "t[(a == b)]"),
        ("t[s = u[v]]", "t[s=u[v]]"),
    ],
)
def test_precedence_and_associativity(text: str, expected: str) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize("operator", ["==", "!=", "<", "<=", ">", ">="])
def test_comparisons_stand_between_sums_and_conditions(operator: str) -> None:
    expected = f"(((a + 1) {operator} (b << c)) and d)"
    assert tree(f"a + 1 {operator} b << c and d") == expected


def test_lets_come_before_the_result_in_their_order() -> None:
    text = "let a = x + 1; let b = a * 2;\nb / a"
    formula = nxformula.parse(text)
    assert tree(text) == "let a = (x + 1); let b = (a * 2); (b / a)"
    assert [let.name for let in formula.lets] == ["a", "b"]
    assert formula.names == ("x",)
    assert formula.nodes[-1] is formula.result


def test_names_are_those_from_outside_in_order_of_first_use() -> None:
    text = "let k = gain[stage = s]; where(mask != 0, nan, (data - k) * pi + gain[stage = data])"
    assert nxformula.parse(text).names == ("s", "gain", "mask", "data")


def test_every_node_follows_its_operands_and_appears_once() -> None:
    formula = nxformula.parse("let q = -a; f(q, t[s = q, else = 1]) + 2")
    assert len({id(node) for node in formula.nodes}) == len(formula.nodes)
    place = {id(node): number for number, node in enumerate(formula.nodes)}
    for node in formula.nodes:
        match node:
            case Unary(operand=operand):
                below = [operand]
            case Binary(left=left, right=right):
                below = [left, right]
            case Call(arguments=arguments):
                below = list(arguments)
            case Let(value=value):
                below = [value]
            case Index(items=items, otherwise=otherwise):
                below = [*(item.value for item in items), *([otherwise] if otherwise else [])]
            case _:
                below = []
        assert all(place[id(operand)] < place[id(node)] for operand in below)
    assert [type(node).__name__ for node in formula.nodes] == [
        *("Name", "Unary", "Let", "Name", "Name", "Literal", "Index", "Call", "Literal", "Binary")
    ]


def test_spans_cover_the_token_that_names_the_node() -> None:
    text = "let up = -lo;\n f(0x1F, up) ** t[s = 1.5, 2] # end"
    spans = {(type(node).__name__, text[slice(*node.span)]) for node in nxformula.parse(text).nodes}
    assert spans == {
        ("Let", "up"),
        ("Unary", "-"),
        ("Name", "lo"),
        ("Binary", "**"),
        ("Call", "f"),
        ("Literal", "0x1F"),
        ("Name", "up"),
        ("Index", "t"),
        ("Literal", "1.5"),
        ("Literal", "2"),
    }


def test_spans_of_index_items() -> None:
    text = "t[stage = a, b + c]"
    index = nxformula.parse(text).result
    assert isinstance(index, Index)
    assert [text[slice(*item.span)] for item in index.items] == ["stage", "+"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("16383", 16383),
        ("18446744073709551615", 2**64 - 1),
        ("0x3FFF", 0x3FFF),
        ("0xffffffffffffffff", 2**64 - 1),
        ("0x00aB", 0xAB),
        ("0b0", 0),
        ("0b1011", 11),
        ("1.5", 1.5),
        (".5", 0.5),
        ("0.0", 0.0),
        ("1e2", 100.0),
        ("1E2", 100.0),
        ("1e+2", 100.0),
        ("12e-1", 1.2),
        ("1.25e3", 1250.0),
        (".5e1", 5.0),
        ("12.398419843320026", 12.398419843320026),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("5e-324", 5e-324),
    ],
)
def test_literals(text: str, value: float) -> None:
    node = nxformula.parse(text).result
    assert isinstance(node, Literal)
    assert node.value == value
    assert type(node.value) is type(value)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("007", 2),
        ("00", 2),
        ("0x", 2),
        ("0xG", 2),
        ("0X1F", 2),
        ("0b2", 2),
        ("0b", 2),
        ("0B1", 2),
        ("0o7", 2),
        ("1_000", 2),
        ("12abc", 3),
        ("1e", 2),
        ("1.5e", 4),
        ("1.", 2),
        ("1.e5", 2),
        (".", 1),
        ("1..5", 2),
        ("1.2.3", 4),
        ("1 2", 3),
        ("5j", 2),
        ("1.5f", 4),
        ("0x1.8p3", 4),
    ],
)
def test_malformed_numbers(text: str, column: int) -> None:
    error = refusal(text)
    assert (error.kind, error.line, error.column) == ("syntax", 1, column)


@pytest.mark.parametrize(
    "text",
    [
        "a+b",
        " a + b ",
        "a\t+\tb",
        "a\n+\nb",
        "a\r\n+ b\r\n",
        "a\r+\rb",
        "# first\na + b",
        "a + b # last",
        "a # %$!?'(([[ let else\n + b",
        "a + b #",
        "a#\n+b#",
        "a # one\r\n# two\r\n + b",
    ],
)
def test_blanks_and_comments_separate(text: str) -> None:
    assert tree(text) == "(a + b)"


def test_a_carriage_return_does_not_end_a_comment() -> None:
    assert tree("a # + b\r + c") == "a"


@pytest.mark.parametrize(
    "name", ["a", "_", "_x9", "Data", "letter", "andy", "nota", "order", "elsewhere", "x" * 300]
)
def test_names(name: str) -> None:
    node = nxformula.parse(name).result
    assert isinstance(node, Name)
    assert node.name == name


MIXTURES = [
    ("a & b == c", 7, "(a & b) == c"),
    ("a ^ b < c", 7, "(a ^ b) < c"),
    ("a | b != c", 7, "(a | b) != c"),
    ("a == b & c", 8, "a == (b & c)"),
    ("a < b ^ c", 7, "a < (b ^ c)"),
    ("a >= b | c", 8, "a >= (b | c)"),
    ("a and b & c == d", 13, "(a & b) == c"),
    ("-a ** b", 4, "-(a ** b)"),
    ("-a ** b", 4, "(-a) ** b"),
    ("-2 ** 2", 4, "-(a ** b)"),
    ("c - -a ** b", 8, "-(a ** b)"),
    ("-f(a) ** b", 7, "-(a ** b)"),
    ("-t[a] ** b", 7, "(-a) ** b"),
    ("a < b < c", 7, "(a < b) and (b < c)"),
    ("a == b == c", 8, "(a == b) and (b == c)"),
    ("a < b != c", 7, "(a < b) and (b != c)"),
    ("not a == b", 7, "not (a == b)"),
    ("not (a) < b", 9, "not (a < b)"),
    ("not f(a) > b", 10, "not (a > b)"),
    ("a and not b == c", 13, "not (a == b)"),
    ("not a & b", 7, "not (a & b)"),
    ("not a << b", 7, "not (a << b)"),
    ("not a * b", 7, "not (a * b)"),
    ("not a ** b", 7, "not (a ** b)"),
    ("not a + b", 7, "not (a + b)"),
    ("not a - b", 7, "not (a - b)"),
    ("a == not b", 6, "a == (not (b))"),
]


@pytest.mark.parametrize(("text", "column", "suggestion"), MIXTURES)
def test_refused_mixtures_say_what_to_write(text: str, column: int, suggestion: str) -> None:
    error = refusal(text)
    assert isinstance(error, FormulaSyntaxError)
    assert (error.kind, error.line, error.column) == ("syntax", 1, column)
    assert f"'{suggestion}'" in error.message


@pytest.mark.parametrize(
    "text", sorted({text for text, _, _ in MIXTURES} - {"not a + b", "not a - b"})
)
def test_suggestions_for_mixtures_are_formulas(text: str) -> None:
    quoted = re.findall(r"(?:write|or) '([^']+)'", refusal(text).message)
    written = [suggestion for suggestion in quoted if " " in suggestion]
    assert written
    for suggestion in written:
        nxformula.parse(suggestion)


@pytest.mark.parametrize(
    ("text", "column", "fragment"),
    [
        ("a % b", 3, "no '%'"),
        ("a // b", 4, "no '//'"),
        ("~a", 1, "x ^ mask"),
        ("+a", 1, "no unary '+'"),
        ("a * +b", 5, "no unary '+'"),
        ("--a", 2, "needs parentheses"),
        ("a ** -b ** c", 9, "needs parentheses"),
        ("!a", 1, "not (a)"),
        ("a && b", 4, "a and b"),
        ("a || b", 4, "a or b"),
        ("a ? b : c", 3, "where(condition, a, b)"),
        ("t[0:2]", 4, "where(condition, a, b)"),
        ('a + "b"', 5, "no strings"),
        ("a = b", 3, "'=='"),
        ("let a == 1; a", 7, "expected '='"),
        ("a;", 2, "ends a 'let' only"),
        ("a let", 3, "before the result"),
        ("else", 1, "inside an index"),
        ("t[else = 0]", 3, "inside an index"),
        ("1[0]", 2, "only symbols can be indexed"),
        ("not 1", 5, "not (a)"),
        ("a b", 3, "expected an operator"),
        ("f(a,)", 5, "expected a name, a number or '('"),
        ("f(, a)", 3, "expected a name, a number or '('"),
        ("t[]", 3, "expected a name, a number or '('"),
        ("()", 2, "expected a name, a number or '('"),
        ("let 1 = a; a", 5, "expected a name"),
        ("a)", 2, "unexpected ')'"),
        ("(a]", 3, "unexpected ']'"),
        ("(a)(b)", 4, "unexpected '('"),
        ("(a)[b]", 4, "only symbols can be indexed"),
        ("f(a)[b]", 5, "only symbols can be indexed"),
        ("t[a][b]", 5, "only symbols can be indexed"),
        ("a.b", 2, "'.' is not part of the language"),
        ("a @ b", 3, "'@' is not part of the language"),
        ("f(x = 1)", 5, "'=='"),
        ("t[s = 1, else = 2, c = 3]", 18, "unexpected ','"),
        ("let a = b, a", 10, "unexpected ','"),
    ],
)
def test_other_refusals(text: str, column: int, fragment: str) -> None:
    error = refusal(text)
    assert (error.kind, error.line, error.column) == ("syntax", 1, column)
    assert fragment in error.message


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("   ", 1, 4),
        ("# only a comment", 1, 17),
        ("a +", 1, 4),
        ("a + ", 1, 5),
        ("a +\n", 2, 1),
        ("a +\r\n  ", 2, 3),
        ("a + # more", 1, 11),
        ("f(a", 1, 4),
        ("t[a", 1, 4),
        ("let x = 1;", 1, 11),
        ("let x = 1;\n", 2, 1),
        ("let x", 1, 6),
        ("not", 1, 4),
    ],
)
def test_a_fault_at_the_end_is_after_the_last_character(text: str, line: int, column: int) -> None:
    error = refusal(text)
    assert (error.kind, error.line, error.column) == ("syntax", line, column)
    assert error.span == (len(text), len(text))


@pytest.mark.parametrize(
    ("text", "line", "column", "fragment"),
    [
        ("d\u0430ta", 1, 2, "U+0430 (cyrillic small letter a)"),
        ("a + \uff11", 1, 5, "U+FF11 (fullwidth digit one)"),
        ("a +\u00a0b", 1, 4, "U+00A0 (no-break space)"),
        ("a \u2212 b", 1, 3, "U+2212 (minus sign)"),
        ("a \u00d7 b", 1, 3, "U+00D7"),
        ("a\u200b", 1, 2, "U+200B"),
        ("\ufeffa", 1, 1, "U+FEFF"),
        ("a # d\u0430ta", 1, 6, "U+0430"),
        ("a\n# \u00b5m\n+ b", 2, 3, "U+00B5"),
        ("a # \u202e", 1, 5, "U+202E"),
        ("a\x00", 1, 2, "U+0000"),
        ("a\x0b+ b", 1, 2, "U+000B"),
        ("a\x0c+ b", 1, 2, "U+000C"),
        ("a # \x1b[31m", 1, 5, "U+001B"),
        ("a\x7f", 1, 2, "U+007F"),
        ("a\x85", 1, 2, "U+0085"),
        ("a\u2028+ b", 1, 2, "U+2028"),
        ("\U0001d4d0", 1, 1, "U+1D4D0"),
        ("\ud800", 1, 1, "U+D800"),
    ],
)
def test_characters_outside_ascii_are_named(
    text: str, line: int, column: int, fragment: str
) -> None:
    error = refusal(text)
    assert (error.kind, error.line, error.column) == ("syntax", line, column)
    assert fragment in error.message
    assert str(error).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "let x = data >> 14;\nx +  % 2",
            "syntax error at line 2, column 6: '%' is not part of the language; "
            "there is no '%': its sign differs between languages\n"
            "    x +  % 2\n"
            "         ^",
        ),
        (
            "a\t&\tb ==\tc",
            "syntax error at line 1, column 7: '==' beside '&' needs parentheses; "
            "write '(a & b) == c'\n"
            "    a & b == c\n"
            "          ^^",
        ),
        (
            "a +",
            "syntax error at line 1, column 4: the formula ends too early; "
            "expected a name, a number or '('\n"
            "    a +\n"
            "       ^",
        ),
        (
            "b + " * 30 + "long name" + " + c" * 30,
            "syntax error at line 1, column 126: unexpected 'name'; "
            "expected an operator or the end\n"
            "    ... + " + "b + " * 13 + "long name" + " + c" * 15 + "...\n"
            "    " + " " * 63 + "^^^^",
        ),
        (
            "a \x1b[31m\x07+ b",
            "syntax error at line 1, column 3: a formula is plain ASCII text; "
            "found U+001B (a control character)\n"
            "    a ?[31m?+ b\n"
            "      ^",
        ),
        (
            "a\r\nb",
            "syntax error at line 2, column 1: unexpected 'b'; expected an operator or the end\n"
            "    b\n"
            "    ^",
        ),
    ],
)
def test_message_with_line_and_carets(text: str, expected: str) -> None:
    assert str(refusal(text)) == expected


def test_a_caret_line_is_never_longer_than_the_shown_line_and_its_lead() -> None:
    name = "n" * 500
    shown_line, carets = str(refusal(f"a {name}")).splitlines()[-2:]
    assert set(carets.strip()) == {"^"}
    assert len(carets) <= len(shown_line) < 200


def pickled(error: FormulaError) -> FormulaError:
    again: FormulaError = pickle.loads(pickle.dumps(error))
    return again


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize(
    "error",
    [
        FormulaSyntaxError("message", "a\nb c", (4, 5)),
        UnknownNameError("message", "a\nb c", (2, 3)),
        LimitError("message", "a", None),
        LimitError("message"),
    ],
)
def test_errors_survive_copies_and_pickling(
    error: FormulaError, duplicate: Callable[[FormulaError], FormulaError]
) -> None:
    again = duplicate(error)
    assert type(again) is type(error)
    assert str(again) == str(error)
    for attribute in ("kind", "line", "column", "span", "text", "message"):
        assert getattr(again, attribute) == getattr(error, attribute)


def test_parse_errors_survive_pickling() -> None:
    error = refusal("let x = 1;\n x & 1 == 2")
    again = pickled(error)
    assert (again.kind, again.line, again.column) == ("syntax", 2, 8)
    assert str(again) == str(error)


def test_kinds_are_those_of_the_specification() -> None:
    kinds = {error.kind for error in FormulaError.__subclasses__()}
    assert kinds == {
        *("syntax", "unknown-name", "type", "arity", "dimension", "unit", "limit", "version")
    }
    assert issubclass(FormulaError, errors.NXFormulaError)


def test_an_error_without_a_place_shows_none() -> None:
    error = LimitError("too much", "a + b")
    assert (error.line, error.column) == (None, None)
    assert str(error) == "limit error: too much"


@pytest.mark.parametrize(
    "error",
    [
        errors.FileError("cannot be read", "raw.h5"),
        errors.NoFormulaError("has none", "raw.h5"),
        errors.MissingSourceError("is missing", "raw.h5"),
        errors.ForbiddenPathError("is outside", "raw.h5"),
        errors.CorruptFileError("is not HDF5", "raw.h5"),
    ],
)
def test_file_errors_keep_their_path(error: errors.FileError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.message, again.path) == (type(error), error.message, "raw.h5")
    assert isinstance(again, errors.NXFormulaError)


def test_huge_reals_are_powers_not_integers() -> None:
    assert tree("9**9**9") == "(9 ** (9 ** 9))"


def test_formula_shows_its_text() -> None:
    formula = nxformula.parse("a +  b")
    assert isinstance(formula, Formula)
    assert formula.text == "a +  b"
    assert "a +  b" in repr(formula)


def test_no_literal_is_infinite_or_nan() -> None:
    error = refusal("a + 1e999")
    assert (error.kind, error.line, error.column) == ("limit", 1, 5)
