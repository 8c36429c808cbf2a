"""Find the answers in a submission, by cell id, else by first line; note what else is changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.instructor.grading.course import Question, Reference
from course_lib.instructor.grading.notebook import Cell

_FIRST_LINE = re.compile(  # "# Exercise 7.2", perhaps with a remark in brackets after it
    r"^[ \t]*#[ \t]*Exercise[ \t]+(\d{1,2}\.\d{1,2})[ \t]*(?:\(.*\))?[ \t]*$", re.MULTILINE
)
_NAME = re.compile(r"(?<!\d)(\d\d)_[a-z][a-z_]+", re.IGNORECASE)
_MARKERS = re.compile(r"^([ \t]*#+[ \t]*)(NBVAL_|PYTEST_VALIDATE_)(\w+)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Answers:
    """The text of each answer's cell by exercise id, and what was noticed and ignored."""

    texts: Mapping[str, str]
    notes: tuple[str, ...]


def lesson_of(cells: tuple[Cell, ...], name: str, lessons: Mapping[str, Reference]) -> str | None:
    """Return the two digits of the lesson that a notebook belongs to, None if it is none of ours.

    The exercises in it decide; only where there are none, the file's name.
    """
    by_cell = {
        each.cell: lesson for lesson, reference in lessons.items() for each in reference.questions
    }
    votes: Counter[str] = Counter()
    for cell in cells:
        if cell.kind == "code":
            asked = _FIRST_LINE.findall(cell.text)
            votes.update(f"{int(each.split('.')[0]):02d}" for each in asked)
            votes.update(by_cell[each] for each in cell.ids if each in by_cell)
    known = [lesson for lesson, _ in votes.most_common() if lesson in lessons]
    if known:
        return known[0]
    named = [found for found in _NAME.findall(name) if found in lessons]
    return named[0] if named else None


def answers(cells: tuple[Cell, ...], reference: Reference) -> Answers:
    """Return the answers in `cells` to a lesson's questions, cleaned of nbval's comments."""
    texts: dict[str, str] = {}
    notes: list[str] = []
    sections = [_sections(cell) for cell in cells if cell.kind == "code"]
    for question in reference.questions:
        text, note = _answer(question, sections)
        if text is not None:
            texts[question.id] = _MARKERS.sub(r"\1(\3)", text)
        if note:
            notes.append(note)
    return Answers(texts, (*notes, *_changes(cells, reference)))


@dataclass(frozen=True)
class _Section:
    """A code cell, or the part of merged cells that one first line begins."""

    ids: tuple[str, ...]
    exercise: str | None
    text: str


def _sections(cell: Cell) -> list[_Section]:
    """Cut a code cell before each first line of an exercise."""
    starts = [found.start() for found in _FIRST_LINE.finditer(cell.text)]
    if len(starts) <= 1:
        exercise = _FIRST_LINE.search(cell.text)
        return [_Section(cell.ids, exercise[1] if exercise else None, cell.text)]
    bounds = [*starts, len(cell.text)]
    parts = [_Section((), None, cell.text[: starts[0]])] if cell.text[: starts[0]].strip() else []
    return parts + [
        _Section((), _FIRST_LINE.match(cell.text, start)[1], cell.text[start:end])
        for start, end in zip(starts, bounds[1:], strict=True)
    ]


def _answer(question: Question, cells: list[list[_Section]]) -> tuple[str | None, str]:
    """Return the text that answers a question, and a note on how it was found."""
    by_id, by_line = [], []
    for sections in cells:
        for section in sections:
            if (
                question.cell
                and question.cell in section.ids
                and section.exercise in (None, question.id)
            ):
                by_id.append(section.text)
            elif section.exercise == question.id:
                by_line.append(section.text)
    found = [*by_id, *by_line]
    if not found:
        return None, f"The answer cell of {question.id} is missing."
    stub = _bare(question.stub)
    tried = [text for text in found if _bare(text) != stub]
    chosen = tried[0] if tried else found[0]
    if len(tried) > 1 and len(set(map(_bare, tried))) > 1:
        return chosen, f"{question.id} has {len(tried)} different answers: the first one counts."
    if not by_id:
        return chosen, f"The answer cell of {question.id} was found by its first line, not its id."
    return chosen, ""


def _changes(cells: tuple[Cell, ...], reference: Reference) -> list[str]:
    """Return notes on what is not as it was handed out; none of it has any effect."""
    ours = {cell.get("id"): _text(cell) for cell in reference.cells}
    answers_of = {each.cell for each in reference.questions}
    own = [each for each in ours if each and each not in answers_of]
    found = {identifier: cell for cell in cells for identifier in cell.ids if identifier in ours}
    if not found:
        return ["No cell has an id of ours: answers were looked for by their first lines."]
    added = sum(
        1
        for cell in cells
        if cell.text.strip() and not set(cell.ids) & set(ours) and not _FIRST_LINE.search(cell.text)
    )
    changed = [each for each in own if each in found and not _alike(found[each].text, ours[each])]
    removed = [each for each in own if each not in found]
    order = [identifier for cell in cells for identifier in cell.ids if identifier in ours]
    expected = [each for each in ours if each in found]
    notes = []
    if added:
        notes.append(f"{added} added cells were ignored.")
    if changed:
        notes.append(f"Changes to {len(changed)} cells were ignored: {', '.join(changed[:5])}.")
    if removed:
        notes.append(f"{len(removed)} removed cells were put back.")
    if list(dict.fromkeys(order)) != expected:
        notes.append("Cells in another order were put back into order.")
    return notes


def _alike(text: str, ours: str) -> bool:
    """Compare a cell of the student edition with the reference's: header and badges may differ."""
    return _bare(text) == _bare(ours) or text.lstrip().startswith("# ") and ours.startswith("# ")


def _text(cell: dict) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _bare(text: str) -> str:
    """Return a text without blank lines and spaces at line ends."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
