"""The exercises of lesson 07: grids, sizes, integer multipliers, and choosing by measurement."""

from __future__ import annotations

import math
from functools import partial

from course_lib import spotter
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, number

# 7.1 and 7.2: onto the grid and back


def _int8(steps, lowest=-128, highest=127):
    return max(lowest, min(highest, steps))


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
    return [
        (int(draw(-128, 128)), float(2.0 ** draw(-7, 1)), int(draw(-100, 100))) for _ in range(12)
    ]


# 7.3: a grid from a range


def _grid(low, high, steps=255, lowest=-128, whole=round):
    scale = (high - low) / steps
    return scale, whole(lowest - low / scale)


def _ranges(rng):
    """Draw ranges around zero whose zero point is not close to a half."""
    drawn = []
    while len(drawn) < 12:
        low, high = -float(rng.uniform(0, 8)), float(rng.uniform(0.5, 8))
        exact = -128 - low / ((high - low) / 255)
        if abs(exact - math.floor(exact) - 0.5) > 0.05:  # ways of rounding agree there
            drawn.append((low, high))
    return drawn


# 7.4: the size to expect

_KERNELS = spotter.facts().kernels.values()
WEIGHTS = sum(math.prod(shape) for shape in _KERNELS)
BIASES = sum(shape[-1] for shape in _KERNELS)  # one a channel, once the norms are folded away


# 7.5: scale without floats


def _requantize(accumulator, mantissa, shift):
    return (accumulator * mantissa + (1 << (shift - 1))) >> shift


def _products(rng):
    """Draw accumulators and multipliers between 1/2048 and 1/16 as an 8-bit layer has them."""
    draw = rng.integers
    return [
        (int(draw(-60_000, 60_000)), int(draw(1 << 30, 1 << 31)), int(draw(35, 42)))
        for _ in range(15)
    ] + [_just_below_a_half(rng)]


def _just_below_a_half(rng):
    """Draw a * m = odd * 2**shift + 2**(shift - 1) - 1, which a float of 53 bits rounds up."""
    shift = 35
    while True:
        m = int(rng.integers(1 << 30, 1 << 31)) | 1
        a = ((1 << shift - 1) - 1) * pow(m, -1, 1 << shift) % (1 << shift)
        if 1 << 28 < a < 1 << 31 and (a * m >> shift) % 2:
            return a, m, shift


# 7.6: noise or not


def _p_value(lost, gained):
    return min(1.0, 2 * _one_side(lost, gained))


def _one_side(lost, gained, end=1):
    flips = lost + gained
    return sum(math.comb(flips, k) for k in range(min(lost, gained) + end)) / 2**flips


def _flips(rng):
    drawn = [tuple(int(count) for count in rng.integers(0, 15, 2)) for _ in range(10)]
    return drawn + [(6, 0), (0, 6), (4, 4), (1, 0)]


# 7.7: choose under a budget


def _choose(variants, budget_bytes, key=lambda row: row[2]):
    fitting = [row for row in variants if row[1] <= budget_bytes]
    return max(fitting, key=key)[0] if fitting else None


def _choose_or_give_up(variants, budget_bytes):
    name, size, _ = max(variants, key=lambda row: row[2])
    return name if size <= budget_bytes else None


def _tables(rng):
    """Draw tables of (name, bytes, accuracy) in which size and accuracy do not go together."""
    drawn = []
    for _ in range(10):
        sizes = rng.choice(range(15, 70), 5, replace=False) * 1000
        scores = rng.choice(range(800, 990), 5, replace=False) / 1000
        rows = enumerate(zip(sizes, scores, strict=True))
        table = [(f"variant {place}", int(size), float(score)) for place, (size, score) in rows]
        drawn += [(table, int(rng.integers(20, 70)) * 1000), (table, int(sizes[0]))]
    return drawn + [([("float32", 60_000, 0.95)], 20_000)]


_NO_ZERO = "You forgot the zero point, the integer that stands for 0."
_CUT = "int() cuts towards zero. The nearest whole number is asked for: round()."
_FLOOR = "// rounds down, always. The nearest whole number is asked for: round() what / gives."

