"""`nxformula check`: whether a formula is right, and fits its symbols."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any

from nxformula.cli.options import names, read_formula
from nxformula.engine.kernel import Kernel
from nxformula.errors import FormulaError
from nxformula.language.checker import Checked, check
from nxformula.language.parser import parse
from nxformula.language.structure import check_structure
from nxformula.language.symbolic.latex import to_latex
from nxformula.language.symbols import Symbol, parse_declaration
from nxformula.language.units import check_units

NAME = "check"
SUMMARY = "check a formula: syntax, and with symbols also types, dimensions and units"
EXAMPLE = (
    "nxformula check '(data - pedestal) / gain' --symbol 'data:uint16[frame,slow,fast]'\n"
    "      --symbol 'pedestal:float32[slow,fast]' --symbol 'gain:float32[slow,fast]'"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("formula", metavar="FORMULA|FILE.nxf|-")
    parser.add_argument(
        "--symbol",
        action="append",
        default=[],
        metavar="NAME:DTYPE[AXES]{UNITS}",
        help="a symbol, as in 'gain:float32[stage=3,slow,fast]{count/keV}' (may be repeated)",
    )
    parser.add_argument(
        "--field", metavar="NAME", default="data", help="the calibrated field (default: data)"
    )
    parser.add_argument(
        "--axes", type=names, metavar="A,B", help="result's axes (default: field's)"
    )
    parser.add_argument("--units", help="units that the result must have")
    parser.add_argument("--dtype", default="float32", help="result's dtype (default: float32)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--latex", action="store_true", help="print LaTeX too, on the last line")


def run(arguments: argparse.Namespace) -> int:
    """Check the formula and print what it gives."""
    text = _text(arguments.formula)
    symbols = _symbols(arguments.symbol)
    try:
        found = _check(text, symbols, arguments)
    except FormulaError as error:
        if not arguments.json:
            raise
        print(json.dumps(_refusal(error), indent=2))
        return 1
    print(json.dumps(found, indent=2) if arguments.json else _summary(found, arguments.units))
    return 0


def _text(argument: str) -> str:
    is_file = argument == "-" or argument.endswith(".nxf")
    return read_formula(argument) if is_file else argument


def _symbols(declared: Iterable[str]) -> dict[str, Symbol]:
    symbols: dict[str, Symbol] = {}
    for name, symbol in map(parse_declaration, declared):
        if name in symbols:
            raise ValueError(f"symbol {name!r} is given twice")
        symbols[name] = symbol
    return symbols


def _check(text: str, symbols: dict[str, Symbol], arguments: argparse.Namespace) -> dict[str, Any]:
    formula = parse(text)
    if not symbols:
        check_structure(formula)
        if arguments.units is not None:
            raise ValueError("--units needs --symbol: without symbols only the syntax is checked")
    latex = {"latex": to_latex(formula)} if arguments.latex else {}
    if not symbols:
        return {"ok": True, "names": list(formula.names), **latex}
    if arguments.axes is None and arguments.field not in symbols:
        raise ValueError(f"no symbol {arguments.field!r} to take the axes from; give --axes")
    axes = arguments.axes or symbols[arguments.field].dimensions
    field = arguments.field if arguments.field in symbols else None
    checked = check(formula, symbols, axes=axes, dtype=arguments.dtype, field=field)
    units = check_units(checked, arguments.units)
    return {**_described(checked, None if units is None else str(units)), **latex}


def _described(checked: Checked, units: str | None) -> dict[str, Any]:
    cost = Kernel(checked).cost
    value = checked.value(checked.formula.result)
    return {
        "ok": True,
        "names": list(checked.formula.names),
        "type": str(value.type),
        "dtype": checked.dtype,
        "axes": list(checked.axes),
        "units": units,
        "cost": {"operations": cost.operations, "bytes_read": cost.bytes_read},
    }


def _refusal(error: FormulaError) -> dict[str, Any]:
    return {
        "ok": False,
        "kind": error.kind,
        "line": error.line,
        "column": error.column,
        "message": error.message,
    }


def _summary(found: dict[str, Any], declared: str | None) -> str:
    lines = [_finding(found, declared), *found.get("latex", "").splitlines()]
    return "\n".join([lines[0], " ".join(lines[1:])] if len(lines) > 1 else lines)


def _finding(found: dict[str, Any], declared: str | None) -> str:
    used = ", ".join(found["names"]) or "none"
    if "type" not in found:
        return f"syntax fine; names used: {used}"
    cost = found["cost"]
    units = _units(found, declared)
    return (
        f"fine: {found['type']} as {found['dtype']}[{', '.join(found['axes'])}]{units}; "
        f"{cost['operations']} operations and {cost['bytes_read']} bytes read per element"
    )


def _units(found: dict[str, Any], declared: str | None) -> str:
    if found["units"] is not None:
        return " without unit" if found["units"] == "1" else f" in {found['units']}"
    if declared and found["type"] != "bool":
        return f" in {declared} (not checked: symbols without units leave it open)"
    return ""
