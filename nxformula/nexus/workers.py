"""Workers for the shares of a run: processes of this machine, or whoever else takes tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from nxformula.engine.threads import cores
from nxformula.errors import FileError, NXFormulaError
from nxformula.nexus.shares import Shares, write_share

#: So often in a row workers may be lost with nothing finished in between.
_LOSSES: Final = 3


def calibrate_shares(
    shares: Shares,
    workers: int,
    executor: Executor | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Calibrate all shares that are missing; those of a lost worker again.

    Parameters
    ----------
    shares : Shares
        Where they go.
    workers : int
        Processes to start, where there is no executor; one is this process.
    executor : Executor or None
        Who calibrates them.
    progress : callable or None
        Called with the number of frames done and of all.

    Raises
    ------
    FileError
        A file cannot be read or written, or workers are lost again and again.
    """
    ranges = shares.task.shares
    missing = shares.missing()
    total = sum(map(len, ranges))
    done = total - sum(len(ranges[number]) for number in missing)
    losses = 0
    while missing:
        try:
            for frames in _finished(shares, missing, workers, executor):
                done += frames
                if progress is not None:
                    progress(done, total)
        except BrokenExecutor as error:
            if executor is not None:
                raise _lost(shares, missing[0], error) from None
        before, missing = missing, shares.missing()
        done = total - sum(len(ranges[number]) for number in missing)
        losses = losses + 1 if len(missing) == len(before) else 0
        if losses == _LOSSES:
            raise _lost(shares, missing[0], None)


def _finished(
    shares: Shares, missing: list[int], workers: int, executor: Executor | None
) -> Iterator[int]:
    """Numbers of frames of the shares, as they are finished."""
    if executor is None and workers == 1:
        for number in missing:
            yield write_share(shares.task, shares.folder, number, cores())
        return
    threads = 1 if executor is not None else max(1, cores() // workers)
    with _executor(min(workers, len(missing)), executor) as pool:
        futures = {
            pool.submit(write_share, shares.task, shares.folder, number, threads): number
            for number in missing
        }
        try:
            for future in as_completed(futures):
                try:
                    yield future.result()
                except (NXFormulaError, BrokenExecutor, MemoryError):
                    raise
                except Exception as error:
                    raise _lost(shares, futures[future], error) from error
        finally:
            for future in futures:
                future.cancel()


def _lost(shares: Shares, number: int, error: Exception | None) -> FileError:
    share = shares.task.shares[number]
    frames = shares.task.frames_of(share)
    reason = f" ({type(error).__name__}: {error})" if error is not None else ""
    message = (
        f"frames {frames.start} to {frames[-1]} of {shares.task.master} are not calibrated: "
        f"workers were lost{reason}; they may lack memory"
    )
    return FileError(message, shares.task.master)


def _executor(workers: int, executor: Executor | None) -> AbstractContextManager[Executor]:
    return nullcontext(executor) if executor is not None else _processes(workers)


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """Fresh processes: a forked one would have the locks of HDF5 as they were held just then."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_begin) as pool:
        yield pool


def _begin() -> None:
    """Let a worker end without a word when it is interrupted, and when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
