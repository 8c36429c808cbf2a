"""Write results: JUnit XML, Gradescope's JSON and CSV for machines, HTML pages for people."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from course_lib.instructor.grading.results import Result, Row, Verdict, slug
from course_lib.session import write_atomically

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_JUNIT = {"wrong": "failure", "stopped": "error", "not tried": "skipped"}
_SIGNS = {"right": "✔", "wrong": "✘", "not tried": "○", "stopped": "■"}
_NUMBERS = ("Points", "Students", "Right", "Tried")  # columns that are aligned to the right
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #0072b2; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
.bar { background: var(--bar); height: 1rem; display: inline-block; vertical-align: middle; }
.state { white-space: nowrap; }
.quiet { opacity: .75; }
@media (prefers-color-scheme: dark) { :root { --bar: #56b4e9; } }
"""


def write(rows: Sequence[Row], out: Path, notes: Sequence[str] = ()) -> None:
    """Write below `out` junit.xml, results.csv, class.html, and for each student JSON and a page.

    The JSON is Gradescope's; of a single student it is also written as results.json.
    """
    write_atomically(out / "junit.xml", junit(rows))
    write_atomically(out / "results.csv", table(rows))
    write_atomically(out / "class.html", class_page(rows, notes))
    for row in rows:
        text, name = json.dumps(gradescope(row), indent=1), slug(row.student)
        write_atomically(out / "gradescope" / f"{name}.json", text + "\n")
        write_atomically(out / "students" / f"{name}.html", student_page(row))
    if len(rows) == 1:
        write_atomically(out / "results.json", text)


def junit(rows: Sequence[Row]) -> str:
    """Return JUnit XML: a test suite for each student and lesson, a test case for each exercise."""
    root = ElementTree.Element("testsuites")
    for row in rows:
        for result in row.results:
            _suite(root, row, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def gradescope(row: Row) -> dict:
    """Return what Gradescope reads: its results.json for one student."""
    notes = [note for result in row.results for note in (result.ended, *result.notes) if note]
    return {
        "score": row.earned,
        "output": "\n".join(map(_text, notes)) or "Graded.",
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


def table(rows: Sequence[Row]) -> str:
    """Return CSV: a line for each student, a column for each exercise; empty is not handed in."""
    every = {verdict.id for row in rows for verdict in row.exercises}
    names = sorted(every, key=lambda name: [int(part) for part in name.split(".")])
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["student", "name", "earned", "points", *names])
    for row in rows:
        earned = {verdict.id: f"{verdict.earned:g}" for verdict in row.exercises}
        line = [_cell(row.student), _cell(row.name), *_points(row).values()]
        writer.writerow([*line, *(earned.get(name, "") for name in names)])
    return buffer.getvalue()


def student_page(row: Row) -> str:
    """Return the page of one student: every exercise, what it earned and what to look at."""
    total = f"{_share(row)} points" if row.results else "Nothing was handed in."
    parts = [f"<h1>{_e(row.name)}</h1>", f"<p>{total}</p>"]
    for result in row.results:
        parts.append(f"<h2>Lesson {_e(result.lesson)}: {_share(result)}</h2>")
        if result.ended:
            parts.append(f"<p><strong>{_e(result.ended)}</strong></p>")
        lines = [
            (_e(each.id), f"{_SIGNS[each.state]} {each.state}", _share(each), _e(each.message))
            for each in result.exercises
        ]
        parts.append(_table(("Exercise", "State", "Points", "What to know"), lines))
        if result.notes:
            summary = "<summary>What was noticed in the notebook</summary>"
            parts.append(f"<details>{summary}{_list(result.notes)}</details>")
        parts.append(f"<p class='quiet'>{_e(result.origin)}, sandbox: {_e(result.sandbox)}</p>")
    return _page(f"Results of {row.name}", parts)


def class_page(rows: Sequence[Row], notes: Sequence[str] = ()) -> str:
    """Return the page of a class: distribution, hardest exercises, common mistakes, students."""
    came_in = [row for row in rows if row.results]
    parts = [
        "<h1>Results of the class</h1>",
        f"<p>{len(came_in)} of {len(rows)} students handed something in.</p>",
        "<h2>How points are distributed</h2>",
        _distribution(came_in),
        "<h2>Hardest exercises first</h2>",
        _exercises(came_in),
        "<h2>Students</h2>",
        _students(rows),
    ]
    if notes:
        parts.append(f"<h2>What was left out</h2>{_list(notes)}")
    return _page("Results of the class", parts)


def _suite(root: ElementTree.Element, row: Row, result: Result) -> None:
    """Add the test suite of one student's lesson."""
    states = [verdict.state for verdict in result.exercises]
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_xml(f"{row.student}.{result.lesson}"),
        tests=str(len(states)),
        failures=str(states.count("wrong")),
        errors=str(states.count("stopped")),
        skipped=str(states.count("not tried")),
        time=f"{result.seconds:.2f}",
    )
    _properties(suite, {"student": row.name, **_points(result), "sandbox": result.sandbox})
    lesson = _xml(f"{row.student}.{result.notebook[:-6]}")  # less .ipynb
    for verdict in result.exercises:
        case = ElementTree.SubElement(suite, "testcase", name=verdict.id, classname=lesson)
        _properties(case, _points(verdict))
        if kind := _IN_JUNIT.get(verdict.state):
            ElementTree.SubElement(case, kind, message=_xml(verdict.message))


