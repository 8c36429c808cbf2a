"""What a file of weights holds, as plain data: its tensors and where their bytes lie."""

import html
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from course_lib.formats.bytemap import ByteMap, Span, Words

BOOKKEEPING = ("save_counter", "iteration", "iterations", "step", "global_step", "learning_rate")
SLOTS = {  # the names that Keras, TF1 and TF2 give to what an optimizer keeps for a variable
    **dict.fromkeys(("momentum", "Momentum", "Adam", "m"), "optimizer: momentum"),
    **dict.fromkeys(("velocity", "Adam_1", "v"), "optimizer: velocity"),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Say what one stored tensor is and where its bytes lie.

    `key` is the name in the file, `name` the variable's own where the file tells it, else the
    key. It is `bytes` long, from `offset` in the file called `file`; `group` is its part in
    training. `checksum` is the stored one (masked CRC-32C) or None; `slices` counts the pieces
    of a partitioned variable, whose own entry has no bytes. `places` are the stretches (start,
    end) of the file that it takes where they are not one: chunks of HDF5, or none to be told.
    """

    key: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    file: str
    offset: int
    bytes: int
    group: str
    checksum: int | None = None
    slices: int = 0
    places: tuple[tuple[int, int], ...] | None = None

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class ObjectNode:
    """Hold one object of the object graph: its children by local name, and the tensors it owns.

    `children` are pairs (local name, number of the node); `tensors` pairs (full name, key).
    """

    number: int
    children: tuple[tuple[str, int], ...] = ()
    tensors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Contents:
    """Hold what a checkpoint or a weights file holds.

    `files` maps each file to its length in bytes; `byte_map()` names every byte of one of them;
    `contents["listen/kernel"]` reads the values of one tensor.
    """

    form: str
    path: Path
    files: dict[str, int]
    tensors: tuple[Tensor, ...] = field(repr=False)
    objects: tuple[ObjectNode, ...] = field(default=(), repr=False)
    reader: Callable[[Tensor], np.ndarray] | None = field(default=None, repr=False, compare=False)
    map_of: Callable[[str], ByteMap] | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"<{self.form} {self.path.name}: {len(self.tensors)} tensors>"

    def __len__(self) -> int:
        return len(self.tensors)

    def __iter__(self):
        return iter(self.tensors)

    def __getitem__(self, name: str) -> np.ndarray:
        """Return the values of the tensor with this name or key, read from the file now."""
        return self.reader(self.tensor(name))

    def tensor(self, name: str) -> Tensor:
        """Return the tensor with this name or key, or the only one whose name ends so.

        Raises LookupError, which suggests others.
        """
        for each in self.tensors:
            if name in (each.name, each.key):
                return each
        ending = [each for each in self.tensors if each.name.endswith(f"/{name}")]
        if len(ending) == 1:
            return ending[0]
        last = name.split("/")[-1]
        close = sorted((each.name for each in self.tensors if last in each.name), key=len)[:3]
        raise LookupError(f"There is no tensor {name!r} here; try {', '.join(close) or 'another'}.")

    def byte_map(self, file: str | None = None) -> ByteMap:
        """Return the map of one of the files, by default of the largest."""
        return self.map_of(file or max(self.files, key=self.files.get))

    @cached_property
    def groups(self) -> dict[str, int]:
        """Bytes of the tensors by their part in training, the largest first."""
        sums: dict[str, int] = {}
        for each in self.tensors:
            sums[each.group] = sums.get(each.group, 0) + each.bytes
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))

    @property
    def tensor_bytes(self) -> int:
        return sum(each.bytes for each in self.tensors)

    @property
    def total_bytes(self) -> int:
        return sum(self.files.values())

    def only(self, group: str) -> Self:
        """Return the same contents with the tensors of one group only, for a shorter table."""
        return replace(self, tensors=tuple(t for t in self.tensors if t.group == group))

    def _repr_html_(self, most: int = 14) -> str:
        """Show a table of the tensors, at most `most` of them, and the sums."""
        rows = [_row(each) for each in self.tensors[:most]]
        left = len(self.tensors) - most
        if left > 0:
            rows.append(f"<tr><td style='text-align:left'>… and {left} more</td></tr>")
        names = ("dtype", "shape", "file", "offset", "bytes")
        heads = "".join(f"<th>{name}</th>" for name in names)
        files = ", ".join(f"{html.escape(name)} {size:,}" for name, size in self.files.items())
        return (
            f"<table><thead><tr><th style='text-align:left'>{html.escape(self.form)}</th>"
            f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody><tfoot><tr>"
            f"<th style='text-align:left'>{len(self.tensors)} tensors</th><th></th><th></th>"
            f"<th></th><th></th><th>{self.tensor_bytes:,}</th></tr><tr>"
            f"<td colspan='6' style='text-align:left'>files: {files}</td></tr></tfoot></table>"
        )


def group_of(key: str, name: str, dtype: str) -> str:
    """Return the part that a tensor plays: weights, an optimizer's slot, bookkeeping."""
    if key == "_CHECKPOINTABLE_OBJECT_GRAPH":
        return "object graph"
    last = name.split("/")[-1]
    slot = key.split("/.OPTIMIZER_SLOT/")
    if len(slot) == 2:
        kind = slot[1].split("/")[1] if "/" in slot[1] else ""
        return SLOTS.get(kind, f"optimizer: {kind}")
    if last in SLOTS and "/" in name:
        return SLOTS[last]
    if last.endswith(("_momentum", "_velocity")):  # Keras 3 joins the variable's name to it
        return SLOTS[last.rpartition("_")[2]]
    if last in BOOKKEEPING or key.split("/")[0] in BOOKKEEPING or last.endswith("_power"):
        return "bookkeeping"
    return "weights" if dtype.startswith(("float", "bfloat", "complex")) else "other"


def spans_of(tensors: Iterable[Tensor]) -> list[Span]:
    """Return a span for every stretch that a tensor's bytes take, of the kind of its group."""
    return [
        Span(start, end, t.group, t.name, t.key, Words(f"{t.dtype} {[*t.shape]}"))
        for t in tensors
        for start, end in (((t.offset, t.offset + t.bytes),) if t.places is None else t.places)
        if end > start
    ]


def _row(each: Tensor) -> str:
    shape = " × ".join(map(str, each.shape)) or "one"
    cells = (each.dtype, shape, html.escape(each.file), f"{each.offset:,}", f"{each.bytes:,}")
    return (
        f"<tr><td style='text-align:left' title='{html.escape(each.key, quote=True)}'>"
        f"{html.escape(each.name)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    )
