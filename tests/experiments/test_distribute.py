"""Training in several places: the same weights as in one, and no process that stays."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from course_lib.exercises.lesson_02 import WEIGHTS
from course_lib.experiments.distribute import workers
from course_lib.experiments.distribute.workers import (
    WorkerError,
    Workers,
    train_alone,
    train_together,
)
from course_lib.experiments.threads import Timing

ROOT = Path(__file__).resolve().parents[2]


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
        ("import os; os.kill(os.getpid(), 9)", r"\(signal 9\)"),
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
    assert not Workers((one, other), 1).agree
    assert Workers((one,), 1).difference(Workers((other,), 1)) == 1e-9


IN_A_PROCESS = """
import json, sys
from course_lib import session, spotter
from course_lib.experiments import distribute
tf = distribute.import_with_devices(2)
inputs, labels = distribute.batch(16)
with session.quiet():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = spotter.build()

def one(inputs, labels):
    mine = distribute.loss_gradients(model, inputs, labels)
    return mine, tf.distribute.get_replica_context().all_reduce("mean", mine)

step = tf.function(lambda *half: strategy.run(one, args=half))
mine, reduced = step(*distribute.share(strategy, inputs, labels))
whole = distribute.loss_gradients(model, inputs, labels)
off = max(float(abs(r.values[0] - w).numpy().max()) for r, w in zip(reduced, whole))
apart = max(float(abs(m.values[0] - m.values[1]).numpy().max()) for m in mine)
copy = spotter.build()
halves = [(inputs[0::2], labels[0::2]), (inputs[1::2], labels[1::2])]
before = copy.get_weights()
equal = [distribute.averaging(copy, halves, *way).equal
         for way in (("sgd", 1), ("sgd", 2), ("adam", 1))]
kept = all((a == b).all() for a, b in zip(before, copy.get_weights()))
print(json.dumps([off, apart, equal, kept, distribute.import_with_devices(2) is tf]))
"""


@pytest.mark.slow
def test_replicas_average_gradients_and_what_averaging_weights_would_do():
    done = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    off, apart, equal, kept, again = json.loads(done.stdout.splitlines()[-1])
    assert off < 1e-5 < apart
    assert equal == [True, False, False]
    assert kept and again


def test_devices_cannot_change_any_more():
    code = (
        "from course_lib import session\nfrom course_lib.experiments import distribute\n"
        "session.import_tensorflow().constant(1.0)\n"
        "try: distribute.import_with_devices(2)\n"
        "except RuntimeError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "restart the kernel" in done.stdout


@pytest.mark.parametrize(
    ("timing", "said"),
    [
        (Timing(0.2, 0.1, 2), "Two threads are 2.0 times as fast as one."),
        (Timing(0.1, 0.1, 1), "none was possible: this machine has one core"),
        (Timing(0.1, 0.1, 4), "No gain to speak of here (1.0 times)"),
    ],
)
def test_a_timing_is_honest(timing, said):
    assert said in str(timing)


@pytest.mark.slow
def test_two_branches_are_timed():
    from course_lib.experiments.threads import two_branches

    timing = two_branches(size=100, length=2)
    assert 0 < timing.one_thread_seconds < 10 and timing.cores >= 1
