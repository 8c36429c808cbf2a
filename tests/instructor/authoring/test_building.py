"""What is written, executed and checked; and the pictures that documents show."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_lib.instructor.authoring import SourceError, build, building, check
from course_lib.instructor.authoring.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
PNG = b"\x89PNG\r\n\x1a\n and the rest"


@pytest.mark.parametrize("numbers", [(), ("06",)])
def test_readme_gets_the_table_of_lessons(project: Path, numbers: tuple) -> None:
    """Also where one lesson alone is built: its title, its words, its minutes stand there."""
    build(numbers, execute=False, root=project)
    text = (project / "README.md").read_text()
    assert text.startswith("# R\n<!-- lessons -->\n| lesson |") and text.endswith("end\n")
    assert "| [06 A sample](notebooks/06_sample.ipynb) | 10 | What is inside a file? |" in text


@pytest.mark.slow
def test_building_executes_is_byte_stable_and_checked(project: Path, sample: Path) -> None:
    build(root=project)
    reference = project / "notebooks" / "reference" / "06_sample.ipynb"
    before = reference.read_bytes()
    cells = {cell["id"]: cell for cell in json.loads(before)["cells"]}
    assert "solved edition" in "".join(cells["a-sample"]["source"])
    assert "return data + 4" in "".join(cells["ex-6-2"]["source"])
    assert "".join(cells["check-6-2"]["outputs"][0]["text"]) == "8\n"
    assert (project / "docs" / "sample.png").read_bytes().startswith(b"\x89PNG")
    assert build(root=project) == [] and reference.read_bytes() == before
    assert check(project) == []
    sample.write_text(sample.read_text().replace('print("two")', 'print("three")'))
    complaints = check(project)
    assert len(complaints) == 2 and all("06_sample" in complaint for complaint in complaints)


@pytest.mark.slow
def test_new_prose_needs_no_run_and_new_code_does(project: Path, sample: Path) -> None:
    """What a run gave stays beside the new words; a cell that changed would show another's."""
    build(root=project)
    path = project / "notebooks" / "reference" / "06_sample.ipynb"
    ran = nbformat.read(path, 4)
    sample.write_text(sample.read_text().replace("A sample", "An example"))
    facts = project / "pyproject.toml"
    facts.write_text(facts.read_text().replace("https://github.com/", "https://github.com/new-"))
    build(execute=False, root=project)
    told = nbformat.read(path, 4)
    assert "An example" in told.cells[0].source and "github.com/new-" in told.cells[1].source
    assert [cell.get("outputs") for cell in told.cells] == [c.get("outputs") for c in ran.cells]
    assert check(project) == []
    before = path.read_bytes()
    sample.write_text(sample.read_text().replace('print("two")', 'print("three")'))
    build(execute=False, root=project)
    assert path.read_bytes() == before and any("another source" in each for each in check(project))


@pytest.mark.slow
def test_a_student_sees_what_a_lesson_opens_with(project: Path, sample: Path) -> None:
    """And nothing else that the reference edition shows."""
    opening = '# %% tags=["opens"]\n7 + 1'
    text = sample.read_text()
    sample.write_text(text.replace('# %%\nprint("one")\nprint("two")', opening))
    build(["06"], root=project)
    cells = json.loads((project / "notebooks" / "06_sample.ipynb").read_text())["cells"]
    shown = [cell["outputs"] for cell in cells if cell.get("outputs")]
    assert [output["data"]["text/plain"] for output in shown[0]] == [["8"]]
    assert len(shown) == 1
    assert [cell["execution_count"] for cell in cells if cell.get("execution_count")] == [2]
    before = (project / "notebooks" / "06_sample.ipynb").read_bytes()
    build(execute=False, root=project)
    assert (project / "notebooks" / "06_sample.ipynb").read_bytes() == before


@pytest.mark.slow
def test_a_failing_cell_is_named_and_the_old_edition_stays(project: Path, sample: Path) -> None:
    sample.write_text(sample.read_text().replace('print("one")', "1 / 0"))
    with pytest.raises(SourceError, match="06_sample: a cell fails") as caught:
        build(["06"], root=project)
    assert "ZeroDivisionError" in str(caught.value)
    assert not (project / "notebooks" / "reference" / "06_sample.ipynb").exists()


def test_check_names_missing_and_stray_notebooks(project: Path) -> None:
    (project / "notebooks" / "05_old.ipynb").write_text("{}")
    complaints = check(project)
    assert any("05_old.ipynb has no source" in complaint for complaint in complaints)
    assert any("notebooks/06_sample.ipynb is not what" in complaint for complaint in complaints)


def test_outputs_are_normalized_as_little_as_possible() -> None:
    view = {"text/plain": "<w>", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    outputs = [
        new_output("stream", name="stdout", text="a\n"),
        new_output("stream", name="stdout", text="b\n"),
        new_output("stream", name="stderr", text="c\n"),
        new_output("display_data", data=view),
    ]
    cell = building.normalized(new_notebook(cells=[new_code_cell("x", outputs=outputs)])).cells[0]
    assert [output.get("text") for output in cell.outputs] == ["a\nb\n", "c\n", None]
    assert cell.outputs[2].data == {"text/plain": "<w>"}


def test_text_without_markers_is_left_alone() -> None:
    assert building.between_markers("no markers", "lessons", "new") == "no markers"


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


def _notebook(data: dict, tag: str = "picture-dashboard") -> str:
    output = new_output("display_data", data=data)
    cell = new_code_cell("show()", outputs=[output], metadata={"tags": [tag]})
    return nbformat.writes(new_notebook(cells=[cell]))


def test_the_picture_of_a_tagged_cell_is_written(tmp_path: Path) -> None:
    text = _notebook({"image/png": base64.b64encode(PNG).decode(), "text/plain": "<picture>"})
    building.write_pictures(text, tmp_path)
    assert (tmp_path / "dashboard.png").read_bytes() == PNG


def test_other_cells_give_no_picture(tmp_path: Path) -> None:
    text = _notebook({"image/png": base64.b64encode(PNG).decode()}, tag="nbval-ignore-output")
    building.write_pictures(text, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_tagged_cell_without_a_picture_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="picture-dashboard shows no picture"):
        list(building.pictures(_notebook({"text/plain": "7"})))
