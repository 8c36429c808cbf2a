"""From one source to two editions: what is kept, what is generated, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.instructor.authoring import SourceError, build, check, read
from course_lib.instructor.authoring.__main__ import main
from course_lib.instructor.authoring.execute import normalized
from course_lib.instructor.authoring.frame import between_markers, module_table
from course_lib.instructor.authoring.solutions import without_markers, without_solutions

ROOT = Path(__file__).resolve().parents[2]
SOURCE = """\
# %% [markdown]
# # A sample
#
# **What is inside a file?** 40 minutes.

# %% setup

# %% [markdown]
# ## Find the root
#
# Some prose.

# %%
print("one")
print("two")

# %% tags=["picture-sample"]
display({"image/png": "iVBORw0KGgo=", "text/plain": "<picture>"}, raw=True)

# %% predict="6.1"
my_guess = ...

# %%
def compare(number, guess, measured):
    print(number, guess, measured)


compare("6.1", my_guess, 8)

# %% exercise="6.2" points=2
# Exercise 6.2
def follow(data):
    ### BEGIN SOLUTION
    return data + 4
    ### END SOLUTION

# %% check="6.2" tags=["nbval-ignore-output"] slide="skip"
print(follow(4))

# %% [markdown]
# ## What you measured
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two lessons made of SOURCE."""
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)
    (folder / "06_sample.py").write_text(SOURCE)
    (folder / "07_next.py").write_text(SOURCE.replace("A sample", "The next"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    package = tmp_path / "course_lib"
    package.mkdir()
    for name in ("__init__.py", "session.py"):
        shutil.copy(ROOT / "course_lib" / name, package)
    (tmp_path / "README.md").write_text("# R\n<!-- lessons -->\nold\n<!-- /lessons -->\nend\n")
    return tmp_path


def _cells(path: Path) -> dict[str, dict]:
    """Return a notebook's cells by their ids."""
    return {cell["id"]: cell for cell in json.loads(path.read_text())["cells"]}


def _source(cell: dict) -> str:
    """Return the source of a cell as one text."""
    return "".join(cell["source"])


def test_student_edition_has_speaking_ids_metadata_and_no_outputs(project: Path) -> None:
    build(student_only=True, root=project)
    cells = _cells(project / "notebooks" / "06_sample.ipynb")
    assert list(cells)[:3] == ["a-sample", "setup", "find-the-root"]
    assert {"predict-6-1", "compare-6-1", "ex-6-2", "check-6-2", "onward"} <= set(cells)
    assert cells["ex-6-2"]["metadata"] == {"exercise": "6.2", "points": 2}
    assert cells["check-6-2"]["metadata"]["tags"] == ["nbval-ignore-output"]
    assert cells["check-6-2"]["metadata"]["slideshow"] == {"slide_type": "skip"}
    assert cells["find-the-root"]["metadata"]["slideshow"] == {"slide_type": "slide"}
    assert _source(cells["ex-6-2"]) == "# Exercise 6.2\ndef follow(data):\n    ..."
    code = [cell for cell in cells.values() if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] is None and cell["outputs"] == [] for cell in code)


def test_neighbours_badge_and_setup_are_generated(project: Path) -> None:
    build(student_only=True, root=project)
    first = _cells(project / "notebooks" / "06_sample.ipynb")
    second = _cells(project / "notebooks" / "07_next.ipynb")
    assert "[07 The next](07_next.ipynb) →" in _source(first["a-sample"])
    assert "← [06 A sample](06_sample.ipynb)" in _source(second["the-next"])
    assert "colab.research.google.com/github/" in _source(first["a-sample"])
    assert "onward" not in second
    assert 'session.start("06")' in _source(first["setup"])
    compile(_source(first["setup"]), "setup", "exec")


def test_readme_gets_the_table_of_lessons(project: Path) -> None:
    build(student_only=True, root=project)
    text = (project / "README.md").read_text()
    assert text.startswith("# R\n<!-- lessons -->\n| lesson |") and text.endswith("end\n")
    assert "| [06 A sample](notebooks/06_sample.ipynb) | 40 | What is inside a file? |" in text


