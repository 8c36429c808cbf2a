"""One worker of a distributed training, started by `workers` as
`python -m course_lib.experiments.distribute.worker FOLDER STEPS DIES`.

TF_CONFIG says who all the workers are and which of them this is. The weights that it ends with are
written to FOLDER as `<index>.npy`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_RATE = 0.1
_BATCH = 32  # clips in a step, of all workers together


def train(
    index: int,
    workers: int,
    steps: int,
    reduce: Callable[[list], list],
    before_step: Callable[[int], None] = lambda step: None,
) -> np.ndarray:
    """Train the spotter by plain gradient descent and return all of its weights in one array.

    Worker `index` of `workers` takes its share of each batch; `reduce` averages its gradients with
    those of the others. Every worker starts from the same weights.
    """
    from course_lib import spotter
    from course_lib.experiments.distribute.replicas import batch, loss_gradients

    model = spotter.build(seed=1)
    inputs, labels = batch(_BATCH * steps)
    for step in range(steps):
        before_step(step)
        mine = slice(step * _BATCH + index, (step + 1) * _BATCH, workers)
        gradients = reduce(loss_gradients(model, inputs[mine], labels[mine]))
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(_RATE * gradient)
    return np.concatenate([v.numpy().ravel() for v in model.trainable_variables])


def main(folder: str, steps: int, dies: int) -> None:
    """Take part in a training as the worker that TF_CONFIG names."""
    import tensorflow

    config = json.loads(os.environ["TF_CONFIG"])
    index, workers = config["task"]["index"], len(config["cluster"]["worker"])
    strategy = tensorflow.distribute.MultiWorkerMirroredStrategy()

    def exchange(gradients: list) -> Any:
        context = tensorflow.distribute.get_replica_context()
        here = [tensorflow.identity(gradient) for gradient in gradients]
        return context.all_reduce("mean", here)

    @tensorflow.function
    def reduce(gradients: list) -> Any:
        return strategy.run(exchange, args=(gradients,))

    def before_step(step: int) -> None:
        if step:
            print("step", step, flush=True)  # the one that is done; the parent reads it
        if step == dies:
            os._exit(7)  # as a machine ends that loses its power: at once, without a word

    weights = train(index, workers, steps, reduce, before_step)
    np.save(Path(folder, f"{index}.npy"), weights)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
