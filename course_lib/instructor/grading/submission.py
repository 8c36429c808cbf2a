"""Read a notebook that anybody may have made: old, damaged or hostile; find the program in it.

What was changed is noted, and what becomes of it.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.instructor.grading import bounded
from course_lib.instructor.grading.course import Reference, text_of
from course_lib.instructor.grading.programs import Arrangement
from course_lib.instructor.grading.results import Part
from course_lib.instructor.grading.roles import (
    FIRST_LINE,
    MOST_ADDED,
    Cell,
    Item,
    bare,
    is_own,
    items_of,
    same_code,
)

LARGEST_BYTES = 48 << 20  # room for outputs with many pictures and sounds
_LARGEST_CELL = 200_000  # characters: nobody types more
_MOST_CELLS = 200_000  # a million cost more than reading is allowed
_NAME = re.compile(r"(?<!\d)(\d\d)_[a-z][a-z_]+", re.IGNORECASE)


class UnreadableError(ValueError):
    """Say in one sentence why a file is no notebook that can be graded."""


@dataclass(frozen=True)
class Answers:
    """Each answer's text by exercise id, what was noticed, and the program that they are part of.

    An answer that is spread over several cells has the text of the last one here.
    """

    texts: Mapping[str, str]
    notes: tuple[str, ...]
    program: tuple[Part, ...] = ()


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
            asked = FIRST_LINE.findall(cell.text)
            votes.update(f"{int(each.split('.')[0]):02d}" for each in asked)
            votes.update(by_cell[each] for each in cell.ids if each in by_cell)
    numbers = [*(lesson for lesson, _ in votes.most_common()), *_NAME.findall(name)]
    return next((number for number in numbers if number in lessons), None)


def find_answers(cells: tuple[Cell, ...], reference: Reference) -> Answers:
    """Return the answers in `cells` to a lesson's questions, and the program that is graded."""
    try:
        return bounded.call(_find_answers, cells, reference)
    except bounded.UnfinishedError as error:
        return Answers({}, (f"The answers could not be looked for {error}.",))


def _find_answers(cells: tuple[Cell, ...], reference: Reference) -> Answers:
    items = items_of(cells, reference)
    notes = _changes(cells, items, reference)  # before the items are arranged
    arranged = Arrangement(items, reference)
    return Answers(arranged.texts, (*_found(arranged), *notes), arranged.program())


def with_answers(reference: Reference, answers: Mapping[str, str]) -> Answers:
    """Return the program of the course's own notebook with nothing but some answers in it."""
    stubs = {question.id: question.stub for question in reference.questions}
    cells = []
    for cell in reference.cells:
        text, exercise = text_of(cell), cell["metadata"].get("exercise", "")
        if exercise:
            text = answers.get(exercise, stubs.get(exercise, ""))
        cells.append(Cell(cell["cell_type"], (cell.get("id", ""),), text, exercise))
    return _find_answers(tuple(cells), reference)


def tried(answers: Mapping[str, str], reference: Reference) -> dict[str, str]:
    """Return the answers that differ from what was handed out."""
    stubs = {question.id: question.stub for question in reference.questions}
    return {
        name: text
        for name, text in answers.items()
        if name in stubs and bare(text) and not same_code(text, stubs[name])
    }


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
    says = {role: metadata.get(role) for role in ("exercise", "check")}
    says = {role: value for role, value in says.items() if isinstance(value, str)}
    nbgrader = metadata.get("nbgrader")
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    claimed = (raw.get("id"), metadata.get("id"), grade_id)  # Colab moves ids into the metadata
    ids = tuple(each for each in claimed if isinstance(each, str))
    return Cell(kind if isinstance(kind, str) else "", ids, text, **says)


def _found(arranged: Arrangement) -> list[str]:
    """Return notes on how answers were found."""
    notes = []
    for question in arranged.reference.questions:
        name, count = question.id, arranged.counts[question.id]
        if name not in arranged.texts:
            notes.append(f"The answer cell of {name} is missing.")
        elif count > 1:
            notes.append(
                f"{name} is answered in {count} cells: they run in order, the last counts."
            )
        elif name in arranged.named:
            names = ", ".join(sorted(arranged.names[name]))
            notes.append(f"The answer to {name} was found by its name, {names}.")
        elif name in arranged.inline:
            notes.append(f"{name} is answered where it is checked.")
    if arranged.moved:
        notes.append("Cells of the course in another order were put back into order.")
    return notes


def _changes(cells: tuple[Cell, ...], items: list[Item], reference: Reference) -> list[str]:
    """Return notes on what is not as it was handed out, and what becomes of it."""
    ids = {cell.get("id"): place for place, cell in enumerate(reference.cells)}
    there = {item.place for item in items}
    changed = [
        reference.cells[item.place].get("id") or f"number {item.place + 1}"
        for item in items
        if item.changed and "my_guess" not in text_of(reference.cells[item.place])
    ]
    removed = [place for place, cell in enumerate(reference.cells) if is_own(cell)]
    removed = [place for place in removed if place not in there]
    added = sum(item.role == "own" for item in items)
    notes = {
        "No cell has an id of ours: they were recognised by their texts.": not any(
            each in ids for cell in cells for each in cell.ids
        ),
        f"{added} added cells run where they stand, where an answer needs them.": added,
        f"{len(changed)} cells of the course were changed ({', '.join(changed[:5])}): the course's "
        "own run, and beside them what was added.": changed,
        f"{len(removed)} removed cells were put back.": removed,
        f"Of so many added cells only {MOST_ADDED:,} are looked at.": added >= MOST_ADDED,
    }
    return [note for note, applies in notes.items() if applies]
