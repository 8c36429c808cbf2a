"""Write the notebooks and the generated tables, or tell which of them are out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from nbclient.exceptions import CellExecutionError, CellTimeoutError

from course_lib.instructor.authoring import pictures
from course_lib.instructor.authoring.editions import edition, serialized
from course_lib.instructor.authoring.execute import executed
from course_lib.instructor.authoring.frame import (
    between_markers,
    lesson_table,
    module_table,
    project,
)
from course_lib.instructor.authoring.source import Lesson, SourceError, read, sources
from course_lib.session import write_atomically

_ROOT = Path(__file__).resolve().parents[3]


def lessons(root: Path = _ROOT, strict: Iterable[str] = ()) -> list[Lesson]:
    """Read all lessons of the project in `root`, in order.

    Only those with a number in `strict` (all where empty) have to be complete: the others are
    neighbours to link to.
    """
    strict = set(strict)
    paths = sources(root / "notebooks" / "source")
    return [read(path, strict=not strict or path.name[:2] in strict) for path in paths]


def build(
    numbers: Iterable[str] = (),
    *,
    student_only: bool = False,
    jobs: int = 2,
    root: Path = _ROOT,
    report: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Write the notebooks of the lessons `numbers`; of all, and the documents' tables, where empty.

    `report` is called with each path, relative to `root`, as it is written. Pictures for the
    documents are taken along (pictures.py). Returns the paths that changed. Raises SourceError for
    a broken source or a cell that fails, ValueError for a number that no lesson has.
    """
    numbers = set(numbers)
    every = lessons(root, numbers)
    chosen = _chosen(every, numbers)
    contents = {} if numbers else _texts(every, root)
    contents |= {_path(lesson, False, root): _student(lesson, every, root) for lesson in chosen}
    changed = [_write(path, content, root, report) for path, content in contents.items()]
    if not student_only:
        changed += asyncio.run(_execute(chosen, every, root, jobs, report))
    return [path for path in changed if path is not None]


def check(root: Path = _ROOT) -> list[str]:
    """Return one sentence for each committed file that is not what the sources would give.

    Students' notebooks and tables are compared as a whole, reference notebooks less their outputs.
    """
    every = lessons(root)
    expected = _texts(every, root)
    expected |= {_path(lesson, False, root): _student(lesson, every, root) for lesson in every}
    complaints = [
        f"{path.relative_to(root)} is not what its source gives: run `make notebooks`."
        for path, content in expected.items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]
    for lesson in every:
        path = _path(lesson, True, root)
        bare = serialized(edition(lesson, every, project(root), solved=True))
        if not path.exists() or _without_outputs(path.read_text(encoding="utf-8")) != bare:
            complaints.append(
                f"{path.relative_to(root)} was built from another source: run `make notebooks`."
            )
    return complaints + _strays(every, root)


def _chosen(every: list[Lesson], numbers: set[str]) -> list[Lesson]:
    """Return the lessons with these numbers, all of them where there is no number."""
    if unknown := numbers - {lesson.number for lesson in every}:
        raise ValueError(f"There is no lesson {min(unknown)} in notebooks/source.")
    return [lesson for lesson in every if not numbers or lesson.number in numbers]


def _path(lesson: Lesson, solved: bool, root: Path) -> Path:
    """Return where a lesson's notebook is written."""
    folder = root / "notebooks" / ("reference" if solved else "")
    return folder / f"{lesson.name}.ipynb"


def _student(lesson: Lesson, every: list[Lesson], root: Path) -> str:
    """Return the text of a lesson's student edition."""
    return serialized(edition(lesson, every, project(root), solved=False))


async def _execute(
    chosen: list[Lesson], every: list[Lesson], root: Path, jobs: int, report: Callable[[str], None]
) -> list[Path | None]:
    """Write each reference edition as soon as it is there; stop at the first that fails."""
    gate = asyncio.Semaphore(jobs)

    async def one(lesson: Lesson) -> Path | None:
        async with gate:
            text = await _reference(lesson, every, root)
        pictures.write(text, root / "docs")
        return _write(_path(lesson, True, root), text, root, report)

    return await asyncio.gather(*(one(lesson) for lesson in chosen))


async def _reference(lesson: Lesson, every: list[Lesson], root: Path) -> str:
    """Execute a lesson's reference edition and return its text."""
    folder = _path(lesson, True, root).parent
    folder.mkdir(parents=True, exist_ok=True)
    notebook = edition(lesson, every, project(root), solved=True)
    try:
        return serialized(await executed(notebook, folder))
    except (CellExecutionError, CellTimeoutError) as error:
        raise SourceError(f"{lesson.name}: a cell fails.\n{error}") from None


def _texts(every: list[Lesson], root: Path) -> dict[Path, str]:
    """Return the documents with their generated tables filled in."""
    texts = {}
    for name in ("README.md", "CONTRIBUTING.md"):
        path = root / name
        if path.exists():
            text = path.read_text(encoding="utf-8")
            text = between_markers(text, "lessons", lesson_table(every, project(root)))
            texts[path] = between_markers(text, "modules", module_table(root / "course_lib"))
    return texts


def _write(path: Path, content: str, root: Path, report: Callable[[str], None]) -> Path | None:
    """Write `content` where it differs from what is there; return the path if so."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return None
    write_atomically(path, content)
    report(str(path.relative_to(root)))
    return path


def _without_outputs(text: str) -> str:
    """Return a notebook's text as if it had never been executed."""
    import nbformat

    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return serialized(notebook)


def _strays(every: list[Lesson], root: Path) -> list[str]:
    """Return a sentence for each notebook that no source gives."""
    folders = (root / "notebooks", root / "notebooks" / "reference")
    names = {lesson.name for lesson in every}
    found = [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]
    return [
        f"{path.relative_to(root)} has no source in notebooks/source: remove it."
        for path in found
        if path.stem not in names
    ]
