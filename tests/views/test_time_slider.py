"""The time slider and the runs to kill: what they hold, how they move, and that they repeat."""

from __future__ import annotations

import time

import numpy as np
import pytest

from course_lib import session, spotter
from course_lib.experiments.training_runs import doomed, practice, series, timeline, trials
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint import objects
from course_lib.views import sizes
from course_lib.views import time_slider as widget
from course_lib.views.time_slider import kernels_image


@pytest.fixture(scope="module")
def tf():
    return session.import_tensorflow()


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(2)
    return rng.normal(size=(64, 49, 40)).astype("float32"), rng.integers(0, 4, 64)


@pytest.fixture(scope="module")
def trail(tf, tmp_path_factory):
    """Two checkpoints of spotters that differ, without training; returns their folder."""
    folder = tmp_path_factory.mktemp("trail")
    for step in (5, 40):
        state = tf.train.Checkpoint(model=spotter.build(seed=step))
        tf.train.CheckpointManager(state, str(folder), None).save(checkpoint_number=step)
    (folder / "history.json").write_text('[{"step": 40, "loss": 0.5, "seconds": 2.0}]')
    return folder


@pytest.fixture(scope="module")
def measured(trail, clips):
    return timeline.measure(trail, *clips, words=("yes",) * 64)


def test_snapshots_are_what_the_checkpoints_hold(measured, trail, clips):
    assert measured.steps == (5, 40)
    for snapshot, prefix in zip(measured.snapshots, timeline.prefixes(trail), strict=True):
        model = timeline.restored(prefix, spotter.build())
        assert np.array_equal(snapshot.kernels, model.get_layer(spotter.FIRST_LAYER).kernel.numpy())
        assert np.allclose(snapshot.answers, spotter.predict(model, clips[0]), atol=1e-6)
    assert [each.loss for each in measured.snapshots] == [None, 0.5]
    assert not np.array_equal(measured.snapshots[0].kernels, measured.snapshots[1].kernels)


def test_accuracy_is_the_diagonal_of_the_confusion_matrix(measured):
    for index, accuracy in enumerate(measured.accuracies):
        counts = measured.confusion(index)
        assert counts.sum() == 64
        assert accuracy == pytest.approx(np.trace(counts) / 64)


def test_a_timeline_survives_the_file(measured, tmp_path):
    measured.save(tmp_path / "t.npz")
    again = timeline.load(tmp_path / "t.npz")
    assert (again.steps, again.words) == (measured.steps, measured.words)
    assert again.accuracies == measured.accuracies
    assert np.array_equal(again.snapshots[1].answers, measured.snapshots[1].answers)
    measured.save(tmp_path / "u.npz")
    assert (tmp_path / "t.npz").read_bytes() == (tmp_path / "u.npz").read_bytes()


def test_int8_is_measured_on_demand(trail, clips, measured):
    found = timeline.measure(trail, *clips, int8=clips[0])
    assert measured.int8_accuracies == (None, None)
    close = zip(found.accuracies, found.int8_accuracies, strict=True)
    assert all(abs(a - b) < 0.1 for a, b in close)


def test_progress_is_told(trail, clips):
    told = []
    timeline.measure(trail, *clips, progress=lambda *each: told.append(each))
    assert told == [(1, 2), (2, 2)]


def test_folders_without_checkpoints_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        timeline.prefixes(tmp_path)
    with pytest.raises(ValueError, match="no step"):
        timeline.step_of("ckpt")


def test_the_shipped_run_is_there():
    found = timeline.shipped()
    assert len(found) >= 8
    assert found.accuracies[-1] > 0.8 > found.accuracies[0]


def test_moving_the_slider_changes_the_page_quickly(measured):
    row, view = widget.TimeSlider(measured).controls().children
    slider, _ = row.children
    pages, slowest = set(), 0.0
    for index in (0, 1, 0, 1):
        started = time.process_time()
        slider.value = index
        slowest = max(slowest, time.process_time() - started)
        pages.add(view.value)
        assert f"step {measured.steps[index]}" in view.value
    assert len(pages) == 2
    assert slowest < 0.150


def test_choosing_a_clip_changes_the_answer(measured):
    row, view = widget.TimeSlider(measured, clips=[3, 4]).controls().children
    before = view.value
    row.children[1].value = 4
    assert view.value != before
    assert "clip 4" in view.value


def test_words_from_outside_are_escaped(measured):
    from dataclasses import replace

    hostile = replace(measured, words=("<script>",) * 64)
    page = widget.TimeSlider(hostile).page(1, 0)
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_pictures_say_what_they_show(measured, trail):
    assert "step 5" in widget.small_multiples(measured, 0).alt
    opened = checkpoint.contents(timeline.prefixes(trail)[0])
    assert "weights 57 kB" in sizes.groups({"a": opened}).alt
    image = kernels_image(np.array([-1.0, 0, 0.5, 2]).reshape(2, 2, 1, 1), 1.0)
    assert image.shape == (2, 2, 3)
    assert kernels_image(np.zeros((8, 5, 1, 8)), 1.0).shape == (17, 23, 3)  # two rows of four
    assert kernels_image(np.zeros((5, 5, 1, 18)), 1.0).shape == (17, 35, 3)  # three rows of six
    assert tuple(image[0, 0]) == (0, 114, 178) and tuple(image[0, 1]) == (255, 255, 255)
    assert tuple(image[1, 1]) == (213, 94, 0)


