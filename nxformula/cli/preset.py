"""`nxformula preset`: the page of a preset."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nxformula.language.parser import parse
from nxformula.language.symbolic.latex import to_latex
from nxformula.nexus.presets import Preset, PresetSymbol, preset

NAME = "preset"
SUMMARY = "show the formula of a preset, its symbols, its conventions and where it comes from"
EXAMPLE = "nxformula preset jungfrau"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--latex", action="store_true", help="show the formula as LaTeX too")


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    found = preset(arguments.name)
    print("\n".join(_page(found)))
    if arguments.latex:
        print(f"\n{to_latex(parse(found.formula))}")
    return 0


def _page(found: Preset) -> Iterator[str]:
    units = f" in {found.units}" if found.units else ""
    yield f"{found.name}: {found.title}"
    yield f"data -> {found.dtype}[{', '.join(found.axes)}]{units}"
    yield ""
    yield from (f"    {line}" for line in found.formula.strip().splitlines())
    yield ""
    width = max(len(name) for name in found.symbols)
    yield from (f"{name:<{width}}  {_symbol(each)}" for name, each in found.symbols.items())
    if found.results:
        yield f"more results: {', '.join(found.results)}"
    yield ""
    yield from (f"- {note}" for note in found.notes)
    yield from (f"Reference: {reference}" for reference in found.references)


def _symbol(symbol: PresetSymbol) -> str:
    sizes = (f"{a}={symbol.lengths[a]}" if a in symbol.lengths else a for a in symbol.axes)
    units = f" in {symbol.units}" if symbol.units else ""
    return f"{symbol.dtype}[{', '.join(sizes)}]{units}: {symbol.meaning}"
