"""The exercises of lesson 37: the flat stairs, the grid in a training, the gradient that passes."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.core import Exercise, otherwise, when
from course_lib.exercises.judges import function

# 37.2: how far a weight may move


def _room(weight, scale):
    steps = weight / scale
    return scale * (0.5 - abs(steps - round(steps)))


def _weights_one_by_one(rng):
    scales = rng.uniform(0.02, 0.5, 10)
    steps = rng.integers(-7, 8, 10) + rng.uniform(-0.45, 0.45, 10)
    return [*zip((scales * steps).tolist(), scales.tolist(), strict=True), (0.5, 0.25), (0.0, 0.1)]


# 37.3 and 37.4: forth and back


def _fake(weights, scale, top):
    return scale * np.clip(np.round(weights / scale), -top, top)


def _passed(gradient, weights, scale, top):
    return gradient * (np.abs(weights) <= scale * top)


def _tensors(rng):
    """Draw weights of both signs, some of them beyond the grid or on its last level."""
    drawn = []
    for top in (1, 3, 7, 127):
        scale = 2.0 ** -int(rng.integers(2, 6))  # so that a product meets the last level exactly
        steps = rng.integers(-top - 3, top + 4, (2, 6)) + rng.uniform(-0.4, 0.4, (2, 6))
        steps[:, :3] = [[-top - 2.2, top + 2.3, top], [top - 0.3, 0.3 - top, -top]]
        steps[:, 3] = top + 0.3, -top - 0.3
        drawn.append((scale * steps, scale, top))
    return drawn


def _with_gradients(rng):
    return [(rng.normal(size=each[0].shape), *each) for each in _tensors(rng)]


EXERCISES = (
    Exercise(
        id="37.2",
        ask="room(weight, scale): how far a weight may move before its integer changes",
        judge=function(_room, _weights_one_by_one, tolerance=1e-9),
        mistakes=[
            (lambda weight, scale: _room(weight, scale) / scale,
             "That is counted in steps of the grid: a step is `scale` wide."),
            (lambda weight, scale: scale * abs(weight / scale - round(weight / scale)),
             "That is the way to the level. The integer changes halfway to the next one."),
            (lambda weight, scale: scale * (1 - abs(weight / scale - round(weight / scale))),
             "That is the way to the next level. The integer changes halfway there."),
            (lambda weight, scale: scale * (0.5 - (weight / scale - round(weight / scale))),
             "Left of its level a weight has less room to the left: which edge is nearer?"),
            (lambda weight, scale: scale / 2,
             "Half a step is the room of a weight exactly on its level: where does this lie?"),
            (lambda weight, scale: scale * (0.5 + abs(weight / scale - round(weight / scale))),
             "That is the way to the farther edge: the nearer one is asked."),
            (lambda weight, scale: scale * (0.5 - abs(weight / scale - int(weight / scale))),
             "int() cuts digits off: the nearest level may be the next one."),
            (lambda weight, scale: scale * (0.5 - abs(weight * scale - round(weight * scale))),
             "The scale is the width of a step: divide by it to count steps."),
            (lambda weight, scale: scale, "A whole step lies between two edges, not up to one."),
            (lambda weight, scale: round(weight / scale),
             "That is the integer: how far is the weight from its edge?"),
            (lambda weight, scale: weight - scale * round(weight / scale),
             "That is the way to the level. The integer changes halfway to the next one."),
            (lambda weight, scale: 0.5 - abs(weight - round(weight)),
             "The levels lie `scale` apart, not 1: divide by it, and multiply at the end."),
            (lambda weight, scale: scale / 2 - abs(weight),
             "That holds around 0 alone: measure from the weight's own level."),
            (lambda weight, scale: weight % scale,
             "That is the way down to a level. The integer changes halfway between two."),
            (otherwise(lambda given, got: got < 0),
             "A way is not negative: take abs() of how far the nearest level is, by round()."),
            (otherwise(lambda given, got: got > given[1] / 2),
             "No edge is farther than half a step: measure from the nearest level."),
            (otherwise(lambda given, got: type(got) is float),
             "Half a step, scale / 2, less how far the weight is from its level, to either side."),
        ],
        right="as long as a weight moves less than that, nothing at all changes behind it.",
        hints=(
            "weight / scale counts steps, and round() finds the nearest level.",
            "A level owns half a step to either side. Take away what is used up of that half.",
        ),
    ),
    Exercise(
        id="37.3",
        ask="fake_quantize(weights, scale, top): the array as it comes back from the grid",
        judge=function(_fake, _tensors, tolerance=1e-9),
        mistakes=[
            (lambda weights, scale, top: np.clip(np.round(weights / scale), -top, top),
             "These are the integers. The layer computes with what they stand for."),
            *(
                (whole, "Whole numbers are no levels: divide by the scale, multiply at the end.")
                for whole in (
                    lambda w, scale, top: np.round(w),
                    lambda w, scale, top: np.clip(np.round(w), -top, top),
                    lambda w, scale, top: np.clip(np.round(w), -top * scale, top * scale),
                )
            ),
            (lambda w, scale, top: scale * np.round(np.clip(w, -top, top) / scale),
             "Beyond the last level: np.clip(..., -top, top) when you have divided."),
            (lambda w, scale, top: np.clip(np.round(w / scale), -top, top) * int(scale),
             "int(scale) is 0: a scale is a fraction."),
            (lambda weights, scale, top: scale * np.round(weights / scale),
             "Beyond the last level: np.clip(..., -top, top) when you have divided."),
            (lambda weights, scale, top: scale * np.clip(weights / scale, -top, top),
             "You saturate, but you do not round."),
            (lambda w, scale, top: scale * np.clip(np.trunc(w / scale), -top, top),
             "int cuts digits off: the nearest level may be the next one."),
            (lambda w, scale, top: np.clip(np.round(w * scale), -top, top) / scale,
             "The other way round: divide by the scale first, and multiply at the end."),
            (lambda w, scale, _: scale * np.round(w / scale).astype(np.int64).astype(np.int8),
             "An int8 does not saturate by itself, and `top` may be smaller than 127."),
            (lambda w, scale, top: scale * np.minimum(np.round(w / scale), top),
             "The grid has a lower end, too: -top."),
            (lambda w, scale, top: scale * np.maximum(np.round(w / scale), -top),
             "The grid has an upper end, too: top."),
            (lambda w, scale, top: np.abs(_fake(w, scale, top)), "Weights keep their sign."),
            (lambda w, scale, top: _fake(w, scale, top) * (np.abs(w) <= top * scale),
             "Beyond the last level a weight becomes the last level: its gradient is 0, not it."),
            (lambda w, scale, top: _fake(w, scale, top) * (np.abs(np.round(w / scale)) <= top),
             "Beyond the last level a weight becomes the last level, not 0."),
            (lambda weights, scale, top: scale * np.clip(np.floor(weights / scale), -top, top),
             "You round down. The nearest level may lie above."),
            (lambda weights, scale, top: scale * np.clip(np.ceil(weights / scale), -top, top),
             "You round up. The nearest level may lie below."),
            (lambda weights, scale, top: np.clip(np.round(weights / scale), -top, top) / scale,
             "At the end multiply by the scale: that undoes dividing by it."),
            (
                lambda weights, scale, top: (
                    scale * np.clip(np.round(weights / scale), -top, top - 1)
                ),
                "The grid is symmetric: its highest level is top itself.",
            ),
            (lambda weights, scale, top: scale * np.clip(np.round(weights / scale), 0, top),
             "Weights have both signs: the lowest level is -top."),
            (lambda weights, scale, top: np.clip(np.round(weights), -top, top) * scale,
             "Divide by the scale before you round: levels lie `scale` apart."),
            (
                lambda w, scale, top: np.where(
                    np.abs(np.round(w / scale)) <= top, _fake(w, scale, top), w
                ),
                "Beyond the last level a weight becomes the last level, and does not stay.",
            ),
            (when(lambda given, value: np.shape(value) not in ((), given[0].shape)),
             "One array of the same shape: np.round and np.clip take whole arrays."),
            (
                lambda weights, scale, top: (
                    scale * np.clip(np.round(weights / scale), -top - 1, top)
                ),
                "The grid is symmetric: its lowest level is -top.",
            ),
            (lambda w, scale, top: scale * np.clip(np.round(w / scale), 1 - top, top - 1),
             "`top` is the last level itself: saturate at -top and top."),
            (lambda w, scale, top: scale * np.clip(np.round(w / scale), -127, 127),
             "127 is the top of eight bits alone: saturate at -top and top."),
            (otherwise(lambda given, got: np.any(np.abs(got / given[1]) > given[2] + 0.01)),
             "Some lie beyond the last level: saturate the integers at -top and top."),
            (otherwise(lambda given, got: np.any(np.abs(got / given[1] % 1 - 0.5) < 0.49)),
             "Some are no level, a whole number times scale: round weights / scale."),
        ],
        right="floats all the way, and yet only numbers that the file can hold.",
        hints=(
            "Divide by the scale, round, saturate, multiply by the scale.",
            "np.round and np.clip take whole arrays.",
        ),
    ),
    Exercise(
        id="37.4",
        ask="passed(gradient, weights, scale, top): the gradient that goes on to the weights",
        judge=function(_passed, _with_gradients, tolerance=1e-9),
        mistakes=[
            (lambda gradient, *_: 0 * gradient,
             "That is the true slope, and nothing would learn. Let it pass inside the grid."),
            (lambda gradient, *_: gradient,
             "Beyond the last level, at scale * top, weights saturate: there, nothing passes."),
            (
                lambda gradient, weights, scale, top: (
                    gradient - _passed(gradient, weights, scale, top)
                ),
                "The other way round: inside it passes, outside it is 0.",
            ),
            (lambda gradient, weights, scale, top: gradient * (np.abs(weights) <= top),
             "`top` counts levels, the weights do not: where does the last level lie?"),
            (lambda gradient, weights, scale, top: gradient * (weights <= scale * top),
             "The grid has a lower end, too."),
            (
                lambda gradient, weights, scale, top: (
                    scale * _passed(gradient, weights, scale, top)
                ),
                "Dividing by the scale and multiplying by it cancel: the gradient keeps its size.",
            ),
            (
                lambda gradient, weights, scale, top: (
                    _passed(gradient, weights, scale, top) / scale
                ),
                "Dividing by the scale and multiplying by it cancel: the gradient keeps its size.",
            ),
            (
                lambda gradient, weights, scale, top: (
                    gradient * (np.abs(np.round(weights / scale)) <= top)
                ),
                "Compare before rounding: just beyond the last level a weight saturates already.",
            ),
            (
                lambda gradient, weights, scale, top: (
                    gradient * (np.abs(np.round(weights / scale)) < top)
                ),
                "Compare before rounding: up to the last level the gradient passes.",
            ),
            (lambda gradient, weights, scale, top: _passed(weights, weights, scale, top),
             "What passes is the gradient: the weights only say where."),
            (lambda gradient, weights, scale, top: np.clip(gradient, -scale * top, scale * top),
             "The grid ends for weights, not for gradients: look where the weights lie."),
            (lambda gradient, weights, scale, top: gradient * (np.abs(gradient) <= scale * top),
             "The grid ends for weights, not for gradients: look where the weights lie."),
            (lambda gradient, weights, scale, top: gradient * _fake(weights, scale, top),
             "Inside the grid the gradient passes as it is, not times the weight."),
            (lambda gradient, *rest: _passed(np.abs(gradient), *rest),
             "The gradient keeps its sign."),
            (when(lambda _, value: np.asarray(value).dtype == bool),
             "That says where it passes: multiply the gradient by it."),
            (when(lambda given, value: np.shape(value) not in ((), given[0].shape)),
             "One array of the same shape: where nothing passes, there stands a 0."),
            (lambda gradient, weights, scale, top: gradient * (np.abs(weights) < scale * top),
             "At the last level itself it still passes: only beyond it nothing does."),
            (lambda gradient, weights, scale, top: gradient * (weights >= -scale * top),
             "The grid has an upper end, too."),
            (lambda gradient, weights, scale, top: np.clip(gradient, -top, top),
             "The grid ends for weights, not for gradients: look where the weights lie."),
            (lambda gradient, weights, scale, top: _fake(gradient, scale, top),
             "The gradient is not rounded: where the weights lie decides what passes."),
            (lambda gradient, weights, scale, top: weights - gradient,
             "No step is taken here: what is left of the gradient?"),
            (lambda gradient, weights, scale, top: 1 * (np.abs(weights) <= scale * top),
             "That says where it passes: multiply the gradient by it."),
            (when(lambda given, value: np.isnan(value).any()),
             "Where nothing passes, there stands a 0, no NaN."),
            (
                lambda gradient, weights, scale, top: (
                    np.sign(gradient) * (np.abs(weights) <= scale * top)
                ),
                "The gradient keeps its size, not its sign alone.",
            ),
            (when(lambda given, value: getattr(value, "kind", "") == "ValueError"),
             "`if` asks for one truth value: an array of conditions is multiplied by."),
            (when(lambda arguments, value: np.array_equal(value, _fake(*arguments[1:]))),
             "Those are the weights on the grid: what becomes of the gradient?"),
            (otherwise(lambda given, got: np.any(got[np.abs(given[1]) > given[2] * given[3]])),
             "Beyond the last level, scale * top, nothing passes: there stands 0."),
            (otherwise(lambda given, got: got.shape == given[0].shape),
             "Inside the grid the gradient passes as it came, unchanged."),
        ],
        right="a lie about the stairs that points the right way.",
        hints=(
            "The last level stands for scale * top; np.abs(weights) tells which lie beyond.",
            "gradient * condition is 0 where the condition is False.",
        ),
    ),
)  # fmt: skip
