"""`nxformula geometry`: the geometry of a file, as CrystFEL's geometry file or as positions."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxformula.cli.options import add_allow, add_force
from nxformula.errors import FileError, UnitError, printable
from nxformula.language.units.texts import parse_unit
from nxformula.masters.geometry.chains import Chains, Placed, detectors_of
from nxformula.masters.geometry.crystfel_writer import geometry_text
from nxformula.nexus.output import new_file
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.text import as_text, attribute_of

NAME = "geometry"
SUMMARY = "say where the modules of a detector are, for CrystFEL or as positions of all pixels"
EXAMPLE = "nxformula geometry run.nxs --output run.geom"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--detector", metavar="PATH", help="where the file has several")
    parser.add_argument("--output", metavar="OUT.geom", help="write CrystFEL's geometry file")
    parser.add_argument(
        "--positions",
        metavar="OUT.npz",
        help="write the centres of all pixels in m, an array (slow, fast, 3) for each module",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_force(parser)
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the modules, and write what is asked for."""
    with open_reader(arguments.file, allow=arguments.allow) as file:
        path = arguments.detector or _only_detector(file)
        if path not in file:
            raise FileError(f"{arguments.file} has no {path}", arguments.file)
        modules = Chains(file).modules(file[path])
        wavelength = _wavelength(file, path)
    if arguments.output:
        with new_file(arguments.output, force=arguments.force) as temporary:
            text = geometry_text(modules, f"{path}/data", wavelength)
            Path(temporary).write_text(text, encoding="utf-8")
    if arguments.positions:
        positions: dict[str, Any] = {module.name: module.positions() for module in modules}
        with (
            new_file(arguments.positions, force=arguments.force) as temporary,
            open(temporary, "wb") as target,
        ):
            np.savez(target, **positions)
    if arguments.json:
        print(json.dumps([_json(module) for module in modules], indent=2))
        return 0
    if not arguments.output and not arguments.positions:
        print("\n".join(printable(_line(module)) for module in modules))
    for written in (arguments.output, arguments.positions):
        if written:
            print(printable(f"wrote {len(modules)} modules of {path} to {written}"))
    return 0


def _only_detector(file: Any) -> str:
    found = detectors_of(file)
    name = file.filename
    if not found:
        raise FileError(f"{name} has no NXdetector", name)
    if len(found) > 1:
        message = f"{name} has {len(found)} detectors: {', '.join(found)}; give --detector"
        raise FileError(message, name)
    return found[0]


def _wavelength(file: Any, detector: str) -> float | None:
    """The wavelength of the beam in angstrom, if it is one number."""
    instrument = file[detector.rpartition("/")[0] or "/"]
    for name in ("beam", "BEAM"):
        field = instrument.get(f"{name}/incident_wavelength")
        if isinstance(field, h5py.Dataset) and field.size == 1 and field.dtype.kind in "iuf":
            try:
                unit = parse_unit(as_text(attribute_of(field, "units")) or "angstrom")
            except UnitError:
                return None
            ratio = unit.ratio(parse_unit("angstrom"))
            return None if ratio is None else float(field[...].reshape(-1)[0]) * ratio
    return None


def _json(module: Placed) -> dict[str, object]:
    return {
        "name": module.name,
        "origin": module.origin.tolist(),
        "fast": module.fast.tolist(),
        "slow": module.slow.tolist(),
        "data_origin": list(module.data_origin),
        "data_size": list(module.data_size),
        "chain": list(module.chain),
    }


def _line(module: Placed) -> str:
    origin = ", ".join(f"{1000 * value:.4f}" for value in module.origin)
    slow, fast = module.data_size[-2:]
    at = ", ".join(map(str, module.data_origin))
    return f"{module.name}: {slow} x {fast} pixels from [{at}], corner at ({origin}) mm"
