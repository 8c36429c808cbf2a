"""Every byte of a .tflite file, named; and the way to any of them, read by read."""

from course_lib.formats.flatbuffer.routes import Read, Route, route
from course_lib.formats.flatbuffer.schema import load
from course_lib.formats.flatbuffer.walk import byte_map, unknown
from course_lib.formats.tflite_file import ModelError
