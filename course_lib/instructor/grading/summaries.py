"""Say in GitHub's forms what was earned: Markdown for people, notices for its Classroom."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course_lib.instructor.grading.marks import graded_lessons, read_results
from course_lib.instructor.grading.results import Result


@dataclass(frozen=True)
class Summary:
    """A job's summary, lines for its log that GitHub Classroom reads, and the percent earned."""

    text: str
    notices: str
    percent: float


def summarize(out: Path) -> Summary:
    """Return what was earned in all lessons in `out`. Raises CollectError where nothing was."""
    results, without = [], []
    for lesson in graded_lessons(out):
        found, missing = read_results(out, lesson)
        results += [result for result, _ in found]
        without += [f"Lesson {lesson} is not graded: run the grading again." for _ in missing]
    earned = sum(result.earned for result in results)
    points = sum(result.points for result in results)
    lines = [f"# {earned:g} of {points:g} points", *without]
    for result in results:
        lines.append(_lesson(result))
    return Summary("\n\n".join(lines) + "\n", _notices(earned, points), _percent(earned, points))


def _lesson(result: Result) -> str:
    """Return one lesson's heading and table."""
    head = f"## Lesson {result.lesson}: {result.earned:g} of {result.points:g}"
    rows: list[Sequence[str]] = [("Exercise", "Points", "State", "What to know"), ["---"] * 4]
    for each in result.exercises:
        share = f"{each.earned:g} of {each.points:g}"
        rows.append((each.id, share, each.state, _plain(each.message)))
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = "\n".join(f"- {_plain(note)}" for note in (result.ended, *result.notes) if note)
    sandbox = f"Sandbox: {result.sandbox}."
    return "\n\n".join(filter(None, (head, table, notes, sandbox)))


def _plain(text: str) -> str:
    """Return a text as one line in which nothing is Markdown or HTML: students' code wrote it."""
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return re.sub(r"([\\`*_{}\[\]#|~@!:])", r"\\\1", escape(line, quote=False))


def _notices(earned: float, points: float) -> str:
    """Return the two notices that GitHub Classroom's own reporter leaves on a run."""
    figures = f'{{"totalPoints":{earned:g},"maxPoints":{points:g}}}'
    return (
        f"::notice title=Autograding complete::Points {earned:g}/{points:g}\n"
        f"::notice title=Autograding report::{figures}"
    )


def _percent(earned: float, points: float) -> float:
    return 100 * earned / points if points else 0.0
