"""Reports for machines and for people."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree

from course_lib.instructor.grading import reports
from course_lib.instructor.grading.results import Result, Verdict, rows, slug


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
