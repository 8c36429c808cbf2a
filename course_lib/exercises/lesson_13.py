"""Lesson 13: frames, loudness, a threshold."""

from __future__ import annotations

import math

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, number


def _frames(samples, window, hop):
    return 1 + (samples - window) // hop


def _frame_inputs(rng):
    sizes = [(16_000, 480, 320), (16_000, 400, 160), (1_000, 1_000, 7)]
    for _ in range(5):
        hop = int(rng.integers(50, 400))
        window = hop + int(rng.integers(1, 300))
        sizes.append((window + int(rng.integers(1_000, 9_000)), window, hop))
    return sizes


def _allowed(levels, false_alarms, allowed):
    pairs = zip(levels, false_alarms, strict=True)
    return [level for level, share in pairs if share <= allowed]


def _few(shares, allowed):
    return [share for share in shares if share <= allowed]


def _choose(levels, false_alarms, allowed):
    return min(_allowed(levels, false_alarms, allowed))


def _too_many(levels, false_alarms, allowed):
    enough = _allowed(levels, false_alarms, allowed)
    return max((level for level in levels if level not in enough), default=levels[0])


def _curve_inputs(rng):
    levels = [round(0.02 + 0.05 * step, 2) for step in range(20)]
    cases = []
    for _ in range(4):
        falling = sorted((int(count) for count in rng.integers(1, 60, 16)), reverse=True)
        shares = [count / 100 for count in [70, *falling, 0, 0, 0]]
        # exactly one of the shares is allowed, so that < and <= differ; or none is, so that the
        # nearest one is too large
        allowed = shares[int(rng.integers(4, 15))]
        cases += [(levels, shares, allowed), (levels, shares, allowed - 0.003)]
        twice = sorted([*shares[:-1], allowed], reverse=True)  # two levels have the allowed share
        cases += [(levels, twice, allowed)]
    return cases


