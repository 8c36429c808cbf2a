"""Lesson 03: recall, the weights of a convolution, a step."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise
from course_lib.exercises.judges import function


def _recall(confusion, label):
    row = confusion[label]
    return row[label] / sum(row)


def _confusion_inputs(rng):
    return [(rng.integers(1, 50, (4, 4)).tolist(), int(label)) for label in (0, 1, 2, 3, 2)]


def _weights(height, width, channels_in, channels_out):
    return height * width * channels_in * channels_out


def _weight_inputs(rng):
    return [(5, 5, 1, 12), *(tuple(int(n) for n in rng.integers(2, 30, 4)) for _ in range(5))]


def _step(weight, gradient, rate):
    return weight - rate * gradient


def _step_inputs(rng):
    """Draw arrays, and rates of which none is 1."""
    shapes = [(3,), (2, 2), (4,), (1, 3)]
    return [(rng.normal(size=s), rng.normal(size=s), float(rng.uniform(0.1, 0.6))) for s in shapes]


EXERCISES = (
    Exercise(
        id="3.2",
        ask="recall(confusion, label): of the clips of a label, the share that was found",
        judge=function(_recall, _confusion_inputs, tolerance=1e-6),
        mistakes=[
            (
                lambda confusion, n: confusion[n][n] / sum(row[n] for row in confusion),
                "You divide by the column: of what was heard so. Recall asks the row.",
            ),
            (
                lambda confusion, n: confusion[n][n] / sum(map(sum, confusion)),
                "You divide by all clips: recall looks at one row only.",
            ),
            (
                lambda confusion, _: np.trace(confusion) / np.sum(confusion),
                "That is the accuracy of all labels together: recall looks at one row.",
            ),
            (lambda confusion, n: confusion[n][n], "That is a count. What share of its row is it?"),
            (
                lambda confusion, n: confusion[n][n] / (sum(confusion[n]) - confusion[n][n]),
                "Those that were right belong to the sum of the row, too.",
            ),
        ],
        right="a row says what became of the clips of one label.",
        hints=(
            "Row `label` holds all clips that really are of this label.",
            "The one on the diagonal was right: divide it by the sum of its row.",
        ),
    ),
    Exercise(
        id="3.3",
        ask="kernel_weights(height, width, channels_in, channels_out): weights of a convolution",
        judge=function(_weights, _weight_inputs, whole=True),
        mistakes=[
            (
                lambda h, w, i, o: h * w * o,
                "Each filter looks at every channel that comes in, not at one of them.",
            ),
            (
                lambda h, w, i, o: h * w * i * o + o,
                "You added a bias for each filter: these layers have none.",
            ),
            (lambda h, w, i, o: h * w * i, "That is one filter. How many are there?"),
            (lambda h, w, i, o: h * w, "That is one filter on one channel: how many of both?"),
            (
                lambda h, w, i, o: h * w * (i + o),
                "Channels multiply: every one that goes out has weights for every one "
                "that comes in.",
            ),
        ],
        right="the size of the picture does not matter: the same weights slide over all of it.",
        hints=(
            "One filter covers height x width places and all channels that come in.",
            "There is one filter for each channel that goes out.",
        ),
    ),
    Exercise(
        id="3.4",
        ask="step(weight, gradient, rate): the weight after one step against its gradient",
        judge=function(_step, _step_inputs, tolerance=1e-6),
        mistakes=[
            (
                lambda weight, gradient, rate: weight + rate * gradient,
                "That way the loss grows: the gradient points uphill.",
            ),
            (
                lambda weight, gradient, rate: weight - gradient,
                "That is a step at rate 1: how far does `rate` let it go?",
            ),
            (
                lambda weight, gradient, rate: rate * gradient,
                "That is how far the weight moves. Where does it arrive?",
            ),
            (
                lambda weight, gradient, rate: -rate * gradient,
                "That is how far the weight moves. Where does it arrive?",
            ),
            (
                lambda weight, gradient, rate: rate * (weight - gradient),
                "The rate belongs to the gradient alone: the weight stays whole.",
            ),
            (
                lambda weight, gradient, rate: weight - gradient / rate,
                "You divide by the rate: a small rate would make a large step.",
            ),
            (
                lambda weight, gradient, rate: weight - rate * np.sign(gradient),
                "You use the sign of the gradient only: a steep slope moves further.",
            ),
            (
                lambda weight, gradient, rate: gradient - rate * weight,
                "Weight and gradient changed places.",
            ),
            (
                lambda weight, gradient, rate: weight - rate,
                "Every weight moves equally far here: where is its gradient?",
            ),
            (
                lambda weight, gradient, rate: weight * (1 - rate * gradient),
                "The step does not depend on the weight: subtract, and multiply nothing by it.",
            ),
        ],
        right="thousands of such steps are a training.",
        hints=(
            "The gradient points to where the loss grows: go the other way.",
            "How far? The gradient, made smaller by the rate.",
        ),
    ),
)
