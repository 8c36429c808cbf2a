"""Gradescope's zip and GitHub's workflow, tried in clean folders laid out as these platforms do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
import yaml
from hostile import corpus, toy

from course_lib import cli
from course_lib.instructor.grading import autograders, reports, results, sandbox
from course_lib.instructor.grading.results import Result, Verdict
from course_lib.instructor.grading.roster import CollectError
from course_lib.session import commands, write_atomically

ROOT = Path(__file__).resolve().parents[3]
EVIL = "<img src=x> | a\n\n# **b** `c` [d](e) ::error::f \ud800"
PARTLY = {**corpus.RIGHT, "97.2": corpus.WRONG_2}  # 6 of 8 points
# What Gradescope documents of results.json (autograder specifications, "Output format").
FORMATS = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
RESULTS = {
    "type": "object",
    "anyOf": [{"required": ["score"]}, {"required": ["tests"]}],
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMATS,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number", "minimum": 0},
                    "max_score": {"type": "number", "minimum": 0},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMATS,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMATS,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def source(tmp_path_factory, toy_course):
    """Return the unpacked autograder zip of lesson 97, without the bundled sounds and models."""
    place = tmp_path_factory.mktemp("export")
    (place / "data").mkdir()
    (place / "data" / "README.md").write_text("no sounds here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autograders, "data_path", lambda: place / "data")
        arguments = [
            "--reference",
            str(toy_course[0].references),
            "--exercises",
            str(toy.EXERCISES),
        ]
        command = ["export", "--for", "gradescope", str(place), "--lesson", "97", *arguments]
        assert cli.main(command) == commands.DONE
    with zipfile.ZipFile(place / "autograder.zip") as archive:
        for entry in archive.infolist():
            archive.extract(entry, place / "source")
            (place / "source" / entry.filename).chmod(entry.external_attr >> 16)
    return place / "source"


def surroundings(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return an environment in which `python` is this one, and bubblewrap does not work."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    for each in programs.iterdir():
        each.chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8", **more}


def test_what_is_in_the_zip(source):
    names = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    assert {
        "setup.sh",
        "run_autograder",
        "requirements.txt",
        "course_lib/cli.py",
        "course_lib/exercises/lesson_97.py",
        "notebooks/reference/97_grading.ipynb",
        "notebooks/97_grading.ipynb",
        "data/README.md",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith("seed.txt")]
    assert os.access(source / "run_autograder", os.X_OK) and os.access(source / "setup.sh", os.X_OK)
    pinned = (source / "requirements.txt").read_text().splitlines()
    assert len([line for line in pinned if "==" in line]) == len(pinned)
    assert "nbval==0.11.0" in pinned and any(line.startswith("tensorflow==") for line in pinned)
    assert not [line for line in pinned if line.startswith("jupyterlab")]
    python = ".".join(map(str, sys.version_info[:2]))
    assert f"--python {python} " in (source / "setup.sh").read_text()


@pytest.mark.slow
def test_gradescope(source, tmp_path, toy_course):
    root = tmp_path / "autograder"
    (root / "results").mkdir(parents=True)
    (root / "source").symlink_to(source)
    for name in ("blank.ipynb", "deep/My work.ipynb"):  # both are the one student's
        path = root / "submission" / name
        path.parent.mkdir(exist_ok=True)
        answers = PARTLY if "My" in name else {}
        path.write_text(json.dumps(corpus.notebook(toy_course[1], answers)))
    metadata = {"id": 123456, "users": [{"id": 7, "name": "Ada", "email": "ada@x.org"}]}
    (root / "submission_metadata.json").write_text(json.dumps(metadata))
    env = surroundings(tmp_path, AUTOGRADER_ROOT=str(root), AUTOGRADER_PYTHON=sys.executable)
    subprocess.run([root / "source" / "setup.sh"], env=env, check=True, cwd=tmp_path)
    done = subprocess.run(
        [root / "source" / "run_autograder"],
        env=env,
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = json.loads((root / "results" / "results.json").read_text())
    jsonschema.validate(written, RESULTS)
    assert written["score"] == 6 == sum(each["score"] for each in written["tests"])
    assert [each["number"] for each in written["tests"]] == [f"97.{each}" for each in range(1, 6)]
    assert "The container was the sandbox" in written["output"]


def test_a_lesson_that_is_not_there(tmp_path, capsys):
    command = ["export", "--for", "gradescope", str(tmp_path), "--lesson", "42"]
    assert cli.main(command) == commands.UNUSABLE
    assert "no reference notebook of lesson 42" in capsys.readouterr().err


@pytest.fixture
def workflow(tmp_path, capsys):
    """Return the workflow that is exported."""
    assert cli.main(["export", "--for", "github", str(tmp_path)]) == commands.DONE
    path = tmp_path / ".github" / "workflows" / "grade.yml"
    assert capsys.readouterr().out == f"{path}\n"
    return yaml.safe_load(path.read_text())


def test_the_workflow(workflow, tmp_path):
    (job,) = workflow["jobs"].values()
    handed_in, course, *_ = (step["with"] for step in job["steps"] if "with" in step)
    assert handed_in["path"] == "handed-in/submission_1" and course["path"] == "course"
    assert course["repository"].count("/") == 1 and "@" not in course["ref"]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow[True] == ["push", "workflow_dispatch"]  # YAML reads `on` as true
    assert not [step for step in job["steps"] if "persist-credentials" not in step.get("with", {})
                and "checkout" in step.get("uses", "")]  # fmt: skip
    assert (
        cli.main(["export", "--for", "github", str(tmp_path), "--course", "a/b"]) == commands.DONE
    )
    assert 'repository: "a/b"' in (tmp_path / ".github" / "workflows" / "grade.yml").read_text()
    assert (
        cli.main(["export", "--for", "github", str(tmp_path), "--course", "x"]) == commands.UNUSABLE
    )


@pytest.mark.slow
@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
def test_github(workflow, source, tmp_path, toy_course):
    """Run the steps' own scripts where the checkouts lie; only the installation is left out."""
    place = tmp_path / "runner"
    for name in ("lab/solved.ipynb", "blank.ipynb", "notebooks/README.md"):
        path = place / "handed-in" / "submission_1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        answers = PARTLY if "solved" in name else {}
        path.write_text(json.dumps(corpus.notebook(toy_course[1], answers)))
    (place / "course").symlink_to(source)
    env = surroundings(
        tmp_path,
        PYTHONPATH=str(place / "course"),
        GITHUB_REPOSITORY="class/lab-1-ada",
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
    )
    (tmp_path / "bin" / "bwrap").unlink()
    (job,) = workflow["jobs"].values()
    scripts = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    assert list(scripts) == ["Install", "Grade", "Points"]
    assert 'pip install -q -e "./course[grade]"' in scripts["Install"]

    def run(name: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["bash", "-e", "-c", scripts[name]],
            env={**env, **workflow["env"], **more},
            cwd=place,
            text=True,
            capture_output=True,
            timeout=200,
        )

    assert run("Points").returncode == commands.UNUSABLE  # nothing is graded yet
    done = run("Grade")
    assert done.returncode == 0 and "1 students" in done.stdout, done.stdout + done.stderr
    done = run("Points")
    assert done.returncode == 0, done.stderr
    assert "::notice title=Autograding complete::Points 6/8\n" in done.stdout
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("# 6 of 8 points\n") and "| 97.2 | 0 of 2 | wrong |" in summary
    assert run("Points", PASS_AT="80").returncode == commands.FEWER
    (page,) = (place / "grades" / "students").iterdir()
    assert "lab-1-ada" in page.read_text()


