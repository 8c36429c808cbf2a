"""The integer layers against the reference kernels, in every byte, and the arithmetic by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_operation import Input, model

from course_lib import measure, quantize, spotter, tflite
from course_lib.experiments import peers
from course_lib.formats.tflite_file import schema
from course_lib.quantize.nibbles import pack, unpack
from course_lib.sound import dataset, features

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)


# The arithmetic on numbers that fit a slide


def test_affine_grid_of_a_range():
    grid = quantize.affine(-1.0, 3.0)
    assert grid.scale == pytest.approx(4 / 255)
    assert grid.zero_point == -64
    assert grid.quantize([0, 3, -1, 9, -9]).tolist() == [-64, 127, -128, 127, -128]
    assert grid.dequantize([-64]) == 0


def test_an_affine_grid_always_holds_zero():
    assert quantize.affine(2.0, 6.0).range[0] == 0
    assert quantize.affine(-6.0, -2.0).range[1] == 0


def test_symmetric_grid_leaves_the_lowest_integer_out():
    grid = quantize.symmetric(2.54)
    assert (float(grid.scale), grid.zero_point) == (pytest.approx(0.02), 0)
    assert grid.quantize([-9.0, 2.54]).tolist() == [-127, 127]


def test_per_channel_scales_meet_their_axis():
    weights = np.array([[1.0, -2.0], [100.0, 50.0]])
    grid = quantize.per_channel(weights, axis=0)
    assert grid.quantize(weights).tolist() == [[64, -127], [127, 64]]
    with pytest.raises(ValueError, match="per channel"):
        assert len(grid.levels)


@pytest.mark.parametrize("low, high", [(0, 0), (0, math.inf), (math.nan, 1)])
def test_a_range_without_width_is_refused(low, high):
    with pytest.raises(ValueError, match="no width"):
        quantize.affine(low, high)


def test_halves_go_away_from_zero():
    assert quantize.round_half_away([0.5, 1.5, 2.5, -0.5, -1.5]).tolist() == [1, 2, 3, -1, -2]


def test_sqnr_gains_six_decibels_a_bit():
    values = np.random.default_rng(0).uniform(-1, 1, 100_000)
    gains = np.diff(
        [
            quantize.sqnr_db(values, quantize.affine(-1, 1, bits).round_trip(values))
            for bits in (4, 5, 6, 7, 8)
        ]
    )
    assert gains == pytest.approx(6.02, abs=0.7)
    assert quantize.sqnr_db(values, values) == math.inf


@EXAMPLES
@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), seeds)
def test_round_trip_is_within_half_a_step_inside_the_range(one, other, seed):
    low, high = sorted((one, other))
    if high - low < 1e-3:
        return
    grid = quantize.affine(low, high)
    values = np.random.default_rng(seed).uniform(*grid.range, 100)
    assert np.abs(grid.round_trip(values) - values).max() <= float(grid.scale) * 0.501


# The multiplier


@EXAMPLES
@given(st.floats(1e-8, 100))
def test_a_multiplier_is_as_exact_as_31_bits(real):
    found = quantize.multiplier(real)
    assert 2**30 <= found.mantissa < 2**31
    assert found.real == pytest.approx(real, rel=2**-31)


@pytest.mark.parametrize("real", [0.0, 1e-12])
def test_a_tiny_multiplier_is_zero(real):
    assert quantize.multiplier(real).real == 0


def test_a_multiplier_that_rounds_up_to_one():
    found = quantize.multiplier(1 - 2**-40)
    assert (found.mantissa, found.shift) == (1 << 30, 1)


@pytest.mark.parametrize("real", [-1.0, math.nan, math.inf])
def test_no_multiplier_for_negative_or_infinite(real):
    with pytest.raises(ValueError, match="0 or more"):
        quantize.multiplier(real)


@EXAMPLES
@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 31))
def test_division_by_a_power_of_two_rounds_halves_away(value, exponent):
    expected = int(math.copysign((abs(value) + (2**exponent >> 1)) >> exponent, value))
    assert quantize.divide_by_power_of_two(value, exponent) == expected


@EXAMPLES
@given(st.integers(-(2**31), 2**31 - 1), st.integers(-(2**31), 2**31 - 1))
def test_high_multiply_is_the_rounded_product(value, mantissa):
    exact = (abs(value * mantissa) + 2**30) >> 31
    exact = exact if value * mantissa >= 0 else -((abs(value * mantissa) + 2**30 - 1) >> 31)
    assert quantize.high_multiply(value, mantissa) == min(exact, 2**31 - 1)


@EXAMPLES
@given(st.integers(-(2**24), 2**24), st.floats(1e-6, 2))
def test_requantizing_is_within_a_step_of_the_real_product(value, real):
    by = quantize.multiplier(real)
    assert abs(int(quantize.requantize(value, by)) - value * real) <= 1.0
    assert abs(int(quantize.requantize_once(value, by)) - value * real) <= 0.51


# Layers against kernels


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


def test_an_operation_without_integer_layer_is_named():
    x = Input((1, 4), 0.1, 0)
    with pytest.raises(ValueError, match="no integer LOGISTIC"):
        quantize.run_integer(model("LOGISTIC", [x], Input((1, 4), 1 / 256, -128)), np.zeros((1, 4)))


@pytest.mark.parametrize("data", [b"", b"no model at all", b"\xff\xff\xff\x7fTFL3" + b"\xff" * 9])
def test_other_files_are_refused(data):
    with pytest.raises(ValueError, match="tflite"):
        quantize.read(data)


# Whole models


@pytest.fixture(scope="module")
def shipped():
    return tflite.load("spotter_int8"), tflite.load("spotter_float32")


@pytest.fixture(scope="module")
def clips():
    """1,000 clips that calibration saw, as features (1000, 49, 40)."""
    rows = features.of(dataset.bundled("train"))
    return rows[np.linspace(0, len(rows) - 1, 1000).astype(int)]


def test_the_shipped_model_equals_the_kernels_in_every_byte(shipped, clips):
    counts = quantize.against_kernels(shipped[0], clips)
    assert len(counts) == len(quantize.read(shipped[0]).operations)
    assert all(compared >= 4 * len(clips) for compared, _ in counts.values())
    assert {label: different for label, (_, different) in counts.items() if different} == {}


def equals_the_micro_interpreter(model_bytes, rows):
    runtime = pytest.importorskip("tflite_micro").runtime
    runner = runtime.Interpreter.from_bytes(model_bytes)
    run = quantize.run_integer(model_bytes, rows, "micro")
    for values, mine in zip(run.tensors[run.plan.inputs[0]], run.output, strict=True):
        runner.set_input(values[np.newaxis], 0)
        runner.invoke()
        assert np.array_equal(runner.get_output(0)[0], mine)


def test_the_shipped_model_equals_the_micro_interpreter(shipped, clips):
    equals_the_micro_interpreter(shipped[0], clips)


def convolutions(model_bytes):
    plan = quantize.read(model_bytes)
    return [plan.label(step) for step in plan.operations if step.kind == "CONV_2D"]


def test_four_bit_layers_equal_the_micro_interpreter_too(shipped, clips):
    packed = quantize.four_bits(*shipped, convolutions(shipped[0]))
    equals_the_micro_interpreter(packed, clips[:100])


@pytest.mark.parametrize("odd", [0, 1])
def test_four_bit_layers_equal_the_kernels_too(shipped, clips, odd):
    model = quantize.four_bits(*shipped, convolutions(shipped[0])[odd::2])
    assert len(model) < len(shipped[0])
    assert (
        sum(different for _, different in quantize.against_kernels(model, clips[:50]).values()) == 0
    )


def test_only_convolutions_go_to_four_bits(shipped):
    with pytest.raises(ValueError, match="only convolutions"):
        quantize.four_bits(*shipped, [list(quantize.read(shipped[0]).kernels)[-1]])
    with pytest.raises(ValueError, match="no layer 'nothing'"):
        quantize.four_bits(*shipped, ["nothing"])


@given(st.lists(st.integers(-8, 7), min_size=1, max_size=40))
def test_two_integers_in_a_byte_come_back(values):
    packed = pack(np.array(values))
    assert len(packed) == (len(values) + 1) // 2
    assert unpack(packed.tobytes(), len(values)).tolist() == values


def test_corrected_biases_keep_the_size_and_come_closer(shipped, clips):
    corrected = quantize.correct_biases(*shipped, clips[::20])
    assert len(corrected) == len(shipped[0])
    biases = sum(map(len, quantize.read(shipped[0]).kernels.values()))
    assert 0 < sum(a != b for a, b in zip(corrected, shipped[0], strict=True)) <= 4 * biases
    noise = [
        quantize.layer_errors(shipped[1], model, clips[10::20]) for model in (shipped[0], corrected)
    ]
    averages = [np.mean([layer.sqnr_db for layer in layers]) for layers in noise]
    assert averages[1] > averages[0]


def test_the_compact_file_gives_the_same_answers(shipped, clips):
    small = tflite.compact(shipped[0])
    assert len(small) < len(tflite.strip(shipped[0], alignment=4)) < len(shipped[0])
    answers = [
        tflite.Interpreter(model, reference=True).run(clips[:100]) for model in (shipped[0], small)
    ]
    assert np.array_equal(*answers)
    assert measure.bytes_by_kind(small)["names"] == 0


def test_the_file_shrinks_by_more_than_3_8_within_noise(shipped, clips):
    """The lesson's workbench: four bits where they are cheapest, mended biases, nothing twice."""
    int8, float32 = shipped
    rows = clips[::10]
    truth = tflite.run(float32, rows)

    def quality(model_bytes):
        return len(model_bytes), quantize.sqnr_db(truth, tflite.run(model_bytes, rows))

    fours = {
        label: quality(quantize.four_bits(int8, float32, [label])) for label in convolutions(int8)
    }
    small, chosen = tflite.compact(int8), []
    for label in quantize.cheapest_first(quality(int8), fours):
        if len(float32) / len(small) < 3.8:
            chosen.append(label)
            four = quantize.four_bits(int8, float32, chosen)
            small = tflite.compact(quantize.correct_biases(four, float32, rows))
    assert len(float32) / len(small) >= 3.8
    unseen = dataset.bundled("test")
    before, after = (measure.report("", model, unseen) for model in (float32, small))
    assert after.accuracy >= before.accuracy - 0.01
    assert measure.mcnemar(before, after).verdict != "worse"


