"""Whose names a model's classes get, and how a folder's words become classes."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
import saved_forms

from course_lib import measure, session, tflite
from course_lib.measure import evaluation, labels, saved
from course_lib.sound import audio, dataset

OTHER = ("no", "yes", "unknown", "silence")  # our words in another order
TEN = ("_silence_", "_unknown_", "up", "down", "left", "right", "on", "off", "stop", "go")


def network(classes, seed=5, **options):
    tf = session.import_tensorflow()
    tf.keras.utils.set_random_seed(seed)
    dense = tf.keras.layers.Dense(classes, **options)
    return tf.keras.Sequential([tf.keras.Input((49, 40)), tf.keras.layers.Flatten(), dense])


def packed(model, names, file="labels.txt"):
    """Append a file as TensorFlow Lite's metadata does: as a zip behind the FlatBuffer."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(file, "\n".join(names))
    return bytes(model) + buffer.getvalue()


@pytest.fixture(scope="module")
def four():
    return tflite.convert(network(4))


@pytest.fixture
def clips(tmp_path):
    rng = np.random.default_rng(2)
    for word in ("Yes", "No", "silence", "_background_noise_", "up", "_unknown_"):
        for place in range(3):
            wave = rng.normal(0, 0.1, 16_000).astype(np.float32)
            audio.write(tmp_path / "clips" / word / f"{place}.wav", wave)
    return tmp_path / "clips"


def written(tmp_path, content):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "file, text, names",
    [
        ("labels.txt", "no\nyes\nunknown\nsilence\n", OTHER),
        ("model_labels.txt", "\ufeffno\r\nyes\r\nunknown\r\nsilence\r\n", OTHER),
        ("conv_labels.txt", "0 no\n1 yes\n2 unknown\n3 silence", OTHER),
        ("report.json", json.dumps({"labels": ["_silence_", "_unknown_", "hi", "ho"]}), None),
        ("labels.txt", "too\nfew\n", dataset.LABELS),
        ("labels.txt", "a\na\nb\nc\n", dataset.LABELS),
        ("notes.txt", "no\nyes\nunknown\nsilence\n", dataset.LABELS),
    ],
)
def test_a_file_beside_names_the_classes(tmp_path, four, file, text, names):
    path = written(tmp_path, four)
    (tmp_path / file).write_text(text, encoding="utf-8")
    found, source = labels.named(path, 4)
    assert found == (names or ("_silence_", "_unknown_", "hi", "ho"))
    assert source == (labels.TAKEN if names == dataset.LABELS else file)


def test_two_files_that_only_look_so_name_nothing(tmp_path, four):
    for name in ("a_labels.txt", "b_labels.txt"):
        (tmp_path / name).write_text("\n".join(OTHER))
    assert labels.named(written(tmp_path, four), 4)[1] == labels.TAKEN


def test_names_inside_come_first(tmp_path, four):
    path = written(tmp_path, packed(four, OTHER))
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd")
    assert labels.named(path, 4)[0] == OTHER
    assert labels.named(path, 4, network(4)) == (OTHER, "a file inside of the model")
    model = network(4)
    model.class_names = ["a", "b", "c", "e"]
    assert labels.named(path, 4, model)[0] == ("a", "b", "c", "e")


def test_what_nothing_names_is_numbered(tmp_path, four):
    assert labels.named(written(tmp_path, four), 3)[0] == ("0", "1", "2")


@pytest.mark.parametrize(
    "word, names, place",
    [
        ("yes", OTHER, 1),
        ("_silence_", OTHER, 3),
        ("house", OTHER, 2),
        ("house", ("yes", "no"), None),
        ("_silence_", ("yes", "unknown"), None),
        ("7", tuple("0123456789"), 7),
    ],
)
def test_a_words_class(word, names, place):
    assert labels.class_of(word, names) == place


def test_another_order_of_our_labels_is_measured_alike(tmp_path, four, clips):
    ours = evaluation.evaluate(written(tmp_path, four), clips)
    assert ours.labels_from == labels.TAKEN
    assert ours.report.confusion.sum(axis=1).tolist() == [6, 6, 3, 3]
    (tmp_path / "labels.txt").write_text("\n".join(OTHER))
    theirs = evaluation.evaluate(tmp_path / "model.tflite", clips)
    assert theirs.report.names == OTHER and "labels.txt" in evaluation.table(theirs.as_dict())
    answers = theirs.report.predictions
    np.testing.assert_array_equal(answers, ours.report.predictions)
    wanted = {"yes": 1, "no": 0, "_silence_": 3, "up": 2, "_unknown_": 2}
    assert theirs.report.labels.tolist() == [wanted[word] for word in theirs.words]


@pytest.mark.parametrize("form", ["model.tflite", "model.keras", "folder"])
def test_other_classes_of_every_form(tmp_path, clips, form):
    path = saved_forms.save(network(10), tmp_path / form, form.removeprefix("model."))
    with pytest.raises(saved.ModelFileError, match="labels.txt"):
        evaluation.evaluate(path, clips)
    (tmp_path / "labels.txt").write_text("\n".join(TEN))
    result = evaluation.evaluate(path, clips).as_dict()
    assert result["confusion"]["labels"] == list(TEN) and result["n"] == 18
    assert [sum(row) for row in result["confusion"]["counts"]] == [6, 9, 3, *[0] * 7]
    (tmp_path / "labels.txt").write_text("\n".join(("yes", "no", *"abcdefgh")))
    result = evaluation.evaluate(path, clips).as_dict()
    assert result["n"] == 6 and result["skipped"]["count"] == 12
    assert "no class for this word" in result["skipped"]["files"][0]["reason"]


def test_a_report_puts_named_classes_into_our_order(four):
    clips = dataset.bundled("validation")[:40]
    plain = measure.report("plain", four, clips)
    assert plain.names == dataset.LABELS
    named = measure.report("named", packed(four, OTHER), clips)
    np.testing.assert_array_equal(named.probabilities, plain.probabilities[:, [3, 2, 1, 0]])
    with pytest.raises(ValueError, match="names its classes"):
        measure.report("other", packed(four, ["a", "b", "c", "d"]), clips)
