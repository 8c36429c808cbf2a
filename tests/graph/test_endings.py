"""Activations at a model's end, as Keras computes them: none gets a softmax on top of its own."""

from __future__ import annotations

import numpy as np
import pytest
import saved_forms
from scipy.special import softmax
from seeds import TURN

from course_lib import session, tflite
from course_lib.measure import saved

tf = session.import_tensorflow()
L = tf.keras.layers
X = np.random.default_rng(16).normal(size=(5, 6, 4)).astype(np.float32)
ACTIVE = (
    "softmax log_softmax sigmoid relu relu6 elu selu leaky_relu tanh softplus softsign exponential "
    "silu gelu hard_sigmoid hard_silu celu mish hard_tanh hard_shrink soft_shrink tanh_shrink "
    "squareplus sparsemax"
).split()


def decomposed(x):
    e = tf.exp(x - tf.reduce_max(x, axis=-1, keepdims=True))
    return e / tf.reduce_sum(e, axis=-1, keepdims=True)


ENDS = {name: [L.Dense(4, activation=name)] for name in (ACTIVE if TURN else ACTIVE[::2])}
ENDS |= {
    "softmax apart": [L.Dense(4), L.Softmax()],
    "squareplus": [L.Dense(4, activation="squareplus")],
    "threshold": [L.Dense(4), L.Activation(lambda x: tf.keras.activations.threshold(x, 0.1, 0.0))],
    "activation apart": [L.Dense(4), L.Activation("sigmoid")],
    "lambda": [L.Dense(4), L.Lambda(lambda x: tf.nn.softmax(x))],
    "lambda of a function": [L.Dense(4), L.Lambda(tf.function(lambda x: tf.nn.softmax(x)))],
    "made of parts": [L.Dense(4), L.Lambda(decomposed)],
    "in another form": [L.Dense(4, activation="softmax"), L.Reshape((4,)), L.Dropout(0.5)],
    "inner model": [tf.keras.Sequential([L.Dense(4, activation="softmax")])],
    "one number": [L.Dense(1)],
}
LINEAR = {
    "dense": [L.Dense(4)],
    "no bias": [L.Dense(4, use_bias=False)],
    "normalised": [L.Dense(4), L.BatchNormalization()],
    "average after relu": [
        L.Reshape((6, 4)),
        L.Conv1D(4, 2, activation="relu"),
        L.GlobalAvgPool1D(),
    ],
    "temperature": [L.Dense(4), L.Rescaling(0.25)],
    "softmax inside": [L.Dense(5, activation="softmax"), L.Dense(4)],
    "lambda of a function": [L.Dense(4), L.Lambda(tf.function(lambda x: x * 2.0))],
}


def made(end):
    return tf.keras.Sequential([L.Input((6, 4)), L.Flatten(), *end])


@pytest.mark.parametrize("name", ENDS)
def test_a_models_own_activation_stays(name):
    model = made(ENDS[name])
    answer = tflite.run(tflite.convert(model), X)
    np.testing.assert_allclose(answer, model.predict(X, verbose=0), atol=2e-5)


@pytest.mark.parametrize("name", LINEAR)
def test_logits_become_probabilities(name):
    model = made(LINEAR[name])
    answer = tflite.run(tflite.convert(model), X)
    np.testing.assert_allclose(answer, softmax(model.predict(X, verbose=0), axis=1), atol=2e-5)


@pytest.mark.parametrize("form", ["keras", "folder", "pb"])
@pytest.mark.parametrize("end", ["softmax", "sigmoid", None, "attention"])
def test_every_form_answers_alike(form, end, tmp_path):
    """A saved model, opened and measured, is the model: also one with a softmax in its middle."""
    inputs = x = L.Input((6, 4, 1))
    if end == "attention":
        x = L.Reshape((6, 4))(x)
        x = L.Reshape((6, 4, 1))(L.Attention()([x, x]))
    outputs = L.Dense(3, activation=None if end == "attention" else end)(L.Flatten()(x))
    model = tf.keras.Model(inputs, outputs)
    wanted = model.predict(X[..., None], verbose=0)
    wanted = wanted if end in ("softmax", "sigmoid") else softmax(wanted, axis=1)
    path = saved_forms.save(model, tmp_path / f"m.{form}", form)
    opened = saved.trainable_or_frozen(path)
    np.testing.assert_allclose(tflite.run(tflite.convert(opened), X), wanted, atol=2e-5)
    np.testing.assert_allclose(saved.predictor(path)(X), wanted, atol=2e-5)


@pytest.mark.parametrize("end", ["softmax", "sigmoid"])
def test_an_int8_file_ends_in_its_own_grid(end):
    model = made([L.Dense(4, activation=end)])
    data = tflite.convert(model, "int8", X)
    (output,) = tflite.Interpreter(data).outputs
    assert (output.scale, output.zero_point) == (1 / 256, -128)
    np.testing.assert_allclose(tflite.run(data, X), model.predict(X, verbose=0), atol=0.05)
