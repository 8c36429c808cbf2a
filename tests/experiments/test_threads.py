"""Two branches on one and on two threads: a timing says what it is, and no more."""

from __future__ import annotations

import pytest

from course_lib.experiments.threads import Timing, two_branches


@pytest.mark.parametrize(
    ("timing", "said"),
    [
        (Timing(0.2, 0.1, 2), "Two threads are 2.0 times as fast as one."),
        (Timing(0.1, 0.1, 1), "none was possible: this machine has one core"),
        (Timing(0.1, 0.1, 4), "Hardly a gain: two threads are 1.0 times as fast"),
    ],
)
def test_a_timing_is_honest(timing, said):
    assert said in str(timing)


@pytest.mark.slow
def test_two_branches_are_timed():
    timing = two_branches(size=100, length=2)
    assert 0 < timing.one_thread_seconds < 10 and timing.cores >= 1
