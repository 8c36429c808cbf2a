"""An exercise that no lesson asks, with a right answer and a wrong one."""

from __future__ import annotations

from course_lib.exercises import judges
from course_lib.exercises.core import Exercise, when


def follow(data, position):
    return position + int.from_bytes(data[position : position + 4], "little")


def backwards(data, position):
    return position + int.from_bytes(data[position : position + 4], "big")


def _inputs(rng):
    return [(rng.bytes(12), int(place)) for place in rng.integers(0, 8, size=6)]


FOLLOW = Exercise(
    id="6.2",
    ask="follow(data, position): the place pointed to",
    judge=judges.function(follow, _inputs, whole=True),
    mistakes=[
        (backwards, "backwards"),
        (lambda data, place: follow(data, place) - place, "jump"),
        (when(lambda arguments, value: value < 0), "sign"),
    ],
    right="four bytes.",
    hints=("first", "second"),
)
