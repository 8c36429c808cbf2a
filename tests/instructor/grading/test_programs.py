"""What `check` calls right in a student's notebook earns its points, however it was changed.

Every lesson's solved notebook is changed as students and platforms do; the program made of it runs
here, in this process, cell by cell, and is judged by the lesson's own exercises.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hostile import honest
from hostile.corpus import RIGHT
from hypothesis import HealthCheck, Phase, given, settings

from course_lib.exercises import core, notebook
from course_lib.instructor.grading import course, sandbox, scopes, submission, trial
from course_lib.instructor.grading.results import Work

ROOT = Path(__file__).resolve().parents[3]
COURSE = course.Course(ROOT / "notebooks" / "reference")
LESSONS = core.lessons()
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


def right_in(number: str, data: bytes, reference: course.Reference | None = None) -> set[str]:
    """Return the exercises whose value, where the program asks for it, is right."""
    reference = reference or COURSE.lessons[number]
    found = submission.find_answers(submission.read_cells(data), reference)
    answers = submission.tried(found.texts, reference)
    program = [part for part in found.program if part.kind in ("course", "own")
               or part.exercise in answers]  # fmt: skip
    late = [part.kind == "late" for part in program]
    program = [replace(part, kind="ask") if part.kind == "late" else part for part in program]
    cells = json.loads(trial.assembled(reference, program))["cells"]
    own = {cell.get("id") for cell in reference.cells} - {"setup"}
    names: dict = {"__name__": "__main__"}
    outcomes: dict[str, object] = {}
    asked = {question.id: question.expression for question in reference.questions}
    ran: tuple = (number,)
    for cell, below in zip(cells, late, strict=True):
        metadata = cell["metadata"]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(BaseException):
            if name := metadata.get("ask"):
                if below and isinstance(outcomes.get(name), core.Right):
                    continue
                if not metadata["spare"] or name not in outcomes:
                    value = eval(metadata["expression"] or asked[name], names)  # noqa: S307
                    outcome = core.exercise(name).outcome(value)
                    if below and not isinstance(outcome, core.Right):
                        continue
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
def test_an_empty_copy_below_takes_nothing_away(number):
    """Also where nothing is left that says which exercise either cell belongs to."""
    tree = solved(number)
    for name in _answers(number):
        honest.WRITING["copied as it was"](honest.Answer(tree["cells"], name))
    bare = {"first lines dropped", "metadata dropped", "checks dropped"}
    for ways in (bare, bare | {"ids dropped"}):
        saved = honest.saved(tree, ways)
        assert right_in(number, honest.finished(saved)) == set(_answers(number)), ways


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


def said_right(tree: dict) -> set[str]:
    """Run a notebook's cells from top to bottom, and return what `check` calls right in the end."""
    notebook._states.clear()
    names: dict = {"__name__": "__main__"}
    for cell in tree["cells"]:
        if cell["cell_type"] == "code" and cell.get("id") != "setup":
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(BaseException):
                exec(scopes.python_of("".join(cell["source"])), names)  # noqa: S102
    return {name for name, state in notebook._states.items() if state == "right"}


@settings(QUIET, max_examples=int(os.environ.get("WORKBOOK_EXAMPLES", "60")))
@given(data=st.data())
def test_what_check_calls_right_is_right(data, toy_course, lesson):
    """Cells moved, copied, removed and added at random: who is right in their notebook is here."""
    tree = honest.solved(toy_course[1], {k: f"# Exercise {k}\n{v}" for k, v in RIGHT.items()})
    cells, place = tree["cells"], st.integers(0, 40)
    # A wrong answer that is moved below the right one is the later one, which counts.
    ways_to_write = sorted(set(honest.WRITING) - honest.NEEDS_MARKS - {"corrected in a copy"})
    for name in data.draw(st.sets(st.sampled_from(sorted(RIGHT)))):
        way = data.draw(st.sampled_from(ways_to_write))
        honest.WRITING[way](honest.Answer(cells, name))
    for _ in range(data.draw(st.integers(0, 4))):
        index, to = data.draw(place) % len(cells), data.draw(place)
        what = data.draw(st.sampled_from(["move", "copy", "remove", "add", "change"]))
        cell = cells[index]
        if what in ("move", "remove") and cell["id"] != "setup":
            cells.remove(cell)
        if what in ("move", "copy") and cell["id"] != "setup":
            fresh = {} if what == "move" else {"id": f"copy-{len(cells)}-{to}"}
            cells.insert(to % (len(cells) + 1), {**cell, **fresh})
        if what == "add":
            text = data.draw(
                st.sampled_from([*honest.BESIDE, *RIGHT.values(), "double = cells = 1"])
            )
            cells.insert(to % (len(cells) + 1), honest.own(text))
        if what == "change" and cell["cell_type"] == "code":
            cell["source"] += "\nadded = 1\nprint(added)"
    ways = data.draw(st.sets(st.sampled_from(sorted(set(honest.SAVING) - {"checks dropped"}))))
    saved = honest.saved(tree, ways - {"course cells dropped"})
    said = said_right(tree)
    assert said <= right_in("97", honest.finished(saved), lesson)


