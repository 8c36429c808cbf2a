"""Training in several processes: the same weights as in one, and no process that stays."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from course_lib.exercises.lesson_02 import WEIGHTS
from course_lib.experiments import workers
from course_lib.experiments.workers import WorkerError, Workers, train_alone, train_together


def _children() -> set[int]:
    """Return the processes below this one; other tests may have left some that are not ours."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.slow
def test_two_processes_end_like_one():
    before = _children()
    together, alone = train_together(workers=2, steps=2), train_alone(steps=2)
    assert together.agree and len(together.weights) == 2
    assert together.weights[0].size == WEIGHTS
    assert together.difference(alone) < 1e-5
    assert not _children() - before


@pytest.mark.slow
def test_a_worker_that_dies_is_named_and_nobody_hangs():
    before = _children()
    start = time.monotonic()
    with pytest.raises(WorkerError) as caught:
        train_together(workers=2, steps=3, dies=(1, 2))
    assert str(caught.value) == (
        "Worker 1 died after step 2 (exit code 7). Without its gradients no step can be completed, "
        "so the others were stopped."
    )
    assert caught.value.finished == 0
    assert time.monotonic() - start < 110
    assert not _children() - before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import time; time.sleep(60)", "not done after 1 seconds and were stopped"),
        ("raise SystemExit(3)", r"Worker 0 died before its first step \(exit code 3\)"),
        ("print('step 4'); raise ValueError('odd')", "Worker 0 died after step 4 .ValueError: odd"),
        pytest.param(
            "import os; os.kill(os.getpid(), 9)", r"\(signal 9\)", marks=pytest.mark.posix
        ),
    ],
)
def test_trouble_is_said_in_bounded_time(monkeypatch, code, message):
    before = _children()

    def started(index, addresses, steps, dies, folder):
        script = code if index == 0 else "import time; time.sleep(60)"
        log = (folder / f"{index}.log").open("wb")
        with log:
            return subprocess.Popen([sys.executable, "-c", script], stdout=log, stderr=log)

    monkeypatch.setattr(workers, "_started", started)
    start = time.monotonic()
    limit = 1 if "after 1 seconds" in message else 30
    with pytest.raises(WorkerError, match=message):
        train_together(workers=2, timeout_seconds=limit)
    assert time.monotonic() - start < 25
    assert not _children() - before


def test_the_worker_that_died_first_is_named_not_the_one_that_lost_it(tmp_path):
    def ended(code):
        process = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
        process.wait()
        return process

    (tmp_path / "0.log").write_text("step 1\nConnection refused")
    (tmp_path / "1.log").write_text("step 1")
    (tmp_path / "0.npy").write_text("its weights")
    with pytest.raises(WorkerError, match=r"Worker 1 died after step 1 \(exit code 7\)") as caught:
        still_running = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        try:
            workers._watch([ended(1), ended(7), still_running], tmp_path, 30)
        finally:
            still_running.kill()
            still_running.wait()
    assert caught.value.finished == 1


def test_workers_that_disagree_are_found_out():
    one, other = np.zeros(3), np.array([0, 0, 1e-9])
    assert not Workers((one, other)).agree
    assert Workers((one,)).difference(Workers((other,))) == 1e-9
