"""The protobuf wire format: every byte of a message, named.

A message is a row of fields. Each begins with a **tag**, a varint that holds the field's number and
its wire type (how to find its end); then comes the value. Names are not in the file: they come from
a schema, which is any descriptor of the protobuf package. Without one, fields go by their number.

Source: https://protobuf.dev/programming-guides/encoding/
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from course_lib.formats.bytemap import ByteMap, Span, Words
from course_lib.session import internals

WIRE_TYPES = ("varint", "8 bytes", "length-delimited", "group", "end of group", "4 bytes")
_DEEPEST = 100  # protobuf's own limit of nesting
_TENSOR_VALUES = ("tensor_content", "float_val", "double_val", "half_val")
# The types of a schema by the numbers of FieldDescriptor.TYPE_…
_STRING, _MESSAGE, _BYTES, _ENUM, _BOOL, _INT64, _UINT32 = 9, 11, 12, 14, 8, 3, 13
_SIGNED, _ZIGZAG = (_INT64, 5, _ENUM), (17, 18)
_FIXED = {1: "<d", 2: "<f", 6: "<Q", 7: "<I", 15: "<i", 16: "<q"}  # their letters in `struct`


@dataclass(frozen=True, slots=True)
class Raw:
    """Hold what a field shows without a schema: number, wire type, and where its parts begin.

    The tag is `start` to `after_tag`, a length (if there is one) ends at `value_start`.
    """

    number: int
    wire_type: int
    start: int
    after_tag: int
    value_start: int
    end: int


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
    children: tuple[Self, ...] | None = None

    def walk(self) -> Iterator[Self]:
        """Yield the field and everything inside it, in the order of the file."""
        yield self
        for child in self.children or ():
            yield from child.walk()


def varint(data: bytes, position: int, end: int | None = None) -> tuple[int, int]:
    """Return the varint at `position` and where it ends: 7 bits a byte, the lowest first.

    The high bit of a byte says that another follows. Raises ValueError where it runs past
    `end` or has more than ten bytes.
    """
    end = len(data) if end is None else end
    result = 0
    for index in range(10):
        if position + index >= end:
            raise ValueError(f"Byte {position}: a varint is cut off by the end.")
        byte = data[position + index]
        result |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
    raise ValueError(f"Byte {position}: a varint has more than ten bytes.")


def encode_varint(value: int) -> bytes:
    """Return `value`, which is 0 or more, as a varint."""
    if value < 0:
        raise ValueError(f"A varint cannot be negative, and {value} is.")
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Raw]:
    """Yield the fields between `start` and `end`: all that can be known without a schema.

    Raises ValueError, with the position, where the bytes are no protobuf.
    """
    end = len(data) if end is None else end
    position = start
    while position < end:
        raw = _next(data, position, end, 0)
        if raw.wire_type == 4:
            raise ValueError(f"Byte {position}: a group ends that never began.")
        yield raw
        position = raw.end


def read(data: bytes, descriptor: Any = None) -> tuple[Field, ...]:
    """Return the fields of a message, down to the last, as a tree.

    `descriptor` is a protobuf descriptor, or a name that `schema` knows; without it, nothing is
    looked into. Raises ValueError in one sentence where the bytes do not fit.
    """
    descriptor = schema(descriptor) if isinstance(descriptor, str) else descriptor
    return _read(data, 0, len(data), descriptor, "", 0)


def byte_map(data: bytes, descriptor: Any = "GraphDef") -> ByteMap:
    """Return a map that names every byte: tags, lengths, numbers, strings, weights."""
    tops = read(data, descriptor)
    return ByteMap(data, (span for top in tops for field in top.walk() for span in _spans(field)))


def schema(name: str) -> Any:
    """Return TensorFlow's descriptor of a message, such as "GraphDef" or "SavedModel"."""
    return internals.message(name).DESCRIPTOR


def node(graph: tuple[Field, ...], name: str) -> Field:
    """Return the field of the node called `name` in a graph that `read` returned."""
    for top in graph:
        if top.name == "node" and any(c.name == "name" and c.value == name for c in top.children):
            return top
    raise LookupError(f"The graph has no node called {name!r}.")


def constant(graph: tuple[Field, ...], name: str) -> Field:
    """Return the field that holds the values of the Const node called `name`."""
    for field in node(graph, name).walk():
        if field.name in _TENSOR_VALUES:
            return field
    raise LookupError(f"The node {name!r} holds no values.")


def _next(data: bytes, position: int, end: int, depth: int) -> Raw:
    """Return the field that starts at `position`; its end must not lie behind `end`."""
    tag, after_tag = varint(data, position, end)
    number, wire_type = tag >> 3, tag & 7
    if not 0 < number < 2**29:
        raise ValueError(f"Byte {position}: no field can have the number {number}.")
    if wire_type >= len(WIRE_TYPES):
        raise ValueError(f"Byte {position}: there is no wire type {wire_type}.")
    value_start = after_tag
    if wire_type == 0:
        value_end = varint(data, after_tag, end)[1]
    elif wire_type == 2:
        length, value_start = varint(data, after_tag, end)
        value_end = value_start + length
    elif wire_type == 3:
        value_end = _end_of_group(data, after_tag, end, number, depth + 1)
    else:
        value_end = after_tag + {1: 8, 4: 0, 5: 4}[wire_type]
    if value_end > end:
        problem = f"field {number} is said to end at {value_end}, past the end at {end}."
        raise ValueError(f"Byte {position}: {problem}")
    return Raw(number, wire_type, position, after_tag, value_start, value_end)


