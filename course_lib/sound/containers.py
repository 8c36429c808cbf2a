"""Ogg and CAF files that were cut short: libsndfile reads what is left of them without a word.

Layouts: RFC 3533 (Ogg, section 6) and Apple's Core Audio Format Specification 1.0.
"""

from __future__ import annotations

import os
import struct
from typing import IO


def is_cut(file: IO[bytes]) -> bool:
    """Tell whether an Ogg or CAF file ends inside a page or chunk; False for other files.

    A recording that ends between two pages is whole: who streams may never mark the last one.
    """
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    form = file.read(4)
    at, length = {b"OggS": (0, _page), b"caff": (8, _chunk)}.get(form, (total, _page))
    while at < total:
        file.seek(at)
        size = length(file, total - at)
        if size <= 0:  # what follows is something else, such as a tag, or has no end of its own
            return False
        at += size
    return at > total


def _page(file: IO[bytes], left: int) -> int:
    """Return the size of the Ogg page that begins here, in bytes; 0 where none begins."""
    head = file.read(27)
    table = file.read(head[26]) if len(head) == 27 else b""
    if not head.startswith(b"OggS"[: len(head)]):
        return 0
    return left + 1 if len(head) < 27 or len(table) < head[26] else 27 + len(table) + sum(table)


def _chunk(file: IO[bytes], left: int) -> int:
    """Return the size of the CAF chunk that begins here; 0 for one that ends with the file."""
    head = file.read(12)
    size = struct.unpack(">4xq", head)[0] if len(head) == 12 else left
    return 12 + size if size >= 0 else 0
