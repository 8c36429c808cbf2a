"""Models that nothing here was designed for: other settings of the converter, other graphs.

``MODELS`` maps a name to a function that returns the bytes of a .tflite file. None of them needs
the network.
"""

from __future__ import annotations

import warnings

import numpy as np

from course_lib import session

__all__ = ["MODELS", "made"]


def made(name: str) -> bytes:
    """Return the bytes of one model, made quietly and from a fixed seed."""
    tf = session.import_tensorflow()
    tf.keras.utils.set_random_seed(1)
    with session.quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bytes(MODELS[name](tf))


def _from_function(tf, function, *shapes, dtype=None, **settings):
    specs = [tf.TensorSpec(shape, dtype or tf.float32) for shape in shapes]
    concrete = tf.function(function).get_concrete_function(*specs)
    return _converted(tf.lite.TFLiteConverter.from_concrete_functions([concrete]), **settings)


def _from_keras(tf, model, **settings):
    shape = (1, *model.input_shape[1:])
    concrete = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec(shape, tf.float32)
    )
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(concrete)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    if settings.pop("calibrate", False):
        rows = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
        settings["representative_dataset"] = lambda: ([row] for row in rows)
        settings["optimizations"] = [tf.lite.Optimize.DEFAULT]
    return _converted(converter, **settings)


def _converted(converter, **settings):
    supported = settings.pop("supported_ops", None)
    if supported:
        converter.target_spec.supported_ops = supported
    for name, value in settings.items():
        setattr(converter, name, value)
    return converter.convert()


def mobilenet_quantized(tf):
    """A Keras application, int8 with one scale for each filter."""
    model = tf.keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, weights=None, classes=10)
    return _from_keras(tf, model, calibrate=True)


def mobilenet_large(tf):
    """A float Keras application of more than 5 MB."""
    return _from_keras(tf, tf.keras.applications.MobileNet((128, 128, 3), weights=None))


def recurrent(tf):
    """An LSTM and a GRU: fused operations and loops in subgraphs of their own."""
    layers = tf.keras.layers
    return _from_keras(
        tf,
        tf.keras.Sequential(
            [layers.Input((8, 5)), layers.LSTM(6, return_sequences=True), layers.GRU(4)]
        ),
    )


def control_flow(tf):
    """A loop and a branch: WHILE and IF with several subgraphs."""

    def function(x):
        total = tf.while_loop(
            lambda i, _: i < 5, lambda i, s: (i + 1, s * 2 + x), (tf.constant(0), x)
        )[1]
        return tf.cond(tf.reduce_sum(total) > 0, lambda: total + 1, lambda: total - 1)

    return _from_function(tf, function, (3,))


def signatures(tf):
    """One module with two signatures that share a variable."""

    class Module(tf.Module):
        def __init__(self):
            self.weights = tf.Variable(tf.random.normal((4, 3)))

        @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32)])
        def encode(self, x):
            return {"code": x @ self.weights}

        @tf.function(input_signature=[tf.TensorSpec((1, 3), tf.float32)])
        def decode(self, y):
            return {"back": tf.nn.relu(y @ tf.transpose(self.weights))}

    module = Module()
    functions = [module.encode.get_concrete_function(), module.decode.get_concrete_function()]
    return _converted(tf.lite.TFLiteConverter.from_concrete_functions(functions, module))


def stateful(tf):
    """A variable that the model itself changes."""

    class Counter(tf.Module):
        def __init__(self):
            self.sum = tf.Variable(tf.zeros(3))

        @tf.function(input_signature=[tf.TensorSpec((3,), tf.float32)])
        def add(self, x):
            return self.sum.assign_add(x)

    module = Counter()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.add.get_concrete_function()], module
    )
    return _converted(converter, experimental_enable_resource_variables=True)


def sparse(tf):
    """Weights that are mostly zero, stored as sparse tensors."""
    weights = np.zeros((64, 64), np.float32)
    weights[::4, ::4] = 1 + np.arange(256, dtype=np.float32).reshape(16, 16)
    return _from_function(
        tf,
        lambda x: tf.matmul(x, tf.constant(weights), transpose_b=True),
        (1, 64),
        optimizations=[tf.lite.Optimize.EXPERIMENTAL_SPARSITY],
    )


