"""The interpreter around LiteRT: what goes in and out, and what it refuses."""

import numpy as np
import pytest

from course_lib import tflite
from course_lib.tflite.interpreter import Tensor, dequantize, quantize


def test_float_ends_round_as_we_do(made, features):
    ours, kernel = (tflite.run(made[name], features) for name in ("int8", "int8_float_io"))
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
def test_what_is_no_model_is_refused_in_one_sentence(made, damage, words, features):
    with pytest.raises(tflite.ModelError, match=words) as caught:
        tflite.run(damage(made["int8"]), features)
    assert "\n" not in str(caught.value)


def test_wrong_features_and_names_are_named(made, features):
    with pytest.raises(ValueError, match="cannot be split"):
        tflite.run(made["int8"], features[:, :10])
    with pytest.raises(FileNotFoundError, match="no_such_model"):
        tflite.load("no_such_model")
