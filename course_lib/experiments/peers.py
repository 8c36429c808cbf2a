"""Keyword models of the field, in Keras, untrained: to compare sizes, not ears."""

from typing import Any

from course_lib import session


def tiny_conv(classes: int = 4) -> Any:
    """Return the network of TensorFlow's micro_speech example: one convolution, one dense layer.

    Features (49, 40, 1) to logits. Source: tensorflow/examples/speech_commands/models.py.
    """
    keras = session.import_tensorflow().keras
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((49, 40, 1)),
            layers.Conv2D(8, (10, 8), 2, padding="same", activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(classes, name="decide"),
        ],
        name="tiny_conv",
    )


def ds_cnn(classes: int = 12, filters: int = 64) -> Any:
    """Return the depthwise separable network of the MLPerf Tiny benchmark.

    Features (49, 10, 1) to logits. Source: Y. Zhang and others, "Hello Edge", arXiv 1711.07128;
    C. Banbury and others, "MLPerf Tiny Benchmark", arXiv 2106.07597.
    """
    keras = session.import_tensorflow().keras
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inputs = keras.Input((49, 10, 1))
    x = layers.Conv2D(filters, (10, 4), 2, padding="same", name="conv")(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for number in (1, 2, 3, 4):
        x = layers.DepthwiseConv2D(3, padding="same", name=f"depthwise_{number}")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv2D(filters, 1, name=f"pointwise_{number}")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    return keras.Model(inputs, layers.Dense(classes, name="decide")(x), name="ds_cnn")
