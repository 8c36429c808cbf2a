"""Write the teacher's page: for each lesson its timing, what to ask, and what wrong answers mean.

All of it is read from the lessons' sources and from the tables of the exercises.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import re
from collections.abc import Iterable, Iterator
from types import FunctionType, ModuleType

from course_lib.exercises import core
from course_lib.instructor.authoring.source import Cell, Lesson, minutes

_PREDICT = re.compile(r"\*\*Predict\.\*\*\s*(.+?)(?=\n\s*\n|\Z)", re.DOTALL)
_LONGEST = 60  # characters of a wrong answer that is shown as code
_HEAD = """# Teach with the workbook

Each lesson is made for one sitting; *further* ones are for whoever is ahead, or for homework.
Minutes are what a reader takes alone. In a lecture, run the cells live, ask the question before you
run the cell after it, and leave two thirds of an exercise's minutes to the students.

**What needs a network:** nothing, once `make lab` has run. In Colab, the set-up cell installs what
is missing. The switch at the beginning of lesson 03 downloads recordings of people, once, where
somebody turns it to `"mini"` or `"full"`; left at `"bundled"`, nothing is missing.

**When something fails live:** the solved edition in `notebooks/reference` has every output, and
opens without a kernel; `make site` makes pages of it, `make slides` slides. A kernel that hangs:
restart it and run up to the selected cell; every lesson runs alone from its set-up cell. A picture
without its slider: run its cell again. No microphone: every recorder falls back on a bundled clip
and says so.

**Wrong answers** stand below with what `check` says to them, those that are short as code. *Show
then* names the picture or the widget above the exercise to go back to, by the call that is in its
cell. After the last hint a student may ask for `solution("7.4")`; nothing is counted against
anybody.

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
        if then := _to_show(lesson.cells, each.id):
            lines.append(f"\nShow then: {then}.")
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


def _to_show(cells: Iterable[Cell], exercise: str) -> str:
    """Return what a teacher goes back to: the nearest picture above the exercise, else a print."""
    seen, printed, drawn = {}, "", ""
    for title, held in _sections(cells):
        for cell in held:
            if cell.exercise == exercise:
                return drawn or printed
            if cell.kind == "code" and not cell.exercise and not cell.check:
                call = _picture(cell.text, seen)
                drawn = f'`{call}()` in "{title}"' if call else drawn
                if last := re.search(r"^(?:print\(.*\)|[a-z_.]+)\Z", cell.text, re.MULTILINE):
                    printed = f'`{last[0]}` in "{title}"'
    return ""


def _picture(code: str, seen: dict[str, str]) -> str:
    """Return the last call in a cell that draws or is shown, "" where there is none.

    `seen` has the names that the cells above gave to views, and gets this cell's.
    """
    found = ""
    for line in ast.parse(re.sub(r"^[!%].*", "", code, flags=re.MULTILINE)).body:
        if isinstance(line, ast.ImportFrom) and (line.module or "").startswith("course_lib.views"):
            seen |= {each.asname or each.name: each.asname or each.name for each in line.names}
        value = getattr(line, "value", None)
        if not isinstance(value, ast.Call):
            continue
        called = ast.unparse(value.func)
        if called.endswith(".show"):
            of = value.func.value
            called = ast.unparse(of.func if isinstance(of, ast.Call) else of)
        first = called.partition(".")[0]
        if isinstance(line, ast.Assign) and first in seen:
            seen |= {ast.unparse(target): called for target in line.targets}
        elif isinstance(line, ast.Expr) and first in seen:
            found = seen[first] + called.removeprefix(first)
    return found


def _mistakes(exercise: core.Exercise) -> Iterator[tuple[str, str]]:
    """Yield each hint once, with the answer that it belongs to where that is short and plain."""
    seen = set()
    for answer, hint in exercise.mistakes:
        plain = isinstance(answer, (bool, int, float, str)) and len(repr(answer)) <= 40
        value = f"{answer:.6g}" if isinstance(answer, float) else repr(answer)
        value = value if plain else _body(answer, exercise.ask)
        shown = f"`{value}`: " if value else ""
        if (shown, hint) not in seen:
            yield shown, hint
        seen.add((shown, hint))


def _body(answer: object, ask: str) -> str:
    """Return what a short lambda returns, in the names that `ask` gives its arguments.

    Nothing where it says less than its hint: other helpers, other variables, a long one.
    """
    names = re.match(r"\w+\((.+?)\)", ask)
    if not isinstance(answer, FunctionType) or answer.__closure__ or not names:
        return ""
    line = answer.__code__.co_firstlineno
    found = [each for each in _lambdas(inspect.getmodule(answer)) if each.lineno == line]
    if len(found) != 1 or found[0].args.defaults or found[0].args.kwonlyargs:
        return ""
    given = dict(zip(answer.__code__.co_varnames, names[1].split(", "), strict=False))
    body = copy.deepcopy(found[0].body)
    for each in ast.walk(body):
        if isinstance(each, ast.Name):
            each.id = given.get(each.id, each.id)
    code = ast.unparse(body)
    return "" if len(code) > _LONGEST or re.search(r"\b_[a-z]", code) else code


@functools.cache
def _lambdas(module: ModuleType) -> list[ast.Lambda]:
    """Return every lambda of a module's source."""
    tree = ast.parse(inspect.getsource(module))
    return [each for each in ast.walk(tree) if isinstance(each, ast.Lambda)]