def test_the_object_graph_as_a_tree(trail):
    opened = checkpoint.contents(timeline.prefixes(trail)[0])
    names = [node.name for node in objects.tree(opened).nodes]
    assert names[0] == "root" and "model" in names
    assert objects.paths(opened, f"{spotter.FIRST_LAYER}/kernel") == ["model/_operations/1/_kernel"]


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_bits(clips, tmp_path):
    process = doomed.start(tmp_path / "doomed", *clips, hold_at=13)
    whole = practice.Run(tmp_path / "whole", *clips)
    losses = whole.train(24)
    told = process.kill()
    assert process.exit_code in (-9, 1)  # 1 where there are no signals
    assert told == {step: losses[step] for step in range(1, 14)}
    saved = checkpoint.latest(tmp_path / "doomed")
    assert saved.name == "ckpt-10"
    resumed = practice.Run(tmp_path / "resumed", *clips).restore(saved)
    assert {**losses, **resumed.train(24)} == losses
    assert resumed.weights().tobytes() == whole.weights().tobytes()
    for part in ("optimizer", "dice", "step"):
        other = practice.Run(tmp_path / part, *clips).restore(saved, leave_out=(part,))
        assert (int(other.step) == 10) == (part != "step")
        other.train(24)
        assert other.weights().tobytes() != whole.weights().tobytes()


@pytest.mark.slow
def test_a_training_process_that_fails_says_why(clips, tmp_path):
    process = doomed.start(tmp_path / "doomed", clips[0][:, :9], clips[1], hold_at=3)
    with pytest.raises(RuntimeError, match="stopped by itself"):
        process.kill()


@pytest.mark.slow
def test_a_training_process_ends_with_whoever_started_it(clips, tmp_path):
    process = doomed.start(tmp_path / "doomed", *clips, hold_at=1)
    process.process.communicate(timeout=120)  # closes its input, as the end of a kernel does
    assert process.exit_code == 0


@pytest.fixture(scope="module")
def recorded(tf, clips, tmp_path_factory):
    """A run of 40 steps that keeps three of its four checkpoints; returns it and its series."""
    run = practice.Run(tmp_path_factory.mktemp("train"), *clips, keep=3)
    return run, series.record(run, 40, (clips[0][:20], clips[1][:20]))


def test_a_run_leaves_a_series(recorded, clips, tmp_path):
    run, made = recorded
    assert [each.step for each in made] == [10, 20, 30, 40]
    assert [each.kept for each in made] == [False, True, True, True]
    alone = practice.Run(tmp_path, *clips)
    losses = alone.train(40)
    expected = [np.mean([losses[s - n] for n in range(10)]) for s in (10, 20, 30, 40)]
    assert np.allclose([each.loss for each in made], expected, rtol=1e-6)
    right = spotter.predict(run.model, clips[0][:20]).argmax(axis=1) == clips[1][:20]
    assert made.moments[-1].accuracy == right.mean()
    times = [each.seconds for each in made]
    assert times == sorted(times) and 0 < made.saving_share < 1
    assert made.history[1] == (20, made.moments[1].loss, made.moments[1].accuracy)


def test_a_series_counts_the_files_that_are_left(recorded):
    from pathlib import Path

    run, made = recorded
    folder = Path(run.manager.directory)
    left = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert left.pop(series.HISTORY)
    assert made.files == left and len(left) == 7
    assert list(made.files)[0] == "checkpoint"
    assert made.total_bytes == sum(left.values())
    assert repr(made) == "<4 checkpoints written, 3 kept>"
    page = made._repr_html_()
    assert page.count("<tr>") == 5 and page.count("deleted") == 1
    assert timeline.step_of(checkpoint.latest(folder)) == 40


def test_a_run_of_ones_own_is_followed(recorded, clips, monkeypatch):
    from pathlib import Path

    shown = []
    monkeypatch.setattr(widget.shell, "show", lambda made, *_: shown.append(made))
    run, made = recorded
    found = widget.follow(Path(run.manager.directory), *clips, model=practice.small_model(),
                          int8=clips[0])  # fmt: skip
    assert found.steps == (20, 30, 40)
    assert [each.loss for each in found.snapshots] == [each.loss for each in made.moments[1:]]
    assert None not in found.int8_accuracies
    bar, slider = shown
    assert bar.children[1].value == 1.0 and "3 of 3" in bar.children[0].value
    assert "step 40" in slider.children[1].value
    assert "8 × 5 weights" in slider.children[1].value


def test_bytes_can_be_replaced(tmp_path):
    (tmp_path / "x").write_bytes(b"one Mul two Mul")
    assert trials.replace_bytes(tmp_path / "x", b"Mul", b"Sub") == 2
    assert (tmp_path / "x").read_bytes() == b"one Sub two Sub"
    for old, new in ((b"Mul", b"Sub"), (b"Sub", b"Minus")):
        with pytest.raises(ValueError, match="not in x|not as long"):
            trials.replace_bytes(tmp_path / "x", old, new)


def test_copies_can_be_spoilt_and_tried(trail, tmp_path):
    prefix = timeline.prefixes(trail)[0]
    whole = trials.copy(prefix, tmp_path / "whole")
    assert sorted(p.name for p in (tmp_path / "whole").iterdir()) == [
        "checkpoint", "ckpt-5.data-00000-of-00001", "ckpt-5.index"]  # fmt: skip
    bare = trials.copy(prefix, tmp_path / "bare", leave_out=".index")
    assert not bare.with_name("ckpt-5.index").exists()
    trials.flip_bit(whole.with_name("ckpt-5.index"), 0, 3)
    original = prefix.with_name("ckpt-5.index").read_bytes()
    spoilt = whole.with_name("ckpt-5.index").read_bytes()
    assert spoilt[0] == original[0] ^ 8 and spoilt[1:] == original[1:]
    found = trials.attempt("bare", lambda: timeline.restored(bare, spotter.build()))
    assert not found.works and str(found) == "bare: fails" and found.message
    assert trials.attempt("fine", lambda: None).works
