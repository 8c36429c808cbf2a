"""Two devices in one process, a batch of real clips, and the gradients of the keyword model."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from course_lib.session import import_tensorflow
from course_lib.sound import dataset, features


def import_with_devices(count: int = 2) -> ModuleType:
    """Return TensorFlow with its CPU divided into `count` logical devices: CPU:0, CPU:1 ...

    They share the cores, so nothing gets faster; what they do is what two machines would do.
    RuntimeError is raised where TensorFlow is already at work: restart the kernel then.
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
    import tensorflow

    with tensorflow.GradientTape() as tape:
        logits = model(inputs, training=False)
        losses = tensorflow.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        loss = tensorflow.reduce_mean(losses)
    return tape.gradient(loss, model.trainable_variables)
