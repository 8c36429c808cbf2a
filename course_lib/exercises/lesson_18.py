"""The exercises of lesson 18: a mean of what was heard, work, and whether a chip keeps up."""

from __future__ import annotations

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import function


def _macs(output, kernel):
    height, width, channels = output
    return height * width * channels * kernel[0] * kernel[1] * kernel[2]


def _layers(rng):
    draw = rng.integers
    return [(tuple(draw(2, 30, 3).tolist()), tuple(draw(2, 9, 3).tolist())) for _ in range(5)]


def _smooth(scores, n):
    return [sum(scores[max(0, end - n) : end]) / min(n, end) for end in range(1, len(scores) + 1)]


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
            (
                lambda s, n: [sum(s[max(0, end - n) : end]) / n for end in range(1, len(s) + 1)],
                "At the start there are fewer than n: divide by how many.",
            ),
            (
                lambda s, n: [_smooth(s, n)[0], *_smooth(s, n)[:-1]],
                "The newest number belongs to the mean as well.",
            ),
            (
                lambda s, n: [sum(s[k : k + n]) / len(s[k : k + n]) for k in range(len(s))],
                "You look ahead: a device knows only what is over.",
            ),
            (
                lambda s, n: _smooth(s, n)[n - 1 :],
                "As long as `scores`: the first ones are means of fewer.",
            ),
            (lambda s, n: _smooth(s, n + 1), "One number too many: the newest one is among the n."),
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
            (
                lambda o, k: o[0] * o[1] * k[0] * k[1] * k[2],
                "Every output channel has a kernel of its own.",
            ),
            (
                lambda o, k: o[0] * o[1] * o[2] * k[0] * k[1],
                "At each place the kernel reaches through all inputs.",
            ),
            (
                lambda o, k: o[2] * k[0] * k[1] * k[2],
                "That is the number of weights: each is used at every place again.",
            ),
            (lambda o, k: 2 * _macs(o, k), "A multiplication with its addition counts once."),
            (lambda o, k: sum(o) * sum(k), "Nested loops multiply: nothing here is added."),
        ],
        right="six nested loops, as in the C.",
        hints=("Every number of the output takes kernel height x width x inputs of them.",),
    ),
    Exercise(
        id="18.5",
        ask="busy(instructions, cycles_each, megahertz, answers): the share of time it works",
        judge=function(_busy, _chips, tolerance=1e-9),
        mistakes=[
            (
                lambda i, c, m, a: _busy(i, c, m, 1),
                "That is for one answer. How many does it give in a second?",
            ),
            (
                lambda i, c, m, a: _busy(i, c, m, 1) / a,
                "More answers make more work: multiply by them.",
            ),
            (
                lambda i, c, m, a: _busy(i, c, m, a) * 1e6,
                "A megahertz is a million cycles a second, not one.",
            ),
            (
                lambda i, c, m, a: _busy(i, c, m, a) * 1000,
                "Those are milliseconds of work in a second: a share is 1 for all of it.",
            ),
            (
                lambda i, c, m, a: 100 * _busy(i, c, m, a),
                "Those are percent: a share is 1 for all.",
            ),
            (
                lambda i, c, m, a: 1 / _busy(i, c, m, a),
                "Upside down: that is how often all the answers would fit into the time.",
            ),
            (
                lambda i, c, m, a: _busy(i, 1, m, a),
                "An instruction takes more than one cycle: where is cycles_each?",
            ),
            (
                lambda i, c, m, a: min(1, _busy(i, c, m, a)),
                "A chip that needs more time than there is falls behind: let the share exceed 1.",
            ),
        ],
        right="an estimate in two lines, and its units are half the work.",
        hints=(
            "How many cycles do all answers of a second take?",
            "The chip has megahertz times a million of them in a second.",
        ),
    ),
)
