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
    sign = file.read(4)
    if sign == b"OggS":
        return _end(file, 0, total, _page) > total
    return sign == b"caff" and _end(file, 8, total, _chunk) > total


def _end(file: IO[bytes], at: int, total: int, length) -> int:
    """Follow the parts of a file from `at`; return where the last one ends or should end."""
    while at < total:
        file.seek(at)
        size = length(file, total - at)
        if size is None:  # something else follows, such as a tag: it is not looked into
            return at
        at += size
    return at


def _page(file: IO[bytes], left: int) -> int | None:
    """Return the size of the Ogg page that begins here, in bytes; None where none begins."""
    head = file.read(27)
    if not head.startswith(b"OggS"[: len(head)]):
        return None
    table = file.read(head[26]) if len(head) == 27 else b""
    return left + 1 if len(head) < 27 or len(table) < head[26] else 27 + len(table) + sum(table)


def _chunk(file: IO[bytes], left: int) -> int | None:
    """Return the size of the CAF chunk that begins here; one of size -1 ends with the file."""
    head = file.read(12)
    size = struct.unpack(">4xq", head)[0] if len(head) == 12 else left
    return left if size == -1 else 12 + size if size >= 0 else None
