"""Every byte of a .tflite file, named; and the way to any of them, read by read."""

from course_lib.formats.flatbuffer.kinds import KINDS, FormatError
from course_lib.formats.flatbuffer.read import Read, Route, route
from course_lib.formats.flatbuffer.schema import Schema, load
from course_lib.formats.flatbuffer.walk import byte_map

__all__ = ["KINDS", "FormatError", "Read", "Route", "Schema", "byte_map", "load", "route"]
