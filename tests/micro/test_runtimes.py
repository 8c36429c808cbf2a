"""The same bytes in several runtimes: how far their answers are apart."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import micro, tflite
from course_lib.micro import record
from course_lib.micro.runtimes import MICRO, RUNTIMES, Difference, Runtimes
from course_lib.sound import dataset, features


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


@pytest.mark.skipif(not micro.available(), reason="tflite-micro is not installed")
def test_runtimes_are_compared_clip_by_clip(model: bytes) -> None:
    rows = features.of(dataset.bundled("test"))[:80]
    runtimes = micro.compare_runtimes(model, rows)
    assert runtimes.names == (*RUNTIMES, MICRO) and runtimes.where == record.HERE
    rounding = runtimes.difference("LiteRT, reference", MICRO)
    assert rounding.different <= 5 and rounding.decisions == 0
    fast = runtimes.difference("LiteRT", "LiteRT, reference")
    assert fast.different > rounding.different  # the delegate rounds in its own way
    assert runtimes.difference(MICRO, MICRO) == Difference(80, 0, 0, 0)
    with pytest.raises(LookupError, match="no 'TensorRT'"):
        runtimes.difference("LiteRT", "TensorRT")


def test_a_difference_counts_clips_steps_and_decisions() -> None:
    one = np.array([[10, -10], [0, 1], [5, 5], [100, -100]], np.int8)
    two = np.array([[10, -10], [1, 0], [5, 4], [-128, 127]], np.int8)
    found = Runtimes({"a": one, "b": two}, "").difference("a", "b")
    assert found == Difference(clips=4, different=3, largest=228, decisions=2)
    assert found.equal_share == 0.25


def test_enough_clips_are_compared() -> None:
    assert len(micro.compared_clips()) >= 1000
    assert 100 <= len(micro.device_clips()) <= 300
    assert set(micro.device_clips().labels) == {0, 1, 2, 3}
