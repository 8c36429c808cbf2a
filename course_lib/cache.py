"""Where the workbook keeps what takes long to compute or to download."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Return `$WORKBOOK_CACHE`, else a folder of ours in the user's cache folder.

    Raises RuntimeError where the user has no home folder. It need not exist.
    """
    if named := os.environ.get("WORKBOOK_CACHE"):
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(base) if base else Path.home() / ".cache") / "tinyml-workbook"
