"""Options that several commands have."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_allow(parser: argparse.ArgumentParser) -> None:
    """`--allow FOLDER`."""
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="FOLDER",
        help="also read linked files below this folder (may be repeated)",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """`--force`."""
    parser.add_argument("--force", action="store_true", help="replace an existing output")


def add_formula(parser: argparse._MutuallyExclusiveGroup) -> None:
    """`--formula TEXT` and `--formula-file FILE`."""
    parser.add_argument("--formula", metavar="TEXT", help="the formula")
    parser.add_argument("--formula-file", metavar="FILE", help="a file with the formula, or -")


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list of names."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_formula(path: str) -> str:
    """The text of a formula file, or of standard input for `-`."""
    import sys

    if path == "-":
        return sys.stdin.read()
    try:
        # Anything outside ASCII is for the parser to refuse, with its place.
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
