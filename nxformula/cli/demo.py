"""`nxformula demo`: everything once, on a small Jungfrau run made on the spot."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import h5py
import numpy as np

from nxformula.cli import show
from nxformula.cli.options import add_force
from nxformula.errors import FileError
from nxformula.interop.picture import draw_frame
from nxformula.masters.demonstration import FORMULA, Demonstration, write_demonstration
from nxformula.nexus.attach import attach
from nxformula.nexus.calibrate import calibrate
from nxformula.nexus.group import describe
from nxformula.nexus.reader import open as open_reader
from nxformula.validation.formula_group import check_group

NAME = "demo"
SUMMARY = "make a small raw Jungfrau file, attach the formula, show it, calibrate, draw"
EXAMPLE = "nxformula demo nxformula-demo"

_FILES = ("run.nxs", "run_data.h5", "pedestal.h5", "gain.h5", "calibrated.nxs", "frame.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("folder", metavar="FOLDER", nargs="?", default="nxformula-demo")
    add_force(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make the files and say at every step what happened."""
    folder = _folder(arguments.folder, arguments.force)
    demo = write_demonstration(folder)
    with h5py.File(demo.stack) as stack:
        raw = stack["data"]
        ratio = raw.nbytes / raw.id.get_storage_size()
        print(f"1. {demo.stack}: raw {raw.dtype}{raw.shape}, bitshuffle/LZ4, {ratio:.1f}x smaller")
    attach(
        demo.master,
        demo.field,
        FORMULA,
        demo.symbols,
        units="keV",
        results=("stage",),
        in_place=True,
    )
    print(
        f"2. {demo.master}: the formula, with links to {demo.pedestal.name} and {demo.gain.name}\n"
    )
    show.run(
        argparse.Namespace(
            file=str(demo.master), path=None, json=False, latex=False, verify=False, allow=[]
        )
    )
    _check_schema(demo)
    _read(demo)
    calibrate(demo.master, folder / "calibrated.nxs", force=True)
    print(f"5. {folder / 'calibrated.nxs'}: calibrated values, for readers without formulas")
    with open_reader(demo.master) as file:
        draw_frame(file.only_formula(), 0, folder / "frame.png", force=True)
    print(f"6. {folder / 'frame.png'}: raw, gain stage, calibrated")
    return 0


def _folder(name: str, force: bool) -> Path:
    folder = Path(name)
    if folder.exists() and not folder.is_dir():
        raise FileError(f"{folder} is a file; expected a folder", folder)
    there = [file for file in _FILES if os.path.lexists(folder / file)]
    if there and not force:
        message = f"{folder} holds {there[0]} already; add --force to replace the files"
        raise FileError(message, folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise FileError(f"{folder}: no permission to write here", folder)
    return folder


def _check_schema(demo: Demonstration) -> None:
    with h5py.File(demo.master) as file:
        faults = check_group(describe(file[f"{demo.field}_formula"]))
    if faults:
        raise FileError("; ".join(faults), demo.master)
    print("\n3. the group follows schemas/formula/formula-1.json")


def _read(demo: Demonstration) -> None:
    with open_reader(demo.master) as file:
        images = file[demo.field]
        frame = images[0]
        error = np.nanmax(np.abs(frame - demo.energy[0]) / np.maximum(demo.energy[0], 100))
        invalid = np.isnan(frame).mean()
        print(
            f"4. images[0]: {frame.dtype}{frame.shape}, maximum {np.nanmax(frame):.0f} "
            f"{images.units}, {invalid:.2%} invalid, "
            f"within {error:.1%} of the energies that went in"
        )
