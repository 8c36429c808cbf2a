"""The table of variants, and the conversion to each: what it answers, its ends and its scales."""

import numpy as np
import pytest

from course_lib import session, tflite
from course_lib.tflite.conversion import VARIANTS

SAME = 1e-5


def test_the_table_is_sorted_by_nothing_but_its_own_order_and_starts_with_the_default():
    assert list(VARIANTS)[0] == "float32" and all(name == VARIANTS[name].name for name in VARIANTS)


def test_only_integers_need_clips_and_only_they_have_integer_ends():
    assert [name for name, row in VARIANTS.items() if row.needs_clips] == [
        "int16x8", "int8", "int8_per_channel", "int8_float_io",
    ]  # fmt: skip
    assert [name for name, row in VARIANTS.items() if not row.float_ends] == [
        "int8", "int8_per_channel",
    ]  # fmt: skip


def test_every_label_is_its_own():
    assert len({row.label for row in VARIANTS.values()}) == len(VARIANTS)


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


@pytest.mark.parametrize("named", [False, True])
def test_a_model_of_several_inputs_and_outputs_is_converted(named):
    """Logits become probabilities in each output; what has an activation keeps it."""
    tf = session.import_tensorflow()
    layers = tf.keras.layers
    tf.keras.utils.set_random_seed(3)
    a, b = layers.Input((6, 5), name="a"), layers.Input((3,), name="b")
    joined = layers.Dense(4)(layers.Concatenate()([layers.Flatten()(a), b]))
    model = tf.keras.Model({"a": a, "b": b} if named else [a, b], [joined, layers.ReLU()(joined)])
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(9, 6, 5)).astype("f4"), rng.normal(size=(9, 3)).astype("f4")]
    raw = tflite.Interpreter(tflite.convert(model)).raw
    for detail in raw.get_input_details():
        raw.set_tensor(detail["index"], rows[len(detail["shape"]) == 2][:1])
    raw.invoke()
    found = [raw.get_tensor(detail["index"]) for detail in raw.get_output_details()]
    logits, activated = model([row[:1] for row in rows])
    wanted = [tf.nn.softmax(logits).numpy(), activated.numpy()]
    for each in wanted:
        assert any(np.allclose(each, other, atol=1e-5) for other in found)
    assert len(tflite.Interpreter(tflite.convert(model, "int8", rows)).inputs) == 2
    with pytest.raises(ValueError, match=r"every input \(a, b\): give a list"):
        tflite.convert(model, "int8", rows[0])
