"""Let the workers of a dask cluster calibrate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Final

from nxformula.errors import FileError

#: Seconds to wait for a scheduler, and for its first worker.
_PATIENCE: Final = 30


@contextmanager
def connect(address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to the scheduler of a dask cluster.

    Parameters
    ----------
    address : str
        As the scheduler prints it: `tcp://HOST:PORT`.

    Yields
    ------
    Executor
        Has tasks done by the workers; those of a lost worker by another.
    int
        Number of tasks that the workers can do at a time.

    Raises
    ------
    ModuleNotFoundError
        dask.distributed is missing; the message names the extra.
    ValueError
        It is no address.
    FileError
        There is no scheduler at the address, or it has no worker.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        message = "a scheduler needs dask.distributed: pip install 'nxformula[dask]'"
        raise ModuleNotFoundError(message) from None

    if not re.fullmatch(r"[a-z]+://[^/]+:\d{1,5}", address):
        message = f"{address!r} is not the address of a scheduler; expected tcp://HOST:PORT"
        raise ValueError(message)
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (TimeoutError, OSError, ValueError) as error:
        reason = str(error) or "no answer"
        raise FileError(f"no dask scheduler at {address}: {reason}", address) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            message = f"the dask scheduler at {address} has had no worker for {_PATIENCE} s"
            raise FileError(message, address) from None
        # Not pure: what a share is depends on the file system, not on its arguments alone.
        yield client.get_executor(pure=False), sum(client.nthreads().values())
