"""A training seen through its checkpoints: what is measured is what they hold."""

from __future__ import annotations

import numpy as np
import pytest
from small_trainings import random_clips, two_checkpoints

from course_lib import spotter
from course_lib.experiments import timeline


@pytest.fixture(scope="module")
def clips():
    return random_clips()


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    return two_checkpoints(tmp_path_factory.mktemp("trail"))


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
