"""The exercises of lesson 05: what freezing replaces, a norm folded away, a form for each job."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.answers import Raised
from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import function, items


def _fold(kernel, gamma, beta, mean, variance, epsilon, power=0.5):
    """Return a convolution's kernel and bias with its normalisation worked in."""
    scale = gamma / (variance + epsilon) ** power
    return kernel * scale, beta - mean * scale


def _parts(kernel, scale, beta, mean):
    return kernel * scale, beta - mean * scale


def _took_the_mean_off(arguments, value):
    """Tell whether an answer applied the formula for `x` to the kernel, with or without beta."""
    kernel, gamma, beta, mean, variance, epsilon = map(np.asarray, arguments)
    moved = gamma * (kernel - mean) / np.sqrt(variance + epsilon)
    got = value[0] if isinstance(value, (tuple, list)) else value
    return any(
        np.shape(got) == moved.shape and np.allclose(got, each) for each in (moved, moved + beta)
    )


def _error(value):
    """Return what an answer raised, as a text; nothing where it raised nothing."""
    return str(value) if isinstance(value, Raised) else ""


def _layers(rng):
    """Draw a kernel (2, 3, 1, channels) and the four vectors of its batch normalisation."""
    cases = []
    for channels in (1, 2, 4):
        four = [rng.uniform(0.5, 2, channels), *rng.normal(size=(2, channels))]
        variance = rng.uniform(0.01, 3, channels)
        cases.append((rng.normal(size=(2, 3, 1, channels)), *four, variance, 0.02))
    return cases


_FORMS = ("frozen graph", "checkpoint", "SavedModel", "TFLite")


def _letters(name):
    return "".join(each for each in str(name).lower() if each.isalpha())


_KERNELS = {  # what becomes of the kernel, given the scale and the variance; the hint
    lambda k, scale, variance: k / np.sqrt(variance): "gamma stretches the kernel as well.",
    lambda k, scale, variance: k + scale: "Scaling multiplies: add nothing to the kernel.",
    lambda k, scale, variance: k * scale.mean(): "Each channel has a scale of its own: no mean.",
}

