"""The model in a page: one engine for all models, and a model laid out as the bytes it runs.

The engine is `micro.plain_c`'s layers and features, compiled to WebAssembly once: `engine.wasm`,
which `python -m tools.engine` makes from `c`. It is the same for every model, so a student's own
needs no compiler. Begin reading with `c/engine.h` and `image`.
"""

from pathlib import Path

from course_lib.micro.wasm.image import link


def engine() -> bytes:
    """Return the recorded program; it imports nothing, and its exports stand in engine.c."""
    return Path(__file__).with_name("engine.wasm").read_bytes()
