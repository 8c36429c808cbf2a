"""What a byte of a .tflite file can be, and the error for bytes that are none."""

from __future__ import annotations

from course_lib.formats.tflite_file import ModelError

FormatError = ModelError

KINDS = (
    "root offset",
    "identifier",
    "vtable",
    "table",
    "scalar",
    "offset",
    "length",
    "numbers",
    "string",
    "weights",
    "data",
    "padding",
    "unused",
)
"""What a byte can be. "table" is the offset with which each table begins, to its vtable;
"numbers" are the elements of a vector such as a shape or scales; "weights" are a buffer that a
tensor uses, "data" one that none does; no offset leads to "unused" bytes, nor are they zeros."""
