"""Append to a file that no other process appends to at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from course_lib.sound.download.errors import DownloadError


@contextmanager
def alone(path: Path) -> Iterator[BinaryIO]:
    """Open `path` for reading and appending, made where it is missing, for this process only.

    The operating system lets the lock go when the file is closed or the process dies, so nothing
    has to be cleaned up. Raises DownloadError where another process holds it.
    """
    while True:
        with path.open("a+b") as file:
            try:
                _lock(file)
            except OSError as error:
                raise DownloadError(
                    f"Another notebook or program is downloading {path.stem} already: "
                    "wait until it is done, then run this again."
                ) from error
            if _is_still(file, path):
                yield file
                return


def _is_still(file: BinaryIO, path: Path) -> bool:
    """Tell whether `path` is the file that was opened: another process may have renamed it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: BinaryIO) -> None:
    """Lock at once or raise OSError."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
