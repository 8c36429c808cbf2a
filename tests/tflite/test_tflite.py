"""Conversion to each variant, the interpreter around LiteRT, and the stripping of names."""

import numpy as np
import pytest

from course_lib import session, tflite
from course_lib.graph import freezing
from course_lib.tflite.run import Tensor, dequantize, quantize
from course_lib.tflite.strip import ALIGNMENT

SAME = 1e-5
FEATURES = np.random.default_rng(6).normal(size=(24, 49, 40)).astype(np.float32)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def frozen(model):
    return freezing.frozen(model)


@pytest.fixture(scope="module")
def made(frozen):
    """Convert once to every variant."""
    return {name: tflite.convert(frozen, name, FEATURES) for name in tflite.VARIANTS}


@pytest.mark.parametrize("variant", tflite.VARIANTS)
def test_every_variant_answers_like_the_frozen_graph(made, frozen, variant):
    answers = tflite.run(made[variant], FEATURES)
    assert answers.shape == (24, 4) and answers.dtype == np.float32
    tolerance = SAME if variant == "float32" else 0.03
    np.testing.assert_allclose(answers, frozen.run(FEATURES), atol=tolerance)


@pytest.mark.parametrize("variant", tflite.VARIANTS)
@pytest.mark.parametrize("options", [{}, {"keep_names": True}, {"alignment": 4}])
def test_stripping_changes_no_bit_of_an_output(made, variant, options):
    stripped = tflite.strip(made[variant], **options)
    assert len(stripped) < len(made[variant])
    before, after = (tflite.run(data, FEATURES) for data in (made[variant], stripped))
    np.testing.assert_array_equal(before, after)


def test_stripping_twice_changes_nothing(made):
    once = tflite.strip(made["int8"])
    assert tflite.strip(once) == once


def test_stripped_weights_stay_aligned(made):
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    stripped = tflite.strip(made["float32"])
    root = schema.Model.GetRootAs(stripped)
    for index in range(root.BuffersLength()):
        buffer = root.Buffers(index)
        if not buffer.DataIsNone():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            assert start % ALIGNMENT == 0


def test_keras_model_and_frozen_graph_give_the_same_weights(made, model):
    assert len(tflite.convert(model)) == pytest.approx(len(made["float32"]), abs=64)


def test_int8_has_integer_ends_and_one_scale_a_tensor(made):
    interpreter = tflite.Interpreter(made["int8"])
    assert interpreter.inputs[0].dtype == interpreter.outputs[0].dtype == np.int8
    assert all(len(tensor.scales) <= 1 for tensor in tflite.tensors(made["int8"]))
    assert any(len(tensor.scales) > 1 for tensor in tflite.tensors(made["int8_per_channel"]))
    assert tflite.Interpreter(made["int8_float_io"]).inputs[0].dtype == np.float32


def test_float_ends_round_as_we_do(made):
    ours, kernel = (tflite.run(made[name], FEATURES) for name in ("int8", "int8_float_io"))
    np.testing.assert_array_equal(ours, kernel)


def test_operations_come_in_order(made):
    kinds = [operation.kind for operation in tflite.operations(made["float32"])]
    assert kinds == ["CONV_2D", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]


def test_quantize_rounds_halves_away_from_zero_and_saturates():
    tensor = Tensor(0, "x", (6,), np.dtype(np.int8), (0.5,), (3,))
    stored = quantize(np.array([0.25, -0.25, 0.24, 1e9, -1e9, 0.0]), tensor)
    assert stored.tolist() == [4, 2, 3, 127, -128, 3]
    np.testing.assert_allclose(dequantize(stored[:3], tensor), [0.5, -0.5, 0.0], atol=0)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: b"", "empty"),
        (lambda data: b"not a model at all", "not a .tflite"),
        (lambda data: data[:20], "cut short"),
        (lambda data: data[: len(data) // 2], "damaged"),
    ],
)
def test_what_is_no_model_is_refused_in_one_sentence(made, damage, words):
    with pytest.raises(tflite.ModelError, match=words) as caught:
        tflite.run(damage(made["int8"]), FEATURES)
    assert "\n" not in str(caught.value)


def test_wrong_arguments_are_named(model, made):
    with pytest.raises(ValueError, match="no variant 'int4'"):
        tflite.convert(model, "int4")
    with pytest.raises(ValueError, match="representative"):
        tflite.convert(model, "int8")
    with pytest.raises(ValueError, match="cannot be split"):
        tflite.run(made["int8"], FEATURES[:, :10])
    with pytest.raises(FileNotFoundError, match="no_such_model"):
        tflite.load("no_such_model")
