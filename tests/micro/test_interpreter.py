"""TensorFlow Lite Micro's interpreter against other runtimes, its arena against its own words."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import measure, micro, quantize, tflite
from course_lib.micro import interpreter
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


@here
def test_the_smallest_arena_is_enough_and_less_is_not(model: bytes) -> None:
    smallest = micro.smallest_arena(model)
    with interpreter.Device() as device:
        assert device.fits(model, smallest)
        assert not device.fits(model, smallest - interpreter.STEP_BYTES)
    assert measure.arena_bytes(model) == smallest
    noted = micro.grows(model, 1)[0]
    assert noted.total_bytes == noted.head_bytes + noted.tail_bytes
    assert noted.total_bytes <= smallest < noted.total_bytes + 100
    largest = max(
        value.grid is not None and value.stored is None and int(np.prod(value.shape))
        for value in quantize.read(model).values
    )
    assert noted.head_bytes >= largest


@here
def test_an_arena_that_is_too_small_is_explained_and_ends_nobody(model: bytes) -> None:
    with interpreter.Device() as device:
        for size in (5000, 50):  # with 50, the interpreter itself ends its process
            with pytest.raises(micro.MicroError, match="missing") as short:
                device.allocations(model, size)
            assert "\n" not in str(short.value) and not device.fits(model, size)
        assert not device.fits(model, -1)
    for size in (5000, 50):
        with pytest.raises(micro.MicroError, match=f"in {size:,} bytes: .*missing"):
            micro.Interpreter(model, size)
    with pytest.raises(micro.MicroError, match="missing"):
        micro.grows(model, 1, arena_bytes=5000)
    assert micro.smallest_arena(model, largest=5000) == 0


@here
def test_nothing_is_allocated_after_start_up(model: bytes) -> None:
    before, after = micro.grows(model, runs=20)
    assert before == after
    assert sum(before.kinds.values()) <= before.tail_bytes
    assert before.counts["NodeAndRegistration struct"] == len(quantize.read(model).operations)


@here
def test_the_child_starts_again_after_it_died(model: bytes) -> None:
    with interpreter.Device() as child:
        with pytest.raises(micro.MicroError, match="missing"):
            child.allocations(model, 50)
        assert child.process is None
        before, after = child.allocations(model, 1 << 20)
        assert "Arena" in before and "Arena" in after


@here
def test_a_child_that_hangs_is_ended(model: bytes) -> None:
    with (
        interpreter.Device(seconds=0.01) as child,
        pytest.raises(micro.MicroError, match="."),
    ):
        child.allocations(model, 1 << 20, runs=100_000)  # and it is said, whatever it printed


def test_a_changed_print_of_the_allocator_is_noticed() -> None:
    with pytest.raises(micro.MicroError, match="another format"):
        interpreter._parsed("Arena: 12 bytes")


def test_arenas_are_found_by_halving(model: bytes) -> None:
    pytest.importorskip("tflite_micro")
    larger = tflite.load("spotter_float32")
    assert 8_000 < measure.arena_bytes(model) < measure.arena_bytes(larger)
    with pytest.raises(ValueError, match="TFL3"):
        measure.arena_bytes(b"no model at all")
