"""Read a notebook that anybody may have made: old, damaged or hostile; find the answers in it.

An answer is found by its cell's id, else by its first line; what else was changed is noted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.instructor.grading import bounded
from course_lib.instructor.grading.course import Question, Reference, text_of

LARGEST_BYTES = 48 << 20  # room for outputs with many pictures and sounds
_LARGEST_CELL = 200_000  # characters: nobody types more
_MOST_CELLS = 10_000
_FIRST_LINE = re.compile(  # "# Exercise 7.2", perhaps with a remark in brackets after it
    r"^[ \t]*+#[ \t]*+Exercise[ \t]++(\d{1,2}\.\d{1,2})[ \t]*+(?:\(.*\))?[ \t]*+$", re.MULTILINE
)
_NAME = re.compile(r"(?<!\d)(\d\d)_[a-z][a-z_]+", re.IGNORECASE)
# nbval's own comments would let a wrong answer pass.
_MARKERS = re.compile(r"^([ \t]*#+[ \t]*)(NBVAL_|PYTEST_VALIDATE_)(\w+)[ \t]*$", re.MULTILINE)


class UnreadableError(ValueError):
    """Say in one sentence why a file is no notebook that can be graded."""


@dataclass(frozen=True)
class Cell:
    """What counts of one cell: its kind ("code" or another), every id it claims, and its text."""

    kind: str
    ids: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Answers:
    """The text of each answer's cell by exercise id, and what was noticed and ignored."""

    texts: Mapping[str, str]
    notes: tuple[str, ...]


def read_cells(data: bytes) -> tuple[Cell, ...]:
    """Return the cells of a notebook of format 3 or 4; raises UnreadableError for anything else.

    Line ends become newlines; bytes that are no UTF-8 become replacement characters; what is no
    cell is left out. Nothing is executed, validated or upgraded; it takes what `bounded` allows.
    """
    try:
        return bounded.call(_read_cells, data)
    except bounded.UnfinishedError as error:
        problem = f"The notebook could not be read {error}: clear the outputs of all cells."
        raise UnreadableError(problem) from None


def _read_cells(data: bytes) -> tuple[Cell, ...]:
    if len(data) > LARGEST_BYTES:
        allowed = f"{LARGEST_BYTES >> 20} are allowed: clear the outputs and hand it in again."
        raise UnreadableError(f"The file has {len(data) >> 20:,} MB and {allowed}")
    if not data.strip():
        raise UnreadableError("The file is empty.")
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if wide else "utf-8-sig", "replace")
    try:
        tree = json.loads(text, parse_int=lambda _: 0, parse_float=lambda _: 0.0)
    except RecursionError:
        raise UnreadableError("The file is nested too deeply to be a notebook.") from None
    except ValueError as error:
        raise UnreadableError(f"The file is no notebook, or a part of one ({error}).") from None
    cells = [each for each in _raw_cells(tree) if isinstance(each, dict)]
    if len(cells) > _MOST_CELLS:
        raise UnreadableError(f"The notebook has more than {_MOST_CELLS:,} cells.")
    return tuple(map(_cell, cells))


def lesson_of(cells: tuple[Cell, ...], name: str, lessons: Mapping[str, Reference]) -> str | None:
    """Return the two digits of the lesson that a notebook belongs to, None if it is none of ours.

    The exercises in it decide; only where there are none, the file's name.
    """
    by_cell = {each.cell: number for number in lessons for each in lessons[number].questions}
    votes: Counter[str] = Counter()
    for cell in cells:
        if cell.kind == "code":
            asked = _FIRST_LINE.findall(cell.text)
            votes.update(f"{int(each.split('.')[0]):02d}" for each in asked)
            votes.update(by_cell[each] for each in cell.ids if each in by_cell)
    numbers = [*(lesson for lesson, _ in votes.most_common()), *_NAME.findall(name)]
    return next((number for number in numbers if number in lessons), None)


def find_answers(cells: tuple[Cell, ...], reference: Reference) -> Answers:
    """Return the answers in `cells` to a lesson's questions, cleaned of nbval's comments."""
    try:
        return bounded.call(_find_answers, cells, reference)
    except bounded.UnfinishedError as error:
        return Answers({}, (f"The answers could not be looked for {error}.",))


def _find_answers(cells: tuple[Cell, ...], reference: Reference) -> Answers:
    texts: dict[str, str] = {}
    notes: list[str] = []
    code = [cell for cell in cells if cell.kind == "code"]
    sections = [section for cell in code for section in _sections(cell)]
    for question in reference.questions:
        text, note = _answer(question, sections)
        if text is not None:
            texts[question.id] = _MARKERS.sub(r"\1(\3)", text)
        if note:
            notes.append(note)
    return Answers(texts, (*notes, *_changes(cells, reference)))


def tried(answers: Mapping[str, str], reference: Reference) -> dict[str, str]:
    """Return the answers that differ from what was handed out."""
    stubs = {question.id: bare(question.stub) for question in reference.questions}
    return {
        name: text
        for name, text in answers.items()
        if name in stubs and bare(text) not in ("", stubs[name])
    }


def bare(text: str) -> str:
    """Return a text without blank lines and spaces at line ends."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _raw_cells(tree: object) -> list:
    tree = tree if isinstance(tree, dict) else {}
    if isinstance(tree.get("cells"), list):
        return tree["cells"]
    sheets = tree.get("worksheets")  # of format 3
    if not isinstance(sheets, list):
        raise UnreadableError("The file is JSON, but no notebook: it has no cells.")
    lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _cell(raw: dict) -> Cell:
    """Return what counts of a cell of either format."""
    kind = raw.get("cell_type")
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    text = source if isinstance(source, str) else ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")[:_LARGEST_CELL]
    text = text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair cannot travel
    metadata = raw.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    nbgrader = metadata.get("nbgrader")
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    claimed = (raw.get("id"), metadata.get("id"), grade_id)  # Colab moves ids into the metadata
    ids = tuple(each for each in claimed if isinstance(each, str))
    return Cell(kind if isinstance(kind, str) else "", ids, text)


@dataclass(frozen=True)
class _Section:
    """A code cell, or the part of merged cells that one first line begins."""

    ids: tuple[str, ...]
    exercise: str | None
    text: str


def _sections(cell: Cell) -> list[_Section]:
    """Cut a code cell before each first line of an exercise."""
    lines = list(_FIRST_LINE.finditer(cell.text))
    if len(lines) <= 1:
        return [_Section(cell.ids, lines[0][1] if lines else None, cell.text)]
    before = cell.text[: lines[0].start()]
    ends = [line.start() for line in lines[1:]] + [len(cell.text)]
    parts = [_Section((), None, before)] if before.strip() else []
    return parts + [
        _Section((), line[1], cell.text[line.start() : end])
        for line, end in zip(lines, ends, strict=True)
    ]


def _answer(question: Question, sections: list[_Section]) -> tuple[str | None, str]:
    """Return the text that answers a question, and a note on how it was found."""
    by_id, by_line = [], []
    for section in sections:
        ours = bool(question.cell) and question.cell in section.ids
        if ours and section.exercise in (None, question.id):
            by_id.append(section.text)
        elif section.exercise == question.id:
            by_line.append(section.text)
    candidates = [*by_id, *by_line]
    if not candidates:
        return None, f"The answer cell of {question.id} is missing."
    stub = bare(question.stub)
    tried = [text for text in candidates if bare(text) != stub]
    chosen = tried[0] if tried else candidates[0]
    if len(tried) > 1 and len(set(map(bare, tried))) > 1:
        return chosen, f"{question.id} has {len(tried)} different answers: the first one counts."
    if not by_id:
        return chosen, f"The answer cell of {question.id} was found by its first line, not its id."
    return chosen, ""


def _changes(cells: tuple[Cell, ...], reference: Reference) -> list[str]:
    """Return notes on what is not as it was handed out; none of it has any effect."""
    ours = {cell.get("id"): text_of(cell) for cell in reference.cells}
    answers_of = {each.cell for each in reference.questions}
    own = [each for each in ours if each and each not in answers_of]
    known = {identifier: cell for cell in cells for identifier in cell.ids if identifier in ours}
    if not known:
        return ["No cell has an id of ours: answers were looked for by their first lines."]
    foreign = [cell.text for cell in cells if not set(cell.ids) & set(ours)]
    added = sum(bool(text.strip()) and not _FIRST_LINE.search(text) for text in foreign)
    changed = [each for each in own if each in known and not _alike(known[each].text, ours[each])]
    removed = [each for each in own if each not in known]
    expected = [each for each in ours if each in known]
    notes = {
        f"{added} added cells were ignored.": added,
        f"Changes to {len(changed)} cells were ignored: {', '.join(changed[:5])}.": changed,
        f"{len(removed)} removed cells were put back.": removed,
        "Cells in another order were put back into order.": list(known) != expected,
    }
    return [note for note, applies in notes.items() if applies]


def _alike(text: str, ours: str) -> bool:
    """Compare a cell of the student edition with the reference's: header and badges may differ."""
    return bare(text) == bare(ours) or text.lstrip().startswith("# ") and ours.startswith("# ")
