"""On a microcontroller: TensorFlow Lite Micro, its arena, C arrays, and plain C without either."""

from course_lib.micro import recorded
from course_lib.micro.arena import Allocations, Fit, allocations, fits, grows, smallest_arena
from course_lib.micro.arena_run import ArenaRun, arena_of
from course_lib.micro.carray import c_array, read_c_array
from course_lib.micro.device import DeviceRun, on_cortex_m4, pcm
from course_lib.micro.interpreter import Interpreter, MicroError, available, run
from course_lib.micro.program import cpp_program, operators, resolver, stubs
from course_lib.micro.record import compared_clips, device_clips
from course_lib.micro.runtimes import Difference, Runtimes, compare_runtimes

__all__ = [
    "Allocations",
    "ArenaRun",
    "DeviceRun",
    "Difference",
    "Fit",
    "Interpreter",
    "MicroError",
    "Runtimes",
    "allocations",
    "arena_of",
    "available",
    "c_array",
    "compare_runtimes",
    "compared_clips",
    "cpp_program",
    "device_clips",
    "fits",
    "grows",
    "on_cortex_m4",
    "operators",
    "pcm",
    "read_c_array",
    "recorded",
    "resolver",
    "run",
    "smallest_arena",
    "stubs",
]
