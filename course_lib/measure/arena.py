"""How much memory TensorFlow Lite Micro needs for a model: the smallest arena that is enough."""

from __future__ import annotations

__all__ = ["arena_bytes"]

LARGEST_ARENA_BYTES = 1 << 22
STEP_BYTES = 16


def arena_bytes(model: bytes) -> int:
    """Return the smallest arena, within 16 bytes, that the interpreter accepts for `model`.

    0 where tflite-micro is not installed (it exists for Linux on x86-64 only) or does not run the
    model, as with float16 weights. Found by halving: an arena is enough or it is not. Raises
    ValueError for bytes that are no .tflite file.
    """
    if model[4:8] != b"TFL3":
        raise ValueError("These bytes are no .tflite file: bytes 4 to 8 have to read TFL3.")
    if not _fits(model, LARGEST_ARENA_BYTES):
        return 0
    low, high = 0, LARGEST_ARENA_BYTES
    while high - low > STEP_BYTES:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(model, middle) else (middle, high)
    return high


def _fits(model: bytes, arena: int) -> bool:
    from course_lib import session

    try:
        from tflite_micro import runtime
    except ImportError:
        return False
    try:
        with session.quiet():
            runtime.Interpreter.from_bytes(model, arena_size=arena)
    except (RuntimeError, ValueError):
        return False
    return True
