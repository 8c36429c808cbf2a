"""Conversion to each variant: what it answers, its ends and its scales."""

import numpy as np
import pytest

from course_lib import tflite

SAME = 1e-5


@pytest.mark.parametrize("variant", tflite.VARIANTS)
def test_every_variant_answers_like_the_frozen_graph(made, frozen, variant, features):
    answers = tflite.run(made[variant], features)
    assert answers.shape == (24, 4) and answers.dtype == np.float32
    tolerance = SAME if variant == "float32" else 0.03
    np.testing.assert_allclose(answers, frozen.run(features), atol=tolerance)


def test_keras_model_and_frozen_graph_give_the_same_weights(made, model):
    assert len(tflite.convert(model)) == pytest.approx(len(made["float32"]), abs=64)


def test_int8_has_integer_ends_and_one_scale_a_tensor(made):
    interpreter = tflite.Interpreter(made["int8"])
    assert interpreter.inputs[0].dtype == interpreter.outputs[0].dtype == np.int8
    assert all(len(tensor.scales) <= 1 for tensor in tflite.Interpreter(made["int8"]).tensors)
    assert any(
        len(tensor.scales) > 1 for tensor in tflite.Interpreter(made["int8_per_channel"]).tensors
    )
    assert tflite.Interpreter(made["int8_float_io"]).inputs[0].dtype == np.float32


def test_wrong_variants_are_named(model):
    with pytest.raises(ValueError, match="no variant 'int4'"):
        tflite.convert(model, "int4")
    with pytest.raises(ValueError, match="representative"):
        tflite.convert(model, "int8")
