"""One model on several devices of one process: its gradients on shares of a batch, averaged.

`train_both_ways` holds that against what is often said: that the weights are averaged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from course_lib.session import import_tensorflow
from course_lib.sound import dataset, features

_Weights = list[np.ndarray]


def import_with_devices(count: int = 2) -> ModuleType:
    """Return TensorFlow with its CPU divided into `count` logical devices: CPU:0, CPU:1 ...

    They share the cores, so nothing gets faster; what they do is what two machines would do.
    Raises RuntimeError where TensorFlow is already at work: restart the kernel then.
    """
    tensorflow = import_tensorflow()
    cpu = tensorflow.config.list_physical_devices("CPU")[0]
    parts = [tensorflow.config.LogicalDeviceConfiguration()] * count
    try:
        tensorflow.config.set_logical_device_configuration(cpu, parts)
    except RuntimeError:
        if len(tensorflow.config.list_logical_devices("CPU")) != count:
            raise RuntimeError(
                "TensorFlow is at work already, and its devices cannot change any more: "
                "restart the kernel and run the cells from the top."
            ) from None
    return tensorflow


def batch(count: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Return `count` bundled clips: features (count, 49, 40, 1) float32 and labels (count,) int64.

    They are spread evenly over the validation split, so that every label is among them.
    """
    clips = dataset.bundled("validation")
    chosen = np.linspace(0, len(clips) - 1, count).astype(int)
    return features.of(clips)[chosen][..., None], clips.labels[chosen]


def share(strategy: Any, *arrays: np.ndarray) -> list[Any]:
    """Return each array dealt out to the replicas of a strategy, every replica its own items."""
    tensorflow = import_tensorflow()
    count = strategy.num_replicas_in_sync
    make = strategy.experimental_distribute_values_from_function
    return [
        make(lambda place, a=array: tensorflow.constant(a[place.replica_id_in_sync_group :: count]))
        for array in arrays
    ]


def loss_gradients(model: Any, inputs: Any, labels: Any) -> list[Any]:
    """Return the gradient of the mean cross-entropy by each trainable weight of `model`.

    Batch normalisation uses its stored statistics, so that a clip's loss does not depend on which
    other clips are in its batch.
    """
    import tensorflow  # at hand already; this also runs inside replicas' threads

    with tensorflow.GradientTape() as tape:
        logits = model(inputs, training=False)
        losses = tensorflow.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tensorflow.reduce_mean(losses)
    return tape.gradient(loss, model.trainable_variables)


@dataclass(frozen=True)
class Averaging:
    """How far apart the weights end that were trained in the two ways.

    `share` is the largest difference of a weight, as a share of the longest way that one went.
    """

    optimizer: str
    steps: int
    share: float

    @property
    def equal(self) -> bool:
        """Tell whether the two ways agree but for rounding."""
        return self.share < 1e-3  # rounding stays far below, another path is far above

    def __str__(self) -> str:
        verdict = "the same" if self.equal else f"{self.share:.0%} apart".replace("%", " %")
        return f"{self.optimizer:4} {self.steps} step{'s' * (self.steps > 1)}: {verdict}"


def train_both_ways(
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
        together, *apart = (
            _train(model, start, parts, slopes, _optimizer(optimizer), steps)
            for parts in (tensors, *([half] for half in tensors))
        )
    finally:
        _assign(model, start)
    mean = [np.mean(copies, axis=0) for copies in zip(*apart, strict=True)]
    return Averaging(optimizer, steps, _largest(mean, together) / _largest(start, together))


def _train(
    model: Any, start: _Weights, parts: Sequence[tuple], slopes: Callable, rule: Any, steps: int
) -> _Weights:
    """Return the weights after `steps` steps with the mean of the gradients of all parts."""
    _assign(model, start)
    rule.build(model.trainable_variables)
    for _ in range(steps):
        each = [slopes(*part) for part in parts]
        mean = [sum(copies) / len(parts) for copies in zip(*each, strict=True)]
        rule.apply(mean, model.trainable_variables)
    return [variable.numpy() for variable in model.trainable_variables]


def _optimizer(name: str) -> Any:
    optimizers = import_tensorflow().keras.optimizers
    known = {"sgd": (optimizers.SGD, 0.1), "adam": (optimizers.Adam, 0.01)}
    if name not in known:
        raise ValueError(f"There is no optimizer {name} here: choose sgd or adam.")
    kind, rate = known[name]
    return kind(rate)


def _assign(model: Any, weights: _Weights) -> None:
    for variable, value in zip(model.trainable_variables, weights, strict=True):
        variable.assign(value)


def _largest(one: _Weights, other: _Weights) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))
