"""What to write instead: messages for syntax errors, chosen by the tokens around the fault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from lark import Token

_BIT_OPERATORS = {"BIT_AND": "&", "BIT_XOR": "^", "BIT_OR": "|"}
_INFIX = {*_BIT_OPERATORS, "SHIFT", "PLUS", "MINUS", "TIMES", "POWER"}
_SEPARATORS = {"COMMA", "SEMICOLON", "EQUALS"}
_OPENING = {"OPEN", "OPEN_INDEX"}
_CLOSING = {"CLOSE", "CLOSE_INDEX"}

#: What to say about a character that starts no token.
_CHARACTERS = {
    "%": "there is no '%': its sign differs between languages",
    "~": "there is no '~': flip the bits of a mask, 'x ^ mask'",
    "!": "write 'not (a)'",
    "?": "write 'where(condition, a, b)'",
    ":": "write 'where(condition, a, b)'; slices and ranges are not part of a formula",
    '"': "there are no strings in a formula",
    "'": "there are no strings in a formula",
    ".": "a number has digits on both sides of the point or after it, '1.0' or '.5'",
}


def about_character(character: str) -> str:
    """Message for a character that is not part of the language."""
    message = f"{character!r} is not part of the language"
    hint = _CHARACTERS.get(character)
    return f"{message}; {hint}" if hint else message


def about_token(before: Sequence[Token], found: Token, expected: set[str]) -> str:
    """Message for a token that cannot stand where it is.

    Parameters
    ----------
    before : sequence of Token
        The tokens up to the fault.
    found : Token
        The offending token, of type `$END` at the end of the text.
    expected : set of str
        Types of the tokens that could stand there.
    """
    if found.type == "$END":
        return _about_end(before, expected)
    segment = _segment(before)
    for rule in _RULES:
        hint = rule(segment, found)
        if hint:
            return hint
    return f"unexpected '{_short(found)}'; {_expectation(expected)}"


def _short(token: str) -> str:
    return token if len(token) <= 40 else f"{token[:40]}..."


def _about_end(before: Sequence[Token], expected: set[str]) -> str:
    if not before:
        return "the formula is empty"
    if before[-1].type == "SEMICOLON":
        return "the formula ends without a result: an expression follows the last 'let'"
    missing = {"CLOSE": "')'", "CLOSE_INDEX": "']'"}
    for kind, bracket in missing.items():
        if kind in expected:
            return f"the formula ends too early; {bracket} is missing"
    return f"the formula ends too early; {_expectation(expected)}"


def _expectation(expected: set[str]) -> str:
    if "NAME" in expected and expected & {"INTEGER", "OPEN"}:
        return "expected a name, a number or '('"
    if expected == {"NAME"}:
        return "expected a name"
    if expected == {"EQUALS"}:
        return "expected '='"
    if expected == {"SEMICOLON"}:
        return "expected ';'"
    return "expected an operator or the end"


def _segment(before: Sequence[Token]) -> list[Token]:
    """The tokens since the last open bracket or separator, without closed brackets' content."""
    segment: list[Token] = []
    depth = 0
    for token in reversed(before):
        if token.type in _CLOSING:
            depth += 1
        elif token.type in _OPENING:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0 and token.type in _SEPARATORS:
            break
        elif depth == 0:
            segment.append(token)
    return segment[::-1]


_Rule: TypeAlias = Callable[[list[Token], Token], str | None]


def _last_operator(segment: list[Token]) -> Token | None:
    operators = {"COMPARISON", "NOT", "AND", "OR", *_BIT_OPERATORS}
    return next((token for token in reversed(segment) if token.type in operators), None)


def _comparison(segment: list[Token], found: Token) -> str | None:
    last = _last_operator(segment)
    if found.type != "COMPARISON" or last is None:
        return None
    if last.type in _BIT_OPERATORS:
        return f"'{found}' beside '{last}' needs parentheses; write '(a {last} b) {found} c'"
    if last.type == "COMPARISON":
        return f"comparisons do not chain; write '(a {last} b) and (b {found} c)'"
    if last.type == "NOT":
        return f"'not' beside '{found}' needs parentheses; write 'not (a {found} b)'"
    return None


def _bits_after_comparison(segment: list[Token], found: Token) -> str | None:
    last = _last_operator(segment)
    if found.type not in _BIT_OPERATORS or last is None or last.type != "COMPARISON":
        return None
    return (
        f"'{found}' beside '{last}' needs parentheses; write 'a {last} (b {found} c)', "
        f"or 'and' and 'or' between conditions"
    )


def _power_of_negative(segment: list[Token], found: Token) -> str | None:
    if found.type == "POWER" and any(token.type == "MINUS" for token in segment):
        return "'-' before '**' needs parentheses; write '-(a ** b)' or '(-a) ** b'"
    return None


def _doubled(segment: list[Token], found: Token) -> str | None:
    last = segment[-1] if segment else None
    if last is None or last.end_pos != found.start_pos:
        return None
    meant = {"&&": "and", "||": "or"}.get(f"{last}{found}")
    if meant:
        return f"write 'a {meant} b' instead of '{last}{found}'"
    if f"{last}{found}" == "//":
        return "there is no '//': its rounding differs between languages"
    if last.type == "INTEGER" and found.type in {"INTEGER", "NAME", "REAL"}:
        return (
            f"'{last}{found}' is not a number: integers are decimal without leading zeros, 0x or 0b"
        )
    return None


def _sign(segment: list[Token], found: Token) -> str | None:
    """A sign where an operand should begin."""
    after_not = bool(segment) and segment[-1].type == "NOT"
    if found.type == "MINUS" and not after_not:
        return "a second '-' needs parentheses; write 'a - (-b)'"
    if found.type == "PLUS":
        return "there is no unary '+'; leave it out"
    return None


def _not(segment: list[Token], found: Token) -> str | None:
    if found.type == "NOT" and segment:
        return f"'not' beside '{segment[-1]}' needs parentheses; write 'a {segment[-1]} (not (b))'"
    if not segment:
        return None
    if segment[-1].type == "NOT":
        return "'not' stands before a name, a call or parentheses; write 'not (a)'"
    last = _last_operator(segment)
    if last is not None and last.type == "NOT" and found.type in _INFIX:
        return f"'not' beside '{found}' needs parentheses; write 'not (a {found} b)'"
    return None


def _equals(segment: list[Token], found: Token) -> str | None:
    if found.type != "EQUALS":
        return None
    if len(segment) == 1:
        return "a definition is 'let NAME = expression;'; a comparison is '=='"
    return "a comparison is '=='"


def _punctuation(segment: list[Token], found: Token) -> str | None:
    if found.type == "SEMICOLON":
        return "';' ends a 'let' only; the result stands last, without one"
    if found.type == "ELSE":
        return "'else' stands only inside an index, 'table[stage = s, else = 0]'"
    if found.type == "LET":
        return "a 'let' stands before the result, and ends with ';'"
    if found.type == "OPEN_INDEX":
        return "only symbols can be indexed, and once: 'pedestal[plane]', 't[a = x, b = y]'"
    return None


_RULES: tuple[_Rule, ...] = (
    _comparison,
    _bits_after_comparison,
    _power_of_negative,
    _doubled,
    _not,
    _sign,
    _equals,
    _punctuation,
)