EXERCISES = (
    Exercise(
        id="5.2",
        ask="became: a list of two, what the Placeholder and the ReadVariableOp became",
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
            (
                when(lambda value: [str(each).lower() for each in value] == ["const", "identity"]),
                "That is it: now write both as the table does, with its capitals.",
            ),
            (["Placeholder", "ReadVariableOp"], "That is what they were: what are they now?"),
            (["Identity", "Identity"], "And which node holds the values?"),
            (
                when(lambda value: len(value) == 1),
                "Two names: what the Placeholder became, and what the ReadVariableOp became.",
            ),
            (
                when(lambda value: len(value) == 2 and value[0] == "Const"),
                "The first is right. The second node is still there and passes the value on: "
                "which other row grew?",
            ),
            (
                when(lambda value: len(value) == 2 and value[1] == "Identity"),
                "The second is right. What holds the values now? Write it as the table does.",
            ),
            (
                when(lambda value: len(value) == 2),
                "Compare two columns, before and after freezing: which two rows grew?",
            ),
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
            *(
                (
                    lambda k, g, b, m, v, e, wrong=wrong: (
                        wrong(k, g / np.sqrt(v + e), v + e),
                        _fold(k, g, b, m, v, e)[1],
                    ),
                    words,
                )
                for wrong, words in _KERNELS.items()
            ),
            (
                lambda k, g, b, m, v, e: _fold(k, g, b, m, v, -e),
                "epsilon is added to the variance, under the root.",
            ),
            (
                lambda *a: _fold(*a, power=2),
                "The square root, the power 0.5, undoes the square of a variance: no **2.",
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
                lambda k, g, b, m, v, e: _parts(k, g / np.sqrt(v) + e, b, m),
                "You add epsilon behind the root: it stands under it, beside the variance.",
            ),
            (
                when(lambda arguments, value: _took_the_mean_off(arguments, value)),
                "The formula is for `x`, which the convolution gives: a kernel is only scaled, "
                "and all that is added or taken off goes into the bias.",
            ),
            (
                when(lambda arguments, value: "math" in _error(value) or "scalar" in _error(value)),
                "math.sqrt takes one number, and these are arrays: np.sqrt takes them all.",
            ),
            (
                when(lambda arguments, value: isinstance(value, np.ndarray) or len(value) > 2),
                "Two things come back, the kernel and the bias: return a, b.",
            ),
            (
                when(lambda arguments, value: [np.ndim(each) for each in value] == [1, 4]),
                "Swapped: first the kernel, then the bias.",
            ),
            (
                when(lambda arguments, value: np.array_equal(value[0], arguments[0])),
                "Your kernel is the old one: gamma and the root scale it, too.",
            ),
            (
                lambda k, g, b, m, v, e: (_fold(k, g, b, m, v, e)[0], -_fold(k, g, b, m, v, e)[1]),
                "Your bias has the wrong sign: beta is added, the mean taken off.",
            ),
            (
                lambda k, g, b, m, v, e: (_fold(k, g, b, m, v, e)[0], b - g * m),
                "The mean is divided by the root as well.",
            ),
            (
                lambda k, g, b, m, v, e: (_fold(k, g, b, m, v, e)[0], b - m / np.sqrt(v + e)),
                "gamma stretches the mean as well.",
            ),
            (
                lambda k, g, b, m, v, e: _fold(k, g, 0 * b, m, v, e),
                "beta is added at the end: it belongs to the bias.",
            ),
            (
                lambda k, g, b, m, v, e: (
                    _fold(k, g, b, m, v, e)[0] + b,
                    _fold(k, g, 0 * b, m, v, e)[1],
                ),
                "In the kernel, beta would be multiplied by every input: it belongs to the bias.",
            ),
            (
                lambda k, g, b, m, v, e: _parts(k, g * np.sqrt(v + e), b, m),
                "You multiply by the root: the formula divides by it.",
            ),
            *(
                (wrong, "The kernel is multiplied by gamma, and divided by the root: both at once.")
                for wrong in (
                    lambda k, g, b, m, v, e: (k * g, _fold(k, g, b, m, v, e)[1]),
                    lambda k, g, b, m, v, e: (k * g, b - m * g),
                    lambda k, g, b, m, v, e: (
                        k / g * np.sqrt(v + e),
                        _fold(k, g, b, m, v, e)[1],
                    ),
                )
            ),
            (
                when(lambda arguments, value: isinstance(value, dict)),
                "Two things come back, the kernel and the bias: return a, b.",
            ),
            (
                when(lambda arguments, value: np.ndim(value[0]) < 4),
                "The kernel keeps its four axes: `*` scales channels, `@` would add them up.",
            ),
            (
                when(lambda arguments, value: np.ndim(value[0]) == 4 and np.ndim(value[1]) == 0),
                "The bias is one number for each channel, not one for all: add nothing up.",
            ),
            (
                lambda k, g, b, m, v, e: (
                    _fold(k, g, b, m, v, e)[0] + b,
                    _fold(k, g, b, m, v, e)[1],
                ),
                "In the kernel, beta would be multiplied by every input: it belongs to the bias.",
            ),
            (
                when(
                    lambda arguments, value: (
                        "broadcast" in _error(value) or np.shape(value[0]) != np.shape(arguments[0])
                    )
                ),
                "The kernel does not fit: NumPy lines up the last axis, which is the channels, "
                "by itself.",
            ),
            (
                when(
                    lambda arguments, value: np.allclose(
                        value[0], _fold(*map(np.asarray, arguments))[0]
                    )
                ),
                "The kernel is right, the bias not yet: what does the formula give where x is 0?",
            ),
            (
                when(lambda arguments, value: len(value) == 2),
                "scale = gamma / sqrt(variance + epsilon) multiplies each channel of the kernel; "
                "the bias is what the formula gives where x is 0.",
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
        ask="take: a list of four names, the form for jobs A, B, C and D",
        judge=items(_FORMS),
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
            (
                when(lambda value: value[2] == "Keras file"),
                "C wants to do without Python: a Keras file runs in nothing else.",
            ),
            (
                when(lambda value: [*map(_letters, value)] == [*map(_letters, _FORMS)]),
                "That is it: now write all four as the exercise does, letter by letter.",
            ),
            (
                when(lambda value: not {*value} <= {*_FORMS, "Keras file"}),
                "Copy the names from the exercise, letter by letter: not all of yours are there.",
            ),
            (
                when(lambda value: len(value) == 4 and value[3] != "TFLite"),
                "D runs in LiteRT, which takes one form only: look at its column.",
            ),
            (
                when(lambda value: value[0] == "SavedModel"),
                "A asks for one file, and a SavedModel is a folder.",
            ),
            (
                when(lambda value: value[0] != "frozen graph"),
                "A has none of your Python code, and TensorFlow's C++ library: which forms run "
                "there? One of those is a single file.",
            ),
            (
                when(lambda value: value[2] == "checkpoint"),
                "C has none of your code, and a checkpoint answers nobody without it.",
            ),
            (
                when(lambda value: len(value) == 4 and value[2] != "SavedModel"),
                "C wants to train further: which forms can learn?",
            ),
            (
                when(lambda value: len(value) == 4 and value[1] != "checkpoint"),
                "B has its code. It needs the weights, the optimizer and the step of its own run "
                "back: which form did lesson 04 use for that?",
            ),
        ],
        right="each job has its form, and you tried them all.",
        hints=("Read the table of trials row by row; for B, also what stands below it.",),
    ),
)
