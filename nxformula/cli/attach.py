"""`nxformula attach`: write a formula into a master."""

from __future__ import annotations

import argparse

from nxformula.cli.options import add_allow, add_force, add_formula, names, read_formula
from nxformula.nexus.attach import attach
from nxformula.nexus.names import GROUP_CLASS, PROPOSED_CLASS
from nxformula.nexus.presets import preset

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


def _formula(arguments: argparse.Namespace) -> str:
    text: str | None = arguments.formula
    return text if text is not None else read_formula(arguments.formula_file)


def run(arguments: argparse.Namespace) -> int:
    """Attach the formula and say what was written."""
    known = preset(arguments.preset) if arguments.preset else None
    attached = attach(
        arguments.file,
        arguments.field,
        known.formula if known else _formula(arguments),
        known.sources(arguments.symbol) if known else arguments.symbol,
        axes=arguments.axes or (known.axes if known else None),
        units=arguments.units or (known.units if known else None),
        dtype=arguments.dtype or (known.dtype if known else "float32"),
        results=arguments.results or (known.results if known else ()),
        preset=known,
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
