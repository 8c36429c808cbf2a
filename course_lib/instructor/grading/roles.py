"""Tell what each cell of a student's notebook is: the course's, an answer, a check, or their own.

A cell is known by its id, by what its metadata say, by its first line, else by its text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.instructor.grading.course import Reference, text_of
from course_lib.instructor.grading.scopes import checked, effects, statements

# "# Exercise 7.2", whatever stands after it.
FIRST_LINE = re.compile(
    r"^[ \t]*#+[ \t]*Exercise[ \t]*(\d{1,2}\.\d{1,2})(?!\.?\d)[^\n]*$", re.MULTILINE | re.IGNORECASE
)
# nbval's own comments would let a wrong answer pass.
_MARKERS = re.compile(r"^([ \t]*#+[ \t]*)(NBVAL_|PYTEST_VALIDATE_)(\w+)[ \t]*$", re.MULTILINE)
# A sandbox has no network: what installs would only wait for it.
_INSTALLS = re.compile(
    r"^([ \t]*)[%!](?=[^\n]*\b(?:pip|conda|mamba|apt|apt-get|git|wget|curl|gdown|kaggle)\b)"
    r"(?:[^\n]*\\\n)*[^\n]*$",
    re.MULTILINE,
)
MOST_ADDED = 1000  # cells that are no cell of ours at first sight: nobody adds so many
_MOST_CODE = 400_000  # characters that are looked at, of ours and of others each
_MOST_COMPARED = 200  # added cells to look for changed ones of ours in


@dataclass(frozen=True)
class Cell:
    """What counts of one cell: its kind ("code" or another), every id it claims, and its text.

    `exercise` and `check` are what its metadata say that it is.
    """

    kind: str
    ids: tuple[str, ...]
    text: str
    exercise: str = ""
    check: str = ""


@dataclass(eq=False)
class Item:
    """A cell or a part of one: `role` is "course", "answer", "ask", "own" or "prose".

    `place` is where the reference has it; None where it has no such cell. `changed` says that the
    student's text of a course cell differs. The text of an ask is what the student had checked,
    where that is not what the course's own check passes on.
    """

    role: str
    text: str = ""
    exercise: str = ""
    place: int | None = None
    changed: bool = False


def items_of(cells: tuple[Cell, ...], reference: Reference) -> list[Item]:
    """Return what a student's cells are, in the student's order; prose only where it is ours."""
    places = _places(cells, reference)
    cells, places = _bounded(cells, places)
    exercises = _places_of("exercise", reference)
    checks = _places_of("check", reference)
    asked = {place: identifier for identifier, place in checks.items()}
    by_id = {each.cell: each.id for each in reference.questions if each.cell}
    expressions = {each.id: each.expression for each in reference.questions}
    items: list[Item] = []
    for cell, place in zip(cells, places, strict=True):
        if cell.kind != "code":
            items += [Item("prose", place=place)] if place is not None else []
            continue
        named = next((by_id[each] for each in cell.ids if each in by_id), None)
        named = cell.exercise if cell.exercise in exercises else named
        check = asked.get(place) if place in asked else cell.check
        text = _INSTALLS.sub(r"\1pass", _MARKERS.sub(r"\1(\3)", cell.text))
        for exercise, part in _sections(text, exercises):
            if exercise := exercise or named:
                items.append(Item("answer", part, exercise, exercises[exercise]))
            elif check in checks:
                items += _own(_added(part, text_of(reference.cells[checks[check]])))
            elif place is not None and place not in exercises.values():
                items += _course(part, place, reference)
            else:
                items += _own(part)
            asks = {} if exercise or check not in checks else {check: ""}
            asks |= {each: text for each, text in checked(part).items() if each in checks}
            for each, given in asks.items():
                kept = "" if given == expressions[each] else given
                here = checks[each] if each == check and not exercise else None
                items.append(Item("ask", kept, each, here))
    return _with_changed_cells(items, reference)


def is_own(cell: Mapping) -> bool:
    """Tell whether a reference's cell is the course's own code: neither an answer nor a check."""
    return cell["cell_type"] == "code" and not {"exercise", "check"} & set(cell["metadata"])


def bare(text: str) -> str:
    """Return a text without blank lines and spaces at line ends."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def same_code(text: str, other: str) -> bool:
    """Tell whether two texts are the same program, whatever their comments; or the same text."""
    if bare(text) == bare(other):
        return True
    ours = statements(other)
    return bool(ours) and statements(text) == ours


