"""Look into a .tflite file: find a tensor's bytes, the way to them, and change one in place."""

from course_lib.tflite.xray.parts import describe, groups, logits, search, way
from course_lib.tflite.xray.stored import Layer, Stored, Xray

__all__ = ["Layer", "Stored", "Xray", "describe", "groups", "logits", "search", "way"]
