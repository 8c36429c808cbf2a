"""On a microcontroller: TensorFlow Lite Micro, its arena, C arrays, and plain C without either."""

from course_lib.micro import recorded
from course_lib.micro.arena import Allocations, Fit, allocations, fits, grows, smallest_arena
from course_lib.micro.arena_run import ArenaRun, arena_of
from course_lib.micro.carray import c_array, read_c_array
from course_lib.micro.chips import CHIPS, Chip, Estimate, estimate
from course_lib.micro.device import DeviceRun, on_cortex_m4, pcm
from course_lib.micro.found import Found, Outcome, Spoken, judge
from course_lib.micro.interpreter import Interpreter, MicroError, available, run
from course_lib.micro.program import cpp_program, operators, resolver, stubs
from course_lib.micro.record import compared_clips, device_clips
from course_lib.micro.runtimes import Difference, Runtimes, compare_runtimes
from course_lib.micro.stream import Recording, Scores, detect, long_recording, slide, smooth

__all__ = [
    "CHIPS",
    "Allocations",
    "ArenaRun",
    "Chip",
    "DeviceRun",
    "Difference",
    "Estimate",
    "Fit",
    "Found",
    "Interpreter",
    "MicroError",
    "Outcome",
    "Recording",
    "Runtimes",
    "Scores",
    "Spoken",
    "allocations",
    "arena_of",
    "available",
    "c_array",
    "compare_runtimes",
    "compared_clips",
    "cpp_program",
    "detect",
    "device_clips",
    "estimate",
    "fits",
    "grows",
    "judge",
    "long_recording",
    "on_cortex_m4",
    "operators",
    "pcm",
    "read_c_array",
    "recorded",
    "resolver",
    "run",
    "slide",
    "smallest_arena",
    "smooth",
    "stubs",
]
