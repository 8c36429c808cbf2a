"""Answers are found however a notebook was saved, and what is ignored is noted."""

from __future__ import annotations

import json

import pytest
from hostile import corpus

from course_lib.instructor.grading import submission


def cells_of(tree: dict) -> tuple[submission.Cell, ...]:
    return submission.read_cells(json.dumps(tree).encode())


def answers_in(tree: dict, lesson) -> dict[str, str]:
    """Return the found answers without their first lines."""
    found = submission.find_answers(cells_of(tree), lesson)
    return {name: text.split("\n", 1)[1] for name, text in found.texts.items() if "\n" in text}


def _no_ids(tree):
    for cell in tree["cells"]:
        cell.pop("id")
    tree["nbformat_minor"] = 0


def _colab(tree):
    _no_ids(tree)
    for number, cell in enumerate(tree["cells"]):
        cell["metadata"] = {"id": f"x{number}"}


def _moved_ids(tree):
    for cell in tree["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}


def _version_3(tree):
    cells = [
        {
            "cell_type": cell["cell_type"],
            "metadata": {},
            "input" if cell["cell_type"] == "code" else "source": cell["source"].splitlines(True),
        }
        for cell in tree.pop("cells")
    ]
    tree |= {"worksheets": [{"cells": cells}], "nbformat": 3, "nbformat_minor": 0}


def _vs_code(tree):
    for cell in tree["cells"]:
        cell["source"] = cell["source"].splitlines(True)
        cell["metadata"] = {**cell["metadata"], "vscode": {"languageId": "python"}}


def _windows(tree):
    for cell in tree["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def _merged(tree):
    answers = [cell for cell in tree["cells"] if "exercise" in cell["metadata"]]
    tree["cells"] = [cell for cell in tree["cells"] if cell not in answers[1:]]
    answers[0]["source"] = "\n\n".join(cell["source"] for cell in answers)


def _reordered(tree):
    tree["cells"].reverse()


def _checks_removed(tree):
    tree["cells"] = [cell for cell in tree["cells"] if "check" not in cell["metadata"]]


def _first_lines_gone(tree):
    for cell in tree["cells"]:
        if "exercise" in cell["metadata"]:
            cell["source"] = "\n" + cell["source"].split("\n", 1)[1]


def _remarks_after_first_lines(tree):
    _no_ids(tree)
    for cell in tree["cells"]:
        if "exercise" in cell["metadata"]:
            first, rest = cell["source"].split("\n", 1)
            cell["source"] = f'{first} (stuck? `hint("97.1")` helps)\n{rest}'


def _answered_in_a_copy(tree):
    stub = json.loads(json.dumps(tree))
    for cell in stub["cells"]:
        if cell["metadata"].get("exercise") == "97.2":
            copied = dict(cell, id="fresh", metadata={})
            cell["source"] = "# Exercise 97.2\ndef double(x):\n    ..."
            stub["cells"].append(copied)
    tree["cells"] = stub["cells"]


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: None,
        _no_ids,
        _colab,
        _moved_ids,
        _version_3,
        _vs_code,
        _windows,
        _merged,
        _reordered,
        _checks_removed,
        _first_lines_gone,
        _answered_in_a_copy,
        _remarks_after_first_lines,
    ],
)
def test_answers_are_found_however_the_notebook_was_saved(toy_course, lesson, change):
    tree = corpus.notebook(toy_course[1], corpus.RIGHT)
    change(tree)
    found = {name: text.strip() for name, text in answers_in(tree, lesson).items()}
    assert found == corpus.RIGHT
    assert submission.lesson_of(cells_of(tree), "homework.ipynb", {"97": lesson}) == "97"


def test_utf_16_and_a_byte_order_mark(toy_course, lesson):
    tree = corpus.notebook(toy_course[1], corpus.RIGHT)
    for encoding in ("utf-16", "utf-8-sig"):
        cells = submission.read_cells(json.dumps(tree, ensure_ascii=False).encode(encoding))
        assert len(submission.find_answers(cells, lesson).texts) == 5


def notes_on(tree, lesson):
    return " ".join(submission.find_answers(cells_of(tree), lesson).notes)


def test_what_is_ignored_is_noted(toy_course, lesson):
    student = toy_course[1]
    assert notes_on(student, lesson) == ""
    tree = corpus.notebook(student, corpus.RIGHT)
    assert notes_on(tree, lesson) == ""
    tree["cells"].insert(3, {"cell_type": "code", "id": "mine", "metadata": {}, "source": "x = 1"})
    tree["cells"][2]["source"] += "\ntable = None"
    assert "1 added cells run where they stand" in notes_on(tree, lesson)
    assert "1 cells of the course were changed" in notes_on(tree, lesson)
    tree["cells"].pop(2)
    assert "1 removed cells were put back" in notes_on(tree, lesson)
    _reordered(tree)
    assert "another order" in notes_on(tree, lesson)
    _no_ids(tree)
    assert "recognised by their texts" in notes_on(tree, lesson)
    tree = corpus.notebook(student, {})
    tree["cells"] = [cell for cell in tree["cells"] if cell["metadata"].get("exercise") != "97.4"]
    assert "The answer cell of 97.4 is missing." in notes_on(tree, lesson)
    tree = corpus.notebook(student, corpus.RIGHT)
    tree["cells"].append(
        {
            "cell_type": "code",
            "id": "n",
            "metadata": {},
            "source": "# Exercise 97.2\n" + corpus.WRONG_2,
        }
    )
    assert "97.2 is answered in 2 cells" in notes_on(tree, lesson)


def test_a_notebook_of_another_course(lesson):
    cells = cells_of({"cells": [{"cell_type": "code", "source": "# Exercise 98.1\nx = 1"}]})
    assert submission.lesson_of(cells, "thesis.ipynb", {"97": lesson}) is None
    assert submission.lesson_of((), "anna_97_grading.ipynb", {"97": lesson}) == "97"