EXERCISES = (
    Exercise(
        id="7.1",
        ask="quantize_one(value, scale, zero_point): the int8 number that stands for a value",
        judge=function(_quantize, _values, whole=True),
        mistakes=[
            (
                lambda v, s, z: round(v / s) + z,
                "It works inside the range. And 1000? Eight bits hold no more than -128 to 127.",
            ),
            (
                lambda v, s, z: _int8(round(v / s)) + z,
                "You saturate before you add the zero point: the sum may leave the range.",
            ),
            (lambda v, s, z: _int8(int(v / s) + z), _CUT),
            (lambda v, s, z: _int8(int(v / s + z)), _CUT),
            (lambda v, s, z: _int8(int(v // s) + z), _FLOOR),
            (
                lambda v, s, z: _int8(round(v / s) - z),
                "The zero point is what 0 becomes: quantize_one(0, scale, 5) has to be 5.",
            ),
            (lambda v, s, z: _int8(round(v / s)), _NO_ZERO),
            (
                lambda v, s, z: _int8(round(v * s) + z),
                "You multiply by the scale. How many steps of size scale fit into the value?",
            ),
            (
                lambda v, s, z: _int8(round(v / s) + z, 0, 255),
                "0 to 255 are the unsigned bytes. An int8 goes from -128 to 127.",
            ),
            (
                lambda v, s, z: _int8(round(v / s) + z, -127),
                "The lowest int8 is -128: here all 256 levels are used.",
            ),
            (
                when(lambda arguments, value: isinstance(value, float)),
                "An int8 is a whole number: return an int, not a float.",
            ),
        ],
        right="divide, round, move, saturate: four steps, and the order matters.",
        hints=(
            "How many steps of size scale is the value away from zero?",
            "Round that, add the zero point, and only then cut off at both ends.",
        ),
    ),
    Exercise(
        id="7.2",
        ask="dequantize_one(q, scale, zero_point): the number that a stored integer stands for",
        judge=function(_dequantize, _stored, tolerance=1e-9),
        mistakes=[
            (
                lambda q, s, z: s * q - z,
                "The zero point counts in integers: take it away before you scale.",
            ),
            (lambda q, s, z: s * (q + z), "What comes back for q = zero_point? It has to be 0."),
            (lambda q, s, z: s * q, _NO_ZERO),
            (lambda q, s, z: q - z, "That counts steps: how far apart are two levels?"),
            (
                lambda q, s, z: (q - z) / s,
                "Storing divided by the scale; reading has to undo that.",
            ),
        ],
        right="one subtraction and one product turn an int8 into a number again.",
        hints=("Undo the steps of 7.1 in reverse order; rounding cannot be undone.",),
    ),
    Exercise(
        id="7.3",
        ask="grid_of(low, high): the pair (scale, zero_point) of int8 for a range around zero",
        judge=function(_grid, _ranges, tolerance=1e-9),
        mistakes=[
            (partial(_grid, steps=256), "256 levels have 255 gaps between them."),
            (partial(_grid, lowest=0), "That is for 0 to 255. Here low gets the integer -128."),
            (
                lambda low, high: (_grid(low, high)[0], -_grid(low, high, lowest=128)[1]),
                "Try low = -1: 0 lies above it, so its integer lies above -128.",
            ),
            (
                lambda low, high: (max(-low, high) / 127, 0),
                "That is the symmetric grid of the weights. This one uses the whole range.",
            ),
            (partial(_grid, whole=float), "The zero point is stored as a whole number: round it."),
            (partial(_grid, whole=int), _CUT),
            (partial(_grid, whole=math.floor), _FLOOR),
            (partial(_grid, whole=math.ceil), _FLOOR),  # -128 - low // scale
            (lambda low, high: _grid(low, high)[::-1], "First the scale, then the zero point."),
        ],
        right="the range is 255 steps wide, and zero gets an integer of its own.",
        hints=(
            "low becomes -128 and high becomes 127: how many steps are between them?",
            "0 lies -low / scale steps above low.",
        ),
    ),
    Exercise(
        id="7.4",
        ask="int8_bytes: what the weights and biases of the spotter take in an int8 file",
        judge=number(WEIGHTS + 4 * BIASES, whole=True),
        mistakes=[
            (WEIGHTS + BIASES, "A bias is added to the 32-bit sum: it keeps four bytes."),
            (4 * (WEIGHTS + BIASES), "That is the float file: four bytes for everything."),
            (WEIGHTS, "The biases are in the file as well."),
            (
                (WEIGHTS + BIASES) // 4,
                "You divide the count. It stays; only the bytes of each weight go from 4 to 1.",
            ),
        ],
        right="a little more than a quarter, because biases stay at 32 bits.",
        hints=(
            "Each weight takes one byte.",
            "Biases join a 32-bit accumulator: they are stored as int32.",
        ),
    ),
    Exercise(
        id="7.5",
        ask="requantize(accumulator, mantissa, shift): accumulator * mantissa / 2**shift, rounded",
        judge=function(_requantize, _products, whole=True),
        mistakes=[
            (lambda a, m, s: (a * m) >> s, "A bare shift rounds down: add half of 2**shift first."),
            (
                lambda a, m, s: (a * m + (1 << s)) >> s,
                "You add a whole step: the half of 2**shift is 1 << (shift - 1).",
            ),
            (
                lambda a, m, s: a * (m >> s),
                "mantissa >> shift is 0 already: multiply first, shift the product.",
            ),
            (
                lambda a, m, s: (a * m + 1 << s - 1) >> s,
                "+ binds tighter than <<: put brackets around 1 << (shift - 1).",
            ),
            (
                lambda a, m, s: (a * m) // 2**31,
                "The multiplier's exponent is not always 31: use shift.",
            ),
            (
                lambda a, m, s: round(a * m / 2**s),
                "A float holds 53 bits and the product has more: use + and >>, not / and round().",
            ),
            (
                when(lambda arguments, value: isinstance(value, float)),
                "Your function returns floats, as / does, and this chip has none: use + and >>.",
            ),
        ],
        right="one product, one addition, one shift: no float anywhere.",
        hints=(
            "x >> n divides by 2**n and rounds down.",
            "To round to the nearest, add a half first: what is half of 2**shift?",
        ),
    ),
    Exercise(
        id="7.6",
        ask="p_value(lost, gained): how often fair coins fall at least as unevenly, both ways",
        judge=function(_p_value, _flips, tolerance=1e-9),
        mistakes=[
            (_one_side, "That is one tail: as uneven in the other direction counts too."),
            (
                lambda lost, gained: min(1.0, 2 * _one_side(lost, gained, end=0)),
                "range() stops before its end: the smaller count belongs to the tail as well.",
            ),
            (
                lambda lost, gained: 2 * _one_side(lost, gained),
                "A probability cannot be above 1: look at lost == gained.",
            ),
            (
                lambda a, b: min(1.0, 2 * math.comb(a + b, a) / 2 ** (a + b)),
                "You count this outcome alone: more uneven ones belong to the tail as well.",
            ),
        ],
        right="now you know how easily chance alone makes such a drop.",
        hints=(
            "math.comb(n, k) / 2**n is the chance of k heads in n throws.",
            "Sum it for k from 0 to the smaller count, double it, and stop at 1.",
        ),
    ),
    Exercise(
        id="7.7",
        ask="choose(variants, budget_bytes): the name of the most accurate one that fits, or None",
        judge=function(_choose, _tables),
        mistakes=[
            (
                partial(_choose, key=lambda row: -row[1]),
                "You take the smallest. All that fit are small enough: take the best of those.",
            ),
            (
                lambda variants, _: max(variants, key=lambda row: row[2])[0],
                "That is the best of all: does it fit into the budget?",
            ),
            (
                partial(_choose, key=lambda row: row[1]),
                "Larger is not always better: compare the accuracies.",
            ),
            (lambda rows, most: _choose(rows, most - 1), "A file of exactly budget_bytes fits."),
            (
                _choose_or_give_up,
                "You give up where the best of all is too large: take the best of those that fit.",
            ),
            (
                when(lambda arguments, value: isinstance(value, (tuple, list))),
                "Return the name alone, the first item of the row.",
            ),
        ],
        right="size is a limit, accuracy the aim.",
        hints=(
            "First keep the rows whose bytes fit, then take the largest accuracy.",
            "max(rows, key=lambda row: row[2]) is the row with the largest third item.",
        ),
    ),
)
