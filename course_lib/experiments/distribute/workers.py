"""Real processes that train one model together over the loopback network.

Each runs `worker` with a TF_CONFIG that names all of them. They are watched:
where one dies, no step can be completed any more, so all are stopped and the reason is said.
"""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_lib.session import processes

_PATIENCE_SECONDS = 120


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
    steps: int

    @property
    def agree(self) -> bool:
        """Tell whether all workers ended with the same weights, in every bit."""
        return all(np.array_equal(self.weights[0], other) for other in self.weights[1:])

    def difference(self, other: Workers) -> float:
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
    to see what happens. WorkerError is raised where one ends or the time is over; no process stays.
    """
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    with tempfile.TemporaryDirectory() as folder:
        processes = [
            _started(index, addresses, steps, dies, Path(folder)) for index in range(workers)
        ]
        try:
            _watch(processes, Path(folder), timeout_seconds)
            weights = tuple(np.load(Path(folder, f"{index}.npy")) for index in range(workers))
        finally:
            for process in processes:
                process.kill()
                process.wait()
    return Workers(weights, steps)


def train_alone(steps: int = 3) -> Workers:
    """Train the same model on the same batches in this process, and return its weights."""
    from course_lib.experiments.distribute.worker import train

    return Workers((train(0, 1, steps, lambda gradients: gradients),), steps)


def _started(
    index: int, addresses: list[str], steps: int, dies: tuple[int, int] | None, folder: Path
) -> subprocess.Popen:
    config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
    last = dies[1] if dies and dies[0] == index else -1
    with open(folder / f"{index}.log", "wb") as log:  # the child keeps it
        return processes.start(
            *("-m", "course_lib.experiments.distribute.worker", str(folder), str(steps), str(last)),
            more={"TF_CONFIG": json.dumps(config)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _watch(processes: list[subprocess.Popen], folder: Path, timeout_seconds: float) -> None:
    """Wait until all have ended well; raise WorkerError as soon as one has not."""
    deadline = time.monotonic() + timeout_seconds
    while any(process.poll() is None for process in processes):
        if dead := [index for index, process in enumerate(processes) if process.poll()]:
            # one that lost the others ends with Python's own code 1: it is not the first
            index = min(dead, key=lambda each: processes[each].returncode == 1)
            raise _epitaph(index, processes[index].returncode, folder)
        if time.monotonic() > deadline:
            raise WorkerError(
                f"The workers were not done after {timeout_seconds:g} seconds and were stopped.",
                _finished(folder),
            )
        time.sleep(0.05)
    for index, process in enumerate(processes):
        if process.returncode:
            raise _epitaph(index, process.returncode, folder)


def _finished(folder: Path) -> int:
    return len(list(folder.glob("*.npy")))


def _epitaph(index: int, code: int, folder: Path) -> WorkerError:
    lines = (folder / f"{index}.log").read_text(errors="replace").strip().splitlines()
    done = [line for line in lines if line.startswith("step ")]
    when = f"after {done[-1]}" if done else "before its first step"
    why = f"exit code {code}" if code > 0 else f"signal {-code}"
    if code == 1 and lines:  # Python's own, after a traceback
        why = lines[-1][:200]
    return WorkerError(
        f"Worker {index} died {when} ({why}). Without its gradients no step can be completed, so "
        "the others were stopped.",
        _finished(folder),
    )


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