def test_cheapest_first_weighs_noise_against_bytes():
    layers = {"dear": (90, 30.0), "cheap": (80, 35.0), "larger": (105, 39.9), "free": (98, 40.0)}
    assert quantize.cheapest_first((100, 40.0), layers) == ("free", "cheap", "dear")
    assert quantize.cheapest_first((80, 40.0), layers) == ()


def test_labels_name_the_layers(shipped):
    plan = quantize.read(shipped[0])
    layers = [layer.name for layer in spotter.load().layers if len(layer.get_weights()) in (1, 2)]
    assert list(plan.kernels) == layers
    assert plan.named(layers[-1]).kind == "FULLY_CONNECTED"


def test_layers_that_do_not_match_are_refused(shipped):
    x = Input((1, 49, 40, 1), 0.1, 0)
    other = model("ADD", [x, x], x)
    with pytest.raises(ValueError, match="different layers"):
        quantize.correct_biases(other, shipped[1], np.zeros((1, 49, 40)))


def test_arenas_are_found_by_halving(shipped):
    pytest.importorskip("tflite_micro")
    assert 8_000 < measure.arena_bytes(shipped[0]) < measure.arena_bytes(shipped[1])
    with pytest.raises(ValueError, match="TFL3"):
        measure.arena_bytes(b"no model at all")


@pytest.mark.parametrize("make, weights", [(peers.tiny_conv, 16_652), (peers.ds_cnn, 24_908)])
def test_peers_have_the_published_number_of_weights(make, weights):
    assert make().count_params() == weights
