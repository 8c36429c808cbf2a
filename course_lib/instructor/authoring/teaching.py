"""Write the teacher's page: for each lesson its timing, what to ask, and what wrong answers mean.

All of it is read from the lessons' sources and from the tables of the exercises.
"""

import re
from collections.abc import Iterable, Iterator

from course_lib.exercises import core
from course_lib.instructor.authoring.source import Cell, Lesson, minutes

_PREDICT = re.compile(r"\*\*Predict\.\*\*\s*(.+?)(?=\n\s*\n|\Z)", re.DOTALL)
_HEAD = """# Teach with the workbook

Each lesson is made for one sitting; *further* ones are for whoever is ahead, or for homework.
Minutes are what a reader takes alone. In a lecture, run the cells live, ask the question before you
run the cell after it, and leave two thirds of an exercise's minutes to the students.

**What needs a network:** nothing, once `make lab` has run. In Colab, the set-up cell installs what
is missing.

**When something fails live:** the solved edition in `notebooks/reference` has every output, and
opens without a kernel; `make site` makes pages of it, `make slides` slides. A kernel that hangs:
restart it and run up to the selected cell; every lesson runs alone from its set-up cell. A picture
without its slider: run its cell again. No microphone: every recorder falls back on a bundled clip
and says so.

**Wrong answers** stand below with what `check` says to them. After the last hint a student may ask
for `solution("7.4")`; nothing is counted against anybody.

Generated from the lessons and their exercises.
"""


def page(lessons: Iterable[Lesson]) -> str:
    """Return the whole page as Markdown."""
    return _HEAD + "".join(_lesson(lesson) for lesson in lessons)


def _lesson(lesson: Lesson) -> str:
    further = ", *further*" if lesson.further else ""
    lines = [
        f"\n## [{lesson.number} {lesson.title}](../notebooks/{lesson.name}.ipynb)\n",
        f"{lesson.question} {lesson.minutes} minutes{further}.\n",
        "| section | minutes | |\n|---|---|---|",
    ]
    for title, cells in _sections(lesson.cells):
        asked = [cell.exercise for cell in cells if cell.exercise]
        lines.append(f"| {title} | {max(1, round(minutes(cells)))} | {', '.join(asked)} |")
    if asks := [" ".join(text.split()) for text in _questions(lesson.cells)]:
        lines += ["\n**Ask before you run:**\n", *(f"- {ask}" for ask in asks)]
    for each in core.of_lesson(lesson.number):
        lines += [
            "",
            f"**{each.id}** `{each.ask.partition(':')[0]}`:{each.ask.partition(':')[2]}\n",
        ]
        lines += [f"- {shown}{hint}" for shown, hint in _mistakes(each)]
    return "\n".join(lines) + "\n"


def _sections(cells: Iterable[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Yield the title and the cells of each section; the first has the lesson's own cells."""
    title, held = "To begin with", []
    for cell in cells:
        heading = re.match(r"## (.+)", cell.text) if cell.kind == "markdown" else None
        if heading and held:
            yield title, held
            title, held = heading[1], []
        held.append(cell)
    yield title, held


def _questions(cells: Iterable[Cell]) -> Iterator[str]:
    """Yield what a lesson lets its reader predict."""
    for cell in cells:
        if cell.kind == "markdown":
            yield from _PREDICT.findall(cell.text)


def _mistakes(exercise: core.Exercise) -> Iterator[tuple[str, str]]:
    """Yield each hint once, with the answer that it belongs to where that is short and plain."""
    seen = set()
    for answer, hint in exercise.mistakes:
        plain = isinstance(answer, (bool, int, float, str)) and len(repr(answer)) <= 40
        value = f"{answer:.6g}" if isinstance(answer, float) else repr(answer)
        shown = f"`{value}`: " if plain else ""
        if (shown, hint) not in seen:
            yield shown, hint
        seen.add((shown, hint))
