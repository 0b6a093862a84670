"""`nxformula calibrate`: write calibrated values into a new file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext

from nxformula.cli.options import add_allow, add_force, frames_of
from nxformula.errors import printable
from nxformula.interop.cluster import connect
from nxformula.nexus.calibrate import calibrate
from nxformula.nexus.calibrated_copy import COMPRESSIONS

NAME = "calibrate"
SUMMARY = "write a copy of a master with calibrated values, for readers without formulas"
EXAMPLE = "nxformula calibrate run.nxs --output run_calibrated.nxs --frames 0:100"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--output", required=True, metavar="OUT")
    parser.add_argument("--field", metavar="PATH", help="needed where several have a formula")
    parser.add_argument(
        "--frames", type=frames_of, default=slice(None), metavar="A:B", help="part of the frames"
    )
    parser.add_argument(
        "--errors", action="store_true", help="write the standard deviations too, as FIELD_errors"
    )
    parser.add_argument(
        "--mask",
        action="store_true",
        help="NaN where pixel_mask, saturation_value or underload_value say so",
    )
    parser.add_argument(
        "--result",
        action="append",
        default=[],
        metavar="NAME",
        help="write this formula result too, as FIELD_NAME (may be repeated)",
    )
    parser.add_argument("--compression", default="bitshuffle-lz4", choices=COMPRESSIONS)
    workers = parser.add_mutually_exclusive_group()
    workers.add_argument(
        "--workers", type=_count, default=1, metavar="N", help="processes of this machine to use"
    )
    workers.add_argument(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="use the workers of this dask scheduler; they see all files under the same paths",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue a run with --workers, --scheduler or --resume that did not finish",
    )
    add_force(parser)
    add_allow(parser)


def run(arguments: argparse.Namespace) -> int:
    """Calibrate, with progress on a terminal."""
    with _cluster(arguments) as (executor, workers), _progress() as progress:
        path = calibrate(
            arguments.file,
            arguments.output,
            field=arguments.field,
            frames=arguments.frames,
            errors=arguments.errors,
            mask=arguments.mask,
            results=tuple(arguments.result),
            compression=arguments.compression,
            workers=workers,
            executor=executor,
            resume=arguments.resume,
            force=arguments.force,
            allow=arguments.allow,
            progress=progress,
        )
    print(f"wrote {printable(path)} in {arguments.output}")
    if arguments.frames != slice(None):
        print("its other per-frame fields still describe all frames")
    return 0


def _cluster(arguments: argparse.Namespace) -> AbstractContextManager[tuple[Executor | None, int]]:
    """Who calibrates, and how many they are."""
    if arguments.scheduler is None:
        return nullcontext((None, arguments.workers))
    return connect(arguments.scheduler)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, from 1 to 1024")
    return int(text)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("frames", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
