"""The exercises of lesson 02: what graphs make possible."""

from __future__ import annotations

from course_lib import spotter
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import checked, function, number
from course_lib.graph import evaluate, span
from course_lib.graph.trace import TraceError, from_source

WEIGHTS = spotter.facts().trained
_BOTH_SIDES = "That is for steps to both sides; here each weight takes one."
_LETTERS = "abcdefgh"
_BALANCED = "((a + b) + (c + d)) + ((e + f) + (g + h))"


def _shallow(value: object) -> str:
    """Judge a formula for the sum of eight letters: the same sum, in three levels."""
    if not isinstance(value, str):
        return 'Give the formula as a text in quotes, such as "(a + b) + c".'
    if "sum(" in value:
        return "Write every addition with a + of its own: each becomes a node of the graph."
    if "=" in value or "return" in value:
        return "Give the formula alone: what stands behind the = or the return."
    try:
        formula = " ".join(value.split())  # it may be written in several lines
        graph = from_source(f"def total({', '.join(_LETTERS)}):\n    return {formula}")
    except TraceError as error:
        return f"This formula cannot be drawn: it {error.problem}."
    if {node.operation for node in graph.operations} - {"Add"}:
        return "Only additions are asked here."
    # a digit of its own for each letter: the sum tells which one is missing or stands twice
    feed = {letter: float(10**place) for place, letter in enumerate(_LETTERS)}
    total = evaluate(graph, feed)[graph.outputs[0]]
    if total != sum(feed.values()):
        digits = str(int(total)).zfill(8)[::-1]
        odd = [x for x, digit in zip(_LETTERS, digits, strict=False) if digit != "1"] or ["h"]
        if len(odd) == len(_LETTERS):
            return "Add up the letters a to h, each of them once."
        return f"The sum is not right: look at {' and '.join(odd)}."
    if span(graph) == 7:
        return "Seven levels: every + waits for the one before it. Where can you start anew?"
    if span(graph) > 3:
        return f"{span(graph)} levels: some + still waits without need. Halve, halve again."
    return ""


def _divide(a, b, upstream):
    return upstream / b, -upstream * a / b**2


def _numbers(rng):
    return [tuple(float(x) / 4 for x in rng.integers(4, 17, 3)) for _ in range(8)]


