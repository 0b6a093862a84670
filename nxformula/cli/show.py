"""`nxformula show`: the formulas in a file."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from nxformula.cli.options import add_allow
from nxformula.errors import FileError, NoFormulaError, printable
from nxformula.language.parser import parse
from nxformula.language.symbolic.latex import to_latex
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.fields import formula_paths
from nxformula.nexus.reader import File
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.verification import verify

NAME = "show"
SUMMARY = "show the formulas in a file, their symbols and what evaluating them costs"
EXAMPLE = "nxformula show run.nxs /entry/instrument/detector/data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("path", metavar="PATH", nargs="?", help="only the formula of this field")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--latex", action="store_true", help="show each formula as LaTeX too")
    parser.add_argument(
        "--verify", action="store_true", help="compute the checksums of all constants again"
    )
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the formulas; 1 if constants have changed."""
    with open_reader(arguments.file, allow=arguments.allow) as file:
        paths = [arguments.path] if arguments.path else formula_paths(file)
        described = [_describe(file, path) for path in paths]
        if arguments.verify:
            for path, one in zip(paths, described, strict=True):
                one["checksums"] = _checksums(file, path)
    if arguments.latex:
        for one in described:
            one["latex"] = to_latex(parse(one["formula"]))
    if not described:
        raise NoFormulaError(f"{arguments.file} has no formula", arguments.file)
    if arguments.json:
        print(json.dumps(described, indent=2))
    else:
        lines = "\n\n".join(_text(one) for one in described).split("\n")
        print("\n".join(printable(line) for line in lines))
    changed = any(not same for one in described for same in one.get("checksums", {}).values())
    return 1 if changed else 0


def _checksums(file: File, path: str) -> dict[str, bool]:
    """Whether the constants of a field are those that its formula was attached with."""
    definition = file.context.formula_of(file.context.resolver.find(file, path))
    assert definition is not None, "described before"
    return {each.name: each.is_same for each in verify(definition, file.context.resolver)}


def _describe(file: File, path: str) -> dict[str, Any]:
    found = file.get(path)
    if isinstance(found, CalibratedDataset):
        return _calibrated(found)
    if found is None:
        raise FileError(f"{file.filename} has no {path}", file.filename)
    definition = file.context.formula_of(file.context.resolver.find(file, path))
    if definition is None:
        raise NoFormulaError(f"{path} in {file.filename} has no formula", file.filename)
    return {
        "field": path,
        "formula": definition.text,
        "applied": True,
        "dtype": definition.dtype,
        "units": definition.units,
        "axes": list(definition.axes),
        "shape": list(found.shape),
    }


def _calibrated(images: CalibratedDataset) -> dict[str, Any]:
    kernel = images.binding.kernel
    bound = images.binding.bound.items()
    return {
        "field": images.name,
        "formula": images.formula,
        "applied": False,
        "dtype": images.dtype.name,
        "units": images.units,
        "axes": list(images.axes),
        "shape": list(images.shape),
        "results": list(images.results),
        "cost": {
            "operations": kernel.cost.operations,
            "bytes_read": kernel.cost.bytes_read,
        },
        "symbols": [
            {
                "name": name,
                "file": symbol.dataset.file.filename,
                "path": symbol.dataset.name,
                "dtype": symbol.stored.dtype,
                "axes": list(symbol.stored.axes),
                "shape": list(symbol.dataset.shape),
                "units": symbol.stored.units,
            }
            for name, symbol in bound
        ],
    }


def _text(one: dict[str, Any]) -> str:
    units = f" in {one['units']}" if one["units"] else ""
    axes = _sized(one["axes"], one["shape"])
    lines = [f"{one['field']} -> {one['dtype']}[{axes}]{units}"]
    for shown in (one["formula"], one.get("latex", "")):
        lines += [f"    {line}" for line in shown.strip().splitlines()]
    verified = [
        f"checksum of {name}: {'same' if same else 'CHANGED since the formula was attached'}"
        for name, same in one.get("checksums", {}).items()
    ]
    if one["applied"]:
        return "\n".join([*lines, "applied: the field holds calibrated values", *verified])
    lines += _table([_row(symbol) for symbol in one["symbols"]])
    if one["results"]:
        lines.append(f"more results: {', '.join(one['results'])}")
    cost = one["cost"]
    lines.append(
        f"cost per element: {cost['operations']} operations, {cost['bytes_read']} bytes read"
    )
    return "\n".join([*lines, *verified])


def _row(symbol: dict[str, Any]) -> tuple[str, ...]:
    kind = f"{symbol['dtype']}[{_sized(symbol['axes'], symbol['shape'])}]"
    place = f"{_near(symbol['file'])}:{symbol['path']}"
    return symbol["name"], kind, symbol["units"] or "", place


def _near(path: str) -> str:
    """A path below the working directory as seen from there."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def _sized(axes: list[str], shape: list[int]) -> str:
    return ", ".join(f"{axis}={length}" for axis, length in zip(axes, shape, strict=True))


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    padded = (
        (*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]) for row in rows
    )
    return ["  ".join(("symbol", *row)) for row in padded]
