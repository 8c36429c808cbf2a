"""One model on several devices: the gradient of the whole batch, and averaged weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

IN_A_PROCESS = """
import json, sys
from course_lib import session, spotter
from course_lib.experiments import replicas
tf = replicas.import_with_devices(2)
inputs, labels = replicas.batch(16)
with session.quiet():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = spotter.build()

def one(inputs, labels):
    mine = replicas.loss_gradients(model, inputs, labels)
    return mine, tf.distribute.get_replica_context().all_reduce("mean", mine)

step = tf.function(lambda *half: strategy.run(one, args=half))
mine, reduced = step(*replicas.share(strategy, inputs, labels))
whole = replicas.loss_gradients(model, inputs, labels)
off = max(float(abs(r.values[0] - w).numpy().max()) for r, w in zip(reduced, whole))
apart = max(float(abs(m.values[0] - m.values[1]).numpy().max()) for m in mine)
copy = spotter.build()
halves = [(inputs[0::2], labels[0::2]), (inputs[1::2], labels[1::2])]
before = copy.get_weights()
equal = [replicas.train_both_ways(copy, halves, *way).equal
         for way in (("sgd", 1), ("sgd", 2), ("adam", 1))]
kept = all((a == b).all() for a, b in zip(before, copy.get_weights()))
print(json.dumps([off, apart, equal, kept, replicas.import_with_devices(2) is tf]))
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
        "from course_lib import session\nfrom course_lib.experiments import replicas\n"
        "session.import_tensorflow().constant(1.0)\n"
        "try: replicas.import_with_devices(2)\n"
        "except RuntimeError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "restart the kernel" in done.stdout
