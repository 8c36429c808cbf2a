"""The exercises of lesson 47: a range that forgets, a value for each node, a kernel turned."""

from __future__ import annotations

import math

import numpy as np

from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function

# 47.3: a range that forgets


def _running(values, keep, new=None):
    state = values[0]
    for value in values[1:]:
        state = keep * state + (1 - keep if new is None else new) * value
    return state


def _from_zero(values, keep):
    return _running([0.0, *values], keep)


def _all_but_last(values, keep):
    return _running(values[:-1], keep) if len(values) > 1 else values[0]


def _peaks(rng):
    """Draw lists of values that rise, fall or leap, and shares that are not one half."""
    lists = [rng.uniform(0.5, 9, int(count)).round(2).tolist() for count in (2, 3, 5, 9, 30)]
    lists += [[3.0], [-2.0, -6.0, -1.0], [8.0] * 5 + [0.5] * 12]
    keeps = [0.95, 0.8, 0.7, 0.9]
    return [(values, keeps[place % 4]) for place, values in enumerate(lists)]


# 47.4: a value for each node


def _results(names, decibels):
    return {
        names[label]: {"value": value} for label, value in decibels.items() if math.isfinite(value)
    }


def _shown(names, decibels, keep=math.isfinite, item=lambda value: {"value": value}):
    return {names[label]: item(value) for label, value in decibels.items() if keep(value)}


def _until_infinite(names, decibels):
    heard = list(decibels.items())
    end = next((n for n, (_, value) in enumerate(heard) if value == math.inf), len(heard))
    return _shown(names, dict(heard[:end]))


def _layers(rng):
    """Draw layers and their tensors' names, some without any noise, some without a value."""
    drawn = []
    for count in (2, 3, 4, 5):
        labels = rng.permutation(list("abcdefg"))[: count + 1].tolist()
        names = {label: f"{label}/Relu" for label in labels}
        heard = [round(float(rng.uniform(9, 50)), 3) for _ in labels[:count]]
        decibels = dict(zip(labels[count - 1 :: -1], heard, strict=True))
        drawn.append((names, decibels))
        if count > 2:
            drawn.append(
                (
                    names,
                    decibels | {labels[1]: float("inf"), labels[0]: -heard[0], labels[2]: 1400.25},
                )
            )
        if count > 3:
            drawn.append((names, {labels[3]: 0.0, labels[0]: float("inf"), labels[2]: heard[1]}))
    return drawn


def _has(test):
    """Recognise dicts for which `test(names, keys)` holds."""
    return when(
        lambda arguments, value: (
            isinstance(value, dict) and value and test(arguments[0], value.keys())
        )
    )


# 47.6: a kernel turned


def _for_litert(kernel):
    return kernel.transpose(0, 2, 3, 1)


def _kernels(rng):
    shapes = [(3, 2, 5, 4), (2, 4, 3, 5), (4, 3, 2, 2), (2, 2, 2, 2), (6, 1, 3, 2)]
    return [(rng.integers(-9, 10, shape).astype(np.float32),) for shape in shapes]


def _reshaped(kernel):
    out, inputs, height, width = kernel.shape
    return kernel.reshape(out, height, width, inputs)


