"""A damaged model may crash LiteRT, but not us."""

import random

import numpy as np
import pytest

from course_lib import session, tflite
from course_lib.formats import tflite_file
from course_lib.measure import evaluation, saved
from course_lib.sound import dataset, features
from course_lib.views.answer import Listen
from course_lib.views.dashboard import Dashboard
from course_lib.views.patch import BytePatch

FEATURES = np.random.default_rng(6).normal(size=(3, 8, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    tf = session.import_tensorflow()
    layers = tf.keras.layers
    network = tf.keras.Sequential(
        [layers.Input((8, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(4)]
    )
    return tflite.convert(network, "int8", FEATURES)


def test_guarded_answers_are_the_same(model):
    np.testing.assert_array_equal(tflite.run_guarded(model, FEATURES), tflite.run(model, FEATURES))


def test_errors_come_back_as_sentences_and_the_process_lives_on(model):
    with tflite.Guard() as guard:
        with pytest.raises(tflite.ModelError, match="not a .tflite"):
            guard.run(b"no model at all", FEATURES)
        first = guard.process
        with pytest.raises(tflite.ModelError, match="cannot be split"):
            guard.run(model, FEATURES[:, :2])
        assert guard.run(model, FEATURES).shape == (3, 4) and guard.process is first


def test_a_hang_is_ended(model):
    many = np.zeros((200_000, 8, 6), np.float32)
    with tflite.Guard(seconds=0.05) as guard:
        with pytest.raises(tflite.ModelError, match="did not finish"):
            guard.run(model, many)
        guard.seconds = 30
        assert guard.run(model, FEATURES).shape == (3, 4)  # a new process was started


@pytest.mark.posix
def test_a_crash_is_reported_and_a_new_process_started(model, monkeypatch):
    with tflite.Guard() as guard:
        guard.run(model, FEATURES)
        guard.process.kill()
        with pytest.raises(tflite.ModelError, match="crashed on this model .SIGKILL"):
            guard.run(model, FEATURES)
        assert guard.run(model, FEATURES).shape == (3, 4)


def test_memory_is_limited(model):
    with tflite.Guard(memory_bytes=1 << 29) as guard:
        with pytest.raises(tflite.ModelError):
            guard.run(model, np.zeros((1 << 22, 8, 6), np.float32))


def test_random_damage_never_reaches_us(model):
    chance = random.Random(1)
    ran = 0
    with tflite.Guard() as guard:
        for _ in range(150):
            data = bytearray(model)
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                ran += guard.run(bytes(data), FEATURES).shape == (3, 4)
            except ValueError as error:
                assert "\n" not in str(error)
    assert 0 < ran < 150


def recursive():
    """Return a file that is well-formed and whose IF goes into itself without an end."""
    tf = session.import_tensorflow()

    @tf.function(input_signature=[tf.TensorSpec((1, 49, 40), tf.float32)])
    def chosen(x):
        rows = x[0, :1, :4]
        return tf.cond(x[0, 0, 0] > 0, lambda: rows + 1.0, lambda: tf.nn.softmax(rows * 2.0))

    tree = tflite_file.unpack(tflite.convert(chosen.get_concrete_function()))
    (branch,) = [
        each.builtinOptions
        for each in tree.subgraphs[0].operators
        if hasattr(each.builtinOptions, "thenSubgraphIndex")
    ]
    branch.thenSubgraphIndex = branch.elseSubgraphIndex = 0
    return tflite_file.pack(tree, 16)


def test_what_ends_the_process_is_one_sentence_wherever_it_comes_in(tmp_path):
    """It is evaluated, opened in the dashboard, patched, listened to; and this process lives on."""
    bad = recursive()
    path = tmp_path / "bad.tflite"
    path.write_bytes(bad)
    clips = dataset.bundled("validation")[:4]
    heard = features.of(clips)
    with pytest.raises(tflite.ModelError, match="LiteRT crashed|gave up"):
        tflite.run_guarded(bad, heard)
    for opened in (
        lambda: evaluation.evaluate(path, tmp_path),
        lambda: saved.predictor(path),
        lambda: Dashboard({"a": path, "b": path}, clips),
        lambda: BytePatch(bad, heard, clips.labels, dataset.LABELS),
        lambda: Listen(bad, clips),
    ):
        with pytest.raises(ValueError, match="LiteRT") as caught:
            opened()
        assert "\n" not in str(caught.value)
    good = session.data_path("models", "spotter_int8.tflite").read_bytes()
    board = Dashboard({"a": good, "b": good}, clips)
    assert "LiteRT" in board._opened("bad.tflite", bad) and list(board.reports) == ["a", "b"]


def test_a_shipped_model_needs_no_guard(monkeypatch):
    def refused(*_, **__):
        raise AssertionError("a process was started")

    monkeypatch.setattr("course_lib.tflite.guard.run_guarded", refused)
    shipped = tflite.load("spotter_int8")
    assert tflite.vouch(shipped, FEATURES) == shipped
    with pytest.raises(AssertionError):
        tflite.vouch(shipped + b"\0", FEATURES)


def test_the_kernels_can_be_chosen(model):
    wanted = tflite.Interpreter(model, reference=True).run(FEATURES)
    got = tflite.run_guarded(model, FEATURES, reference=True)
    np.testing.assert_array_equal(got, wanted)
