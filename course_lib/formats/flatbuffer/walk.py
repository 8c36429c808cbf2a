"""Walk over a .tflite file from its root and give every byte one name.

Of the kinds of bytes, "table" is the offset with which each table begins, to its vtable; "numbers"
are the elements of a vector such as a shape or scales; "weights" are a buffer that a tensor uses,
"data" one that none does; no offset leads to "unused" bytes, nor are they zeros. The others are
"root offset", "identifier", "vtable", "scalar", "offset", "length", "string" and "padding".
"""

import re
import struct
from collections.abc import Iterator

from course_lib.formats import tflite_file
from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.flatbuffer.schema import ROOT, SCALARS, Field, Schema, load, number
from course_lib.formats.tflite_file import ModelError

_MOST_SPANS = 2_000_000  # a hostile file may claim any number: memory has to stay bounded
_MOST_NUMBERS = 65_536
_LONGEST_PADDING = 63  # longer rows of zeros align nothing
_UNKNOWN_TABLE = "offset to the vtable of a table"
_OWNER = re.compile(r"(subgraphs\[\d+\]\.tensors\[\d+\]|metadata\[\d+\])\.buffer")
_OUTSIDE = re.compile(r"(buffers\[\d+\]\.)offset|(.*\.large_custom_options_)offset")


def byte_map(data: bytes, schema: Schema | None = None) -> ByteMap:
    """Return the map of a .tflite file in which each byte belongs to exactly one named span.

    `schema` is the one that ships with LiteRT unless given. Tables and fields that it does not
    know stay named, as "field 17", but are not followed. Memory stays within a few hundred times
    the file. Raises ModelError for bytes that are no .tflite file, whose offsets lead outside
    of it, or two of whose parts claim the same byte.
    """
    data = bytes(data)
    tflite_file.check(data)
    walk = _Walk(data, schema or load())
    walk.everything()
    spans = _with_owners(walk.spans, len(data))
    reached = ByteMap(data, spans)
    if reached.overlaps:
        first, second = reached.overlaps[0]
        both = f"{_label(first)} and {_label(second)}"
        raise ModelError(f"The file is damaged: {both} both claim byte {second.start}.")
    return ByteMap(data, [*spans, *_left_over(reached)]) if reached.gaps else reached


def unknown(span: Span) -> bool:
    """Tell whether a span is a field or begins a table that the schema does not know."""
    if span.kind == "table":
        return span.name == _UNKNOWN_TABLE
    return span.kind == "scalar" and re.fullmatch(r"field \d+", span.name) is not None