EXERCISES = (
    Exercise(
        id="2.2",
        ask="remaining: how many of the seven operations Grappler leaves",
        judge=number(4),
        mistakes=[
            (7, "That would mean it changes nothing: does every result get read?"),
            (6, "One falls away because nobody reads it. Look for work that is done twice."),
            (
                5,
                "Unread, known beforehand, computed twice: three reasons. Which have you not used? "
                "(Where you measured it: the Identity at the exit is no operation.)",
            ),
            (8, "That counts nodes. Asked are operations: inputs and the exit are none."),
            (12, "That counts the nodes of the graph as it is written: how many operations stay?"),
            (
                when(lambda value: 0 <= value < 2),
                "There every number was known beforehand. Here a and b come when the graph runs.",
            ),
            (when(lambda value: value > 7), "There were seven: Grappler adds none."),
            (when(lambda value: value < 0), "Count what is left, not what falls away."),
            (2, "Two too few: left - b and right + scale are two, and both are multiplied."),
            (3, "One too few: left - b and right + scale are not the same."),
        ],
        right="unread, done twice, known in advance: three reasons to fall away.",
        hints=("Which value is never read?", "Which line repeats another?", "Which is a constant?"),
    ),
    Exercise(
        id="2.3",
        ask="formula: a text in quotes that adds a to h in three levels",
        judge=checked(
            _BALANCED,
            _shallow,
            wrong=(
                "a + b + c + d + e + f + g + h",
                "((a + b) + (c + d)) + (e + f + g + h)",
                "(a + b) + (c + d)",
            ),
        ),
        right="seven additions, three levels: with enough workers, less than half of the time.",
        hints=("Which letters could be added at the very first moment?",),
    ),
    Exercise(
        id="2.4",
        ask="divide_back(a, b, upstream): what a and b get from a / b",
        judge=function(_divide, _numbers, tolerance=1e-9),
        mistakes=[
            (lambda a, b, u: (u / b, u * a / b**2), "A larger b makes a / b smaller: a sign?"),
            (
                lambda a, b, u: (1 / b, -a / b**2),
                "And `upstream`? Multiply by it.",
            ),
            (lambda a, b, u: (u / b, -u * a / b * 2), "b squared is b**2: you multiply by 2."),
            (lambda a, b, u: (u / b, -u * a / (2 * b)), "b squared is b**2, not twice b."),
            (lambda a, b, u: (u / b, -u * a / b), "The derivative of 1/b is −1/b²."),
            (lambda a, b, u: (-u * a / b**2, u / b), "The first value belongs to a."),
            (lambda a, b, u: (u * b, u * a), "That is the rule of a product."),
            (
                lambda a, b, u: (u * b, -u * a),
                "You multiply as a product does: what does a / b do when a grows by 1?",
            ),
            (lambda a, b, u: (u / b, -u / b**2), "And a? The second slope is a × (−1/b²)."),
            (
                lambda a, b, u: (u + 1 / b, u - a / b**2),
                "Times, not plus: what came from the result is multiplied by the slope.",
            ),
            (lambda a, b, u: (u, u), "That is the rule of a sum."),
            (lambda a, b, u: (u, -u), "That is the rule of a difference."),
            (lambda a, b, u: (u // b, -u * a // b**2), "// rounds down: divide by /."),
            (lambda a, b, u: (u / b, -u * b / a**2), "In the second, a and b changed places."),
            (lambda a, b, u: (u / a, -u * b / a**2), "a is above the line, b below it."),
            (lambda a, b, u: u / b, "Return two values: what a gets, and what b gets."),
            (
                lambda a, b, u: (u / b, u / a),
                "The second is no mirror image of the first: b stands below the line.",
            ),
        ],
        right="the rule that the walk used at `res`.",
        hints=("a / b is a × (1/b): what does a small step of a do?", "d(1/b) = −1/b² db"),
    ),
    Exercise(
        id="2.6",
        ask="runs: forward runs for the slopes of all these weights by small steps",
        judge=number(WEIGHTS + 1),
        mistakes=[
            (WEIGHTS, "Each weight has its run. With what is its loss compared?"),
            (2 * WEIGHTS, _BOTH_SIDES),
            (2 * WEIGHTS + 1, _BOTH_SIDES),
            (
                when(lambda value: 0 <= value - spotter.facts().weights <= 1),
                "Some of these numbers are stored and not trained: facts().trained counts others.",
            ),
            (WEIGHTS - 1, "One more than there are weights, not one fewer: why?"),
            (WEIGHTS + 2, "The loss as it is needs one run, and no second one."),
            (
                when(lambda value: 0 < abs(value - WEIGHTS - 1) < 100),
                "Nearly: exactly one run for each weight, and what else?",
            ),
            (
                when(lambda value: 2 * WEIGHTS < value <= 1000 * WEIGHTS),
                "Every weight costs one run, not several: of how many weights?",
            ),
            (when(lambda value: value > 1000 * WEIGHTS), "That counts operations, not runs."),
            (
                when(lambda value: 302 <= value < WEIGHTS),
                "Those are fewer than the weights: spotter.facts().trained, and what else?",
            ),
            (300, "That is for 300 numbers, and one run is missing even there."),
            (301, "That is for 300 numbers: how many weights does lesson 03 train?"),
            (2, "That is what the walk back needs: one run forward, one back."),
            (1, "One run gives the loss, but no slope yet."),
            (
                when(lambda value: 0 <= value < 300),
                "Each weight costs a run of its own: how many weights does lesson 03 train?",
            ),
        ],
        right="the walk back needs one run and one walk, however many weights there are.",
        hints=("Move one weight, run, compare. And then the next.",),
    ),
)
