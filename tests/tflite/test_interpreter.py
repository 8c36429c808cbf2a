"""The interpreter around LiteRT: what goes in and out, and what it refuses."""

import os

import numpy as np
import pytest

from course_lib import micro, session, tflite
from course_lib.tflite.interpreter import Tensor, dequantize, quantize

tf = session.import_tensorflow()
X = np.random.default_rng(8).normal(size=(4, 5, 3)).astype(np.float32)


def test_float_ends_round_as_we_do(made, features):
    ours, kernel = (tflite.run(made[name], features) for name in ("int8", "int8_float_io"))
    np.testing.assert_array_equal(ours, kernel)


def test_operations_come_in_order(made):
    kinds = [operation.kind for operation in tflite.operations(made["float32"])]
    assert kinds == ["CONV_2D", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]


def test_quantize_rounds_halves_away_from_zero_and_saturates():
    tensor = Tensor(0, "x", (6,), np.dtype(np.int8), (0.5,), (3,))
    stored = quantize(np.array([0.25, -0.25, 0.24, 1e9, -1e9, 0.0]), tensor)
    assert stored.tolist() == [4, 2, 3, 127, -128, 3]
    np.testing.assert_allclose(dequantize(stored[:3], tensor), [0.5, -0.5, 0.0], atol=0)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: b"", "empty"),
        (lambda data: b"not a model at all", "not a .tflite"),
        (lambda data: data[:20], "cut short"),
        (lambda data: data[: len(data) // 2], "damaged"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(made, damage, words, features):
    with pytest.raises(tflite.ModelError, match=words) as caught:
        tflite.run(damage(made["int8"]), features)
    assert "\n" not in str(caught.value)


def test_wrong_features_and_names_are_named(made, features):
    with pytest.raises(ValueError, match="cannot be split"):
        tflite.run(made["int8"], features[:, :10])
    with pytest.raises(FileNotFoundError, match="no_such_model"):
        tflite.load("no_such_model")


class Sum(tf.Module):
    def __init__(self):
        self.total = tf.Variable(tf.zeros((1, 5, 3)))

    @tf.function(input_signature=[tf.TensorSpec((1, 5, 3), tf.float32)])
    def add(self, x):
        return tf.reshape(self.total.assign_add(x), (1, 15)) + 1.0


def resources():
    module = Sum()
    function = module.add.get_concrete_function()
    maker = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    maker.experimental_enable_resource_variables = True
    with session.quiet():
        return maker.convert()


def lstm():
    layers = [tf.keras.Input((5, 3)), tf.keras.layers.LSTM(4), tf.keras.layers.Dense(2)]
    return tflite.convert(tf.keras.Sequential(layers))


def test_resource_variables_are_forgotten():
    wanted = X.reshape(4, 15) + 1
    for delegate in (False, True):
        runner = tflite.Interpreter(resources(), delegate)
        for _ in range(2):
            np.testing.assert_allclose(runner.run(X), wanted, atol=1e-6)
    runner = tflite.Interpreter(resources())
    runner.step(X[:1])
    assert np.abs(runner.step(X[:1]) - wanted[:1]).max() > 0.1  # what is asked for by hand stays


@pytest.mark.parametrize("made", [lstm, resources])
def test_the_order_of_clips_changes_nothing(made):
    model = made()
    there = tflite.run(model, X)
    back = tflite.run(model, X[::-1])[::-1]
    np.testing.assert_array_equal(there, back)
    np.testing.assert_array_equal(tflite.run_guarded(model, X), there)
    if micro.available():
        np.testing.assert_allclose(micro.Interpreter(model).run(X), there, atol=1e-5)


@pytest.mark.parametrize("cores", [1, 2, 3, None])
@pytest.mark.parametrize("count", [1, 127, 128, 200])
def test_clips_shared_among_cores_get_the_answers_of_one(made, features, cores, count, monkeypatch):
    clips = np.resize(features, (count, *features.shape[1:]))
    alone = tflite.Interpreter(made["int8"]).run(clips)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    np.testing.assert_array_equal(tflite.run(made["int8"], clips), alone)


def test_a_batch_is_never_torn_between_cores(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    summed = tf.function(lambda x: tf.reduce_sum(x, axis=0, keepdims=True) * x)
    shape = tf.TensorSpec((2, 3), tf.float32)
    data = tf.lite.TFLiteConverter.from_concrete_functions([summed.get_concrete_function(shape)])
    clips = np.arange(390 * 3, dtype=np.float32).reshape(390, 3)
    pairs = clips.reshape(195, 2, 3)
    wanted = (pairs.sum(axis=1, keepdims=True) * pairs).reshape(390, 3)
    np.testing.assert_allclose(tflite.run(data.convert(), clips), wanted)
