"""The exercises of lesson 17: a sum of integers, and its way onto the next grid."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function

# 17.2: a sum of products


def _one_sum(q, zero_point, weights, bias):
    return int(((q.astype(int) - zero_point) * weights).sum()) + bias


def _patches(rng):
    """Draw patches of int8 that reach both ends, so that eight bits do not hold the steps."""
    cases = []
    for side in (2, 3, 5, 5):
        q, weights = (rng.integers(-128, 128, (side, side)).astype(np.int8) for _ in range(2))
        q.flat[:2] = 127, -128
        weights.flat[:2] = 101, -77
        cases.append((q, int(rng.integers(20, 60)), weights, int(rng.integers(-900, 900)) | 1))
        cases.append((q, int(rng.integers(-60, -20)), weights, int(rng.integers(-900, 900)) | 1))
    large = np.full((5, 5), 127, np.int8), -40, np.full((5, 5), 101, np.int8), 7
    return [*cases, large]  # whose sum does not fit into 16 bits


def _too_narrow(q, zero_point, weights, bias):
    return int(((q - np.int8(zero_point)) * weights).sum()) + bias


def _narrow_steps(q, zero_point, weights, bias):
    return _one_sum(q - np.int8(zero_point), 0, weights, bias)


def _narrow_products(q, zero_point, weights, bias):
    return int(((q.astype(int) - zero_point).astype(np.int8) * weights).sum()) + bias


def _narrow_sum(q, zero_point, weights, bias):
    steps = q.astype(int) - zero_point
    return int((steps * weights).sum(dtype=np.int16)) + bias


def _steps(q, zero_point, weights):
    return (q.astype(int) - zero_point) * weights


def _wrapped(number):
    return (number + 128) % 256 - 128


_MATRICES = "@ multiplies rows by columns. Use *: number by number, then add all the products up."


# 17.3: scale without floats


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


def _wrapped_32(number):
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


_FIRST = "What is shifted first loses its bits: multiply first, then shift the product."
_BACK = "<< multiplies by 2**shift. To divide by it, shift to the right: >>."

EXERCISES = (
    Exercise(
        id="17.2",
        ask="one_sum(q, zero_point, weights, bias): the accumulator of one output",
        judge=function(_one_sum, _patches, whole=True),
        mistakes=[
            (
                _too_narrow,
                "int8 and int8 make an int8, and what does not fit wraps: widen with astype(int).",
            ),
            (
                _narrow_steps,
                "127 less -36 is no int8: widen q with astype(int) *before* you subtract.",
            ),
            (_narrow_sum, "The sum needs 32 bits: in 16 it wraps."),
            (
                lambda q, z, w, b: _one_sum(q, z, w.astype(int) - z, b),
                "The zero point is that of q. The weights' own is 0: leave them as they are.",
            ),
            (lambda q, z, w, b: (q.astype(int) - z) @ w + b, _MATRICES),
            (lambda q, z, w, b: (q.astype(int) - z) @ w, _MATRICES),
            (lambda q, z, w, b: int(((q.astype(int) - z) @ w).sum()) + b, _MATRICES),
            (lambda q, z, w, b: int(((q.astype(int) - z) @ w + b).sum()), _MATRICES),
            (
                lambda q, z, w, b: _one_sum(q, z, w, b * q.size),
                "You add the bias to every product: add it once, to the sum.",
            ),
            (_narrow_products, "A product of two int8 needs 16 bits: keep the steps as integers."),
            (
                lambda q, z, w, b: _one_sum(q, 0, w, b),
                "You forgot the zero point, the integer that stands for 0.",
            ),
            (
                lambda q, z, w, b: _one_sum(q, 0, w, b) - z,
                "Every q has the zero point in it: take it away before you multiply.",
            ),
            (
                lambda q, z, w, b: _one_sum(q, -z, w, b),
                "What becomes of a q that is the zero point? It stands for 0: subtract.",
            ),
            (lambda q, z, w, b: _one_sum(q, z, w, 0), "The bias is missing."),
            (
                lambda q, z, w, b: int((q * w).sum()) + b,
                "The zero point is missing, and eight bits do not hold the products: astype(int).",
            ),
            (lambda q, z, w, b: _one_sum(w, z, q, b), "The zero point is that of q, not of w."),
            (
                lambda q, z, w, b: int((q.astype(int) - z).sum()) * int(w.sum(dtype=int)) + b,
                "First multiply place by place, then add the products up.",
            ),
            *(
                (wrong, "Brackets: take the zero point from q, and then multiply by the weight.")
                for wrong in (
                    lambda q, z, w, b: int((q.astype(int) - z * w.astype(int)).sum()) + b,
                    lambda q, z, w, b: int((q.astype(int) * w - z).sum()) + b,
                )
            ),
            (
                lambda q, z, w, b: float(_steps(q, z, w).mean()) + b,
                "All products are added up: sum(), not mean().",
            ),
            (
                lambda q, z, w, b: int(_steps(q, z, w).max()) + b,
                "All products are added up: sum(), not max().",
            ),
            (
                lambda q, z, w, b: int(_steps(q, z, w)[0, 0]) + b,
                "That is the first product alone: is there a return in the loop?",
            ),
            (
                lambda q, z, w, b: int(_steps(q, z, w)[:-1, :-1].sum()) + b,
                "The last row and column are missing: range(n) stops before n by itself.",
            ),
            (
                lambda q, z, w, b: int(_steps(q, z, w.T).sum()) + b,
                "q and the weights lie on each other as they are: turn neither round.",
            ),
            (
                lambda q, z, w, b: int(_steps(q, z, w[::-1, ::-1]).sum()) + b,
                "q and the weights lie on each other as they are: turn neither round.",
            ),
            (
                lambda q, z, w, b: _wrapped(_one_sum(q, z, w, b)),
                "The sum has 32 bits: do not make an int8 of it.",
            ),
            (
                lambda q, z, w, b: _one_sum(q.view(np.uint8), z, w, b),
                "q has a sign: uint8 makes 128 to 255 of what is below 0.",
            ),
            (
                lambda q, z, w, b: _one_sum(q, -36, w, b),
                "-36 is the lesson's input: here each case has a zero_point of its own.",
            ),
            (
                when(lambda _, value: value.kind == "IndexError"),
                "The arrays have as many rows and columns as q.shape says, not always 5.",
            ),
            (
                when(lambda _, value: "0-dimensional" in value.message),
                "int() takes one number; q.astype(int) widens the whole array.",
            ),
            (
                when(lambda arguments, value: isinstance(value, np.ndarray)),
                "One output is one number: add all the products up.",
            ),
            (
                otherwise(lambda given, got: "out of bounds" in str(got)),
                "zip(q, weights) goes by rows, and int8 stays int8: astype(int), then sum it all.",
            ),
            (
                lambda q, z, w, b: int(abs(_steps(q, z, w)).sum()) + b,
                "Products have a sign: add them as they are, without abs().",
            ),
            (
                lambda q, z, w, b: int(_steps(q, z, w).mean() + b),
                "All products are added up: sum(), not mean().",
            ),
            (
                otherwise(
                    lambda given, got: (
                        got != _one_sum(*given) and (got - _one_sum(*given)) % given[3] == 0
                    )
                ),
                "The sum is right, the bias is not: add it, once.",
            ),
            (
                otherwise(lambda given, got: type(got) is int),
                "As int, no int8: q less zero_point, times the weight, all added up; the bias.",
            ),
        ],
        right="a sum of whole numbers, and nothing rounded yet.",
        hints=(
            "q - zero_point is how many steps above zero each number is. Does that fit into int8?",
            "Multiply the steps by the weights, place by place, sum, and add the bias.",
        ),
    ),
    Exercise(
        id="17.3",
        ask="requantize(accumulator, mantissa, shift): accumulator * mantissa / 2**shift, rounded",
        judge=function(_requantize, _products, whole=True),
        mistakes=[
            (
                lambda a, m, s: (a * m) >> s,
                "A bare shift rounds down: first add half of 2**shift, 1 << (shift - 1).",
            ),
            (
                lambda a, m, s: (a * m + (1 << s)) >> s,
                "You round up, or add a whole step: the half of 2**shift is 1 << (shift - 1).",
            ),
            (
                lambda a, m, s: a * (m >> s),
                _FIRST,
            ),
            (lambda a, m, s: (a >> s) * m, _FIRST),
            (lambda a, m, s: ((a + (1 << s - 1)) >> s) * m, _FIRST),
            (lambda a, m, s: (a * m) << s, _BACK),
            (lambda a, m, s: (a * m + (1 << s - 1)) << s, _BACK),
            (
                lambda a, m, s: (a * m + 1 << s - 1) >> s,
                "+ binds tighter than <<: put brackets around 1 << (shift - 1).",
            ),
            (
                lambda a, m, s: (a * m) // 2**31,
                "The multiplier's exponent is not always 31: use shift.",
            ),
            *(
                (real, "A float holds 53 bits and the product has more: use + and >>, no /.")
                for real in (
                    lambda a, m, s: round(a * m / 2**s),
                    lambda a, m, s: int(a * m / 2**s + 0.5),
                    lambda a, m, s: (a * m / 2**s + 0.5) // 1,
                )
            ),
            (
                lambda a, m, s: a * (m + (1 << s - 1)) >> s,
                "The half is added to the product, not to the mantissa.",
            ),
            (lambda a, m, s: (a * m - (1 << s - 1)) >> s, "The half is added, not taken away."),
            (
                lambda a, m, s: (a * m + (1 if a * m >= 0 else -1) * (1 << s - 1)) >> s,
                ">> rounds down below 0, too: add the half to negative products as well.",
            ),
            *(
                (
                    cut,
                    "Cut towards zero, as int() cuts: add a half to what is negative, too, and >>.",
                )
                for cut in (
                    lambda a, m, s: int(a * m / 2**s),
                    lambda a, m, s: (1 if a > 0 else -1) * (abs(a) * m >> s),
                )
            ),
            (
                lambda a, m, s: a * m + (1 << 30) >> 31,
                "The multiplier's exponent is not always 31: use shift.",
            ),
            *(
                (power, "2 * shift is not 2**shift, and ^ is no power: write 1 << shift.")
                for power in (
                    lambda a, m, s: a * m // (2 * s),
                    lambda a, m, s: (a * m + s) // (2 * s),
                    lambda a, m, s: a * m // (2 ^ s),
                )
            ),
            (
                lambda a, m, s: (a * m >> s) + (1 << s - 1),
                "Add the half before you shift: behind it the product is small already.",
            ),
            (lambda a, m, s: a * m % 2**s, "% is what is left over: shift by >>."),
            *(
                (far, "Shift by `shift` itself; the half alone is 1 << (shift - 1).")
                for far in (
                    lambda a, m, s: a * m >> s - 1,
                    lambda a, m, s: a * m >> s + 1,
                    lambda a, m, s: a * m + (1 << s - 1) >> s - 1,
                )
            ),
            (
                lambda a, m, s: (a + (1 << s - 1)) * m >> s,
                "The half is added to the product, not to the accumulator.",
            ),
            *(
                (narrow, "Return the whole number: it is cut to eight bits later, not here.")
                for narrow in (
                    lambda a, m, s: max(-128, min(127, _requantize(a, m, s))),
                    lambda a, m, s: _wrapped(_requantize(a, m, s)),
                    lambda a, m, s: _requantize(a, m, s) % 256 - 128,
                )
            ),
            (
                lambda a, m, s: _wrapped_32(a * m) >> s,
                "The product needs 64 bits: Python's own int holds it, int32 does not.",
            ),
            (lambda a, m, s: a + m >> s, "Times the mantissa, not plus."),
            (
                when(lambda arguments, value: isinstance(value, float)),
                "Your function returns floats, as / does, and this chip has none: use + and >>.",
            ),
            (
                otherwise(lambda given, got: got == 0),
                "Shifted away: multiply first, and shift the product, once.",
            ),
            (
                otherwise(lambda given, got: abs(got - _requantize(*given)) == 1),
                "Off by one where it is wrong: half of 2**shift is added first, no more.",
            ),
        ],
        right="one product, one addition, one shift: no float anywhere.",
        hints=(
            "x >> n divides by 2**n and rounds down.",
            "To round to the nearest, add a half first: what is half of 2**shift?",
        ),
    ),
)
