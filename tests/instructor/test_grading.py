"""From what was handed in to points and reports; the hostile ones have a file of their own."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hostile import corpus, toy

from course_lib import cli
from course_lib.exercises.answers import Raised
from course_lib.instructor.grading import (
    assemble,
    campaign,
    collect,
    command,
    course,
    extract,
    judge,
    notebook,
    one,
    pages,
    reports,
    roster,
    sandbox,
)
from course_lib.instructor.grading.inside import values

ROOT = Path(__file__).resolve().parents[2]
needs_bubblewrap = pytest.mark.skipif(
    not sandbox.bubblewrap_works(), reason="bubblewrap does not work here"
)

# one at a time with the other tests of grading, which look for processes that were left


@pytest.fixture(scope="module")
def toy_course(tmp_path_factory):
    """Return the course with lesson 97, and its student edition."""
    reference, student = toy.build(tmp_path_factory.mktemp("course"))
    made = course.Course(reference, toy.EXERCISES)
    assert list(made.lessons) == ["97"]
    return made, student


@pytest.fixture(scope="module")
def lesson(toy_course):
    return toy_course[0].lessons["97"]


def cells_of(tree: dict) -> tuple[notebook.Cell, ...]:
    return notebook.cells(json.dumps(tree).encode())


def answers_in(tree: dict, lesson) -> dict[str, str]:
    """Return the found answers without their first lines."""
    found = extract.answers(cells_of(tree), lesson)
    return {name: text.split("\n", 1)[1] for name, text in found.texts.items() if "\n" in text}


# --- values that travel -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -3,
        1 << 60_000,
        0.1,
        float("inf"),
        1 + 2j,
        "",
        "a\ud800",
        b"\x00\xff",
        [],
        [1, (2, "x"), {"a": None, 3: b"4"}],
        (),
        ...,
        Raised("ValueError", "no"),
        np.arange(6, dtype=np.int8).reshape(2, 3),
        np.array([], np.float32),
        np.array(["a", "bc"]),
        np.array([[True]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_travel_unchanged(value):
    back = values.read(values.written(value))
    assert type(back) is type(value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype and back.shape == value.shape
        assert (back == value).all()
    else:
        assert back == value


def test_nan_travels():
    assert str(values.read(values.written(float("nan")))) == "nan"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "5",
        '{"i": 5}',
        '{"i": "zz"}',
        '{"l": 5}',
        '{"q": 1}',
        '{"i": "0x1", "f": "0x1"}',
        '{"a": ["|O8", [1], "AAAAAAAAAAA="]}',
        '{"a": ["<f4", [2], "AAAA"]}',
        '{"a": ["<V4", [1], ""]}',
        '{"a": ["<f4", [-1], ""]}',
        '{"b": "?"}',
        '{"d": [[{"l": []}, 1]]}',
        '{"f": "x"}',
        '{"d": [1]}',
        '{"l": [' * 100 + "]}" * 100,
        "[" * 100_000,
        '{"i": "0x' + "f" * 20_000 + '"}',
        '{"a": [5]}',
        '{"a": ["<U99999999999", [1], ""]}',
        '{"c": ["0x1"]}',
        '{"t": {"x": 0}}',
    ],
)
def test_what_is_no_value_is_refused(text):
    with pytest.raises(values.ValuesError):
        values.read(text)


def test_values_of_other_kinds_are_not_written():
    for value in (object(), np.array([object()]), 1 << 70_000, {1: object()}, {"a"}):
        with pytest.raises(values.ValuesError):
            values.written(value)


# --- finding answers --------------------------------------------------------------------------


def test_questions_of_a_reference(lesson):
    assert [each.id for each in lesson.questions] == list(corpus.RIGHT)
    assert [each.points for each in lesson.questions] == list(corpus.POINTS.values())
    assert lesson.questions[1].expression == "double" and lesson.questions[0].cell == "ex-97-1"
    assert lesson.questions[1].stub == "# Exercise 97.2\ndef double(x):\n    ..."


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
    assert extract.lesson_of(cells_of(tree), "homework.ipynb", {"97": lesson}) == "97"


def test_utf_16_and_a_byte_order_mark(toy_course, lesson):
    tree = corpus.notebook(toy_course[1], corpus.RIGHT)
    for encoding in ("utf-16", "utf-8-sig"):
        cells = notebook.cells(json.dumps(tree, ensure_ascii=False).encode(encoding))
        assert len(extract.answers(cells, lesson).texts) == 5


def notes_on(tree, lesson):
    return " ".join(extract.answers(cells_of(tree), lesson).notes)


def test_what_is_ignored_is_noted(toy_course, lesson):
    student = toy_course[1]
    assert notes_on(student, lesson) == ""
    tree = corpus.notebook(student, corpus.RIGHT)
    assert notes_on(tree, lesson) == ""
    tree["cells"].insert(3, {"cell_type": "code", "id": "mine", "metadata": {}, "source": "x = 1"})
    tree["cells"][2]["source"] += "\ntable = None"
    assert "1 added cells" in notes_on(tree, lesson)
    assert "Changes to 1 cells were ignored" in notes_on(tree, lesson)
    tree["cells"].pop(2)
    assert "1 removed cells were put back" in notes_on(tree, lesson)
    _reordered(tree)
    assert "another order" in notes_on(tree, lesson)
    _no_ids(tree)
    assert "found by its first line" in notes_on(tree, lesson)
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
    assert "97.2 has 2 different answers: the first one counts" in notes_on(tree, lesson)


def test_a_notebook_of_another_course(lesson):
    cells = cells_of({"cells": [{"cell_type": "code", "source": "# Exercise 98.1\nx = 1"}]})
    assert extract.lesson_of(cells, "thesis.ipynb", {"97": lesson}) is None
    assert extract.lesson_of((), "anna_97_grading.ipynb", {"97": lesson}) == "97"


# --- laying in --------------------------------------------------------------------------------


def _kept(lesson, answers):
    tree = json.loads(assemble.assembled(lesson, answers))
    return [
        cell["id"]
        for cell in tree["cells"]
        if cell["cell_type"] == "code" and "nbval-skip" not in cell["metadata"]["tags"]
    ]


def test_only_what_an_answer_depends_on_is_run(lesson):
    table = next(cell["id"] for cell in lesson.cells if "table =" in assemble._text(cell))
    assert _kept(lesson, {"97.1": "cells = table.size"}) == ["setup", table, "ex-97-1"]
    assert _kept(lesson, {"97.5": "order = []"}) == ["setup", "ex-97-5"]
    assert table in _kept(lesson, {"97.5": "order = eval('table')"})
    assert table in _kept(lesson, {"97.5": "def order(:"})
    everything = json.loads(assemble.assembled(lesson, {}, everything=True))
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
    found = assemble.needed_cells(reference, {"1.1": answer})
    if answer == "a = y":
        needed = needed | {2}  # the third cell changes y in place
    assert found == needed


# --- judging ----------------------------------------------------------------------------------


def test_the_same_unseen_inputs_for_everybody(lesson, toy_course):
    first, again = (judge.requests(lesson, corpus.RIGHT, "a secret") for _ in range(2))
    other = judge.requests(lesson, corpus.RIGHT, "another")
    assert first == again and first["97.2"] != other["97.2"]
    assert first["97.1"]["arguments"] == "null"


@pytest.mark.parametrize(
    "reply, state",
    [
        ({"state": "values", "values": {"i": "0x6"}}, "right"),
        ({"state": "values", "values": {"i": "0x7"}}, "wrong"),
        ({"state": "values", "values": {"x": 0}}, "not tried"),
        ({"state": "values", "values": {"q": 0}}, "wrong"),
        ({"state": "values"}, "wrong"),
        ({"state": "untouched"}, "not tried"),
        ({"state": "missing", "why": "NameError: cells"}, "wrong"),
        ({"state": "right"}, "wrong"),
        ({"state": "refused", "why": 5}, "wrong"),
        ("right", "wrong"),
        (None, "wrong"),
        ({}, "wrong"),
    ],
)
def test_replies_of_every_kind(lesson, reply, state):
    verdict = judge.verdict(lesson.questions[0], {"kind": "answer", "reply": reply}, "", "seed")
    assert verdict.state == state and verdict.earned == (1.0 if state == "right" else 0.0)


def test_a_function_must_give_one_value_a_call(lesson):
    for found in ({"l": []}, {"l": [{"i": "0x1"}]}, {"i": "0x1"}):
        event = {"kind": "answer", "reply": {"state": "values", "values": found}}
        assert (
            "one value for each call"
            in judge.verdict(lesson.questions[1], event, "", "seed").message
        )


# --- collecting -------------------------------------------------------------------------------


def _zip(path: Path, names: list[str], data: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return path


@pytest.fixture
def data(toy_course):
    return json.dumps(corpus.notebook(toy_course[1], corpus.RIGHT)).encode()


@pytest.mark.parametrize(
    "names, students",
    [
        (
            [
                "assignment_77_export/submission_11/97_grading.ipynb",
                "assignment_77_export/submission_12/97_grading.ipynb",
                "assignment_77_export/submission_metadata.yml",
            ],
            ["submission_11", "submission_12"],
        ),
        (
            [
                "Ada Lovelace_4711_assignsubmission_file_/97_grading.ipynb",
                "Grace Hopper_4712_assignsubmission_file_/my work.ipynb",
            ],
            ["Ada Lovelace", "Grace Hopper"],
        ),
        (
            [
                "Ada Lovelace_4711_assignsubmission_file_97_grading.ipynb",
                "Grace Hopper_4712_assignsubmission_file_97_grading.ipynb",
            ],
            ["Ada Lovelace", "Grace Hopper"],
        ),
        (
            [
                "lovelaceada_3344_9988_97_grading.ipynb",
                "hoppergrace_LATE_3345_9989_97_grading-2.ipynb",
            ],
            ["lovelaceada", "hoppergrace"],
        ),
        (
            [
                "tinyml-ada/notebooks/97_grading.ipynb",
                "tinyml-grace/notebooks/97_grading.ipynb",
                "tinyml-grace/.ipynb_checkpoints/97_grading-checkpoint.ipynb",
            ],
            ["tinyml-ada", "tinyml-grace"],
        ),
        (["97_grading.ipynb", "__MACOSX/._97_grading.ipynb"], ["export"]),
    ],
)
def test_exports_of_the_platforms(tmp_path, data, names, students):
    path = _zip(tmp_path / "export.zip", names, data)
    assert sorted({each.student for each in collect.files([path])}) == sorted(students)
    assert all(each.data == data for each in collect.files([path]))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "export")
    found = {each.student for each in collect.files([tmp_path / "export"])}
    assert sorted(found) == sorted(students)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_damaged_entry_costs_nobody_else_anything(tmp_path, data, method):
    path = tmp_path / "export.zip"
    names = [f"submission_{number}/97_grading.ipynb" for number in (1, 2, 3)]
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
        start = archive.getinfo(names[1]).header_offset
    content = bytearray(path.read_bytes())
    content[start + 80 : start + 120] = bytes(40)
    path.write_bytes(content)
    found = {each.student: each for each in collect.files([path])}
    assert found["submission_1"].data == found["submission_3"].data == data
    assert "damaged" in found["submission_2"].problem and not found["submission_2"].data


def test_no_damage_to_a_zip_or_a_notebook_stops_the_rest(tmp_path, data):
    draw, path = random.Random(7), tmp_path / "export.zip"
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    for number in range(400):
        with zipfile.ZipFile(path, "w", methods[number % 4]) as archive:
            archive.writestr("a/97_grading.ipynb", data)
            archive.writestr("b/97_grading.ipynb", data)
        damaged = bytearray(path.read_bytes())
        for _ in range(draw.randint(1, 5)):
            damaged[draw.randrange(-200, 0) if draw.random() < 0.6 else draw.randrange(900)] ^= 255
        path.write_bytes(damaged)
        for each in collect.files([path]):
            assert each.problem or each.data
        text = bytearray(data)
        text[draw.randrange(len(text))] ^= 1 << draw.randrange(8)
        with contextlib.suppress(notebook.UnreadableError):
            notebook.cells(bytes(text))


def test_lone_notebooks_and_several_zips(tmp_path, data):
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "97_grading.ipynb").write_bytes(data)
    (folder / "grace.ipynb").write_bytes(data)
    zips = [
        _zip(
            tmp_path / f"{name}.zip",
            ["x_1_assignsubmission_file_/97_grading.ipynb", "y/97_grading.ipynb"],
            data,
        )
        for name in "ab"
    ]
    found = [
        each.student
        for each in collect.files([folder / "97_grading.ipynb", folder / "grace.ipynb", *zips])
    ]
    assert found == ["ada", "grace", "a", "a", "b", "b"]
    with pytest.raises(collect.CollectError, match="There is no"):
        list(collect.files([tmp_path / "nowhere"]))


def test_the_last_version_counts_and_the_rest_is_noted(tmp_path, data, toy_course):
    for name in ("97_grading.ipynb", "97_grading-9.ipynb", "97_grading-10.ipynb"):
        (tmp_path / f"ada_33_44_{name}").write_bytes(
            data.replace(b"x def double", b"")
            if name.endswith("10.ipynb")
            else data.replace(b"2 * x", b"3 * x")
        )
    (tmp_path / "thesis.ipynb").write_text('{"cells": []}')
    works, notes = collect.collected([tmp_path], toy_course[0])
    (work,) = works
    assert work.student == "ada" and work.origin == "ada_33_44_97_grading-10.ipynb"
    assert "thesis.ipynb belongs to no lesson" in " ".join(notes)
    assert "more than once" in " ".join(notes)


def test_a_roster(tmp_path):
    path = tmp_path / "roster.csv"
    path.write_text(
        "\ufeffFirst Name,Last Name,SID,Email Address,Section\n"
        "Ada,Lovelace,s01,ada@x.org,1\nGrace,Hopper,s02,ghopper@x.org,2\n,,,,\n",
        encoding="utf-8",
    )
    students = roster.read_roster(path)
    assert [each.name for each in students] == ["Ada Lovelace", "Grace Hopper"]
    for name, identifier in (
        ("Ada Lovelace", "s01"),
        ("lovelaceada", "s01"),
        ("s02", "s02"),
        ("tinyml-ghopper", "s02"),
        ("ghopper", "s02"),
        ("Alan", "Alan"),
    ):
        assert roster.known(name, students) == identifier
    path.write_text("colour,size\nred,5\n")
    with pytest.raises(roster.CollectError, match="no column called name"):
        roster.read_roster(path)
    with pytest.raises(roster.CollectError, match="cannot be read"):
        roster.read_roster(tmp_path / "none.csv")


# --- the whole way ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graded(tmp_path_factory, toy_course):
    """Grade five students on the command line, once."""
    if not sandbox.bubblewrap_works():
        pytest.skip("bubblewrap does not work here")
    place = tmp_path_factory.mktemp("graded")
    handed_in = {
        "ada": corpus.RIGHT,
        "ben": {"97.2": corpus.WRONG_2, "97.3": corpus.RIGHT["97.3"]},
        "cy <b>": {
            "97.4": "def totals(array):\n    return array.sum(axis=0)",
            "97.2": "def double(x):\n    return y * 2",
        },
        "dan": {},
    }
    for name, answers in handed_in.items():
        (place / "in" / name).mkdir(parents=True)
        tree = corpus.notebook(toy_course[1], answers)
        (place / "in" / name / "97_grading.ipynb").write_text(json.dumps(tree))
    (place / "roster.csv").write_text("id,name\nada,Ada Lovelace\nben,Ben\ndan,=Dan\neve,Eve\n")
    arguments = [
        "grade",
        str(place / "in"),
        "--out",
        str(place / "out"),
        "--seed",
        "s",
        "--reference",
        str(toy_course[0].references),
        "--exercises",
        str(toy.EXERCISES),
        "--roster",
        str(place / "roster.csv"),
    ]
    assert cli.main(arguments) == cli.DONE
    return place / "out", arguments


def test_points_and_hints(graded):
    out, _ = graded
    with open(out / "results.csv", newline="", encoding="utf-8") as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: row["earned"] for name, row in table.items()} == {
        "ada": "8",
        "ben": "1",
        "cy <b>": "0",
        "dan": "0",
        "eve": "0",
    }
    assert table["eve"]["97.1"] == "" and table["dan"]["name"] == "'=Dan"
    assert table["ben"]["97.3"] == "1" and table["ben"]["97.2"] == "0"
    result = json.loads((out / "works" / f"{campaign.slug('cy <b>')}_97.json").read_text())
    said = {each["id"]: each["message"] for each in result["exercises"]}
    assert said["97.4"] == "wrong axis" and "NameError: name 'y' is not defined" in said["97.2"]
    assert result["sandbox"] == "bubblewrap"


def test_junit_names_every_exercise(graded):
    root = ElementTree.parse(graded[0] / "junit.xml").getroot()
    assert len(root.findall("testsuite")) == 4 and len(root.findall(".//testcase")) == 20
    assert len(root.findall(".//failure")) == 3 and len(root.findall(".//error")) == 0
    assert len(root.findall(".//skipped")) == 11


def test_gradescope_reads_its_own_format(graded):
    result = json.loads((graded[0] / "gradescope" / f"{campaign.slug('ben')}.json").read_text())
    assert result["score"] == 1 and sum(each["max_score"] for each in result["tests"]) == 8
    assert {each["status"] for each in result["tests"]} == {"passed", "failed"}
    assert "that is the square" in result["tests"][1]["output"]


def test_pages_escape_what_students_write(graded):
    out, _ = graded
    page = (out / "class.html").read_text()
    assert "cy &lt;b&gt;" in page and "cy <b>" not in page and "wrong axis" in page
    assert "cy &lt;b&gt; is not on the roster" in page
    page = (out / "students" / f"{campaign.slug('eve')}.html").read_text()
    assert "Nothing was handed in." in page


def test_grading_again_grades_nobody_twice(graded, monkeypatch, capsys):
    out, arguments = graded
    before = {path: path.stat().st_mtime_ns for path in (out / "works").iterdir()}
    table = (out / "results.csv").read_text()

    def never(*_):
        raise AssertionError("graded twice")

    monkeypatch.setattr(one, "grade", never)
    assert cli.main(arguments) == cli.DONE
    assert {path: path.stat().st_mtime_ns for path in (out / "works").iterdir()} == before
    assert (out / "results.csv").read_text() == table


def test_a_change_is_graded_again(graded, toy_course, monkeypatch):
    """Another answer or another seed makes an earlier result worthless; a damaged one too."""
    out, _ = graded
    works = [one.Work("ada", "97", "x", {}), one.Work("ada", "97", "x", {"97.1": "cells = 6"})]
    settings = one.Settings(toy_course[0], "s")
    stamp = campaign._stamp(settings)
    assert stamp != campaign._stamp(one.Settings(toy_course[0], "t"))
    assert all(campaign._known(out, work, stamp) is None for work in works)


def test_an_interrupted_run_keeps_what_it_has(tmp_path, toy_course, monkeypatch):
    works = [one.Work(f"s{number}", "97", "x", {"97.1": "cells = 6"}) for number in range(6)]
    calls = []

    def grade(work, settings):
        calls.append(work.student)
        if work.student == "s3" and len(calls) < 6:
            raise KeyboardInterrupt
        return {"key": work.key, "student": work.student}

    monkeypatch.setattr(one, "grade", grade)
    settings = one.Settings(toy_course[0], "s")
    with pytest.raises(KeyboardInterrupt):
        campaign.grade_all(works, settings, tmp_path, workers=1)
    kept = len(list((tmp_path / "works").iterdir()))
    assert 0 < kept < 6
    results, failures = campaign.grade_all(works, settings, tmp_path, workers=1)
    assert [each["student"] for each in results] == [each.student for each in works]
    assert not failures and len(set(calls)) == 6


def test_a_sandbox_that_does_not_start_costs_no_points(
    tmp_path, toy_course, monkeypatch, capsys, data
):
    (tmp_path / "97_grading.ipynb").write_bytes(data)

    def broken(*_, **__):
        raise sandbox.SandboxError("The sandbox could not be started: no space")

    monkeypatch.setattr(sandbox, "run", broken)
    monkeypatch.setattr(sandbox, "best_kind", lambda: "bubblewrap")
    code = cli.main(
        [
            "grade",
            str(tmp_path / "97_grading.ipynb"),
            "--out",
            str(tmp_path / "out"),
            "--reference",
            str(toy_course[0].references),
            "--exercises",
            str(toy.EXERCISES),
            "--quiet",
        ]
    )
    assert code == cli.INCOMPLETE and "Not graded, run again" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("works/*"))


def test_the_seed_is_kept_and_private(tmp_path):
    first = command._kept_seed(tmp_path)
    assert len(first) == 32 and command._kept_seed(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "seed.txt").stat().st_mode) == 0o600


def test_the_weak_sandbox_must_be_accepted(tmp_path, toy_course, data, monkeypatch, capsys):
    (tmp_path / "97_grading.ipynb").write_bytes(data)
    monkeypatch.setattr(sandbox, "best_kind", lambda: "limits")
    arguments = [
        "grade",
        str(tmp_path / "97_grading.ipynb"),
        "--out",
        str(tmp_path / "out"),
        "--reference",
        str(toy_course[0].references),
        "--exercises",
        str(toy.EXERCISES),
    ]
    assert cli.main(arguments) == cli.UNUSABLE
    assert "--accept-weak-sandbox" in capsys.readouterr().err
    assert cli.main([*arguments, "--accept-weak-sandbox"]) == cli.DONE
    assert "sandbox: limits" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "results.json").read_text())["score"] == 8


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
    result = one.grade(one.Work("a", "97", "x", answers), one.Settings(toy_course[0], "s"))
    assert result["earned"] == 3 and result["sandbox"] == "bubblewrap" and not result["ended"]


@needs_bubblewrap
def test_answers_that_need_a_skipped_cell_get_it(toy_course):
    """A name that only a string holds is not seen beforehand: then all cells run."""
    answers = {
        "97.1": "import __main__ as m\ncells = getattr(m, 'ta' + 'ble').size",
        "97.5": "raise FileNotFoundError('results')",
    }
    result = one.grade(one.Work("a", "97", "x", answers), one.Settings(toy_course[0], "s"))
    assert [each["state"] for each in result["exercises"]][0] == "right"


def test_a_view_holds_no_solution(tmp_path):
    view = course.make_view(tmp_path)
    names = {path.name for path in view.rglob("*.py")}
    assert not any(name.startswith("lesson_") for name in names)
    assert not {"judge.py", "core.py", "judges.py", "build.py"} & {
        path.name
        for folder in ("exercises", "grading", "authoring")
        for path in (view / "course_lib" / folder).rglob("*.py")
    }
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
            "--nbval-cell-timeout=120",
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


def test_reports_of_strange_texts():
    result = {
        "key": "k",
        "student": "a\x00\x1b[31m\ud800",
        "lesson": "97",
        "notebook": "97_x.ipynb",
        "origin": "o\x00",
        "earned": 0.0,
        "points": 1.0,
        "ended": "",
        "notes": ["\x00"],
        "sandbox": "limits",
        "seconds": 1.0,
        "exercises": [
            {
                "id": "97.1",
                "points": 1.0,
                "earned": 0.0,
                "state": "wrong",
                "message": "\x00\x0b\ufffe<script>\ud800",
            }
        ],
    }
    (row,) = reports.rows([result])
    ElementTree.fromstring(reports.junit([row]))
    assert "<script>" not in pages.student_page(row) + pages.class_page([row])
    reports.table([row]).encode("utf-8")
    pages.class_page([row]).encode("utf-8")
    json.dumps(reports.gradescope(row)).encode("utf-8")
    assert campaign.slug(result["student"]).isascii()
    assert io.StringIO(reports.table([row])).read().count("\n") == 2
