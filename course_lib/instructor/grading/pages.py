"""Show results to people: the page of a class, and of each student in it.

Both are `pages.html`, a template of Jinja's, filled; they need nothing else, and run no script.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, Template

from course_lib.instructor.grading.results import Filed, Result, Row, Verdict, slug

WEAK = (
    "Graded without bubblewrap: code that was handed in could read, change and delete this "
    "computer's files as its user can, these results among them, and could use the network."
)
# States in the order of how much there is to do: a place in the text is a rank.
_STATES = "not graded refused left out superseded graded"
_SIGNS = {"right": "✔", "wrong": "✘", "not tried": "○", "stopped": "■"}
_NO_TEXT = re.compile(  # what XML cannot hold, and what would turn the text after it around
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)


def plain_text(text: str) -> str:
    """Return a text without the characters that XML and HTML cannot hold, or that hide others."""
    return _NO_TEXT.sub("\ufffd", text)


def is_weak(rows: Sequence[Row]) -> bool:
    """Tell whether code that was handed in may have changed any of these results."""
    return any(result.sandbox == "limits" for row in rows for result in row.results)


def student_page(row: Row, weak: bool = False) -> str:
    """Return the page of one student: every exercise, what it earned and what to look at."""
    warnings = [WEAK] if weak or is_weak([row]) else []
    title = f"Results of {row.name}"
    return _template().render(title=title, heading=row.name, warnings=warnings, row=row)


def class_page(
    rows: Sequence[Row],
    notes: Sequence[str] = (),
    filed: Sequence[Filed] = (),
    weak: bool = False,
    partial: str = "",
) -> str:
    """Return the page of a class: notes, distribution, hardest exercises, students, files."""
    counts = Counter(each.state for each in filed)
    return _template().render(
        title="Results of the class",
        warnings=[*filter(None, [partial]), *([WEAK] if weak or is_weak(rows) else [])],
        rows=rows,
        notes=notes,
        came_in=sum(bool(row.results) for row in rows),
        failed=sum(len(row.results) - len(row.graded) for row in rows),
        distribution=_distribution(rows),
        exercises=_exercises(rows),
        filed=sorted(filed, key=lambda each: (_STATES.rfind(each.state), each.origin)),
        states=", ".join(f"{counts[state]} {state}" for state in sorted(counts, key=_STATES.rfind)),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: plain_text(value) if type(value) is str else value,
    )
    environment.globals |= {"number": "{:g}".format, "refutations": _refutations}
    environment.globals |= {"remarks": remarks, "signs": _SIGNS, "slug": slug}
    path = Path(__file__).with_name("pages.html")
    return environment.from_string(path.read_text(encoding="utf-8"))


def remarks(row: Row) -> str:
    """Return in a line what an instructor has to know of a student's results, often nothing."""
    said = []
    for result in row.results:
        if result.not_graded:
            said.append(f"Lesson {result.lesson} was not graded: {result.not_graded}")
        elif result.ended:
            said.append(result.ended)
        if refuted := [each.id for each in result.exercises if each.refuted]:
            said.append(f"Unseen inputs refute what the notebook calls right: {', '.join(refuted)}")
    return " ".join(said)


def _refutations(result: Result) -> list[str]:
    return [f"Exercise {each.id}: {each.message}" for each in result.exercises if each.refuted]


def _distribution(rows: Sequence[Row]) -> list[tuple[str, int, int]]:
    """Return for each tenth of the points a label, how many students, and its bar's percent."""
    tenths = Counter(min(9, int(10 * row.earned / row.points)) for row in rows if row.points)
    most = max(tenths.values(), default=1)
    return [
        (f"{10 * tenth} to {10 * tenth + 10} %", tenths[tenth], round(100 * tenths[tenth] / most))
        for tenth in range(10)
    ]


def _exercises(rows: Sequence[Row]) -> list[tuple[str, str, str, list[str]]]:
    """Return a line for each exercise: how many have it right, and the most common mistakes."""
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in (verdict for row in rows for verdict in row.exercises):
        verdicts.setdefault(verdict.id, []).append(verdict)
    lines = []
    for name, every in verdicts.items():
        right = sum(verdict.state == "right" for verdict in every) / len(every)
        tried = sum(verdict.state != "not tried" for verdict in every)
        common = Counter(verdict.message for verdict in every if verdict.state == "wrong")
        mistakes = [f"{count} × {text[:160]}" for text, count in common.most_common(2)]
        lines.append((right, name, (name, f"{right:.0%}", f"{tried} of {len(every)}", mistakes)))
    return [line for *_, line in sorted(lines)]
