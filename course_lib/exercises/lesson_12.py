"""The exercises of lesson 12: a plan for two workers, a step of two replicas, a layer."""

from __future__ import annotations

import numpy

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import array, checked, number
from course_lib.exercises.material import SHARED
from course_lib.graph.scheduling import Schedule, ScheduleError, run_plan, schedule

_PLAN = [["ant", "cat", "fox", "gnu"], ["bee", "dog", "elk"]]  # the longest path, and the rest


def _plan(value: object) -> str:
    """Judge a plan for two workers: possible, and as short as it can be."""
    rows = value if isinstance(value, (list, tuple)) else ()
    if len(rows) != 2 or not all(
        isinstance(row, (list, tuple)) and all(isinstance(name, str) for name in row)
        for row in rows
    ):
        return 'Give two lists of names, one for each worker: [["ant", …], ["bee", …]].'
    try:
        run = run_plan(SHARED, rows)
    except ScheduleError as error:
        return str(error)
    best = schedule(SHARED, 2).length
    if run.length == len(SHARED.operations):
        return "Seven steps: that is no faster than one worker. Let both begin at once."
    if run.length > best:
        return f"{run.length:g} steps, and {best:g} are possible. {_waits(run)}"
    return ""


def _waits(run: Schedule) -> str:
    """Say which operation of the longest path waits for another one."""
    tasks = {task.name: task for task in run.tasks}
    now = 0.0
    for name in _PLAN[0]:
        if tasks[name].start > now:
            begins = f"after {tasks[name].start:g} steps"
            return f"{name} could begin after {now:g} steps and begins {begins}: why?"
        now = tasks[name].end
    return "Which operation waits although a worker is free?"


EXERCISES = (
    Exercise(
        id="12.1",
        ask="plan: two lists of names, what each of two workers does in order",
        judge=checked(
            _PLAN,
            _plan,
            wrong=(
                [["ant", "bee", "cat", "dog", "elk", "fox", "gnu"], []],
                [["bee", "elk", "cat", "fox", "gnu"], ["ant", "dog"]],
                [["cat", "ant", "fox", "gnu"], ["bee", "dog", "elk"]],
                [["ant", "cat", "fox", "gnu"], ["bee", "dog"]],
            ),
        ),
        right="as short as the longest path allows: a third worker could not help.",
        hints=(
            "Two paths are the longest: ant, cat, fox, gnu, and ant, dog, fox, gnu.",
            "One worker can do nothing but a longest path.",
        ),
    ),
    Exercise(
        id="12.2",
        ask="weights: the two weights of both workers after one step",
        judge=array([0.8, 0.6], tolerance=1e-6),
        mistakes=[
            ([0.6, 0.2], "You added the gradients; an all-reduce by mean halves the sum."),
            ([1.2, 1.4], "A step goes against the gradient: minus."),
            ([0.7, 1.1], "That is worker 1 alone: both take the same step."),
            ([2.0, 4.0], "That is the mean gradient; now take the step with it."),
            ([-1.0, -3.0], "You take the whole gradient as the step: multiply by the rate."),
            ([0.2, 0.4], "That is the step itself: take it away from the weights."),
            ([0.9, 0.8], "You halve twice: the mean of the gradients is [2, 4] already."),
            ([0.9, 0.1], "That is worker 2 alone: both take the same step."),
            ([0.6, 0.8], "The two weights have changed places."),
            *(
                (each, "You took the mean of one worker's two gradients: take it weight by weight.")
                for each in ([1.0, 5.0], [0.9, 0.5])
            ),
            ([-0.2, -0.4], "That is how far each weight moves: add it to the weight of 1."),
            ([4.0, 8.0], "That is the sum of the gradients: halve it, then take the step."),
            ([1.4, 1.8], "A step goes against the gradient, and by the mean, not by the sum."),
            ([3.0, 5.0], "Against the gradient, and times the rate."),
            ([0.98, 0.96], "The rate is 0.1, not 0.01."),
            ([0.7, 0.7], "One mean for each weight, not one for all four gradients."),
            ([1.0, 1.0], "Nothing has moved: give all digits, and take the step."),
            ([0.9, 1.5], "A mean adds, then halves: 3 and 1, −1 and 9."),
            ([0.8, 0.5], "−1 has a minus: −1 + 9 is 8."),
            ([[0.8, 0.6], [0.8, 0.6]], "Right, and the same for both workers: give it once."),
            (
                when(lambda value: numpy.shape(value) == (2, 2)),
                "After the all-reduce both have the same gradient, and the same weights: give one.",
            ),
            (
                when(lambda value: numpy.shape(value) == (2,)),
                "For each weight: the mean of its two gradients, times 0.1, is taken from 1.",
            ),
        ],
        right="both workers have the same weights again, as if they were one.",
        hints=("The mean of the two gradients first, weight by weight.", "weight − rate × mean"),
    ),
    Exercise(
        id="12.6",
        ask="products: how many products one run of the layer takes",
        judge=number(28 * 4),
        mistakes=[
            (28, "That is for one output. Each of them has weights of its own."),
            (32, "Each input meets every output: is that a sum?"),
            (4, "One for each output? Each of them multiplies every input."),
            (
                8,
                "Those are lines: half are the relu, the others stand in loops and run often.",
            ),
            (7, "Those are instructions, and some stand in loops: each runs more than once."),
            (108, "Every one of the 28 inputs is multiplied, the first one, too."),
            (28 * 28, "28 inputs, but only 4 outputs: each input meets each output."),
            (2 * 28 * 4, "Count the products alone: the additions are not asked."),
            (28 * 4 + 4, "The one number more of each output is added, not multiplied."),
            (
                when(lambda value: value > 28 and value % 28 == 0 and value < 200),
                "28 for each output, that is right: how many outputs are there?",
            ),
            (
                when(lambda value: 0 <= value < 28),
                "Not the lines of the list, which stand in loops: count for inputs and outputs.",
            ),
            (
                when(lambda value: value > 28),
                "Each input is multiplied once for each output: how many of both are there?",
            ),
        ],
        right="a handful of instructions, and loops: that is how a layer fits into a small chip.",
        hints=("How many products does one output take?",),
    ),
)
