"""A family's clock shows the same on a quiet and on a busy machine."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

import pytest

from course_lib.instructor.grading.inside import clock

SPIN = "import time\nwhile time.process_time() < 0.6:\n    pass\nprint(flush=True)\ninput()"


class Machine:
    """A machine whose wall, processor time and working threads a test sets."""

    def __init__(self, monkeypatch, cores: int) -> None:
        self.now, self.used, self.working = 0.0, {1: 0.0}, 0
        monkeypatch.setattr(clock.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(clock, "family", lambda pid: list(self.used))
        monkeypatch.setattr(clock, "_use", lambda pids: (dict(self.used), self.working))
        monkeypatch.setattr(clock, "_cores", lambda: cores)
        self.clock = clock.Clock(1)

    def pass_time(self, wall: float, working: int = 0, each: float = 0.0, steps: int = 1) -> float:
        """Let `wall` seconds pass, in which `working` threads each get `each` seconds."""
        for _ in range(steps):
            self.now += wall / steps
            self.used[1] += working * each / steps
            self.working = working
            self.clock.look()
        return self.clock.seconds


@pytest.mark.parametrize(
    "working, each, expected",
    [
        (0, 0.0, 8.0),  # all sleep: the wall's time
        (1, 8.0, 8.0),  # a quiet machine
        (1, 2.0, 2.0),  # one core shared by four
        (2, 2.0, 2.0),  # two threads that get half of what they got alone...
        (2, 4.0, 4.0),
        (500, 0.016, 4.0),  # no number of threads makes the clock slower than one
    ],
)
def test_time_passes_as_fast_as_the_machine_works(monkeypatch, working, each, expected):
    machine = Machine(monkeypatch, cores=2)
    assert machine.pass_time(8.0, working, each, steps=32) == pytest.approx(expected)


def test_more_cores_do_not_make_it_faster(monkeypatch):
    assert Machine(monkeypatch, cores=16).pass_time(5.0, 16, 5.0, steps=20) == pytest.approx(5.0)


def test_a_machine_that_stood_still_costs_nobody_time(monkeypatch):
    machine = Machine(monkeypatch, cores=2)
    assert machine.pass_time(3600.0) == pytest.approx(1.0)


def test_a_process_that_ends_takes_no_time_back(monkeypatch):
    machine = Machine(monkeypatch, cores=2)
    machine.used[2] = 3.0
    machine.pass_time(4.0, 1, 4.0)
    del machine.used[2]
    assert machine.pass_time(4.0, 1, 4.0) == pytest.approx(7.0, abs=1.1)


def test_who_is_starved_is_told_apart_from_who_is_slow(monkeypatch):
    machine = Machine(monkeypatch, cores=2)
    machine.pass_time(7.0, 1, 0.5, steps=28)
    assert not machine.clock.is_over(1.0)
    machine.pass_time(2.0, 1, 0.1, steps=8)
    assert machine.clock.is_over(1.0) and machine.clock.is_starved(1.0)
    slow = Machine(monkeypatch, cores=2)
    slow.pass_time(1.5, steps=6)
    assert slow.clock.is_over(1.0) and not slow.clock.is_starved(1.0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it needs /proc")
def test_work_takes_its_own_time_however_busy_the_machine_is():
    """Beside three that compete for one core, 0.6 s of work take 2.4 s of the wall."""
    core = str(min(os.sched_getaffinity(0)))
    pinned = ["taskset", "-c", core]
    loops = [subprocess.Popen([*pinned, sys.executable, "-c", "while True: pass"]) for _ in "abc"]
    try:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        worker = subprocess.Popen([*pinned, sys.executable, "-c", SPIN], **pipes)
        timer, begun = clock.Clock(worker.pid), time.monotonic()
        while not select.select([worker.stdout], [], [], 0.05)[0]:
            timer.look()
        shown, wall = timer.look(), time.monotonic() - begun
        worker.communicate(b"\n")
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert 0.5 < shown < 0.8 * wall, (shown, wall)
