"""The format of an `.index` file: a sorted table of keys and values, as in LevelDB.

The file is a row of blocks and a footer. A data block holds the entries; of each key it stores only
what differs from the key before. The index block tells where the data blocks are, the footer where
the index is.

Source: https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from course_lib.formats.bytemap import Span
from course_lib.formats.checkpoint.crc import crc32c, masked
from course_lib.formats.protobuf import varint

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
_TRAILER_BYTES = 5  # after every block: one byte for the compression, four for the checksum
_MOST_KEY_BYTES = 64 * 2**20  # keys can be far longer than what is stored of them: stop in time


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold a key, its value, and the byte of the file at which the value begins."""

    key: bytes
    value: bytes
    value_start: int


@dataclass(frozen=True)
class Table:
    """Hold the entries of a table in the order of their keys, and a name for every byte but theirs.

    `spans` leaves the values out, so that whoever knows what they mean can name them.
    """

    entries: tuple[Entry, ...]
    spans: tuple[Span, ...]


def read(data: bytes) -> Table:
    """Read a table; raise `ValueError` in one sentence where it is damaged or something else."""
    footer = len(data) - FOOTER_BYTES
    if footer < 0:
        raise ValueError(f"{len(data)} bytes are too few for an index: its footer has 48.")
    if struct.unpack_from("<Q", data, len(data) - 8)[0] != MAGIC:
        raise ValueError("The last 8 bytes are not those of an index: is the file cut or damaged?")
    meta_start, meta_length, position = _handle(data, footer, len(data) - 8)
    index_start, index_length, position = _handle(data, position, len(data) - 8)
    spans = [
        Span(footer, position, "footer", "handles of the metaindex and the index", "footer"),
        Span(len(data) - 8, len(data), "identifier", "magic number", "footer", hex(MAGIC)),
    ]
    if position < len(data) - 8:
        spans.append(Span(position, len(data) - 8, "padding", "padding", "footer"))
    for name, start, length in (
        ("metaindex", meta_start, meta_length),
        ("index", index_start, index_length),
    ):
        spans += _block_spans(data, start, length, footer, name, values=True)
    entries: list[Entry] = []
    free = 0
    for number, where in enumerate(_entries(data, index_start, index_length)):
        start, length, _ = _handle(where.value, 0, len(where.value))
        if start < free:
            raise ValueError(
                f"Block {number} begins inside the one before it: the index is damaged."
            )
        free = start + length
        name = f"block {number}"
        spans += _block_spans(data, start, length, footer, name, values=False)
        entries += _entries(data, start, length)
    if any(a.key >= b.key for a, b in pairwise(entries)):
        raise ValueError("The keys of the index are out of order: it is damaged.")
    return Table(tuple(entries), tuple(spans))


def _handle(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    """Return where a block starts, its length, and where its handle ends."""
    start, position = varint(data, position, end)
    length, position = varint(data, position, end)
    return start, length, position


def _block_spans(
    data: bytes, start: int, length: int, limit: int, name: str, values: bool
) -> list[Span]:
    """Check a block and name its bytes; with `values`, those of the values too."""
    end = start + length
    if end + _TRAILER_BYTES > limit or length < 4:
        raise ValueError(f"The {name} is said to be bytes {start} to {end}: that is outside.")
    if data[end] != 0:
        raise ValueError(f"The {name} is compressed (type {data[end]}), and no checkpoint is.")
    stored = struct.unpack_from("<I", data, end + 1)[0]
    if masked(crc32c(data[start : end + 1])) != stored:
        raise ValueError(f"The {name} does not match its checksum: the index is damaged.")
    restarts = _restarts(data, start, end)
    spans = [
        Span(restarts, end, "offset", "restart points", name, f"{(end - restarts) // 4 - 1}"),
        Span(end, end + 1, "number", "compression", name, "none"),
        Span(end + 1, end + 5, "checksum", "checksum of the block", name, hex(stored)),
    ]
    for head, key_start, value_start, value_end, key in _walk(data, start, restarts):
        text = key.decode("utf-8", "backslashreplace")
        spans.append(Span(head, key_start, "length", "shared, new and value bytes", name))
        if key_start < value_start:
            shared = len(key) - (value_start - key_start)
            said = f"{text[:shared]}|{text[shared:]}" if shared else text
            spans.append(Span(key_start, value_start, "string", "key", name, said))
        if values and value_start < value_end:
            spans.append(Span(value_start, value_end, "offset", "value", name, text))
    return spans


def _entries(data: bytes, start: int, length: int) -> Iterator[Entry]:
    """Yield the entries of a block that was checked already."""
    for _, _, value_start, end, key in _walk(data, start, _restarts(data, start, start + length)):
        yield Entry(key, data[value_start:end], value_start)


def _restarts(data: bytes, start: int, end: int) -> int:
    """Return where the list of restart points begins: its length is the block's last number."""
    count = struct.unpack_from("<I", data, end - 4)[0]
    restarts = end - 4 - 4 * count
    if restarts < start:
        raise ValueError(f"A block at {start} claims {count} restart points: it is damaged.")
    return restarts


def _walk(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    """Yield of each entry where it, its key and its value start, its end, and the whole key."""
    key, total = b"", 0
    while position < end:
        head = position
        shared, position = varint(data, position, end)
        new, position = varint(data, position, end)
        value, position = varint(data, position, end)
        if shared > len(key) or position + new + value > end:
            raise ValueError(f"The entry at byte {head} reaches outside its block: it is damaged.")
        key = key[:shared] + data[position : position + new]
        total += len(key)
        if total > _MOST_KEY_BYTES:
            raise ValueError(f"The keys of a block take over {_MOST_KEY_BYTES} bytes: too many.")
        yield head, position, position + new, position + new + value, key
        position += new + value
