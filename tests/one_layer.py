"""Models of one layer each, drawn at random: every operation that there is plain C for."""

from __future__ import annotations

import numpy as np
from one_operation import Input, model

from course_lib import tflite
from course_lib.formats.tflite_file import schema


def _scaled(rng, low: float = -7, high: float = -3) -> float:
    return float(2.0 ** rng.uniform(low, high))


def _window(rng, options, height, width, stride, padding, dilation=(1, 1)):
    options.strideH, options.strideW, options.padding = *stride, padding
    if hasattr(options, "dilationHFactor"):
        options.dilationHFactor, options.dilationWFactor = dilation
    return options


def _places(length, size, stride, padding, dilation=1):
    reach = (size - 1) * dilation + 1
    return -(-length // stride) if padding == 0 else (length - reach) // stride + 1


def _convolution(rng, depthwise=False, per_channel=True, stride=(2, 1), padding=0, dilation=(1, 1)):
    x = Input((1, 9, 8, 3), _scaled(rng), int(rng.integers(-20, 20)))
    options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
    _window(rng, options, 3, 2, stride, padding, dilation)
    options.fusedActivationFunction = 1
    channels = 6
    if depthwise:
        options.depthMultiplier = 2
    shape = (1, 3, 2, channels) if depthwise else (channels, 3, 2, 3)
    axis = 3 if depthwise else 0
    scales = 2.0 ** rng.uniform(-8, -5, channels if per_channel else 1)
    w = Input(shape, scales, 0, rng.integers(-127, 128, shape, dtype=np.int8), axis)
    bias = rng.integers(-3000, 3000, channels, dtype=np.int32)
    b = Input((channels,), np.ravel(x.scale * scales), 0, bias, 0, "int32")
    rows = _places(9, 3, stride[0], padding, dilation[0])
    columns = _places(8, 2, stride[1], padding, dilation[1])
    out = Input((1, rows, columns, channels), x.scale * float(scales.max()) * 300, -30)
    kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
    return model(kind, [x, w, b], out, options, version=3)


def _pool(rng, kind, padding):
    grid = {"scale": _scaled(rng), "zero_point": -5}
    x = Input((1, 7, 9, 3), **grid)
    options = schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth, options.fusedActivationFunction = 3, 2, 1
    _window(rng, options, 3, 2, (2, 3), padding)
    shape = (1, _places(7, 3, 2, padding), _places(9, 2, 3, padding), 3)
    return model(kind, [x], Input(shape, **grid), options, version=2)


def _mean(rng, axes, shape):
    x = Input((1, 6, 5, 4), _scaled(rng), 7)
    picked = Input((len(axes),), data=np.array(axes, np.int32), dtype="int32")
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return model("MEAN", [x, picked], Input(shape, x.scale * 0.7, -9), options, version=2)


def _dense(rng, with_bias):
    x = Input((1, 30), _scaled(rng), 11)
    w = Input((7, 30), _scaled(rng), 0, rng.integers(-127, 128, (7, 30), dtype=np.int8))
    out = Input((1, 7), x.scale * w.scale * 200, 3)
    inputs = [x, w]
    if with_bias:
        bias = rng.integers(-3000, 3000, 7, dtype=np.int32)
        inputs.append(Input((7,), x.scale * w.scale, 0, bias, 0, "int32"))
    options = schema.FullyConnectedOptionsT()
    return model("FULLY_CONNECTED", inputs, out, options, version=4)


def _pad(rng):
    grid = {"scale": _scaled(rng), "zero_point": -17}
    edges = np.array([[0, 0], [1, 2], [3, 0], [0, 1]], np.int32)
    inputs = [Input((1, 4, 5, 2), **grid), Input((4, 2), data=edges, dtype="int32")]
    return model("PAD", inputs, Input((1, 7, 8, 3), **grid), schema.PadOptionsT(), version=2)


def _softmax(rng):
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    x = Input((1, 9), 0.3, 4)
    return model("SOFTMAX", [x], Input((1, 9), 1 / 256, -128), options, version=2)


def _rescale(rng):
    x, y = Input((1, 50), 0.03, 4), Input((1, 50), 0.05, -8)
    return model("QUANTIZE", [x], y, schema.QuantizeOptionsT(), version=2)


OPERATIONS = {
    "convolution": _convolution,
    "one scale": lambda rng: _convolution(rng, per_channel=False, padding=1),
    "dilated": lambda rng: _convolution(rng, stride=(1, 1), dilation=(2, 2)),
    "depthwise": lambda rng: _convolution(rng, depthwise=True),
    "depthwise, dilated": lambda rng: _convolution(rng, True, False, (1, 2), 1, (2, 3)),
    "average": lambda rng: _pool(rng, "AVERAGE_POOL_2D", 0),
    "largest": lambda rng: _pool(rng, "MAX_POOL_2D", 0),
    "largest, valid": lambda rng: _pool(rng, "MAX_POOL_2D", 1),
    "mean": lambda rng: _mean(rng, [1, 2], (1, 4)),
    "mean of rows": lambda rng: _mean(rng, [2], (1, 6, 4)),
    "dense": lambda rng: _dense(rng, True),
    "dense, no bias": lambda rng: _dense(rng, False),
    "pad": _pad,
    "softmax": _softmax,
    "rescale": _rescale,
}


def case(name: str) -> tuple[bytes, np.ndarray, np.ndarray]:
    """Return a model of one operation, 60 int8 inputs, and what LiteRT's kernel makes of each."""
    rng = np.random.default_rng(sorted(OPERATIONS).index(name))
    made = OPERATIONS[name](rng)
    runner = tflite.Interpreter(made, reference=True)
    shape = runner.inputs[0].shape
    rows = rng.integers(-128, 128, (60, *shape[1:]), dtype=np.int8)
    answers = np.concatenate([runner.step(row.reshape(shape)) for row in rows])
    return made, rows, answers.reshape(len(rows), -1)
