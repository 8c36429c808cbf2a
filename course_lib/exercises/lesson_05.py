"""The exercises of lesson 05: what freezing replaces, a norm folded away, a form for each job."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, items


def _fold(kernel, gamma, beta, mean, variance, epsilon, power=0.5):
    """Return a convolution's kernel and bias with its normalisation worked in."""
    scale = gamma / (variance + epsilon) ** power
    return kernel * scale, beta - mean * scale


def _layers(rng):
    """Draw a kernel (2, 3, 1, channels) and the four vectors of its batch normalisation."""
    cases = []
    for channels in (1, 2, 4):
        four = [rng.uniform(0.5, 2, channels), *rng.normal(size=(2, channels))]
        variance = rng.uniform(0.01, 3, channels)
        cases.append((rng.normal(size=(2, 3, 1, channels)), *four, variance, 0.02))
    return cases


EXERCISES = (
    Exercise(
        id="5.2",
        ask="became: what a variable's Placeholder and its ReadVariableOp became, in this order",
        judge=items(["Const", "Identity"]),
        mistakes=[
            (["Identity", "Const"], "Swapped: which of the two can hold 1,200 bytes?"),
            (
                ["Const", "Const"],
                "One constant for each variable: what does the second node still do?",
            ),
            (
                ["Const", "ReadVariableOp"],
                "There is nothing left to read: look at the table's third column.",
            ),
            (["Placeholder", "Identity"], "Only one Placeholder is left: for the features."),
        ],
        right="values in the graph, and a read that only passes them on.",
        hints=("Two rows of the table grow from “program” to “frozen”.",),
    ),
    Exercise(
        id="5.3",
        ask="fold(kernel, gamma, beta, mean, variance, epsilon): the new kernel and the new bias",
        judge=function(_fold, _layers, tolerance=1e-5),
        mistakes=[
            (lambda *a: _fold(*a, power=1), "You divide by the variance: which root is missing?"),
            (
                lambda k, g, b, m, v, e: _fold(k, g, b, m, v, 0),
                "Where is epsilon? It stands under the root, beside the variance.",
            ),
            (
                lambda k, g, b, m, v, e: (
                    k * g / (np.sqrt(v) + e),
                    b - m * g / (np.sqrt(v) + e),
                ),
                "You add epsilon behind the root: it stands under it, beside the variance.",
            ),
            (
                lambda k, g, b, m, v, e: _fold(k, 1, b, m, v, e),
                "gamma stretches the kernel as well: where did it go?",
            ),
            (
                lambda k, g, b, m, v, e: _fold(k, g, b, -m, v, e),
                "The mean is subtracted: look at its sign.",
            ),
            (
                lambda k, g, b, m, v, e: (_fold(k, g, b, m, v, e)[0], (b - m) * g / np.sqrt(v + e)),
                "beta is added after the scaling: do not scale it.",
            ),
            (
                lambda k, g, b, m, v, e: (_fold(k, g, b, m, v, e)[0], b - m),
                "The mean passes through the same scale as the kernel.",
            ),
            (
                lambda k, g, b, m, v, e: (_fold(k, g, b, m, v, e)[0], b),
                "Subtracting the mean shifts the result: what of that?",
            ),
            (
                when(lambda arguments, value: not isinstance(value, (tuple, list))),
                "Two things come back, the kernel and the bias: return a, b.",
            ),
        ],
        right="a multiplication and an addition, paid for once and not at every clip.",
        hints=(
            "gamma * (x - mean) / sqrt(variance + epsilon) + beta is scale * x + bias.",
            "scale = gamma / np.sqrt(variance + epsilon); the last axis of a kernel is channels.",
        ),
    ),
    Exercise(
        id="5.5",
        ask="take: the form for jobs A, B, C and D",
        judge=items(["frozen graph", "checkpoint", "SavedModel", "TFLite"]),
        mistakes=[
            (
                ["SavedModel", "checkpoint", "frozen graph", "TFLite"],
                "A asks for one file, C for something that can learn: A and C are swapped.",
            ),
            (
                ["frozen graph", "SavedModel", "checkpoint", "TFLite"],
                "B has the code and wants to go on every hour; C has no code: swapped.",
            ),
            (
                ["SavedModel", "checkpoint", "SavedModel", "TFLite"],
                "A asks for one file, and a SavedModel is a folder.",
            ),
            (
                ["frozen graph", "checkpoint", "Keras file", "TFLite"],
                "C wants to do without Python: a Keras file runs in nothing else.",
            ),
            (
                ["TFLite", "checkpoint", "SavedModel", "frozen graph"],
                "A runs in TensorFlow, D in LiteRT: which form does each accept?",
            ),
            (
                ["checkpoint", "frozen graph", "SavedModel", "TFLite"],
                "B wants to train on, and a frozen graph has nothing to train.",
            ),
        ],
        right="each job has its form, and you tried them all.",
        hints=("Read the table of trials row by row: each job names two of its columns.",),
    ),
)
