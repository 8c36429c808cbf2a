"""Lesson 03: recall, the weights of a convolution, a step."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise, when
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
    rates = rng.uniform(0.15, 0.6, len(shapes)).round(2).tolist()
    arrays = [rng.normal(size=(2, *shape)).round(2) for shape in shapes]
    return [(*pair, rate) for pair, rate in zip(arrays, rates, strict=True)]


EXERCISES = (
    Exercise(
        id="3.2",
        ask="recall(confusion, label): of the clips of a label, the share that was found",
        judge=function(_recall, _confusion_inputs, tolerance=1e-6),
        mistakes=[
            (lambda confusion, n: confusion[n][n] / sum(row[n] for row in confusion),
             "You divide by the column: of what was heard so. Recall asks the row."),
            (lambda confusion, n: confusion[n][n] / sum(map(sum, confusion)),
             "You divide by all clips: recall looks at one row only."),
            (lambda confusion, _: np.trace(confusion) / np.sum(confusion),
             "That is the accuracy of all labels together: recall looks at one row."),
            (lambda confusion, n: confusion[n][n], "That is a count. What share of its row is it?"),
            (lambda confusion, n: confusion[n][n] / (sum(confusion[n]) - confusion[n][n]),
             "Those that were right belong to the sum of the row, too."),
            (lambda confusion, n: sum(confusion[n]) / confusion[n][n],
             "Upside down: the clips that were found are a part of the row."),
            (lambda confusion, n: 1 - confusion[n][n] / sum(confusion[n]),
             "That is the share that was missed."),
            (lambda confusion, n: confusion[n][n] // sum(confusion[n]),
             "`//` and round() make 0 or 1 of a share: one `/` is enough."),
            (lambda confusion, n: sum(confusion[n]) / sum(map(sum, confusion)),
             "That says how many clips have the label. How many of these were found?"),
            (lambda confusion, n: confusion[n][n] / len(confusion),
             "You divide by the number of labels: divide by the number of clips in the row."),
            (lambda confusion, n: confusion[n - 1][n - 1] / sum(confusion[n - 1]),
             "That is the row before: rows count from 0, as `label` does."),
            (lambda confusion, n: max(confusion[n]) / sum(confusion[n]),
             "The largest number of a row need not be the right one: which column is?"),
            (lambda confusion, n: confusion[n][0] / sum(confusion[n]),
             "The first column is what was heard as silence: which column is right?"),
            *(
                (
                    lambda confusion, n, at=at: confusion[at][at] / sum(confusion[at]),
                    "That is the recall of one label always: use `label`.",
                )
                for at in range(4)
            ),
            (lambda confusion, n: confusion[n + 1][n + 1] / sum(confusion[n + 1]),
             "That is the row behind: rows count from 0, as `label` does."),
            (lambda confusion, n: confusion[n][n] / max(confusion[n]),
             "You divide by the largest number of the row: divide by all of it."),
            (lambda confusion, n: confusion[n][n] / confusion[n][0],
             "Does your sum end after its first number? Put `return` behind the loop."),
            (
                lambda confusion, n: (
                    2 * confusion[n][n] / (sum(confusion[n]) + sum(row[n] for row in confusion))
                ),
                "That is F1, a mean of recall and precision: recall looks at one row only.",
            ),
            (lambda confusion, n: confusion[n][-1] / sum(confusion[n]),
             "The last column is what was heard as no: which column is right?"),
            (lambda confusion, n: confusion[n][n] / np.trace(confusion),
             "You divide by all right answers: divide by all clips of the row."),
            (lambda confusion, _: float(np.mean(np.diag(confusion) / np.sum(confusion, 1))),
             "That is the mean recall of all labels: one is asked, that of `label`."),
            (lambda confusion, n: sum(confusion[n]), "So many were said. How many were found?"),
            (lambda confusion, n: sum(confusion[n]) / len(confusion[n]),
             "That is the mean of the row: which of its numbers were right?"),
            (when(lambda given, value: not 0 <= value <= 1 and value != 100 * _recall(*given)),
             "A share lies between 0 and 1: a part of the row, divided by all of it."),
            (when(lambda _, value: isinstance(value, (list, np.ndarray))),
             "These are several shares: return the one of `label`."),
            (when(lambda _, value: "tuple" in value.message or "'sum'" in value.message),
             "A list of rows is no array: take the row first, then a number in it."),
            (when(lambda _, value: "not str" in value.message or value.kind == "KeyError"),
             "Rows have numbers, not names: `label` is the number of the row."),
            (when(lambda _, value: "+: 'int' and 'list'" in value.message),
             "sum(confusion) adds whole rows: sum the one row that is meant."),
            (when(lambda _, value: "unsupported operand" in value.message),
             "A whole row cannot be divided: which number of it was right?"),
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
            (lambda h, w, i, o: h * w * o,
             "Each filter looks at every channel that comes in, not at one of them."),
            (lambda h, w, i, o: h * w * i * o + o,
             "You added a bias for each filter: these layers have none."),
            (lambda h, w, i, o: h * w * i * o + 1, "You added a bias: these layers have none."),
            (lambda h, w, i, o: h * w * i, "That is one filter. How many are there?"),
            (lambda h, w, i, o: h * w, "That is one filter on one channel: how many of both?"),
            (
                lambda h, w, i, o: h * w * (i + o),
                "Channels multiply: every one that goes out has weights for every one "
                "that comes in.",
            ),
            (lambda h, w, i, o: h * w + i * o,
             "All four multiply: a filter has height × width numbers for *every* channel."),
            (lambda h, w, i, o: h + w + i + o,
             "You add: a table of so many rows and columns is a product."),
            (lambda h, w, i, o: (h + w) * i * o,
             "A filter covers a rectangle: its sides multiply."),
            (lambda h, w, i, o: i * o, "A filter covers more than one place: where is its size?"),
            (lambda h, w, i, o: h * i * o, "The width is left out."),
            (lambda h, w, i, o: w * i * o, "The height is left out."),
            (lambda h, w, i, o: h * h * i * o, "A filter is no square: height and width differ."),
            (lambda h, w, i, o: w * w * i * o, "A filter is no square: height and width differ."),
            (lambda h, w, i, o: h * w * i + o,
             "The last number says how many filters there are: each is as large as the first."),
            (lambda h, w, i, o: h * w * i**o, "** is a power: a product has one *."),
            (lambda h, w, i, o: h * w * o * o, "What comes in is `channels_in`."),
            (lambda h, w, i, o: h * w * i * i, "What goes out is `channels_out`."),
            (lambda h, w, i, o: 4 * h * w * i * o,
             "These would be bytes, four a number: numbers are asked for."),
            (lambda h, w, i, o: h * w * i * o * 49 * 40,
             "The same weights serve at every place: the table's size does not count."),
            *(
                (
                    lambda h, w, i, o, each=each: h * w * i * o + each * o,
                    "The norm's numbers are its own: the kernel alone is asked for.",
                )
                for each in (2, 4)
            ),
            (lambda h, w, i, o: h * w * i * o + i,
             "A bias goes with a channel that goes out, and these layers have none."),
            (lambda h, w, i, o: h * w * i + i * o,
             "That filters each channel apart and mixes them later: here a filter does both."),
            (lambda h, w, i, o: 49 * 40 * i * o,
             "A filter is as large as its kernel, not as the table that it slides over."),
            (lambda h, w, i, o: h * w * i * o - o,
             "Nothing has to be taken away: every number of the kernel is learnt."),
            (when(lambda _, value: value == 300),
             "300 is the first layer only: use the four numbers that you get."),
            (when(lambda _, value: isinstance(value, (tuple, list))),
             "That is the kernel's shape: how many numbers has a table of this shape?"),
            (when(lambda _, value: isinstance(value, np.ndarray)),
             "That is a kernel itself: how many numbers does it hold?"),
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
            (lambda w, g, r: w + r * g, "That way the loss grows: the gradient points uphill."),
            (lambda w, g, r: w - g, "That is a step at rate 1: how far does `rate` let it go?"),
            (lambda w, g, r: r * g, "That is how far the weight moves. Where does it arrive?"),
            (lambda w, g, r: -r * g, "That is how far the weight moves. Where does it arrive?"),
            (lambda weight, gradient, rate: rate * (weight - gradient),
             "The rate belongs to the gradient alone: the weight stays whole."),
            (lambda weight, gradient, rate: weight - gradient / rate,
             "You divide by the rate: a small rate would make a large step."),
            (lambda weight, gradient, rate: weight - rate * np.sign(gradient),
             "You use the sign of the gradient only: a steep slope moves further."),
            (lambda w, g, r: g - r * w, "Weight and gradient changed places."),
            (lambda weight, gradient, rate: weight * gradient * rate,
             "The weight is not multiplied: the step is taken away from it."),
            (lambda w, g, r: w - (r + g), "The rate *times* the gradient is subtracted."),
            (lambda w, g, r: w - r, "Every weight moves equally far here: where is its gradient?"),
            (lambda weight, gradient, rate: rate * weight - gradient,
             "The rate belongs to the gradient: it says how far the weight goes."),
            (lambda weight, gradient, rate: weight - gradient + rate,
             "Gradient and rate belong together: their product is subtracted."),
            (lambda weight, gradient, rate: weight - rate * (gradient + weight),
             "That also shrinks the weight itself (weight decay): the gradient alone is asked."),
            (lambda weight, gradient, rate: weight - rate * gradient / np.linalg.norm(gradient),
             "Leave the gradient its length: a steep slope moves further."),
            (lambda weight, gradient, rate: weight * (1 - rate * gradient),
             "The step does not depend on the weight: subtract, and multiply nothing by it."),
            (lambda weight, gradient, rate: weight - rate * weight,
             "The weight shrinks whatever the loss says: where is its gradient?"),
            (lambda weight, gradient, rate: weight, "Nothing moved: the weight is as it was."),
            (lambda weight, gradient, rate: weight - rate * abs(gradient),
             "Leave the gradient its sign: downhill may be either way."),
            (lambda weight, gradient, rate: weight - rate * gradient**2,
             "The gradient as it is, not its square: its sign says where to go."),
            (lambda weight, gradient, rate: weight - gradient**2,
             "`rate` times the gradient is the step, not the gradient times itself."),
            (lambda weight, gradient, rate: weight - 2 * rate * gradient,
             "Twice as far as asked: the step is the rate times the gradient."),
            (lambda w, g, r: w - 0.1 * g, "You go at a rate of your own: use `rate`."),
            (lambda weight, gradient, rate: weight - rate + gradient,
             "Rate and gradient belong together: a product, and that is subtracted."),
            *(
                (wrong, "Every weight has a gradient of its own: subtract place by place.")
                for wrong in (
                    lambda weight, gradient, rate: weight - rate * gradient.sum(),
                    lambda weight, gradient, rate: weight - rate * gradient.mean(),
                    lambda weight, gradient, rate: weight - rate * np.linalg.norm(gradient),
                )
            ),
            (when(lambda _, value: isinstance(value, float)),
             "One number came out of whole arrays: each weight has a new value."),
            (when(lambda _, value: isinstance(value, list)),
             "Each weight goes with its own gradient: whole arrays subtract at once."),
            (when(lambda _, value: value.kind == "AttributeError"),
             "Weights come as plain arrays, without methods of TensorFlow: return the new ones."),
            (when(lambda _, v: "convert" in v.message or "__round__" in v.message),
             "float() and round() take one number, and these are arrays: leave them out."),
            (when(lambda _, value: value.kind in ("TypeError", "ValueError")),
             "Weight and gradient are arrays of one shape, the rate is a number: no loop, no @."),
        ],
        right="a training is such steps, again and again.",
        hints=(
            "The gradient points to where the loss grows: go the other way.",
            "How far? The gradient, made smaller by the rate.",
        ),
    ),
)  # fmt: skip
