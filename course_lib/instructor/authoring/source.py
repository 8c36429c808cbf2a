"""Read a lesson's source, percent-format Python, into plain cells with stable, speaking ids."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from course_lib.instructor.authoring import prose

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_OPTIONS = {"exercise", "points", "check", "predict", "tags", "slide", "title"}
# What Jupytext notes about blank lines; it says nothing about the cell.
_JUPYTEXT_LEAVES = {"lines_to_next_cell", "lines_to_end_of_cell_marker"}
_SLIDES = {"slide", "subslide", "fragment", "skip", "notes"}


class SourceError(ValueError):
    """A lesson's source breaks a rule of the format; the message names the file and the cell."""


@dataclass(frozen=True)
class Cell:
    """One cell of a source: `kind` is "markdown", "code" or "setup".

    `holds` are the claims of a markdown cell, `given` its definitions.
    """

    kind: str
    text: str
    id: str
    slide: str | None = None
    tags: tuple[str, ...] = ()
    exercise: str | None = None
    points: int | None = None
    check: str | None = None
    holds: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesson:
    """A lesson's source: `number` is "07", `name` is the file name without its suffix.

    The second digit is its chapter's: 17 and 27 go further than 07, and no other needs them.
    """

    path: Path
    number: str
    name: str
    title: str
    question: str
    minutes: int
    cells: tuple[Cell, ...] = field(repr=False)

    @property
    def chapter(self) -> str:
        """The number of the lesson that begins the chapter, "07" for 17."""
        return f"0{self.number[1]}"

    @property
    def further(self) -> bool:
        """Whether the way on to the next chapter leaves this lesson out."""
        return self.number != self.chapter


def sources(folder: Path) -> list[Path]:
    """Return the lessons' source files in `folder`, chapter by chapter: 06, 16, 07, 17, 27."""
    return sorted(folder.glob("[0-9][0-9]_*.py"), key=lambda path: (path.name[1], path.name[0]))


def read(path: Path, *, strict: bool = True) -> Lesson:
    """Read the source at `path`; raise SourceError where it breaks a rule of the format.

    Not `strict` means that it need not be complete yet: no question, no check for an exercise.
    """
    import jupytext

    notebook = jupytext.read(path, fmt="py:percent")
    cells: list[Cell] = []
    seen: Counter[str] = Counter()
    for position, raw in enumerate(notebook.cells, start=1):
        where = f"{path.name}, cell {position}"
        if cell := _cell(raw.cell_type, raw.source.strip("\n"), dict(raw.metadata), where):
            seen[cell.id] += 1
            count = seen[cell.id]
            cells.append(cell if count == 1 else replace(cell, id=f"{cell.id}-{count}"))
    if strict:
        _verify(cells, path.name)
    head = cells[0].text if cells else "# "
    question = _question(head)
    if strict and "{minutes} minutes" not in head:
        problem = "the first cell must say '{minutes} minutes', which are computed."
        raise SourceError(f"{path.name}: {problem}")
    if strict and not question:
        raise SourceError(f"{path.name}: the first cell must ask the lesson's question.")
    return Lesson(
        path=path,
        number=path.name[:2],
        name=path.stem,
        title=head.splitlines()[0].removeprefix("# ").strip(),
        question=question,
        minutes=5 * math.ceil(minutes(cells) / 5),  # to the next five
        cells=tuple(cells),
    )


def _cell(kind: str, text: str, options: dict, where: str) -> Cell | None:
    """Turn one jupytext cell into a Cell, or into None where it is empty."""
    options = {key: value for key, value in options.items() if key not in _JUPYTEXT_LEAVES}
    if unknown := set(options) - _OPTIONS:
        raise SourceError(f"{where}: unknown option {sorted(unknown)[0]!r}.")
    slide = options.get("slide")
    if slide is not None and slide not in _SLIDES:
        raise SourceError(f"{where}: slide={slide!r} is none of {', '.join(sorted(_SLIDES))}.")
    if options.get("title") == "setup":
        return Cell("setup", "", "setup", slide="skip")
    text, holds, given = prose.parted(text) if kind == "markdown" else (text, (), ())
    if not text.strip():
        return None
    exercise, check = options.get("exercise"), options.get("check")
    if exercise and not re.match(rf"# Exercise {re.escape(exercise)}(?![\d.])", text):
        raise SourceError(f"{where}: the first line must begin with '# Exercise {exercise}'.")
    if kind == "markdown" and slide is None and re.match(r"##? ", text):
        slide = "slide"
    tags = tuple(options.get("tags", ()))
    points = int(options.get("points", 1)) if exercise else None
    identifier = _id(kind, text, options)
    return Cell(kind, text, identifier, slide, tags, exercise, points, check, holds, given)


