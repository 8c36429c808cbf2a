"""Reports for machines and for people."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree

from course_lib.instructor.grading import reports
from course_lib.instructor.grading.results import Filed, Result, Verdict, rows, slug


def test_junit_names_every_exercise(graded):
    root = ElementTree.parse(graded[0] / "junit.xml").getroot()
    assert len(root.findall("testsuite")) == 4 and len(root.findall(".//testcase")) == 20
    assert len(root.findall(".//failure")) == 3 and len(root.findall(".//error")) == 0
    assert len(root.findall(".//skipped")) == 11


def test_gradescope_reads_its_own_format(graded):
    result = json.loads((graded[0] / "gradescope" / f"{slug('ben')}.json").read_text())
    assert result["score"] == 1 and sum(each["max_score"] for each in result["tests"]) == 8
    assert {each["status"] for each in result["tests"]} == {"passed", "failed"}
    assert "that is the square" in result["tests"][1]["output"]


def test_pages_escape_what_students_write(graded):
    out, _ = graded
    page = (out / "class.html").read_text()
    assert "cy &lt;b&gt;" in page and "cy <b>" not in page and "wrong axis" in page
    assert "cy &lt;b&gt; is not on the roster" in page
    page = (out / "students" / f"{slug('eve')}.html").read_text()
    assert "Nothing was handed in." in page


def test_reports_of_strange_texts():
    message = "\x00\x0b\ufffe<script>\ud800"
    result = Result(
        key="k",
        student="a\x00\x1b[31m\ud800",
        lesson="97",
        notebook="97_x.ipynb",
        origin="o\x00",
        earned=0.0,
        points=1.0,
        exercises=(Verdict("97.1", 1.0, 0.0, "wrong", message),),
        notes=("\x00",),
        sandbox="limits",
        seconds=1.0,
    )
    (row,) = rows([result])
    ElementTree.fromstring(reports.junit([row]))
    assert "<script>" not in reports.student_page(row) + reports.class_page([row])
    reports.table([row]).encode("utf-8")
    reports.class_page([row]).encode("utf-8")
    json.dumps(reports.gradescope(row)).encode("utf-8")
    assert slug(result.student).isascii()
    assert io.StringIO(reports.table([row])).read().count("\n") == 2


def _one(student: str, **changes) -> Result:
    verdicts = (Verdict("97.1", 1.0, 1.0, "right", "yes"),)
    made = Result("k", student, "97", "97_x.ipynb", f"{student}.ipynb", 1.0, 1.0, verdicts)
    return replace(made, **changes)


def test_not_graded_gives_and_takes_nothing():
    lines = rows([_one("ada"), _one("ben", not_graded="The machine was full.", exercises=())])
    suites = ElementTree.fromstring(reports.junit(lines)).findall("testsuite")
    assert [suite.get("errors") for suite in suites] == ["0", "1"]
    assert "The machine was full" in suites[1].find("testcase/error").get("message")
    assert not suites[1].findall(".//property[@name='earned']")
    told = {line["student"]: line for line in csv.DictReader(io.StringIO(reports.table(lines)))}
    assert [told["ben"][name] for name in ("earned", "points", "97.1")] == ["", "", ""]
    assert "Lesson 97 was not graded: The machine was full." in told["ben"]["remarks"]
    assert told["ada"]["earned"] == told["ada"]["97.1"] == "1" and told["ada"]["remarks"] == ""
    assert reports.gradescope(lines[0])["score"] == 1
    result = reports.gradescope(lines[1])
    assert "score" not in result and not result["tests"] and "was full" in result["output"]


def test_the_table_of_files_joins(tmp_path):
    first = [
        Filed("a.ipynb", "graded", "ada", "97"),
        Filed("=b.ipynb", "graded", "ben", "97"),
        Filed("'=c\n.txt", "left out", why="It is no notebook."),
    ]
    lines = rows([_one("ada"), _one("ben")])
    reports.write(lines, tmp_path, filed=first)
    text = (tmp_path / "files.csv").read_text()
    assert "'=b.ipynb,graded,ben,97," in text and "''=c .txt" in text
    reports.write(lines, tmp_path, filed=first)
    assert (tmp_path / "files.csv").read_text() == text  # the same again
    lines = rows([_one("ada"), _one("ben", not_graded="The machine was full.")])
    second = [Filed("new.ipynb", "graded", "ada", "97"), Filed("d.ipynb", "graded", "ben", "97")]
    reports.write(lines, tmp_path, filed=second)
    table = csv.DictReader(io.StringIO((tmp_path / "files.csv").read_text()))
    told = {line["origin"]: (line["state"], line["why"]) for line in table}
    assert told == {
        "new.ipynb": ("graded", ""),
        "d.ipynb": ("not graded", "The machine was full."),
        "a.ipynb": ("superseded", "new.ipynb"),
        "'=b.ipynb": ("graded", "It came in with an earlier run."),
        "''=c .txt": ("left out", "It is no notebook. It came in with an earlier run."),
    }
    assert "new.ipynb" in (tmp_path / "class.html").read_text()


def test_a_damaged_table_of_files_is_made_anew(tmp_path):
    for text in ("\x00", "a,b\n1,2\n", "origin,state\nx,graded,1,2,3,4,5\n", "origin\n"):
        (tmp_path / "files.csv").write_text(text)
        reports.write([], tmp_path, filed=[Filed("a", "graded")])
        assert (tmp_path / "files.csv").read_text().count("\n") == 2