def four_bits(tf):
    """Weights of four bits, two to a byte."""
    weights = np.random.default_rng(2).normal(size=(16, 8)).astype(np.float32)

    def function(x):
        x = tf.quantization.fake_quant_with_min_max_args(x, -4, 4, num_bits=8)
        narrow = tf.quantization.fake_quant_with_min_max_args(
            weights, -2, 2, num_bits=4, narrow_range=True
        )
        return tf.quantization.fake_quant_with_min_max_args(x @ narrow, -9, 9, num_bits=8)

    return _from_function(
        tf,
        function,
        (1, 16),
        optimizations=[tf.lite.Optimize.DEFAULT],
        _experimental_low_bit_qat=True,
    )


def select_operations(tf):
    """Operations that only TensorFlow has, stored as custom ones with options of their own."""
    ops = tf.lite.OpsSet
    return _from_function(
        tf,
        lambda x: tf.linalg.inv(x) + tf.math.lgamma(x),
        (3, 3),
        supported_ops=[ops.TFLITE_BUILTINS, ops.SELECT_TF_OPS],
    )


def custom_operation(tf):
    """An operation that nobody knows, let through."""
    return _from_function(tf, lambda x: tf.math.lgamma(x) * 2, (4,), allow_custom_ops=True)


def strings(tf):
    """A table of words: strings in, numbers out."""

    def function(x):
        words = tf.constant(["yes", "no", "naïve", ""])
        return tf.cast(tf.equal(tf.expand_dims(x, 1), words), tf.int32)

    return _from_function(
        tf,
        function,
        (2,),
        dtype=tf.string,
        supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS],
    )


def half_precision(tf):
    """A model that is stored and computes in float16."""
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Input((16, 16, 2)),
            layers.SeparableConv2D(5, 3),
            layers.Conv2DTranspose(3, 3, strides=2),
            layers.Flatten(),
            layers.Dense(7),
        ]
    )
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_types = [tf.float16]
    return _converted(converter, optimizations=[tf.lite.Optimize.DEFAULT])


def attention(tf):
    """A transformer block with a batch of any size, quantized dynamically."""
    layers = tf.keras.layers
    entry = layers.Input((6, 16))
    mixed = layers.MultiHeadAttention(2, 8)(entry, entry)
    model = tf.keras.Model(entry, layers.LayerNormalization()(entry + mixed))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    return _converted(converter, optimizations=[tf.lite.Optimize.DEFAULT])


def image_operations(tf):
    """Resizing, gathering, sorting, cumulative sums: options of many kinds."""

    def function(x):
        y = tf.image.resize(x, (7, 9), method="bilinear", antialias=False)
        y = tf.nn.max_pool2d(tf.pad(y, [[0, 0], [1, 1], [2, 2], [0, 0]], "REFLECT"), 2, 2, "SAME")
        best = tf.math.top_k(tf.reshape(y, (1, -1)), 5)
        return tf.gather(tf.cumsum(tf.reshape(y, (-1,))), best.indices), tf.one_hot(best.indices, 9)

    return _from_function(tf, function, (1, 5, 5, 3))


def uint8_ends(tf):
    """An int8 network with unsigned bytes at both ends."""
    layers = tf.keras.layers
    model = tf.keras.Sequential(
        [
            layers.Input((10, 10, 1)),
            layers.DepthwiseConv2D(3),
            layers.Flatten(),
            layers.Dense(3, activation="tanh"),
        ]
    )
    return _from_keras(
        tf,
        model,
        calibrate=True,
        supported_ops=[tf.lite.OpsSet.TFLITE_BUILTINS_INT8],
        inference_input_type=tf.uint8,
        inference_output_type=tf.uint8,
    )


MODELS = {
    function.__name__: function
    for function in (
        mobilenet_quantized,
        mobilenet_large,
        recurrent,
        control_flow,
        signatures,
        stateful,
        sparse,
        four_bits,
        select_operations,
        custom_operation,
        strings,
        half_precision,
        attention,
        image_operations,
        uint8_ends,
    )
}
