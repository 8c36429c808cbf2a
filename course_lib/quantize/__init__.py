"""The arithmetic of eight bits, exact to the byte.

`affine` and `symmetric` turn a range into a grid, `multiplier` and `requantize` scale without
floats, `run_integer` walks through a whole .tflite file, and its layers give the bytes of the
kernels. The room may use `tflite` and what lies below; `micro` and lessons 07, 17, 27 and 37
use it. Begin reading with `grids`, `fixed_point` and `layers`.
"""

from course_lib.quantize.comparison import (
    LayerError,
    activation_ranges,
    against_kernels,
    correct_biases,
    layer_errors,
)
from course_lib.quantize.execution import layer, run_integer
from course_lib.quantize.fixed_point import (
    Multiplier,
    divide_by_power_of_two,
    high_multiply,
    multiplier,
    multipliers,
    requantize,
    requantize_once,
)
from course_lib.quantize.grids import (
    Affine,
    affine,
    per_channel,
    round_half_away,
    sqnr_db,
    symmetric,
)
from course_lib.quantize.layers import Window, accumulate, softmax
from course_lib.quantize.model import Operation, Plan, Value, read
from course_lib.quantize.precision import calibrate, cheapest_first, four_bits, on_grids
from course_lib.quantize.support import Unsupported
