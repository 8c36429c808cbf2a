"""What `check` calls right in a student's notebook earns its points, however it was changed.

Every lesson's solved notebook is changed as students and platforms do; the program made of it runs
here, in this process, cell by cell, and is judged by the lesson's own exercises.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from functools import lru_cache
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hostile import honest
from hypothesis import HealthCheck, Phase, given, settings

from course_lib.exercises import core
from course_lib.instructor.grading import course, scopes, submission, trial

ROOT = Path(__file__).resolve().parents[3]
COURSE = course.Course(ROOT / "notebooks" / "reference")
LESSONS = [f"{number:02d}" for number in range(10)]
QUIET = settings(
    max_examples=int(os.environ.get("WORKBOOK_EXAMPLES", "6")),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # to make a case smaller takes minutes
    suppress_health_check=list(HealthCheck),
)


def solved(number: str) -> dict:
    reference = COURSE.lessons[number]
    student = json.loads((ROOT / "notebooks" / reference.name).read_text(encoding="utf-8"))
    return honest.solved(student, _answers(number))


@lru_cache
def _answers(number: str) -> dict[str, str]:
    cells = COURSE.lessons[number].cells
    marked = [cell for cell in cells if "exercise" in cell["metadata"]]
    return {cell["metadata"]["exercise"]: course.text_of(cell) for cell in marked}


_BOUND: dict[tuple, dict] = {}


def _course_names(number: str, ran: tuple, cell: dict, names: dict) -> None:
    """Run a course cell once in this process for each way that leads to it."""
    if ran not in _BOUND:
        before = dict(names)
        exec(cell["source"], names)  # noqa: S102
        _BOUND[ran] = {key: names[key] for key in names if names[key] is not before.get(key)}
    names.update(_BOUND[ran])


def right_in(number: str, data: bytes) -> set[str]:
    """Return the exercises whose value, where the program asks for it, is right."""
    reference = COURSE.lessons[number]
    found = submission.find_answers(submission.read_cells(data), reference)
    answers = submission.tried(found.texts, reference)
    program = [part for part in found.program if part.kind in ("course", "own")
               or part.exercise in answers]  # fmt: skip
    cells = json.loads(trial.assembled(reference, program))["cells"]
    own = {cell.get("id") for cell in reference.cells} - {"setup"}
    names: dict = {"__name__": "__main__"}
    outcomes: dict[str, object] = {}
    asked = {question.id: question.expression for question in reference.questions}
    ran: tuple = (number,)
    for cell in cells:
        metadata = cell["metadata"]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(BaseException):
            if name := metadata.get("ask"):
                if not metadata["spare"] or name not in outcomes:
                    value = eval(asked[name], names)  # noqa: S307
                    outcome = core.exercise(name).outcome(value)
                    if not isinstance(outcome, core.NotTried):
                        outcomes[name] = outcome
            elif not metadata["tags"] and cell["id"] in own:
                ran = (*ran, cell["id"])
                _course_names(number, ran, cell, names)
            elif not metadata["tags"] and cell["id"] != "setup":
                exec(scopes.python_of(cell["source"]), names)  # noqa: S102
    return {name for name, outcome in outcomes.items() if isinstance(outcome, core.Right)}


@pytest.mark.parametrize("number", LESSONS)
@pytest.mark.parametrize("way", honest.WRITING)
def test_however_an_answer_is_written_down(number, way):
    tree = solved(number)
    for name in _answers(number):
        honest.WRITING[way](honest.Answer(tree["cells"], name))
    assert right_in(number, honest.finished(tree)) == set(_answers(number))


@pytest.mark.parametrize("number", LESSONS)
def test_however_a_notebook_is_saved(number):
    for way in [*({each} for each in honest.SAVING), *honest.NO_MARKS]:
        tree = honest.saved(solved(number), way)
        assert right_in(number, honest.finished(tree)) == set(_answers(number)), way


@pytest.mark.parametrize("number", LESSONS)
@QUIET
@given(data=st.data())
def test_all_that_together(number, data):
    """Each answer in another way, cells beside them, and the whole saved anyhow."""
    tree = solved(number)
    ways = data.draw(st.sets(st.sampled_from(sorted(honest.SAVING)), max_size=4))
    marked = "first lines dropped" not in ways
    allowed = set(honest.WRITING) - (set() if marked else honest.NEEDS_MARKS)
    allowed -= honest.NEEDS_CHECKS if "checks dropped" in ways else set()
    for name in _answers(number):
        way = data.draw(st.sampled_from(sorted(allowed)))
        honest.WRITING[way](honest.Answer(tree["cells"], name))
    for text in data.draw(st.lists(st.sampled_from(honest.BESIDE), max_size=5)):
        place = data.draw(st.integers(0, len(tree["cells"])))
        tree["cells"].insert(place, honest.own(text))
    tree = honest.saved(tree, ways)
    assert right_in(number, honest.finished(tree)) == set(_answers(number))