EXERCISES = (
    Exercise(
        id="13.1",
        ask="frame_count(samples, window, hop): how many whole frames fit into a clip",
        judge=function(_frames, _frame_inputs, whole=True),
        mistakes=[
            (
                lambda samples, window, hop: (samples - window) // hop,
                "You count the hops between frames: how many fence posts stand at n gaps?",
            ),
            (
                lambda samples, window, hop: samples // hop,
                "The last frame has to fit in whole: where can it start at the latest?",
            ),
            (
                lambda samples, window, hop: samples // window,
                "Frames overlap: the next one starts one hop later, not one window later.",
            ),
            (
                lambda samples, window, hop: 1 + (samples - hop) // window,
                "Window and hop have changed places: which is the length, which the step?",
            ),
            (
                lambda samples, window, hop: 1 + (samples - window) / hop,
                "A part of a frame is no frame: use // to leave it out.",
            ),
            (
                lambda samples, window, hop: 1 + round((samples - window) / hop),
                "round() counts a hop that does not fit in whole: use //.",
            ),
            (
                lambda samples, window, hop: -(-samples // hop),
                "The last frame has to fit in whole: where can it start at the latest?",
            ),
            (
                lambda samples, window, hop: samples // hop + 1,
                "The last frame has to fit in whole: where can it start at the latest?",
            ),
            (
                lambda samples, window, hop: -((window - samples) // hop),
                "The last place, samples - window, counts, too: ranges and ceil leave it out.",
            ),
            (
                lambda samples, window, hop: 1 + samples - window // hop,
                "Python divides first: put samples - window into brackets.",
            ),
            (
                lambda samples, window, hop: samples // (window - hop),
                "window - hop is how far two frames overlap: a new one starts every hop.",
            ),
            (
                lambda samples, window, hop: (samples + window) // hop,
                "The last frame needs a window of room: take it away, and count the hops.",
            ),
            (lambda *_: 49, "49 is one clip's: compute it from the three arguments."),
            (
                when(lambda given, value: isinstance(value, list)),
                "Those are places or frames: count them.",
            ),
            (lambda s, w, h: s // h - 1, "49 by chance: the length of a window has to be in it."),
            (lambda s, w, h: 1 - (w - s) // h, "Your last frame sticks out: use // to round down."),
            (
                lambda samples, window, hop: round((samples - window) / hop),
                "round() counts parts of a hop. And n hops lead to n + 1 frames.",
            ),
            (
                when(lambda given, value: value > _frames(*given)),
                "Too many: the last frame begins at samples - window, at the latest.",
            ),
            (
                when(lambda given, value: value < _frames(*given)),
                "Too few: the first frame begins at 0, and then one every hop, not every window.",
            ),
        ],
        right="one frame at the start, one more for every hop that still leaves room.",
        hints=(
            "The first frame starts at 0. Where does the last one start, at the latest?",
            "One hop leads from a frame to the next: count the hops, then the frames.",
        ),
    ),
    Exercise(
        id="13.2",
        ask="added: what a sample ten times as large adds to every log energy",
        judge=number(math.log(100), tolerance=0.0075),
        mistakes=[
            (math.log(10), "That is the logarithm of 10. But energy is the square of a sample."),
            (
                when(lambda value: 3 < value < 3.5 or 7 < value < 7.5),
                "No root and no exp: a factor becomes a sum by its logarithm.",
            ),
            (math.log(1000), "Energy is the square of a sample, not its cube."),
            (math.log(10) / 2, "Energy is the square of a sample, not its root."),
            (20.0, "20 is in decibels: the features use the natural logarithm."),
            (1.0, "Energy is the square of a sample, and the logarithm is the natural one."),
            (math.log(10) ** 2, "Square the sample, not the logarithm."),
            (math.log2(100), "That is the logarithm to base 2: the natural one is asked."),
            (2.0, "That is the logarithm to base 10: the features use the natural one."),
            (100.0, "The energy becomes 100 times as large. What does that add to its logarithm?"),
            (math.log(10_000), "Squared twice: the energy becomes 100 times as large, not 10,000."),
            (10 * math.log(100), "Decibels have a factor of ten: here the logarithm is all."),
            (0.0, "A factor becomes a sum: which logarithm is added?"),
            (
                when(lambda value: 0 < value < 9 and value not in (4.0, 5.0, 10.0, 1.0, 2.0)),
                "The energy grows 10 × 10 times: take the natural logarithm of that.",
            ),
            (10.0, "10 is the factor of the samples: square it, then take the logarithm."),
        ],
        right="ten times the sample, a hundred times the energy: its logarithm is added.",
        hints=(
            "Energy is the square of the amplitude: 10 times the sample, 100 times the energy.",
            "log(100 * e) = log(100) + log(e), with the natural logarithm.",
        ),
    ),
    Exercise(
        id="13.4",
        ask="choose(levels, false_alarms, allowed): the lowest level with few enough false alarms",
        judge=function(_choose, _curve_inputs, tolerance=1e-9),
        mistakes=[
            (
                lambda levels, shares, most: max(_allowed(levels, shares, most)),
                "That threshold is the highest one allowed: it misses the most keywords.",
            ),
            (_too_many, "At this threshold there are still too many: go one step further."),
            (
                lambda levels, shares, most: _choose(levels, shares, most - 1e-9),
                "Exactly the allowed share is allowed: compare with <=.",
            ),
            (
                lambda levels, shares, _: levels[shares.index(min(shares))],
                "The fewest alarms cost keywords: the lowest level within `allowed` is asked.",
            ),
            (
                lambda levels, shares, most: max(
                    level for level, share in zip(levels, shares, strict=True) if share >= most
                ),
                "You keep the levels with too many false alarms: at most `allowed` is <=.",
            ),
            (
                lambda levels, shares, most: levels[
                    min(range(len(levels)), key=lambda place: abs(shares[place] - most))
                ],
                "The nearest share may lie above what is allowed: at most is asked.",
            ),
            *(
                (
                    lambda levels, shares, most, pick=pick: pick(_few(shares, most)),
                    "That is the share of false alarms. At which level is it?",
                )
                for pick in (max, min)
            ),
            (
                lambda levels, shares, most: levels[shares.index(most)],
                "`allowed` itself need not be in the list: look for the shares below it, too.",
            ),
            (
                lambda levels, shares, most: shares.index(max(_few(shares, most))),
                "That is a place in the list: which level stands there?",
            ),
            (
                lambda levels, shares, most: max(
                    level
                    for level, share in zip(levels, shares, strict=True)
                    if share == max(_few(shares, most))
                ),
                "Where several levels have one share, the lowest of them is asked.",
            ),
            (
                lambda levels, shares, most: next(each for each in levels if each >= most),
                "`allowed` is a share of false alarms: compare it with those, not with levels.",
            ),
            (lambda levels, shares, most: most, "That is the share. Which level keeps to it?"),
            (
                lambda levels, shares, most: levels[0],
                "The lowest of all has the most false alarms: is `allowed` compared with these, "
                "and by <=?",
            ),
            (
                when(lambda given, value: isinstance(value, (list, tuple))),
                "One level is asked: the lowest of those with few enough false alarms.",
            ),
            (
                when(lambda given, value: value + 0 not in given[0]),
                "That is none of the levels: go through them, each with its share.",
            ),
            (
                when(lambda given, value: value < _choose(*given)),
                "At your level there are too many false alarms: compare shares with `allowed`.",
            ),
            (
                when(lambda given, value: value > _choose(*given)),
                "A lower level keeps to `allowed`, too: look for the first that does.",
            ),
        ],
        right="no lower threshold keeps the promise, and a higher one can only miss more.",
        hints=(
            "Go through levels and shares together: `for level, share in zip(...)`.",
            "Keep the levels whose share is at most `allowed`, and take the smallest.",
        ),
    ),
)