class _Walk:
    """Collect spans, one table, vector or string after the other, without recursion."""

    def __init__(self, data: bytes, schema: Schema) -> None:
        self.data, self.schema = data, schema
        self.spans: list[Span] = []
        self.claimed = 0
        self.again = 0
        self.named: dict[int, tuple[int, str]] = {}
        self.seen: set[tuple[int, str]] = set()
        self.vtables: dict[int, tuple[int, list[tuple[int, int]]]] = {}
        self.to_do: list[tuple[int, Field, str]] = []

    def everything(self) -> None:
        self.claim(0, 4, "root offset", "offset of the root table", "", self.number(0, "Uint32"))
        self.claim(4, 4, "identifier", "identifier", "", self.data[4:8].decode("latin-1"))
        self.push(0, Field("", 0, "table", ROOT), "")
        while self.to_do:
            position, field, path = self.to_do.pop()
            if self.is_new(position, field):
                getattr(self, field.kind)(position, field, path)  # table, vector or string

    def is_new(self, position: int, field: Field) -> bool:
        """Tell whether `position` was not read as the same sort before: parts may be shared."""
        key = position, f"{field.kind} of {field.each} {field.of}"
        new = key not in self.seen
        self.seen.add(key)
        return new

    def claim(
        self, start: int, size: int, kind: str, name: str, path: str, value: object = None
    ) -> None:
        """Name `size` bytes, once where two kinds of parts share them; no name for 0 bytes."""
        self.reaches(start, start + size, name or kind)
        repeated = size and self.named.get(start) == (size, kind)  # by two sorts of one layout
        self.again += size if repeated else 0
        self.claimed += 0 if repeated else size
        if max(self.claimed, self.again) > len(self.data):
            raise ModelError(f"The file is damaged: parts of it overlap at byte {start}.")
        if len(self.spans) >= _MOST_SPANS:
            raise ModelError(f"The file has over {_MOST_SPANS:,} parts: too many to name each.")
        if size and not repeated:
            self.named[start] = size, kind
            self.spans.append(Span(start, start + size, kind, name, path, value))

    def reaches(self, start: int, end: int, what: str) -> None:
        if start < 0 or end > len(self.data):
            problem = f"{what} at byte {start} would end at {end} of {len(self.data)}."
            raise ModelError(f"The file is cut short or damaged: {problem}")

    def number(self, position: int, scalar: str) -> int | float | bool:
        return number(self.data, position, scalar)

    def offset(self, position: int) -> int:
        return position + int(self.number(position, "Uint32"))

    def push(self, position: int, field: Field, path: str) -> None:
        self.to_do.append((self.offset(position), field, path))

    def table(self, position: int, field: Field, path: str) -> None:
        """Name a table: the offset to its vtable, then its fields in the order of the bytes."""
        at = position - int(self.number(position, "Int32"))
        size, present = self.vtable(at, field.of, path)
        name = f"offset to the vtable of {field.of}" if field.of else _UNKNOWN_TABLE
        self.claim(position, 4, "table", name, path, at)
        fields = self.schema.tables.get(field.of, {})
        values: dict[int, object] = {}
        later = []
        for index, (offset, slot) in enumerate(present):
            end = present[index + 1][0] if index + 1 < len(present) else size
            if not 4 <= offset < end <= size:
                wrong = f"the vtable at byte {at} puts two fields on the same bytes or one outside"
                raise ModelError(f"The file is damaged: {wrong} its table.")
            inner = fields.get(slot, Field(f"field {slot}", slot, "unknown", ""))
            values[slot] = self.inline(position + offset, end - offset, inner, path)
            later.append((position + offset, inner))
        self.reaches(position, position + size, "the table")
        for place, inner in reversed(later):
            if inner.kind not in ("scalar", "unknown"):
                self.push(place, self.resolved(inner, values), _join(path, inner.name))

    def resolved(self, field: Field, values: dict[int, object]) -> Field:
        """Return the field, a union as the table that the number before it names."""
        if field.kind != "union":
            return field
        kind = values.get(field.slot - 1, 0)
        member = self.schema.member(field.of, kind) if isinstance(kind, int) else None
        return Field(field.name, field.slot, "table", member or "")

    def vtable(self, at: int, table: str, path: str) -> tuple[int, list[tuple[int, int]]]:
        """Return the table's size and its fields as (offset, slot), sorted; read a vtable once."""
        if at in self.vtables:
            return self.vtables[at]
        size, inline = int(self.number(at, "Uint16")), int(self.number(at + 2, "Uint16"))
        if size < 4 or size % 2 or inline < 4 or at + size > len(self.data):
            raise ModelError(f"The file is damaged: there is no vtable at byte {at}.")
        places = struct.unpack_from(f"<{size // 2 - 2}H", self.data, at + 4)
        fields = self.schema.tables.get(table, {})
        self.claim(at, 2, "vtable", "size of this vtable", path, size)
        self.claim(at + 2, 2, "vtable", f"size of a {table or 'table'}", path, inline)
        for slot, offset in enumerate(places):
            name = fields[slot].name if slot in fields else f"field {slot}"
            self.claim(at + 4 + 2 * slot, 2, "vtable", f"where {name} lies", path, offset)
        present = sorted((offset, slot) for slot, offset in enumerate(places) if offset)
        self.vtables[at] = inline, present
        return self.vtables[at]

    def inline(self, position: int, room: int, field: Field, path: str) -> object:
        """Name one field inside its table and return its value, None for an unknown one."""
        inside = _join(path, field.name)
        if field.kind == "unknown":
            self.claim(position, room, "scalar", field.name, inside)
            return None
        size = struct.calcsize(SCALARS[field.of]) if field.kind == "scalar" else 4
        if size > room:
            where = f"{inside} at byte {position}"
            raise ModelError(f"The file is damaged: {where} does not fit into its table.")
        if field.kind != "scalar":
            to = self.offset(position)
            self.claim(position, 4, "offset", f"offset to {field.name}", inside, to)
            return None
        value = self.number(position, field.of)
        self.claim(position, size, "scalar", field.name, inside, value)
        return value

    def string(self, position: int, field: Field, path: str) -> None:
        """Name a string: its length, its bytes and the zero behind them."""
        size = int(self.number(position, "Uint32"))
        self.claim(position, 4, "length", f"length of {field.name}", path, size)
        self.reaches(position, position + 5 + size, path)
        text = self.data[position + 4 : position + 4 + size].decode("utf-8", "replace")
        self.claim(position + 4, size + 1, "string", field.name, path, text)

    def vector(self, position: int, field: Field, path: str) -> None:
        """Name a vector: its length, then its elements, or one offset for each of them."""
        count = int(self.number(position, "Uint32"))
        self.claim(position, 4, "length", f"length of {field.name}", path, count)
        each = struct.calcsize(SCALARS[field.of]) if field.each == "scalar" else 4
        self.reaches(position, position + 4 + each * count, path)
        if field.each == "scalar":
            values = self.numbers(position + 4, count, field.of)
            self.claim(position + 4, each * count, "numbers", field.name, path, values)
            return
        inner = Field(field.name, 0, field.each, field.of)
        for index in range(count):
            at, name = position + 4 + 4 * index, f"offset to {field.name}[{index}]"
            self.claim(at, 4, "offset", name, f"{path}[{index}]", self.offset(at))
        for index in reversed(range(count)):
            self.push(position + 4 + 4 * index, inner, f"{path}[{index}]")

    def numbers(self, position: int, count: int, scalar: str) -> object:
        """Return a vector's numbers as a tuple, bytes as `bytes`, None for very many."""
        if count > _MOST_NUMBERS:
            return None
        if scalar == "Uint8":
            return self.data[position : position + count]
        return struct.unpack_from(f"<{count}{SCALARS[scalar]}", self.data, position)


