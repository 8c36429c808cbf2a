"""Keras' own files: `.weights.h5` (HDF5) and `.keras` (a zip file with one of those inside).

They are read here, and a `.keras` file is kept readable for older releases of Keras 3.
"""

import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from course_lib.formats.bytemap import ByteMap, Span, Words
from course_lib.formats.checkpoint.tensors import (
    BOOKKEEPING,
    SLOTS,
    Contents,
    Tensor,
    group_of,
    spans_of,
)
from course_lib.session import write_atomically

_WEIGHTS = "model.weights.h5"
# Less "Adam", which TF1 calls a slot and older releases of Keras the optimizer.
_SLOTS = {name: SLOTS[name] for name in ("m", "momentum", "v", "velocity")}
_MOST_BYTES = 2**31
# Settings that Keras 3.14 and later write and that Keras 3.13, Colab's, refuses to read. At these
# values, their defaults, a layer without them is the same layer.
_NEW_SETTINGS = {"input_axes": None, "output_axes": None, "renorm": False,
                 "renorm_clipping": None, "renorm_momentum": 0.99}  # fmt: skip


def read_h5(path: str | Path) -> Contents:
    """Return what an HDF5 file of weights holds, of any Keras; raises ValueError for others."""
    path = Path(path)
    data = path.read_bytes()
    tensors = tuple(_tensors(data, path.name))
    return _contents("Keras weights (HDF5)", path, data, tensors, "HDF5 structure", [], data)


def read_keras(path: str | Path) -> Contents:
    """Return what a `.keras` file holds: the weights, and the texts that describe the model.

    Keras stores them as they are. Where another program has compressed the weights, their tensors
    have no places of their own in the file.
    """
    path = Path(path)
    data = path.read_bytes()
    members = _members(path, data)
    weights = next((each for each in members if each.name == _WEIGHTS), None)
    if weights is None:
        raise ValueError(f"{path.name} has no {_WEIGHTS} inside: it is no .keras file.")
    tensors = tuple(
        _in_zip(each, weights, path.name) for each in _tensors(weights.content, _WEIGHTS)
    )
    named = [each for each in members if each is not weights or each.compressed]
    texts = [each.span for each in named if each.span.end > each.span.start]
    rest = "HDF5 and zip structure"
    return _contents("Keras model (zip)", path, data, tensors, rest, texts, weights.content)


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


@dataclass(frozen=True, slots=True)
class _Member:
    """One file inside a zip file: its name, where its bytes lie, and what they unpack to."""

    name: str
    start: int
    end: int
    content: bytes
    compressed: bool

    @property
    def span(self) -> Span:
        value = Words(f"{len(self.content):,} bytes, compressed") if self.compressed else self.name
        return Span(self.start, self.end, "string", self.name, self.name, value)


def _contents(
    form: str,
    path: Path,
    data: bytes,
    tensors: tuple[Tensor, ...],
    rest: str,
    texts: list[Span],
    weights: bytes,
) -> Contents:
    """Return the contents of a file; `rest` says what its bytes are that no other span names."""

    def byte_map(file: str) -> ByteMap:
        spans = spans_of(tensors) + texts
        gaps = ByteMap(data, spans).gaps
        spans += [Span(start, end, rest, "headers, names and tables") for start, end in gaps]
        return ByteMap(data, spans)

    files = {path.name: len(data)}
    return Contents(form, path, files, tensors, (), partial(_values, weights), byte_map)


