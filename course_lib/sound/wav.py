"""The header of a WAV file: where its samples lie, and what is wrong with it.

Recorders that stream write the header before they know how long the sound will be, and count in
their own ways: the size of the whole file says nothing, that of the chunk `data` decides. Layout:
Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (1991), chapter 3.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import IO

ENDLESS = 0x7FFF0000  # sizes from here on say "until the end": 2 or 4 GB less some header
_TO_THE_END = 0xFFFFFFFF
_MOST_CHUNKS = 1000
CODECS = {
    0x0002: "Microsoft ADPCM", 0x0006: "A-law", 0x0007: "mu-law", 0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10", 0x0040: "G.721 ADPCM", 0x0050: "MPEG", 0x0055: "MP3", 0x0083: "G.729",
    0x00FF: "AAC", 0x0160: "Windows Media", 0x0161: "Windows Media", 0x1610: "AAC", 0x2000: "AC-3",
    0x674F: "Vorbis", 0x704F: "Opus",
}  # fmt: skip
"""What the numbers of codecs mean, from the registry in RFC 2361; 1 and 3 are plain numbers."""


@dataclass(frozen=True)
class Header:
    """What a WAV file says of itself: `missing` bytes of sound, its codec's number, its chunk fmt.

    `start` and `size` are the place of the samples, `odd` whether a decoder would not find them.
    """

    order: str
    fmt: bytes = b""
    start: int = -1
    size: int = 0
    missing: int = 0
    odd: bool = False

    @property
    def codec(self) -> str:
        """The name of how samples are stored, such as "MP3"; "" for plain numbers."""
        tag = struct.unpack_from(self.order + "H", self.fmt)[0] if len(self.fmt) >= 2 else 1
        if tag == 0xFFFE and len(self.fmt) >= 26:  # extensible: the number stands further behind
            tag = struct.unpack_from(self.order + "H", self.fmt, 24)[0]
        return "" if tag in (1, 3) else CODECS.get(tag, f"codec 0x{tag:04X}")


def header(file: IO[bytes]) -> Header | None:
    """Read the chunks up to the samples; None for a file that is no WAV (RIFF, RIFX or RF64)."""
    total = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    order = {b"RIFF": "<", b"RF64": "<", b"RIFX": ">"}.get(head[:4])
    if order is None or (len(head) == 12 and head[8:] != b"WAVE"):
        return None
    at, fmt, long, odd = 12, b"", 0, False
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        name, size = _chunk(file.read(8), order)
        start = at + 8
        if not name:
            break
        if name == b"data":
            if head[:4] == b"RF64" and size == _TO_THE_END:
                size = long
            return _located(file, Header(order, fmt, start, size, odd=odd), total)
        if name in (b"fmt ", b"ds64"):
            content = file.read(min(size, 1024))
            fmt = content if name == b"fmt " else fmt
            if name == b"ds64" and len(content) >= 16:
                long = struct.unpack_from("<Q", content, 8)[0]
        at = start + size
        if size % 2:  # a byte of padding follows, which some writers forget
            file.seek(at)
            forgotten = file.read(1) != b"\0" and _is_name(_peek(file, at))
            at, odd = at + (not forgotten), odd or forgotten
    # past the end, or nothing but zeros: the samples never came
    return Header(order, fmt, missing=max(1, at - total))


def mended(file: IO[bytes], found: Header) -> io.BytesIO:
    """Return a WAV file with nothing but the format and the samples of `file`, and right sizes."""
    file.seek(found.start)
    samples = file.read(found.size)
    pack = struct.Struct(found.order + "I").pack
    parts = b"fmt " + pack(len(found.fmt)) + found.fmt + b"\0" * (len(found.fmt) % 2)
    whole = b"WAVE" + parts + b"data" + pack(len(samples)) + samples
    return io.BytesIO((b"RIFF" if found.order == "<" else b"RIFX") + pack(len(whole)) + whole)


def _located(file: IO[bytes], said: Header, total: int) -> Header:
    """Return the header with the samples' true size, and how many bytes of them are missing."""
    left = total - said.start
    if said.size == 0 and left and not _are_chunks(file, said, total):
        return Header(said.order, said.fmt, said.start, left, odd=True)
    if said.size >= ENDLESS and said.size > left:
        return Header(said.order, said.fmt, said.start, left, odd=said.odd)
    missing = max(0, said.size - left)
    return Header(said.order, said.fmt, said.start, said.size, missing, said.odd)


def _are_chunks(file: IO[bytes], said: Header, total: int) -> bool:
    """Tell whether whole chunks, and no samples, lie behind the head of an empty `data`."""
    at = said.start
    while at < total:
        file.seek(at)
        name, size = _chunk(file.read(8), said.order)
        if not _is_name(name) or at + 8 + size > total:
            return False
        at += 8 + size + size % 2
    return True


def _chunk(head: bytes, order: str) -> tuple[bytes, int]:
    return (head[:4], struct.unpack(order + "I", head[4:])[0]) if len(head) == 8 else (b"", 0)


def _peek(file: IO[bytes], at: int) -> bytes:
    file.seek(at)
    return file.read(4)


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= each < 127 for each in name)
