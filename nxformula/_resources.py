"""Find the files of `grammar/` and `schemas/`: inside the wheel, else beside the package."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def resource(folder: str, *names: str) -> Traversable:
    """Return a file of a top-level data folder.

    A wheel carries the folders inside the package; an editable install has them beside it.

    Parameters
    ----------
    folder : {"grammar", "schemas"}
        The top-level folder.
    *names : str
        Path components below it.

    Examples
    --------
    >>> resource("grammar", "nxformula.lark").is_file()
    True
    """
    packaged = files("nxformula").joinpath(folder)
    root = packaged if packaged.is_dir() else Path(__file__).parent.parent / folder
    return root.joinpath(*names)
