"""The index of a checkpoint: its checksums, and tables that no damage by chance would reach."""

from __future__ import annotations

import struct

import cramjam
import numpy as np
import pytest

from course_lib.formats import checkpoint
from course_lib.formats.checkpoint import index
from course_lib.formats.checkpoint.index import crc32c, masked
from course_lib.formats.protobuf import encode_varint


def test_checksum_is_that_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4
    data = np.random.default_rng(0).bytes(5000)
    assert crc32c(data) != crc32c(data[:-1] + bytes([data[-1] ^ 1]))
    assert masked(0) == 0xA282EAD8


@pytest.mark.parametrize("length", [0, 1, 1023, 1024, 1025, 2048, 2049, 9999])
def test_checksum_in_lanes_equals_the_one_bit_by_bit(length):
    data = np.random.default_rng(length).bytes(length)
    state = 0xFFFF_FFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    assert crc32c(data) == state ^ 0xFFFF_FFFF


def table_of(entries: list[tuple[bytes, bytes]], kind: int = 0, packed=bytes) -> bytes:
    """Write a table with valid checksums, to try what no damage by chance would reach.

    The data block is `packed`, and says that it is compressed in the way of number `kind`.
    """

    def block(pairs, kind=0, packed=bytes):
        body = b"".join(bytes([0, len(k), len(v)]) + k + v for k, v in pairs)
        body = bytes(packed(body + struct.pack("<II", 0, 1))) + bytes([kind])
        return body + struct.pack("<I", masked(crc32c(body)))

    def handle(start, content):
        return encode_varint(start) + encode_varint(len(content) - 5)

    data, meta = block(entries, kind, packed), block([])
    top = block([(b"~", handle(0, data))])
    footer = handle(len(data), meta) + handle(len(data) + len(meta), top)
    return data + meta + top + footer.ljust(40, b"\0") + struct.pack("<Q", index.MAGIC)


HEADER = (b"", b"\x08\x01")


@pytest.mark.parametrize("entry, said", [
    ((b"x", b"\x08\x01\x18\x05"), "cut short"),
    ((b"x", b"\x08\x01\x12\x04\x12\x02\x08\x05\x28\x04"), "cannot have 4 bytes"),
    ((b"x", b"\x08\x01\x12\x0d\x12\x0b\x08" + b"\xff" * 9 + b"\x01"), "below zero"),
    ((b"x", b"\x0b"), "no end"),
])  # fmt: skip
def test_well_formed_tables_with_absurd_entries_are_refused(tmp_path, entry, said):
    (tmp_path / "x.index").write_bytes(table_of([HEADER, entry]))
    (tmp_path / "x.data-00000-of-00001").write_bytes(bytes(8))
    with pytest.raises(ValueError, match=said):
        checkpoint.contents(tmp_path / "x")


PAIR = b"\x08\x01\x12\x04\x12\x02\x08\x02\x28\x08"  # float32, (2,), eight bytes from byte 0


def opened(folder, entries, **how):
    """Open a checkpoint of these entries, whose only shard holds 1.0 and 2.0."""
    (folder / "x.index").write_bytes(table_of([HEADER, *entries], **how))
    (folder / "x.data-00000-of-00001").write_bytes(struct.pack("<2f", 1, 2))
    return checkpoint.contents(folder / "x")


def test_a_type_that_nobody_knows_hides_no_other_tensor(tmp_path):
    found = opened(tmp_path, [(b"a", PAIR), (b"x", b"\x08\x63")])
    assert {each.name: each.dtype for each in found} == {"a": "float32", "x": "type 99"}
    with pytest.raises(ValueError, match="'x' is of type 99, which only TensorFlow can read"):
        found["x"]
    checked = b"\x35" + struct.pack("<I", masked(crc32c(struct.pack("<2f", 1, 2))))
    found = opened(tmp_path, [(b"a", PAIR + checked), (b"x", b"\x08\x63")])
    assert found["a"].tolist() == [1, 2]


def test_blocks_that_snappy_compressed_are_read(tmp_path):
    entries = [(b"a", PAIR), (b"another", b"\x08\x63"), (b"another one", b"\x08\x63")]
    found = opened(tmp_path, entries, kind=1, packed=cramjam.snappy.compress_raw)
    assert [(each.name, each.dtype, each.shape) for each in found] == [
        ("a", "float32", (2,)),
        ("another", "type 99", ()),
        ("another one", "type 99", ()),
    ]
    assert all(found.byte_map(file).complete for file in found.files)


@pytest.mark.parametrize(
    ("kind", "packed", "said"),
    [
        (2, bytes, "compressed in an unknown way .type 2"),
        (1, lambda body: b"\x10" + b"\xff" * 9, "no Snappy data"),
        (1, lambda body: b"\xff\xff\xff\xff\x0f" + body, "said to unpack to 4294967295 bytes"),
    ],
)
def test_other_compressions_are_refused_by_name(tmp_path, kind, packed, said):
    with pytest.raises(ValueError, match=said):
        opened(tmp_path, [(b"a", PAIR)], kind=kind, packed=packed)


@pytest.mark.parametrize("header, said", [
    (b"", "0 shards"), (b"\x08\x80\x80\x80\x80\x01", "shards"), (b"\x08\x01\x10\x01", "big-endian"),
])  # fmt: skip
def test_absurd_headers_are_refused(tmp_path, header, said):
    (tmp_path / "x.index").write_bytes(table_of([(b"", header)]))
    with pytest.raises(ValueError, match=said):
        checkpoint.contents(tmp_path / "x")