def _id(kind: str, text: str, options: dict) -> str:
    """Return an id that speaks where there is something to say, else one made from the text."""
    for option, prefix in (("exercise", "ex"), ("check", "check"), ("predict", "predict")):
        if number := options.get(option):
            return f"{prefix}-{str(number).replace('.', '-')}"
    if kind == "code" and (compared := re.search(r"""\bcompare\(\s*["'](\d+\.\d+)["']""", text)):
        return f"compare-{compared[1].replace('.', '-')}"
    if kind == "markdown" and (heading := re.match(r"#+ (.+)", text)):
        slug = re.sub(r"[^a-z0-9]+", "-", heading[1].lower()).strip("-")
        if slug:
            return slug[:48].strip("-")  # nbformat allows 64, and a number may follow
    return f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def minutes(cells: Iterable[Cell]) -> float:
    """Return how long a reader takes for some cells.

    Two readers who did all lessons, and an expert who estimated them, agree with it: words at 170 a
    minute, lines of code at twelve, and so much for each cell by what there is to do in it.
    """
    total = 0.0
    for cell in cells:
        lines = sum(bool(line.strip()) for line in cell.text.splitlines())
        total += len(cell.text.split()) / 170 if cell.kind == "markdown" else lines / 12
        if cell.exercise:
            total += {1: 3, 2: 6}.get(cell.points or 1, 10)
        elif cell.id.startswith("predict-"):
            total += 0.8
        else:
            total += 2 if cell.kind == "code" and ".show(" in cell.text else 0.4
    return 0.8 * total


def _question(head: str) -> str:
    """Return the first sentence of the first cell that ends in a question mark."""
    body = " ".join(line for line in head.splitlines()[1:] if line.strip())
    # A sentence begins at the start, after the end of another one, or after a bold opening.
    sentence = re.search(r"(?:^|(?<=[.!:*]\s)|(?<=\*\*))([^.!?:*]+\?)", body)
    return sentence[1].strip(" *_") if sentence else ""


def _verify(cells: list[Cell], name: str) -> None:
    """Raise SourceError where the lesson as a whole breaks a rule of the format."""
    if not cells or cells[0].kind != "markdown" or not cells[0].text.startswith("# "):
        raise SourceError(f"{name}: the first cell must be markdown and start with '# Title'.")
    if [cell.kind for cell in cells].count("setup") != 1:
        raise SourceError(f"{name}: there must be exactly one '# %% setup' cell.")
    asked = [cell.exercise for cell in cells if cell.exercise]
    checked = [cell.check for cell in cells if cell.check]
    guessed = [cell.id[8:].replace("-", ".") for cell in cells if cell.id.startswith("predict-")]
    both = (asked, "exercise"), (checked, "check"), (asked + guessed, "exercise or prediction")
    for numbers, what in both:
        if twice := {number for number in numbers if numbers.count(number) > 1}:
            raise SourceError(f"{name}: {what} {min(twice)} occurs twice.")
    if unmatched := set(asked) ^ set(checked):
        raise SourceError(f"{name}: {min(unmatched)} lacks its exercise cell or its check cell.")
    for cell in cells:
        if cell.text.count(BEGIN) != cell.text.count(END):
            raise SourceError(f"{name}, cell {cell.id}: a solution marker lacks its other half.")
        if BEGIN in cell.text and not cell.exercise:
            raise SourceError(f"{name}, cell {cell.id}: a solution outside an exercise cell.")
