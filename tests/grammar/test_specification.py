"""The specification agrees with the data, with the grammar for Lark and with the software."""

from __future__ import annotations

import copy
import json
import random
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput
from topics import ebnf
from topics.files import GRAMMAR
from topics.specification import LIMITS, SPEC, filled, limits, tables

import nxformula
from nxformula import errors
from nxformula.errors import FormulaSyntaxError, LimitError
from nxformula.language import limits as software
from nxformula.language.functions import CONSTANT_UNITS, CONSTANTS, FUNCTIONS, KEYWORDS, OPERATORS
from nxformula.language.operators import BEFORE_OPERAND
from nxformula.language.types import INTEGER_DTYPES, RESULT_DTYPES, SYMBOL_DTYPES
from nxformula.language.units import texts

DATA = json.loads((GRAMMAR / "functions.json").read_text(encoding="ascii"))
TEXT = SPEC.read_text(encoding="utf-8")
LALR = Lark(ebnf.LARK, parser="lalr", lexer="basic", start="formula")
LEXER = Lark(ebnf.LARK, parser=None, lexer="basic", start="formula")


def name_of(entry: dict[str, Any]) -> str:
    """The name of a function or constant, or the symbol of an operator."""
    return str(entry.get("name", entry.get("symbol")))


def section(title: str) -> str:
    """The text from a heading to the next one."""
    (found,) = re.findall(rf"^#+ {title}$\n(.*?)(?=^#)", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


def first_column(text: str) -> list[str]:
    """The words in code in the first column of the tables."""
    cells = re.findall(r"^\| ((?:[^|\\]|\\.)*) \|", text, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`([^`]*)`", cell)]


def test_the_tables_are_those_of_the_data() -> None:
    assert filled(TEXT) == TEXT, "run tests/grammar/generate.py"


def test_the_limits_are_those_of_the_software() -> None:
    assert {name: getattr(software, name) for name in limits()} == limits()
    assert set(limits()) == {name for name, _ in LIMITS}
    assert software.INTEGER_LITERAL == 2**64
    assert "below 2^64" in section("2.4 Numbers")


def test_every_rule_for_units_is_explained() -> None:
    entries = [*FUNCTIONS.values(), *OPERATORS.values()]
    used = {entry.units for entry in entries} | set(CONSTANT_UNITS.values())
    assert set(first_column(section("8.4 Rules"))) == used


def test_the_limits_of_units_are_those_of_the_software() -> None:
    assert f"at most {texts.TEXT} characters" in section("8.2 Texts")
    wanted = f"a multiple of {float(texts.STEP)} from -{texts.EXPONENT} to {texts.EXPONENT}"
    assert wanted in section("8.1 Units")


def test_the_kinds_of_errors_are_those_of_the_software() -> None:
    kinds = {error.kind for error in errors.FormulaError.__subclasses__()}
    assert set(first_column(section("11.1 Kinds"))) == kinds


def test_the_dtypes_are_those_of_the_software() -> None:
    found = set(re.findall(r"`(bool|u?int[0-9]+|float[0-9]+)`", section("5.2 Types")))
    assert found == set(SYMBOL_DTYPES)
    assert set(RESULT_DTYPES) == {"float32", "float64", "bool", *INTEGER_DTYPES}


def test_the_keywords_are_those_of_the_software() -> None:
    assert set(ebnf.keywords()) == KEYWORDS


def test_the_conformance_classes_are_those_of_the_schema() -> None:
    schema = json.loads((GRAMMAR / "conformance" / "vector.schema.json").read_text())
    assert (
        first_column(section("12.1 Conformance classes")) == schema["properties"]["class"]["enum"]
    )


def test_every_integer_result_has_an_interval_rule() -> None:
    rows = " ".join(first_column(section("5.3 Integers")))
    integer = {"mod", "div", "bits", "to_integer", "position", "where", "choose"}
    integer |= {name for name, entry in FUNCTIONS.items() if entry.type == "numeric"}
    for name in integer:
        assert f"{name}(" in rows, name
    for symbol, entry in OPERATORS.items():
        if entry.interval:
            form = symbol if symbol == "-x" else f"x {symbol} y"
            assert form in rows.replace("\\|", "|"), symbol


#: The bounds that the specification gives for the interval rules of the data.
BOUNDS = {
    "add": "[a + c, b + d]",
    "subtract": "[a - d, b - c]",
    "multiply": "hull of ac, ad, bc, bd",
    "negate": "[-b, -a]",
    "shift_left": "hull of a·2^c, a·2^d, b·2^c, b·2^d",
    "shift_right": "hull of floor(a / 2^c), floor(a / 2^d), floor(b / 2^c), floor(b / 2^d)",
    "bit_and": "[0, m] if a >= 0 or c >= 0, where m is the smallest upper bound among those of "
    "the two intervals whose lower bound is not negative; else W",
    "bit_xor": "W",
    "bit_or": "[max(a, c), high of W] if a >= 0 and c >= 0; else W",
    "absolute": "[0, max(-a, b)] if a <= 0 <= b; else hull of |a|, |b|",
    "identity": "[a, b]",
    "sign": "[sign of a, sign of b]",
    "minimum": "[smallest of the lower bounds, smallest of the upper bounds]",
    "maximum": "[largest of the lower bounds, largest of the upper bounds]",
    "clip": "that of `min(max(x, low), high)`",
}


def bounds_in_the_text() -> dict[str, str]:
    """The interval of section 5.3 for each operator and function."""
    found = {}
    for row in section("5.3 Integers").replace("\\|", "\0").splitlines():
        cells = [cell.strip().replace("\0", "|") for cell in row.split("|")[1:-1]]
        if len(cells) == 2:
            for form in re.findall(r"`([^`]*)`", cells[0]):
                operator = re.fullmatch(r"x (\S+) y", form)
                found[operator[1] if operator else form.partition("(")[0]] = cells[1]
    return found


@pytest.mark.parametrize(
    "entry", [e for e in DATA["operators"] + DATA["functions"] if "interval" in e], ids=name_of
)
def test_the_intervals_are_those_of_the_text(entry: dict[str, Any]) -> None:
    assert bounds_in_the_text()[name_of(entry)] == BOUNDS[entry["interval"]]


@pytest.mark.parametrize("entry", DATA["functions"], ids=name_of)
def test_the_number_of_arguments_is_that_of_the_signature(entry: dict[str, Any]) -> None:
    (inside,) = re.findall(rf"^{entry['name']}\((.*)\)$", entry["signature"])
    names = inside.split(", ")
    fewest, most = entry["arguments"]
    if "..." in names:
        assert fewest <= names.index("...") < most
    else:
        assert fewest == most == len(names)


def test_the_grouping_is_that_of_the_data() -> None:
    rows = re.findall(r"^\| [0-9]+ \| (.*) \| ?(.*?) ?\|$", section("4. Precedence"), re.MULTILINE)
    grouping = {
        word: how
        for forms, how in rows
        for word in re.findall(r"`([^`]*)`", forms.replace("\\|", "|"))
    }
    for entry in DATA["operators"]:
        how, side = grouping[entry["symbol"]], entry["associativity"]
        if side in ("left", "right"):
            assert f"from the {side}" in how
        elif entry["symbol"] in BEFORE_OPERAND.values():
            assert not how
        else:
            assert "comparisons not at all" in how


SHOWN = ("symbol", "name", "signature", "meaning", "type", "units", "operands", "result")


def changed(value: Any) -> Any:
    """Another value of the same kind that the data might as well hold."""
    others = {
        "numeric": "real",
        "real": "numeric",
        "numbers": "integers",
        "integers": "numbers",
        "bools": "numbers",
        "bool": "numbers",
        "number": "numbers",
    }
    return others.get(value, f"{value} and more")


@pytest.mark.parametrize("group", ["operators", "functions", "constants"])
def test_no_change_of_the_data_goes_unseen(group: str) -> None:
    before = tables(DATA)
    for number, entry in enumerate(DATA[group]):
        for key in SHOWN:
            # The signature shows the name.
            if key not in entry or (group == "functions" and key == "name"):
                continue
            data = copy.deepcopy(DATA)
            data[group][number][key] = changed(entry[key])
            try:
                after = tables(data)
            except KeyError:
                continue
            assert after != before, (entry, key)
        data = copy.deepcopy(DATA)
        del data[group][number]
        assert tables(data) != before


def test_the_precedence_table_is_in_the_order_of_the_data() -> None:
    rows = re.findall(r"^\| [0-9]+ \| (.*?) \| ", section("4. Precedence"), re.MULTILINE)
    assert len(rows) == 10
    levels: dict[str, int] = {}
    for level, row in enumerate(rows):
        for word in re.findall(r"`([^`]*)`", row.replace("\\|", "|")):
            levels.setdefault(word, level)
    assert set(OPERATORS) <= set(levels)
    order = sorted(OPERATORS, key=lambda symbol: OPERATORS[symbol].precedence)
    found = [levels[symbol] for symbol in order]
    assert found == sorted(found)


def test_formulas_in_the_text_are_of_the_language() -> None:
    found = re.findall(r"^```nxf\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    for text in found:
        assert nxformula.parse(text).nodes


def test_what_the_text_refuses_is_refused() -> None:
    body = section("4. Precedence")
    rows = re.findall(r"^\| (`.*`) \|(?:.*\|){2} (`.*`) \|$", body, re.MULTILINE)
    assert len(rows) == 5
    for refused, accepted in rows:
        for text in re.findall(r"`([^`]*)`", refused):
            assert not is_parsed(text)
        for text in re.findall(r"`([^`]*)`", accepted):
            assert is_parsed(text)


@pytest.mark.parametrize("name", [*FUNCTIONS, *CONSTANTS])
def test_every_name_is_in_the_text(name: str) -> None:
    assert re.search(rf"`{name}\b", TEXT)


# Tokens


def test_the_regular_expressions_are_those_of_the_grammar() -> None:
    for name, pattern in ebnf.token_table().items():
        assert re.search(rf"^{name}(\.\d+)?: /{re.escape(pattern)}/$", ebnf.LARK, re.MULTILINE), (
            name
        )


def test_the_marks_are_those_of_the_grammar() -> None:
    body = ebnf.LARK.partition("\nLET:")[2].partition("\nNAME:")[0]
    strings = set(re.findall(r'"([^"]+)"', body))
    assert strings == {*ebnf.marks(), *ebnf.keywords()}
    assert strings == set(re.findall(r'"([^"]+)"', ebnf.block()))


ALPHABET = [*"0123456789abefxlnotd_.eE+-*/<>=!&|^()[],; #\n", "0x", "0b", "1e", "let", "and", "not"]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(ALPHABET), max_size=12).map("".join))
@example("08")
@example("1.e5")
@example("1and 2")
@example("a<<=b")
@example("0x1e+5")
def test_the_longest_token_is_taken(text: str) -> None:
    try:
        found = ebnf.kinds_of(list(LEXER.lex(text)))
    except UnexpectedCharacters:
        assert ebnf.lexed(text) is None
    else:
        assert ebnf.lexed(text) == found


# Grammar

WORDS = {
    "NAME": ["a", "data", "x1", "_", "sqrt", "pi", "where"],
    "INTEGER": ["0", "7", "0x1F", "0b11", "65535"],
    "REAL": ["1.5", ".5", "1e2", "08.5", "2.5e-3"],
}
SEEDS = st.integers(0, 2**32 - 1)
KINDS = [*WORDS, *ebnf.marks(), *ebnf.keywords()]


def written(kinds: list[str], source: random.Random) -> str:
    return " ".join(source.choice(WORDS.get(kind, [kind])) for kind in kinds)


def is_parsed(text: str) -> bool:
    """Whether the software's grammar accepts a text; limits aside."""
    try:
        nxformula.parse(text)
    except FormulaSyntaxError:
        return False
    except LimitError:
        return True
    return True


def is_recognised(kinds: list[str]) -> bool:
    try:
        ebnf.recogniser().parse(ebnf.coded(kinds))
    except UnexpectedInput:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(16, 40))
