"""Assignments for nbgrader and Otter, made from the same sources and tried with the real tools."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hostile import corpus, toy

import course_lib
from benchmarks import peers
from course_lib import cli, exercises
from course_lib.exercises import core
from course_lib.instructor.grading import assignments
from course_lib.session import commands

ROOT = Path(__file__).resolve().parents[3]
PARTLY = {**corpus.RIGHT, "97.2": corpus.WRONG_2}  # 6 of 8 points


def sources_of(path: Path) -> list[str]:
    """Return the text of every cell of a notebook."""
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def answer(path: Path, answers: dict[str, str]) -> None:
    """Fill answers into the notebook of a student."""
    tree = json.loads(path.read_text())
    for cell in tree["cells"]:
        text = "".join(cell["source"])
        for name, code in answers.items():
            if text.startswith(f"# Exercise {name}\n"):
                cell["source"] = f"# Exercise {name}\n{code}"
    path.write_text(json.dumps(tree))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return a folder with course_lib in which lesson 97 has its exercises, as if installed."""
    place = tmp_path_factory.mktemp("library")
    shutil.copytree(
        Path(course_lib.__file__).parent,
        place / "course_lib",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy(toy.EXERCISES / "lesson_97.py", place / "course_lib" / "exercises")
    return place


def prepared(name: str) -> None:
    """Make the environment of a tool, once; skip where the package index cannot be reached."""
    try:
        peers.prepare(name)
    except peers.Unavailable as error:
        pytest.skip(str(error))


def run(name: str, library: Path, cwd: Path, *arguments: str) -> str:
    """Run a tool in its own environment; return what it printed."""
    done = subprocess.run(
        [*peers.command(name), *arguments],
        cwd=cwd,
        text=True,
        capture_output=True,
        timeout=280,
        env=peers.surroundings(name, library),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nbgrader_cells(tmp_path, capsys):
    assert (
        cli.main(
            [
                "export",
                "--for",
                "nbgrader",
                str(tmp_path),
                "--source",
                str(toy.HERE / "source"),
                "--lesson",
                "97",
            ]
        )
        == commands.DONE
    )
    (path,) = tmp_path.glob("source/97_grading/*.ipynb")
    assert str(path) in capsys.readouterr().out
    cells = json.loads(path.read_text())["cells"]
    marked = {
        cell["metadata"]["nbgrader"]["grade_id"]: cell
        for cell in cells
        if "nbgrader" in cell["metadata"]
    }
    assert len(marked) == 10
    points = [cell["metadata"]["nbgrader"].get("points", 0) for cell in marked.values()]
    assert sum(points) == 8
    stub = "# Exercise 97.1\ncells = ...\n### BEGIN SOLUTION"
    assert marked["ex-97-1"]["source"].startswith(stub)
    assert (
        "### BEGIN HIDDEN TESTS\nfrom course_lib.exercises import require\n"
        'require("97.2", double)' in marked["check-97-2"]["source"]
    )
    assert (tmp_path / "nbgrader_config.py").is_file()


def test_otter_cells(tmp_path):
    assignments.write_assignments("otter", tmp_path, ROOT, folder=toy.HERE / "source")
    (path,) = tmp_path.glob("97_grading/*.ipynb")
    text = "\n".join(sources_of(path))
    assert text.count("# BEGIN QUESTION") == text.count("# END QUESTION") == 5
    assert '""" # BEGIN PROMPT\n# Exercise 97.1\ncells = ...\n""" # END PROMPT' in text


def test_every_lesson_can_be_exported(tmp_path):
    for kind in assignments.KINDS:
        written = assignments.write_assignments(kind, tmp_path / kind, ROOT)
        assert {path.stem[:2] for path in written} == set(core.lessons())
    with pytest.raises(ValueError, match="no lesson 42"):
        assignments.write_assignments("otter", tmp_path, ROOT, ("42",))
    with pytest.raises(ValueError, match="no export for 'moodle'"):
        assignments.write_assignments("moodle", tmp_path, ROOT)


def test_require_lets_nothing_pass_but_right(monkeypatch):
    monkeypatch.setattr(
        core,
        "of_lesson",
        lambda _: (
            core.Exercise(
                "97.1",
                "cells",
                core.Judge(6, lambda _, value, mistakes: "" if value == 6 else "no"),
                "yes",
            ),
        ),
    )
    exercises.require("97.1", 6)
    for wrong in (5, ...):
        with pytest.raises(exercises.WrongAnswer):
            exercises.require("97.1", wrong)


def test_a_tool_that_cannot_be_installed_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "ROOT", tmp_path)
    monkeypatch.setitem(peers.PINS, "none", ["no-such-package-of-ours==1"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(peers.Unavailable, match="for none could be made: ERROR: No matching"):
        peers.prepare("none")
    assert peers.command("none") is None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nbgrader_itself_gives_the_points(tmp_path, library):
    prepared("nbgrader")
    assignments.write_assignments("nbgrader", tmp_path, ROOT, folder=toy.HERE / "source")
    run("nbgrader", library, tmp_path, "generate_assignment", "97_grading")
    release = tmp_path / "release" / "97_grading" / "97_grading.ipynb"
    assert "return 2 * x" not in "".join(sources_of(release))
    for student, answers in (("ada", corpus.RIGHT), ("ben", {}), ("cyd", PARTLY)):
        place = tmp_path / "submitted" / student / "97_grading" / "97_grading.ipynb"
        place.parent.mkdir(parents=True)
        shutil.copy(release, place)
        answer(place, answers)
    run("nbgrader", library, tmp_path, "autograde", "97_grading")
    run("nbgrader", library, tmp_path, "export")
    lines = (tmp_path / "grades.csv").read_text().splitlines()
    head = lines[0].split(",")
    scores = {
        line.split(",")[head.index("student_id")]: float(line.split(",")[head.index("score")])
        for line in lines[1:]
    }
    assert scores == {"ada": 8.0, "ben": 0.0, "cyd": 6.0}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_otter_itself_gives_the_points(tmp_path, library):
    prepared("otter")
    assignments.write_assignments("otter", tmp_path, ROOT, folder=toy.HERE / "source")
    place = tmp_path / "97_grading"
    run("otter", library, place, "assign", "97_grading.ipynb", "dist")
    student = place / "dist" / "student" / "97_grading.ipynb"
    assert "return 2 * x" not in "".join(sources_of(student))
    (grader,) = (place / "dist" / "autograder").glob("*.zip")
    for name, answers, expected in (("stub", {}, 0), ("cyd", PARTLY, 6)):
        handed_in = tmp_path / f"{name}.ipynb"
        shutil.copy(student, handed_in)
        answer(handed_in, answers)
        (tmp_path / name).mkdir()
        run("otter", library, tmp_path, "run", "-a", str(grader), str(handed_in), "-o", name)
        tests = json.loads((tmp_path / name / "results.json").read_text())["tests"]
        assert sum(each.get("score") or 0 for each in tests) == expected