def _with_owners(spans: list[Span], size: int) -> list[Span]:
    """Return the spans with each buffer's bytes named after the tensors or metadata that use it.

    Weights beyond 2 GB lie behind the FlatBuffer; the scalars that say where become spans too.
    """
    scalars = {span.path: span.value for span in spans if span.kind in ("scalar", "string")}
    users: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for span in spans:
        owner = _OWNER.fullmatch(span.path)
        if owner and span.kind == "scalar" and span.value:
            buffer = f"buffers[{span.value}].data"
            users.setdefault(buffer, []).append(str(scalars.get(f"{owner[1]}.name") or owner[1]))
            kinds[buffer] = "weights" if span.path.startswith("subgraphs") else "data"
    return [_renamed(span, users, kinds) for span in spans] + list(_outside(scalars, users, size))


def _renamed(span: Span, users: dict[str, list[str]], kinds: dict[str, str]) -> Span:
    """Return a buffer's span with the name of who uses it; any other span as it is."""
    if span.kind != "numbers" or not re.fullmatch(r"buffers\[\d+\]\.data", span.path):
        return span
    name = ", ".join(users.get(span.path, ())) or "a buffer that nothing uses"
    return Span(span.start, span.end, kinds.get(span.path, "data"), name, span.path, None)


def _outside(scalars: dict[str, object], users: dict[str, list[str]], size: int) -> Iterator[Span]:
    """Yield spans for what lies behind the FlatBuffer: large buffers and options, each once."""
    places = set()
    for path, start in scalars.items():
        owner = _OUTSIDE.fullmatch(path)
        count = scalars.get(f"{owner[1] or owner[2]}size") if owner else None
        if not isinstance(start, int) or start <= 1 or not isinstance(count, int) or not count:
            continue  # 0 and 1 are no places: converters write them before they know one
        if start + count > size:
            where = f"{path} leads to byte {start + count} of {size}"
            raise ModelError(f"The file is cut short or damaged: {where}.")
        if (start, count) not in places:
            name = ", ".join(users.get(f"{owner[1]}data", ())) or path
            yield Span(start, start + count, "weights" if owner[1] else "data", name, path)
        places.add((start, count))


def _left_over(reached: ByteMap) -> Iterator[Span]:
    """Yield a span for each gap: zeros that align what follows, or bytes that nothing leads to."""
    newer = any(map(unknown, reached))
    nothing = f"bytes that {'only unknown fields may lead' if newer else 'nothing points'} to"
    for start, end in reached.gaps:
        zeros = not any(reached.data[start:end]) and end - start <= _LONGEST_PADDING
        kind, name = ("padding",) * 2 if zeros else ("unused", nothing)
        yield Span(start, end, kind, name)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _label(span: Span) -> str:
    return f"{span.name} ({span.path})" if span.path else span.name
