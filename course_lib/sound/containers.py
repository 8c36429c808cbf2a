"""The containers of sound that recorders write wrong or leave cut short: WAV, Ogg and CAF.

Recorders that stream write a WAV header before they know how long the sound will be, each in its
own way: the size of the whole file says nothing, that of the chunk `data` decides. Of a cut Ogg or
CAF file libsndfile reads what is left without a word. Layouts: Microsoft, Multimedia Programming
Interface and Data Specifications 1.0 (1991), chapter 3; RFC 3533 (Ogg, section 6); Apple's Core
Audio Format Specification 1.0.
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import IO

ENDLESS = 0x7FFF0000  # sizes from here on say "until the end": 2 or 4 GB less some header
CODECS = {  # by their numbers in RFC 2361; 1 and 3 are plain numbers
    0x02: "Microsoft ADPCM", 0x06: "A-law", 0x07: "mu-law", 0x11: "IMA ADPCM", 0x31: "GSM 6.10",
    0x50: "MPEG", 0x55: "MP3", 0x83: "G.729", 0xFF: "AAC", 0x161: "Windows Media", 0x1610: "AAC",
    0x2000: "AC-3", 0x674F: "Vorbis", 0x704F: "Opus",
}  # fmt: skip


@dataclass
class WavHeader:
    """The byte order and chunk `fmt ` of a WAV file, and the place of its samples.

    `missing` bytes of them are promised and not there; `odd` is a file that decoders misread.
    """

    order: str
    fmt: bytes = b""
    start: int = 0
    size: int = 0
    missing: int = 0
    odd: bool = False

    @property
    def codec(self) -> str:
        """The name of how samples are stored, such as "MP3"; "" for plain numbers."""
        tag, extended = struct.unpack_from(self.order + "H22xH", self.fmt.ljust(26, b"\0"))
        tag = extended if tag == 0xFFFE else tag
        return "" if tag in (0, 1, 3) else CODECS.get(tag, f"codec 0x{tag:04X}")


def wav_header(file: IO[bytes]) -> WavHeader | None:
    """Read the chunks up to the samples; None for a file that is no WAV (RIFF, RIFX or RF64)."""
    total = file.seek(0, os.SEEK_END)
    head = _at(file, 0, 12)
    order = {b"RIFF": "<", b"RF64": "<", b"RIFX": ">"}.get(head[:4])
    if order is None or head[8:] not in (b"WAVE", b""):
        return None
    said, at, long = WavHeader(order), 12, 0
    while at + 8 <= total:
        name, size = struct.unpack(order + "4sI", _at(file, at, 8))
        at += 8
        if name == b"data":
            size = long if head[:4] == b"RF64" and size == 0xFFFFFFFF else size
            return _located(file, said, at, size, total)
        content = _at(file, at, min(size, 64))
        said.fmt = content if name == b"fmt " else said.fmt
        long = struct.unpack_from("<Q", content.ljust(16, b"\0"), 8)[0] if name == b"ds64" else long
        at += size
        if size % 2:  # a byte of padding follows, which some writers forget
            forgotten = _at(file, at, 1) != b"\0" and _is_name(_at(file, at, 4))
            at, said.odd = at + (not forgotten), said.odd or forgotten
    said.missing = max(1, at - total)  # the samples never came
    return said


def mended(file: IO[bytes], found: WavHeader) -> io.BytesIO:
    """Return a WAV file with nothing but the format and the samples of `file`, and right sizes."""
    pack = struct.Struct(found.order + "I").pack
    samples = _at(file, found.start, found.size)
    whole = b"WAVEfmt " + pack(len(found.fmt)) + found.fmt + b"data" + pack(len(samples)) + samples
    return io.BytesIO((b"RIFF" if found.order == "<" else b"RIFX") + pack(len(whole)) + whole)


def _located(file: IO[bytes], said: WavHeader, start: int, size: int, total: int) -> WavHeader:
    """Add the samples' place, their true size, and how many bytes of them are missing."""
    left, at = total - start, start
    if size == 0:  # whole chunks may follow: what does not look like them is sound
        while at + 8 <= total and _is_name(_at(file, at, 4)):
            inner = struct.unpack(said.order + "I", _at(file, at + 4, 4))[0]
            at += 8 + inner + inner % 2
        size, said.odd = (left, True) if at not in (total, total + 1) else (0, said.odd)
    said.start, said.size = start, left if size >= ENDLESS and size > left else size
    said.missing = max(0, said.size - left)
    return said


def _at(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= each < 127 for each in name)


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
