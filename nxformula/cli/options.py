"""Options that several commands have."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from nxformula.language import limits

#: Bytes of a formula file that are read: a character takes up to 4.
_MOST: Final = 4 * (limits.TEXT + 1)


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
    """The text of a formula file, or of standard input for `-`.

    No more is read than shows that a text is too long, so that any file, and any pipe, will do.
    Anything outside ASCII, but for a byte order mark, is for the parser to refuse, with its place.
    """
    try:
        if path == "-":
            text = sys.stdin.buffer.read(_MOST)
        else:
            with Path(path).open("rb") as file:
                text = file.read(_MOST)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    return text.decode("utf-8-sig", errors="replace")


def frames_of(text: str) -> slice:
    """A slice of frames, as `0:100`."""
    parts = text.split(":")
    try:
        numbers = [int(part) if part.strip() else None for part in parts]
    except ValueError:
        numbers = []
    too_far = any(number is not None and abs(number) > sys.maxsize for number in numbers)
    step = numbers[2] if len(numbers) == 3 else None
    if not 2 <= len(numbers) <= 3 or too_far or (step is not None and step < 1):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form 0:100")
    return slice(*numbers)
