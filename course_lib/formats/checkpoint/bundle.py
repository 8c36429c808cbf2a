"""TensorFlow's checkpoints, read without TensorFlow: the index, the shards, the object graph.

The `.index` is a table (see `sstable`). Its empty key holds a header; every other key is the
name of a tensor, and the value says its type, shape, shard, offset, length and checksum. TF1's
Saver, TF2's Checkpoint and a SavedModel's variables all use this form.

Source: tensorflow/core/protobuf/tensor_bundle.proto and trackable_object_graph.proto
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from course_lib.formats.checkpoint import sstable
from course_lib.formats.checkpoint.contents import Contents, ObjectNode, Tensor, group_of
from course_lib.formats.checkpoint.crc import crc32c, masked
from course_lib.formats.checkpoint.entries import DTYPES, entry, key_text
from course_lib.formats.checkpoint.maps import bytemap_of
from course_lib.formats.checkpoint.objects import parse
from course_lib.formats.protobuf import fields, varint

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_ITEM_BYTES = {"bfloat16": 2}
_LARGEST_SHARDS = 100_000


def read(prefix: str | Path) -> Contents:
    """Return what the checkpoint `prefix` (without `.index`) holds.

    Raises FileNotFoundError for a missing file and `ValueError` for a damaged one.
    """
    prefix = Path(prefix)
    index_path = prefix.with_name(prefix.name + ".index")
    index = _content(index_path)
    table = sstable.read(index)
    header = table.entries[0] if table.entries else None
    if header is None or header.key != b"":
        raise ValueError(f"{index_path.name} has no header: its first key should be empty.")
    shards = _shards(header.value)
    names = [f"{prefix.name}.data-{shard:05d}-of-{shards:05d}" for shard in range(shards)]
    sizes = {name: _size(prefix.with_name(name)) for name in names}
    stored = [_tensor(each, names, sizes) for each in table.entries[1:]]
    objects = _objects(prefix, stored)
    own_names = {key: name for node in objects for name, key in node.tensors}
    tensors = [_named(each, own_names.get(each.key, each.key)) for each in stored]
    order = {name: number for number, name in enumerate(names)}
    tensors.sort(key=lambda each: (order[each.file], each.offset, each.key))
    return Contents(
        form=_form(prefix, bool(objects)),
        path=prefix,
        files={index_path.name: len(index), **sizes, **_companions(prefix)},
        tensors=tuple(tensors),
        objects=objects,
        reader=partial(values, prefix),
        map_of=partial(bytemap_of, prefix, index, table, tensors),
    )


def latest(folder: str | Path) -> Path:
    """Return the prefix that the file `checkpoint` of a folder names as the newest."""
    text = _content(Path(folder, "checkpoint")).decode("utf-8", "replace")
    found = re.search(r'^model_checkpoint_path: "((?:[^"\\]|\\.)*)"', text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{Path(folder, 'checkpoint')} names no newest checkpoint.")
    return Path(folder, found[1])


def values(prefix: Path, tensor: Tensor) -> np.ndarray:
    """Read one tensor from its shard: its bytes, checked against the checksum, as an array.

    Strings come as an array of `bytes` objects, bfloat16 as float32. Raises ValueError if the
    checksum does not match.
    """
    if tensor.slices:
        raise ValueError(f"{tensor.name[:80]!r} is stored in {tensor.slices} slices: read those.")
    with open(prefix.with_name(tensor.file), "rb") as file:
        file.seek(tensor.offset)
        content = file.read(tensor.bytes)
    if tensor.dtype == "string":
        return _strings(tensor, content)
    if masked(crc32c(content)) != tensor.checksum:
        raise ValueError(
            f"{tensor.name[:80]!r} does not match its checksum: {tensor.file} is damaged."
        )
    if tensor.dtype == "bfloat16":
        bits = np.frombuffer(content, np.uint16).astype(np.uint32) << 16
        return bits.view(np.float32).reshape(tensor.shape)
    return np.frombuffer(content, tensor.dtype).reshape(tensor.shape).copy()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is missing: is it another folder, or was it deleted?"
        ) from None


def _size(path: Path) -> int:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the index names it, the values are in it.")
    return path.stat().st_size


def _companions(prefix: Path) -> dict[str, int]:
    """Return TF1's `.meta` beside the checkpoint, if there is one, with its length."""
    meta = prefix.with_name(prefix.name + ".meta")
    return {meta.name: meta.stat().st_size} if meta.is_file() else {}


