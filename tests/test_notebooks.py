"""Every notebook runs under strict nbval, and is what a student and an autograder can rely on."""

from __future__ import annotations

import ast
import copy
import json
import re
import shutil
import statistics
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from seeds import TURN

from course_lib.exercises import core
from course_lib.instructor import authoring
from course_lib.instructor.authoring import prose
from course_lib.instructor.authoring.source import BEGIN, END, Lesson
from tools import clean_copy, nbval

ROOT = Path(__file__).resolve().parents[1]
STUDENT = sorted((ROOT / "notebooks").glob("*.ipynb"))
REFERENCE = sorted((ROOT / "notebooks" / "reference").glob("*.ipynb"))
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
LESSONS = authoring.lessons()
LONGEST = "03_a_keyword_spotter"  # it trains for a minute
SLOWEST_FIRST = sorted(STUDENT, key=lambda path: path.stem != LONGEST)

by_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy without a conftest.py, a sanitize file or a pytest configuration in reach."""
    folder = tmp_path_factory.mktemp("clone")
    clean_copy.clone(folder)
    return folder


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", SLOWEST_FIRST, ids=lambda path: path.stem)
def test_runs_under_strict_nbval(path: Path, clone: Path) -> None:
    """Both editions pass, the second beside what the first left behind.

    How long their cells take depends on the machine: `make bench ARGS=lessons` tells.
    """
    student = clone / "notebooks" / path.name
    reference = student.parent / "reference" / path.name
    _passes(student)
    if (left := student.parent / "work").is_dir():
        shutil.copytree(left, reference.parent / "work", dirs_exist_ok=True)
    plugin = ("-p", "course_lib.instructor.authoring.plugin")  # what its prose claims holds, too
    _passes(reference, *plugin, environ={"PYTHONPATH": str(clone)})


def _passes(notebook: Path, *options: str, **how: dict) -> None:
    """Run one notebook as an autograder does."""
    run = nbval.run(notebook.parent, [notebook], *options, **how, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


@pytest.mark.skipif(not TURN, reason="WORKBOOK_LONG=1 runs every cell twice")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_every_cell_can_be_run_twice(path: Path, clone: Path, monkeypatch) -> None:
    """No cell needs to be the first to run, and no verdict changes."""
    notebook = nbformat.read(path, 4)
    once = [cell for cell in notebook.cells if cell.cell_type == "code"]
    again = [copy.deepcopy(cell) for cell in once]
    notebook.cells = [cell for pair in zip(once, again, strict=True) for cell in pair]
    for place, cell in enumerate(notebook.cells):
        cell.id = f"cell-{place}"
    monkeypatch.setenv("PYTHONPATH", str(clone))
    place = {"metadata": {"path": str(clone / "notebooks" / "reference")}}
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources=place).execute()
    for first, second in zip(once, again, strict=True):
        if first.source.startswith("check("):
            assert _told(first) == _told(second) != [], first.source


def _told(cell: nbformat.NotebookNode) -> list[str]:
    """Return what a cell displayed, as plain text."""
    return [output.data["text/plain"] for output in cell.outputs if "data" in output]


def test_committed_equals_built() -> None:
    assert authoring.check() == []


@pytest.mark.parametrize("path", STUDENT, ids=lambda path: path.stem)
def test_student_edition_is_untouched_and_without_solutions(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    cells = _code(path)
    opens = ["opens" in _tags(cell) for cell in cells]
    assert [bool(cell["outputs"]) for cell in cells] == opens
    assert [cell["execution_count"] is not None for cell in cells] == opens
    assert BEGIN not in text and END not in text
    source = (ROOT / "notebooks" / "source" / f"{path.stem}.py").read_text(encoding="utf-8")
    given = "\n".join("".join(cell["source"]) for cell in cells)
    for solution in source.split(BEGIN)[1:]:
        lines = (line.strip() for line in solution.split(END)[0].splitlines())
        leaked = [line for line in lines if len(line) > 12 and line in given]
        assert not leaked, leaked


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_reference_edition_is_run_solved_and_says_so(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert "solved edition" in "".join(notebook["cells"][0]["source"])
    counts = [cell["execution_count"] for cell in _code(path)]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [output for cell in _code(path) for output in cell["outputs"]]
    assert all(output["output_type"] != "error" for output in outputs)
    assert not [output for output in outputs if output.get("name") == "stderr"]
    checked = [cell for cell in _code(path) if "check" in cell["metadata"]]
    assert all(" right: " in _text(cell) for cell in checked)


@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_no_number_in_prose_is_without_ground(path: Path) -> None:
    """Each is printed by a cell, claimed and evaluated, or given as a definition."""
    assert prose.missing(nbformat.read(path, 4)) == []


@pytest.mark.parametrize("path", STUDENT + DOCUMENTS, ids=lambda path: path.stem)
def test_a_power_in_prose_is_not_read_as_bold(path: Path) -> None:
    """Markdown hides the stars of 2**a / 2**b and prints what is between them in bold."""
    texts = [path.read_text(encoding="utf-8")]
    if path.suffix == ".ipynb":
        texts = [c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown"]
    for text in texts:
        plain = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)
        assert not re.search(r"\w\*{1,2}\w.*\w\*{1,2}\w", plain), text


def test_at_least_half_of_the_reference_cells_are_compared() -> None:
    cells = [cell for path in REFERENCE for cell in _code(path)]
    compared = [cell for cell in cells if _is_compared(cell)]
    assert len(compared) >= len(cells) / 2, f"{len(compared)} of {len(cells)}"


def test_few_cells_are_left_out_of_the_comparison() -> None:
    cells = [cell for path in REFERENCE for cell in _code(path)]
    ignored = [c for c in cells if "nbval-ignore-output" in c["metadata"].get("tags", [])]
    assert len(ignored) <= 0.05 * len(cells)
    assert not [c for c in cells if {"raises-exception", "nbval-skip"} & set(_tags(c))]


@by_lesson
def test_lesson_keeps_the_rhythm(lesson) -> None:
    """Few cells and minutes, short cells, something to do in between, code that fits a screen."""
    markdown = [cell for cell in lesson.cells if cell.kind == "markdown"]
    code = [cell for cell in lesson.cells if cell.kind == "code"]
    assert 15 <= len(lesson.cells) < 60, len(lesson.cells)  # one more says what comes next
    assert lesson.minutes <= 45
    assert _longest_row(lesson) <= 6
    assert statistics.median(len(cell.text.split()) for cell in markdown) <= 45
    assert statistics.median(len(cell.text.splitlines()) for cell in code) <= 8
    too_long = [line for cell in code for line in cell.text.splitlines() if len(line) > 79]
    assert not too_long, too_long
    assert any("What you measured" in cell.text for cell in markdown[-4:])


def _longest_row(lesson: Lesson) -> int:
    """Return how many cells of code follow each other with nothing to guess, write or move."""
    row = longest = 0
    for cell in lesson.cells:
        active = cell.exercise or cell.check or cell.id.startswith("predict-")
        if cell.kind == "code":
            moved = ".show(" in cell.text or ".play(" in cell.text
            row = 0 if active or moved else row + 1
        longest = max(longest, row)
    return longest


@by_lesson
def test_lesson_and_library_have_the_same_exercises(lesson) -> None:
    """Two or more, and no later cell uses what a student wrote."""
    asked = {cell.exercise for cell in lesson.cells if cell.exercise}
    assert asked == {exercise.id for exercise in core.of_lesson(lesson.number)}
    assert len(asked) >= 2


@by_lesson
def test_lesson_only_runs_what_it_shows(lesson) -> None:
    """Code cells parse, import nothing with a star, and hide no value with a semicolon.

    Colab's IPython shows a value behind a semicolon where a string runs over several lines.
    """
    for cell in lesson.cells:
        if cell.kind != "code":
            continue
        assert not cell.text.rstrip().endswith(";"), cell.text
        lines = [line for line in cell.text.splitlines() if not line.startswith(("%", "!"))]
        for node in ast.walk(ast.parse("\n".join(lines))):
            assert not (isinstance(node, ast.ImportFrom) and node.names[0].name == "*")


@pytest.mark.parametrize("path", STUDENT + REFERENCE, ids=lambda path: path.stem)
def test_pictures_and_links_are_as_promised(path: Path) -> None:
    """Links lead to notebooks that are there; nothing names a folder of one machine."""
    text = path.read_text(encoding="utf-8")
    assert str(ROOT) not in text and "/home/" not in text and "/tmp/" not in text
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        for target in source.split("](")[1:]:
            target = target.split(")")[0]
            if target.endswith(".ipynb") and "://" not in target:
                assert (path.parent / target).is_file(), target


def test_reference_edition_is_byte_stable(tmp_path: Path) -> None:
    """Building a cheap lesson again gives the committed file, but for the bytes of pictures."""
    path = ROOT / "notebooks" / "reference" / "00_start_here.ipynb"
    clean_copy.clone(tmp_path)
    for name in ("pyproject.toml", "notebooks/source"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        clean_copy.link(tmp_path / name, ROOT / name)
    authoring.build(["00"], root=tmp_path, jobs=1)
    built = tmp_path / "notebooks" / "reference" / path.name
    assert _without_images(built) == _without_images(path)


def _code(path: Path) -> list[dict]:
    """Return the code cells of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _tags(cell: dict) -> list[str]:
    """Return the tags of a cell."""
    return cell["metadata"].get("tags", [])


def _text(cell: dict) -> str:
    """Return what a cell printed, or shows as plain text."""
    shown = (
        each.get("text") or each.get("data", {}).get("text/plain", "") for each in cell["outputs"]
    )
    return "".join(map("".join, shown))


def _is_compared(cell: dict) -> bool:
    """Tell whether strict nbval holds a cell's output against something."""
    return bool(cell["outputs"]) and "nbval-ignore-output" not in _tags(cell)


def _without_images(path: Path) -> dict:
    """Return a notebook less the bytes of its pictures, which depend on matplotlib's version."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("image/png", None)
    return notebook
