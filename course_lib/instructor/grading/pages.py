"""Write results for people: a page for each student, and one for the class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from course_lib import session
from course_lib.instructor.grading.campaign import slug
from course_lib.instructor.grading.reports import Row

_SIGNS = {"right": "✔", "wrong": "✘", "not tried": "○", "stopped": "■"}
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


def student_page(row: Row) -> str:
    """Return the page of one student: every exercise, what it earned and what to look at."""
    parts = [
        f"<h1>{_e(row.name)}</h1>",
        f"<p>{row.earned:g} of {row.points:g} points</p>"
        if row.results
        else "<p>Nothing was handed in.</p>",
    ]
    for result in row.results:
        parts.append(
            f"<h2>Lesson {_e(result['lesson'])}: {result['earned']:g} of {result['points']:g}</h2>"
        )
        if result["ended"]:
            parts.append(f"<p><strong>{_e(result['ended'])}</strong></p>")
        lines = "".join(
            f"<tr><td>{_e(each['id'])}</td><td class='state'>{_SIGNS[each['state']]} "
            f"{_e(each['state'])}</td><td class='number'>{each['earned']:g} of "
            f"{each['points']:g}</td><td>{_e(each['message'])}</td></tr>"
            for each in result["exercises"]
        )
        parts.append(_table(("Exercise", "State", "Points", "What to know"), lines))
        if result["notes"]:
            items = "".join(f"<li>{_e(note)}</li>" for note in result["notes"])
            parts.append(
                f"<details><summary>What was noticed in the notebook</summary>"
                f"<ul>{items}</ul></details>"
            )
        parts.append(
            f"<p class='quiet'>{_e(result['origin'])}, sandbox: {_e(result['sandbox'])}</p>"
        )
    return _page(f"Results of {row.name}", parts)


def class_page(found: Sequence[Row], notes: Sequence[str] = ()) -> str:
    """Return the page of a class: distribution, hardest exercises, common mistakes, students."""
    came_in = [row for row in found if row.results]
    parts = [
        "<h1>Results of the class</h1>",
        f"<p>{len(came_in)} of {len(found)} students handed something in.</p>",
        "<h2>How points are distributed</h2>",
        _distribution(came_in),
        "<h2>Hardest exercises first</h2>",
        _exercises(came_in),
        "<h2>Students</h2>",
        _students(found),
    ]
    if notes:
        items = "".join(f"<li>{_e(note)}</li>" for note in notes)
        parts.append(f"<h2>What was left out</h2><ul>{items}</ul>")
    return _page("Results of the class", parts)


def _distribution(found: Sequence[Row]) -> str:
    """Return a bar for each tenth of the points."""
    tenths = Counter(min(9, int(10 * row.earned / row.points)) for row in found if row.points)
    most = max(tenths.values(), default=1)
    lines = "".join(
        f"<tr><td>{10 * tenth} to {10 * tenth + 10} %</td><td class='number'>{tenths[tenth]}</td>"
        f"<td>{_bar(tenths[tenth] / most)}</td></tr>"
        for tenth in range(10)
    )
    return _table(("Share of points", "Students", ""), lines)


def _exercises(found: Sequence[Row]) -> str:
    """Return a line for each exercise: how many have it right, and the most common mistakes."""
    verdicts: dict[str, list[dict]] = {}
    for row in found:
        for each in row.exercises:
            verdicts.setdefault(each["id"], []).append(each)
    share = {
        name: sum(each["state"] == "right" for each in every) / len(every)
        for name, every in verdicts.items()
    }
    lines = []
    for name in sorted(share, key=lambda each: (share[each], each)):
        every = verdicts[name]
        tried = sum(each["state"] != "not tried" for each in every)
        common = Counter(each["message"] for each in every if each["state"] == "wrong")
        mistakes = "<br>".join(
            f"{count} × {_e(text[:160])}" for text, count in common.most_common(2)
        )
        lines.append(
            f"<tr><td>{_e(name)}</td><td class='number'>{share[name]:.0%}</td>"
            f"<td class='number'>{tried} of {len(every)}</td><td>{mistakes}</td></tr>"
        )
    return _table(("Exercise", "Right", "Tried", "First mistakes"), "".join(lines))


def _students(found: Sequence[Row]) -> str:
    """Return a line with a link for each student."""
    lines = "".join(
        f"<tr><td><a href='students/{slug(row.student)}.html'>{_e(row.name)}</a></td>"
        f"<td class='number'>{row.earned:g} of {row.points:g}</td>"
        f"<td>{_e(' '.join(each['ended'] for each in row.results))}</td></tr>"
        for row in found
    )
    return _table(("Student", "Points", ""), lines)


def write(found: Sequence[Row], out: Path, notes: Sequence[str] = ()) -> None:
    """Write class.html and students/<name>.html below `out`."""
    session.write_atomically(out / "class.html", class_page(found, notes))
    for row in found:
        session.write_atomically(out / "students" / f"{slug(row.student)}.html", student_page(row))


def _bar(share: float) -> str:
    return f"<span class='bar' style='width:{12 * share:.1f}rem'></span>"


def _table(head: Sequence[str], lines: str) -> str:
    names = "".join(
        f"<th scope='col'{_NUMBER if name in _NUMBERS else ''}>{name}</th>" for name in head
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"


_NUMBERS = ("Points", "Students", "Right", "Tried")
_NUMBER = " class='number'"


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
    """Return a text as HTML, whatever is in it."""
    return escape(text.encode("utf-8", "replace").decode("utf-8"), quote=True)
