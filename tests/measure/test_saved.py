"""Models with several inputs or outputs: converted, or refused by a sentence with their names."""

from __future__ import annotations

import numpy as np
import pytest
import saved_forms
from scipy.special import softmax

from course_lib import session, tflite
from course_lib.graph import freezing
from course_lib.measure import saved

tf = session.import_tensorflow()
L = tf.keras.layers
RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(1, 49, 40)).astype("f4"), RNG.normal(size=(1, 3)).astype("f4")


def network(names, outputs, as_dict):
    a, b = L.Input((49, 40), name=names[0]), L.Input((3,), name=names[1])
    answer = L.Dense(4)(L.Concatenate()([L.Flatten()(a), b]))
    ends = [answer, L.Dense(2, activation="sigmoid")(answer)][:outputs]
    return tf.keras.Model(dict(zip(names, (a, b), strict=True)) if as_dict else [a, b], ends)


@pytest.mark.parametrize("form", ["keras", "folder", "pb"])
@pytest.mark.parametrize(
    "names, outputs, as_dict", [((None, None), 1, False), (("z", "a"), 2, True)]
)
def test_two_inputs_convert_and_are_not_measured(tmp_path, form, names, outputs, as_dict):
    model = network(names, outputs, as_dict)
    path = saved_forms.save(model, tmp_path / f"m.{form}", form)
    opened = saved.trainable_or_frozen(path)
    data = tflite.convert(opened)
    runner = tflite.Interpreter(data)
    for each in runner.inputs:
        runner.raw.set_tensor(each.index, A if each.shape == A.shape else B)
    runner.raw.invoke()
    got = sorted((runner.raw.get_tensor(each.index) for each in runner.outputs), key=np.size)
    wanted = model(dict(zip(names, (A, B), strict=True)) if as_dict else [A, B])
    wanted = [each.numpy() for each in tf.nest.flatten(wanted)]
    wanted[0] = softmax(wanted[0], axis=1)
    for one, other in zip(got, wanted[::-1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    (tmp_path / "m.tflite").write_bytes(data)
    for file in (path, tmp_path / "m.tflite"):
        with pytest.raises(saved.ModelFileError, match=r"2 inputs \(\w+, \w+\)"):
            saved.predictor(file)
    with pytest.raises(ValueError, match="every input"):
        tflite.convert(opened, "int8", A)
    with pytest.raises(ValueError, match=r"2 inputs \(\w+, \w+\)"):
        tflite.run(data, A)


def test_two_outputs_are_not_measured_by_the_first_alone(tmp_path):
    x = L.Input((49, 40), name="sound")
    flat = L.Flatten()(x)
    model = tf.keras.Model(x, [L.Dense(4)(flat), L.Dense(2)(flat)])
    frozen = freezing.frozen(model)
    frozen.save(tmp_path / "m.pb")
    (tmp_path / "m.tflite").write_bytes(tflite.convert(frozen))
    with session.quiet():
        model.save(tmp_path / "m.keras")
    for name in ("m.pb", "m.tflite", "m.keras"):
        with pytest.raises(saved.ModelFileError, match="2 outputs"):
            saved.predictor(tmp_path / name)


def test_features_of_another_shape_show_no_ranges():
    model = tf.keras.Sequential([L.Input((7,)), L.Dense(4)])
    with pytest.raises(ValueError, match=r"of shape \[7\].*\[49, 40\]"):
        tflite.convert(model, "int8", A)


def test_a_flat_input_is_measured_too(tmp_path):
    model = tf.keras.Sequential([L.Input((1960,)), L.Dense(4)])
    with session.quiet():
        model.save(tmp_path / "m.keras")
    (tmp_path / "m.tflite").write_bytes(tflite.convert(model))
    answers = saved.predictor(tmp_path / "m.keras")(A)
    assert saved.predictor(tmp_path / "m.tflite")[4:8] == b"TFL3"
    np.testing.assert_allclose(
        tflite.run((tmp_path / "m.tflite").read_bytes(), A), answers, atol=1e-5
    )