def _points(earner: Result | Verdict | Row) -> dict[str, str]:
    return {"earned": f"{earner.earned:g}", "points": f"{earner.points:g}"}


def _properties(parent: ElementTree.Element, values: dict[str, str]) -> None:
    properties = ElementTree.SubElement(parent, "properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", name=name, value=_xml(value))


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


def _share(earner: Result | Verdict | Row) -> str:
    return f"{earner.earned:g} of {earner.points:g}"


def _distribution(rows: Sequence[Row]) -> str:
    """Return a bar for each tenth of the points."""
    tenths = Counter(min(9, int(10 * row.earned / row.points)) for row in rows if row.points)
    most = max(tenths.values(), default=1)
    lines = []
    for tenth in range(10):
        width = f"{12 * (tenths[tenth] / most):.1f}rem"
        bar = f"<span class='bar' style='width:{width}'></span>"
        lines.append((f"{10 * tenth} to {10 * tenth + 10} %", str(tenths[tenth]), bar))
    return _table(("Share of points", "Students", ""), lines)


def _exercises(rows: Sequence[Row]) -> str:
    """Return a line for each exercise: how many have it right, and the most common mistakes."""
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in (verdict for row in rows for verdict in row.exercises):
        verdicts.setdefault(verdict.id, []).append(verdict)
    lines = []
    for name, every in verdicts.items():
        right = sum(verdict.state == "right" for verdict in every) / len(every)
        tried = sum(verdict.state != "not tried" for verdict in every)
        common = Counter(verdict.message for verdict in every if verdict.state == "wrong")
        mistakes = [f"{count} × {_e(text[:160])}" for text, count in common.most_common(2)]
        cells = (_e(name), f"{right:.0%}", f"{tried} of {len(every)}", "<br>".join(mistakes))
        lines.append((right, name, cells))
    head = ("Exercise", "Right", "Tried", "First mistakes")
    return _table(head, [cells for _, _, cells in sorted(lines)])


def _students(rows: Sequence[Row]) -> str:
    """Return a line with a link for each student."""
    lines = []
    for row in rows:
        link = f"<a href='students/{slug(row.student)}.html'>{_e(row.name)}</a>"
        ended = " ".join(result.ended for result in row.results)
        lines.append((link, _share(row), _e(ended)))
    return _table(("Student", "Points", ""), lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already."""
    number = {name: " class='number'" if name in _NUMBERS else "" for name in head}
    kinds = [number[name] or (" class='state'" if name == "State" else "") for name in head]
    names = "".join(f"<th scope='col'{number[name]}>{name}</th>" for name in head)
    body = ""
    for line in lines:
        cells = zip(kinds, line, strict=True)
        body += f"<tr>{''.join(f'<td{kind}>{cell}</td>' for kind, cell in cells)}</tr>"
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _list(notes: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_e(note)}</li>' for note in notes)}</ul>"


def _page(title: str, parts: Sequence[str]) -> str:
    """Return a whole page that needs nothing from anywhere else."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f"<meta http-equiv='Content-Security-Policy' content=\"{policy}\">"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{_e(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _e(text: str) -> str:
    return escape(_text(text), quote=True)
