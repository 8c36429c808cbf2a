"""A course is read from its reference notebooks; a sandbox sees no solution of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import corpus, toy

from course_lib import session
from course_lib.instructor.grading import course


def test_questions_of_a_reference(lesson):
    assert [each.id for each in lesson.questions] == list(corpus.RIGHT)
    assert [each.points for each in lesson.questions] == list(corpus.POINTS.values())
    assert lesson.questions[1].expression == "double" and lesson.questions[0].cell == "ex-97-1"
    assert lesson.questions[1].stub == "# Exercise 97.2\ndef double(x):\n    ..."


def test_a_view_holds_no_solution(tmp_path):
    view = course.make_view(tmp_path)
    names = {path.name for path in view.rglob("*.py")}
    assert not list(view.glob("course_lib/exercises/*.json"))
    assert not any(name.startswith("lesson_") for name in names)
    secret = {"judge.py", "trial.py", "core.py", "judges.py", "source.py", "building.py"}
    assert not secret & {
        path.name
        for folder in ("exercises", "instructor")
        for path in (view / "course_lib" / folder).rglob("*.py")
    }
    seen = view / "course_lib" / "instructor"
    assert [path.name for path in seen.rglob("*.py") if path.stem != "__init__"] != []
    code = "import course_lib.exercises as e; e.check('1.1', 2); e.progress(); e.hint('1.1')"
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=view,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(view)},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed, passes",
    [({}, True), ({"97.2": corpus.WRONG_2}, False), ({"97.2": "def double(x):\n    ..."}, True)],
)
def test_nbval_alone_is_a_fair_check(tmp_path, toy_course, changed, passes):
    """Right passes, not tried passes, wrong fails, with no conftest.py and no grader."""
    shutil.copytree(
        Path(course.course_lib.__file__).parent,
        tmp_path / "library" / "course_lib",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(toy.EXERCISES / "lesson_97.py", tmp_path / "library" / "course_lib" / "exercises")
    tree = corpus.notebook(toy_course[1], {**corpus.RIGHT, **changed})
    (tmp_path / "97_grading.ipynb").write_text(json.dumps(tree))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--nbval",
            "--nbval-current-env",
            "--nbval-cell-timeout=600",
            "97_grading.ipynb",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "library")},
    )
    assert (done.returncode == 0) is passes, done.stdout
    assert passes or "that is the square" in done.stdout


def test_a_view_leads_to_the_data_where_nothing_is_mounted(tmp_path):
    """Without bubblewrap, cells of the course find the bundled models, too."""
    view = course.make_view(tmp_path)
    code = "from course_lib import session; print(session.data_path('models'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(view)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).samefile(session.data_path("models"))
