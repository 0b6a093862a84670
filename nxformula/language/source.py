"""Screen the text of a formula before anything parses it: size, characters, nesting, nodes."""

from __future__ import annotations

import re
import unicodedata

from nxformula.errors import FormulaSyntaxError, LimitError
from nxformula.language import limits

_FOREIGN = re.compile(r"[^\x20-\x7e\t\r\n]")
_BRACKETS = re.compile(r"#[^\n]*|([(\[])|([)\]])")

# One token for every node of the syntax tree: numbers, operators, a definition's "let", and the
# names that are neither being defined nor naming a dimension. Of "=" alone, none makes a node.
_NODES = re.compile(
    r"""\#[^\n]*
      | else\b
      | (?P<let> let\b )
      | [A-Za-z_][A-Za-z0-9_]*(?=(?:[ \t\r\n]|\#[^\n]*\n)*=(?!=))
      | (?P<node> [A-Za-z_][A-Za-z0-9_]*
                | 0x[0-9A-Fa-f]+ | 0b[01]+
                | [0-9]*\.[0-9]+ (?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+ | 0 | [1-9][0-9]*
                | \*\* | << | >> | [<>=!]= | [-+*/&^|<>] )""",
    re.VERBOSE,
)


def screen(text: str) -> None:
    """Refuse a text that is too long, not ASCII, or would make too large a tree.

    Raises
    ------
    LimitError
        Longer than 16 KiB, more than 64 brackets open at one place, or more than 2,000 nodes.
    FormulaSyntaxError
        A character outside printable ASCII, blank, tab, CR and LF.
    """
    if len(text) > limits.TEXT:
        message = f"the formula has {len(text)} characters; the limit is {limits.TEXT}"
        raise LimitError(message, text, (limits.TEXT, limits.TEXT + 1))
    foreign = _FOREIGN.search(text)
    if foreign:
        message = f"a formula is plain ASCII text; found {_describe(foreign.group())}"
        raise FormulaSyntaxError(message, text, foreign.span())
    _screen_nesting(text)
    _screen_nodes(text)


def _screen_nesting(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match.group(1):
            depth += 1
            if depth > limits.NESTING:
                message = f"brackets are nested deeper than {limits.NESTING}"
                raise LimitError(message, text, match.span())
        elif match.group(2):
            depth -= 1


def _screen_nodes(text: str) -> None:
    nodes = (match for match in _NODES.finditer(text) if match["node"] or match["let"])
    for number, match in enumerate(nodes, 1):
        if number > limits.NODES:
            message = f"the formula has more than {limits.NODES} operators, names and numbers"
            raise LimitError(message, text, match.span())


def _describe(character: str) -> str:
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} ({name.lower()})"
