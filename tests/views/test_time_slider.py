"""The time slider: what it shows, and how it moves."""

from __future__ import annotations

import time

import numpy as np
import pytest
from small_trainings import random_clips, two_checkpoints

from course_lib import spotter
from course_lib.experiments import practice, timeline
from course_lib.formats import checkpoint
from course_lib.formats.checkpoint import objects
from course_lib.views import sizes
from course_lib.views import time_slider as widget
from course_lib.views.time_slider import kernels_image


@pytest.fixture(scope="module")
def clips():
    return random_clips()


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    return two_checkpoints(tmp_path_factory.mktemp("trail"))


@pytest.fixture(scope="module")
def measured(trail, clips):
    return timeline.measure(trail, *clips, words=("yes",) * 64)


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


def test_a_run_of_ones_own_is_followed(clips, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(widget.shell, "show", lambda made, static, label="": shown.append(made))
    run = practice.Run(tmp_path, *clips, keep=3)
    made = practice.record(run, 40, (clips[0][:20], clips[1][:20]))
    found = widget.follow(tmp_path, *clips, model=practice.small_model(),
                          int8=clips[0])  # fmt: skip
    assert found.steps == (20, 30, 40)
    assert [each.loss for each in found.snapshots] == [each.loss for each in made.moments[1:]]
    assert None not in found.int8_accuracies
    bar, slider = shown
    assert bar.children[1].value == 1.0 and "3 of 3" in bar.children[0].value
    assert "step 40" in slider.children[1].value
    assert "8 × 5 weights" in slider.children[1].value
