"""On a microcontroller: TensorFlow Lite Micro, its arena, C arrays, and plain C without either.

Where a tool is not installed, the recorded run in data/micro stands in and says so. The room may
use `quantize` and what lies below; lessons 08 and 09 and their pictures use it. Begin reading with
`interpreter`, or with `plain_c`.
"""

from course_lib.micro.arrays import c_array, read_c_array
from course_lib.micro.device import CHIPS, DeviceRun, Estimate, device_clips, estimate, on_cortex_m4
from course_lib.micro.interpreter import (
    ArenaRun,
    Device,
    Interpreter,
    MicroError,
    arena_of,
    available,
    grows,
    smallest_arena,
)
from course_lib.micro.program import cpp_program, operators, resolver
from course_lib.micro.runtimes import Runtimes, compare_runtimes, compared_clips
from course_lib.micro.stream import (
    Found,
    Outcome,
    Recording,
    Scores,
    Spoken,
    detect,
    judge,
    long_recording,
    slide,
    smooth,
)
