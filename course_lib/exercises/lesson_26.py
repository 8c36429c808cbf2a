"""The exercises of lesson 26: what a range cuts off, room, a cure for floats, six causes."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise, Judge, otherwise, when
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


def _not_nearest(rounded):
    return lambda v, s, zero: _cut_off(rounded(v / s) * s, s, zero)


def _ranges(rng):
    """Draw values on both sides of a range, both ends and what lies next to them among them."""
    drawn = []
    for zero_point in (-36, -128, 0, 41, 127):
        scale = float(rng.choice([0.25, 0.5, 0.125]))
        inside = [*rng.integers(-128, 128, 14), -128, -128, 127, 127, 128, 128]
        beside = np.array([-128, 127, -129, 128, -140, 160, 161, 400])
        steps = np.concatenate([inside, beside]) - zero_point
        near = rng.uniform(-0.3, 0.3, steps.size)  # rounding takes it off again
        # and what does not round to the nearest is found out
        near[-14:-8] = [-0.2, -0.2, 0.2, 0.2, -0.2, 0.2]
        near[-8:] = [0, 0, 0, 0, -0.3, 0.3, 0.2, 0.2]
        drawn.append((((steps + near) * scale).reshape(4, 7), scale, zero_point))
    return drawn


# 26.5: the memory to try next


def _enough(memory, missing):
    return memory + missing + -(memory + missing) % 16


def _up(number):
    return -(-number // 16) * 16


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


def _int8(numbers):
    return numbers.astype(np.int64).astype(np.int8)  # whatever lies outside comes out elsewhere


def _between(low, high):
    return lambda *arguments: _int8(np.clip(_grid(*arguments), low, high))


def _inside(got, values, scale, zero_point):
    """Tell whether all is right of which the place lies inside the range."""
    at = _grid(values, scale, zero_point)
    return np.array_equal(got[abs(at) < 127], at[abs(at) < 127])


_BY_VALUE = function(_stored, _ranges, whole=True)


def _grade_stored(arguments, values, mistakes):
    """Judge the values, and then their type: nothing but int8 can be given to the chip."""
    if hint := _BY_VALUE.grade(arguments, values, mistakes):
        return hint
    types = {str(getattr(each, "dtype", "a list")) for each in values} - {"int8"}
    return f"The right numbers, as {types.pop()}: the chip takes int8 alone." if types else ""


# 26.8: six causes

CAUSES = {
    "A": "another shape",
    "B": "needs TensorFlow beside it",
    "C": "needs code of yours",
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


_HALVES = "The range has no equal halves: −128 can be stored, 128 cannot."
_LATE = "Move before you cut off: with the zero point it may lie outside again."
_WEB = "That is the cure from the web: divide by the scale first."


def _causes(value):
    if isinstance(value, (list, tuple)) and len(value) == len(CAUSES):
        value = dict(zip(CAUSES, value, strict=True))  # from A to F, in order
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
            (lambda *a: (_grid(*a) < -128).mean(), "What is too large is cut off as well."),
            (lambda *a: (abs(_grid(*a)) > 127).mean(), _HALVES),
            (lambda *a: (abs(_grid(*a)) > 128).mean(), _HALVES),
            (when(lambda given, value: isinstance(value, bool)),
             "Not whether any is cut off, but which share: .mean(), not .any()."),
            (when(lambda given, value: np.shape(value) == given[0].shape),
             "That says of each value whether it is cut off: its mean is the share."),
            (when(lambda given, value: np.shape(value) != ()),
             "One number for all values: mean() without an axis."),
            (when(lambda given, value: getattr(value, "kind", "") == "ValueError"),
             "`or` asks for one truth value: `|` joins two arrays, each condition in brackets."),
            (lambda values, scale, zero_point: _cut_off(values, scale, 0),
             "Move by the zero point before you compare: 0 is stored as zero_point."),
            (lambda values, scale, zero: _cut_off(values * scale**2, scale, zero),
             "The scale is the width of a step: divide by it, do not multiply."),
            (lambda values, scale, zero: _cut_off(values + zero, scale, 0),
             "The zero point counts steps: divide first, then move."),
            (lambda values, scale, zero_point: 1 - _cut_off(values, scale, zero_point),
             "That is the share which fits: the others are asked for."),
            (_counted, "You count them: a share is their number divided by how many there are."),
            (lambda values, scale, zero: _counted(values, scale, zero) / len(values),
             "len() counts the rows alone: how many numbers stand in all of them?"),
            (lambda v, s, zero: _cut_off(v, s, -zero), "The zero point is added, not taken away."),
            (lambda v, s, zero: ((v / s + zero < -128) | (v / s + zero > 127)).mean(),
             "Round before you compare: 127.3 is stored as 127."),
            (_not_nearest(np.floor), "You round down: the nearest integer is stored."),
            (_not_nearest(np.ceil), "You round up: the nearest integer is stored."),
            (lambda *a: ((_grid(*a) < 0) | (_grid(*a) > 255)).mean(),
             "0 to 255 are the unsigned bytes: an int8 goes from -128 to 127."),
            (_not_nearest(np.trunc), "int cuts digits off: the nearest integer is stored."),
            (lambda *_: 0.0,
             "None at all? Compare before any cast or clip: too small OR too large counts."),
            (otherwise(lambda given, got: 0 <= got < _cut_off(*given)),
             "More are cut off: take np.round(values / scale) + zero_point, and both ends."),
            (otherwise(lambda given, got: _cut_off(*given) < got <= 1),
             "Fewer are cut off: those of np.round(values / scale) + zero_point alone."),
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
            (lambda memory, missing: (memory + missing) // 16 * 16,
             "You round down, and some of the missing bytes are missing again."),
            (lambda memory, missing: ((memory + missing) // 16 + 1) * 16,
             "Where the sum is a multiple of 16 already, nothing has to be added."),
            (lambda memory, missing: -(-missing // 16) * 16,
             "That is the room to add: the memory that was too small counts, too."),
            (lambda memory, missing: memory + -(-missing // 16) * 16,
             "The sum has to be a multiple of 16, not the part that you add."),
            (lambda a, m: _up(a) + m, "The sum has to be a multiple of 16, not the memory alone."),
            (lambda a, m: float(_up(a + m)), "The right size as a float: bytes are whole, use //."),
            (lambda a, m: a + m + 16, "16 more is no multiple of 16: go up to the next one."),
            (lambda a, m: round((a + m) / 16) * 16,
             "The nearest multiple may lie below: then bytes are missing again."),
            (lambda a, m: _up(a + m) // 16, "So many times 16 bytes: how many bytes is that?"),
            (lambda a, m: a + m + (a + m) % 16,
             "The rest lies above a multiple. What lacks to the next one is 16 less it."),
            (lambda a, m: _up(a - m), "What is missing is added to the memory."),
            (when(lambda given, value: value < sum(given)),
             "That is too little: memory and what is missing both have to fit in."),
            (when(lambda given, value: value % 16 == 0 and value > _enough(*given)),
             "More than it needs: add first, and go up once, to the *next* multiple of 16."),
            (lambda a, m: 2 * a, "Do not guess: the message says how many bytes are missing."),
            (otherwise(lambda given, value: value % 16),
             "Is that a multiple of 16? Divide, round up, and multiply: the sum, not a part."),
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
        judge=Judge(_stored, _grade_stored, _ranges),
        mistakes=[
            (_as_floats, "The right numbers, still as floats: change the type last."),
            (_wrapped,
             "What is too large comes out at the other end: cut off before you change the type."),
            (_without_zero, "Where does the zero point come in? 0 is stored as zero_point."),
            (_not_rounded, "Changing the type cuts digits off: round before."),
            (_type_first, _WEB),
            (lambda v, s, zero: _int8(v), _WEB),
            (_moved_first, "The zero point counts steps: divide first, then move."),
            (lambda v, s, zero: _int8(np.clip(np.round(v / s), -128, 127) + zero), _LATE),
            (lambda v, s, zero: np.clip(np.round(v / s), -128, 127) + zero, _LATE),
            (lambda v, s, zero: _stored(v * s**2, s, zero),
             "The scale is the width of a step: divide by it, do not multiply."),
            (lambda v, s, zero: _stored(v, s, -zero), "The zero point is added, not taken away."),
            (lambda *arguments: np.clip(_grid(*arguments), 0, 255),
             "From 0 to 255, that is uint8: an int8 goes from −128 to 127."),
            (_between(-127, 127), "−128 can be stored, too: only weights leave it unused."),
            (_between(-128, 128),
             "128 is no int8, and comes out at the other end: 127 is the last."),
            (_between(-128, 10**6), "You cut off below only: what is too large comes out below."),
            (_between(-(10**6), 127), "You cut off above only: what is too small comes out above."),
            (lambda v, s, zero: _stored(np.floor(v / s) * s, s, zero),
             "You round down: the nearest integer is stored."),
            (lambda v, s, z: _stored(np.ceil(v / s) * s, s, z), "You round up: take the nearest."),
            (lambda v, s, z: _stored(np.trunc(v / s) * s, s, z), "int cuts digits off: round."),
            (lambda v, s, zero: _int8(np.clip((v - zero) * s, -128, 127)),
             "That is the way back, from a stored number to what it stands for."),
            (when(lambda given, value: np.shape(value) not in ((), given[0].shape)),
             "The array keeps its shape: too large becomes 127, too small −128."),
            (otherwise(lambda given, got: _inside(got, *given)),
             "Right inside the range: what lies outside becomes −128 or 127, at its own end."),
            (otherwise(lambda given, got: got.shape == given[0].shape),
             "Divide by scale, round, add zero_point, clip: one of these is missing or moved."),
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
)  # fmt: skip
