"""The player: its words, its frames, its controls."""

from __future__ import annotations

import pytest

from course_lib.exercises.material import PROGRAM
from course_lib.graph.trace import from_source
from course_lib.views.player import Player, filmstrip, frame_marks, run, sentence

SEVEN = from_source(PROGRAM)


def test_each_step_says_what_it_computes():
    done = run(SEVEN)
    assert done.steps == 7
    assert sentence(done, 0) == "Step 0 of 7: nothing is computed yet."
    assert sentence(done, 1) == "Step 1 of 7: var1 is 6."
    assert sentence(done, 3) == "Step 3 of 7: temp1 = var1 + var2 = 6 + 2 = 8"
    assert sentence(done, 7) == "Step 7 of 7: res = temp1 ÷ temp3 = 8 ÷ 8 = 1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = -2\ny = -x", "y = −x = −(−2) = 2"),
        ("x = -2\ny = 3 - x", "y = const_1 − x = 3 − (−2) = 5"),
        ("x = -2\ny = relu(x)", "y = relu(x) = relu(−2) = 0"),
        ("x = 2\ny = max(x, 3)", "y = maximum(x, const_1) = maximum(2, 3) = 3"),
        ("x = 2\ny = x ** 3", "y = x ^ const_1 = 2 ^ 3 = 8"),
    ],
)
def test_signs_and_brackets_in_words(text, said):
    done = run(from_source(text))
    assert sentence(done, done.steps).endswith(said)


def test_values_appear_on_edges_as_they_are_computed():
    done = run(SEVEN)
    assert frame_marks(done, 0).labels == {}
    third = frame_marks(done, 3)
    assert third.labels["temp1", "res", 0] == "8" and ("temp2", "temp3", 0) not in third.labels
    assert third.states == {
        "temp1": "now",
        **dict.fromkeys(("temp2", "var3", "temp3", "res"), "waiting"),
    }
    assert frame_marks(done, 7).labels["res", "", 0] == "1"


def test_a_run_that_fails_stops_there_and_says_why():
    done = run(SEVEN, {"var2": 10})
    assert done.steps == 7 and len(done.values) == 6
    assert sentence(done, 7) == "Step 7 of 7: Line 7: res divides 16 by temp3, which is 0."
    marks = frame_marks(done, 7)
    assert marks.states["res"] == "now" and ("res", "", 0) not in marks.labels


def test_the_film_shows_the_same_frames():
    film = filmstrip(SEVEN)
    assert "Step 3 of 7: temp1 = var1 + var2 = 6 + 2 = 8" in film.alt
    assert film.width <= 960
    long = from_source("x = 1\n" + "x = x + x\n" * 20)
    assert "Step 21 of 21" in filmstrip(long).alt


@pytest.fixture
def player():
    return Player(SEVEN, var1=(-6, 12), var2=(-6, 12), var3=(-6, 12))


def press(player, name):
    buttons = [child for child in player.widget.children[1].children if hasattr(child, "click")]
    next(button for button in buttons if name in button.description).click()


def test_forward_back_and_jump(player):
    press(player, "forward")
    press(player, "forward")
    press(player, "back")
    assert player.step.value == 1 and "var1 is 6" in player.text.value
    press(player, "end")
    assert player.step.value == 7 and ">1</text>" in player.picture.value
    press(player, "forward")
    assert player.step.value == 7
    press(player, "start")
    press(player, "back")
    assert player.step.value == 0


def test_sliders_change_the_values_at_once(player):
    player.go(7)
    player.sliders["var3"].value = 0
    assert "res = temp1 ÷ temp3 = 8 ÷ 4 = 2" in player.text.value
    assert "constant 0" in player.picture.value
    player.sliders["var2"].value = 6
    assert "divides 12 by temp3, which is 0" in player.text.value
    player.sliders["var2"].value = 2
    assert "= 2</div>" in player.text.value


def test_a_slider_that_moves_first_runs_the_graph(player):
    player.sliders["var1"].value = 7
    assert player.step.value == 7 and "res = temp1 ÷ temp3 = 9 ÷ 9 = 1" in player.text.value
    player.go(3)
    player.sliders["var1"].value = 5
    assert player.step.value == 3 and "5 + 2 = 7" in player.text.value


def test_the_picture_says_the_same_as_the_text(player):
    player.go(3)
    assert 'aria-label="Step 3 of 7: temp1 = var1 + var2 = 6 + 2 = 8"' in player.picture.value


def test_sliders_of_their_own_accord():
    usual = Player(SEVEN)
    assert {n: (s.min, s.max) for n, s in usual.sliders.items()} == {
        "var1": (-12, 12), "var2": (-4, 4), "var3": (-8, 8),
    }  # fmt: skip
    fed = Player(from_source("def f(x, y=0.5):\n    return x * y"))
    assert fed.sliders["x"].value == 0 and fed.sliders["y"].step == pytest.approx(0.02)


def test_an_early_failure_shortens_the_steps():
    early = Player(from_source("a = 1\nb = 1 / a\nc = b + 1\nd = c"), a=(0, 2))
    early.go(9)
    early.sliders["a"].value = 0
    assert early.step.max == 3 and "divides 1 by a" in early.text.value
    early.sliders["a"].value = 1
    assert early.step.max == 5


def test_show_displays_one_stable_output(monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, metadata, raw: shown.append(data))
    Player(SEVEN, var1=(0, 9)).show()
    Player(SEVEN, var1=(0, 9)).show()
    assert shown[0]["text/plain"] == shown[1]["text/plain"]
    assert shown[0]["image/png"] == shown[1]["image/png"]
