"""A damaged model may crash LiteRT, but not us."""

import random

import numpy as np
import pytest

from course_lib import session, tflite

FEATURES = np.random.default_rng(6).normal(size=(3, 8, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    tf = session.import_tensorflow()
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [layers.Input((8, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(4)]
    )
    return tflite.convert(network, "int8", FEATURES)


def test_guarded_answers_are_the_same(model):
    np.testing.assert_array_equal(tflite.run_guarded(model, FEATURES), tflite.run(model, FEATURES))


def test_errors_come_back_as_sentences_and_the_process_lives_on(model):
    with tflite.Guard() as guard:
        with pytest.raises(tflite.ModelError, match="not a .tflite"):
            guard.run(b"no model at all", FEATURES)
        first = guard.process
        with pytest.raises(tflite.ModelError, match="cannot be split"):
            guard.run(model, FEATURES[:, :2])
        assert guard.run(model, FEATURES).shape == (3, 4) and guard.process is first


def test_a_hang_is_ended(model):
    many = np.zeros((200_000, 8, 6), np.float32)
    with tflite.Guard(seconds=0.05) as guard:
        with pytest.raises(tflite.ModelError, match="did not finish"):
            guard.run(model, many)
        guard.seconds = 30
        assert guard.run(model, FEATURES).shape == (3, 4)  # a new process was started


def test_a_crash_is_reported_and_a_new_process_started(model, monkeypatch):
    with tflite.Guard() as guard:
        guard.run(model, FEATURES)
        guard.process.kill()
        with pytest.raises(tflite.ModelError, match="crashed on this model .SIGKILL"):
            guard.run(model, FEATURES)
        assert guard.run(model, FEATURES).shape == (3, 4)


def test_memory_is_limited(model):
    with tflite.Guard(memory_bytes=1 << 29) as guard:
        with pytest.raises(tflite.ModelError):
            guard.run(model, np.zeros((1 << 22, 8, 6), np.float32))


def test_random_damage_never_reaches_us(model):
    chance = random.Random(1)
    ran = 0
    with tflite.Guard() as guard:
        for _ in range(150):
            data = bytearray(model)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                ran += guard.run(bytes(data), FEATURES).shape == (3, 4)
            except ValueError as error:
                assert "\n" not in str(error)
    assert 0 < ran < 150