@pytest.mark.slow
def test_building_executes_is_byte_stable_and_checked(project: Path) -> None:
    build(root=project)
    reference = project / "notebooks" / "reference" / "06_sample.ipynb"
    before = reference.read_bytes()
    cells = _cells(reference)
    assert "solved edition" in _source(cells["a-sample"])
    assert "return data + 4" in _source(cells["ex-6-2"])
    assert "".join(cells["check-6-2"]["outputs"][0]["text"]) == "8\n"
    assert (project / "docs" / "sample.png").read_bytes().startswith(b"\x89PNG")
    assert build(root=project) == [] and reference.read_bytes() == before
    assert check(project) == []
    source = project / "notebooks" / "source" / "06_sample.py"
    source.write_text(SOURCE.replace('print("two")', 'print("three")'))
    complaints = check(project)
    assert len(complaints) == 2 and all("06_sample" in complaint for complaint in complaints)


@pytest.mark.slow
def test_a_failing_cell_is_named_and_the_old_edition_stays(project: Path) -> None:
    source = project / "notebooks" / "source" / "06_sample.py"
    source.write_text(SOURCE.replace('print("one")', "1 / 0"))
    with pytest.raises(SourceError, match="06_sample: a cell fails") as caught:
        build(["06"], root=project)
    assert "ZeroDivisionError" in str(caught.value)
    assert not (project / "notebooks" / "reference" / "06_sample.ipynb").exists()


def test_check_names_missing_and_stray_notebooks(project: Path) -> None:
    (project / "notebooks" / "05_old.ipynb").write_text("{}")
    complaints = check(project)
    assert any("05_old.ipynb has no source" in complaint for complaint in complaints)
    assert any("notebooks/06_sample.ipynb is not what" in complaint for complaint in complaints)


def test_a_change_in_one_cell_leaves_the_ids_of_others(project: Path) -> None:
    source = project / "notebooks" / "source" / "06_sample.py"
    before = [cell.id for cell in read(source).cells]
    source.write_text(SOURCE.replace('print("one")\n', ""))
    after = [cell.id for cell in read(source).cells]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# %% setup\n", "", "exactly one '# %% setup'"),
        ("40 minutes", "quick", "how many minutes"),
        ("What is inside a file?", "A file.", "question"),
        ("# Exercise 6.2\n", "", "first line must begin with"),
        ('check="6.2"', 'check="6.3"', "lacks its"),
        ("    ### END SOLUTION\n", "", "marker lacks its other half"),
        ("# # A sample", "# ## A sample", "start with '# Title'"),
        ('slide="skip"', 'slide="nowhere"', "slide='nowhere'"),
        ("points=2", "worth=2", "unknown option 'worth'"),
    ],
)
def test_broken_sources_are_refused_in_a_sentence(
    project: Path, old: str, new: str, said: str
) -> None:
    path = project / "notebooks" / "source" / "06_sample.py"
    assert old in SOURCE
    path.write_text(SOURCE.replace(old, new))
    with pytest.raises(SourceError, match=said.replace("(", r"\(")) as caught:
        read(path)
    assert "06_sample" in str(caught.value)


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


def test_outputs_are_normalized_as_little_as_possible() -> None:
    view = {"text/plain": "<w>", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    outputs = [
        new_output("stream", name="stdout", text="a\n"),
        new_output("stream", name="stdout", text="b\n"),
        new_output("stream", name="stderr", text="c\n"),
        new_output("display_data", data=view),
    ]
    cell = normalized(new_notebook(cells=[new_code_cell("x", outputs=outputs)])).cells[0]
    assert [output.get("text") for output in cell.outputs] == ["a\nb\n", "c\n", None]
    assert cell.outputs[2].data == {"text/plain": "<w>"}


def test_text_without_markers_is_left_alone() -> None:
    assert between_markers("no markers", "lessons", "new") == "no markers"


def test_every_module_says_in_a_line_what_it_does() -> None:
    rows = module_table(ROOT / "course_lib").splitlines()[2:]
    assert len(rows) > 20
    assert all(len(row.split("|")[2].strip()) > 10 for row in rows), rows


def test_command_line_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "98"]) == 1
    assert "There is no lesson 98" in capsys.readouterr().err
    help_text = subprocess.run(
        [sys.executable, "-m", "course_lib.instructor.authoring", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert help_text.returncode == 0 and "build" in help_text.stdout
