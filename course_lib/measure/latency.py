"""Time several functions fairly: in turns, in one process, by their medians."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def latencies(runs: Sequence[Callable[[], object]], rounds: int = 30) -> np.ndarray:
    """Return the median seconds of each function in `runs`, called in turn `rounds` times.

    Taking turns in one process spreads whatever else the machine does evenly over all of them;
    the median forgets the rounds in which it did something else. One more round warms up.
    """
    seconds = np.empty((rounds + 1, len(runs)))
    for turn in range(rounds + 1):
        for column, run in enumerate(runs):
            start = time.perf_counter()
            run()
            seconds[turn, column] = time.perf_counter() - start
    return np.median(seconds[1:], axis=0)


def latency_ratio(
    first: Callable[[], object], second: Callable[[], object], rounds: int = 30
) -> float:
    """Return how many times as long `first` takes as `second`: medians of interleaved runs."""
    slow, quick = latencies([first, second], rounds)
    return float(slow / quick)