def test_sentences_of_the_specification_are_parsed(seed: int, depth: int) -> None:
    source = random.Random(seed)
    kinds = ebnf.sentence(source, depth)
    assert is_parsed(written(kinds, source))


#: The rules of the grammar for Lark, as Lark itself reads them.
RULES: dict[str, list[list[Any]]] = {}
for rule in LALR.rules:
    RULES.setdefault(rule.origin.name, []).append(rule.expansion)
#: The texts of each token but NAME, INTEGER and REAL.
TERMINALS = {
    terminal.name: [text.replace("\\", "") for text in re.split(r"(?<!\\)\|", body)]
    for terminal in LALR.terminals
    for body in [re.sub(r"^\(\?:(.*)\)$", r"\1", terminal.pattern.to_regexp())]
}


@cache
def heights() -> dict[str, float]:
    """For each rule, the depth of its shallowest sentence."""
    found = dict.fromkeys(RULES, float("inf"))
    for _ in RULES:
        found = {name: min(height(parts, found) for parts in RULES[name]) for name in RULES}
    return found


def height(parts: list[Any], of_rules: dict[str, float]) -> float:
    return 1 + max((of_rules[part.name] for part in parts if not part.is_term), default=0)


def of_lark(name: str, source: random.Random, depth: int) -> list[str]:
    """A random sentence of a rule of the grammar for Lark, token by token."""
    shallow = [parts for parts in RULES[name] if height(parts, heights()) <= depth]
    least = min(RULES[name], key=lambda parts: height(parts, heights()))
    found = []
    for part in source.choice(shallow) if shallow and source.random() < 0.5 else least:
        if not part.is_term:
            found += of_lark(part.name, source, depth - 1)
        elif part.name in WORDS:
            found.append(source.choice(WORDS[part.name]))
        else:
            found.append(source.choice(TERMINALS[part.name]))
    return found


