"""Write results: JUnit XML, Gradescope's JSON and CSV for machines, `pages` for people."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from xml.etree import ElementTree

from course_lib.instructor.grading import pages
from course_lib.instructor.grading.pages import WEAK, class_page, is_weak, student_page
from course_lib.instructor.grading.results import Filed, Result, Row, Verdict, slug
from course_lib.session import write_atomically

_IN_JUNIT = {"wrong": "failure", "stopped": "error", "not tried": "skipped"}
_FORMULA = ("=", "+", "-", "@", "\t")  # how a spreadsheet's formulas begin
_EARLIER = "It came in with an earlier run."


def write(
    rows: Sequence[Row],
    out: Path,
    notes: Sequence[str] = (),
    filed: Sequence[Filed] = (),
    weak: bool = False,
    partial: str = "",
) -> None:
    """Write below `out` junit.xml, results.csv, files.csv, class.html; for each student two more.

    These are Gradescope's JSON and a page; of a single student the JSON is results.json as well.
    `filed` is joined with what an earlier files.csv says. `weak` says that only limits stood
    between submissions and this machine, `partial` what is missing, if anything is.
    """
    weak = weak or is_weak(rows)
    filed = account(filed, rows, _earlier(out / "files.csv"))
    write_atomically(out / "junit.xml", junit(rows, weak))
    write_atomically(out / "results.csv", table(rows, weak))
    write_atomically(out / "files.csv", files_table(filed))
    write_atomically(out / "class.html", class_page(rows, notes, filed, weak, partial))
    for row in rows:
        text, name = json.dumps(gradescope(row, weak), indent=1), slug(row.student)
        write_atomically(out / "gradescope" / f"{name}.json", text + "\n")
        write_atomically(out / "students" / f"{name}.html", student_page(row, weak))
    if len(rows) == 1:
        write_atomically(out / "results.json", text)


def account(
    filed: Sequence[Filed], rows: Sequence[Row], earlier: Sequence[Filed] = ()
) -> list[Filed]:
    """Return what became of every file of this run and of earlier ones into the same folder.

    What was to be graded and was not, by the machine's fault, is "not graded"; what was graded
    earlier is superseded where this run graded the same student's same lesson from another file.
    """
    every = [result for row in rows for result in row.results if result.not_graded]
    failed = {(each.student, each.lesson): each.not_graded for each in every}
    told = [
        replace(each, state="not graded", why=failed[each.student, each.lesson])
        if each.state == "graded" and (each.student, each.lesson) in failed
        else each
        for each in filed
    ]
    here = {_cell(each.origin) for each in told}
    newer = {(each.student, each.lesson): each.origin for each in told if each.state == "graded"}
    for each in earlier:
        if _cell(each.origin) not in here:
            later = newer.get((each.student, each.lesson))
            if later and each.state in ("graded", "not graded"):
                each = replace(each, state="superseded", why=later)
            elif _EARLIER not in each.why:
                each = replace(each, why=f"{each.why} {_EARLIER}".strip())
            told.append(each)
    return told


def junit(rows: Sequence[Row], weak: bool = False) -> str:
    """Return JUnit XML: a test suite for each student and lesson, a test case for each exercise."""
    root = ElementTree.Element("testsuites")
    for row in rows:
        for result in row.results:
            _suite(root, row, result, weak)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gradescope(row: Row, weak: bool = False) -> dict:
    """Return what Gradescope reads: its results.json for one student.

    Where something came in and nothing of it was graded there is no score: Gradescope then shows
    that the autograder failed, and takes no points.
    """
    notes = [WEAK] if weak or is_weak([row]) else []
    for result in row.results:
        if result.not_graded:
            notes.append(f"Lesson {result.lesson} was not graded: {result.not_graded}")
        notes += [result.ended, *result.notes]
    score = {} if row.results and not row.graded else {"score": row.earned}
    return score | {
        "output": "\n".join(map(_text, filter(None, notes))) or "Graded.",
        "tests": [
            {
                "number": verdict.id,
                "name": f"Exercise {verdict.id}",
                "score": verdict.earned,
                "max_score": verdict.points,
                "status": "passed" if verdict.state == "right" else "failed",
                "output": _text(f"{verdict.state}: {verdict.message}"),
                "visibility": "visible",
            }
            for verdict in row.exercises
        ],
    }


def table(rows: Sequence[Row], weak: bool = False) -> str:
    """Return CSV: a line for each student, a column for each exercise; empty is not handed in.

    Neither are there points of what was not graded: the last column says so.
    """
    every = {verdict.id for row in rows for verdict in row.exercises}
    names = sorted(every, key=lambda name: [int(part) for part in name.split(".")])
    lines = [["student", "name", "earned", "points", *names, "remarks"]]
    for row in rows:
        earned = {verdict.id: f"{verdict.earned:g}" for verdict in row.exercises}
        points = ["", ""] if row.results and not row.graded else list(_points(row).values())
        said = f"{pages.remarks(row)} {WEAK if weak or is_weak([row]) else ''}".strip()
        cells = [*points, *(earned.get(name, "") for name in names)]
        lines.append([_cell(row.student), _cell(row.name), *cells, _cell(said)])
    return _csv(lines)


def files_table(filed: Sequence[Filed]) -> str:
    """Return CSV: a line for each file that came in, and what became of it."""
    names = [each.name for each in fields(Filed)]
    return _csv([names, *(list(map(_cell, asdict(each).values())) for each in filed)])


def _earlier(path: Path) -> list[Filed]:
    """Return what the table of an earlier run says; nothing where there is none."""
    try:
        lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
        return [
            Filed(**{name: text[1:] if _is_guarded(text) else text for name, text in line.items()})
            for line in lines
        ]
    except (OSError, ValueError, TypeError, AttributeError, csv.Error):
        return []


def _suite(root: ElementTree.Element, row: Row, result: Result, weak: bool) -> None:
    """Add the test suite of one student's lesson."""
    verdicts = result.exercises
    if why := result.not_graded and f"Not graded: {result.not_graded}":
        verdicts = tuple(replace(each, state="stopped", message=why) for each in verdicts)
        verdicts = verdicts or (Verdict(result.lesson, 0.0, 0.0, "stopped", why),)
    states = [verdict.state for verdict in verdicts]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=pages.plain_text(f"{row.student}.{result.lesson}"),
        tests=str(len(states)),
        failures=str(states.count("wrong")),
        errors=str(states.count("stopped")),
        skipped=str(states.count("not tried")),
        time=f"{result.seconds:.2f}",
    )
    points = {} if result.not_graded else _points(result)
    warning = {"warning": WEAK} if weak or result.sandbox == "limits" else {}
    _properties(suite, {"student": row.name, **points, "sandbox": result.sandbox, **warning})
    lesson = pages.plain_text(f"{row.student}.{result.notebook.removesuffix('.ipynb')}")
    for verdict in verdicts:
        case = ElementTree.SubElement(suite, "testcase", name=verdict.id, classname=lesson)
        _properties(case, {} if result.not_graded else _points(verdict))
        if kind := _IN_JUNIT.get(verdict.state):
            ElementTree.SubElement(case, kind, message=pages.plain_text(verdict.message))


def _points(earner: Result | Verdict | Row) -> dict[str, str]:
    return {"earned": f"{earner.earned:g}", "points": f"{earner.points:g}"}


def _properties(parent: ElementTree.Element, values: dict[str, str]) -> None:
    if values:
        properties = ElementTree.SubElement(parent, "properties")
        for name, value in values.items():
            ElementTree.SubElement(properties, "property", name=name, value=pages.plain_text(value))


def _csv(lines: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def _cell(text: str) -> str:
    """Return a text that a spreadsheet takes for a text and never for a formula."""
    text = _text(text).replace("\0", " ").replace("\r", " ").replace("\n", " ")
    return f"'{text}" if text.startswith(_FORMULA) or _is_guarded(text) else text


def _is_guarded(text: str) -> bool:
    """Tell whether `_cell` may have put a quotation mark before a text."""
    return text.startswith("'") and text.lstrip("'").startswith(_FORMULA)


def _text(text: str) -> str:
    """Return a text that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
