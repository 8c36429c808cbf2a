"""How much memory TensorFlow Lite Micro needs for a model, 0 where it cannot be asked here."""

from __future__ import annotations

from course_lib import micro
from course_lib.formats import tflite_file


def arena_bytes(model: bytes) -> int:
    """Return the smallest arena, within 16 bytes, that the interpreter accepts for `model`.

    0 where tflite-micro is not installed (it exists for Linux on x86-64 only) or does not run the
    model, as with float16 weights. Raises ValueError for bytes that are no .tflite file.
    """
    tflite_file.check(model)
    return micro.smallest_arena(model) if micro.available() else 0
