"""The exercises of the lesson that the grader's tests hand in."""

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import choice, function, items, number


def _double(x):
    return 2 * x


def _totals(array):
    return array.sum(axis=1)


EXERCISES = (
    Exercise(
        id="97.1",
        ask="cells: how many cells `table` has",
        judge=number(6),
        mistakes=[(2, "those are the rows"), (3, "the columns")],
        right="two rows of three.",
        hints=("rows times columns",),
    ),
    Exercise(
        id="97.2",
        ask="double(x): twice x",
        judge=function(_double, lambda rng: [(int(x),) for x in rng.integers(3, 999, 6)]),
        mistakes=[
            (lambda x: x * x, "that is the square"),
            (lambda x: x, "unchanged"),
            (lambda x: -2 * x, "sign"),
        ],
        right="x + x.",
        hints=("add it to itself",),
    ),
    Exercise(
        id="97.3",
        ask="complete: which file is complete",
        judge=choice("frozen", ("frozen", "checkpoint", "folder")),
        mistakes=[("checkpoint", "it has no graph"), ("folder", "that is many files")],
        right="one file has it all.",
        hints=("read on",),
    ),
    Exercise(
        id="97.4",
        ask="totals(array): the sum of every row",
        judge=function(
            _totals, lambda rng: [(rng.integers(0, 9, (int(n), 4)),) for n in rng.integers(2, 9, 4)]
        ),
        mistakes=[
            (lambda array: array.sum(axis=0), "wrong axis"),
            (lambda array: array.mean(axis=1), "the mean"),
        ],
        right="axis 1 goes away.",
        hints=("axis",),
    ),
    Exercise(
        id="97.5",
        ask="order: the order of the steps",
        judge=items(["add", "divide"]),
        mistakes=[(["divide", "add"], "backwards"), (["add"], "one lacks")],
        right="inputs first.",
        hints=("inputs first",),
    ),
)
