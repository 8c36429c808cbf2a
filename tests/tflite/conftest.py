"""A small network of the spotter's kind, and every variant of it."""

import numpy as np
import pytest

from course_lib import session, tflite
from course_lib.graph import freeze


@pytest.fixture(scope="package")
def features():
    return np.random.default_rng(6).normal(size=(24, 49, 40)).astype(np.float32)


@pytest.fixture(scope="package")
def model():
    """Build a small untrained network of the spotter's kind."""
    tf = session.import_tensorflow()
    tf.keras.utils.set_random_seed(0)
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            layers.Input((49, 40, 1)),
            layers.Conv2D(4, 5, strides=2, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(6, (1, 18), use_bias=False),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4),
        ]
    )


@pytest.fixture(scope="package")
def frozen(model):
    return freeze.frozen(model)


@pytest.fixture(scope="package")
def made(frozen, features):
    """Convert once to every variant."""
    return {name: tflite.convert(frozen, name, features) for name in tflite.VARIANTS}
