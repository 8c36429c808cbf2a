"""The format of an `.index` file: a sorted table of keys and values, as in LevelDB.

The file is a row of blocks and a footer. A data block holds the entries; of each key it stores only
what differs from the key before. The index block tells where the data blocks are, the footer where
the index is. In a checkpoint every key but the empty one is the name of a tensor, and its value, a
BundleEntryProto, says all else of it. Checksums are CRC-32C. Checkpoints from Google and TensorFlow
Serving have blocks that Snappy compressed.

Source: https://github.com/google/leveldb/blob/main/doc/table_format.md and
tensorflow/core/protobuf/tensor_bundle.proto
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import pairwise
from operator import xor
from typing import Any

import numpy as np

from course_lib.formats.bytemap import Span
from course_lib.formats.protobuf import Raw, fields, varint

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 7: "string",
    8: "complex64", 9: "int64", 10: "bool", 14: "bfloat16", 17: "uint16", 18: "complex128",
    19: "float16", 22: "uint32", 23: "uint64", 11: "qint8", 12: "quint8", 13: "qint32",
    15: "qint16", 16: "quint16", 20: "resource", 21: "variant", 24: "float8_e5m2",
    25: "float8_e4m3fn", 26: "float8_e4m3fnuz", 27: "float8_e4m3b11fnuz", 28: "float8_e5m2fnuz",
    29: "int4", 30: "uint4", 31: "int2", 32: "uint2", 33: "float4_e2m1fn",
}  # fmt: skip
_FIELDS = {(1, 0): "type", (2, 2): "shape", (3, 0): "shard", (4, 0): "offset", (5, 0): "length",
           (6, 5): "checksum", (7, 2): "slice"}  # fmt: skip
_TRAILER_BYTES = 5  # after every block: one byte for the compression, four for the checksum
_MOST_KEY_BYTES = 64 * 2**20  # keys can be far longer than what is stored of them: stop in time
_PLAIN, _SNAPPY = 0, 1  # what TensorFlow knows of compressions
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_LANE_BYTES = 1024  # the size of the pieces that a checksum is computed of side by side


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold a key, its value, and the byte of the file at which the value begins.

    In a compressed block no byte of the file is the value's alone: `value_start` is None.
    """

    key: bytes
    value: bytes
    value_start: int | None

    @property
    def name(self) -> str:
        """The key as text; that of a slice of a partitioned variable is made readable, too."""
        if self.key.startswith(b"\0") and b"\0\1" in self.key:
            name, _, rest = self.key[1:].partition(b"\0\1")
            return f"{name.decode('utf-8', 'backslashreplace')} slice {rest.hex()}"
        return self.key.decode("utf-8", "backslashreplace")


@dataclass(frozen=True)
class Table:
    """Hold the entries of a table in the order of their keys, and a name for every byte but theirs.

    `spans` leaves the values out, so that whoever knows what they mean can name them.
    """

    entries: tuple[Entry, ...]
    spans: tuple[Span, ...]


def read(data: bytes) -> Table:
    """Read a table; raises ValueError in one sentence where it is damaged or something else."""
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
    spans += _block(data, meta_start, meta_length, footer, "metaindex", values=True)[1]
    blocks, more = _block(data, index_start, index_length, footer, "index", values=True)
    spans += more
    entries, free = [], 0
    for number, where in enumerate(blocks):
        start, length, _ = _handle(where.value, 0, len(where.value))
        if start < free:
            raise ValueError(f"Block {number} begins inside another: the index is damaged.")
        free = start + length
        found, more = _block(data, start, length, footer, f"block {number}", values=False)
        spans += more
        entries += found
    if any(a.key >= b.key for a, b in pairwise(entries)):
        raise ValueError("The keys of the index are out of order: it is damaged.")
    return Table(tuple(entries), tuple(spans))


def described(entry: Entry) -> Iterator[tuple[Raw, str, Any]]:
    """Yield the fields of an entry's value, each with its name and with what it says."""
    value = entry.value
    for raw in fields(value):
        label = _FIELDS.get((raw.number, raw.wire_type), f"field {raw.number}")
        label = label if entry.key else "header"
        content = value[raw.value_start : raw.end]
        if label == "shape":
            yield raw, label, tuple(_sizes(content))
        elif raw.wire_type == 0:
            number = varint(value, raw.value_start)[0]
            yield raw, label, DTYPES.get(number, number) if label == "type" else number
        else:
            yield raw, label, content.hex()


