"""What can go wrong on the way from a server to a folder, in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path


class DownloadError(ValueError):
    """Say in one sentence what could not be fetched or unpacked, and what to do."""


class Passing(Exception):
    """A trouble that may be over in a moment, such as a connection that broke: try again."""


def megabytes(count: int) -> str:
    """Return a number of bytes as text, in MB of 1,000,000 bytes."""
    return f"{count / 1e6:,.1f} MB"


def no_room(error: OSError, folder: Path) -> DownloadError:
    """Return what to say when nothing can be written to `folder`."""
    if error.errno == errno.ENOSPC:
        return DownloadError(
            f"The disk with {folder} is full: make room, then run this again; "
            "what has arrived stays."
        )
    return DownloadError(
        f"Nothing can be written to {folder} ({error.strerror or error}): "
        "name another folder in WORKBOOK_CACHE."
    )
