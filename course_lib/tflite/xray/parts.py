"""What is said about the parts of a .tflite file: a line, the way to it, a search, groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from course_lib.formats import flatbuffer
from course_lib.formats.bytemap import ByteMap, Span

if TYPE_CHECKING:
    import numpy as np

    from course_lib.tflite.xray.stored import Xray


def describe(span: Span) -> str:
    """Return one line that says what a span is, for people."""
    value = span.value
    shown = "" if value is None else f" = {value!r}" if isinstance(value, str) else f" = {value}"
    if span.kind in ("offset", "table", "root offset"):
        shown = f" → byte {value}"
    if len(shown) > 70:
        shown = shown[:69] + "…"
    many = "1 byte" if len(span) == 1 else f"{len(span)} bytes"
    return f"{span.name}{shown} ({many} from {span.start})"


def way(rays: Xray, span: Span) -> tuple[flatbuffer.Read, ...]:
    """Return the reads from the root that end at a part, () where no reader comes by."""
    Read = flatbuffer.Read
    if span.kind in ("padding", "unused", "identifier"):
        return ()
    if not span.path and span.kind == "root offset":
        return (Read(0, 4, span.name, span.value, span.value),)
    if span.kind not in ("table", "vtable"):
        reads = rays.route(span.path).reads
        return next(
            (reads[:count] for count, read in enumerate(reads, 1) if read.position == span.start),
            reads,
        )
    root = int.from_bytes(rays.data[:4], "little")
    reads = (
        rays.route(span.path).reads
        if span.path
        else (Read(0, 4, "offset of the root table", root, root),)
    )
    table = reads[-1].to
    jump = int.from_bytes(rays.data[table : table + 4], "little", signed=True)
    reads = (*reads, Read(table, 4, "offset to its vtable", jump, table - jump))
    return reads if span.kind == "table" else (*reads, Read(span.start, 2, span.name, span.value))


def search(byte_map: ByteMap, text: str) -> list[tuple[int, Span]]:
    """Return (place among the parts, part) of what a text names: a byte, a path, a name, a text.

    Weights come first, since a tensor's name usually means them.
    """
    text = text.strip().casefold()
    if not text:
        return []
    if text.isdigit():
        position = int(text)
        return [(index, span) for index, span in enumerate(byte_map) if position in span]
    hits = [
        (index, span)
        for index, span in enumerate(byte_map)
        if text in span.name.casefold()
        or text in span.path.casefold()
        or isinstance(span.value, str)
        and text in span.value.casefold()
    ]
    return sorted(hits, key=lambda hit: hit[1].kind != "weights")


def logits(model_bytes: bytes, features: np.ndarray) -> np.ndarray:
    """Return the float32 numbers, (classes,), that enter the softmax for one (49, 40) clip.

    Raises LookupError where the model has no softmax.
    """
    from course_lib import tflite

    reader = tflite.Interpreter(model_bytes, keep_all=True)
    return reader.before("SOFTMAX", features)


def groups(byte_map: ByteMap) -> dict[str, int]:
    """Return how many bytes are weights, scales, names, and structure; they sum to the file.

    Scales are the numbers of the quantization tables and their lengths, names every string with
    its length and the content of every buffer that no tensor uses (metadata).
    """
    sizes = dict.fromkeys(("weights", "scales", "names", "structure"), 0)
    strings = {span.path for span in byte_map if span.kind == "string"}
    for span in byte_map:
        if span.kind == "weights":
            sizes["weights"] += len(span)
        elif re.search(r"\.quantization\.(min|max|scale|zero_point)$", span.path) and span.kind in (
            "numbers",
            "length",
        ):
            sizes["scales"] += len(span)
        elif span.kind in ("string", "data") or span.kind == "length" and span.path in strings:
            sizes["names"] += len(span)
        else:
            sizes["structure"] += len(span)
    return sizes
