"""Run something for each file in a process of its own, which may die with it.

HDF5 itself can crash, or run for ever, on a damaged file.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar

Result = TypeVar("Result")

#: Seconds of computing after which a file is given up, and bytes for which there is one more.
_SECONDS: Final = 10.0
_BYTES_A_SECOND: Final = 5e6


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
        self._context = multiprocessing.get_context("fork")
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
            found: Result | str = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            self._end()
            if code == -signal.SIGPROF:
                return "the HDF5 library comes to no end with it; the file is damaged"
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
        _limit(argument)
        try:
            pipe.send(function(argument))
        except Exception as error:  # A fault of the rules must not stop the check of other files.
            pipe.send(f"{type(error).__name__} in nxformula, please report it: {error}")


def _limit(file: str) -> None:
    """End this process if HDF5 computes for ever, which no other thread could see."""
    size = os.path.getsize(file) if os.path.isfile(file) else 0
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS + size / _BYTES_A_SECOND)


def _name(code: int | None) -> str:
    try:
        return signal.Signals(-(code or 0)).name
    except ValueError:
        return f"exit code {code}"
