"""The walk back through a graph: its frames, its words, its widget."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from random_programs import programs

from course_lib.exercises.material import PROGRAM
from course_lib.graph import EvaluationError, gradients
from course_lib.graph.data import number
from course_lib.graph.trace import from_source
from course_lib.views.backward import (
    WalkBack,
    filmstrip,
    frame_marks,
    gradient_bars,
    sentence,
    steps,
)
from course_lib.views.layout import lay_out
from course_lib.views.painting import paint
from course_lib.views.style import PALETTE, figure

SEVEN = from_source(PROGRAM)


def test_each_step_says_what_is_passed_on():
    back = gradients(SEVEN)
    assert steps(back) == 9
    assert sentence(back, 0).endswith("all values are known, no derivative is.")
    assert sentence(back, 1) == "Step 1 of 9: res moves by 1 when res moves by 1."
    assert sentence(back, 3).endswith("temp3 gets 1 × −0.125 = −0.125 from res, and has −0.125.")
    assert sentence(back, 8).endswith("var1 gets 0.125 × 1 = 0.125 from temp1, and has 0.")


@given(programs)
@settings(max_examples=200, deadline=None)
def test_the_last_frame_holds_every_derivative(text):
    graph = from_source(text)
    try:
        back = gradients(graph)
    except EvaluationError:
        return
    marks = frame_marks(graph, back, steps(back))
    for node in graph:
        if node.name in marks.states and marks.states[node.name] == "waiting":
            assert back[node.name] == 0
        else:
            assert marks.subtitles[node.name].endswith(number(back[node.name]))


def test_frames_show_what_was_walked():
    back = gradients(SEVEN)
    marks = frame_marks(SEVEN, back, 2)
    assert marks.labels == {("temp1", "res", 0): "0.125"}
    assert marks.states["temp1"] == "here" and marks.states["var1"] == "waiting"
    assert marks.strong == (("temp1", "res", 0),)  # the edge that was just walked, no other
    assert frame_marks(SEVEN, back, 1).states["res"] == "here"
    assert frame_marks(SEVEN, back, 1).strong == ()
    assert len(frame_marks(SEVEN, back, 0).labels) == 0


def test_the_film_says_every_step():
    alt = filmstrip(SEVEN).alt
    assert alt.startswith("The walk back. Step 1 of 9") and "Step 9 of 9" in alt
    assert filmstrip(from_source("x = 1")).alt.endswith("x moves by 1 when x moves by 1.")


def test_the_widget_walks_and_follows_the_sliders(monkeypatch):
    player = WalkBack(SEVEN, var2=(-6, 12))
    player.go(99)
    assert "var2 gets" in player.text.value and "has 0.25" in player.text.value
    player.sliders["var2"].value = 10
    assert "divides 16 by temp3, which is 0" in player.text.value
    player.sliders["var2"].value = 3
    assert "has 0.3265" in player.text.value
    player.go(-1)
    assert player.step.value == 0
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, metadata, raw: shown.append(data))
    WalkBack(SEVEN, var1=(0, 9)).show()
    assert shown[0]["text/plain"].startswith("<widget: The walk back.")


def test_the_widget_of_a_program_of_ones_own():
    player = WalkBack(from_source("a = 2\nb = 0.5\nc = a * b"))
    assert set(player.sliders) == {"a", "b"} and player.sliders["b"].max == 1
    assert player.step.value == 0 and "no derivative is" in player.text.value
    player.sliders["a"].value = 3
    assert player.step.value == player.step.max and "b gets 1 × 3 = 3" in player.text.value


def test_a_program_without_a_derivative_says_so(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, metadata, raw: shown.append(data))
    broken = from_source("a = 0\nb = 1 / a")
    player = WalkBack(broken)
    assert "divides 1 by a, which is 0" in player.text.value and "<svg" in player.picture.value
    player.go(1)
    assert "divides 1 by a" in player.text.value
    player.show()
    assert shown[0]["text/plain"] == "<widget: a program without a derivative>"
    player.sliders["a"].value = 1
    assert "b moves by 1" in player.text.value or "a gets" in player.text.value


def test_bars_need_their_words():
    chart = gradient_bars({"one": [1, -1], "two": [0.5, 2]}, ["a", "b"], alt="two rows of bars")
    assert chart.alt == "two rows of bars"
    with pytest.raises(ValueError, match="needs a text"):
        gradient_bars({"one": [1]}, ["a"], alt="")


@pytest.mark.parametrize(
    "program",
    [
        PROGRAM,
        "sound = 2\nwanted = 2\nweight = 3\nanswer = weight * sound\nmiss = answer - wanted\n"
        "loss = miss * miss",
        "a = 2\nb = 3\nc = 5\nd = a * b\ne = b * c\nf = a - c\ng = d * e\nh = e * f\ni = g / h",
    ],
)
def test_no_number_lies_on_another_where_arrows_cross(program):
    graph = from_source(program)
    back = gradients(graph)
    layout = lay_out(graph, roomy=True)
    fig, axes = figure(layout.width / 96, layout.height / 96)
    marks = frame_marks(graph, back, steps(back))
    paint(axes, layout, marks, 1)
    fig.canvas.draw()
    written = [text for text in axes.texts if text.get_color() == PALETTE["blue"]]
    written = [text for text in written if text.get_text()]
    places = [text.get_window_extent() for text in written]
    assert len(places) == len(marks.labels)
    assert not any(one.overlaps(two) for one, two in combinations(places, 2))
