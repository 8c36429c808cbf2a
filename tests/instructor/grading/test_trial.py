"""What is laid into the reference, what is run of it, and what one work earns."""

from __future__ import annotations

import json
import os

import pytest
from hostile import corpus

from course_lib.instructor.grading import course, sandbox, trial
from course_lib.instructor.grading.results import Work

needs_bubblewrap = pytest.mark.skipif(
    not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"
)


def _kept(lesson, answers):
    tree = json.loads(trial.assembled(lesson, answers))
    return [
        cell["id"]
        for cell in tree["cells"]
        if cell["cell_type"] == "code" and "nbval-skip" not in cell["metadata"]["tags"]
    ]


def test_only_what_an_answer_depends_on_is_run(lesson):
    table = next(cell["id"] for cell in lesson.cells if "table =" in course.text_of(cell))
    assert _kept(lesson, {"97.1": "cells = table.size"}) == ["setup", table, "ex-97-1"]
    assert _kept(lesson, {"97.5": "order = []"}) == ["setup", "ex-97-5"]
    assert table in _kept(lesson, {"97.5": "order = eval('table')"})
    assert table in _kept(lesson, {"97.5": "def order(:"})
    everything = json.loads(trial.assembled(lesson, {}, everything=True))
    skipped = [
        cell["id"] for cell in everything["cells"] if "nbval-skip" in cell["metadata"]["tags"]
    ]
    assert sorted(skipped) == sorted(
        [*(f"ex-97-{n}" for n in range(1, 6)), *(f"check-97-{n}" for n in range(1, 6))]
    )


def _reference(*sources):
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source}
        for n, source in enumerate(sources)
    ]
    cells.append({"cell_type": "code", "id": "ex", "metadata": {"exercise": "1.1"}, "source": ""})
    return course.Reference("01", "01_x.ipynb", tuple(cells))


ALL_SIX = {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    "answer, needed",
    [
        ("a = x", {0}),
        ("a = y", {0, 1}),
        ("a = z", {0, 1, 2}),
        ("a = w", {5}),
        ("a = 1", set()),
        ("a = f(1)", {0, 3}),
        ("def a():\n    return x", {0}),
        ("a = globals()['x']", ALL_SIX),
        ("a = math.pi", {4}),
        ("%time a = 1", ALL_SIX),
        ("(", ALL_SIX),
    ],
)
def test_dependencies_are_followed(answer, needed):
    reference = _reference(
        "x = [1]",
        "y = x + [2]",
        "y.append(3); z = y",
        "def f(n):\n    return x[n]",
        "import math; math.sin(0)",
        "w: int = 5",
    )
    found = trial.needed_cells(reference, {"1.1": answer})
    if answer == "a = y":
        needed = needed | {2}  # the third cell changes y in place
    assert found == needed


@needs_bubblewrap
def test_answers_that_need_a_skipped_cell_get_it(toy_course):
    """A name that only a string holds is not seen beforehand: then all cells run."""
    answers = {
        "97.1": "import __main__ as m\ncells = getattr(m, 'ta' + 'ble').size",
        "97.5": "raise FileNotFoundError('results')",
    }
    result = trial.grade(Work("a", "97", "x", answers), trial.Settings(toy_course[0], "s"))
    assert result.exercises[0].state == "right"


@needs_bubblewrap
def test_a_user_without_rights_gets_a_namespace_of_their_own(toy_course, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    answers = {
        "97.1": "cells = table.size",
        "97.2": (
            "import os\nfrom pathlib import Path\nfor place in ('/x', '/dev/x', '/usr/x'):\n"
            "    try:\n        Path(place).touch()\n        raise SystemExit\n"
            "    except OSError:\n        pass\n" + corpus.RIGHT["97.2"]
        ),
    }
    result = trial.grade(Work("a", "97", "x", answers), trial.Settings(toy_course[0], "s"))
    assert result.earned == 3 and result.sandbox == "bubblewrap" and not result.ended
