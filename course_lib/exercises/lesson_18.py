"""The exercises of lesson 18: a mean of what was heard, work, and whether a chip keeps up."""

from __future__ import annotations

import math
import statistics

from course_lib.exercises.answers import Raised, same
from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function


def _macs(output, kernel):
    height, width, channels = output
    return height * width * channels * kernel[0] * kernel[1] * kernel[2]


def _layers(rng):
    draw = rng.integers
    return [(tuple(draw(2, 30, 3).tolist()), tuple(draw(2, 9, 3).tolist())) for _ in range(5)]


def _smooth(scores, n):
    return [sum(scores[max(0, end - n) : end]) / min(n, end) for end in range(1, len(scores) + 1)]


def _windows(scores, n, summary=statistics.fmean):
    """Return a summary of each number and the n - 1 before it."""
    return [summary(scores[max(0, end - n) : end]) for end in range(1, len(scores) + 1)]


def _centred(scores, n, padded=False):
    """Return means that look ahead by half of n; padded with zeros, as numpy.convolve does."""
    parts = [scores[max(0, k - n // 2) : k + (n + 1) // 2] for k in range(len(scores))]
    wide = [scores[max(0, k - n // 2) : k + n // 2 + 1] for k in range(len(scores))]
    return [sum(each) / n for each in parts] if padded else list(map(statistics.fmean, wide))


def _over_itself(scores, n):
    scores = list(scores)
    for place in range(len(scores)):
        scores[place] = statistics.fmean(scores[max(0, place - n + 1) : place + 1])
    return scores


def _curves(rng):
    sizes = ((5, 2), (9, 3), (12, 4), (4, 3))
    return [([round(float(x), 3) for x in rng.random(length)], n) for length, n in sizes]


def _busy(instructions, cycles_each, megahertz, answers):
    return answers * instructions * cycles_each / (megahertz * 1e6)


def _chips(rng):
    draw = rng.integers
    drawn = [
        (
            int(draw(900_000, 9_000_000)),
            float(rng.uniform(1.1, 2)),
            int(draw(16, 240)),
            int(draw(2, 9)),
        )
        for _ in range(5)
    ]
    return [*drawn, (8_000_000, 1.5, 16, 4)]  # too slow, whatever was drawn


EXERCISES = (
    Exercise(
        id="18.2",
        ask="smooth(scores, n): the mean of each number and the n - 1 before it",
        judge=function(_smooth, _curves, tolerance=1e-6),
        mistakes=[
            (lambda s, n: [sum(s[max(0, end - n) : end]) / n for end in range(1, len(s) + 1)],
             "At the start there are fewer than n: divide by how many."),
            (lambda s, n: [_smooth(s, n)[0], *_smooth(s, n)[:-1]],
             "The newest number belongs to the mean as well."),
            (lambda s, n: [sum(s[k : k + n]) / len(s[k : k + n]) for k in range(len(s))],
             "You look ahead: a device knows only what is over."),
            (lambda s, n: _smooth(s, n)[n - 1 :],
             "As long as `scores`: the first ones are means of fewer."),
            (lambda s, n: _smooth(s, n + 1), "One number too many: the newest one is among the n."),
            (lambda s, n: [sum(s[k : k + n]) / n for k in range(len(s))],
             "You look ahead: a device knows only what is over."),
            (_centred, "You look ahead: a device knows only what is over."),
            (lambda s, n: _centred(s, n, padded=True),
             "You look ahead: a device knows only what is over."),
            (lambda s, n: [sum(s[max(0, k - n + 1) : k]) / n for k in range(len(s))],
             "The newest number is missing: a slice stops before its end."),
            (
                lambda s, n: (
                    [s[0]]
                    + [statistics.fmean(s[max(0, k - n + 1) : k] or [0]) for k in range(1, len(s))]
                ),
                "The newest number is missing: a slice stops before its end.",
            ),
            (lambda s, n: [sum(s[max(0, k - n) : k]) / n for k in range(len(s))],
             "The newest number is missing: a slice stops before its end."),
            (lambda s, n: [sum(s[k - n + 1 : k + 1]) / n for k in range(len(s))],
             "At the start yours gives 0: begin at max(0, k - n + 1), and divide by how many."),
            (when(lambda given, got: sum(map(math.isnan, got)) == given[1] - 1 > 0),
             "Where a slice begins at a negative place it is empty: begin at max(0, ...)."),
            (lambda s, n: [each / 2 for each in _windows(s, n, sum)],
             "You divide by 2: divide by how many there are."),
            (lambda s, n: _windows(s, n, sum), "Those are sums: divide by how many there are."),
            (lambda s, n: _windows(s, n, max), "Those are the largest ones: take the mean."),
            (lambda s, n: _windows(s, n, statistics.median), "That is the median: take the mean."),
            (lambda s, n: [*s[: n - 1], *_smooth(s, n)[n - 1 :]],
             "At the start: the mean of those there are."),
            (lambda s, n: [*[0] * (n - 1), *_smooth(s, n)[n - 1 :]],
             "At the start yours gives 0: begin at max(0, k - n + 1), and divide by how many."),
            (lambda s, n: _smooth(s, len(s)), "Only the last n count, not all before."),
            (_over_itself, "You take means of means: write them into a new list."),
            (lambda s, n: _smooth(s, 2), "n is not always 2."),
            (lambda s, n: [(one + s[k - 1]) / 2 for k, one in enumerate(s)],
             "n is not always 2, and nothing is before the first number."),
            (lambda s, n: [statistics.fmean(s[k : k + n]) for k in range(0, len(s), n)],
             "Your windows lie end to end: one begins with every number."),
            (lambda s, n: [x // 1 for x in _smooth(s, n)], "// drops the fraction: use /."),
            (lambda s, n: list(s), "Nothing is smoothed yet."),
            (when(lambda given, got: isinstance(got, float)),
             "One mean only: each number has its own."),
            (when(lambda given, got: len(got) == 1), "Only one: is `return` inside the loop?"),
            (when(lambda given, got: len(got) > len(given[0])), "It is longer than `scores`."),
            (when(lambda given, got: len(got) < len(given[0])),
             "As long as `scores`: one mean for every number."),
            (when(lambda given, got: math.isnan(got[0])),
             "The newest number is missing, and the first mean is one of nothing."),
            (lambda s, n: [statistics.fmean(s)] * len(s),
             "That is the mean of all: each has its own, of the last n."),
            (otherwise(lambda given, got: got[0] != given[0][0]),
             "The first mean is the first number itself: nothing is before it."),
            (otherwise(lambda given, got: same(got[given[1] :], _smooth(*given)[given[1] :], 1e-6)),
             "Wrong at the start alone: there are fewer than n, so divide by how many."),
            (otherwise(lambda given, got: len(got) == len(given[0])),
             "From the n-th number on: the sum of the last n numbers, divided by n."),
        ],
        right="a few additions, and most false alarms are gone.",
        hints=(
            "scores[max(0, end - n):end] are the last n numbers before `end`, or all there are.",
            "Let `end` run from 1 to len(scores).",
        ),
    ),
    Exercise(
        id="18.4",
        ask="macs(output, kernel): the multiply-accumulates of a convolution",
        judge=function(_macs, _layers, whole=True),
        mistakes=[
            (lambda o, k: o[0] * o[1] * k[0] * k[1] * k[2],
             "Every output channel has a kernel of its own."),
            (lambda o, k: o[0] * o[1] * o[2] * k[0] * k[1],
             "At each place the kernel reaches through all inputs."),
            (lambda o, k: o[2] * k[0] * k[1] * k[2],
             "That is the number of weights: each is used at every place again."),
            (lambda o, k: 2 * _macs(o, k), "A multiplication with its addition counts once."),
            (lambda o, k: sum(o) * sum(k), "Nested loops multiply."),
            (lambda o, k: k[0] * k[1] * k[2],
             "That is one number of the output. How many numbers has it?"),
            (lambda o, k: o[0] * o[1] * o[2],
             "So many numbers come out. How many multiplications takes each?"),
            (lambda o, k: o[0] * o[1] * o[2] + k[0] * k[1] * k[2],
             "Every number of the output needs the whole kernel: multiply, do not add."),
            (lambda o, k: sum(o) + sum(k), "Nested loops multiply."),
            (lambda o, k: o[0] * o[1] * k[0] * k[1],
             "Channels and inputs are missing: each output channel looks at all inputs."),
            (lambda o, k: _macs((o[0] - k[0] + 1, o[1] - k[1] + 1, o[2]), k),
             "`output` is the shape of the result already: nothing is taken off."),
            (lambda o, k: _macs((o[0] + k[0] - 1, o[1] + k[1] - 1, o[2]), k),
             "`output` is the shape of the result already: nothing is added."),
            (lambda o, k: _macs(o, k) + o[0] * o[1] * o[2],
             "Only the weights are counted, without a bias."),
            (lambda o, k: _macs(o, k) + o[2], "Only the weights are counted, without a bias."),
            (lambda o, k: o[0] * o[1] * o[2] * (k[0] * k[1] * k[2] - 1),
             "An accumulation for every multiplication: nothing is taken off."),
            (lambda o, k: _macs(o, k) * k[2], "The inputs are in there twice."),
            (lambda o, k: _macs(o, k) * o[2], "The output channels are in there twice."),
            (lambda o, k: _macs(o, k) / k[2] / o[2],
             "Channels and inputs are missing: each output channel looks at all inputs."),
            (lambda o, k: o[0] * k[0] + o[1] * k[1] + o[2] * k[2], "Nested loops multiply."),
            (lambda o, k: o[0] * o[1] * o[2] / (k[0] * k[1] * k[2]),
             "A larger kernel makes more work: multiply by it."),
            (lambda o, k: len(o) * len(k),
             "len() counts the sides: multiply the sides themselves."),
            (lambda o, k: _macs(o, k) // 1000, "Those are thousands."),
            (when(lambda given, got: hasattr(got, "__len__")), "One number: multiply six sides."),
            (when(lambda given, got: isinstance(got, Raised) and "sequence" in str(got)),
             "Tuples cannot be multiplied: take their numbers, output[0] and so on."),
            (when(lambda given, got: isinstance(got, Raised) and "unpack" in str(got)),
             "Each shape has three numbers: take all three."),
            (when(lambda given, got: isinstance(got, float) and got == _macs(*given)),
             "Right, but a float: count in whole numbers."),
            (otherwise(lambda given, got: got and _macs(*given) % got == 0),
             "A side is missing: output and kernel have three each, and all six count."),
            (otherwise(lambda given, got: type(got) is int),
             "Multiply all six sides, each of them once."),
        ],
        right="six nested loops, as in the C.",
        hints=("Every number of the output takes kernel height x width x inputs of them.",),
    ),
    Exercise(
        id="18.5",
        ask="busy(instructions, cycles_each, megahertz, answers): the share of time it works",
        judge=function(_busy, _chips, tolerance=1e-9),
        mistakes=[
            (lambda i, c, m, a: _busy(i, c, m, 1), "For one answer: how many are there a second?"),
            (lambda i, c, m, a: _busy(i, c, m, 1) / a,
             "More answers make more work: multiply by them."),
            (lambda i, c, m, a: _busy(i, c, m, a) * 1e6,
             "A megahertz is a million cycles a second, not one."),
            (lambda i, c, m, a: _busy(i, c, m, a) * 1000,
             "1,000 times as much: a megahertz is a million a second, a share is 1 for all."),
            (lambda i, c, m, a: 100 * _busy(i, c, m, a),
             "Those are percent: a share is 1 for all."),
            (lambda i, c, m, a: 1 / _busy(i, c, m, a),
             "Upside down: that is how often all the answers would fit into the time."),
            (lambda i, c, m, a: _busy(i, 1, m, a),
             "An instruction takes cycles_each cycles: where are they?"),
            (lambda i, c, m, a: min(1, _busy(i, c, m, a)),
             "A chip that needs more time than there is falls behind: let the share exceed 1."),
            (lambda i, c, m, a: i * c / m,
             "For one answer, in millionths of a second: a megahertz is a million a second."),
            (lambda i, c, m, a: i / c * a / (m * 1e6),
             "More cycles for each instruction make more work: multiply by them."),
            (lambda i, c, m, a: _busy(i, c, m * 1.048576, a),
             "A megahertz is a million, 1e6; only bytes are counted in powers of two."),
            (lambda i, c, m, a: i * c * a * m * 1e6,
             "A faster clock means less work: divide by it."),
            (lambda i, c, m, a: i * c * a / m * 1e6,
             "Python divides first: put megahertz times a million into brackets."),
            (lambda i, c, m, a: 1 - _busy(i, c, m, a), "That is the time that it rests."),
            (lambda i, c, m, a: _busy(i, c, m, 4), "Not always 4: use `answers`."),
            (lambda i, c, m, a: i * c / (m * 1e3),
             "Those are milliseconds for one answer: which share of a second takes all?"),
            (lambda i, c, m, a: i * c * a, "So many cycles are needed. How many are there?"),
            (lambda i, c, m, a: i * a / m,
             "Where is cycles_each? And a megahertz is a million cycles a second."),
            (lambda i, c, m, a: i * c / m / a,
             "More answers make more work. And a megahertz is a million cycles a second."),
            (lambda i, c, m, a: 100 * _busy(i, c, m, 1), "Those are percent, of one answer only."),
            (lambda i, c, m, a: _busy(i, c, m, a) // 1,
             "A share is mostly less than one: no //, and no rounding."),
            (lambda i, c, m, a: round(_busy(i, c, m, a)),
             "A share is mostly less than one: no //, and no rounding."),
            (lambda i, c, m, a: round(_busy(i, c, m, a), 2), "Do not round."),
            (when(lambda given, got: isinstance(got, bool)),
             "Not whether it keeps up: how much of the time does it work?"),
            (lambda i, c, m, a: i * c * a / 1e6,
             "So many million cycles are needed: divide by `megahertz`."),
            (otherwise(lambda given, got: type(got) is float),
             "instructions * cycles_each * answers ticks a second are needed: how many are there?"),
        ],
        right="an estimate in two lines, and its units are half the work.",
        hints=(
            "How many cycles do all answers of a second take?",
            "The chip has megahertz times a million of them in a second.",
        ),
    ),
)  # fmt: skip
