"""What a model keeps from one run to the next is forgotten between clips."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import session, tflite

tf = session.import_tensorflow()
X = np.random.default_rng(8).normal(size=(4, 5, 3)).astype(np.float32)


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
