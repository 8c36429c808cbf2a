"""The teacher's page names every section, question and exercise, and what a wrong answer means."""

from __future__ import annotations

import re

from course_lib.exercises import core
from course_lib.instructor.authoring import lessons, source, teaching


def test_every_lesson_is_there_with_its_exercises_and_questions() -> None:
    every = lessons()
    text = teaching.page(every)
    for lesson in every:
        part = text.split(f"/{lesson.name}.ipynb)")[1].split("\n## ")[0]
        assert f"{lesson.minutes} minutes" in part
        for exercise in core.of_lesson(lesson.number):
            told = part.split(f"**{exercise.id}** ")[1].split("\n**")[0].replace("\\*", "*")
            assert all(hint in told for _, hint in exercise.mistakes)
            (call, section) = re.findall(r'^Show then: `(.+)` in "(.+)"\.$', told, re.MULTILINE)[0]
            above = "\n".join(cell.text for cell in lesson.cells).split(f"# Exercise {exercise.id}")
            assert call.removesuffix("()").rpartition(".")[2] in above[0]
            assert section == "To begin with" or f"## {section}\n" in above[0]
        guesses = [cell for cell in lesson.cells if cell.id.startswith("predict-")]
        asked = part.split("**Ask before you run:**")[-1].split("\n**")[0]
        assert not guesses or asked.count("\n- ") >= len(guesses) / 2
        minutes = [int(each) for each in re.findall(r"^\|.+\| (\d+) \|", part, re.MULTILINE)]
        assert abs(sum(minutes) - lesson.minutes) <= 5 + len(minutes) / 2


def test_a_power_keeps_its_stars() -> None:
    text = "2**n, not n**2: *never* `2**n`, a * b"
    assert teaching._plain(text) == r"2\*\*n, not n\*\*2: *never* `2**n`, a * b"


def test_a_hint_stands_once_beside_a_short_answer() -> None:
    judge = core.Judge(solution=1, grade=lambda *_: "")
    mistakes = [(2.3025850929, "a"), (lambda: 0, "b"), (lambda: 1, "b"), ("x" * 50, "c")]
    exercise = core.Exercise("1.1", "n: how many", judge, "right", mistakes)
    assert teaching._mistakes(exercise) == [("`2.30259`: ", "a"), ("", "b"), ("", "c")]


def _cells(*texts: str) -> list[source.Cell]:
    kinds = ("markdown" if text.startswith("#") else "code" for text in texts)
    return [source.Cell(kind, text, text) for kind, text in zip(kinds, texts, strict=True)]


def test_the_nearest_picture_above_is_shown_else_what_is_printed() -> None:
    drawn = "from course_lib.views import sizes as draw\ndraw.kinds(3)"
    moved = "from course_lib.views.dashboard import Dashboard\nboard = Dashboard(2)\nboard.show()"
    no_view = "import numpy as np\ntable = np.ones(3)\ntable.show()\nprint(table, 1)"
    asked = [source.Cell("code", "x = ...", "x", exercise="1.1")]
    two = _cells("# Title", "## One", drawn, "## Two", moved, no_view)
    assert teaching._to_show(two + asked, "1.1") == '`Dashboard()` in "Two"'
    assert teaching._to_show(two[:4] + asked + two[4:], "1.1") == '`draw.kinds()` in "One"'
    assert teaching._to_show(two[:2] + two[5:] + asked, "1.1") == '`print(table, 1)` in "One"'
    assert teaching._to_show(two[:2] + asked + two[2:], "1.1") == ""


def test_a_wrong_function_is_shown_in_the_names_that_are_asked_for() -> None:
    beside = 2
    wrong = (
        lambda s, r: r / s,
        lambda s, r: max(s, r),
        lambda s, r: r // s + beside,
        lambda s, r: _cells(s),
        lambda s, r: (s + r) * (s - r) * (s + r) * (s - r) * (s + r) * (s - r) * (s + r),
        core.when(lambda arguments, value: value == 3),
    )
    shown = [teaching._shown(each, "seconds(samples, rate_hz): how long") for each in wrong]
    assert shown == ["`rate_hz / samples`: ", "`max(samples, rate_hz)`: ", "", "", "", ""]
    assert teaching._shown(wrong[0], "seconds: how long") == ""


def test_a_lesson_that_can_download_is_named() -> None:
    network = teaching.page([]).split("**What needs a network:**")[1].split("\n\n")[0]
    offering = {
        lesson.number
        for lesson in lessons()
        if any(re.search(r"source = .*\bmini\b", cell.text) for cell in lesson.cells)
    }
    assert set(re.findall(r"lesson (\d\d)", network)) == offering
