"""`nxformula preset`: the page of a preset."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from nxformula.cli.options import add_force
from nxformula.interop.response import draw_response
from nxformula.language.parser import parse
from nxformula.language.symbolic.latex import to_latex
from nxformula.nexus.presets import Preset, preset

NAME = "preset"
SUMMARY = "show the formula of a preset, its symbols, its conventions and where it comes from"
EXAMPLE = "nxformula preset jungfrau"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--latex", action="store_true", help="show the formula as LaTeX too")
    parser.add_argument(
        "--picture", metavar="OUT.png", help="draw the response to raw values, where that helps"
    )
    add_force(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    found = preset(arguments.name)
    print("\n".join(_page(found)))
    if arguments.latex:
        print(f"\n{to_latex(parse(found.formula))}")
    if arguments.picture:
        draw_response(found, arguments.picture, force=arguments.force)
        print(f"wrote {arguments.picture}")
    return 0


def _page(found: Preset) -> Iterator[str]:
    units = f" in {found.units}" if found.units else ""
    yield f"{found.name}: {found.title}"
    yield f"data -> {found.dtype}[{', '.join(found.axes)}]{units}"
    yield ""
    yield from (f"    {line}" for line in found.formula.strip().splitlines())
    yield ""
    width = max(len(name) for name in found.symbols)
    yield from (f"{name:<{width}}  {each}" for name, each in found.symbols.items())
    if found.results:
        yield f"more results: {', '.join(found.results)}"
    yield ""
    yield from (f"- {note}" for note in found.notes)
    yield from (f"Reference: {reference}" for reference in found.references)
