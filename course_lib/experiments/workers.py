"""Real processes that train one model together over the loopback network.

Each is `python -m course_lib.experiments.workers FOLDER STEPS DIES` with a TF_CONFIG that names all
of them, and writes the weights that it ends with to FOLDER as `<index>.npy`. They are watched:
where one dies, no step can be completed any more, so all are stopped and the reason is said.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from course_lib import spotter
from course_lib.experiments.replicas import batch, loss_gradients
from course_lib.session import processes

_PATIENCE_SECONDS = 120  # each worker imports TensorFlow, all at once
_RATE = 0.1
_BATCH = 32  # clips in a step, of all workers together


class WorkerError(RuntimeError):
    """A worker died or did not answer; the message names it and says what became of the others.

    `finished` is the number of workers that had reached the end by then.
    """

    def __init__(self, message: str, finished: int = 0) -> None:
        super().__init__(message)
        self.finished = finished


@dataclass(frozen=True)
class Workers:
    """What a training of several workers left: the weights of each, one flat array a worker."""

    weights: tuple[np.ndarray, ...]

    @property
    def agree(self) -> bool:
        """Tell whether all workers ended with the same weights, in every bit."""
        return all(np.array_equal(self.weights[0], other) for other in self.weights[1:])

    def difference(self, other: Self) -> float:
        """Return the largest difference of a weight from another training's."""
        return float(np.abs(self.weights[0] - other.weights[0]).max())


def train_together(
    workers: int = 2,
    steps: int = 3,
    dies: tuple[int, int] | None = None,
    timeout_seconds: float = _PATIENCE_SECONDS,
) -> Workers:
    """Train the keyword model on `workers` processes and return what each ended with.

    In every step each worker takes its share of one batch, and the gradients are averaged by
    MultiWorkerMirroredStrategy. `dies=(worker, step)` makes a worker end itself before that step,
    to see what happens. Raises WorkerError where one ends or the time is over; no process stays.
    """
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        children = [_started(index, addresses, steps, dies, folder) for index in range(workers)]
        try:
            _watch(children, folder, timeout_seconds)
            return Workers(tuple(np.load(folder / f"{index}.npy") for index in range(workers)))
        finally:
            for child in children:
                child.kill()
                child.wait()


def train_alone(steps: int = 3) -> Workers:
    """Train the same model on the same batches in this process, and return its weights."""
    return Workers((_train(0, 1, steps, lambda gradients: gradients),))


def _started(
    index: int, addresses: list[str], steps: int, dies: tuple[int, int] | None, folder: Path
) -> subprocess.Popen:
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    last = dies[1] if dies and dies[0] == index else -1
    with open(folder / f"{index}.log", "wb") as log:  # the child keeps it
        return processes.start(
            *("-m", __name__, str(folder), str(steps), str(last)),
            more={"TF_CONFIG": json.dumps(config)},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip


def _watch(children: list[subprocess.Popen], folder: Path, timeout_seconds: float) -> None:
    """Wait until all have ended well; raise WorkerError as soon as one has not."""
    deadline = time.monotonic() + timeout_seconds
    while any(codes := [child.poll() for child in children]) or None in codes:
        if dead := [index for index, code in enumerate(codes) if code]:
            # one that lost the others ends with Python's own code 1: it is not the first
            index = min(dead, key=lambda each: codes[each] == 1)
            raise _epitaph(index, codes[index], folder)
        if time.monotonic() > deadline:
            raise WorkerError(
                f"The workers were not done after {timeout_seconds:g} seconds and were stopped.",
                len(list(folder.glob("*.npy"))),
            )
        time.sleep(0.05)


def _epitaph(index: int, code: int, folder: Path) -> WorkerError:
    lines = (folder / f"{index}.log").read_text("utf-8", "replace").strip().splitlines()
    done = [line for line in lines if line.startswith("step ")]
    when = f"after {done[-1]}" if done else "before its first step"
    why = f"exit code {code}" if code > 0 else f"signal {-code}"
    if code == 1 and lines:  # Python's own, after a traceback
        why = lines[-1][:200]
    return WorkerError(
        f"Worker {index} died {when} ({why}). Without its gradients no step can be completed, so "
        "the others were stopped.",
        len(list(folder.glob("*.npy"))),
    )


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on; all are held at once, so that none is given twice."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


# What a worker does in its own process


def _train(
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
    model = spotter.build(seed=1)
    inputs, labels = batch(_BATCH * steps)
    for step in range(steps):
        before_step(step)
        mine = slice(step * _BATCH + index, (step + 1) * _BATCH, workers)
        gradients = reduce(loss_gradients(model, inputs[mine], labels[mine]))
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            variable.assign_sub(_RATE * gradient)
    return np.concatenate([v.numpy().ravel() for v in model.trainable_variables])


def _take_part(folder: str, steps: int, dies: int) -> None:
    """Take part in a training as the worker that TF_CONFIG names."""
    import tensorflow

    config = json.loads(os.environ["TF_CONFIG"])
    index, workers = config["task"]["index"], len(config["cluster"]["worker"])
    strategy = tensorflow.distribute.MultiWorkerMirroredStrategy()  # before anything is computed

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

    weights = _train(index, workers, steps, reduce, before_step)
    np.save(Path(folder, f"{index}.npy"), weights)


if __name__ == "__main__":
    _take_part(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