@settings(max_examples=300, deadline=None)
@given(SEEDS, st.integers(20, 40))
def test_sentences_of_the_grammar_for_lark_are_recognised(seed: int, depth: int) -> None:
    found = of_lark("formula", random.Random(seed), depth)
    assume(len(found) <= 60)
    tokens = ebnf.lexed(" ".join(found))
    assert tokens is not None
    assert is_recognised([kind for kind, _ in tokens])


@settings(max_examples=150, deadline=None)
@given(SEEDS)
def test_the_grammar_is_unambiguous(seed: int) -> None:
    kinds = ebnf.sentence(random.Random(seed), 22)[:60]
    if is_recognised(kinds):
        tree = ebnf.recogniser(explicit=True).parse(ebnf.coded(kinds))
        assert not list(tree.find_data("_ambig"))


def mutated(kinds: list[str], source: random.Random) -> list[str]:
    """A sentence with some tokens replaced, inserted, removed or exchanged."""
    kinds = list(kinds)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(kinds) + 1)
        change = source.randrange(4)
        if change == 0:
            kinds.insert(at, source.choice(KINDS))
        elif at < len(kinds) and change == 1:
            kinds[at] = source.choice(KINDS)
        elif at < len(kinds) and change == 2:
            del kinds[at]
        elif at + 1 < len(kinds):
            kinds[at], kinds[at + 1] = kinds[at + 1], kinds[at]
    return kinds


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_both_grammars_accept_the_same(seed: int) -> None:
    source = random.Random(seed)
    kinds = mutated(ebnf.sentence(source, source.randint(14, 24))[:50], source)
    assert is_recognised(kinds) == accepted_by_lark(kinds, source)


def accepted_by_lark(kinds: list[str], source: random.Random) -> bool:
    try:
        LALR.parse(written(kinds, source))
    except UnexpectedInput:
        return False
    return True


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(KINDS), max_size=7), SEEDS)
def test_both_grammars_accept_the_same_of_random_tokens(kinds: list[str], seed: int) -> None:
    assert is_recognised(kinds) == accepted_by_lark(kinds, random.Random(seed))


def test_the_recogniser_can_refuse() -> None:
    assert is_recognised(["NAME", "+", "INTEGER"])
    assert not is_recognised(["NAME", "&", "NAME", "==", "NAME"])
    assert not is_recognised(["-", "NAME", "**", "NAME"])
