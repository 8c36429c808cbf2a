"""The spotter without its norms: each is folded into the convolution before it, as in a .tflite.

A training that is to know of the grids must see the numbers that will lie in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from course_lib import session

if TYPE_CHECKING:
    import keras

_NORM = "_norm"


def without_norms(
    model: keras.Model, convolution: type[keras.layers.Conv2D] | None = None
) -> keras.Model:
    """Return a trained spotter anew, its answers the same within 1e-4, its norms gone.

    Every convolution becomes a `convolution` (default: Keras's own) with a bias: with the norm's
    factor f = gamma / sqrt(variance + epsilon), the kernel is f times the old one, the bias
    beta - f * mean. Source: Jacob and others, CVPR 2018, section 3.2. Raises ValueError for a
    model in which a convolution has no norm.
    """
    layers = session.import_tensorflow().keras.layers
    kind = convolution or layers.Conv2D
    convolutions = [each for each in model.layers if isinstance(each, layers.Conv2D)]
    norms = {each.name for each in model.layers if isinstance(each, layers.BatchNormalization)}
    for layer in convolutions:
        if layer.name + _NORM not in norms:
            raise ValueError(f"{layer.name} has no norm behind it: give a model of spotter.build.")
    bare = _cloned(model, kind)
    for layer in convolutions:
        kernel, bias = fold(layer, model.get_layer(layer.name + _NORM))
        bare.get_layer(layer.name).set_weights([kernel, bias])
    for layer in model.layers:
        if isinstance(layer, layers.Dense):
            bare.get_layer(layer.name).set_weights(layer.get_weights())
    return bare


def _cloned(model: keras.Model, convolution: type) -> keras.Model:
    """Return the network with fresh weights, other convolutions, and nothing where a norm was."""
    keras = session.import_tensorflow().keras

    class Gone(keras.layers.Layer):
        def call(self, values, **_):
            return values

    def other(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.BatchNormalization):
            return Gone(name=layer.name)
        settings = layer.get_config()
        if isinstance(layer, keras.layers.Conv2D):
            return convolution.from_config({**settings, "use_bias": True})
        return type(layer).from_config(settings)

    return keras.models.clone_model(model, clone_function=other)


def fold(layer, norm) -> tuple[np.ndarray, np.ndarray]:
    """Return kernel and bias, float32, of a convolution that does its norm's work, too."""
    gamma, beta, mean, variance = map(np.asarray, norm.get_weights())
    factor = gamma / np.sqrt(variance + norm.epsilon)
    return np.asarray(layer.kernel) * factor, beta - mean * factor
