"""Walk over a .tflite file from its root and give every byte one name."""

from __future__ import annotations

import struct

from course_lib.formats import tflite_file
from course_lib.formats.bytemap import ByteMap, Span
from course_lib.formats.flatbuffer import schema as schemas
from course_lib.formats.flatbuffer.kinds import FormatError
from course_lib.formats.flatbuffer.owners import left_over, with_owners
from course_lib.formats.flatbuffer.schema import Field, Schema

_MOST_SPANS = 2_000_000
_MOST_NUMBERS = 65_536


def byte_map(data: bytes, schema: Schema | None = None) -> ByteMap:
    """Return the map of a .tflite file in which each byte belongs to exactly one named span.

    `schema` is the one that ships with LiteRT unless given. Tables and fields that it does not
    know stay named, as "field 17", but are not followed. Memory stays within a few hundred times
    the file. Raises FormatError for bytes that are no .tflite file, whose offsets lead outside
    of it, or two of whose parts claim the same byte.
    """
    data = bytes(data)
    tflite_file.check(data)
    walk = _Walk(data, schema or schemas.load())
    walk.everything()
    spans = with_owners(walk.spans, len(data))
    found = ByteMap(data, spans)
    if found.overlaps:
        first, second = found.overlaps[0]
        raise FormatError(
            f"The file is damaged: {_label(first)} and {_label(second)} both claim "
            f"byte {second.start}."
        )
    return ByteMap(data, [*spans, *left_over(found)]) if found.gaps else found


