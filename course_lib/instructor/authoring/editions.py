"""Make a lesson's two notebooks, not yet executed: the student and the reference edition.

Around a lesson's own cells stand the set-up cell, the badge and the links to its neighbours; where
a solution was, a student finds what to start from.
"""

import ast
import json
import re
import textwrap
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.instructor.authoring import slides
from course_lib.instructor.authoring.source import BEGIN, END, Cell, Lesson

LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"}
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
_SOLUTION = re.compile(rf"^[ \t]*{BEGIN}[ \t]*\n(.*?)^[ \t]*{END}[ \t]*$", re.MULTILINE | re.DOTALL)
_SOLVED = (
    "**This is the solved edition**, executed with its outputs: for instructors and for grading. "
    "Students work in [{name}.ipynb](../{name}.ipynb)."
)
_SETUP = '''\
#@title Run this cell first
import importlib.util, pathlib, subprocess, sys

folders = [pathlib.Path.cwd(), *pathlib.Path.cwd().parents]
clones = [str(f) for f in folders if (f / "course_lib/cli.py").exists()]
if importlib.util.find_spec("course_lib") is None and clones:
    sys.path.insert(0, clones[0])
elif importlib.util.find_spec("course_lib") is None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps"]
    subprocess.run(pip + """
        course_lib@git+{repository}
        {adds}
    """.split(), check=True)
    importlib.invalidate_caches()

from course_lib import session
session.start("{number}")'''


@dataclass(frozen=True)
class Project:
    """The facts of pyproject.toml that notebooks and documents repeat."""

    repository: str
    branch: str
    colab_adds: tuple[str, ...]

    def page(self, path: str) -> str:
        """Return the address at which a file of the project is read, from Colab as well."""
        return f"{self.repository}/blob/{self.branch}/{path}"

    def colab(self, lesson: Lesson) -> str:
        """Return the address that opens a lesson in Colab."""
        place = self.repository.replace("github.com", "colab.research.google.com/github", 1)
        return f"{place}/blob/{self.branch}/notebooks/{lesson.name}.ipynb"


def read_project(root: Path) -> Project:
    """Read the project's facts from the pyproject.toml in `root`."""
    facts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    workbook = facts["tool"]["workbook"]
    repository = facts["project"]["urls"]["Repository"]
    return Project(repository, workbook["branch"], tuple(workbook["colab_adds"]))


def edition(lesson: Lesson, lessons: list[Lesson], facts: Project, solved: bool) -> NotebookNode:
    """Return a lesson's notebook without outputs: with solutions if `solved`, else with stubs."""
    checks = {cell.check: cell.text for cell in lesson.cells if cell.check}
    cells = []
    for cell, slide in zip(lesson.cells, slides.types(lesson.cells), strict=True):
        text = cell.text if cells else _header(lesson, lessons, facts, solved)
        if cell.kind == "setup":
            text = setup_code(lesson, facts)
        elif cell.exercise:
            needed = checks[cell.exercise]
            text = without_markers(text) if solved else without_solutions(text, needed)
        cells.append(_node(cell, text, slide))
        if solved and (cell.holds or cell.given):
            cells[-1].metadata |= {"holds": list(cell.holds), "given": list(cell.given)}
    if onward := _onward(lesson, lessons, facts):
        cells.append(new_markdown_cell(onward, id="onward"))
    metadata = {
        "kernelspec": _KERNEL,
        "language_info": LANGUAGE,
        "workbook": {"edition": "reference" if solved else "student"},
    }
    notebook = new_notebook(cells=cells, metadata=metadata)
    notebook.nbformat_minor = 5  # the first in which cells have ids
    return notebook


def serialized(notebook: NotebookNode) -> str:
    """Return a notebook as the text that is committed: sorted keys, one space, one last newline."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT, indent=1).rstrip("\n") + "\n"


def setup_code(lesson: Lesson, facts: Project) -> str:
    """Return the set-up cell: find course_lib installed or in a clone, else install it with pip."""
    adds = "\n        ".join(requirement.replace(" ", "") for requirement in facts.colab_adds)
    return _SETUP.format(repository=facts.repository, adds=adds, number=lesson.number)


def lesson_table(lessons: list[Lesson], facts: Project) -> str:
    """Return the README's table of lessons, in markdown."""
    lines = ["| lesson | minutes | the question | |", "|---|---|---|---|"]
    for lesson in lessons:
        link, badge = _link(lesson, "notebooks/"), _badge(lesson, facts)
        link = f"*further:* {link}" if lesson.further else link
        lines.append(f"| {link} | {lesson.minutes} | {lesson.question} | {badge} |")
    return "\n".join(lines)