def _end_of_group(data: bytes, position: int, end: int, number: int, depth: int) -> int:
    if depth > _DEEPEST:
        raise ValueError(f"Byte {position}: messages are nested more than {_DEEPEST} deep.")
    while position < end:
        raw = _next(data, position, end, depth)
        position = raw.end
        if raw.wire_type == 4:
            if raw.number != number:
                break
            return position
    raise ValueError(f"Byte {position}: group {number} has no end.")


def _read(
    data: bytes, start: int, end: int, descriptor: Any, path: str, depth: int
) -> tuple[Field, ...]:
    if depth > _DEEPEST:
        raise ValueError(f"Byte {start}: messages are nested more than {_DEEPEST} deep.")
    counts: dict[int, int] = {}
    tree = []
    for raw in fields(data, start, end):
        known = descriptor.fields_by_number.get(raw.number) if descriptor is not None else None
        known = known if known is not None and _fits(raw.wire_type, known) else None
        index = counts[raw.number] = counts.get(raw.number, -1) + 1
        tree.append(_field(data, raw, known, path, index, depth))
    return tuple(tree)


def _field(data: bytes, raw: Raw, known: Any, path: str, index: int, depth: int) -> Field:
    """Give a raw field its name, path and meaning; `known` is its descriptor or None."""
    name = f"field {raw.number}" if known is None else known.name
    here = f"{path}.{name}" if path else name
    if known is None:
        content = data[raw.value_start : raw.end]
        value = varint(data, raw.value_start)[0] if raw.wire_type == 0 else content
        return Field(raw, name, here, "unknown", value)
    if known.type == _MESSAGE:
        inner = known.message_type
        if inner.GetOptions().map_entry:
            here += f"[{_map_key(data, raw, inner)}]"
        elif _repeated(known):
            here += f"[{index}]"
        children = _read(data, raw.value_start, raw.end, inner, here, depth + 1)
        return Field(raw, name, here, "message", None, children)
    return Field(raw, name, here, *_scalar(data, raw, known))


def _fits(wire_type: int, known: Any) -> bool:
    if known.type in (_STRING, _MESSAGE, _BYTES):
        return wire_type == 2
    fixed = _FIXED.get(known.type)
    natural = {8: 1, 4: 5}[struct.calcsize(fixed)] if fixed else 0
    return wire_type == natural or (wire_type == 2 and _repeated(known))


def _repeated(known: Any) -> bool:
    """Tell whether a field of the schema may come many times; old protobufs lack the first name."""
    answer = getattr(known, "is_repeated", None)
    return known.label == known.LABEL_REPEATED if answer is None else bool(answer)


def _scalar(data: bytes, raw: Raw, known: Any) -> tuple[str, Any]:
    """Return the kind and the value of a field that is a number, a text or bytes."""
    is_weights = known.containing_type.name == "TensorProto" and known.name in _TENSOR_VALUES
    content = data[raw.value_start : raw.end]
    if known.type == _STRING:
        try:
            return "string", content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"Byte {raw.value_start}: {known.name} is no UTF-8 text.") from error
    if known.type == _BYTES:
        return ("weights" if is_weights else "string"), content
    kind = "weights" if is_weights else "number"
    numbers, position = [], raw.value_start
    while position < raw.end:  # one, or many where they are packed
        number, position = _number(data, position, raw.end, known)
        numbers.append(number)
    return kind, tuple(numbers) if raw.wire_type == 2 else numbers[0]


def _number(data: bytes, position: int, end: int, known: Any) -> tuple[Any, int]:
    """Return the number at `position`, as the schema says, and where it ends."""
    if known.type in _FIXED:
        code = _FIXED[known.type]
        after = position + struct.calcsize(code)
        if after > end:  # the file may go on, the field does not
            raise ValueError(f"Byte {position}: {known.name} is cut off by the end.")
        return struct.unpack_from(code, data, position)[0], after
    value, after = varint(data, position, end)
    if known.type == _BOOL:
        return bool(value), after
    if known.type in _SIGNED:  # negative numbers are stored as 64-bit two's complement
        bits = 64 if known.type == _INT64 else 32
        value &= (1 << bits) - 1
        value -= (value >> (bits - 1)) << bits
    elif known.type == _UINT32:
        value &= 0xFFFF_FFFF
    elif known.type in _ZIGZAG:
        value = (value >> 1) ^ -(value & 1)
    if known.type == _ENUM:
        named = known.enum_type.values_by_number.get(value)
        value = named.name if named is not None else value
    return value, after


def _map_key(data: bytes, raw: Raw, entry: Any) -> str:
    """Return the key of a map's entry as text, before the entry is read."""
    key, text = entry.fields_by_number[1], ""
    for inner in fields(data, raw.value_start, raw.end):
        if inner.number == 1 and _fits(inner.wire_type, key):
            text = str(_scalar(data, inner, key)[1])
    return text


def _spans(field: Field) -> Iterator[Span]:
    """Yield the tag, the length and, unless it has children, the value of a field as spans."""
    raw, name, path = field.raw, field.name, field.path
    packed = ", packed" if isinstance(field.value, tuple) else ""
    meaning = Words(f"field {raw.number}, {WIRE_TYPES[raw.wire_type]}{packed}")
    yield Span(raw.start, raw.after_tag, "tag", f"tag of {name}", path, meaning)
    length = raw.end - raw.value_start
    if raw.value_start > raw.after_tag:
        yield Span(raw.after_tag, raw.value_start, "length", f"length of {name}", path, length)
    if field.children is None and length:
        yield Span(raw.value_start, raw.end, field.kind, name, path, _brief(field.value))


def _brief(value: Any) -> Any:
    """Return the value of a field, or a short text for many numbers or many bytes."""
    if isinstance(value, tuple) and len(value) > 8:
        return Words(f"{len(value)} numbers")
    if isinstance(value, bytes) and len(value) > 24:
        return Words(f"{len(value)} bytes")
    return value
