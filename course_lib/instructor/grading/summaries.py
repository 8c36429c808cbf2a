"""Say in GitHub's forms what was earned: Markdown for people, notices for its Classroom."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from course_lib.instructor.grading.marks import graded_lessons, read_results
from course_lib.instructor.grading.results import Result


def summarize(out: Path) -> tuple[str, str, float]:
    """Return a job's summary, lines for its log that GitHub Classroom reads, and percent earned.

    It is about all lessons in `out`. Raises CollectError where nothing was graded.
    """
    parts, results = [], []
    for lesson in graded_lessons(out):
        found, missing = read_results(out, lesson)
        results += [result for result, _ in found]
        parts += [f"Lesson {lesson} is not graded: run the grading again."] if missing else []
    earned = sum(result.earned for result in results)
    points = sum(result.points for result in results)
    parts = [f"# {earned:g} of {points:g} points", *parts, *map(_lesson, results)]
    notices = (  # as the Classroom's own reporter leaves them on a run
        f"::notice title=Autograding complete::Points {earned:g}/{points:g}\n"
        f'::notice title=Autograding report::{{"totalPoints":{earned:g},"maxPoints":{points:g}}}'
    )
    return "\n\n".join(parts) + "\n", notices, 100 * earned / points if points else 0.0


def _lesson(result: Result) -> str:
    """Return one lesson's heading, table and notes."""
    rows = [("Exercise", "Points", "State", "What to know"), ("---",) * 4]
    for each in result.exercises:
        share = f"{each.earned:g} of {each.points:g}"
        rows.append((each.id, share, each.state, _plain(each.message)))
    return "\n".join(
        [
            f"## Lesson {result.lesson}: {result.earned:g} of {result.points:g}\n",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            *(f"- {_plain(note)}" for note in (result.ended, *result.notes) if note),
            f"- Sandbox: {result.sandbox}.",
        ]
    )


def _plain(text: str) -> str:
    """Return a text as one line in which nothing is Markdown or HTML: students' code wrote it."""
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return re.sub(r"([\\`*_{}\[\]#|~@!:])", r"\\\1", escape(line, quote=False))