def _members(path: Path, data: bytes) -> list[_Member]:
    """Return every file inside a zip file; raises ValueError where one cannot be unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _MOST_BYTES:
                raise ValueError(f"{path.name} unpacks to more than 2 GiB, which is not read here.")
            return [_member(archive, info, data) for info in infos]
    except NotImplementedError as error:
        raise ValueError(
            f"{path.name} cannot be unpacked here ({error}): save it again."
        ) from error
    except RuntimeError as error:  # a password
        raise ValueError(f"{path.name} is encrypted: unpack it, and zip it without.") from error
    except (zipfile.BadZipFile, EOFError, OSError, struct.error, zlib.error) as error:
        raise ValueError(f"{path.name} is no whole zip file: save the model again.") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> _Member:
    # the name and the extra field stand between a member's header and its content
    skipped = sum(struct.unpack_from("<HH", data, info.header_offset + 26))
    start = info.header_offset + 30 + skipped
    compressed = info.compress_type != zipfile.ZIP_STORED
    end = start + info.compress_size
    return _Member(info.filename, start, end, archive.read(info), compressed)


def _in_zip(tensor: Tensor, weights: _Member, file: str) -> Tensor:
    """Return a tensor of the weights as one of the zip file that they are stored in."""
    if weights.compressed:
        return replace(tensor, file=file, offset=weights.start, places=())
    places = tensor.places
    if places is not None:
        places = tuple((start + weights.start, end + weights.start) for start, end in places)
    return replace(tensor, file=file, offset=tensor.offset + weights.start, places=places)


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
    if item.external or item.is_virtual:
        raise ValueError(f"{name} in {file} lies in other files: those are not read here.")
    places = _places(item)
    if any(end > length for _, end in places):
        raise ValueError(f"{name} reaches past the end of {file}: was the file cut short?")
    owner = item.parent.attrs.get("name", "")
    owner = owner.decode() if isinstance(owner, bytes) else str(owner)
    own = f"{owner}/{name.split('/')[-1]}" if owner else name
    dtype = "string" if _is_text(item.dtype) else str(item.dtype)
    at, stored = (places or ((0, 0),))[0][0], item.id.get_storage_size()
    as_they_are = None if places and not item.chunks else places
    group = _group(name, own, dtype)
    return Tensor(name, own, dtype, item.shape or (), file, at, stored, group, places=as_they_are)


def _places(item: Any) -> tuple[tuple[int, int], ...]:
    """Return the stretches (start, end) of a file that a dataset's values take.

    A chunk may be compressed. A small dataset that lies among the structure (HDF5 calls it
    compact), or one without values, has no place.
    """
    if item.chunks:
        chunks = (item.id.get_chunk_info(n) for n in range(item.id.get_num_chunks()))
        return tuple(sorted((c.byte_offset, c.byte_offset + c.size) for c in chunks))
    offset, size = item.id.get_offset(), item.id.get_storage_size()
    return ((offset, offset + size),) if offset is not None and size else ()


def _is_text(dtype: np.dtype) -> bool:
    import h5py

    return h5py.check_string_dtype(dtype) is not None


def _group(key: str, name: str, dtype: str) -> str:
    """Return the part that a dataset plays; an optimizer's stand under a name of their own."""
    first, *parts = key.replace(":0", "").split("/")
    if first not in ("optimizer", "optimizer_weights"):
        return group_of(key.replace(":0", ""), name.replace(":0", ""), dtype)
    *_, last = parts or [""]
    if last in (*BOOKKEEPING, "iter"):
        return "bookkeeping"
    # Keras 3 joins the slot's name to the variable's
    ends = (last, last.rpartition("_")[2], *parts)
    return next((_SLOTS[end] for end in ends if end in _SLOTS), "optimizer")


def _values(data: bytes, tensor: Tensor) -> np.ndarray:
    """Read one dataset, unpacked where it is compressed; texts are an array of bytes objects.

    Raises ValueError where it has no values, or is packed in a way that h5py cannot undo.
    """
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as opened:
            values = opened[tensor.key][()]
    except OSError as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{tensor.name[:80]!r} cannot be unpacked here ({reason}).") from error
    if isinstance(values, h5py.Empty):
        raise ValueError(f"{tensor.name[:80]!r} was saved without values.")
    return np.asarray(values)


def _without_new(value: Any) -> Any:
    """Return a configuration without the settings above, where they have their defaults."""
    if isinstance(value, list):
        return [_without_new(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {n: v for n, v in value.items() if n not in _NEW_SETTINGS or v != _NEW_SETTINGS[n]}
    return {name: _without_new(each) for name, each in kept.items()}
