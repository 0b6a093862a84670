"""`nxformula attach`: write a formula into a master."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nxformula.cli.options import add_allow, add_force, add_formula, names, read_formula
from nxformula.errors import printable
from nxformula.nexus.attach import attach
from nxformula.nexus.names import GROUP_CLASS, PROPOSED_CLASS
from nxformula.nexus.nxcalibration import proposal_of
from nxformula.nexus.presets import Preset, preset
from nxformula.nexus.sources import SymbolSource, as_option, parse_source

NAME = "attach"
SUMMARY = "write a formula into a master, after checking it against the real datasets"
EXAMPLE = (
    "nxformula attach run.nxs --field /entry/instrument/detector/data --units keV\n"
    "      --formula '(data - pedestal) / gain' --symbol 'pedestal=ped.h5:/mean[slow,fast]'\n"
    "      --symbol 'gain=gain.h5:/gain[slow,fast]{count/keV}' --output run_formula.nxs"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--field", required=True, metavar="PATH", help="the raw field")
    formula = parser.add_mutually_exclusive_group(required=True)
    add_formula(formula)
    formula.add_argument(
        "--preset", metavar="NAME", help="formula, axes, units and results of a preset"
    )
    formula.add_argument(
        "--from-nxcalibration",
        metavar="GROUP",
        help="what this NXcalibration in FILE states; a description for people is shown as a "
        "formula, and attached if you agree",
    )
    parser.add_argument(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME=FILE:/PATH[AXES]{UNITS}",
        help="where a symbol's values are; also NAME=/PATH[AXES] in the master, "
        "NAME=NUMBER{UNITS}, and NAME[AXES] for the axes of the field (may be repeated)",
    )
    parser.add_argument(
        "--axes", type=names, metavar="A,B", help="result's axes (default: field's)"
    )
    parser.add_argument("--units", help="result's units")
    parser.add_argument("--dtype", help="result's dtype (default: float32)")
    parser.add_argument(
        "--results", type=names, metavar="A,B", help="definitions readable as datasets"
    )
    parser.add_argument("--description", metavar="TEXT", help="for people (default: one is made)")
    parser.add_argument(
        "--nx-class",
        default=GROUP_CLASS,
        choices=[GROUP_CLASS, PROPOSED_CLASS],
        help="of the group",
    )
    parser.add_argument("--copy", action="store_true", help="copy constants of up to 1 MiB")
    parser.add_argument("--replace", action="store_true", help="replace the field's formula")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--output", metavar="NEW", help="write a new master")
    target.add_argument("--in-place", action="store_true", help="change FILE, through a copy")
    add_force(parser)
    add_allow(parser)


@dataclass(frozen=True, slots=True)
class _Stated:
    """A formula with its symbols, and what is known of its result."""

    formula: str
    symbols: Mapping[str, SymbolSource] | Sequence[str]
    axes: tuple[str, ...] | None = None
    units: str | None = None
    dtype: str = "float32"
    results: tuple[str, ...] = ()
    preset: Preset | None = None


def _stated(arguments: argparse.Namespace) -> _Stated | None:
    """What is to be attached; None if the user does not agree."""
    if arguments.preset is not None:
        known = preset(arguments.preset)
        symbols = known.sources(arguments.symbol)
        result = known.axes, known.units, known.dtype, known.results
        return _Stated(known.formula, symbols, *result, known)
    if arguments.from_nxcalibration is not None:
        return _calibration(arguments)
    text: str | None = arguments.formula
    formula = text if text is not None else read_formula(arguments.formula_file)
    return _Stated(formula, arguments.symbol)


def _calibration(arguments: argparse.Namespace) -> _Stated | None:
    group = arguments.from_nxcalibration
    found = proposal_of(arguments.file, arguments.field, group, arguments.allow)
    symbols = {**found.symbols, **dict(map(parse_source, arguments.symbol))}
    if found.description is not None:
        print(printable(f"{group} describes {found.description!r}"))
        print("As a formula:")
        print(printable(f"  {found.formula}"))
        print("\n".join(f"  {as_option(name, each)}" for name, each in symbols.items()))
        print("Attach this formula? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("nothing is written; --formula attaches another")
            return None
    return _Stated(found.formula, symbols, None, found.units, "float64")


def run(arguments: argparse.Namespace) -> int:
    """Attach the formula and say what was written."""
    stated = _stated(arguments)
    if stated is None:
        return 1
    attached = attach(
        arguments.file,
        arguments.field,
        stated.formula,
        stated.symbols,
        axes=arguments.axes or stated.axes,
        units=arguments.units or stated.units,
        dtype=arguments.dtype or stated.dtype,
        results=arguments.results or stated.results,
        preset=stated.preset,
        description=arguments.description,
        output=arguments.output,
        in_place=arguments.in_place,
        force=arguments.force,
        replace=arguments.replace,
        copy=arguments.copy,
        nx_class=arguments.nx_class,
        allow=arguments.allow,
    )
    print(f"wrote {attached.group} in {attached.path}")
    if attached.allow:
        options = " ".join(f"--allow {folder}" for folder in attached.allow)
        print(f"to read it, add {options}")
    return 0
