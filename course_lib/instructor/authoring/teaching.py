"""Write the teacher's page: for each lesson its timing, what to ask, and what wrong answers mean.

All of it is read from the lessons' sources and from the tables of the exercises.
"""

import ast
import functools
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from course_lib.exercises import core
from course_lib.instructor.authoring.source import Cell, Lesson, minutes

_PREDICT = re.compile(r"\*\*Predict\.\*\*\s*(.+?)(?=\n\s*\n|\Z)", re.DOTALL)


def page(lessons: Iterable[Lesson]) -> str:
    """Return the whole page as Markdown."""
    head = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
    return head + "".join(_lesson(lesson) for lesson in lessons)


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
    prose = "\n\n".join(cell.text for cell in lesson.cells if cell.kind == "markdown")
    if asks := _PREDICT.findall(prose):
        lines += ["\n**Ask before you run:**\n", *(f"- {' '.join(ask.split())}" for ask in asks)]
    for each in core.of_lesson(lesson.number):
        name, _, asks = each.ask.partition(":")
        lines.append(f"\n**{each.id}** `{name}`:{_plain(asks)}\n")
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


def _to_show(cells: Iterable[Cell], exercise: str) -> str:
    """Return what a teacher goes back to: the nearest picture above the exercise, else a print."""
    views, printed, drawn = {}, "", ""
    for title, held in _sections(cells):
        for cell in held:
            if cell.exercise == exercise:
                return drawn or printed
            for names in re.findall(r"^from course_lib\.views.* import (.+)", cell.text, re.M):
                views |= {(name := each.split()[-1]): name for each in names.split(",")}
            for name, view, rest in re.findall(r"^(\w+) = (\w+)([\w.]*)\(", cell.text, re.M):
                views |= {name: views[view] + rest} if view in views else {}
            for view, rest in re.findall(r"^(\w+)([\w.]*?)(?:\.show)?\(", cell.text, re.M):
                drawn = f'`{views[view]}{rest}()` in "{title}"' if view in views else drawn
            for last in re.findall(r"^(?:print\(.*\)|[a-z_.]+)\Z", cell.text, re.M):
                printed = f'`{last}` in "{title}"'
    return ""


def _mistakes(exercise: core.Exercise) -> list[tuple[str, str]]:
    """Return each hint once, with the answer that it belongs to where that is short and plain."""
    each = ((_shown(answer, exercise.ask), _plain(hint)) for answer, hint in exercise.mistakes)
    return list(dict.fromkeys(each))


def _plain(text: str) -> str:
    """Return a text in which the stars of a power, outside of code, are no marks of Markdown."""
    return re.sub(r"(`[^`]*`)|(?<=\w)\*\*(?=\w)", lambda found: found[1] or r"\*\*", text)


def _shown(answer: object, ask: str) -> str:
    """Return a short answer; of a function what it returns, in the names that `ask` has.

    Nothing where that says less than the hint: other helpers, other variables, a long one.
    """
    if isinstance(answer, (bool, int, float, str)):
        text = f"{answer:.6g}" if isinstance(answer, float) else repr(answer)
        return f"`{text}`: " if len(text) <= 40 else ""
    names = re.match(r"\w+\((.+?)\)", ask)
    if not inspect.isfunction(answer) or answer.__closure__ or not names:
        return ""
    code = answer.__code__
    found = [each for each in _lambdas(answer.__module__) if each.lineno == code.co_firstlineno]
    if len(found) != 1 or found[0].args.defaults:
        return ""
    given = dict(zip(code.co_varnames, names[1].split(", "), strict=False))
    body = ast.unparse(found[0].body)
    text = re.sub(r"\w+(?!')", lambda word: given.get(word[0], word[0]), body)
    return "" if len(text) > 60 or re.search(r"\b_[a-z]", text) else f"`{text}`: "


@functools.cache
def _lambdas(module: str) -> list[ast.Lambda]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return [each for each in ast.walk(tree) if isinstance(each, ast.Lambda)]