class _Walk:
    """Collect spans, one table, vector or string after the other, without recursion."""

    def __init__(self, data: bytes, schema: Schema) -> None:
        self.data, self.schema = data, schema
        self.spans: list[Span] = []
        self.claimed = 0
        self.seen: dict[int, str] = {}
        self.vtables: dict[int, tuple[int, list[tuple[int, int]]]] = {}
        self.to_do: list[tuple[int, Field, str]] = []

    def everything(self) -> None:
        """Follow every offset from the root."""
        self.claim(0, 4, "root offset", "offset of the root table", "", self.number(0, "Uint32"))
        self.claim(4, 4, "identifier", "identifier", "", self.data[4:8].decode("latin-1"))
        self.push(0, Field("", 0, "table", schemas.ROOT), "")
        while self.to_do:
            position, field, path = self.to_do.pop()
            if self.is_new(position, field):
                getattr(self, field.kind)(position, field, path)

    def is_new(self, position: int, field: Field) -> bool:
        """Tell whether what begins at `position` is new: parts may be shared."""
        sort = f"{field.kind} of {field.each or field.of or 'bytes'}"
        before = self.seen.setdefault(position, "")
        self.seen[position] = before or sort
        if before not in ("", sort):
            raise FormatError(
                f"The file is damaged: at byte {position} both a {before} and a "
                f"{sort} should begin."
            )
        return not before

    def claim(
        self, start: int, size: int, kind: str, name: str, path: str, value: object = None
    ) -> None:
        """Name `size` bytes; nothing is named for 0 bytes."""
        if start + size > len(self.data) or start < 0:
            raise FormatError(
                f"The file is cut short or damaged: {name or kind} at byte {start} "
                f"would end at {start + size} of {len(self.data)}."
            )
        self.claimed += size
        if self.claimed > len(self.data):
            raise FormatError(f"The file is damaged: parts of it overlap at byte {start}.")
        if len(self.spans) >= _MOST_SPANS:
            raise FormatError(
                f"The file has more than {_MOST_SPANS:,} parts: it is too large to name each."
            )
        if size:
            self.spans.append(Span(start, start + size, kind, name, path, value))

    def number(self, position: int, scalar: str) -> int | float | bool:
        """Return the number of a scalar type at `position`."""
        letter = schemas.SCALARS[scalar]
        if position < 0 or position + struct.calcsize("<" + letter) > len(self.data):
            raise FormatError(
                f"The file is cut short or damaged: a number at byte {position} "
                f"lies outside its {len(self.data)} bytes."
            )
        return struct.unpack_from("<" + letter, self.data, position)[0]

    def push(self, position: int, field: Field, path: str) -> None:
        """Remember to visit what the offset at `position` leads to."""
        self.to_do.append((position + int(self.number(position, "Uint32")), field, path))

    def table(self, position: int, field: Field, path: str) -> None:
        """Name a table: the offset to its vtable, then its fields in the order of the bytes."""
        at = position - int(self.number(position, "Int32"))
        size, present = self.vtable(at, field.of, path)
        self.claim(
            position, 4, "table", f"offset to the vtable of {field.of or 'a table'}", path, at
        )
        fields = self.schema.tables.get(field.of, {})
        values: dict[int, object] = {}
        later = []
        for index, (offset, slot) in enumerate(present):
            end = present[index + 1][0] if index + 1 < len(present) else size
            if not 4 <= offset < end <= size:
                raise FormatError(
                    f"The file is damaged: the vtable at byte {at} puts two fields "
                    "on the same bytes or one outside its table."
                )
            inner = fields.get(slot, Field(f"field {slot}", slot, "unknown", ""))
            values[slot] = self.inline(position + offset, end - offset, inner, path)
            later.append((position + offset, inner))
        self.claimed_rest(position, size)
        for place, inner in reversed(later):
            if inner.kind not in ("scalar", "unknown"):
                self.push(place, self.resolved(inner, values), _join(path, inner.name))

    def claimed_rest(self, position: int, size: int) -> None:
        """Check that the table itself ends inside the file."""
        if position + size > len(self.data):
            raise FormatError(
                f"The file is cut short or damaged: the table at byte {position} "
                f"would end at {position + size} of {len(self.data)}."
            )

    def resolved(self, field: Field, values: dict[int, object]) -> Field:
        """Return the field, a union as the table that the number before it names."""
        if field.kind != "union":
            return field
        number = values.get(field.slot - 1, 0)
        member = self.schema.member(field.of, int(number)) if isinstance(number, int) else None
        return Field(field.name, field.slot, "table", member or "")

    def vtable(self, at: int, table: str, path: str) -> tuple[int, list[tuple[int, int]]]:
        """Return the table's size and its fields as (offset, slot), sorted; read a vtable once."""
        if at in self.vtables:
            return self.vtables[at]
        size, inline = int(self.number(at, "Uint16")), int(self.number(at + 2, "Uint16"))
        if size < 4 or size % 2 or inline < 4 or at + size > len(self.data):
            raise FormatError(f"The file is damaged: there is no vtable at byte {at}.")
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
        size = struct.calcsize(schemas.SCALARS[field.of]) if field.kind == "scalar" else 4
        if size > room:
            raise FormatError(
                f"The file is damaged: {inside} at byte {position} does not fit into its table."
            )
        if field.kind != "scalar":
            to = position + int(self.number(position, "Uint32"))
            self.claim(position, 4, "offset", f"offset to {field.name}", inside, to)
            return None
        value = self.number(position, field.of)
        self.claim(position, size, "scalar", field.name, inside, value)
        return value

    def string(self, position: int, field: Field, path: str) -> None:
        """Name a string: its length, its bytes and the zero behind them."""
        size = int(self.number(position, "Uint32"))
        self.claim(position, 4, "length", f"length of {field.name}", path, size)
        if position + 4 + size + 1 > len(self.data):
            raise FormatError(
                f"The file is cut short or damaged: {path} at byte {position} would "
                f"end at {position + 5 + size} of {len(self.data)}."
            )
        text = self.data[position + 4 : position + 4 + size].decode("utf-8", "replace")
        self.claim(position + 4, size + 1, "string", field.name, path, text)

    def vector(self, position: int, field: Field, path: str) -> None:
        """Name a vector: its length, then its elements, or one offset for each of them."""
        count = int(self.number(position, "Uint32"))
        self.claim(position, 4, "length", f"length of {field.name}", path, count)
        each = struct.calcsize(schemas.SCALARS[field.of]) if field.each == "scalar" else 4
        end = position + 4 + each * count
        if end > len(self.data):
            raise FormatError(
                f"The file is cut short or damaged: {path} at byte {position} would "
                f"end at {end} of {len(self.data)}."
            )
        if field.each == "scalar":
            self.claim(
                position + 4,
                each * count,
                "numbers",
                field.name,
                path,
                self.numbers(position + 4, count, field.of),
            )
            return
        inner = Field(field.name, 0, field.each, field.of)
        for index in range(count):
            at, inside = position + 4 + 4 * index, f"{path}[{index}]"
            to = at + int(self.number(at, "Uint32"))
            self.claim(at, 4, "offset", f"offset to {field.name}[{index}]", inside, to)
        for index in reversed(range(count)):
            self.push(position + 4 + 4 * index, inner, f"{path}[{index}]")

    def numbers(self, position: int, count: int, scalar: str) -> object:
        """Return a vector's numbers as a tuple, bytes as `bytes`, None for very many."""
        if scalar == "Uint8":
            return self.data[position : position + count] if count <= _MOST_NUMBERS else None
        if count > _MOST_NUMBERS:
            return None
        return struct.unpack_from(f"<{count}{schemas.SCALARS[scalar]}", self.data, position)


def _join(path: str, name: str) -> str:
    """Return the path of a field inside the table at `path`."""
    return f"{path}.{name}" if path else name


def _label(span: Span) -> str:
    """Return a span's name and path for a message."""
    return f"{span.name} ({span.path})" if span.path else span.name
