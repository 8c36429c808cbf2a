"""What is generated around a lesson: set-up cell, badge, links, and the documents' tables."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

from course_lib.instructor.authoring.source import Lesson

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
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

    def colab(self, lesson: Lesson) -> str:
        """Return the address that opens a lesson in Colab."""
        place = self.repository.removeprefix("https://github.com/")
        return (
            f"https://colab.research.google.com/github/{place}"
            f"/blob/{self.branch}/notebooks/{lesson.name}.ipynb"
        )


def project(root: Path) -> Project:
    """Read the project's facts from the pyproject.toml in `root`."""
    facts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    workbook = facts["tool"]["workbook"]
    return Project(
        repository=facts["project"]["urls"]["Repository"],
        branch=workbook["branch"],
        colab_adds=tuple(workbook["colab_adds"]),
    )


def setup_code(lesson: Lesson, facts: Project) -> str:
    """Return the set-up cell: find course_lib installed or in a clone, else install it with pip."""
    adds = "\n        ".join(requirement.replace(" ", "") for requirement in facts.colab_adds)
    return _SETUP.format(repository=facts.repository, adds=adds, number=lesson.number)


def header(lesson: Lesson, lessons: list[Lesson], facts: Project, solved: bool) -> str:
    """Return the first cell: under its title badge and neighbours, or that it is solved."""
    title, _, rest = lesson.cells[0].text.partition("\n")
    line = [f"[![Open in Colab]({_BADGE})]({facts.colab(lesson)})"]
    before, after = _neighbours(lesson, lessons)
    line += [f"← [{_label(before)}]({before.name}.ipynb)"] if before else []
    line += [f"[{_label(after)}]({after.name}.ipynb) →"] if after else []
    parts = [title, _SOLVED.format(name=lesson.name)] if solved else [title, " · ".join(line)]
    return "\n\n".join([*parts, rest.strip("\n")])


def footer(lesson: Lesson, lessons: list[Lesson], facts: Project) -> str:
    """Return the last cell: where to go on, here and in Colab; empty for the last lesson."""
    _, after = _neighbours(lesson, lessons)
    if after is None:
        return ""
    return (
        f"Next: [{_label(after)}]({after.name}.ipynb), or [open it in Colab]({facts.colab(after)})."
    )


def lesson_table(lessons: list[Lesson], facts: Project) -> str:
    """Return the README's table of lessons, in markdown."""
    lines = ["| lesson | minutes | the question | |", "|---|---|---|---|"]
    for lesson in lessons:
        badge = f"[![Open in Colab]({_BADGE})]({facts.colab(lesson)})"
        link = f"[{_label(lesson)}](notebooks/{lesson.name}.ipynb)"
        lines.append(f"| {link} | {lesson.minutes} | {lesson.question} | {badge} |")
    return "\n".join(lines)


def module_table(package: Path) -> str:
    """Return a markdown table of the package's modules and their docstrings' first lines."""
    lines = ["| module | what it does |", "|---|---|"]
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).with_suffix("").as_posix().removesuffix("/__init__")
        if name in ("__init__", "__main__") or name.endswith("/__main__"):
            continue
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        first = " ".join(words.split("\n\n")[0].split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {first} |")
    return "\n".join(lines)


def between_markers(text: str, marker: str, content: str) -> str:
    """Return `text` with what stands between `<!-- marker -->` and `<!-- /marker -->` replaced."""
    opening, closing = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    if opening not in text or closing not in text:
        return text
    before, _, rest = text.partition(opening)
    _, _, after = rest.partition(closing)
    return f"{before}{opening}\n{content}\n{closing}{after}"


def _label(lesson: Lesson) -> str:
    """Return how a lesson is named in a link."""
    return f"{lesson.number} {lesson.title}"


def _neighbours(lesson: Lesson, lessons: list[Lesson]) -> tuple[Lesson | None, Lesson | None]:
    """Return the lessons before and after `lesson`, None at the ends."""
    position = [other.name for other in lessons].index(lesson.name)
    before = lessons[position - 1] if position else None
    after = lessons[position + 1] if position + 1 < len(lessons) else None
    return before, after
