"""Keras' own files: `.weights.h5` (HDF5) and `.keras` (a zip file with one of those inside).

They are read here, and a `.keras` file is kept readable for older releases of Keras 3.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.checkpoint.tensors import Contents, Tensor, group_of, spans_of
from course_lib.session import write_atomically

_WEIGHTS = "model.weights.h5"
_MOST_BYTES = 2**31
# Settings that Keras 3.14 and later write and that Keras 3.13, Colab's, refuses to read. At these
# values, their defaults, a layer without them is the same layer.
_NEW_SETTINGS = {"input_axes": None, "output_axes": None, "renorm": False,
                 "renorm_clipping": None, "renorm_momentum": 0.99}  # fmt: skip


def read_h5(path: str | Path) -> Contents:
    """Return what a `.weights.h5` file holds; raises ValueError for anything else."""
    path = Path(path)
    data = path.read_bytes()
    tensors = tuple(_tensors(data, path.name))
    return _contents("Keras weights (HDF5)", path, data, tensors, "HDF5 structure", [])


def read_keras(path: str | Path) -> Contents:
    """Return what a `.keras` file holds: the weights, and the texts that describe the model."""
    path = Path(path)
    data = path.read_bytes()
    parts = _members(path, data)
    start, weights = next(((s, d) for name, s, d in parts if name == _WEIGHTS), (0, None))
    if weights is None:
        raise ValueError(f"{path.name} has no {_WEIGHTS} inside: it is no .keras file.")
    tensors = tuple(_tensors(weights, _WEIGHTS))
    texts = [Span(s, s + len(d), "string", name, name) for name, s, d in parts if name != _WEIGHTS]
    moved = tuple(replace(each, offset=each.offset + start, file=path.name) for each in tensors)
    return _contents("Keras model (zip)", path, data, moved, "HDF5 and zip structure", texts)


def make_portable(path: str | Path) -> None:
    """Rewrite the .keras file at `path` less the settings that only a newer Keras knows.

    They say nothing there, as they have their defaults. Weights and everything else stay. Source:
    the configurations that Keras 3.13.2 and 3.15.1 write.
    """
    path = Path(path)
    rewritten = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(rewritten, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "config.json":
                content = json.dumps(_without_new(json.loads(content))).encode()
            new.writestr(entry, content)
    write_atomically(path, rewritten.getvalue())


def _contents(
    form: str, path: Path, data: bytes, tensors: tuple[Tensor, ...], rest: str, texts: list[Span]
) -> Contents:
    """Return the contents of a file; `rest` says what its bytes are that no other span names."""

    def byte_map(file: str) -> ByteMap:
        spans = spans_of(tensors) + texts
        gaps = ByteMap(data, spans).gaps
        spans += [Span(start, end, rest, "headers, names and tables") for start, end in gaps]
        return ByteMap(data, spans)

    files = {path.name: len(data)}
    return Contents(form, path, files, tensors, (), partial(_values, data), byte_map)


def _members(path: Path, data: bytes) -> list[tuple[str, int, bytes]]:
    """Return name, start of the content in the file, and content of every member of a zip file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = []
            for info in archive.infolist():
                if info.file_size > _MOST_BYTES or info.compress_type != zipfile.ZIP_STORED:
                    where = f"{info.filename} in {path.name}"
                    raise ValueError(f"{where} is compressed: Keras stores it.")
                # the name and the extra field stand between a member's header and its content
                skipped = sum(struct.unpack_from("<HH", data, info.header_offset + 26))
                start = info.header_offset + 30 + skipped
                members.append((info.filename, start, archive.read(info)))
            return members
    except (zipfile.BadZipFile, EOFError, RuntimeError, struct.error) as error:
        raise ValueError(f"{path.name} is no whole zip file: save the model again.") from error


def _tensors(data: bytes, file: str) -> list[Tensor]:
    """Return every dataset of an HDF5 file in the order of its bytes."""
    import h5py

    tensors: list[Tensor] = []

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            tensors.append(_tensor(name, item, file, len(data)))

    try:
        with h5py.File(io.BytesIO(data), "r") as opened:
            opened.visititems(collect)
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"{file} is no whole HDF5 file: save the weights again.") from error
    return sorted(tensors, key=lambda tensor: (tensor.offset, tensor.key))


def _tensor(name: str, item: Any, file: str, length: int) -> Tensor:
    """Return what a dataset is; Keras writes the layer's name on the group that it lies in."""
    offset = item.id.get_offset() or 0
    size = item.size * item.dtype.itemsize
    if (not offset and size) or offset + size > length:
        raise ValueError(f"{name} does not lie in {file} in one piece: was the file cut short?")
    owner = item.parent.attrs.get("name", "")
    owner = owner.decode() if isinstance(owner, bytes) else str(owner)
    own = f"{owner}/{name.split('/')[-1]}" if owner else name
    dtype = str(item.dtype)
    group = "optimizer" if name.startswith("optimizer/") else group_of(name, own, dtype)
    return Tensor(name, own, dtype, tuple(item.shape), file, offset, size, group)


def _values(data: bytes, tensor: Tensor) -> np.ndarray:
    content = data[tensor.offset : tensor.offset + tensor.bytes]
    return np.frombuffer(content, tensor.dtype).reshape(tensor.shape).copy()


def _without_new(value: Any) -> Any:
    """Return a configuration without the settings above, where they have their defaults."""
    if isinstance(value, list):
        return [_without_new(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {n: v for n, v in value.items() if n not in _NEW_SETTINGS or v != _NEW_SETTINGS[n]}
    return {name: _without_new(each) for name, each in kept.items()}
