"""Run something for each file in a process of its own, which may die with it.

HDF5 itself can crash, or run for ever, on a damaged file.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar

Result = TypeVar("Result")

#: Seconds after which a file is given up.
PATIENCE: Final = 600.0


class Isolated(Generic[Result]):
    """Runs a function in another process, and goes on in a new one if that dies.

    Parameters
    ----------
    function : callable
        Of one argument; its result is pickled.
    """

    def __init__(self, function: Callable[[str], Result]) -> None:
        self._function = function
        # Forked: the function needs not be pickled, nor anything be imported again.
        self._context = multiprocessing.get_context("fork" if sys.platform != "win32" else None)
        self._process: Any = None
        self._pipe: Any = None

    def __enter__(self) -> Isolated[Result]:
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def run(self, argument: str) -> Result | str:
        """The result of the function, or in words why there is none."""
        if self._process is None:
            self._begin()
        try:
            self._pipe.send(argument)
            if not self._pipe.poll(PATIENCE):
                self._end()
                return f"given up after {PATIENCE:g} seconds; the file is damaged"
            found: Result | str = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self._end()
            return f"the HDF5 library crashed on it ({_name(code)}); the file is damaged"
        return found

    def _begin(self) -> None:
        self._pipe, other = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(self._function, other, self._pipe), daemon=True
        )
        self._process.start()
        other.close()

    def _end(self) -> None:
        if self._process is None:
            return
        self._pipe.close()
        self._process.join(1)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None


def _serve(function: Callable[[str], Any], pipe: Connection, other: Connection) -> None:
    other.close()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        try:
            argument = pipe.recv()
        except EOFError:
            return
        pipe.send(function(argument))


def _name(code: int | None) -> str:
    try:
        return signal.Signals(-(code or 0)).name
    except ValueError:
        return f"exit code {code}"
