"""TensorFlow's checkpoints, read without TensorFlow: the index, the shards, the object graph.

The `.index` is a table (see `index`). Its empty key holds a header; every other key is the name of
a tensor, and the value says its type, shape, shard, offset, length and checksum. TF1's Saver, TF2's
Checkpoint and a SavedModel's variables all use this form. What `contents` is given in a form of
Keras' own, it passes on to `keras_files`.

Source: tensorflow/core/protobuf/tensor_bundle.proto and trackable_object_graph.proto
"""

import glob
import os
import re
import struct
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from course_lib.formats import protobuf
from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.checkpoint import index, keras_files
from course_lib.formats.checkpoint.objects import parse
from course_lib.formats.checkpoint.tensors import Contents, ObjectNode, Tensor, group_of, spans_of
from course_lib.formats.protobuf import fields, varint

OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_LARGEST_SHARDS = 100_000  # more names than that would be made up by a damaged header
_NEWEST = r"""^\s*model_checkpoint_path\s*:\s*(["'])((?:(?!\1)[^\\]|\\.)*)\1"""
_OLD = (
    "{} is a checkpoint of TensorFlow's first format (V1, before 2017), which is not read here: "
    "read it with tf.train.load_checkpoint and save its values again."
)


def contents(path: str | Path) -> Contents:
    """Open what `path` names: a prefix such as `train/ckpt-3`, one of its files, or a folder.

    A folder may be a SavedModel or hold checkpoints (then the newest is opened). Raises
    FileNotFoundError or ValueError with one sentence that says what is wrong.
    """
    path = Path(path)
    if (path / "saved_model.pb").is_file() and not (path / "variables/variables.index").is_file():
        raise ValueError(f"{path} is a SavedModel without variables: its graph holds all values.")
    if (path / "variables").is_dir():
        return _read(path / "variables" / "variables")
    if path.is_dir():
        return _read(latest(path))
    if path.name.endswith(".keras"):
        return keras_files.read_keras(path)
    if path.name.endswith((".h5", ".hdf5")):
        return keras_files.read_h5(path)
    if not _index(path).is_file():  # else it is a prefix, whatever its end looks like
        path = path.with_name(re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", path.name))
    return _read(path)


def latest(folder: str | Path) -> Path:
    """Return the prefix of the newest checkpoint of a folder, which its file `checkpoint` names.

    A checkpoint that was moved here from another place or machine is found by its last name; in a
    folder without that file, the only one is the newest.
    """
    state = Path(folder, "checkpoint")
    if not state.is_file():
        there = sorted(path.with_suffix("") for path in Path(folder).glob("*.index"))
        if len(there) > 1:
            named = ", ".join(path.name for path in there[:5])
            raise ValueError(f"{folder} has several checkpoints: open one of {named}.")
        if there:
            return there[0]
    text = _content(state).decode("utf-8", "replace")
    newest = re.search(_NEWEST, text, re.MULTILINE)
    if newest is None:
        raise ValueError(f"{state} names no newest checkpoint.")
    name = _unescaped(newest[2])
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    named = (Path(folder, name), Path(folder, last))
    return next((path for path in named if _index(path).is_file() or _is_old(path)), named[1])


def _index(prefix: Path) -> Path:
    return prefix.with_name(prefix.name + ".index")


def _unescaped(text: str) -> str:
    """Return a text of a text protobuf as it was meant; one by hand may escape nothing."""
    from google.protobuf import text_encoding

    if re.match(r"[A-Za-z]:\\(?!\\)", text):
        return text  # a Windows path with single backslashes: TensorFlow doubles them
    try:
        return text_encoding.CUnescape(text).decode("utf-8", "replace")
    except ValueError:
        return text


def _is_old(path: Path) -> bool:
    """Tell whether a path is a checkpoint of TensorFlow's first format, whole or in shards."""
    shards = path.parent.glob(glob.escape(path.name) + "-?????-of-?????")
    file = path if path.is_file() else next(shards, None)
    if file is None or file.stat().st_size < index.FOOTER_BYTES:
        return False
    with open(file, "rb") as opened:
        opened.seek(-8, os.SEEK_END)
        return opened.read() == struct.pack("<Q", index.MAGIC)


def _read(prefix: Path) -> Contents:
    index_path = _index(prefix)
    if not index_path.is_file() and _is_old(prefix):
        raise ValueError(_OLD.format(prefix.name))
    data = _content(index_path)
    table = index.read(data)
    header = table.entries[0] if table.entries else None
    if header is None or header.key != b"":
        raise ValueError(f"{index_path.name} has no header: its first key should be empty.")
    shards = _shards(header.value, index_path.name)
    names = [f"{prefix.name}.data-{shard:05d}-of-{shards:05d}" for shard in range(shards)]
    sizes = {name: _size(prefix.with_name(name)) for name in names}
    stored = [_tensor(entry, names, sizes) for entry in table.entries[1:]]
    objects = _objects(prefix, stored)
    own_names = {key: name for node in objects for name, key in node.tensors}
    tensors = []
    for tensor in sorted(stored, key=lambda tensor: (tensor.file, tensor.offset, tensor.key)):
        name = own_names.get(tensor.key, tensor.key)
        tensors.append(replace(tensor, name=name, group=group_of(tensor.key, name, tensor.dtype)))
    files = {index_path.name: len(data), **sizes}
    meta = prefix.with_name(prefix.name + ".meta")  # TF1's
    if meta.is_file():
        files[meta.name] = meta.stat().st_size
    return Contents(
        form=_form(prefix, bool(objects)),
        path=prefix,
        files=files,
        tensors=tuple(tensors),
        objects=objects,
        reader=partial(_values, prefix),
        map_of=partial(_byte_map, prefix, data, table, tensors),
    )


def _values(prefix: Path, tensor: Tensor) -> np.ndarray:
    """Read one tensor from its shard: its bytes, checked against the checksum, as an array.

    Strings come as an array of `bytes` objects, bfloat16 as float32, other types that NumPy lacks
    as those of `ml_dtypes`. Raises ValueError if the checksum does not match or where the tensor
    has no values.
    """
    kind = _numpy(tensor.dtype)
    if kind is None and tensor.dtype != "string":
        what = f"{tensor.name[:80]!r} is of {tensor.dtype}"
        raise ValueError(f"{what}, which only TensorFlow can read; the other tensors can be read.")
    if tensor.slices:
        raise ValueError(f"{tensor.name[:80]!r} is stored in {tensor.slices} slices: read those.")
    with open(prefix.with_name(tensor.file), "rb") as file:
        file.seek(tensor.offset)
        content = file.read(tensor.bytes)
    if tensor.dtype == "string":
        return _strings(tensor, content)
    _check(tensor, content)
    if tensor.dtype == "bfloat16":
        bits = np.frombuffer(content, np.uint16).astype(np.uint32) << 16
        return bits.view(np.float32).reshape(tensor.shape)
    return np.frombuffer(content, kind).reshape(tensor.shape).copy()


@cache
def _numpy(dtype: str) -> np.dtype | None:
    """Return how a type of TensorFlow's is stored, a quantized one as an integer; None if unknown.

    A string and an object of TensorFlow's have no such type, nor have types to come.
    """
    import ml_dtypes

    name = dtype.replace("qint", "int")
    try:
        return np.dtype(getattr(ml_dtypes, name, name)) if dtype != "string" else None
    except TypeError:
        return None


def _check(tensor: Tensor, content: bytes) -> None:
    if index.masked(index.crc32c(content)) != tensor.checksum:
        name = tensor.name[:80]
        raise ValueError(f"{name!r} does not match its checksum: {tensor.file} is damaged.")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        reason = f"{path} is missing: is it another folder, or was it deleted?"
        raise FileNotFoundError(reason) from None


def _size(path: Path) -> int:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the index names it, the values are in it.")
    return path.stat().st_size


def _form(prefix: Path, has_objects: bool) -> str:
    if prefix.name == "variables" and (prefix.parent.parent / "saved_model.pb").is_file():
        return "variables of a SavedModel"
    return "TF2 checkpoint" if has_objects else "TF1 Saver checkpoint"


def _shards(value: bytes, name: str) -> int:
    """Return the number of shards from a BundleHeaderProto."""
    if any((raw.number, raw.wire_type) == (1, 2) for raw in fields(value)):  # SavedTensorSlices
        raise ValueError(_OLD.format(name))
    varints = [raw for raw in fields(value) if raw.wire_type == 0]
    numbers = {raw.number: varint(value, raw.value_start)[0] for raw in varints}
    shards = numbers.get(1, 0)
    if numbers.get(2, 0) != 0:
        raise ValueError("The checkpoint is of a big-endian machine: that is not read here.")
    if not 0 < shards <= _LARGEST_SHARDS:
        raise ValueError(f"The header speaks of {shards} shards: the index is damaged.")
    return shards


def _tensor(entry: index.Entry, names: list[str], sizes: dict[str, int]) -> Tensor:
    """Return the tensor that an entry describes, checked against the size of its shard."""
    key = entry.name
    parts = list(index.described(entry))
    known = {label: meaning for _, label, meaning in parts}
    dtype, shape = known.get("type", 0), known.get("shape", ())
    shard, offset, size = (known.get(label, 0) for label in ("shard", "offset", "length"))
    checksum = int.from_bytes(bytes.fromhex(known.get("checksum", "")), "little")
    slices = sum(label == "slice" for _, label, _ in parts)
    dtype = f"type {dtype}" if isinstance(dtype, int) else dtype
    if shard >= len(names) or offset + size > sizes[names[shard]]:
        end = offset + size
        raise ValueError(f"{key[:80]!r} should end at byte {end}: the data file is cut short.")
    tensor = Tensor(key, key, dtype, shape, names[shard], offset, size, "", checksum, slices)
    kind = None if slices else _numpy(dtype)
    if kind is not None and tensor.count * kind.itemsize != size:
        what = f"{key[:80]!r} of shape {shape}"
        raise ValueError(f"{what} cannot have {size} bytes: the index is damaged.")
    return tensor


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
    _check(tensor, fixed + content[position:])
    texts = []
    for length in lengths:
        texts.append(content[texts_start : texts_start + length])
        texts_start += length
    strings = np.empty(len(texts), object)  # np.array would cut zeros off their ends
    strings[:] = texts
    return strings.reshape(tensor.shape)


def _objects(prefix: Path, tensors: list[Tensor]) -> tuple[ObjectNode, ...]:
    """Return the object graph (a TrackableObjectGraph) or nothing where the file has none."""
    for stored in tensors:
        if stored.key == OBJECT_GRAPH and stored.dtype == "string" and not stored.shape:
            return parse(_values(prefix, stored).item())
    return ()


def _byte_map(
    prefix: Path, data: bytes, table: index.Table, tensors: list[Tensor], file: str
) -> ByteMap:
    """Return the map of the index, whose bytes are `data`, of a shard, or of TF1's `.meta`."""
    if file.endswith(".meta"):
        return protobuf.byte_map(prefix.with_name(file).read_bytes(), "MetaGraphDef")
    if not file.endswith(".index"):
        mine = [tensor for tensor in tensors if tensor.file == file]
        return ByteMap(prefix.with_name(file).read_bytes(), spans_of(mine))
    spans = list(table.spans)
    for entry in table.entries:
        name, at = entry.name or "header", entry.value_start
        for raw, label, meaning in index.described(entry) if at is not None else ():
            start, middle, end = raw.start + at, raw.value_start + at, raw.end + at
            spans.append(Span(start, middle, "tag", f"tag of {label}", name))
            if end > middle:
                kind = "checksum" if label == "checksum" else "number"
                spans.append(Span(middle, end, kind, label, name, meaning))
    return ByteMap(data, spans)