def test_points_of_all_lessons(tmp_path):
    verdicts = (Verdict("1.1", 2.0, 2.0, "right", "well"), Verdict("1.2", 3.0, 0.5, "wrong", EVIL))
    first = Result("k", "x", "01", "01_x.ipynb", "x", 2.5, 5.0, verdicts, ended="It stopped.")
    other = Result(
        "l", "x", "02", "02_x.ipynb", "x", 0.0, 5.0, (Verdict("2.1", 5.0, 0.0, "wrong", ""),)
    )
    write_atomically(tmp_path / "results.csv", reports.table(results.rows([first, other])))
    write_atomically(results.place(tmp_path, "x", "01"), first.to_json())
    write_atomically(results.place(tmp_path, "x", "02"), other.to_json())
    text, notices, percent = autograders.summarize(tmp_path)
    assert percent == 25 and text.startswith("# 2.5 of 10 points\n\n## Lesson 01: 2.5")
    assert notices == (
        "::notice title=Autograding complete::Points 2.5/10\n"
        '::notice title=Autograding report::{"totalPoints":2.5,"maxPoints":10}'
    )
    (line,) = (line for line in text.splitlines() if line.startswith("| 1.2 |"))
    assert line == (
        r"| 1.2 | 0.5 of 3 | wrong | &lt;img src=x&gt; \| a \# \*\*b\*\* \`c\` \[d\](e) "
        r"\:\:error\:\:f ? |"
    )
    assert "- It stopped." in text and "## Lesson 02: 0 of 5" in text


def test_a_lesson_that_was_not_graded_takes_no_points(tmp_path):
    result = Result(
        "k", "x", "01", "01_x.ipynb", "x", 2.0, 2.0, (Verdict("1.1", 2.0, 2.0, "right", ""),)
    )
    write_atomically(tmp_path / "results.csv", reports.table(results.rows([result])))
    text, notices, percent = autograders.summarize(tmp_path)
    assert "Lesson 01 is not graded" in text and percent == 0
    with pytest.raises(CollectError, match="no results.csv"):
        autograders.summarize(tmp_path / "none")
