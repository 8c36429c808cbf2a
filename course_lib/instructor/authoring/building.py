"""Write the notebooks and what is made of them for the documents, or tell what is out of date."""

import asyncio
import base64
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.instructor.authoring import editions, glossary, prose, teaching
from course_lib.instructor.authoring.editions import serialized
from course_lib.instructor.authoring.source import Lesson, SourceError, read, sources
from course_lib.session import write_atomically

_ROOT = Path(__file__).resolve().parents[3]
_PICTURE = "picture-"  # the tag picture-dashboard on a cell names the file docs/dashboard.png
_OPENS = "opens"  # the tag of a cell whose output a student sees before any cell has run
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
_CELL_TIMEOUT_SECONDS = 900  # building may go on beside other work; tests are stricter


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
    execute: bool = True,
    jobs: int = 2,
    root: Path = _ROOT,
    report: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Write the notebooks of the lessons `numbers`, or all, and what is made of all lessons.

    That is the documents' tables, words and hints, and what `solution` shows. Where nothing is
    to be executed, a reference edition keeps its outputs and gets what no output depends on: prose,
    metadata, and the set-up cell; one whose other code has changed stays as it was.
    `report` is called with each path, relative to `root`, as it is written. Pictures for the
    documents are taken along. Returns the paths that changed. Raises SourceError for a broken
    source or a cell that fails, ValueError for a number that no lesson has.
    """
    numbers = set(numbers)
    every = lessons(root, numbers)
    if unknown := numbers - {lesson.number for lesson in every}:
        raise ValueError(f"There is no lesson {min(unknown)} in notebooks/source.")
    chosen = [lesson for lesson in every if not numbers or lesson.number in numbers]
    contents = _of_all(every, root)
    if not execute:
        contents |= _reworded(chosen, every, root)
    contents |= _student_editions(chosen, every, root)
    changed = [_write(path, content, root, report) for path, content in contents.items()]
    if execute:
        changed += asyncio.run(_execute(chosen, every, root, jobs, report))
        opened = _student_editions(chosen, every, root)  # with what was just executed
        changed += [_write(path, content, root, report) for path, content in opened.items()]
    return [path for path in changed if path is not None]


def check(root: Path = _ROOT) -> list[str]:
    """Return one sentence for each committed file that is not what the sources would give.

    Students' notebooks and the documents are compared as a whole, reference notebooks less their
    outputs. A word that is used before it is explained is a complaint as well.
    """
    every = lessons(root)
    expected = _of_all(every, root) | _student_editions(every, every, root)
    complaints = [
        f"{path.relative_to(root)} is not what its source gives: run `make notebooks`."
        for path, content in expected.items()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]
    for lesson in every:
        path = _path(lesson, True, root)
        bare = serialized(_edition(lesson, every, root, solved=True))
        if not path.exists() or _without_outputs(path.read_text(encoding="utf-8")) != bare:
            complaints.append(
                f"{path.relative_to(root)} was built from another source: run `make notebooks`."
            )
    names = {lesson.name for lesson in every}
    complaints += glossary.used_before(every)
    return complaints + [
        f"{path.relative_to(root)} has no source in notebooks/source: remove it."
        for folder in ("notebooks", "notebooks/reference")
        for path in sorted((root / folder).glob("*.ipynb"))
        if path.stem not in names
    ]


def normalized(notebook: NotebookNode) -> NotebookNode:
    """Take out of a notebook's outputs what differs between two runs and is compared by nobody.

    These are the random ids of widget views, and where one stream was split into messages.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
            for output in cell.outputs:
                output.get("data", {}).pop(_WIDGET_VIEW, None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = dict(editions.LANGUAGE)
    return notebook


def between_markers(text: str, marker: str, content: str) -> str:
    """Return `text` with what stands between `<!-- marker -->` and `<!-- /marker -->` replaced."""
    opening, closing = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    if opening not in text or closing not in text:
        return text
    before, _, rest = text.partition(opening)
    _, _, after = rest.partition(closing)
    return f"{before}{opening}\n{content}\n{closing}{after}"


def pictures(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of each cell in a notebook's `text` that is tagged `picture-<name>`.

    Raises ValueError where a tagged cell shows no picture.
    """
    for cell in nbformat.reads(text, as_version=nbformat.NO_CONVERT).cells:
        encoded = [output.get("data", {}).get("image/png") for output in cell.get("outputs", ())]
        for tag in cell.metadata.get("tags", ()):
            if tag.startswith(_PICTURE):
                if not any(encoded):
                    problem = f"The cell tagged {tag} shows no picture"
                    raise ValueError(f"{problem}: move the tag, or show one.")
                yield tag.removeprefix(_PICTURE), base64.b64decode(next(filter(None, encoded)))


def write_pictures(text: str, folder: Path) -> None:
    """Write the pictures of a notebook's `text` to `folder`, as <name>.png."""
    for name, png in pictures(text):
        write_atomically(folder / f"{name}.png", png)


def _path(lesson: Lesson, solved: bool, root: Path) -> Path:
    return root / "notebooks" / ("reference" if solved else "") / f"{lesson.name}.ipynb"


def _edition(lesson: Lesson, every: list[Lesson], root: Path, solved: bool) -> NotebookNode:
    return editions.edition(lesson, every, editions.read_project(root), solved)


def _student_editions(chosen: list[Lesson], every: list[Lesson], root: Path) -> dict[Path, str]:
    """Return where each lesson's student edition is written, and its text."""
    contents = {}
    for lesson in chosen:
        notebook = _edition(lesson, every, root, solved=False)
        opening = [cell for cell in notebook.cells if _OPENS in cell.metadata.get("tags", ())]
        _show(opening, _path(lesson, True, root))
        contents[_path(lesson, False, root)] = serialized(notebook)
    return contents


def _reworded(chosen: list[Lesson], every: list[Lesson], root: Path) -> dict[Path, str]:
    """Return the reference editions whose code is as it was executed, with today's prose."""
    contents = {}
    for lesson in chosen:
        path, notebook = _path(lesson, True, root), _edition(lesson, every, root, solved=True)
        if path.exists() and _code(_read(path), lesson) == _code(notebook, lesson):
            _show(_code_cells(notebook), path)
            contents[path] = serialized(notebook)
    return contents


def _code(notebook: NotebookNode, lesson: Lesson) -> list[tuple[str, str]]:
    """Return the ids and texts of the cells whose code decides what a lesson prints."""
    setup = {cell.id for cell in lesson.cells if cell.kind == "setup"}
    return [(each.id, each.source) for each in _code_cells(notebook) if each.id not in setup]


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def _show(cells: list[NotebookNode], reference: Path) -> None:
    """Give cells what they showed in the reference edition, if that has been executed.

    Their numbers come along: nbval refuses outputs of a cell that says it was never run.
    """
    if not cells or not reference.exists():
        return
    executed = {each.id: each for each in _read(reference).cells}
    for cell in cells:
        if there := executed.get(cell.id):
            cell.outputs, cell.execution_count = there.outputs, there.execution_count


async def _execute(
    chosen: list[Lesson], every: list[Lesson], root: Path, jobs: int, report: Callable[[str], None]
) -> list[Path | None]:
    """Write each reference edition as soon as it is there; stop at the first that fails."""
    gate = asyncio.Semaphore(jobs)

    async def one(lesson: Lesson) -> Path | None:
        async with gate:
            text = await _reference(lesson, every, root)
        write_pictures(text, root / "docs")
        return _write(_path(lesson, True, root), text, root, report)

    return await asyncio.gather(*(one(lesson) for lesson in chosen))


async def _reference(lesson: Lesson, every: list[Lesson], root: Path) -> str:
    """Execute a lesson's reference edition as nbval will, and return its text."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    folder = _path(lesson, True, root).parent
    folder.mkdir(parents=True, exist_ok=True)
    client = NotebookClient(
        _edition(lesson, every, root, solved=True),
        timeout=_CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,  # times would differ in every run
        store_widget_state=False,
        extra_arguments=["--log-level=40"],
    )
    client.on_cell_start = partial(_verified, client, lesson.name)
    # ipykernel treats what C code prints differently under pytest, where nbval runs it.
    environment = {**os.environ, "PYTEST_CURRENT_TEST": "authoring", "PYTHONHASHSEED": "0"}
    try:
        notebook = await client.async_execute(env=environment)
    except (CellExecutionError, CellTimeoutError) as error:
        raise SourceError(f"{lesson.name}: a cell fails.\n{error}") from None
    if unfounded := prose.missing(notebook):
        raise SourceError(f"{lesson.name}: numbers without ground.\n" + "\n".join(unfounded))
    return serialized(normalized(notebook))


async def _verified(client: Any, name: str, cell: NotebookNode, cell_index: int) -> None:
    """Evaluate a markdown cell's claims in the kernel, where the cell stands, unseen by history."""
    if not (call := prose.call(cell)):
        return
    asked = client.kc.execute("", silent=True, user_expressions={"holds": call})
    while True:
        reply = await client.kc.get_shell_msg(timeout=_CELL_TIMEOUT_SECONDS)
        if reply["parent_header"].get("msg_id") == asked:
            break
    answer = reply["content"]["user_expressions"]["holds"]
    if answer["status"] != "ok":
        raise SourceError(f"{name}, cell {cell.id}: {answer['evalue']}")


def _of_all(every: list[Lesson], root: Path) -> dict[Path, str]:
    """Return the README with its table of lessons, the words, the solutions, where they lie."""
    readme, words = root / "README.md", root / "docs" / "glossary.md"
    worked = root / "course_lib" / "exercises" / "worked.json"
    contents = {worked: editions.worked(every), words: glossary.table(every)}
    contents = {path: text for path, text in contents.items() if path.parent.is_dir()}
    if (guide := root / "docs" / "teaching.md").exists():
        contents[guide] = teaching.page(every)
    if readme.exists():
        table = editions.lesson_table(every, editions.read_project(root))
        text = readme.read_text(encoding="utf-8")
        contents[readme] = between_markers(text, "lessons", table)
    return contents


def _write(path: Path, content: str, root: Path, report: Callable[[str], None]) -> Path | None:
    """Write `content` where it differs from what is there; return the path if so."""
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return None
    write_atomically(path, content)
    report(str(path.relative_to(root)))
    return path


def _without_outputs(text: str) -> str:
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return serialized(notebook)


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join consecutive messages of one stream into one output."""
    joined: list[NotebookNode] = []
    for output in outputs:
        name = output.get("name") if output.output_type == "stream" else None
        if name and joined and joined[-1].get("name") == name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined
