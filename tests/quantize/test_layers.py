"""The integer layers against the reference kernels, in every byte."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_operation import Input, model

from course_lib import quantize, tflite
from course_lib.formats.tflite_file import schema

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


def reference(model_bytes: bytes, *inputs: np.ndarray) -> np.ndarray:
    """Run one model on int8 tensors with LiteRT's reference kernels."""
    runner = tflite.Interpreter(model_bytes, reference=True)
    for about, values in zip(runner.inputs, inputs, strict=True):
        runner.raw.set_tensor(about.index, values)
    runner.raw.invoke()
    return runner.raw.get_tensor(runner.outputs[0].index)


def mine(model_bytes: bytes, *inputs: np.ndarray, runtime: str = "litert") -> np.ndarray:
    plan = quantize.read(model_bytes)
    tensors = dict(zip(plan.inputs, inputs, strict=True))
    return quantize.layer(plan, plan.operations[0], tensors, runtime)


def micro(model_bytes: bytes, *inputs: np.ndarray) -> np.ndarray:
    """Run one model in the TensorFlow Lite Micro interpreter."""
    runtime = pytest.importorskip("tflite_micro").runtime
    runner = runtime.Interpreter.from_bytes(model_bytes)
    for place, values in enumerate(inputs):
        runner.set_input(values, place)
    runner.invoke()
    return runner.get_output(0)


KERNELS = {"litert": reference, "micro": micro}
both_runtimes = pytest.mark.parametrize("runtime", KERNELS)


def equal(runtime: str, made: bytes, *values: np.ndarray) -> bool:
    """Tell whether the integer layer and the kernel of `runtime` give the same bytes."""
    return np.array_equal(mine(made, *values, runtime=runtime), KERNELS[runtime](made, *values))


def tensor(rng, shape) -> np.ndarray:
    return rng.integers(-128, 128, shape, dtype=np.int8)


def random_grid(rng) -> dict:
    return {"scale": float(2.0 ** rng.uniform(-9, 2)), "zero_point": int(rng.integers(-128, 128))}


def weights(rng, shape, axis, per_channel) -> Input:
    count = shape[axis] if per_channel else 1
    return Input(
        shape,
        2.0 ** rng.uniform(-12, -4, count),
        0,
        rng.integers(-127, 128, shape, dtype=np.int8),
        axis,
    )


def bias(rng, x: Input, w: Input, channels) -> Input:
    return Input(
        (channels,),
        np.ravel(x.scale * w.scale),
        0,
        rng.integers(-20_000, 20_000, channels, dtype=np.int32),
        0,
        "int32",
    )


def fitting_output(rng, shape, x: Input, w: Input, reach: int) -> Input:
    """A grid that the accumulators roughly fill, so that few outputs saturate."""
    spread = x.scale * float(np.max(w.scale)) * 5_000 * math.sqrt(reach)
    return Input(shape, spread * float(rng.uniform(0.3, 3)) / 100, int(rng.integers(-128, 128)))


def places(length, reach, stride, padding):
    return -(-length // stride) if padding == 0 else (length - reach) // stride + 1


def window_of(rng, options, x_shape, size):
    """Draw padding and strides; return output height and width."""
    options.padding = int(rng.integers(0, 2))
    options.strideH, options.strideW = (int(step) for step in rng.integers(1, 4, 2))
    reach = [
        (length - 1) * step + 1
        for length, step in zip(
            size,
            (getattr(options, "dilationHFactor", 1), getattr(options, "dilationWFactor", 1)),
            strict=True,
        )
    ]
    return [
        places(*pair, options.padding)
        for pair in zip(x_shape[1:3], reach, (options.strideH, options.strideW), strict=True)
    ]


@both_runtimes
@pytest.mark.parametrize("per_channel", [False, True])
@EXAMPLES
@given(seed=seeds)
def test_conv2d_equals_the_kernel(per_channel, runtime, seed):
    rng = np.random.default_rng(seed)
    x = Input((1, *map(int, rng.integers(4, 12, 2)), int(rng.integers(1, 5))), **random_grid(rng))
    options = schema.Conv2DOptionsT()
    options.dilationHFactor, options.dilationWFactor = (int(step) for step in rng.integers(1, 3, 2))
    options.fusedActivationFunction = int(rng.choice([0, 1, 3]))
    size, channels = [int(length) for length in rng.integers(1, 3, 2)], int(rng.integers(1, 6))
    height, width = window_of(rng, options, x.shape, size)
    w = weights(rng, (channels, *size, x.shape[3]), 0, per_channel)
    out = fitting_output(rng, (1, height, width, channels), x, w, int(np.prod(w.shape[1:])))
    made = model("CONV_2D", [x, w, bias(rng, x, w, channels)], out, options, version=3)
    values = tensor(rng, x.shape)
    assert equal(runtime, made, values)


@both_runtimes
@pytest.mark.parametrize("per_channel", [False, True])
@EXAMPLES
@given(seed=seeds)
def test_depthwise_equals_the_kernel(per_channel, runtime, seed):
    rng = np.random.default_rng(seed)
    x = Input((1, *map(int, rng.integers(4, 10, 2)), int(rng.integers(1, 5))), **random_grid(rng))
    options = schema.DepthwiseConv2DOptionsT()
    options.depthMultiplier = int(rng.integers(1, 4))
    options.dilationHFactor, options.dilationWFactor = (int(step) for step in rng.integers(1, 3, 2))
    options.fusedActivationFunction = int(rng.choice([0, 1, 3]))
    size = [int(length) for length in rng.integers(1, 3, 2)]
    height, width = window_of(rng, options, x.shape, size)
    channels = x.shape[3] * options.depthMultiplier
    w = weights(rng, (1, *size, channels), 3, per_channel)
    out = fitting_output(rng, (1, height, width, channels), x, w, int(np.prod(size)))
    made = model("DEPTHWISE_CONV_2D", [x, w, bias(rng, x, w, channels)], out, options, version=3)
    values = tensor(rng, x.shape)
    assert equal(runtime, made, values)


def dense_model(rng):
    x = Input((1, int(rng.integers(1, 60))), **random_grid(rng))
    channels = int(rng.integers(1, 12))
    w = weights(rng, (channels, x.shape[1]), 0, False)
    out = fitting_output(rng, (1, channels), x, w, x.shape[1])
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice([0, 1]))
    return model("FULLY_CONNECTED", [x, w, bias(rng, x, w, channels)], out, options, version=4), x


@both_runtimes
@EXAMPLES
@given(seed=seeds)
def test_fully_connected_equals_the_kernel(runtime, seed):
    rng = np.random.default_rng(seed)
    made, x = dense_model(rng)
    assert equal(runtime, made, tensor(rng, x.shape))


@both_runtimes
@pytest.mark.parametrize("kind", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
@EXAMPLES
@given(seed=seeds)
def test_pools_equal_the_kernel(kind, runtime, seed):
    rng = np.random.default_rng(seed)
    grid = random_grid(rng)
    x = Input((1, *map(int, rng.integers(4, 10, 2)), int(rng.integers(1, 5))), **grid)
    options = schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth = (int(length) for length in rng.integers(1, 5, 2))
    options.fusedActivationFunction = int(rng.choice([0, 1]))
    height, width = window_of(rng, options, x.shape, (options.filterHeight, options.filterWidth))
    made = model(kind, [x], Input((1, height, width, x.shape[3]), **grid), options, version=2)
    values = tensor(rng, x.shape)
    assert equal(runtime, made, values)


@both_runtimes
@EXAMPLES
@given(seed=seeds, keep=st.booleans())
def test_mean_equals_the_kernel(runtime, seed, keep):
    rng = np.random.default_rng(seed)
    x = Input((1, *map(int, rng.integers(1, 30, 2)), int(rng.integers(1, 5))), **random_grid(rng))
    axes = Input((2,), data=np.array([1, 2], np.int32), dtype="int32")
    options = schema.ReducerOptionsT()
    options.keepDims = keep
    shape = (1, 1, 1, x.shape[3]) if keep else (1, x.shape[3])
    out = Input(shape, x.scale * float(rng.uniform(0.2, 1.5)), int(rng.integers(-128, 128)))
    made = model("MEAN", [x, axes], out, options, version=2)
    values = tensor(rng, x.shape)
    assert equal(runtime, made, values)


@both_runtimes
@EXAMPLES
@given(seed=seeds)
def test_add_equals_the_kernel(runtime, seed):
    rng = np.random.default_rng(seed)
    shape = (1, *map(int, rng.integers(1, 8, 3)))
    a, b, out = (Input(shape, **random_grid(rng)) for _ in range(3))
    out.scale = (a.scale + b.scale) * float(rng.uniform(0.6, 2))
    options = schema.AddOptionsT()
    options.fusedActivationFunction = int(rng.choice([0, 1, 3]))
    made = model("ADD", [a, b], out, options, version=2)
    values = tensor(rng, shape), tensor(rng, shape)
    assert equal(runtime, made, *values)


@both_runtimes
@EXAMPLES
@given(seed=seeds, classes=st.integers(2, 40), beta=st.sampled_from([1.0, 0.5, 3.0]))
def test_softmax_equals_the_kernel(runtime, seed, classes, beta):
    rng = np.random.default_rng(seed)
    x = Input((1, classes), float(2.0 ** rng.uniform(-8, 1)), int(rng.integers(-128, 128)))
    options = schema.SoftmaxOptionsT()
    options.beta = beta
    made = model("SOFTMAX", [x], Input((1, classes), 1 / 256, -128), options, version=2)
    values = tensor(rng, x.shape)
    assert equal(runtime, made, values)


@both_runtimes
@EXAMPLES
@given(seed=seeds)
def test_rescaling_equals_the_kernel(runtime, seed):
    rng = np.random.default_rng(seed)
    x, out = (Input((1, 64), **random_grid(rng)) for _ in range(2))
    made = model("QUANTIZE", [x], out, None, version=2)
    values = tensor(rng, x.shape)
    assert equal(runtime, made, values)


def test_softmax_refuses_another_grid():
    with pytest.raises(ValueError, match="1/256"):
        quantize.softmax(np.zeros((1, 4), np.int8), quantize.affine(-1, 1), quantize.affine(0, 1))
