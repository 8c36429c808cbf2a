"""A file mapped into memory: its bytes come from the disk only when somebody looks at them."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

import numpy as np


class Mapped:
    """Map a file read-only; `view` can be used like its bytes, `loaded_bytes` tells what it cost.

    Raises ValueError for an empty file, which cannot be mapped.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        if not path.stat().st_size:
            raise ValueError(f"{path.name} is empty: there is nothing to map.")
        with path.open("rb") as file:
            self.view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def __len__(self) -> int:
        """Return the number of bytes of the file."""
        return len(self.view)

    @property
    def loaded_bytes(self) -> int | None:
        """Bytes of the mapping that this process has in memory, None where the system won't tell.

        A multiple of the page size. The system loads neighbours of what was asked for as well, more
        of them the newer it is. Source: Linux, Documentation/filesystems/proc.rst, "smaps".
        """
        start = np.frombuffer(self.view, np.uint8).ctypes.data
        try:
            told = Path("/proc/self/smaps").read_text(errors="replace")
        except OSError:
            return None
        found = re.search(rf"^0*{start:x}-[^\n]*\n(?:[A-Z]\w+:.*\n)*?Rss: +(\d+) kB", told, re.M)
        return 1024 * int(found[1]) if found else None
