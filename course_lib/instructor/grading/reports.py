"""Write results for machines: JUnit XML, Gradescope's results.json, and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from course_lib import session
from course_lib.instructor.grading.campaign import slug
from course_lib.instructor.grading.roster import Student

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Row:
    """All results of one student: `results` in the order of lessons, empty if nothing came in."""

    def __init__(self, student: str, name: str, results: Sequence[dict]) -> None:
        self.student, self.name = student, name
        self.results = sorted(results, key=lambda each: each["lesson"])

    @property
    def earned(self) -> float:
        """Return the points earned in all lessons."""
        return sum(each["earned"] for each in self.results)

    @property
    def points(self) -> float:
        """Return the points that were possible in the lessons handed in."""
        return sum(each["points"] for each in self.results)

    @property
    def exercises(self) -> list[dict]:
        """Return every exercise's verdict, in order."""
        return [exercise for each in self.results for exercise in each["exercises"]]


def rows(results: Sequence[dict], roster: Sequence[Student] = ()) -> list[Row]:
    """Return one row for each student, those of the roster who handed nothing in included."""
    names = {each.id: each.name for each in roster}
    students = dict.fromkeys([*names, *sorted({each["student"] for each in results})])
    return [
        Row(
            student,
            names.get(student, student),
            [each for each in results if each["student"] == student],
        )
        for student in students
    ]


def junit(found: Sequence[Row]) -> str:
    """Return JUnit XML: a test suite for each student and lesson, a test case for each exercise."""
    root = ElementTree.Element("testsuites")
    for row in found:
        for result in row.results:
            states = [each["state"] for each in result["exercises"]]
            suite = ElementTree.SubElement(
                root,
                "testsuite",
                name=_xml(f"{row.student}.{result['lesson']}"),
                tests=str(len(states)),
                failures=str(states.count("wrong")),
                errors=str(states.count("stopped")),
                skipped=str(states.count("not tried")),
                time=f"{result['seconds']:.2f}",
            )
            _properties(
                suite,
                {
                    "student": row.name,
                    "earned": f"{result['earned']:g}",
                    "points": f"{result['points']:g}",
                    "sandbox": result["sandbox"],
                },
            )
            for exercise in result["exercises"]:
                _case(suite, row, result, exercise)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, row: Row, result: dict, exercise: dict) -> None:
    """Add the test case of one exercise."""
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=exercise["id"],
        classname=_xml(f"{row.student}.{result['notebook'][:-6]}"),
    )
    _properties(case, {"earned": f"{exercise['earned']:g}", "points": f"{exercise['points']:g}"})
    kind = {"wrong": "failure", "stopped": "error", "not tried": "skipped"}.get(exercise["state"])
    if kind:
        ElementTree.SubElement(case, kind, message=_xml(exercise["message"]))


def _properties(parent: ElementTree.Element, values: dict[str, str]) -> None:
    properties = ElementTree.SubElement(parent, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", name=name, value=_xml(value))


def gradescope(row: Row) -> dict:
    """Return what Gradescope reads: its results.json for one student."""
    notes = [note for each in row.results for note in [each["ended"], *each["notes"]] if note]
    return {
        "score": row.earned,
        "output": "\n".join(map(_text, notes)) or "Graded.",
        "tests": [
            {
                "number": exercise["id"],
                "name": f"Exercise {exercise['id']}",
                "score": exercise["earned"],
                "max_score": exercise["points"],
                "status": "passed" if exercise["state"] == "right" else "failed",
                "output": _text(f"{exercise['state']}: {exercise['message']}"),
                "visibility": "visible",
            }
            for exercise in row.exercises
        ],
    }


def table(found: Sequence[Row]) -> str:
    """Return CSV: a line for each student, a column for each exercise; empty is not handed in."""
    names = sorted(
        {each["id"] for row in found for each in row.exercises},
        key=lambda name: [int(part) for part in name.split(".")],
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["student", "name", "earned", "points", *names])
    for row in found:
        earned = {each["id"]: f"{each['earned']:g}" for each in row.exercises}
        writer.writerow(
            [
                _cell(row.student),
                _cell(row.name),
                f"{row.earned:g}",
                f"{row.points:g}",
                *(earned.get(name, "") for name in names),
            ]
        )
    return buffer.getvalue()


def write(found: Sequence[Row], out: Path) -> None:
    """Write junit.xml, results.csv and a results.json for each student below `out`."""
    session.write_atomically(out / "junit.xml", junit(found))
    session.write_atomically(out / "results.csv", table(found))
    for row in found:
        text = json.dumps(gradescope(row), indent=1) + "\n"
        session.write_atomically(out / "gradescope" / f"{slug(row.student)}.json", text)
    if len(found) == 1:
        session.write_atomically(out / "results.json", json.dumps(gradescope(found[0]), indent=1))


def _cell(text: str) -> str:
    """Return a text that a spreadsheet takes for a text and never for a formula."""
    text = _text(text).replace("\r", " ").replace("\n", " ")
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def _text(text: str) -> str:
    """Return a text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NO_XML.sub("\ufffd", text)
