"""The exercises of lesson 07: what a file saves, and grids of integers."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from course_lib import spotter
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, number

# 7.2: the size to expect

_KERNELS = spotter.facts().kernels.values()
WEIGHTS = sum(math.prod(shape) for shape in _KERNELS)
BIASES = sum(shape[-1] for shape in _KERNELS)  # one a channel, once the norms are folded away


# 7.4 and 7.5: onto the grid and back


def _int8(steps, lowest=-128, highest=127):
    return max(lowest, min(highest, steps))


def _wrapped(steps):
    return (steps + 128) % 256 - 128


def _quantize(value, scale, zero_point):
    return _int8(round(value / scale) + zero_point)


def _values(rng):
    """Draw values on scales that are powers of two, none of them half-way between two levels."""
    drawn = []
    for _ in range(12):
        scale = float(2.0 ** rng.integers(-7, 1))
        steps = int(rng.integers(-300, 300)) + float(rng.choice([-0.375, -0.25, 0.0, 0.25, 0.375]))
        drawn.append((steps * scale, scale, int(rng.integers(-100, 100))))
    return drawn + [(1000.0, 0.5, 3), (-1000.0, 0.5, 3), (-0.7, 1.0, 0)]


def _dequantize(q, scale, zero_point):
    return scale * (q - zero_point)


def _stored(rng):
    draw = rng.integers
    drawn = [
        (int(draw(-128, 128)), 2.0 ** int(draw(-7, 1)), int(draw(-100, 100))) for _ in "12" * 6
    ]
    return [*drawn, (127, 1.0, -90), (-128, 1.0, 80)]  # two that leave -128 to 127


# 7.6: a grid from a range


def _grid(low, high, steps=255, lowest=-128, whole=round):
    scale = (high - low) / steps
    return scale, whole(lowest - low / scale)


def _of_scale(low, scale):
    return scale, round(-128 - low / scale) if scale else 0


def _ranges(rng):
    """Draw ranges around zero whose zero point is not close to a half."""
    drawn = []
    while len(drawn) < 12:
        low, high = -float(rng.uniform(0, 8)), float(rng.uniform(0.5, 8))
        exact = -128 - low / ((high - low) / 255)
        if abs(exact - math.floor(exact) - 0.5) > 0.05:  # ways of rounding agree there
            drawn.append((low, high))
    return drawn


_NO_ZERO = "You forgot the zero point, the integer that stands for 0."
_SIGN = "The sign is turned. Try low = -1: 0 lies above it, so its integer lies above -128."
_ALL = "All 256 levels are used here, from -128 to 127: that is 255 steps."
_EIGHT = "The drawing had three bits. An int8 has eight: -128 to 127, which is 255 steps."
_WIDE = "It works inside the range. And 1000? Eight bits hold no more than -128 to 127."
_STORING = "Storing added the zero point last. Going back, take it away first, then scale."
_REAL = "A real number comes back here, 0.57 for instance: do not round."
_CONVERT = "np.int8() takes only what fits: saturate before you convert."
_HALF = "int(x + 0.5) is wrong below zero, as int() cuts towards zero: use round()."
_CUT = "int() cuts towards zero. The nearest whole number is asked for: round()."
_FLOOR = "// rounds down and ceil up, always. The nearest is asked for: round() what / gives."

_ZERO_POINTS = {
    lambda low, scale: round((-128 - low) / scale): "Divide low alone: -128 is an integer already.",
    lambda low, scale: -128: "-128 stands for low. How many steps above it is 0?",
    lambda low, scale: round(-128 - low): "low is no number of steps: divide it by the scale.",
    lambda low, scale: round(-128 - low * scale): "Steps between low and 0? Divide by the scale.",
}
_WRAPS = "% wraps around: what is too large stays at 127, what is too small at -128."
_ONE_END = "One end is there. The other one is missing: what if the sum passes"
_STEPS = (
    "The zero point is an integer of the grid: no scale touches it, it is added after the division."
)

EXERCISES = (
    Exercise(
        id="7.2",
        ask="int8_bytes: what the weights and biases of the spotter take in an int8 file",
        judge=number(WEIGHTS + 4 * BIASES),
        mistakes=[
            (WEIGHTS + BIASES, "A bias is added to the 32-bit sum: it keeps four bytes."),
            (4 * (WEIGHTS + BIASES), "That is the float file: four bytes for everything."),
            (WEIGHTS + 4, "Four bytes for *each* bias, and there are many."),
            (when(lambda value: 19_000 < value < 21_000),
             "Is that len(int8), the whole file? Count its weights and biases alone."),
            (WEIGHTS, "The biases are in the file as well."),
            (WEIGHTS + 32 * BIASES, "A bias has 32 bits: how many bytes are that?"),
            (3 * WEIGHTS, "That is what is saved: how much is left?"),
            (when(lambda value: 3000 < value < 4500),
             "You divide the count. It stays; only the bytes of each weight go from 4 to 1."),
            (when(lambda value: 30_000 < value < 70_000),
             "Four bytes for each weight are the float file. In int8 a weight takes one."),
            (when(lambda value: value > 500_000), "They are added, not multiplied."),
            (when(lambda value: value > 100_000), "That counts bits: a byte has eight."),
            (WEIGHTS + 8 * BIASES, "A bias keeps its 32 bits: that is four bytes, not eight."),
            (WEIGHTS + 2 * BIASES, "A bias keeps its 32 bits: that is four bytes, not two."),
            (when(lambda value: value in (BIASES, 4 * BIASES)),
             "Those are the biases alone: add a byte for each weight."),
            (when(lambda value: 4500 < value < 6000),
             "That is what the file holds beside them: names, structure, grids."),
            (when(lambda value: WEIGHTS <= value < 15_000 or 14 <= value < 15),
             "Count exactly, in bytes: one for each weight, four for each bias, no rounding."),
            (when(lambda value: 0 < value < 5), "That is how many times smaller. How many bytes?"),
        ],
        right="a little more than a quarter, because biases stay at 32 bits.",
        hints=(
            "Each weight takes one byte.",
            "A bias is added to a sum of 32 bits, and is stored as wide as that.",
        ),
    ),
    Exercise(
        id="7.4",
        ask="quantize_one(value, scale, zero_point): the int8 number that stands for a value",
        judge=function(_quantize, _values),
        mistakes=[
            (lambda v, s, z: round(v / s) + z, _WIDE),
            (when(lambda arguments, value: value.kind == "OverflowError"), _CONVERT),
            (lambda v, s, z: int(np.int8(round(v / s))) + z, _CONVERT),
            (lambda v, s, z: _wrapped(int(np.int8(round(v / s))) + z), _CONVERT),
            (lambda v, s, z: _wrapped(round(v / s) + z), _CONVERT),
            (lambda v, s, z: _int8(round(v / s) + z, -4, 3),
             "The drawing had three bits, -4 to 3. An int8 has eight: -128 to 127."),
            (lambda v, s, z: int(v / s), f"{_CUT} And the zero point is missing."),
            (lambda v, s, z: _int8(int(v / s)), f"{_CUT} And the zero point is missing."),
            (lambda v, s, z: int(v / s) + z, f"{_CUT} Then saturate."),
            (lambda v, s, z: int(v / s + z), f"{_CUT} Then saturate."),
            (lambda v, s, z: _int8(int(v / s + 0.5) + z), _HALF),
            (lambda v, s, z: _int8(int(v / s + z + 0.5)), _HALF),
            (lambda v, s, z: int(v / s + 0.5) + z, f"{_HALF} Then saturate."),
            (lambda v, s, z: int(v / s + z + 0.5), f"{_HALF} Then saturate."),
            (lambda v, s, z: round(v / s), f"{_NO_ZERO} And saturate last."),
            (lambda v, s, z: _int8(round(v / s)) + z,
             "You saturate before you add the zero point: the sum may leave the range."),
            (lambda v, s, z: _int8(int(v / s) + z), _CUT),
            (lambda v, s, z: _int8(int(v / s + z)), _CUT),
            (lambda v, s, z: _int8(int(v // s) + z), _FLOOR),
            (lambda v, s, z: _int8(math.ceil(v / s) + z), _FLOOR),
            (lambda v, s, z: _int8(round(round(v) / s) + z), "Divide first, and then round."),
            (lambda v, s, z: _int8(round(v / s) - z),
             "The zero point is what 0 becomes: quantize_one(0, scale, 5) has to be 5."),
            (lambda v, s, z: _int8(round(v / s)), _NO_ZERO),
            (lambda v, s, z: _int8(round(v * s) + z),
             "You multiply by the scale. How many steps of size scale fit into the value?"),
            (lambda v, s, z: _int8(round(v / s) + z, 0, 255),
             "0 to 255 are the unsigned bytes. An int8 goes from -128 to 127."),
            (lambda v, s, z: _int8(round(v / s) + z, -127),
             "The lowest int8 is -128: here all 256 levels are used."),
            (lambda v, s, z: _int8(round(v / s) + z, -127, 128), "The ends are -128 and 127."),
            (lambda v, s, z: min(127, round(v / s) + z), f"{_ONE_END} -128."),
            (lambda v, s, z: max(-128, round(v / s) + z), f"{_ONE_END} 127."),
            (when(lambda arguments, value: value in (-129, 128)),
             "An int8 goes from -128 to 127: neither end is beyond it."),
            (lambda v, s, z: _int8(round((v - z) / s)),
             "The zero point counts in integers: divide the value first, and then add it."),
            (lambda v, s, z: _int8(round((v + z) / s)), _STEPS),
            (lambda v, s, z: _int8(round(v / s + z * s)), _STEPS),
            (lambda v, s, z: _int8(round(abs(v) / s) + z), "Values below 0 keep their sign."),
            (lambda v, s, z: _int8(round(s / v) + z) if v else z,
             "Turned upside down: how many steps of size scale fit into the value?"),
            (lambda v, s, z: round(_int8(v) / s) + z,
             "You saturate the value: the integer has to fit into eight bits, at the very end."),
            (lambda v, s, z: (round(v / s) + z) % 256, _WRAPS),
            (lambda v, s, z: (round(v / s) + z) % 128, _WRAPS),
            (lambda v, s, z: q if _int8(q := round(v / s) + z) == q else 0,
             "What lies outside becomes the lowest or the highest level, not 0."),
            (when(lambda arguments, value: value <= -128 or value >= 127),
             "Too often at one end: min() of 127 and your number, then max() of that and -128."),
            (when(lambda arguments, value: isinstance(value, float)),
             "Return the level, a whole number: round, and do not turn it back into a value."),
        ],
        right="divide, round, move, and saturate last of all.",
        hints=(
            "How many steps of size scale is the value away from zero?",
            "Round that, add the zero point, and only then cut off at both ends.",
        ),
    ),
    Exercise(
        id="7.5",
        ask="dequantize_one(q, scale, zero_point): the number that a stored integer stands for",
        judge=function(_dequantize, _stored, tolerance=1e-9),
        mistakes=[
            (lambda q, s, z: q * s + z, _STORING),
            (lambda q, s, z: round(q * s + z), _STORING),
            (lambda q, s, z: round(s * (q - z)), _REAL),
            (lambda q, s, z: round(s * (q - z), 2), _REAL),
            (lambda q, s, z: int(s * (q - z)), _REAL),
            (lambda q, s, z: s * q - z,
             "The zero point counts in integers: take it away before you scale."),
            (lambda q, s, z: s * (q + z), "What comes back for q = zero_point? It has to be 0."),
            (lambda q, s, z: s * q, _NO_ZERO),
            (lambda q, s, z: q - z, "That counts steps: how far apart are two levels?"),
            *(
                (back, "Storing divided by the scale; reading has to undo that: multiply.")
                for back in (
                    lambda q, s, z: q / s - z,
                    lambda q, s, z: (q - z) / s,
                    lambda q, s, z: q / s + z,
                    lambda q, s, z: _int8(round(q / s) + z),
                )
            ),
            (lambda q, s, z: _int8(s * (q - z)),
             "A real number comes back here, which may be below -128 or above 127."),
            (lambda q, s, z: s * _wrapped(q - z),
             "q - zero_point may leave the eight bits: reckon with int(q)."),
            (lambda q, s, z: s * (q + 128), "The zero point stands for 0, not -128."),
            (lambda q, s, z: s * (q + 128 - z), "The zero point is all that is taken away."),
            (lambda q, s, z: (q - z) // (1 / s), "// rounds down: multiply by the scale."),
            (lambda q, s, z: s * (q - z + 0.5), "A level is what comes back: add no half."),
            (lambda q, s, z: q * (s - z), "q and zero_point are integers alike: q - zero_point."),
            *(
                (lost, "Put brackets around q - zero_point: * binds tighter than -.")
                for lost in (lambda q, s, z: q - z * s, lambda q, s, z: s * q - s + z)
            ),
            (lambda q, s, z: z * (q - s), "The scale comes second, the zero point last."),
        ],
        right="one subtraction and one product turn an int8 into a number again.",
        hints=("Undo the steps of 7.4 in reverse order; rounding cannot be undone.",),
    ),
    Exercise(
        id="7.6",
        ask="grid_of(low, high): the pair (scale, zero_point) of int8 for a range around zero",
        judge=function(_grid, _ranges, tolerance=1e-9),
        mistakes=[
            (partial(_grid, steps=256), "256 levels have 255 gaps between them."),
            (when(lambda arguments, value: value.kind == "ZeroDivisionError"),
             "Your scale is 0: `//` drops the fraction, and `/` keeps it."),
            (partial(_grid, lowest=0), "That is for 0 to 255. Here low gets the integer -128."),
            (lambda low, high: (_grid(low, high)[0], -_grid(low, high, lowest=128)[1]), _SIGN),
            (lambda low, high: (_grid(low, high)[0], -_grid(low, high, lowest=0)[1]),
             "low becomes -128 here, not 0: count the steps from there."),
            (lambda low, high: (_grid(low, high)[0], 256 + _grid(low, high)[1]),
             "low becomes -128, not 128."),
            *(
                (partial(_grid, steps=steps, lowest=lowest), _EIGHT)
                for steps, lowest in ((7, -4), (7, -128), (255, -4), (8, -4))
            ),
            (partial(_grid, steps=254), _ALL),
            (partial(_grid, lowest=-127), "One too large: low becomes -128, and high 127."),
            (partial(_grid, steps=254, lowest=-127), _ALL),
            (lambda low, high: (_grid(low, high)[0], 0),
             "Only a symmetric grid has the zero point 0. Where does 0 lie here?"),
            (lambda low, high: (max(-low, high) / 127, 0),
             "That is the symmetric grid of the weights. This one uses the whole range."),
            (partial(_grid, whole=float), "The zero point is stored as a whole number: round it."),
            (partial(_grid, whole=int), _CUT),
            (partial(_grid, whole=math.floor), _FLOOR),
            (
                partial(_grid, whole=math.ceil),  # -128 - low // scale, too
                "Half a step off: round what / gives, and the middle of -128 to 127 is -0.5.",
            ),
            *(
                (wrong, "The range is high - low wide.")
                for wrong in (
                    lambda low, high: _of_scale(low, (high + low) / 255),
                    lambda low, high: _of_scale(low, (low - high) / 255),
                    lambda low, high: _of_scale(low, high / 127),
                    lambda low, high: _of_scale(low, high - low / 255),
                )
            ),
            *(
                (lambda low, high, of=of: (scale := _grid(low, high)[0], of(low, scale)), words)
                for of, words in _ZERO_POINTS.items()
            ),
            (when(lambda _, value: isinstance(value, tuple) and len(value) != 2),
             "Two values come back: the scale and the zero point."),
            (when(lambda given, value: isinstance(value[1], str)),
             "The zero point is a number: no text."),
            (when(lambda given, value: 0 < abs(value[1] - _grid(*given)[1]) < 0.6),
             "The zero point is a whole number: round(x), without digits."),
            (when(lambda given, value: math.isclose(value[0], _grid(*given)[0])),
             "The scale is right. How many steps of it is 0 above low, which is -128?"),
            (lambda low, high: _grid(low, high)[::-1], "First the scale, then the zero point."),
        ],
        right="the range is 255 steps wide, and zero gets an integer of its own.",
        hints=(
            "low becomes -128 and high becomes 127: how many steps are between them?",
            "0 lies -low / scale steps above low.",
        ),
    ),
)  # fmt: skip
