"""The arithmetic of eight bits, exact to the byte.

`affine` and `symmetric` turn a range into a grid, `Multiplier` and `requantize` scale without
floats, the layers compute on int8 tensors, and `run_integer` walks through a whole .tflite file.
"""

from course_lib.quantize.affine import (
    Affine,
    affine,
    per_channel,
    round_half_away,
    sqnr_db,
    symmetric,
)
from course_lib.quantize.compare import (
    LayerError,
    activation_ranges,
    against_kernels,
    layer_errors,
)
from course_lib.quantize.correct import correct_biases
from course_lib.quantize.exponential import softmax
from course_lib.quantize.fixed_point import (
    Multiplier,
    divide_by_power_of_two,
    high_multiply,
    multiplier,
    multipliers,
    requantize,
    requantize_once,
)
from course_lib.quantize.four_bits import cheapest_first, four_bit_grid, four_bits
from course_lib.quantize.layers import (
    Window,
    accumulate,
    add,
    average_pool,
    conv2d,
    depthwise_conv2d,
    fully_connected,
    max_pool,
    mean,
    rescale,
)
from course_lib.quantize.mixed import Calibrated, calibrate
from course_lib.quantize.model import Operation, Plan, Value, read
from course_lib.quantize.run import RUNTIMES, Run, layer, run_integer

__all__ = [
    "RUNTIMES",
    "Affine",
    "Calibrated",
    "LayerError",
    "Multiplier",
    "Operation",
    "Plan",
    "Run",
    "Value",
    "Window",
    "accumulate",
    "activation_ranges",
    "add",
    "affine",
    "against_kernels",
    "average_pool",
    "calibrate",
    "cheapest_first",
    "conv2d",
    "correct_biases",
    "depthwise_conv2d",
    "divide_by_power_of_two",
    "four_bit_grid",
    "four_bits",
    "fully_connected",
    "high_multiply",
    "layer",
    "layer_errors",
    "max_pool",
    "mean",
    "multiplier",
    "multipliers",
    "per_channel",
    "read",
    "requantize",
    "requantize_once",
    "rescale",
    "round_half_away",
    "run_integer",
    "softmax",
    "sqnr_db",
    "symmetric",
]
