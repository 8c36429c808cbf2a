"""A .keras file of ours opens in every Keras that the workbook supports."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from course_lib import session, spotter
from course_lib.formats.keras_archive import make_portable


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
