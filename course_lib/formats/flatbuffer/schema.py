"""What the tables of a .tflite file are made of, read from the code that flatc generated.

LiteRT ships TensorFlow Lite's schema as generated Python classes. The text of their accessors says
all that a reader needs: for each field its slot in the vtable and how its bytes are meant.
"""

import re
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_lib.formats.tflite_file import ModelError
from course_lib.formats.tflite_file import schema as generated

ROOT = "Model"

SCALARS = {
    "Bool": "?", "Int8": "b", "Uint8": "B", "Int16": "h", "Uint16": "H", "Int32": "i",
    "Uint32": "I", "Int64": "q", "Uint64": "Q", "Float32": "f", "Float64": "d",
}  # fmt: skip
"""The scalar types of FlatBuffers and their letters in Python's `struct`; all little-endian."""


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field of a table.

    `slot` counts from 0 in the vtable. `kind` is "scalar", "string", "table", "union" or
    "vector"; `of` names the scalar type, the table, or the union, and for a vector that of its
    elements, which are `each` (one of the same kinds).
    """

    name: str
    slot: int
    kind: str
    of: str
    each: str = ""
    default: str = "0"


@dataclass(frozen=True)
class Schema:
    """Hold every table's fields by slot, and the names of every enumeration's values."""

    tables: dict[str, dict[int, Field]]
    enums: dict[str, dict[int, str]]

    def member(self, union: str, number: int) -> str | None:
        """Return the table that `number` stands for in a union, None where it is unknown."""
        name = self.enums.get(union, {}).get(number)
        return name if name in self.tables else None


def number(data: bytes, position: int, scalar: str, what: str = "a number") -> int | float | bool:
    """Return the number of a scalar type at `position`; raises ModelError outside of `data`."""
    letter = "<" + SCALARS[scalar]
    if position < 0 or position + struct.calcsize(letter) > len(data):
        problem = f"{what} at byte {position} lies outside its {len(data)} bytes."
        raise ModelError(f"The file is cut short or damaged: {problem}")
    return struct.unpack_from(letter, data, position)[0]


@cache
def load() -> Schema:
    """Return the schema that ships with LiteRT; takes about 0.1 s, once."""
    return parse(Path(generated.__file__).read_text(encoding="utf-8"))


def parse(source: str) -> Schema:
    """Return the schema from the text of a module that flatc generated for Python."""
    tables: dict[str, dict[int, Field]] = {}
    enums: dict[str, dict[int, str]] = {}
    # which union a field holds, only the code that unpacks it says
    creators = re.findall(r"= (\w+)Creator\(self\.\w+, \w+\.(\w+)\(\)\)", source)
    unions = {accessor: union for union, accessor in creators}
    for block in re.split(r"^class ", source, flags=re.MULTILINE)[1:]:
        name = block[: block.index("(")]
        body = block.split("\ndef ")[0]  # behind each class stand functions that build
        if "__slots__" in body:
            tables[name] = _fields(body, unions)
        elif not name.endswith("T"):
            members = re.findall(r"^    (\w+) = (-?\d+)$", body, flags=re.MULTILINE)
            enums[name] = {int(value): member for member, value in members}
    return Schema(tables, enums)


def _fields(body: str, unions: dict[str, str]) -> dict[int, Field]:
    """Return the fields of one class by slot, from the methods that read them."""
    fields: dict[int, Field] = {}
    for method in body.split("\n    def ")[1:]:
        slot = re.search(r"self\._tab\.Offset\((\d+)\)", method)
        if slot is None:
            continue
        accessor = method[: method.index("(")]
        place = (int(slot.group(1)) - 4) // 2
        if place not in fields:  # the accessor itself comes first, then its …Length and the like
            fields[place] = _field(accessor, place, method, unions)
    return fields


def _field(accessor: str, slot: int, method: str, unions: dict[str, str]) -> Field:
    """Return the field that an accessor's code reads."""
    name = _snake(accessor)
    flags = re.search(r"number_types\.(\w+)Flags, (o|a) \+", method)
    scalar = flags.group(1) if flags else "Uint8"
    inner = re.search(r"obj = (\w+)\(\)", method)
    if "self._tab.Union" in method:
        return Field(name, slot, "union", unions.get(accessor, ""))
    if "self._tab.String" in method:
        kind, of = "string", ""
    else:
        kind, of = ("table", inner.group(1)) if inner else ("scalar", scalar)
    if "self._tab.Vector" in method:
        return Field(name, slot, "vector", of, each=kind)
    # what stands behind the `if` is returned where the field is absent
    default = re.findall(r"return (\S+)", method)[-1] if kind == "scalar" else "0"
    return Field(name, slot, kind, of, default=default)


def _snake(accessor: str) -> str:
    """Return the field's name in the schema, `shape_signature`, from `ShapeSignature`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", accessor).lower()