EXERCISES = (
    Exercise(
        id="47.3",
        ask="running(values, keep): what is left of the values when the last one has come",
        judge=function(_running, _peaks, tolerance=1e-9),
        mistakes=[
            (lambda values, keep: max(values),
             "That is our converter's way, the largest of all. Here an old one is forgotten."),
            (lambda values, keep: sum(values) / len(values),
             "That is the mean, to which all count alike. Here the last ones count more."),
            (lambda values, keep: _running(values, 1 - keep),
             "The other way round: `keep` is the share of what you had, 1 - keep of the new."),
            (lambda values, keep: _running(values, keep, new=0.05),
             "0.05 belongs to a keep of 0.95: the new one counts 1 - keep."),
            (_from_zero,
             "You begin at 0, as if there had been a value before. Begin with the first."),
            (_all_but_last,
             "The last value counts, too: values[1:-1] and range(1, n - 1) leave it out."),
            (lambda values, keep: _running(values[::-1], keep),
             "You go backwards: the first value comes first, and is forgotten most."),
            (lambda values, keep: keep * values[0] + (1 - keep) * values[-1],
             "That is one step, from the first to the last. Each value between moves it, too."),
            (lambda values, keep: keep ** (len(values) - 1) * values[0],
             "You only forget: with every step comes (1 - keep) of the new value."),
            (
                lambda values, keep: (
                    values[0] * keep ** (len(values) - 1)
                    + sum(v * keep**age for age, v in enumerate(values[:0:-1]))
                ),
                "The new value has to be made smaller, too: only 1 - keep of it comes in.",
            ),
            (when(lambda arguments, value: isinstance(value, list)),
             "You return all of the way. Asked is its end, one number."),
            (lambda values, keep: _running(values[:2], keep) if len(values) > 1 else None,
             "You return after the first step: `return` stands inside the loop."),
            (
                lambda values, keep: (
                    keep * values[-2] + (1 - keep) * values[-1] if values[1:] else values[0]
                ),
                "The value before is not what you have: that remembers all of them.",
            ),
            (lambda values, keep: values[-1],
             "That is the last value: most of what you have stays at each step."),
            (lambda values, keep: values[0], "That is the first value: each later one moves it."),
            (lambda values, keep: _running(values, 0.95),
             "You always keep 0.95. Take the `keep` that comes in."),
            (when(lambda arguments, value: getattr(value, "kind", "") == "UnboundLocalError"),
             "A list of one value has no step: set what you have to values[0] before the loop."),
            (otherwise(lambda given, got: not min(given[0]) <= got <= max(given[0])),
             "It leaves the range of the values: keep and 1 - keep are shares of 1."),
            (otherwise(lambda given, got: type(got) is float),
             "Value by value, in their order: keep of what you have so far, 1 - keep of the new."),
        ],
        right="what came early has hardly a voice in the end.",
        hints=(
            "Begin with values[0], then go through values[1:].",
            "In every step: keep times what you have, plus (1 - keep) times the new value.",
        ),
    ),
    Exercise(
        id="47.4",
        ask='results(names, decibels): a dict, tensor name to {"value": …}, only finite ones',
        judge=function(_results, _layers),
        mistakes=[
            (lambda names, decibels: _shown(names, decibels, item=lambda _: {"value": decibels}),
             "Each value is one number: you put all of `decibels` there."),
            (lambda names, decibels: _shown(names, decibels, keep=lambda value: value < 1000),
             "Much more than 100 dB is a value, too: only infinity stays out."),
            (_until_infinite, "You stop at the first infinite one: leave it out and go on."),
            (lambda names, decibels: _shown(names, decibels, keep=lambda v: v and v < math.inf),
             "0 dB is a value, too, though `if` takes 0 for False: only infinity stays out."),
            (_has(lambda names, keys: keys <= names.keys()),
             "The keys are labels. Model Explorer knows tensors: look the label up in `names`."),
            (lambda names, decibels: _shown(names, decibels, keep=lambda value: True),
             "JSON has no infinity: leave out layers without noise."),
            (lambda names, decibels: _shown(names, decibels, item=lambda value: value),
             'Each value is a dict of its own: {"value": 31.4}.'),
            (
                lambda names, decibels: _shown(
                    names, decibels, keep=lambda value: True, item=lambda value: value
                ),
                'Each value is a dict of its own: {"value": 31.4}.',
            ),
            (lambda names, decibels: _shown(names, decibels, item=lambda v: {"value": str(v)}),
             "The value is a text. As a number it gets a colour."),
            (
                lambda names, decibels: _shown(
                    names,
                    decibels,
                    keep=lambda value: True,
                    item=lambda value: {"value": value if math.isfinite(value) else 0},
                ),
                "0 dB would be as much noise as signal. A layer without noise is left out.",
            ),
            (
                lambda names, decibels: _shown(
                    names,
                    decibels,
                    keep=lambda value: True,
                    item=lambda value: {"value": value if math.isfinite(value) else None},
                ),
                "None is no number for a colour. A layer without noise is left out.",
            ),
            (lambda names, decibels: _shown(names, decibels, item=lambda v: {"decibels": v}),
             'The key is "value", whatever the unit.'),
            (
                lambda names, decibels: _shown(
                    names, decibels, item=lambda v: {"value": float(round(v))}
                ),
                "The values are rounded. Take them as they are.",
            ),
            (
                lambda names, decibels: _shown(
                    names, decibels, keep=lambda value: 0 < value < math.inf
                ),
                "Less than 0 dB is a value, too: more noise than signal. Only infinity stays out.",
            ),
            (
                lambda names, decibels: {
                    name: {"value": value}
                    for name, value in zip(names.values(), decibels.values(), strict=False)
                    if math.isfinite(value)
                },
                "The two dicts have orders of their own: look up names[label], do not zip.",
            ),
            (lambda names, decibels: _shown(names, decibels, item=lambda value: {value}),
             '{31.4} and [31.4] have no key. A dict has one: {"value": 31.4}.'),
            (when(lambda arguments, value: isinstance(value, str)),
             "That is a text. Return the dict, the next cell makes JSON of it."),
            (_has(lambda names, keys: keys == {"results"}),
             'The wrapper "results" is written by the next cell: return what goes into it.'),
            (lambda names, decibels: _shown(names, decibels, item=lambda v: {"Value": v}),
             'The key is "value", in small letters.'),
            (_has(lambda names, keys: keys == {"value"}),
             'That is one dict for all. Each tensor has its own: {name: {"value": 31.4}, …}.'),
            (when(lambda arguments, value: isinstance(value, (list, tuple))),
             "Asked is a dict, from the name of a tensor to its value."),
            (
                when(
                    lambda arguments, value: (
                        getattr(value, "kind", "") == "KeyError"
                        or (isinstance(value, dict) and len(value) > len(arguments[1]))
                    )
                ),
                "Not every name has a value: go through `decibels`, not through `names`.",
            ),
            (otherwise(lambda given, got: got.keys() == _results(*given).keys()),
             'The keys are right. Under each: {"value": decibels[label]}, just as it came.'),
        ],
        right="any number that you can compute for a layer can be seen on its node.",
        hints=(
            "for label, value in decibels.items() goes through both.",
            "np.isfinite(value) is False for infinity.",
        ),
    ),
    Exercise(
        id="47.6",
        ask="for_litert(kernel): the kernel of shape (out, in, h, w) as (out, h, w, in)",
        judge=function(_for_litert, _kernels),
        mistakes=[
            (
                _reshaped,
                "reshape leaves the numbers in their order, so that they get other places. "
                "Move the axes: transpose.",
            ),
            (lambda kernel: kernel.transpose(2, 3, 1, 0),
             "That is Keras's order, (h, w, in, out). A .tflite has the filters first."),
            (lambda kernel: kernel.transpose(0, 3, 1, 2),
             "That is the way back, from (out, h, w, in). Say for each new axis where it was."),
            (lambda kernel: kernel.transpose(0, 3, 2, 1), "Height and width have changed places."),
            (lambda kernel: kernel.transpose(1, 2, 3, 0),
             "Inputs come first with you, filters last: it is the other way round."),
            (lambda kernel: kernel.transpose(3, 2, 0, 1),
             "That is how Keras's kernel becomes PyTorch's. Here PyTorch's becomes a .tflite's."),
            (lambda kernel: kernel.transpose(2, 3, 0, 1),
             "Height and width come first with you. The filters stay first."),
            (when(lambda arguments, value: isinstance(value, tuple)),
             "That is only a shape. Return the array itself."),
            (lambda kernel: kernel.copy(),
             "That is the kernel as it came, (out, in, h, w). Does transpose return something?"),
            (lambda kernel: kernel.T, ".T turns all axes around. The filters stay first."),
            (lambda kernel: np.swapaxes(kernel, 1, 2),
             "One swap is not enough: two axes move forward, and one goes to the end."),
            (when(lambda arguments, value: np.ndim(value) != 4),
             "The kernel keeps its four axes: np.transpose takes each of 0, 1, 2, 3 once."),
            (when(lambda arguments, value: value.ndim == 4),
             "Say of each new axis, of (out, h, w, in), which of the old ones it was."),
        ],
        right="no number changed, only where it lies.",
        hints=(
            "np.transpose(kernel, order): for each new axis the number of the old one.",
            "The axes were out 0, in 1, h 2, w 3.",
        ),
    ),
)  # fmt: skip
