"""Find out what recorded a run, and read its stacks."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nxformula.errors import FileError, MissingSourceError
from nxformula.masters.events import euxfel, pairs, swissfel
from nxformula.masters.events.stacks import Run


def read_run(sources: Sequence[str], detector: str | None = None) -> Run:
    """The stacks of a run.

    Parameters
    ----------
    sources : sequence of str
        A run folder of European XFEL; files of SwissFEL that follow one another; or, for each
        module, `MODULE=FILE:/DATA,/IDS`.
    detector : str, optional
        Its name, where a run folder has several.

    Raises
    ------
    FileError
        A file cannot be read, or is none of these.
    """
    given = list(sources)
    if given and all(pairs.is_pair(text) for text in given):
        return pairs.read_pairs(given)
    missing = [path for path in given if not os.path.exists(path)]
    if missing:
        raise MissingSourceError(f"{missing[0]}: no such file or folder", missing[0])
    if len(given) == 1 and os.path.isdir(given[0]):
        if not euxfel.is_run_folder(given[0]):
            message = f"{given[0]} has no files such as RAW-R0001-AGIPD00-S00000.h5"
            raise FileError(message, given[0])
        return euxfel.read_run(given[0], detector)
    folders = [path for path in given if os.path.isdir(path)]
    if folders:
        raise FileError(f"{folders[0]} is a folder; give one folder, or files", folders[0])
    return swissfel.read_files(given)
