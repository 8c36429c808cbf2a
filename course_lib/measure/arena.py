"""How much memory TensorFlow Lite Micro needs for a model, 0 where it cannot be asked here."""

from __future__ import annotations

from course_lib import micro


def arena_bytes(model: bytes) -> int:
    """Return the smallest arena, within 16 bytes, that the interpreter accepts for `model`.

    0 where tflite-micro is not installed (it exists for Linux on x86-64 only) or does not run the
    model, as with float16 weights. Raises ValueError for bytes that are no .tflite file.
    """
    if model[4:8] != b"TFL3":
        raise ValueError("These bytes are no .tflite file: bytes 4 to 8 have to read TFL3.")
    return micro.smallest_arena(model) if micro.available() else 0
