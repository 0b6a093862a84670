"""`nxformula bench`: how fast formulas are on this machine."""

from __future__ import annotations

import argparse

from nxformula.interop.benchmark.report import FULL, QUICK, machine, markdown, tables

NAME = "bench"
SUMMARY = "measure how fast formulas are on this machine, beside NumPy and the memory's limits"
EXAMPLE = "nxformula bench --quick"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--quick", action="store_true", help="small frames, one round: a look, not a measurement"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print each table when it is measured."""
    print(machine(), flush=True)
    for table in tables(QUICK if arguments.quick else FULL, {}):
        print(f"\n{markdown(table)}", flush=True)
    return 0
