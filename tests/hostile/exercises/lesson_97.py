"""The exercises of the lesson that the grader's tests hand in."""

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import choice, function, items, number


def _double(x):
    return 2 * x


def _totals(array):
    return array.sum(axis=1)


EXERCISES = (
    Exercise(
        "97.1",
        "cells: how many cells `table` has",
        number(6, whole=True, mistakes=[(2, "those are the rows"), (3, "the columns")]),
        6,
        "two rows of three.",
        ("rows times columns",),
    ),
    Exercise(
        "97.2",
        "double(x): twice x",
        function(
            _double,
            lambda rng: [(int(x),) for x in rng.integers(3, 999, 6)],
            [
                (lambda x: x * x, "that is the square"),
                (lambda x: x, "unchanged"),
                (lambda x: -2 * x, "sign"),
            ],
        ),
        _double,
        "x + x.",
        ("add it to itself",),
    ),
    Exercise(
        "97.3",
        "complete: which file is complete",
        choice(
            "frozen",
            ("frozen", "checkpoint", "folder"),
            {"checkpoint": "it has no graph", "folder": "that is many files"},
        ),
        "frozen",
        "one file has it all.",
        ("read on",),
    ),
    Exercise(
        "97.4",
        "totals(array): the sum of every row",
        function(
            _totals,
            lambda rng: [(rng.integers(0, 9, (int(n), 4)),) for n in rng.integers(2, 9, 4)],
            [
                (lambda array: array.sum(axis=0), "wrong axis"),
                (lambda array: array.mean(axis=1), "the mean"),
            ],
        ),
        _totals,
        "axis 1 goes away.",
        ("axis",),
    ),
    Exercise(
        "97.5",
        "order: the order of the steps",
        items(["add", "divide"], [(["divide", "add"], "backwards"), (["add"], "one lacks")]),
        ["add", "divide"],
        "inputs first.",
        ("inputs first",),
    ),
)
