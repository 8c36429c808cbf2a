"""Averaged gradients against averaged weights: when are the two the same?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_lib.experiments.distribute.replicas import loss_gradients
from course_lib.session import import_tensorflow

Weights = list[np.ndarray]


@dataclass(frozen=True)
class Averaging:
    """How far apart the weights end that were trained in the two ways.

    `difference` is the largest difference of a weight, `moved` the largest distance that a weight
    went; `share` is the one divided by the other, and is shown in whole percent.
    """

    optimizer: str
    steps: int
    difference: float
    moved: float

    @property
    def share(self) -> float:
        """The difference as a share of the way that the weights went."""
        return self.difference / self.moved

    @property
    def equal(self) -> bool:
        """Tell whether the two ways agree but for rounding."""
        return self.share < 1e-3

    def __str__(self) -> str:
        verdict = "the same" if self.equal else f"{self.share:.0%} apart".replace("%", " %")
        return f"{self.optimizer:4} {self.steps} step{'s' * (self.steps > 1)}: {verdict}"


def averaging(
    model: Any, halves: Sequence[tuple[Any, Any]], optimizer: str = "sgd", steps: int = 1
) -> Averaging:
    """Train `model` on two halves of a batch in two ways, and compare the weights.

    One way averages the gradients in every step; the other lets each half train its own copy and
    averages the weights at the end. `optimizer` is "sgd" or "adam". `model` is left as it was.
    """
    tensorflow = import_tensorflow()
    start = [variable.numpy() for variable in model.trainable_variables]
    slopes = tensorflow.function(lambda inputs, labels: loss_gradients(model, inputs, labels))
    tensors = [tuple(map(tensorflow.constant, half)) for half in halves]
    try:
        together = _train(model, start, tensors, slopes, _optimizer(optimizer), steps)
        apart = [
            _train(model, start, [half], slopes, _optimizer(optimizer), steps) for half in tensors
        ]
    finally:
        _assign(model, start)
    mean = [np.mean(copies, axis=0) for copies in zip(*apart, strict=True)]
    return Averaging(optimizer, steps, _largest(mean, together), _largest(start, together))


def _train(
    model: Any, start: Weights, parts: Sequence[tuple], slopes: Callable, rule: Any, steps: int
) -> Weights:
    """Return the weights after `steps` steps with the mean of the gradients of all parts."""
    _assign(model, start)
    rule.build(model.trainable_variables)
    for _ in range(steps):
        each = [slopes(*part) for part in parts]
        mean = [sum(copies) / len(parts) for copies in zip(*each, strict=True)]
        rule.apply(mean, model.trainable_variables)
    return [variable.numpy() for variable in model.trainable_variables]


def _optimizer(name: str) -> Any:
    keras = import_tensorflow().keras
    known: dict[str, Callable] = {
        "sgd": lambda: keras.optimizers.SGD(0.1),
        "adam": lambda: keras.optimizers.Adam(0.01),
    }
    if name not in known:
        raise ValueError(f"There is no optimizer {name} here: choose sgd or adam.")
    return known[name]()


def _assign(model: Any, weights: Weights) -> None:
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)


def _largest(one: Weights, other: Weights) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
