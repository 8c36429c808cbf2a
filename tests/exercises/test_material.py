"""A sandbox sees what lessons show and no solution: an honest answer is graded as it is at home."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.exercises import material
from course_lib.instructor.authoring import editions, source
from course_lib.instructor.grading import course, sandbox, submission, trial
from course_lib.instructor.grading.results import Work

ROOT = Path(__file__).resolve().parents[2]
SOURCES = source.sources(ROOT / "notebooks" / "source")

# Each computed from variables that the notebook made before. Lessons 01, 02, 05 and 09 had imported
# solutions; of the others, those whose cells take no time.
HONEST = {
    "1.3": "order = [node.name for node in material.ORCHARD]",
    "1.4": (
        "from course_lib.graph import independent\n"
        "beside = [node.name for node in graph.operations\n"
        "          if independent(graph, node.name, 'temp1')]"
    ),
    "2.2": (
        "kept = compiler.grappler(wasteful, *numbers[:2]).operations\n"
        "remaining = sum(node.operation != 'Identity' for node in kept)"
    ),
    "12.1": (
        "from course_lib.graph.scheduling import schedule\n"
        "tasks = schedule(material.SHARED, 2).tasks\n"
        "plan = [[task.name for task in tasks if task.worker == worker] for worker in (0, 1)]"
    ),
    "5.2": (
        "became = [both['frozen'][name].operation\n"
        "          for kind in ('Placeholder', 'ReadVariableOp') for name in changed\n"
        "          if both['before'][name].operation == kind]"
    ),
    "6.2": "def is_tflite(data):\n    return data[4:8] == shipped[4:8]",
    "8.5": "needed = list(dict.fromkeys(operation.kind for operation in plan.operations))",
    "9.1": (
        "def baseline(labels):\n"
        "    counts = [list(labels).count(place) for place in range(len(words.labels) + 4)]\n"
        "    return max(counts) / len(labels)"
    ),
}


def _imports(text: str) -> list[str]:
    """Return every import statement of some Python, wherever in it, as a line of its own."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]


def test_material_knows_nothing_of_solutions_and_judges():
    lines = _imports(Path(material.__file__).read_text(encoding="utf-8"))
    assert not [line for line in lines if "exercises" in line or "instructor" in line]


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """Return a folder with what the grader's sandbox sees of course_lib."""
    return course.make_view(tmp_path_factory.mktemp("view"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_import_of_a_lesson_works_in_a_sandbox(view, path):
    lines = [
        line
        for cell in source.read(path).cells
        if cell.kind == "code"
        for line in _imports(cell.text)
    ]
    assert any("course_lib.exercises" in line for line in lines)
    assert not [line for line in lines if "lesson_" in line or "EXERCISES" in line]
    seen = "import course_lib\nassert course_lib.__file__.startswith(VIEW), course_lib.__file__"
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([f"VIEW = {str(view)!r}", *lines, seen])],
        cwd=view,
        env={**os.environ, "PYTHONPATH": str(view), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    """Return the course as its sources have it now, and each lesson's student edition."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "reference").mkdir()
    facts = editions.read_project(ROOT)
    lessons = [source.read(path) for path in SOURCES]
    for path, lesson in zip(SOURCES, lessons, strict=True):
        for solved, place in ((True, folder / "reference"), (False, folder)):
            written = editions.serialized(editions.edition(lesson, lessons, facts, solved))
            (place / f"{path.stem}.ipynb").write_text(written, encoding="utf-8")
    students = {path.name[:2]: json.loads(path.read_text()) for path in folder.glob("*.ipynb")}
    return course.Course(folder / "reference"), students


@pytest.mark.slow
@pytest.mark.skipif(not sandbox.bubblewrap_works(), reason="bubblewrap does not work here")
@pytest.mark.parametrize("lesson", sorted({f"{int(name.split('.')[0]):02}" for name in HONEST}))
def test_an_answer_computed_from_the_notebook_gets_its_points(handed_out, lesson):
    graded, students = handed_out
    for cell in students[lesson]["cells"]:
        identifier = cell["metadata"].get("exercise")
        if identifier in HONEST:
            cell["source"] = f"# Exercise {identifier}\n{HONEST[identifier]}"
    cells = submission.read_cells(json.dumps(students[lesson]).encode())
    answers = submission.find_answers(cells, graded.lessons[lesson])
    work = Work("ada", lesson, "ada.ipynb", dict(answers.texts))
    result = trial.grade(work, trial.Settings(graded, "a seed"))
    verdicts = {verdict.id: verdict for verdict in result.exercises}
    for identifier in HONEST:
        if identifier in verdicts:
            assert verdicts[identifier].state == "right", (verdicts[identifier], result.ended)
