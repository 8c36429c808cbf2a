"""What the tests of checkpoints share: a very small model, and a checkpoint of its training."""

from __future__ import annotations

import pytest

from course_lib import session


@pytest.fixture(scope="module")
def tf():
    return session.import_tensorflow()


@pytest.fixture(scope="module")
def model(tf):
    keras = tf.keras
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="hear"), keras.layers.BatchNormalization(),
         keras.layers.Dense(2, name="say")], name="tiny")  # fmt: skip


@pytest.fixture(scope="module")
def saved(tf, model, tmp_path_factory):
    """A TF2 checkpoint with Adam's slots; returns its prefix."""
    optimizer = tf.keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    step, note = tf.Variable(7, dtype="int64"), tf.Variable(["ab", "c" * 300])
    state = tf.train.Checkpoint(model=model, optimizer=optimizer, step=step, note=note)
    return state.save(str(tmp_path_factory.mktemp("train") / "ckpt"))


@pytest.fixture(scope="module")
def mobile(tf):
    """A small model of Keras' own applications, with weights by chance."""
    tf.keras.utils.set_random_seed(4)
    return tf.keras.applications.MobileNetV2((32, 32, 3), 0.35, weights=None, classes=5)
