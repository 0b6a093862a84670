"""The command line: one file per command, each thin.

A command is a module with `NAME`, `SUMMARY`, `EXAMPLE`, `add_arguments(parser)` and
`run(arguments)`; the number that `run` returns is the exit code.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

from nxformula._version import __version__
from nxformula.cli import (
    attach,
    bench,
    calibrate,
    check,
    constants,
    demo,
    evaluate,
    events,
    geometry,
    master,
    plot,
    preset,
    presets,
    rule,
    rules,
    show,
    stats,
    tree,
    validate,
)
from nxformula.errors import FileError, FormulaError

COMMANDS: Final[tuple[ModuleType, ...]] = (
    demo,
    show,
    check,
    evaluate,
    attach,
    presets,
    preset,
    constants,
    events,
    geometry,
    master,
    calibrate,
    stats,
    plot,
    validate,
    rules,
    rule,
    tree,
    bench,
)

#: Exit codes.
OK, REFUSED, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code: 0 fine, 1 findings, 2 a file or usage."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows only ASCII still shows units such as Å, as \\xc5.
        sys.stdout.reconfigure(errors="backslashreplace")
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except FormulaError as error:
        return _complain(str(error), REFUSED, error)
    except (FileError, ModuleNotFoundError) as error:
        return _complain(str(error), UNUSABLE, error)
    except UnicodeError as error:
        return _complain(f"text that is not UTF-8: {_place(error)}", UNUSABLE)
    except MemoryError as error:
        return _complain(f"not enough memory: {error}".removesuffix(": "), UNUSABLE, error)
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        return _complain(str(error.args[0] if error.args else error), UNUSABLE)
    except OSError as error:
        return _os_error(error)
    except KeyboardInterrupt as error:
        return _complain("interrupted", 130, error)
    return code


def _complain(message: str, code: int, error: BaseException | None = None) -> int:
    notes = getattr(error, "__notes__", ())
    print("\n".join((f"nxformula: {message}", *notes)), file=sys.stderr)
    return code


def _place(error: UnicodeError) -> str:
    """What could not be read or written as text."""
    if not isinstance(error, UnicodeEncodeError | UnicodeDecodeError):
        return str(error)
    return ascii(error.object[max(0, error.start - 20) : error.end + 20])


def _os_error(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has seen enough; Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    name = f"{error.filename}: " if error.filename else ""
    return _complain(f"{name}{error.strerror or error}", UNUSABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nxformula",
        description="Raw detector data stay raw: the calibration is a formula in the NeXus file.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nxformula {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME,
            help=module.SUMMARY,
            description=module.SUMMARY[0].upper() + module.SUMMARY[1:] + ".",
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser
