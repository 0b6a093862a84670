"""Find out what recorded a run, and read its stacks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from glob import glob

from nxformula.errors import FileError, MissingSourceError
from nxformula.masters.events import euxfel, pairs, swissfel
from nxformula.masters.events.stacks import Run


def read_run(sources: Sequence[str], detector: str | None = None) -> Run:
    """The stacks of a run.

    Parameters
    ----------
    sources : sequence of str
        A run folder of European XFEL or files of one; files of SwissFEL that follow one another;
        or, for each module, `MODULE=FILE:/DATA,/IDS`. Files can be given by patterns, as
        `run/*.h5`.
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
    paths = [path for text in given for path in _matched(text)]
    if len(paths) == 1 and os.path.isdir(paths[0]):
        files = euxfel.files_of(paths[0])
        if not files:
            message = f"{paths[0]} has no files such as RAW-R0001-AGIPD00-S00000.h5"
            raise FileError(message, paths[0])
        return euxfel.read_files(files, detector)
    folders = [path for path in paths if os.path.isdir(path)]
    if folders:
        raise FileError(f"{folders[0]} is a folder; give one folder, or files", folders[0])
    if all(euxfel.is_run_file(path) for path in paths):
        return euxfel.read_files(paths, detector)
    return swissfel.read_files(paths)


def _matched(text: str) -> list[str]:
    """The file or folder of a name; else the files of a pattern, in order of their names."""
    if os.path.exists(text):
        return [text]
    found = sorted(path for path in glob(text) if os.path.isfile(path))
    if not found:
        raise MissingSourceError(f"{text}: no such file or folder", text)
    return found
