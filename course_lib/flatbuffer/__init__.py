"""Every byte of a .tflite file, named; and the way to any of them, read by read."""

from course_lib.flatbuffer.kinds import KINDS, FormatError
from course_lib.flatbuffer.read import Read, Route, route
from course_lib.flatbuffer.schema import Schema, load
from course_lib.flatbuffer.walk import byte_map

__all__ = ["KINDS", "FormatError", "Read", "Route", "Schema", "byte_map", "load", "route"]
