"""TensorFlow Lite Micro's interpreter against other runtimes."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import measure, micro, quantize, tflite
from course_lib.sound import dataset, features
from course_lib.tflite.interpreter import quantize as _stored

here = pytest.mark.skipif(
    not micro.available(), reason="tflite-micro is not installed: it exists for Linux on x86-64"
)


@pytest.fixture(scope="module")
def model() -> bytes:
    return tflite.load("spotter_int8")


@pytest.fixture(scope="module")
def clips() -> np.ndarray:
    return features.of(dataset.bundled("test"))[:60]


@here
def test_it_answers_as_our_integers_do(model: bytes, clips: np.ndarray) -> None:
    stored = micro.Interpreter(model).run_stored(clips)
    assert np.array_equal(stored, quantize.run_integer(model, clips, "micro").output)
    answers = micro.Interpreter(model).run(clips)
    assert answers.dtype == np.float32 and np.allclose(answers.sum(1), 1, atol=0.02)


@here
def test_a_single_step_takes_stored_integers(model: bytes, clips: np.ndarray) -> None:
    runner = micro.Interpreter(model)
    value = _stored(clips[:1].reshape(1, 49, 40, 1), runner.input)
    assert np.array_equal(runner.step(value), runner.run_stored(clips[:1]))
    with pytest.raises(micro.MicroError, match="does not take float32"):
        runner.step(np.zeros((1, 49, 40, 1), np.float32))


def test_other_bytes_are_refused(model: bytes) -> None:
    for call in (micro.smallest_arena, micro.Interpreter):
        with pytest.raises(ValueError, match="empty|TFL3|not installed"):
            call(b"", 1000)
    if micro.available():
        wrong = bytearray(model)
        wrong[4:8] = b"ABCD"
        with pytest.raises(ValueError, match="TFL3"):
            micro.smallest_arena(bytes(wrong))


def test_without_the_package_the_reason_is_said(model: bytes, monkeypatch) -> None:
    monkeypatch.setattr(micro.interpreter, "PACKAGE", "no_such_package")
    assert not micro.available()
    with pytest.raises(micro.MicroError, match="Linux on x86-64"):
        micro.Interpreter(model).run(np.zeros((1, 49, 40)))
    with pytest.raises(micro.MicroError, match="Linux on x86-64"):
        micro.smallest_arena(model)
    assert measure.arena_bytes(model) == 0
