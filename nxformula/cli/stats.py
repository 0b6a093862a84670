"""`nxformula stats`: what the calibrated frames of a file hold."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any, Final

from nxformula.cli.options import add_allow, frames_of
from nxformula.errors import FileError, printable
from nxformula.nexus.calibrated import CalibratedDataset
from nxformula.nexus.metadata.reader import MetadataFile
from nxformula.nexus.reader import open as open_reader
from nxformula.nexus.statistics import Places, Region, Summary, places_of, summarize

NAME = "stats"
SUMMARY = "count gain stages and invalid pixels of each module, with mean and sigma"
EXAMPLE = "nxformula stats run.nxs --frames 0:10"


#: Columns that are shown where the detector says something.
_UNUSABLE: Final = ("masked", "saturated")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("path", metavar="PATH", nargs="?", help="the field, if there are several")
    parser.add_argument(
        "--frames", type=frames_of, default=slice(None), metavar="A:B", help="part of the frames"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each module, and one for all pixels."""
    with open_reader(arguments.file, allow=arguments.allow) as file:
        images = file[arguments.path] if arguments.path else file.only_formula()
        if not isinstance(images, CalibratedDataset) or images.ndim < 2:
            name = arguments.path or images.name
            raise FileError(f"{name} in {arguments.file} has no frames to calibrate", file.filename)
        regions = _modules(arguments, images)
        found = summarize(images, arguments.frames, regions)
        places = places_of(images, arguments.frames)
        units = images.units
        name = images.name
    if arguments.json:
        listed = [summary.to_json() for summary in found]
        document: dict[str, Any] = {"field": name, "units": units, "regions": listed}
        document["places"] = [asdict(each) for each in places]
        print(json.dumps(document, indent=2))
    else:
        print(printable(f"{name}{f' in {units}' if units else ''}"))
        print("\n".join(printable(line) for line in [*_table(found), *map(_used, places)]))
    return 0


def _modules(arguments: argparse.Namespace, images: CalibratedDataset) -> list[Region]:
    """The modules of the detector whose images have this shape."""
    # Other commands need not wait for the rules.
    from nxformula.validation.checks.modules import slab_of
    from nxformula.validation.tree import Tree

    with MetadataFile(arguments.file, allow=arguments.allow) as file:
        tree = Tree(file.root)
    slabs = [slab_of(group) for group in tree.groups if tree.class_of(group) == "NXdetector_module"]
    shape = images.shape[1:]
    found = [
        Region(
            slab.module.name,
            tuple(
                slice(first, last + 1, step)
                for first, last, step in zip(slab.origin, slab.last, slab.stride, strict=True)
            ),
        )
        for slab in slabs
        if slab is not None
        and len(slab.size) == len(shape)
        and all(last < length for last, length in zip(slab.last, shape, strict=True))
    ]
    # One module is the whole image.
    return found if len(found) > 1 else []


def _table(found: list[Summary]) -> list[str]:
    """Lines of equal columns: shares of each value of the results, then the values."""
    columns = sorted(
        {
            (name, value)
            for summary in found
            for name in summary.results
            for value in summary.results[name]
        }
    )
    head = ["", "values", *(f"{name} {value}" for name, value in columns)]
    more = [name for name in _UNUSABLE if any(getattr(s, name) is not None for s in found)]
    rows = [[*head, "invalid", *more, "mean", "sigma"]]
    for summary in found:
        shares = [summary.count(name, value) for name, value in columns]
        rows.append(
            [
                summary.name,
                str(summary.values),
                *(_share(count, summary.values) for count in shares),
                _share(summary.invalid, summary.values),
                *(_share(getattr(summary, name) or 0, summary.values) for name in more),
                f"{summary.mean:.6g}",
                f"{summary.sigma:.6g}",
            ]
        )
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _used(places: Places) -> str:
    unused = places.length - places.used
    outside = f"; {places.outside} frames ask for others" if places.outside else ""
    return (
        f"{places.symbol}: {places.used} of {places.length} places along {places.axis} are used, "
        f"{unused} are not{outside}"
    )


def _share(count: int, of: int) -> str:
    return f"{100 * count / of:.3f} %" if of else "-"
