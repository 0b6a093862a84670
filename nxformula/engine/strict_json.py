"""JSON from strangers: of bounded size, nothing beyond the standard, and -0 keeps its sign."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final, NoReturn

from nxformula.errors import FileError

#: Bytes that a file may have; what is larger is not read.
LARGEST: Final = 16 << 20


def read_json(path: str | os.PathLike[str]) -> Any:
    """The content of a file.

    Raises
    ------
    FileError
        It cannot be read, is too large, or is not JSON.
    """
    name = shown(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise FileError(f"{name}: {error.strerror}", path) from None
    except ValueError as error:
        raise FileError(f"{name}: {error}", path) from None
    if len(content) > LARGEST:
        raise FileError(f"{name} has more than {LARGEST >> 20} MiB; it is not read", path)
    try:
        return parse_json(content)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{name} is not JSON: {error}", path) from None


def parse_json(content: bytes) -> Any:
    """The value of a text in UTF-8.

    Raises
    ------
    ValueError
        It is not JSON: other readers take `NaN` and `Infinity`, this one does not.
    RecursionError
        It is nested too deep.

    Examples
    --------
    >>> parse_json(b"[1, -0, -0.0]")
    [1, -0.0, -0.0]
    """
    return json.loads(content.decode("utf-8"), parse_int=_integer, parse_constant=_refuse)


def shown(text: str) -> str:
    """A text without anything that could move the cursor of a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _integer(text: str) -> int | float:
    # JSON has one kind of number: many programs write the real -0.0 as -0.
    return -0.0 if text == "-0" else int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no value of JSON; NaN and infinities are written as text")