def test_what_is_wrong_is_not_right(toy_course, lesson):
    for name in RIGHT:
        tree = honest.solved(toy_course[1], {name: f"# Exercise {name}\n{RIGHT[name]}"})
        assert right_in("97", honest.finished(tree), lesson) == said_right(tree) == {name}
        honest.Answer(tree["cells"], name).write("double = cells = complete = totals = order = 0")
        assert right_in("97", honest.finished(tree), lesson) == said_right(tree) == set()


RIGHT_CODE = RIGHT["97.2"]  # def double(x)
CHECKED = {
    "inline": ("...", 'check("97.2", lambda x: 2 * x)', True),
    "inline and wrong": ("...", 'check("97.2", lambda x: x * x)', False),
    "the wrong one of two": (f"{RIGHT_CODE}\nother = abs", 'check("97.2", other)', False),
    "the right one of two": (
        f"{RIGHT_CODE}\nmine, double = double, abs",
        'check("97.2", mine)',
        True,
    ),
    "wrong, then right": (RIGHT_CODE, 'check("97.2", abs)\ncheck("97.2", double)', True),
    "by a way around": (RIGHT_CODE, 'check("97.2", globals()["double"])', True),
    "a loop": (RIGHT_CODE, 'for each in [double]:\n    check("97.2", each)', True),
    "a local name": (RIGHT_CODE, 'def f(a):\n    check("97.2", a)\nf(double)', True),
    "an unknown name": (RIGHT_CODE, 'check("97.2", doubled)', True),
    "untouched": (RIGHT_CODE, 'check("97.2", ...)', True),
    "no Python": (RIGHT_CODE, 'check("97.2", double', True),
    "with magic": (RIGHT_CODE, '%time check("97.2", lambda x: x + x)', True),
    "an assignment": ("...", 'check("97.2", mine := lambda x: x + x)', True),
}


@pytest.mark.parametrize("name", CHECKED)
def test_what_the_student_had_checked_is_asked_for(toy_course, lesson, name):
    """Where that gives no value, the name that the course asks for still counts."""
    text, check, right = CHECKED[name]
    tree = honest.solved(toy_course[1], {"97.2": f"# Exercise 97.2\n{text}"})
    answer = honest.Answer(tree["cells"], "97.2")
    answer.check["source"] = check
    if text == "...":
        answer.cell["source"] = answer.cell["stub"]
    assert (right_in("97", honest.finished(tree), lesson) == {"97.2"}) is right


@pytest.mark.slow
@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
@pytest.mark.parametrize("number", ["01", "06", "07"])
def test_in_a_sandbox(number):
    """The same once for real: each answer in another way, saved as Colab does."""
    tree = solved(number)
    ways = sorted(set(honest.WRITING) - honest.NEEDS_CHECKS)
    for index, name in enumerate(_answers(number)):
        way = ways[(3 * index + int(number)) % len(ways)]
        honest.WRITING[way](honest.Answer(tree["cells"], name))
    tree["cells"][3:3] = [honest.own(text) for text in honest.BESIDE]
    data = honest.finished(honest.saved(tree, {"colab"}))
    found = submission.find_answers(submission.read_cells(data), COURSE.lessons[number])
    work = Work("a", number, "x", dict(found.texts), found.notes, program=found.program)
    result = trial.grade(work, trial.Settings(COURSE, "unseen"))
    assert result.earned == result.points and not result.ended, result.to_json()