def worked(lessons: list[Lesson]) -> str:
    """Return every exercise's solution by its id, as JSON."""
    cells = [cell for lesson in lessons for cell in lesson.cells if cell.exercise]
    texts = {cell.exercise: without_markers(cell.text).partition("\n")[2] for cell in cells}
    return json.dumps(texts, indent=1, ensure_ascii=False) + "\n"


def without_markers(text: str) -> str:
    """Return `text` with its solutions and without the lines that mark them."""
    return "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))


def without_solutions(text: str, needed: str = "") -> str:
    """Return `text` with every marked solution replaced by what a student starts from.

    Inside a function that is `...`. At the top level, each name that the solution binds and that
    occurs in `needed` (the source of the check cell) stays bound: `name = ...`, or a signature
    with `...` as its body.
    """
    return _SOLUTION.sub(lambda part: "\n".join(_stub(part[1].splitlines(), needed)), text)


def _header(lesson: Lesson, lessons: list[Lesson], facts: Project, solved: bool) -> str:
    """Return the first cell: badge and neighbours or that it is solved, and the minutes."""
    title, _, rest = lesson.cells[0].text.partition("\n")
    before, after = _neighbours(lesson, lessons)
    line = [_badge(lesson, facts), f"[words in bold]({facts.page('docs/glossary.md')})"]
    back = "*further than* " if lesson.further else "← "
    line += [f"{back}{_link(before)}"] if before else []
    line += [f"{_link(after)} →"] if after else []
    below = _SOLVED.format(name=lesson.name) if solved else " · ".join(line)
    rest = rest.strip("\n").replace("{minutes}", str(lesson.minutes))
    return "\n\n".join([title, below, rest])


def _badge(lesson: Lesson, facts: Project) -> str:
    return f"[![Open in Colab]({_BADGE})]({facts.colab(lesson)})"


def _link(lesson: Lesson, folder: str = "") -> str:
    return f"[{lesson.number} {lesson.title}]({folder}{lesson.name}.ipynb)"


def _neighbours(lesson: Lesson, lessons: list[Lesson]) -> tuple[Lesson | None, Lesson | None]:
    """Return the lessons before and after on the way; before a further one, its chapter's."""
    way = [other for other in lessons if not other.further]
    before = [other for other in way if other.chapter <= lesson.chapter and other is not lesson]
    after = [other for other in way if other.chapter > lesson.chapter]
    return (before[-1] if before else None), (after[0] if after else None)


def _onward(lesson: Lesson, lessons: list[Lesson], facts: Project) -> str:
    """Return what a lesson ends with: the next one, and those that go further than it."""
    _, after = _neighbours(lesson, lessons)
    further = [other for other in lessons if other.chapter == lesson.chapter and other.further]
    further = [other for other in further if other.number > lesson.number]
    ways = [("Next", after)] * bool(after) + [("Further, if you like", other) for other in further]
    return "\n\n".join(
        f"{said}: {_link(other)}, or [open it in Colab]({facts.colab(other)})."
        for said, other in ways
    )


def _node(cell: Cell, text: str, slide: str | None) -> NotebookNode:
    """Return the notebook cell of `cell`, with `text` as its source, on what kind of slide."""
    metadata: dict = {}
    if slide:
        metadata["slideshow"] = {"slide_type": slide}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if cell.exercise:
        metadata |= {"exercise": cell.exercise, "points": cell.points}
    if cell.check:
        metadata |= {"check": cell.check, "deletable": False}
    if cell.kind == "setup":
        # Colab then shows its title only, JupyterLab three dots.
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    make = new_markdown_cell if cell.kind == "markdown" else new_code_cell
    return make(text, id=cell.id, metadata=metadata)


def _stub(solution: list[str], needed: str) -> list[str]:
    first = next((line for line in solution if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    wanted = {node.id for node in ast.walk(_parsed(needed)) if isinstance(node, ast.Name)}
    lines: list[str] = []
    for statement in _parsed("\n".join(solution)).body if not indent else []:
        lines.extend(_bound(statement, wanted))
    return list(dict.fromkeys(lines)) or [f"{indent}..."]


def _bound(statement: ast.stmt, wanted: set[str]) -> list[str]:
    """Return lines that bind the wanted names of one top-level statement to `...`."""
    if isinstance(statement, ast.FunctionDef) and statement.name in wanted:
        return [f"def {statement.name}({ast.unparse(statement.args)}):", "    ..."]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    nodes = [node for target in targets for node in ast.walk(target)]
    return [
        f"{node.id} = ..." for node in nodes if isinstance(node, ast.Name) and node.id in wanted
    ]


def _parsed(code: str) -> ast.Module:
    """Parse `code`, less its indentation and the lines that only IPython understands."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return ast.parse(textwrap.dedent("\n".join(lines)))
