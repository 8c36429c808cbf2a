"""A protobuf as a tree of named fields, and as a map that names its every byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from course_lib.formats.bytemap import ByteMap, Span, Words
from course_lib.formats.protobuf.raw import DEEPEST, WIRE_TYPES, Raw, fields
from course_lib.formats.protobuf.values import (
    MESSAGE,
    TENSOR_VALUES,
    fits,
    map_key,
    plain,
    repeated,
    scalar,
)
from course_lib.session import internals


@dataclass(frozen=True, slots=True)
class Field:
    """Hold one field with its name, the path that leads to it, and what its bytes mean.

    `value` is a number, a text, bytes, or a tuple of numbers; a field that is itself a message
    has `children` instead of a value.
    """

    raw: Raw
    name: str
    path: str
    kind: str
    value: Any = None
    children: tuple[Field, ...] | None = None

    def child(self, name: str) -> Field:
        """Return the first child called `name`; raise `LookupError` if there is none."""
        for each in self.children or ():
            if each.name == name:
                return each
        raise LookupError(f"{self.path} has no field {name!r}.")

    def walk(self) -> Iterator[Field]:
        """Yield the field and everything inside it, in the order of the file."""
        yield self
        for each in self.children or ():
            yield from each.walk()


def read(data: bytes, descriptor: Any = None) -> tuple[Field, ...]:
    """Return the fields of a message, down to the last, as a tree.

    `descriptor` is a protobuf descriptor, or a name that `schema` knows; without it, nothing is
    looked into. Raises ValueError in one sentence where the bytes do not fit.
    """
    descriptor = schema(descriptor) if isinstance(descriptor, str) else descriptor
    return _read(data, 0, len(data), descriptor, "", 0)


def bytemap(data: bytes, descriptor: Any = "GraphDef") -> ByteMap:
    """Return a map that names every byte: tags, lengths, numbers, strings, weights."""
    spans: list[Span] = []
    for top in read(data, descriptor):
        for each in top.walk():
            spans.extend(_spans(each))
    return ByteMap(data, spans)


def schema(name: str) -> Any:
    """Return TensorFlow's descriptor of a message: "GraphDef", "SavedModel", "MetaGraphDef", …"""
    return internals.message(name).DESCRIPTOR


def node(graph: tuple[Field, ...], name: str) -> Field:
    """Return the field of the node called `name` in a graph that `read` returned."""
    for each in graph:
        if each.name == "node" and any(c.name == "name" and c.value == name for c in each.children):
            return each
    raise LookupError(f"The graph has no node called {name!r}.")


def constant(graph: tuple[Field, ...], name: str) -> Field:
    """Return the field that holds the values of the Const node called `name`."""
    for each in node(graph, name).walk():
        if each.name in TENSOR_VALUES:
            return each
    raise LookupError(f"The node {name!r} holds no values.")


def _read(
    data: bytes, start: int, end: int, descriptor: Any, path: str, depth: int
) -> tuple[Field, ...]:
    """Return the fields between `start` and `end` as a tree; `path` leads to them."""
    if depth > DEEPEST:
        raise ValueError(f"Byte {start}: messages are nested more than {DEEPEST} deep.")
    counts: dict[int, int] = {}
    found = []
    for raw in fields(data, start, end):
        known = descriptor.fields_by_number.get(raw.number) if descriptor is not None else None
        if known is not None and not fits(raw.wire_type, known):
            known = None
        index = counts[raw.number] = counts.get(raw.number, -1) + 1
        found.append(_field(data, raw, known, path, index, depth))
    return tuple(found)


def _field(data: bytes, raw: Raw, known: Any, path: str, index: int, depth: int) -> Field:
    """Give a raw field its name, path and meaning; `known` is its descriptor or None."""
    if known is None:
        name = f"field {raw.number}"
        here = f"{path}.{name}" if path else name
        return Field(raw, name, here, "unknown", *plain(data, raw))
    here = f"{path}.{known.name}" if path else known.name
    if known.type == MESSAGE:
        inner = known.message_type
        if inner.GetOptions().map_entry:
            here += f"[{map_key(data, raw, inner)}]"
        elif repeated(known):
            here += f"[{index}]"
        children = _read(data, raw.value_start, raw.end, inner, here, depth + 1)
        return Field(raw, known.name, here, "message", None, children)
    return Field(raw, known.name, here, *scalar(data, raw, known))


def _spans(each: Field) -> Iterator[Span]:
    """Yield the tag, the length and, unless it has children, the value of a field as spans."""
    raw = each.raw
    packed = ", packed" if isinstance(each.value, tuple) else ""
    said = Words(f"field {raw.number}, {WIRE_TYPES[raw.wire_type]}{packed}")
    yield Span(raw.start, raw.after_tag, "tag", f"tag of {each.name}", each.path, said)
    if raw.value_start > raw.after_tag:
        length = raw.end - raw.value_start
        yield Span(
            raw.after_tag, raw.value_start, "length", f"length of {each.name}", each.path, length
        )
    if each.children is None and raw.end > raw.value_start:
        yield Span(raw.value_start, raw.end, each.kind, each.name, each.path, _brief(each))


def _brief(each: Field) -> Any:
    """Return the value of a field, or a short text for many numbers or many bytes."""
    if isinstance(each.value, tuple) and len(each.value) > 8:
        return Words(f"{len(each.value)} numbers")
    if isinstance(each.value, bytes) and len(each.value) > 24:
        return Words(f"{len(each.value)} bytes")
    return each.value
