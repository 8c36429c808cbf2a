"""The teacher's page names every section, question and exercise, and what a wrong answer means."""

from __future__ import annotations

import re

from course_lib.exercises import core
from course_lib.instructor.authoring import lessons, teaching


def test_every_lesson_is_there_with_its_exercises_and_questions() -> None:
    every = lessons()
    text = teaching.page(every)
    for lesson in every:
        part = text.split(f"/{lesson.name}.ipynb)")[1].split("\n## ")[0]
        assert f"{lesson.minutes} minutes" in part
        for exercise in core.of_lesson(lesson.number):
            told = part.split(f"**{exercise.id}** ")[1].split("\n**")[0]
            assert all(hint in told for _, hint in exercise.mistakes)
        guesses = [cell for cell in lesson.cells if cell.id.startswith("predict-")]
        asked = part.split("**Ask before you run:**")[-1].split("\n**")[0]
        assert not guesses or asked.count("\n- ") >= len(guesses) / 2
        minutes = [int(each) for each in re.findall(r"^\|.+\| (\d+) \|", part, re.MULTILINE)]
        assert abs(sum(minutes) - lesson.minutes) <= 5 + len(minutes) / 2


def test_a_hint_stands_once_beside_a_short_answer() -> None:
    judge = core.Judge(solution=1, grade=lambda *_: "")
    mistakes = [(2.3025850929, "a"), (lambda: 0, "b"), (lambda: 1, "b"), ("x" * 50, "c")]
    exercise = core.Exercise("1.1", "n: how many", judge, "right", mistakes)
    assert list(teaching._mistakes(exercise)) == [("`2.30259`: ", "a"), ("", "b"), ("", "c")]
