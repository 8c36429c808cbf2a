"""The protobuf wire format: every byte of a message, named.

A message is a row of fields. Each begins with a **tag**, a varint that holds the field's number and
its wire type (how to find its end); then comes the value. Names are not in the file: they come from
a schema, which is any descriptor of the protobuf package. Without one, fields go by their number.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from course_lib.formats.protobuf.raw import WIRE_TYPES, Raw, encode_varint, fields, varint
from course_lib.formats.protobuf.tree import Field, bytemap, constant, node, read, schema

__all__ = [
    "WIRE_TYPES",
    "Field",
    "Raw",
    "bytemap",
    "constant",
    "encode_varint",
    "fields",
    "node",
    "read",
    "schema",
    "varint",
]
