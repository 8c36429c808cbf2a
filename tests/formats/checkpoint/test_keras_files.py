"""Keras' own files: opened, and a .keras file of ours opens in every Keras that is supported."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from course_lib import session, spotter
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint.keras_files import make_portable


@pytest.mark.parametrize("name", ["tiny.weights.h5", "tiny.keras"])
def test_keras_files_hold_the_same_weights(tf, model, tmp_path, name):
    path = tmp_path / name
    with session.quiet():
        (model.save_weights if name.endswith("h5") else model.save)(path)
    found = checkpoint.contents(path)
    assert found.tensor_bytes == 4 * model.count_params()
    assert np.array_equal(found["hear/0"], model.get_layer("hear").kernel.numpy())
    assert found.byte_map().complete
    with pytest.raises(ValueError):
        path.write_bytes(path.read_bytes()[:-3000])
        checkpoint.contents(path)


@pytest.mark.parametrize("name", ["mobile.weights.h5", "mobile.keras", "mobile.h5"])
def test_files_of_a_keras_application(mobile, tmp_path, name):
    """The last is the form of older releases of Keras, which the opener was not written for."""
    path = tmp_path / name
    with session.quiet():
        (mobile.save_weights if "weights" in name else mobile.save)(path)
    found = checkpoint.contents(path)
    assert found.byte_map().complete
    assert sum(each.count for each in found if each.group == "weights") == mobile.count_params()
    stored = sorted(found[each.key].tobytes() for each in found if each.group == "weights")
    assert stored == sorted(each.numpy().tobytes() for each in mobile.weights)
    data = path.read_bytes()
    for each in found:
        assert data[each.offset : each.offset + each.bytes] == found[each.key].tobytes()


def test_settings_of_newer_keras_are_left_out_and_answers_stay(tmp_path: Path) -> None:
    tf = session.import_tensorflow()
    model = spotter.build()
    path = tmp_path / "model.keras"
    model.save(path)
    make_portable(path)
    config = json.loads(zipfile.ZipFile(path).read("config.json"))
    assert "renorm" not in json.dumps(config) and "input_axes" not in json.dumps(config)
    features = np.random.default_rng(1).normal(size=(3, 49, 40)).astype(np.float32)
    again = tf.keras.models.load_model(path)
    np.testing.assert_array_equal(
        spotter.predict(again, features), spotter.predict(model, features)
    )


def test_the_shipped_model_is_portable() -> None:
    with zipfile.ZipFile(session.data_path("models", "spotter.keras")) as archive:
        assert b"renorm" not in archive.read("config.json")


def test_a_setting_that_says_something_stays(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", '{"layers": [{"renorm": true, "renorm_momentum": 0.99}]}')
        archive.writestr("other", "kept")
    make_portable(path)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("config.json")) == {"layers": [{"renorm": True}]}
        assert archive.read("other") == b"kept"
