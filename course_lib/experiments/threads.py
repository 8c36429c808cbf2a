"""Two heavy branches of one graph, timed with one and with two threads between operations.

The number of threads is fixed when TensorFlow starts, so each number gets a process of its own.
Both start together and then take turns, because what runs at the same time cannot be timed.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass

from course_lib.session import processes

_PATIENCE_SECONDS = 90


@dataclass(frozen=True)
class Timing:
    """The seconds that one run of the graph takes, the best of several, by number of threads."""

    one_thread_seconds: float
    two_threads_seconds: float
    cores: int

    @property
    def ratio(self) -> float:
        """How many times faster two threads are."""
        return self.one_thread_seconds / self.two_threads_seconds

    def __str__(self) -> str:
        if self.ratio > 1.3:
            return f"Two threads are {self.ratio:.1f} times as fast as one."
        if self.cores < 2:
            return "No gain, and none was possible: this machine has one core."
        return (
            f"Hardly a gain: two threads are {self.ratio:.1f} times as fast, on {self.cores} "
            "cores. Other programs may keep them busy: try again on a quiet machine."
        )


def two_branches(size: int = 400, length: int = 6) -> Timing:
    """Time a graph of two branches, each a chain of `length` products of `size` x `size` matrices.

    Raises OSError, in a sentence, where a process fails or does not answer.
    """
    command = ("-m", __name__, str(size), str(length))
    started = [processes.start(*command, str(threads), piped=True) for threads in (1, 2)]
    try:
        seconds = [_turn(process) for process in started]
    finally:
        for process in started:
            process.kill()
            process.communicate()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Timing(*seconds, cores or 1)


def _turn(process: subprocess.Popen) -> float:
    """Let one process run and return the seconds that it measured."""
    try:
        answer, _ = process.communicate("go\n", timeout=_PATIENCE_SECONDS)
        return float(json.loads(answer.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        raise OSError(f"The timing gave no answer within {_PATIENCE_SECONDS} seconds.") from None
    except (IndexError, ValueError):
        raise OSError("The process that times the branches ended without an answer.") from None


def _time_branches(size: int, length: int, threads: int) -> None:
    """Wait for a line on standard input, time the graph, and print the seconds as JSON."""
    import tensorflow

    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)  # a product: one core

    @tensorflow.function
    def branches(a, b):
        left, right = a, b
        for _ in range(length):
            left, right = tensorflow.matmul(left, a), tensorflow.matmul(right, b)
        return tensorflow.reduce_sum(left) + tensorflow.reduce_sum(right)

    matrices = [tensorflow.random.stateless_uniform((size, size), (1, n)) / size for n in (1, 2)]
    sys.stdin.readline()
    taken = []
    for _ in range(8):  # the first run traces the graph as well
        start = time.perf_counter()
        float(branches(*matrices))
        taken.append(time.perf_counter() - start)
    print(json.dumps(min(taken)))  # the run that was disturbed least


if __name__ == "__main__":
    _time_branches(*map(int, sys.argv[1:]))
