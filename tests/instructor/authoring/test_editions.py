"""From one source to two editions: what is kept, and what is generated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from course_lib.instructor.authoring import build
from course_lib.instructor.authoring.editions import without_markers, without_solutions


def _cells(path: Path) -> dict[str, dict]:
    """Return a notebook's cells by their ids."""
    return {cell["id"]: cell for cell in json.loads(path.read_text())["cells"]}


def _source(cell: dict) -> str:
    """Return the source of a cell as one text."""
    return "".join(cell["source"])


def test_student_edition_has_speaking_ids_metadata_and_no_outputs(project: Path) -> None:
    build(execute=False, root=project)
    cells = _cells(project / "notebooks" / "06_sample.ipynb")
    assert list(cells)[:3] == ["a-sample", "setup", "find-the-root"]
    assert {"predict-6-1", "compare-6-1", "ex-6-2", "check-6-2", "onward"} <= set(cells)
    asked = {"exercise": "6.2", "points": 2, "slideshow": {"slide_type": "subslide"}}
    assert cells["ex-6-2"]["metadata"] == asked
    assert cells["check-6-2"]["metadata"]["tags"] == ["nbval-ignore-output"]
    assert cells["check-6-2"]["metadata"]["slideshow"] == {"slide_type": "skip"}
    assert cells["find-the-root"]["metadata"]["slideshow"] == {"slide_type": "slide"}
    assert _source(cells["ex-6-2"]) == "# Exercise 6.2\ndef follow(data):\n    ..."
    code = [cell for cell in cells.values() if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] is None and cell["outputs"] == [] for cell in code)


def test_neighbours_badge_and_setup_are_generated(project: Path) -> None:
    build(execute=False, root=project)
    first = _cells(project / "notebooks" / "06_sample.ipynb")
    second = _cells(project / "notebooks" / "07_next.ipynb")
    assert "[07 The next](07_next.ipynb) →" in _source(first["a-sample"])
    assert "← [06 A sample](06_sample.ipynb)" in _source(second["the-next"])
    assert "colab.research.google.com/github/" in _source(first["a-sample"])
    assert "onward" not in second
    assert "**What is inside a file?** 10 minutes." in _source(first["a-sample"])
    assert 'session.start("06")' in _source(first["setup"])
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}}  # in Colab, in JupyterLab
    assert folded.items() <= first["setup"]["metadata"].items()
    compile(_source(first["setup"]), "setup", "exec")


def test_what_goes_further_stands_in_its_chapter_and_off_the_way(project: Path) -> None:
    source = project / "notebooks" / "source"
    text = (source / "06_sample.py").read_text().replace("# # A sample", "# # More")
    (source / "16_more.py").write_text(
        text.replace('"6.', '"16.').replace("Exercise 6", "Exercise 16")
    )
    build(execute=False, root=project)
    core, further, after = (
        _cells(project / "notebooks" / f"{name}.ipynb")
        for name in ("06_sample", "16_more", "07_next")
    )
    assert "[07 The next](07_next.ipynb) →" in _source(core["a-sample"])
    assert _source(core["onward"]).splitlines()[0].startswith("Next: [07 The next]")
    assert "Further, if you like: [16 More](16_more.ipynb)" in _source(core["onward"])
    assert "*further than* [06 A sample](06_sample.ipynb)" in _source(further["more"])
    assert _source(further["onward"]).startswith("Next: [07 The next]")
    assert "← [06 A sample](06_sample.ipynb)" in _source(after["the-next"])
    table = (project / "README.md").read_text() if (project / "README.md").exists() else ""
    assert not table or table.index("06_sample") < table.index("*further:* [16 More]")


@pytest.mark.parametrize(
    ("given", "needed", "left"),
    [
        ("a\n    ### BEGIN SOLUTION\n    x\n    y\n    ### END SOLUTION\nb", "", "a\n    ...\nb"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "check('1', x)", "x = ..."),
        ("### BEGIN SOLUTION\nh = 1\nx = h\n### END SOLUTION", "check('1', x)", "x = ..."),
        ("### BEGIN SOLUTION\na, b = 1, 2\n### END SOLUTION", "f(a, b)", "a = ...\nb = ..."),
        (
            "### BEGIN SOLUTION\ndef f(a, b=2):\n    return a\n### END SOLUTION",
            "check('1', f)",
            "def f(a, b=2):\n    ...",
        ),
        ("### BEGIN SOLUTION\nprint(1)\n### END SOLUTION", "check('1', x)", "..."),
    ],
)
def test_solutions_become_what_a_student_starts_from(given: str, needed: str, left: str) -> None:
    assert without_solutions(given, needed) == left
    assert "SOLUTION" not in without_markers(given)


def test_worked_solutions_are_written_where_the_exercises_lie(project: Path) -> None:
    shutil.rmtree(project / "course_lib" / "exercises")
    build(execute=False, root=project)
    assert not list(project.rglob("worked.json"))
    (project / "course_lib" / "exercises").mkdir()
    build(execute=False, root=project)
    worked = json.loads((project / "course_lib" / "exercises" / "worked.json").read_text())
    assert worked["6.2"] == "def follow(data):\n    return data + 4"
