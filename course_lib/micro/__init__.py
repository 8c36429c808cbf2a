"""On a microcontroller: TensorFlow Lite Micro, its arena, C arrays, and plain C without either."""

from course_lib.micro.arena import Allocations, Fit, allocations, fits, grows, smallest_arena
from course_lib.micro.interpreter import Interpreter, MicroError, available, run

__all__ = [
    "Allocations",
    "Fit",
    "Interpreter",
    "MicroError",
    "allocations",
    "available",
    "fits",
    "grows",
    "run",
    "smallest_arena",
]
