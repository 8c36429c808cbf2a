"""Name every byte of a checkpoint's files: the index, the shards, and TF1's `.meta`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.checkpoint import sstable
from course_lib.formats.checkpoint.contents import Tensor, spans_of
from course_lib.formats.checkpoint.entries import DTYPES, key_text, sizes
from course_lib.formats.protobuf import bytemap, fields, varint


def bytemap_of(
    prefix: Path, index: bytes, table: sstable.Table, tensors: list[Tensor], file: str
) -> ByteMap:
    """Return the ByteMap of the index, of a shard, or of TF1's `.meta`."""
    if file.endswith(".meta"):
        return bytemap(prefix.with_name(file).read_bytes(), "MetaGraphDef")
    if not file.endswith(".index"):
        mine = [each for each in tensors if each.file == file]
        return ByteMap(prefix.with_name(file).read_bytes(), spans_of(mine))
    spans = list(table.spans)
    for entry in table.entries:
        name = key_text(entry.key) or "header"
        for raw in fields(entry.value):
            start = entry.value_start
            label = _ENTRY_FIELDS.get(raw.number, f"field {raw.number}") if entry.key else "header"
            said = _said(entry.value, raw, label)
            spans.append(
                Span(start + raw.start, start + raw.value_start, "tag", f"tag of {label}", name)
            )
            if raw.end > raw.value_start:
                kind = "checksum" if label == "checksum" else "number"
                spans.append(
                    Span(start + raw.value_start, start + raw.end, kind, label, name, said)
                )
    return ByteMap(index, spans)


_ENTRY_FIELDS = {1: "type", 2: "shape", 3: "shard", 4: "offset", 5: "length", 6: "checksum",
                 7: "slice"}  # fmt: skip


def _said(value: bytes, raw: Any, label: str) -> Any:
    """Return the meaning of a field of an index entry."""
    if label == "shape":
        return tuple(sizes(value[raw.value_start : raw.end]))
    if raw.wire_type != 0:
        return value[raw.value_start : raw.end].hex()
    number = varint(value, raw.value_start)[0]
    return DTYPES.get(number, number) if label == "type" else number