def _sizes(shape: bytes) -> Iterator[int]:
    for raw in fields(shape):
        if raw.number == 2 and raw.wire_type == 2:
            size = 0  # protobuf leaves a 0 out
            for part in fields(shape, raw.value_start, raw.end):
                if part.number == 1 and part.wire_type == 0:
                    size = varint(shape, part.value_start)[0]
            if size >= 2**63:
                raise ValueError("A tensor has a dimension below zero: the index is damaged.")
            yield size


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`: a number of 32 bits that changes when any one bit does.

    Long data is cut into lanes that NumPy takes through the table side by side; their results are
    then joined. `crc32c(b"123456789") == 0xE3069283`.
    """
    lanes = len(data) // _LANE_BYTES
    position, state = 0, 0xFFFF_FFFF
    if lanes > 1:
        position = lanes * _LANE_BYTES
        blocks = np.frombuffer(data, np.uint8, position).reshape(lanes, _LANE_BYTES)
        registers = np.zeros(lanes, np.uint32)
        for column in blocks.T:
            registers = _step(registers, column)
        for register in registers.tolist():
            state = _after_zeros(state) ^ register
    entries = _crc_table().tolist()
    for byte in data[position:]:
        state = entries[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFF_FFFF


def masked(checksum: int) -> int:
    """Return `checksum` rotated and shifted, as TensorFlow stores it.

    A checksum of data that itself holds checksums would be weak; the mask avoids that.
    """
    return (((checksum >> 15) | (checksum << 17)) + 0xA282EAD8) & 0xFFFF_FFFF


def _handle(data: bytes, position: int, end: int) -> tuple[int, int, int]:
    start, position = varint(data, position, end)
    length, position = varint(data, position, end)
    return start, length, position


def _block(
    data: bytes, start: int, length: int, limit: int, name: str, values: bool
) -> tuple[list[Entry], list[Span]]:
    """Check a block; return its entries, and its bytes named, with `values` those of values too."""
    end = start + length
    if end + _TRAILER_BYTES > limit or length < 4:
        raise ValueError(f"The {name} is said to be bytes {start} to {end}: that is outside.")
    stored = struct.unpack_from("<I", data, end + 1)[0]
    if masked(crc32c(data[start : end + 1])) != stored:
        raise ValueError(f"The {name} does not match its checksum: the index is damaged.")
    kind = "none" if data[end] == _PLAIN else "Snappy"
    spans = [
        Span(end, end + 1, "number", "compression", name, kind),
        Span(end + 1, end + 5, "checksum", "checksum of the block", name, hex(stored)),
    ]
    if data[end] != _PLAIN:
        plain = _unpacked(data[start:end], data[end], name)
        spans.append(Span(start, end, "data", "compressed entries", name, f"{len(plain)} bytes"))
        walk = _walk(plain, 0, _restarts(plain, 0, len(plain)))
        return [Entry(key, plain[at:stop], None) for _, _, at, stop, key in walk], spans
    restarts, entries = _restarts(data, start, end), []
    restarted = f"{(end - restarts) // 4 - 1}"
    spans.append(Span(restarts, end, "offset", "restart points", name, restarted))
    for head, key_start, value_start, value_end, key in _walk(data, start, restarts):
        entries.append(Entry(key, data[value_start:value_end], value_start))
        text = key.decode("utf-8", "backslashreplace")
        spans.append(Span(head, key_start, "length", "shared, new and value bytes", name))
        if key_start < value_start:
            shared = len(key) - (value_start - key_start)
            shown = f"{text[:shared]}|{text[shared:]}" if shared else text
            spans.append(Span(key_start, value_start, "string", "key", name, shown))
        if values and value_start < value_end:
            spans.append(Span(value_start, value_end, "offset", "value", name, text))
    return entries, spans


def _unpacked(content: bytes, kind: int, name: str) -> bytes:
    """Return the bytes of a compressed block, which begins with their number."""
    if kind != _SNAPPY:
        problem = f"type {kind}; TensorFlow knows 0, none, and 1, Snappy"
        raise ValueError(f"The {name} is compressed in an unknown way ({problem}).")
    import cramjam

    if not 4 <= varint(content, 0)[0] <= _MOST_KEY_BYTES:
        raise ValueError(f"The {name} is said to unpack to {varint(content, 0)[0]} bytes.")
    try:
        return bytes(cramjam.snappy.decompress_raw(content))
    except cramjam.DecompressionError as error:
        raise ValueError(f"The {name} is no Snappy data: the index is damaged.") from error


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


@lru_cache(maxsize=1)
def _crc_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> 1) ^ np.where(table & 1, np.uint32(_POLYNOMIAL), np.uint32(0))
    return table


def _step(registers: np.ndarray, column: np.ndarray | int) -> np.ndarray:
    return _crc_table()[(registers ^ column) & 0xFF] ^ (registers >> np.uint32(8))


@lru_cache(maxsize=1)
def _lane_columns() -> list[int]:
    """Return what each of the 32 bits of a register becomes after a lane of zero bytes."""
    columns = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for _ in range(_LANE_BYTES):
        columns = _step(columns, 0)
    return columns.tolist()


def _after_zeros(state: int) -> int:
    """Return the register after one lane of zero bytes; the register is linear in its bits."""
    reached = (column for bit, column in enumerate(_lane_columns()) if state >> bit & 1)
    return reduce(xor, reached, 0)
