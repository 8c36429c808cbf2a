"""Runs to record and to kill: they leave what they say, and they repeat to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_trainings import random_clips

from course_lib import spotter
from course_lib.experiments import practice, timeline
from course_lib.formats import checkpoint


@pytest.fixture(scope="module")
def clips():
    return random_clips()


@pytest.mark.slow
def test_killed_and_resumed_gives_the_same_bits(clips, tmp_path):
    process = practice.start_doomed(tmp_path / "doomed", *clips, hold_at=13)
    whole = practice.Run(tmp_path / "whole", *clips)
    losses = whole.train(24)
    told = process.kill()
    assert process.exit_code in (-9, 1)  # 1 where there are no signals
    assert told == process.kill() == {step: losses[step] for step in range(1, 14)}
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
    process = practice.start_doomed(tmp_path / "doomed", clips[0][:, :9], clips[1], hold_at=3)
    with pytest.raises(RuntimeError, match="stopped by itself"):
        process.kill()


@pytest.mark.slow
def test_a_training_process_ends_with_whoever_started_it(clips, tmp_path):
    process = practice.start_doomed(tmp_path / "doomed", *clips, hold_at=1)
    process.process.communicate(timeout=120)  # closes its input, as the end of a kernel does
    assert process.exit_code == 0


@pytest.fixture(scope="module")
def recorded(clips, tmp_path_factory):
    """A run of 40 steps that keeps three of its four checkpoints; returns it and its series."""
    run = practice.Run(tmp_path_factory.mktemp("train"), *clips, keep=3)
    return run, practice.record(run, 40, (clips[0][:20], clips[1][:20]))


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


def test_a_series_counts_the_files_that_are_left(recorded):
    run, made = recorded
    folder = Path(run.manager.directory)
    left = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert left.pop(timeline.HISTORY)
    assert made.files == left and len(left) == 7
    assert list(made.files)[0] == "checkpoint"
    assert repr(made) == "<4 checkpoints written, 3 kept>"
    page = made._repr_html_()
    assert page.count("<tr>") == 5 and page.count("deleted") == 1
    assert f"7 files, {sum(left.values()):,} bytes" in page
    assert timeline.step_of(checkpoint.latest(folder)) == 40
