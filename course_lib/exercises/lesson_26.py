"""The exercises of lesson 26: what a range cuts off, room, a cure for floats, six causes."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import checked, function

# 26.3: what a calibrated range cuts off


def _grid(values, scale, zero_point):
    return np.round(values / scale) + zero_point


def _cut_off(values, scale, zero_point, low=-128, high=127):
    grid = _grid(values, scale, zero_point)
    return ((grid < low) | (grid > high)).mean()


def _ends_too(values, scale, zero_point):
    return _cut_off(values, scale, zero_point, -127, 126)


def _above_only(values, scale, zero_point):
    return (_grid(values, scale, zero_point) > 127).mean()


def _counted(values, scale, zero_point):
    return _cut_off(values, scale, zero_point) * np.size(values)


def _ranges(rng):
    """Draw values on both sides of a range, both ends and what lies next to them among them."""
    drawn = []
    for zero_point in (-36, -128, 0, 41, 127):
        scale = float(rng.choice([0.25, 0.5, 0.125]))
        inside = rng.integers(-128, 128, 20)
        beside = np.array([-128, 127, -129, 128, -140, 160, 161, 400])
        steps = np.concatenate([inside, beside]) - zero_point
        near = rng.uniform(-0.3, 0.3, steps.size)  # rounding takes it off again
        drawn.append(((steps + near) * scale, scale, zero_point))
    return drawn


# 26.5: the memory to try next


def _enough(memory, missing):
    return memory + missing + -(memory + missing) % 16


def _sizes(rng):
    drawn = [(int(a), int(m)) for a, m in rng.integers(1, 9000, size=(8, 2))]
    return [*drawn, (9000, 8), (9000, 9), (1600, 64), (4000, 15)]


# 26.7: floats for an int8 input


def _stored(values, scale, zero_point):
    return np.clip(_grid(values, scale, zero_point), -128, 127).astype(np.int8)


def _as_floats(values, scale, zero_point):
    return np.clip(_grid(values, scale, zero_point), -128, 127)


def _wrapped(values, scale, zero_point):
    return _grid(values, scale, zero_point).astype(np.int64).astype(np.int8)


def _without_zero(values, scale, zero_point):
    return _stored(values, scale, 0)


def _not_rounded(values, scale, zero_point):
    return np.clip(values / scale + zero_point, -128, 127).astype(np.int8)


def _type_first(values, scale, zero_point):
    return np.clip(values, -128, 127).astype(np.int8)


def _moved_first(values, scale, zero_point):
    return np.clip(np.round((values + zero_point) / scale), -128, 127).astype(np.int8)


# 26.8: six causes

CAUSES = {
    "A": "another shape",
    "B": "needs TensorFlow beside it",
    "C": "needs a kernel of yours",
    "D": "another type",
    "E": "no such operator on a chip",
    "F": "a file is missing",
}
_LOOK = {
    "A": "A names two shapes.",
    "B": "B was said while starting, as by patient 5: whose operations are these?",
    "C": "C was said while starting, as by patient 6: the converter believed in a promise.",
    "D": "D knows which numbers it wants, and got others: count dimensions, or look at the type?",
    "E": "E speaks of TensorFlow Lite Micro: which patient met it?",
    "F": "F looked for something in a folder, as patient 3 did.",
}


def _causes(value):
    if not isinstance(value, dict) or set(value) != set(CAUSES):
        return 'Give a dict with the letters "A" to "F", a cause for each.'
    if unknown := [each for each in value.values() if each not in CAUSES.values()]:
        return f"{str(unknown[0])[:40]!r} is none of the six causes: copy them as they are written."
    if len(set(value.values())) < len(CAUSES):
        return "Each cause belongs to one message, and you have given one of them twice."
    wrong = [letter for letter, cause in CAUSES.items() if value[letter] != cause]
    return _LOOK[wrong[0]] if wrong else ""


def _swapped(one, other):
    return {**CAUSES, one: CAUSES[other], other: CAUSES[one]}


EXERCISES = (
    Exercise(
        id="26.3",
        ask="cut_off(values, scale, zero_point): the share of the values outside of -128 to 127",
        judge=function(_cut_off, _ranges, tolerance=1e-9),
        mistakes=[
            (_ends_too, "−128 and 127 themselves can be stored: only what lies beyond is cut off."),
            (_above_only, "You count what is too large: too small is cut off as well."),
            (
                lambda values, scale, zero_point: _cut_off(values, scale, 0),
                "Move by the zero point before you compare: 0 is stored as zero_point.",
            ),
            (
                lambda values, scale, zero: _cut_off(values * scale**2, scale, zero),
                "The scale is the width of a step: divide by it, do not multiply.",
            ),
            (
                lambda values, scale, zero_point: 1 - _cut_off(values, scale, zero_point),
                "That is the share which fits: the others are asked for.",
            ),
            (_counted, "You count them: a share is their number divided by how many there are."),
        ],
        right="one line that would have saved a product.",
        hints=(
            "np.round(values / scale) + zero_point is where a value lies on the grid.",
            "The mean of an array of True and False is the share of True; `|` joins two of them.",
        ),
    ),
    Exercise(
        id="26.5",
        ask="enough(memory, missing): what to try next, a multiple of 16 with room for both",
        judge=function(_enough, _sizes, whole=True),
        mistakes=[
            (lambda memory, missing: memory + missing, "Is that a multiple of 16?"),
            (
                lambda memory, missing: (memory + missing) // 16 * 16,
                "You round down, and some of the missing bytes are missing again.",
            ),
            (
                lambda memory, missing: ((memory + missing) // 16 + 1) * 16,
                "Where the sum is a multiple of 16 already, nothing has to be added.",
            ),
            (
                lambda memory, missing: -(-missing // 16) * 16,
                "That is the room to add: the memory that was too small counts, too.",
            ),
            (
                lambda memory, missing: memory + -(-missing // 16) * 16,
                "The sum has to be a multiple of 16, not the part that you add.",
            ),
        ],
        right="and no byte more than the alignment asks.",
        hints=(
            "Add first, then go up to the next multiple of 16.",
            "-number % 16 is what number lacks to the next multiple.",
        ),
    ),
    Exercise(
        id="26.7",
        ask="stored(values, scale, zero_point): the int8 numbers that stand for the values",
        judge=function(_stored, _ranges, whole=True),
        mistakes=[
            (_as_floats, "The right numbers, still as floats: change the type last."),
            (
                _wrapped,
                "What is too large comes out at the other end: cut off before you change the type.",
            ),
            (_without_zero, "Where does the zero point come in? 0 is stored as zero_point."),
            (_not_rounded, "Changing the type cuts digits off: round before."),
            (_type_first, "That is the cure from the web: divide by the scale first."),
            (_moved_first, "The zero point counts steps: divide first, then move."),
        ],
        right="right type and right meaning.",
        hints=(
            "np.round(values / scale) counts steps; the zero point is added to that.",
            "np.clip(numbers, low, high) cuts off; .astype(np.int8) comes last.",
        ),
    ),
    Exercise(
        id="26.8",
        ask='causes: a dict from "A" … "F" to the cause of each message',
        judge=checked(
            CAUSES,
            _causes,
            wrong=(
                _swapped("A", "D"),
                _swapped("B", "C"),
                _swapped("C", "E"),
                _swapped("B", "E"),
                _swapped("D", "F"),
                dict.fromkeys(CAUSES, "another type"),
            ),
        ),
        right="you read them as the tools mean them.",
        hints=(
            "Converting knows flex, starting knows custom operations, a chip knows a short list.",
            "Find for each letter the patient who said nearly the same.",
        ),
    ),
)
