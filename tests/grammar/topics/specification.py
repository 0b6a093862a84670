"""The tables of the specification that are made from data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

GRAMMAR = Path(__file__).parents[3] / "grammar"
SPEC = GRAMMAR / "nxformula-1.md"

#: Types of arguments and result, by the name of the type rule.
OVERLOADS = {
    "numeric": "integers → integer; numbers → real",
    "real": "numbers → real",
    "predicate": "number → bool",
    "where": "bool, bools → bool; bool, integers → integer; bool, numbers → real",
    "choose": "integer, bools → bool; integer, integers → integer; integer, numbers → real",
    "bits": "integers → integer",
    "mod": "integers, y never 0 → integer; numbers → real",
    "div": "integers, b never 0 → integer",
    "to_integer": "number, 3 constant integers → integer",
    "position": "dimension → integer",
    "interp": "number, tables of numbers → real",
    "poly": "number, table of numbers → real",
    "grouped": "number, integer → real",
}
OPERANDS = {
    ("numbers", "real"): "numbers → real",
    ("numbers", "integer or real"): "integers → integer; numbers → real",
    ("number", "integer or real"): "integer → integer; real → real",
    ("integers", "integer"): "integers → integer",
    ("numbers", "bool"): "numbers → bool",
    ("bool", "bool"): "bool → bool",
    ("bools", "bool"): "bools → bool",
}
LIMITS = [
    ("TEXT", "characters of the text"),
    ("NESTING", "brackets open at one place; depth of powers in exponents"),
    ("NODES", "nodes"),
    ("LETS", "definitions"),
    ("SYMBOLS", "different symbols used"),
    ("RANK", "dimensions of a symbol that is used"),
    ("COEFFICIENTS", "coefficients of `poly`"),
    ("LITERAL", "characters of a number"),
]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [list(head)]
    lines.append(["---"] * len(lines[0]))
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _function(entry: dict[str, Any]) -> list[str]:
    exact = entry["group"] != "elementwise" or entry["type"] != "real" or entry["name"] == "sqrt"
    overloads = OVERLOADS[entry["type"]]
    if entry["name"] == "group_quantile":
        overloads = overloads.replace(" →", ", literal →")
    meaning = entry["meaning"] if exact else f"{entry['meaning']}; 4 ULP"
    return [f"`{entry['signature']}`", overloads, meaning, entry["units"]]


def _operator(entry: dict[str, Any]) -> list[str]:
    symbol = entry["symbol"]
    form = symbol if symbol in ("-x", "not x") else f"x {symbol} y"
    meaning = f"{entry['meaning']}; 4 ULP" if symbol == "**" else entry["meaning"]
    overloads = OPERANDS[entry["operands"], entry["result"]]
    return [f"`{form}`", overloads, meaning, entry["units"]]


def limits() -> dict[str, int]:
    """The limits of the reference implementation."""
    text = (GRAMMAR.parent / "nxformula" / "language" / "limits.py").read_text(encoding="utf-8")
    return {name: int(value) for name, value in re.findall(r"^(\w+): Final = (\d+)$", text, re.M)}


def tables(data: dict[str, Any]) -> dict[str, str]:
    """Each table by the words after `begin`."""
    head = ["", "types", "meaning", "units rule"]
    groups = {entry["group"]: None for entry in data["functions"]}
    found = {
        f"functions {group}": table(
            head, (_function(entry) for entry in data["functions"] if entry["group"] == group)
        )
        for group in groups
    }
    constants = ([f"`{c['name']}`", c["type"], c["meaning"], c["units"]] for c in data["constants"])
    values = limits()
    return {
        "operators": table(head, map(_operator, data["operators"])),
        "constants": table(["", "type", "meaning", "units rule"], constants),
        "limits": table(
            ["at most", "of what"], ([f"{values[name]:,}", text] for name, text in LIMITS)
        ),
        **found,
    }


def filled(text: str) -> str:
    """The specification with its tables as they should be."""
    data = json.loads((GRAMMAR / "functions.json").read_text(encoding="ascii"))
    for name, content in tables(data).items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        before, found, rest = text.partition(begin + "\n")
        assert found, f"the specification has no table {name!r}"
        after = rest.partition(end)[2]
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text
