"""Read one field of a FlatBuffer where it lies, and remember every byte that was touched."""

import re
import struct
from dataclasses import dataclass

from course_lib.formats.flatbuffer.schema import ROOT, SCALARS, Field, Schema, load, number


@dataclass(frozen=True, slots=True)
class Read:
    """Say that `size` bytes at `position` were read, what they are and which number they hold.

    `to` is the place that the number leads to, None where it leads nowhere.
    """

    position: int
    size: int
    what: str
    value: object
    to: int | None = None


@dataclass(frozen=True)
class Route:
    """Hold the reads from the root of a file to one field.

    `position` is where the field's own bytes begin: of a vector the first element, of a string
    the first letter. `count` is the number of elements or letters, 1 for a scalar.
    """

    path: str
    reads: tuple[Read, ...]
    position: int
    count: int

    def __len__(self) -> int:
        return len(self.reads)

    @property
    def jumps(self) -> int:
        """Return how many of the reads are offsets that lead on."""
        return sum(read.to is not None for read in self.reads)

    @property
    def bytes_read(self) -> int:
        """Return how many different bytes were touched."""
        ranges = (range(read.position, read.position + read.size) for read in self.reads)
        return len(set().union(*ranges))

    def pages(self, page_bytes: int = 4096) -> int:
        """Return how many pages of memory the reads touch, and the field's first byte with them."""
        touched = {read.position // page_bytes for read in self.reads}
        return len(touched | {self.position // page_bytes})

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{place}</td><td>{read.position}</td><td>{read.size}</td>"
            f"<td style='text-align:left'>{read.what}</td><td>{read.value}</td>"
            f"<td>{'' if read.to is None else f'→ {read.to}'}</td></tr>"
            for place, read in enumerate(self.reads, 1)
        )
        return (
            "<table><thead><tr><th>read</th><th>at byte</th><th>bytes</th>"
            "<th style='text-align:left'>what</th><th>value</th><th>leads to</th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
        )


def route(data: bytes, path: str, schema: Schema | None = None) -> Route:
    """Return the reads that lead to `path`, such as `"subgraphs[0].tensors[3].name"`.

    "field 17" is the one in slot 17, for what the schema does not know. Raises LookupError where
    the schema has no such field or the file leaves it out, and ModelError where an offset leads
    out of the file.
    """
    reader = _Reader(data, schema or load())
    names = re.findall(r"(field \d+|\w+)((?:\[\d+\])*)", path)
    if not names:
        raise LookupError('An empty path names no field: try "description".')
    at, table = reader.jump(0, "offset of the root table"), ROOT
    for index, (name, subscript) in enumerate(names):
        field = reader.field(table, name)
        at, field = reader.enter(at, table, field)
        for place in re.findall(r"\d+", subscript):
            at, field = reader.element(at, field, int(place))
        table = field.of
        if index + 1 < len(names) and field.kind != "table":
            raise LookupError(f"{name} is a {field.kind}: nothing lies inside it.")
    return reader.arrived(path, at, field)


class _Reader:
    """Read numbers of a file and keep a list of what was read."""

    def __init__(self, data: bytes, schema: Schema) -> None:
        self.data, self.schema = data, schema
        self.reads: list[Read] = []

    def number(self, position: int, scalar: str, what: str, leads: int = 0) -> int | float | bool:
        """Return a number and remember it; `leads` is the sign of a jump, 0 for none."""
        value = number(self.data, position, scalar, what)
        to = position + leads * int(value) if leads else None
        self.reads.append(Read(position, struct.calcsize(SCALARS[scalar]), what, value, to))
        return value

    def jump(self, position: int, what: str) -> int:
        return position + int(self.number(position, "Uint32", what, leads=1))

    def field(self, table: str, name: str) -> Field:
        if re.fullmatch(r"field \d+", name):  # as the map calls what the schema does not know
            return Field(name, int(name.split()[1]), "unknown", "")
        for field in self.schema.tables.get(table, {}).values():
            if field.name == name:
                return field
        raise LookupError(f"A {table or 'table of unknown kind'} has no field {name!r}.")

    def slot(self, at: int, table: str, field: Field) -> int:
        """Return where a field lies inside the table at `at`, 0 where it is left out."""
        vtable = at - int(self.number(at, "Int32", f"{table}: offset to its vtable", leads=-1))
        if int(self.number(vtable, "Uint16", "vtable: its size")) < 6 + 2 * field.slot:
            return 0
        place = vtable + 4 + 2 * field.slot
        return int(self.number(place, "Uint16", f"vtable: where {field.name} lies"))

    def enter(self, at: int, table: str, field: Field) -> tuple[int, Field]:
        """Return the place and kind of a field's content, its offset followed."""
        offset = self.slot(at, table, field)
        if not offset:
            known = f"its default is {field.default}."
            raise LookupError(f"This {table} leaves {field.name} out: {known}")
        if field.kind in ("scalar", "unknown"):
            return at + offset, field
        inner = self.member(at, table, field) if field.kind == "union" else field
        return self.jump(at + offset, f"{table}: offset to {field.name}"), inner

    def member(self, at: int, table: str, field: Field) -> Field:
        """Return a union as the table that the number before it names."""
        kind = self.field(table, f"{field.name}_type")
        place = self.slot(at, table, kind)
        member = int(self.number(at + place, kind.of, f"{table}: {kind.name}")) if place else 0
        return Field(field.name, 0, "table", self.schema.member(field.of, member) or "")

    def element(self, at: int, field: Field, index: int) -> tuple[int, Field]:
        """Return the place and kind of one element of the vector at `at`."""
        if field.kind != "vector":
            raise LookupError(f"{field.name} is a {field.kind}: it has no element {index}.")
        count = int(self.number(at, "Uint32", f"length of {field.name}"))
        if index >= count:
            raise LookupError(f"{field.name} has {count} elements: there is no [{index}].")
        if field.each == "scalar":
            size = struct.calcsize(SCALARS[field.of])
            return at + 4 + size * index, Field(f"{field.name}[{index}]", 0, "scalar", field.of)
        inner = Field(f"{field.name}[{index}]", 0, field.each, field.of)
        return self.jump(at + 4 + 4 * index, f"offset to {inner.name}"), inner

    def arrived(self, path: str, at: int, field: Field) -> Route:
        """Read what says where the field begins and ends, or the scalar itself."""
        if field.kind in ("vector", "string"):  # their length stands before them
            count = int(self.number(at, "Uint32", f"length of {field.name}"))
            return Route(path, tuple(self.reads), at + 4, count)
        if field.kind == "scalar":
            self.number(at, field.of, field.name)
        return Route(path, tuple(self.reads), at, 1)
