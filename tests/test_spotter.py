"""The network, its training, the shipped files, and the run that makes them."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from course_lib import measure, session, spotter, tflite, train
from course_lib.graph import freezing
from course_lib.measure import model_card
from course_lib.sound import audio, augmentation, dataset, features

MODELS = session.data_path("models")


@pytest.fixture(scope="module")
def held():
    return dataset.joined(dataset.bundled("validation"), dataset.bundled("test"))


@pytest.fixture(scope="module")
def shipped():
    return spotter.load()


def toy(count: int = 512, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features of four classes that differ in which quarter of the bands is loud."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    made = rng.normal(0, 0.5, (count, 49, 40)).astype(np.float32)
    for clip, label in zip(made, labels, strict=True):
        clip[:, 10 * label : 10 * label + 10] += 1.0
    return made, labels


def test_the_network_is_that_of_the_shipped_files_and_the_facts_count_it():
    model, facts = spotter.build(), spotter.facts()
    assert model.input_shape == (None, 49, 40, 1) and model.output_shape == (None, 4)
    kernels = {
        layer.name: tuple(layer.kernel.shape) for layer in model.layers if hasattr(layer, "kernel")
    }
    assert list(facts.kernels.items()) == list(kernels.items())
    assert (next(iter(kernels)), [*kernels][-1]) == (spotter.FIRST_LAYER, spotter.LAST_LAYER)
    trained = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    assert (facts.trained, facts.weights) == (trained, model.count_params())


def test_the_same_seed_builds_and_trains_the_same_model():
    made, labels = toy()
    answers = []
    for _ in range(2):
        model = spotter.build(seed=3)
        spotter.train(model, made, labels, epochs=1, seed=3)
        answers.append(spotter.predict(model, made[:20]))
    assert np.allclose(*answers, atol=1e-4)
    assert not np.allclose(spotter.predict(spotter.build(seed=4), made[:20]), answers[0], atol=1e-2)


def test_training_learns_what_there_is_to_learn():
    model = spotter.build()
    figures = spotter.train(model, *toy(1_024), epochs=6, validation=toy(200, seed=1))
    assert figures["loss"][-1] < figures["loss"][0] and len(figures["val_accuracy"]) == 6
    answers = spotter.predict(model, toy(200, seed=1)[0])
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-5) and answers.dtype == np.float32
    assert (answers.argmax(axis=1) == toy(200, seed=1)[1]).mean() > 0.9


def test_an_averaged_training_ends_with_the_mean_of_its_late_weights():
    keras = session.import_tensorflow().keras
    model, steps, seen, last = spotter.build(seed=2), 6 * (2_048 // spotter.BATCH), [], []

    def weights() -> list[np.ndarray]:
        return [variable.numpy() for variable in model.trainable_variables]

    spy = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(weights()),
        on_train_end=lambda logs: last.append(weights()),
    )
    spotter.train(model, *toy(2_048), epochs=6, callbacks=[spy], averaged=True)
    late = [seen[-1], seen[-11]]  # every tenth of the last twelve
    assert len(seen) == steps == 96
    for variable, told, *values in zip(weights(), last[0], *late, strict=True):
        assert np.allclose(variable, np.mean(values, axis=0), atol=1e-6)
        assert np.array_equal(variable, told)
    answers = spotter.predict(model, toy(200, seed=1)[0])
    assert (answers.argmax(axis=1) == toy(200, seed=1)[1]).mean() > 0.9


def test_favour_is_added_to_the_keywords_alone():
    plain, leaning = spotter.build(seed=1), spotter.build(seed=1)
    spotter.train(plain, *toy(256), epochs=1)
    spotter.train(leaning, *toy(256), epochs=1, favour=0.5)
    made = toy(9)[0][..., np.newaxis]
    assert np.allclose(leaning(made) - plain(made), [0.0, 0.0, 0.5, 0.5], atol=1e-4)


def test_what_normalisation_remembers_is_that_of_the_mean():
    made, labels = toy(1_024)
    model = spotter.build(seed=2)
    spotter.train(model, made, labels, epochs=3, averaged=True)
    shown = spotter.hidden(made, np.random.default_rng(0))[..., np.newaxis]
    first = model.get_layer(spotter.FIRST_LAYER)(shown).numpy()
    remembered = model.get_layer(f"{spotter.FIRST_LAYER}_norm").moving_mean.numpy()
    wrong = np.abs(remembered - first.mean(axis=(0, 1, 2))) / first.std(axis=(0, 1, 2))
    assert wrong.max() < 0.05


def test_a_teachers_shares_are_taken_as_labels():
    made, labels = toy(256)
    shares = np.eye(4, dtype=np.float32)[labels]
    one, other = spotter.build(seed=1), spotter.build(seed=1)
    spotter.train(one, made, labels, epochs=1)
    spotter.train(other, made, shares, epochs=1)
    assert np.allclose(spotter.predict(one, made[:9]), spotter.predict(other, made[:9]), atol=1e-4)


def test_too_few_clips_are_refused():
    with pytest.raises(ValueError, match="at least one batch"):
        spotter.train(spotter.build(), *toy(50))


def test_hiding_moves_and_masks_but_keeps_most(held):
    sound = features.of(held)[:64]
    changed = spotter.hidden(sound, np.random.default_rng(0))
    assert changed.shape == sound.shape and changed.dtype == np.float32
    assert 0.6 < (changed != 0).mean() / (sound != 0).mean() <= 1
    assert np.array_equal(changed, spotter.hidden(sound, np.random.default_rng(0)))


def test_the_shipped_files_are_whole_and_small():
    listed = {}
    for line in (MODELS / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        listed[name] = digest
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest, name
    assert {
        "spotter.keras",
        "spotter.pb",
        "spotter_int8.tflite",
        "spotter_float32.tflite",
        "history.json",
        "README.md",
        "measured.json",
    } <= set(listed)
    assert len((MODELS / "spotter_int8.tflite").read_bytes()) <= 20_000
    assert sum(path.stat().st_size for path in MODELS.rglob("*") if path.is_file()) < 5_000_000


def test_the_checkpoints_show_learning_from_the_first_step_to_the_shipped_model(shipped, held):
    tf = session.import_tensorflow()
    moments = json.loads((MODELS / "history.json").read_text(encoding="utf-8"))
    steps = [moment["step"] for moment in moments]
    assert len(steps) >= 8 and steps[0] == 0 and steps == sorted(steps)
    assert moments[0]["accuracy"] < 0.6 < 0.9 < moments[-1]["accuracy"]
    for step in steps:
        assert (spotter.checkpoint_folder() / f"ckpt-{step}.index").is_file()
    model = spotter.build(seed=9)
    last = str(spotter.checkpoint_folder() / f"ckpt-{steps[-1]}")
    tf.train.Checkpoint(model=model).restore(last).expect_partial()
    names = {name for name, _ in tf.train.list_variables(last)}
    assert any("optimizer" in name for name in names)
    sound = features.of(held)[:40]
    assert np.allclose(spotter.predict(model, sound), spotter.predict(shipped, sound), atol=1e-5)


def test_frozen_float_and_int8_answer_alike(shipped, held):
    sound, labels = features.of(held), held.labels
    keras_answers = spotter.predict(shipped, sound)
    assert np.abs(freezing.load(MODELS / "spotter.pb").run(sound) - keras_answers).max() < 1e-5
    reports = [
        measure.report(name, tflite.load(name), (sound, labels))
        for name in ("spotter_float32", "spotter_int8")
    ]
    assert np.abs(reports[0].probabilities - keras_answers).max() < 1e-4
    assert abs(reports[0].accuracy - reports[1].accuracy) <= 0.01
    assert measure.mcnemar(*reports).verdict == "noise"
    assert reports[1].accuracy > 0.9


def test_the_card_says_what_the_files_say(held):
    figures = json.loads((MODELS / "measured.json").read_text())
    for name, size in figures["bytes"].items():
        if name != "checkpoints":
            assert (MODELS / name).stat().st_size == size
    answers = tflite.run(tflite.load("spotter_int8"), features.of(held))
    assert (
        figures["held_out"]["int8"]["all"]["correct"]
        == (answers.argmax(axis=1) == held.labels).sum()
    )
    assert (MODELS / "README.md").read_text() == model_card._card(figures)


def test_one_run_makes_the_whole_folder(tmp_path):
    base = dataset.bundled("test")
    recordings = tmp_path / "recordings"
    for word, wave in zip(base.words[::9], base.waves[::9], strict=True):
        (recordings / word).mkdir(parents=True, exist_ok=True)
        audio.write(recordings / word / "someone_nohash_0.wav", wave)
    out = tmp_path / "models"
    out.mkdir()
    (out / "old").write_text("from another run")
    stages = []
    figures = train.make(
        out,
        1,
        lambda stage, done, total: stages.append(stage),
        count=256,
        epochs=2,
        real=recordings,
    )
    assert not (out / "old").exists() and list(tmp_path.glob(".models*")) == []
    assert set(stages) == {
        "varying clips",
        "training",
        "converting",
        "asking the checkpoints",
        "measuring",
    }
    assert figures["real"]["clips"] == len(list(recordings.glob("*/*")))
    assert json.loads((out / "measured.json").read_text()) == figures
    assert "On recordings of people" in (out / "README.md").read_text()
    assert len(list((out / "checkpoints").glob("*.index"))) >= 3


def test_a_run_that_fails_leaves_the_old_folder(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "old").write_text("still here")
    beside = []

    def write(*given):
        beside.extend(path.name for path in tmp_path.iterdir())
        return 1 / 0

    monkeypatch.setattr(train, "_write_models", write)
    monkeypatch.setattr(augmentation, "training_set", lambda *given: toy(256))
    with pytest.raises(ZeroDivisionError):
        train.make(tmp_path / "models", count=256, epochs=1)
    assert (tmp_path / "models" / "old").read_text() == "still here"
    assert beside == ["models"]  # a run that is killed there would leave nothing either
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_recordings_are_looked_at_before_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(augmentation, "training_set", lambda *given: 1 / 0)
    with pytest.raises(audio.AudioError, match="There is no folder"):
        train.make(tmp_path / "models", real=tmp_path / "nobody")


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("stopped", [PermissionError, KeyboardInterrupt])
def test_a_folder_that_is_not_put_in_place_leaves_the_old_one(
    tmp_path, monkeypatch, there, stopped
):
    old, new = tmp_path / "models", tmp_path / "made"
    for folder in [new, *[old] * there]:
        folder.mkdir()
        (folder / "whose").write_text(folder.name)
    rename = Path.rename

    def refuse(path, target):
        if path.name == "new":
            raise stopped("no")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(stopped):
        train._swap(new, old)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["made", *["models"] * there]
    assert not there or (old / "whose").read_text() == "models"
