"""The grammar of the specification: read, recognised, and turned into sentences."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Any

from lark import Lark, Token

from topics.files import GRAMMAR

SPEC = (GRAMMAR / "nxformula-1.md").read_text(encoding="utf-8")
LARK = (GRAMMAR / "nxformula.lark").read_text(encoding="ascii")

# Parts of a rule: ("word", text), ("token", text), ("rule", name), ("sequence", parts),
# ("either", parts), and ("repeat", part, fewest, most).
Part = tuple[Any, ...]

_WORDS = re.compile(r'"(?P<word>[^"]*)"|(?P<name>\w+)|(?P<mark>[|()*?+])|\s+')


def block() -> str:
    """The EBNF of section 3."""
    (found,) = re.findall(r"```ebnf\n(.*?)```", SPEC, re.DOTALL)
    return str(found)


@cache
def rules() -> dict[str, Part]:
    """The rules by name; the first is where a formula begins."""
    found = {}
    for line in block().splitlines():
        if line.strip():
            name, _, text = line.partition("::=")
            words = list(_WORDS.finditer(text))
            assert "".join(word.group() for word in words) == text
            tokens = [word for word in words if word.group().strip()]
            part, rest = _either(tokens)
            assert not rest, line
            found[name.strip()] = part
    return found


def _either(words: list[re.Match[str]]) -> tuple[Part, list[re.Match[str]]]:
    parts, words = _sequence(words)
    found = [parts]
    while words and words[0]["mark"] == "|":
        part, words = _sequence(words[1:])
        found.append(part)
    return ("either", found) if len(found) > 1 else found[0], words


def _sequence(words: list[re.Match[str]]) -> tuple[Part, list[re.Match[str]]]:
    found: list[Part] = []
    while words and words[0]["mark"] not in ("|", ")"):
        first, words = words[0], words[1:]
        if first["mark"] == "(":
            part, words = _either(words)
            assert words[0]["mark"] == ")"
            words = words[1:]
        elif first["word"] is not None:
            part = ("word", first["word"])
        else:
            part = ("token" if first["name"].isupper() else "rule", first["name"])
        if words and words[0]["mark"] in ("*", "?"):
            part = ("repeat", part, 0, None if words[0]["mark"] == "*" else 1)
            words = words[1:]
        found.append(part)
    return ("sequence", found), words


# Sentences


def _least(part: Part, depths: dict[str, float]) -> float:
    """How deep the rules inside a part must go at least."""
    match part:
        case ("rule", name):
            return 1 + depths.get(name, float("inf"))
        case ("sequence", parts):
            return max((_least(p, depths) for p in parts), default=0)
        case ("either", parts):
            return min(_least(p, depths) for p in parts)
        case ("repeat", inner, fewest, _):
            return _least(inner, depths) if fewest else 0
    return 0


@cache
def depths() -> dict[str, float]:
    """For each rule, the depth of its shallowest sentence."""
    found: dict[str, float] = {}
    for _ in rules():
        found = {name: _least(part, found) for name, part in rules().items()}
    return found


def sentence(source: random.Random, depth: int = 30) -> list[str]:
    """A random sentence as types of tokens: quoted words, NAME, INTEGER, REAL."""
    return _derive(("rule", "formula"), source, depth)


def _derive(part: Part, source: random.Random, depth: int) -> list[str]:
    match part:
        case ("rule", name):
            return _derive(rules()[name], source, depth - 1)
        case ("sequence", parts):
            return [token for p in parts for token in _derive(p, source, depth)]
        case ("either", parts):
            shallow = [p for p in parts if _least(p, depths()) <= depth]
            least = min(parts, key=lambda p: _least(p, depths()))
            return _derive(source.choice(shallow) if shallow else least, source, depth)
        case ("repeat", inner, _, most):
            times = 0
            enough = _least(inner, depths()) <= depth
            while enough and (most is None or times < most) and source.random() < 0.25:
                times += 1
            return [token for _ in range(times) for token in _derive(inner, source, depth)]
    return [part[1]]


# Recognition


@cache
def recogniser(explicit: bool = False) -> Lark:
    """An Earley parser of the specification's grammar, over types of tokens."""
    lines = ['NAME: "N"', 'INTEGER: "I"', 'REAL: "R"', '%ignore " "']
    grammar = block().replace("::=", ":") + "\n" + "\n".join(lines)
    ambiguity = "explicit" if explicit else "resolve"
    return Lark(grammar, parser="earley", lexer="basic", start="formula", ambiguity=ambiguity)


def coded(kinds: list[str]) -> str:
    """A sentence as the recogniser reads it."""
    return " ".join({"NAME": "N", "INTEGER": "I", "REAL": "R"}.get(kind, kind) for kind in kinds)


# Tokens


def token_table() -> dict[str, str]:
    """The regular expressions of section 2.2."""
    rows = re.findall(r"^\| `(NAME|INTEGER|REAL)` \| `(.*)` \|$", SPEC, re.MULTILINE)
    return {name: text.replace("\\|", "|") for name, text in rows}


def marks() -> list[str]:
    """Operators and marks of section 2.2."""
    (row,) = re.findall(r"^\| operators and marks \| `(.*)` \|$", SPEC, re.MULTILINE)
    return str(row).replace("\\|", "|").split()


def keywords() -> list[str]:
    (row,) = re.findall(r"keywords `([^`]*)` is that keyword", SPEC)
    return str(row).split()


def lexed(text: str) -> list[tuple[str, str]] | None:
    """Types and texts of the tokens: the longest at each place. None if one begins nowhere."""
    patterns = {name: re.compile(pattern) for name, pattern in token_table().items()}
    found, at = [], 0
    while at < len(text):
        gap = re.compile(r"[ \t\r\n]+|#[^\n]*").match(text, at)
        if gap:
            at = gap.end()
            continue
        matches = [(m.end(), name) for name, p in patterns.items() if (m := p.match(text, at))]
        matches += [(at + len(mark), mark) for mark in marks() if text.startswith(mark, at)]
        if not matches:
            return None
        end, kind = max(matches)
        word = text[at:end]
        found.append((word if word in keywords() else kind, word))
        at = end
    return found


def kinds_of(tokens: list[Token]) -> list[tuple[str, str]]:
    """Tokens of Lark, with types as in the specification."""
    return [
        (token.type if token.type in ("NAME", "INTEGER", "REAL") else str(token), str(token))
        for token in tokens
    ]
