"""What the tables of a .tflite file are made of, read from the code that flatc generated.

LiteRT and TensorFlow ship TensorFlow Lite's schema as generated Python classes. Their accessors
say all that a reader needs: for each field its slot in the vtable and how its bytes are meant.
The text of the module is read, nothing of it is imported or run.
"""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = "Model"

SCALARS = {
    "Bool": "?",
    "Int8": "b",
    "Uint8": "B",
    "Int16": "h",
    "Uint16": "H",
    "Int32": "i",
    "Uint32": "I",
    "Int64": "q",
    "Uint64": "Q",
    "Float32": "f",
    "Float64": "d",
}
"""The scalar types of FlatBuffers and their letters in Python's `struct`; all little-endian."""

_SOURCES = (
    ("ai_edge_litert", "schema_py_generated.py"),
    ("tensorflow", "lite/python/schema_py_generated.py"),
)

_ENUMS = {
    ("OperatorCode", "builtin_code"): "BuiltinOperator",
    ("OperatorCode", "deprecated_builtin_code"): "BuiltinOperator",
    ("Operator", "custom_options_format"): "CustomOptionsFormat",
    ("Tensor", "type"): "TensorType",
    ("DimensionMetadata", "format"): "DimensionType",
    (None, "padding"): "Padding",
    (None, "fused_activation_function"): "ActivationFunctionType",
    (None, "in_data_type"): "TensorType",
    (None, "out_data_type"): "TensorType",
}  # the generated accessors return bare numbers: which enumeration they mean is said here


@dataclass(frozen=True, slots=True)
class Field:
    """Describe one field of a table.

    `slot` counts from 0 in the vtable. `kind` is "scalar", "string", "table", "union" or
    "vector"; `of` names the scalar type, the table, or the union, and for a vector that of its
    elements, which are `each` (one of the same kinds). `enum` names what a number stands for.
    """

    name: str
    slot: int
    kind: str
    of: str
    each: str = ""
    enum: str = ""
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

    def meaning(self, field: Field, number: int) -> str:
        """Return the name of an enumeration's value, "" where there is none."""
        return self.enums.get(field.enum, {}).get(number, "")


@cache
def load() -> Schema:
    """Return the schema that ships with LiteRT, else with TensorFlow; takes about 0.1 s, once.

    Raises ImportError where neither is installed.
    """
    for package, inside in _SOURCES:
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            source = Path(found.origin).parent / inside
            if source.is_file():
                return parse(source.read_text(encoding="utf-8"))
    raise ImportError("The schema of TensorFlow Lite is missing: pip install ai-edge-litert.")


def parse(source: str) -> Schema:
    """Return the schema from the text of a module that flatc generated for Python."""
    tables: dict[str, dict[int, Field]] = {}
    enums: dict[str, dict[int, str]] = {}
    unions = _union_fields(source)
    for block in re.split(r"^class ", source, flags=re.MULTILINE)[1:]:
        name = block[: block.index("(")]
        body = block.split("\ndef ")[0]  # behind each class stand functions that build
        if "__slots__" in body:
            tables[name] = {field.slot: field for field in _fields(name, body, unions)}
        elif not name.endswith("T"):
            enums[name] = {
                int(number): member
                for member, number in re.findall(r"^    (\w+) = (-?\d+)$", body, flags=re.MULTILINE)
            }
    return Schema(tables, enums)


def _union_fields(source: str) -> dict[str, str]:
    """Return the union of each field that holds one, by the name of its accessor.

    In the generated code only the unpacking says it: `XCreator(self.yType, z.Accessor())`.
    """
    return {
        accessor: union
        for union, accessor in re.findall(r"= (\w+)Creator\(self\.\w+, \w+\.(\w+)\(\)\)", source)
    }


def _fields(table: str, body: str, unions: dict[str, str]) -> list[Field]:
    """Return the fields of one class, from the methods that read them."""
    fields: dict[int, Field] = {}
    for method in body.split("\n    def ")[1:]:
        slot = re.search(r"self\._tab\.Offset\((\d+)\)", method)
        if slot is None:
            continue
        accessor = method[: method.index("(")]
        number = (int(slot.group(1)) - 4) // 2
        if number not in fields:  # the accessor itself comes first, then its …Length and the like
            fields[number] = _field(table, accessor, number, method, unions)
    return list(fields.values())


def _field(table: str, accessor: str, slot: int, method: str, unions: dict[str, str]) -> Field:
    """Return the field that an accessor's code reads."""
    name = _snake(accessor)
    scalar = re.search(r"number_types\.(\w+)Flags, (o|a) \+", method)
    made = re.search(r"obj = (\w+)\(\)", method)
    if "self._tab.Union" in method:
        return Field(name, slot, "union", unions.get(accessor, ""))
    if "self._tab.Vector" in method:
        if "self._tab.String" in method:
            return Field(name, slot, "vector", "", each="string")
        if made:
            return Field(name, slot, "vector", made.group(1), each="table")
        return Field(name, slot, "vector", scalar.group(1) if scalar else "Uint8", each="scalar")
    if "self._tab.String" in method:
        return Field(name, slot, "string", "")
    if made:
        return Field(name, slot, "table", made.group(1))
    enum = _ENUMS.get((table, name)) or _ENUMS.get((None, name)) or ""
    if accessor.endswith("Type") and accessor[:-4] in unions:
        enum = unions[accessor[:-4]]
    default = re.findall(r"return (\S+)", method)[-1]  # behind the `if`: the field is absent
    return Field(
        name, slot, "scalar", scalar.group(1) if scalar else "Uint8", enum=enum, default=default
    )


def _snake(accessor: str) -> str:
    """Return the field's name in the schema, `shape_signature`, from `ShapeSignature`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", accessor).lower()