def _places(cells: tuple[Cell, ...], reference: Reference) -> list[int | None]:
    """Return the place in the reference of each cell that is one of its cells, by id or text."""
    ids = {cell["id"]: place for place, cell in enumerate(reference.cells) if cell.get("id")}
    places: list[int | None] = [
        next((ids.pop(each) for each in cell.ids if each in ids), None) for cell in cells
    ]
    taken = set(places)
    texts: dict[str, list[int]] = {}
    for place, cell in enumerate(reference.cells):
        if place not in taken and "exercise" not in cell["metadata"]:
            texts.setdefault(bare(text_of(cell)), []).append(place)
    for index, cell in enumerate(cells):
        if places[index] is None and texts and (alike := texts.get(bare(cell.text))):
            places[index] = alike.pop(0)
    return places


def _bounded(
    cells: tuple[Cell, ...], places: list[int | None]
) -> tuple[tuple[Cell, ...], list[int | None]]:
    """Leave out what is more than anybody adds: reading Python takes its time."""
    kept, added, sizes = [], 0, {True: 0, False: 0}
    for cell, place in zip(cells, places, strict=True):
        if cell.kind == "code":
            ours = place is not None
            added, sizes[ours] = added + (not ours), sizes[ours] + len(cell.text)
            if added > MOST_ADDED and not ours or sizes[ours] > _MOST_CODE:
                continue
        kept.append((cell, place))
    return tuple(cell for cell, _ in kept), [place for _, place in kept]


def _places_of(role: str, reference: Reference) -> dict[str, int]:
    """Return the places of the cells with this role, "exercise" or "check", by exercise ids."""
    return {
        cell["metadata"][role]: place
        for place, cell in enumerate(reference.cells)
        if role in cell["metadata"]
    }


def _sections(text: str, exercises: Mapping[str, int]) -> list[tuple[str, str]]:
    """Cut the text of merged cells before each first line of another exercise."""
    cuts: list[re.Match] = []
    for line in FIRST_LINE.finditer(text):
        if line[1] in exercises and (not cuts or cuts[-1][1] != line[1]):
            cuts.append(line)
    if len(cuts) < 2:
        return [(cuts[0][1] if cuts else "", text)]
    starts = [0, *(cut.start() for cut in cuts[1:]), len(text)]
    parts = [text[start:end] for start, end in zip(starts, starts[1:], strict=False)]
    whole = statements(text)
    if whole and whole != sum(map(statements, parts), ()):
        return [(cuts[0][1], text)]  # a first line inside a function or a text
    return [(cut[1], part) for cut, part in zip(cuts, parts, strict=True)]


def _own(text: str) -> list[Item]:
    return [Item("own", text)] if text.strip() else []


def _course(text: str, place: int, reference: Reference) -> list[Item]:
    """Return a course cell, and apart from it what the student added to it."""
    ours = text_of(reference.cells[place])
    changed = not same_code(text, ours)
    added = _own(_added(text, ours)) if changed else []
    return [Item("course", place=place, changed=changed), *added]


def _added(text: str, ours: str) -> str:
    """Return the statements that a student added to a cell of ours; they replace no name of it."""
    kept = effects(ours).writes
    new = [each for each in statements(text) if each not in statements(ours)]
    found = [(each, effects(each)) for each in new]
    return "\n".join(each for each, does in found if not (does.writes | does.changes) & kept)


def _with_changed_cells(items: list[Item], reference: Reference) -> list[Item]:
    """Recognise course cells that were changed and lost their ids, between their neighbours."""
    there = {item.place for item in items}
    missing = [
        place for place, cell in enumerate(reference.cells) if is_own(cell) and place not in there
    ]
    if not missing or sum(item.role == "own" for item in items) > _MOST_COMPARED:
        return items
    result: list[Item] = []
    after = [item.place for item in items if item.role == "course"]
    last = -1
    for item in items:
        if item.role == "course":
            last = after.pop(0)
        window = range(last + 1, after[0] if after else len(reference.cells))
        found = None
        if item.role == "own":
            alike = (p for p in missing if p in window and _alike(item.text, reference.cells[p]))
            found = next(alike, None)
        if found is None:
            result.append(item)
            continue
        missing.remove(found)
        last = found
        result += _course(item.text, found, reference)
    return result


def _alike(text: str, cell: dict) -> bool:
    """Tell whether a text seems to be a changed copy of a cell: half its lines, or its names."""
    ours = text_of(cell)
    lines = {line.strip() for line in ours.splitlines() if line.strip()}
    shared = lines & {line.strip() for line in text.splitlines()}
    names = effects(ours).writes
    return 2 * len(shared) >= len(lines) > 0 or bool(names) and effects(text).writes == names
