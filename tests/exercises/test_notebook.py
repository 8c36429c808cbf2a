"""What a notebook sees: a line for what is right, a hint for what is not, what is left."""

from __future__ import annotations

import pytest
from one_exercise import FOLLOW, backwards, follow

from course_lib import exercises
from course_lib.exercises import core, notebook


@pytest.fixture
def lesson(monkeypatch):
    """Put one exercise where lesson 06 would be, and forget what earlier tests did."""
    monkeypatch.setattr(core, "of_lesson", lambda name: (FOLLOW,))
    monkeypatch.setattr(notebook, "_states", {})
    monkeypatch.setattr(notebook, "_hints_given", {})
    monkeypatch.setattr(notebook, "_solutions_seen", set())


def test_check_prints_one_line_or_raises(lesson, capsys):
    assert exercises.check("6.2", follow) is None
    assert capsys.readouterr().out == "✔ 6.2 right: four bytes.\n"
    exercises.check("6.2", ...)
    assert capsys.readouterr().out == (
        "○ 6.2 not tried yet: follow(data, position): the place pointed to\n"
    )
    with pytest.raises(exercises.WrongAnswer, match="6.2: backwards") as caught:
        exercises.check("6.2", backwards)
    assert caught.value._render_traceback_() == [
        "\x1b[1;30;43m ✘ Not yet. \x1b[0m 6.2: backwards",
        'More help: hint("6.2")',
    ]
    with pytest.raises(ValueError, match="no exercise 6.9; this lesson has 6.2") as caught:
        exercises.check("6.9", 3)
    assert caught.value._render_traceback_() == [str(caught.value)]
    with pytest.raises(ValueError, match="names no exercise"):
        exercises.check("six", 3)


def test_hints_come_one_after_another(lesson, capsys):
    for _ in range(3):
        exercises.hint("6.2")
    exercises.check("6.2", follow)
    exercises.hint("6.2")
    assert capsys.readouterr().out.splitlines() == [
        "6.2 hint 1 of 2: first",
        "6.2 hint 2 of 2: second",
        'That was the last one. solution("6.2") shows one way to do it.',
        "6.2 hint 1 of 2: first",
        "✔ 6.2 right: four bytes.",
        "6.2 is right already.",
    ]


def test_a_solution_comes_last_and_is_remembered(lesson, capsys):
    def said():
        exercises.solution("6.2")
        return capsys.readouterr().out

    assert said() == '6.2: try an answer and check it first; hint("6.2") helps.\n'
    with pytest.raises(exercises.WrongAnswer):
        exercises.check("6.2", backwards)
    assert said() == '6.2: hints come first, 2 are left. Call hint("6.2").\n'
    exercises.hint("6.2")
    exercises.hint("6.2")
    assert "solution seen" not in repr(exercises.progress())
    assert "one way to do it" not in capsys.readouterr().out.splitlines()[0]
    assert said().startswith("6.2, one way to do it:\n\n")
    assert "✘ 6.2 wrong, solution seen" in repr(exercises.progress())
    assert "wrong, solution seen" in exercises.progress()._repr_html_()
    exercises.check("6.2", follow)
    assert exercises.progress().right == 1  # never counted against anybody
    with pytest.raises(ValueError, match="no exercise 6.9"):
        exercises.solution("6.9")


def test_one_that_is_right_may_be_compared_at_once(lesson, capsys):
    exercises.check("6.2", follow)
    exercises.solution("6.2")
    assert "one way to do it" in capsys.readouterr().out


@pytest.mark.parametrize("number", core.lessons())
def test_every_exercise_has_a_worked_solution(number):
    """Those that the reference edition runs: another test compares them with the sources."""
    for each in core.of_lesson(number):
        assert core.worked(each.id).strip() and "SOLUTION" not in core.worked(each.id)


def test_a_card_says_the_same_in_words_and_shapes():
    card = notebook._Card("right", "6.2 right", "`a` < `b<c`, a ` alone.")
    assert repr(card) == "✔ 6.2 right: `a` < `b<c`, a ` alone."
    page = card._repr_html_()
    assert "role='status'" in page and "✔ 6.2 right" in page
    assert "<code>a</code> &lt; <code>b&lt;c</code>, a ` alone." in page


def test_only_what_is_right_is_used_afterwards(lesson):
    assert exercises.yours("6.2", ..., "ours") == "ours"
    with pytest.raises(exercises.WrongAnswer):
        exercises.check("6.2", backwards)
    assert exercises.yours("6.2", backwards, "ours") == "ours"
    exercises.check("6.2", follow)
    assert exercises.yours("6.2", follow, "ours") is follow
    assert exercises.yours("6.2", backwards, "ours") == "ours"  # changed, and not checked again
    with pytest.raises(ValueError, match="no exercise 6.9"):
        exercises.yours("6.9", follow, "ours")


def test_progress_shows_what_is_left(lesson):
    with pytest.raises(ValueError, match="progress\\(6\\)"):
        exercises.progress()
    assert repr(exercises.progress(6)).startswith("Lesson 06: 0 of 1 right\n○ 6.2 not tried: ")
    with pytest.raises(exercises.WrongAnswer):
        exercises.check("6.2", backwards)
    assert "✘ 6.2 wrong" in repr(exercises.progress())
    exercises.check("6.2", follow)
    assert exercises.progress().right == 1
    page = exercises.progress()._repr_html_()
    assert "aria-label='1 of 1 exercises right'" in page and "title='6.2 right'" in page


def test_guesses_are_compared(capsys):
    exercises.compare("6.1", 28, 36)
    exercises.compare("6.4", ..., 0.25)
    assert capsys.readouterr().out.splitlines() == [
        "6.1 you guessed 28, measured 36",
        "6.4 measured 0.25; you made no guess",
    ]


@pytest.mark.parametrize("answer, said", [(..., "6.2 not tried yet"), (backwards, "6.2: ")])
def test_what_an_autograder_hears_names_the_exercise(lesson, answer, said):
    with pytest.raises(exercises.WrongAnswer, match=said) as caught:
        notebook.require("6.2", answer)
    assert caught.value._render_traceback_()[1] == 'More help: hint("6.2")'
