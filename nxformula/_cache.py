"""What was made before, in the user's cache folder: machine code, and the tables of the parser.

Nothing that can run is ever taken from elsewhere: the folder and each file must belong to the user
and be closed to others, and a file must hold the checksum of its content.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

#: Files of a kind that are kept; those made first go first.
_MOST: Final = 256
_DIGEST: Final = hashlib.sha256().digest_size


def find(kind: str, key: str) -> bytes | None:
    """What was kept under a key, if it is there and sound.

    Parameters
    ----------
    kind, key : str
        Name of a folder, and of a file in it.
    """
    folder = _folder(kind)
    if folder is None:
        return None
    try:
        with open(folder / key, "rb", opener=_no_links) as file:
            if not _is_private(os.fstat(file.fileno())):
                return None
            content = file.read()
    except OSError:
        return None
    digest, content = content[:_DIGEST], content[_DIGEST:]
    return content if hashlib.sha256(content).digest() == digest else None


def keep(kind: str, key: str, content: bytes) -> None:
    """Keep something under a key; where that is not possible, nothing happens.

    Parameters
    ----------
    kind, key : str
        Name of a folder, and of a file in it.
    content : bytes
        What to keep.
    """
    folder = _folder(kind)
    if folder is None:
        return
    with contextlib.suppress(OSError):
        number, name = tempfile.mkstemp(dir=folder)
        try:
            with open(number, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(name, folder / key)
        except OSError:
            os.unlink(name)
        _clear(folder)


def _folder(kind: str) -> Path | None:
    """The folder of a kind; None where there is none that only the user can write to."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(base) / "nxformula" / kind
    if not folder.is_absolute():
        return None
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder if _is_private(folder.lstat()) else None
    except OSError:
        return None


def _is_private(status: os.stat_result) -> bool:
    is_link = stat.S_ISLNK(status.st_mode)
    return not is_link and status.st_uid == os.getuid() and not status.st_mode & 0o077


def _no_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _clear(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in files[:-_MOST]:
        path.unlink(missing_ok=True)
