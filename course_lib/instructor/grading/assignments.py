"""Build nbgrader or Otter assignments from the lessons' own sources, for those who use these.

In either, a check cell that says "not tried" passes; so each test asks for a right answer with
`course_lib.exercises.require`, on inputs drawn anew. Students need course_lib installed as always.
"""

import json
from pathlib import Path

from course_lib.instructor.authoring import editions
from course_lib.instructor.authoring.source import BEGIN, END, Cell, Lesson, read, sources
from course_lib.session import write_atomically

KINDS = ("nbgrader", "otter")
_NBGRADER_CONFIG = '''"""nbgrader for this workbook: run nbgrader in this folder."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "workbook"
c.CourseDirectory.root = {root!r}
c.ClearSolutions.begin_solution_delimeter = "{begin}"
c.ClearSolutions.end_solution_delimeter = "{end}"
c.ClearSolutions.code_stub = {{"python": "..."}}
c.ExecutePreprocessor.timeout = 300
'''


def write_assignments(
    kind: str, out: Path, root: Path, chosen: tuple[str, ...] = (), folder: Path | None = None
) -> list[Path]:
    """Write assignments of the lessons in `folder` (default: those of the clone at `root`).

    `chosen` names lessons by their two digits, all by default. For nbgrader, `out` becomes a course
    folder with `source/<lesson>/`; for Otter it holds `<lesson>/<lesson>.ipynb`, ready for
    `otter assign`. Returns the notebooks. Raises ValueError for an unknown kind or lesson.
    """
    if kind not in KINDS:
        raise ValueError(f"There is no export for {kind!r}: choose one of {', '.join(KINDS)}.")
    folder = folder or root / "notebooks" / "source"
    lessons = [read(path) for path in sources(folder)]
    if unknown := set(chosen) - {each.number for each in lessons}:
        raise ValueError(f"There is no lesson {min(unknown)} in {folder}.")
    facts = editions.read_project(root)
    make = nbgrader_notebook if kind == "nbgrader" else otter_notebook
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    written = []
    for lesson in lessons:
        if (chosen and lesson.number not in chosen) or not any(c.exercise for c in lesson.cells):
            continue
        place = out / "source" / lesson.name if kind == "nbgrader" else out / lesson.name
        setup = editions.setup_code(lesson, facts)
        tree = {
            "cells": make(lesson, setup),
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        text = json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
        written.append(write_atomically(place / f"{lesson.name}.ipynb", text))
    if kind == "nbgrader":
        config = _NBGRADER_CONFIG.format(root=str(out.resolve()), begin=BEGIN, end=END)
        write_atomically(out / "nbgrader_config.py", config)
    return written


def nbgrader_notebook(lesson: Lesson, setup: str) -> list[dict]:
    """Return the cells of nbgrader's source version: answers and tests in its metadata."""
    cells = []
    for cell in lesson.cells:
        if cell.exercise:
            grading = {"grade": False, "solution": True, "locked": False}
            cells.append(_cell(cell, _with_stub(cell, _check(lesson, cell).text), grading))
        elif cell.check:
            grading = {"grade": True, "solution": False, "locked": True}
            asked = next(each for each in lesson.cells if each.exercise == cell.check)
            grading["points"] = asked.points or 0
            hidden = f"### BEGIN HIDDEN TESTS\n{_demand(cell)}\n### END HIDDEN TESTS"
            cells.append(_cell(cell, f"{cell.text}\n{hidden}", grading))
        else:
            cells.append(_cell(cell, setup if cell.kind == "setup" else cell.text))
    return cells


def otter_notebook(lesson: Lesson, setup: str) -> list[dict]:
    """Return the cells of `otter assign`'s master notebook: each exercise is one question."""
    config = (
        '# ASSIGNMENT CONFIG\nname: "' + lesson.name + '"\ninit_cell: false\n'
        "export_cell: false\nsolutions_pdf: false\ntemplate_pdf: false\ngenerate: true"
    )
    cells = [_raw("config", config)]
    for cell in lesson.cells:
        if cell.exercise:
            name = f"q{cell.exercise.replace('.', '_')}"
            check = _check(lesson, cell)
            config = f"# BEGIN TEST CONFIG\nhidden: true\npoints: {cell.points}"
            test = f'""" {config}\n""" # END TEST CONFIG\n{_demand(check)}'
            cells += [
                _raw(f"{cell.id}-a", f"# BEGIN QUESTION\nname: {name}\npoints: {cell.points}"),
                _raw(f"{cell.id}-b", "# BEGIN SOLUTION"),
                _cell(cell, _in_otters_words(cell, check.text)),
                _raw(f"{cell.id}-c", "# END SOLUTION"),
                _raw(f"{cell.id}-d", "# BEGIN TESTS"),
                _code(f"{cell.id}-e", test),
                _raw(f"{cell.id}-f", "# END TESTS"),
                _raw(f"{cell.id}-g", "# END QUESTION"),
            ]
        else:
            cells.append(_cell(cell, setup if cell.kind == "setup" else cell.text))
    return cells


def _demand(check: Cell) -> str:
    """Return code that raises unless the answer of a check cell is right."""
    line = next(line for line in check.text.splitlines() if line.startswith("check("))
    return f"from course_lib.exercises import require\n{line.replace('check(', 'require(', 1)}"


def _check(lesson: Lesson, exercise: Cell) -> Cell:
    return next(cell for cell in lesson.cells if cell.check == exercise.exercise)


def _with_stub(cell: Cell, needed: str) -> str:
    """Return an answer's cell in which, once its solution is cleared, the name is still bound."""
    before, marker, rest = cell.text.partition(BEGIN)
    if not marker or before.rsplit("\n", 1)[-1].strip() or before.endswith((" ", "\t")):
        return cell.text  # inside a function, whose head stays
    stub = editions.without_solutions(f"{BEGIN}{rest}", needed)
    return f"{before}{stub}\n{BEGIN}{rest}" if stub.strip() != "..." else cell.text


def _in_otters_words(cell: Cell, needed: str) -> str:
    """Return an answer's cell with Otter's markers: the solution, and the stub as its prompt."""
    stub = editions.without_solutions(cell.text, needed)
    solved = editions.without_markers(cell.text)
    return (
        f'""" # BEGIN PROMPT\n{stub}\n""" # END PROMPT\n# BEGIN SOLUTION NO PROMPT\n{solved}\n'
        "# END SOLUTION"
    )


def _cell(cell: Cell, text: str, grading: dict | None = None) -> dict:
    """Return a notebook cell, with nbgrader's metadata if it has a part in grading."""
    if cell.kind == "markdown":
        return {"cell_type": "markdown", "id": cell.id, "metadata": {}, "source": text}
    code = _code(cell.id, text)
    if cell.tags:
        code["metadata"]["tags"] = list(cell.tags)
    if grading is not None:
        kind = {"grade_id": cell.id, "schema_version": 3, "cell_type": "code", "task": False}
        code["metadata"]["nbgrader"] = kind | grading
    return code


def _code(identifier: str, text: str) -> dict:
    return {**_raw(identifier, text), "cell_type": "code", "outputs": [], "execution_count": None}


def _raw(identifier: str, text: str) -> dict:
    # 64 characters are all that nbformat lets an id have.
    return {"cell_type": "raw", "id": identifier[:64], "metadata": {}, "source": text}