def _form(prefix: Path, has_objects: bool) -> str:
    if prefix.name == "variables" and (prefix.parent.parent / "saved_model.pb").is_file():
        return "variables of a SavedModel"
    return "TF2 checkpoint" if has_objects else "TF1 Saver checkpoint"


def _shards(value: bytes) -> int:
    """Return the number of shards from a BundleHeaderProto."""
    numbers = {
        raw.number: varint(value, raw.value_start)[0] for raw in fields(value) if raw.wire_type == 0
    }
    shards = numbers.get(1, 0)
    if numbers.get(2, 0) != 0:
        raise ValueError(
            "The checkpoint was written on a big-endian machine: that is not read here."
        )
    if not 0 < shards <= _LARGEST_SHARDS:
        raise ValueError(f"The header speaks of {shards} shards: the index is damaged.")
    return shards


def _tensor(stored: sstable.Entry, names: list[str], sizes: dict[str, int]) -> Tensor:
    """Return the tensor that an entry (a BundleEntryProto) describes, checked against the shard."""
    key = key_text(stored.key)
    number, shape, shard, offset, size, checksum, slices = entry(stored.value)
    if number not in DTYPES:
        raise ValueError(f"{key[:80]!r} has the type {number}, which is not read here.")
    if shard >= len(names) or offset + size > sizes[names[shard]]:
        raise ValueError(
            f"{key[:80]!r} should end at byte {offset + size}: the data file is cut short."
        )
    dtype = DTYPES[number]
    made = Tensor(key, key, dtype, shape, names[shard], offset, size, "", checksum, slices)
    if dtype != "string" and not slices:
        item = _ITEM_BYTES.get(dtype) or np.dtype(dtype).itemsize
        if made.count * item != size:
            raise ValueError(
                f"{key[:80]!r} of shape {shape} cannot have {size} bytes: the index is damaged."
            )
    return made


def _named(each: Tensor, name: str) -> Tensor:
    return replace(each, name=name, group=group_of(each.key, name, each.dtype))


def _strings(tensor: Tensor, content: bytes) -> np.ndarray:
    """Return an array of bytes objects: all lengths come first, then a checksum, then the texts.

    The tensor's checksum is of the lengths as fixed numbers, that checksum, and the texts.
    """
    position, lengths = 0, []
    for _ in range(tensor.count):
        length, position = varint(content, position)
        lengths.append(length)
    texts_start = position + 4
    if texts_start + sum(lengths) != len(content):
        raise ValueError(f"{tensor.name[:80]!r}: the lengths of its strings do not add up.")
    fixed = b"".join(struct.pack("<Q" if n > 0xFFFF_FFFF else "<I", n) for n in lengths)
    if masked(crc32c(fixed + content[position:])) != tensor.checksum:
        raise ValueError(
            f"{tensor.name[:80]!r} does not match its checksum: {tensor.file} is damaged."
        )
    texts = []
    for length in lengths:
        texts.append(content[texts_start : texts_start + length])
        texts_start += length
    found = np.empty(len(texts), object)
    found[:] = texts
    return found.reshape(tensor.shape)


def _objects(prefix: Path, tensors: list[Tensor]) -> tuple[ObjectNode, ...]:
    """Return the object graph (a TrackableObjectGraph) or nothing where the file has none."""
    stored = next((each for each in tensors if each.key == OBJECT_GRAPH), None)
    if stored is None or stored.dtype != "string" or stored.shape:
        return ()
    return parse(values(prefix, stored).item())
