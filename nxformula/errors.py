"""Every error that bad input can cause: one hierarchy, kinds with stable names.

`FormulaError` and its subclasses point into the text of a formula; `FileError` and its
subclasses name a file. `NXFormulaError` is the root of both.
"""

from __future__ import annotations

import os
from typing import ClassVar

#: Characters of a source line shown on each side of an error in a long line.
_CONTEXT = 60


class NXFormulaError(Exception):
    """Root of all errors that this package raises for bad input."""


class FormulaError(NXFormulaError):
    """A formula that cannot be accepted.

    Parameters
    ----------
    message : str
        What is wrong, what was expected, and where one is known the correction.
    text : str
        The whole formula.
    span : tuple of int, optional
        Offsets (start, end) of the offending token in `text`; None when the fault is not at a
        place of the text (a missing array, an unknown version).

    Attributes
    ----------
    kind : str
        Stable name of the kind of error, normative in conformance vectors.
    line, column : int or None
        Place of the offending token, both from 1, in characters.

    Examples
    --------
    >>> error = UnknownNameError("'gian' is not a symbol", "data * gian", (7, 11))
    >>> error.kind, error.line, error.column
    ('unknown-name', 1, 8)
    >>> print(error)
    unknown-name error at line 1, column 8: 'gian' is not a symbol
        data * gian
               ^^^^
    """

    kind: ClassVar[str] = "formula"

    def __init__(self, message: str, text: str = "", span: tuple[int, int] | None = None) -> None:
        message = printable(message)
        super().__init__(message)
        self.message = message
        self.text = text
        self.span = span
        self.line: int | None = None
        self.column: int | None = None
        if span is not None:
            self.line, self.column = place(text, span[0])

    def __reduce__(self) -> tuple[type[FormulaError], tuple[str, str, tuple[int, int] | None]]:
        return type(self), (self.message, self.text, self.span)

    def __str__(self) -> str:
        if self.span is None:
            return f"{self.kind} error: {self.message}"
        where = f"{self.kind} error at line {self.line}, column {self.column}: {self.message}"
        return f"{where}\n{excerpt(self.text, self.span)}"


class FormulaSyntaxError(FormulaError):
    """Text that the grammar does not allow."""

    kind = "syntax"


class UnknownNameError(FormulaError):
    """A name that is neither a symbol, a `let`, a constant nor a function."""

    kind = "unknown-name"


class FormulaTypeError(FormulaError):
    """An operand or result of the wrong type, or an integer that may overflow."""

    kind = "type"


class ArityError(FormulaError):
    """A function called with too few or too many arguments."""

    kind = "arity"


class DimensionError(FormulaError):
    """Named dimensions or lengths that do not fit."""

    kind = "dimension"


class UnitError(FormulaError):
    """Units that do not fit."""

    kind = "unit"


class LimitError(FormulaError):
    """A formula larger than this implementation accepts."""

    kind = "limit"


class VersionError(FormulaError):
    """A formula in a language, or a version of it, that this implementation does not know."""

    kind = "version"


class FileError(NXFormulaError):
    """A file that cannot be used.

    Parameters
    ----------
    message : str
        One or two sentences that name the object, what was found and what was expected.
    path : str or os.PathLike
        The file at fault.
    """

    def __init__(self, message: str, path: str | os.PathLike[str]) -> None:
        message = printable(message)
        super().__init__(message)
        self.message = message
        self.path = os.fspath(path)

    def __reduce__(self) -> tuple[type[FileError], tuple[str, str]]:
        return type(self), (self.message, self.path)


class NoFormulaError(FileError):
    """A file, or a field of it, without a formula."""


class MissingSourceError(FileError):
    """A link or a virtual dataset whose target does not exist."""


class ForbiddenPathError(FileError):
    """A file outside the folders that may be read."""


class CorruptFileError(FileError):
    """Something that is not HDF5, or that HDF5 cannot read."""


def place(text: str, offset: int) -> tuple[int, int]:
    r"""Line and column, both from 1, of a character offset; lines end at line feeds.

    Examples
    --------
    >>> place("a\nbc", 3)
    (2, 2)
    """
    start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - start + 1


def excerpt(text: str, span: tuple[int, int]) -> str:
    """Two lines that show the place of an error: the source line and carets below it.

    Anything that could move the cursor of a terminal is shown as a question mark, and a long
    line is cut to the part around the error.
    """
    start, end = span
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : len(text) if last < 0 else last]
    at = start - first
    width = max(1, min(end - start, len(line) - at, _CONTEXT))
    cut = max(0, at - _CONTEXT)
    shown = line[cut : at + width + _CONTEXT].rstrip()
    lead = "..." if cut else ""
    tail = "..." if len(line.rstrip()) > cut + len(shown) else ""
    return f"    {lead}{printable(shown)}{tail}\n    {' ' * (len(lead) + at - cut)}{'^' * width}"


def printable(text: str) -> str:
    r"""Text from a file without anything that could move the cursor of a terminal.

    Examples
    --------
    >>> printable("keV\x1b[2J")
    'keV?[2J'
    """
    return "".join(c if c.isprintable() else " " if c == "\t" else "?" for c in text)
