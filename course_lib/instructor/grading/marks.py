"""Bring marks back: fill them into the CSV that Moodle or Canvas exported and will import.

Only cells of marks and of feedback change, and only on lines that are one student's beyond doubt:
by the number that the platform wrote into the name of what was handed in, else by a name.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course_lib.instructor.grading.results import Result, kept
from course_lib.instructor.grading.roster import CollectError
from course_lib.instructor.grading.sheet import read_sheet

_OURS = "Graded automatically:"
# What Moodle's worksheet says in its many languages where a grade can be changed, and where not.
_YES = set(
    "yes ja oui sí si sì sim tak da так да ano áno igen evet kyllä ναι bai jah jā taip có ya "
    "نعم כן بله はい 是 예 ใช่".split()
)
_NO = set(
    "no nein non não nie nu ні нет не ne nem hayır ei όχι ez nej nei nee nē không tidak "
    "لا לא خیر いいえ 否 아니오 ไม่".split()
)
_COMMENT = re.compile(
    "feedback|comment|koment|comentar|kommentar|opmerk|rückmeld|отзыв", re.IGNORECASE
)
_NUMBER_IN_NAME = {
    "moodle": re.compile(r"_(\d+)_assignsubmission_"),
    "canvas": re.compile(r"(?:^|/)(?!anon_)[^/_A-Z]+(?:_LATE)?_([1-9]\d*)_[1-9]\d*_"),
}
_ASSIGNMENT = re.compile(r"(.*?)\s*\((\d+)\)\s*").fullmatch
_UNQUOTED = re.compile(r"^'(?=[-=+@\t])")  # what keeps spreadsheets from reading a formula
_PARTICIPANT = re.compile(r"\D+?(\d+)\s*").fullmatch


@dataclass(frozen=True)
class Filled:
    """The file to import: its bytes, how many of its lines have a mark now, what to know.

    `complete` says that every student who was graded has one.
    """

    data: bytes
    marked: int
    lines: int
    notes: tuple[str, ...]
    complete: bool


@dataclass(frozen=True)
class _Line:
    """A student's line: its cells, the platform's number, folded names, the most points.

    `locked` says why the mark may not change.
    """

    label: str
    cells: list[str]
    number: str
    names: frozenset[str]
    maximum: str
    locked: str = ""


_Form = tuple[list[_Line], int, int | None]  # the columns of marks, and of feedback where there is


def fill(kind: str, out: Path, path: Path, lesson: str = "", column: str = "") -> Filled:
    """Return the CSV at `path` with the marks of one lesson that was graded into `out`.

    `kind` is "moodle" or "canvas", `column` names Canvas's assignment. Marks are scaled to the
    platform's maximum, with two decimals. A locked line, one that could be two students', and one
    whose result is not graded stay as they are. Raises CollectError for any other file.
    """
    sheet = read_sheet(path)
    lines, mark, feedback = (
        _moodle(sheet.rows, path) if kind == "moodle" else _canvas(sheet.rows, path, column)
    )
    results, without = read_results(out, lesson)
    found = {result.student: _fitting(result, name, lines, kind) for result, name in results}
    claims = Counter(line.label for each in found.values() for line in each)
    missed, doubtful, locked, replaced, marked = [], [], [], [], []
    for result, _ in results:
        fitting = found[result.student]
        line = fitting[0] if fitting else None
        if line is None or len(fitting) > 1 or claims[line.label] > 1:
            (doubtful if line else missed).append(result.student)
        elif line.locked:
            locked.append(f"{line.label} ({line.locked})")
        else:
            marked.append(line.label)
            text, before = _mark(result, line.maximum), _number(line.cells[mark])
            if before is not None and before != _number(text):
                replaced.append(f"{line.label} ({line.cells[mark]})")
            line.cells[mark] = text
            if feedback is not None and _is_ours(line.cells[feedback]):
                line.cells[feedback] = _feedback(result)
    notes = {
        "Not found in the file": missed,
        "No mark, because two lines or two students have this name": doubtful,
        "No mark, because the platform does not let it change": locked,
        "No mark, because not graded: run the grading again": without,
        "An earlier mark was replaced": replaced,
        "Lines without a mark of ours": [each.label for each in lines if each.label not in marked],
    }
    said = [f"{text}: {', '.join(names)}." for text, names in notes.items() if names]
    if kind == "moodle" and feedback is None:
        said.append("The file has no column of feedback comments, so none is written.")
    complete = not (missed or doubtful or locked or without)
    return Filled(sheet.to_bytes(), len(marked), len(lines), tuple(said), complete)


def read_results(out: Path, lesson: str = "") -> tuple[list[tuple[Result, str]], list[str]]:
    """Return the results, with names, of one lesson that the last run into `out` reported.

    Without `lesson` there must be one only. Whoever was not graded, or whose kept result is not
    the one in the table, is in the second list. Raises CollectError where nothing was graded.
    """
    lines, lessons = _table(out)
    if not lesson and len(lessons) > 1:
        raise CollectError(f"{out} holds lessons {', '.join(lessons)}: name one with --lesson.")
    lesson = lesson or lessons[0]
    if lesson not in lessons:
        raise CollectError(f"{out} holds no results of lesson {lesson}.")
    there = kept(out)
    results, without, failed = [], [], _not_graded(out, lesson)
    for line in lines:
        shown = {name: text for name, text in line.items() if text and _lesson(name) == lesson}
        result = there.get((_UNQUOTED.sub("", line["student"]), lesson))
        earned = {each.id: f"{each.earned:g}" for each in result.exercises} if result else {}
        if line["student"] in failed or earned != shown and shown:
            without.append(line["student"])
        elif result and earned == shown:
            results.append((result, line["name"]))
    return results, without


def graded_lessons(out: Path) -> list[str]:
    """Return the lessons that `out` has results of. Raises CollectError where there are none."""
    return _table(out)[1]


def _table(out: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Return the lines of the table of results, and the lessons that its columns belong to."""
    try:
        lines = list(csv.DictReader(io.StringIO((out / "results.csv").read_text("utf-8"))))
    except OSError as error:
        raise CollectError(f"{out} holds no results.csv: grade into it first.") from error
    lessons = sorted({_lesson(name) for line in lines for name in line} - {""})
    if not lessons:
        raise CollectError(f"{out} holds no results: nothing was graded into it.")
    return lines, lessons


def _lesson(name: str | None) -> str:
    """Return the lesson of a column such as 7.5, and nothing for any other column."""
    return name.split(".")[0].zfill(2) if re.fullmatch(r"\d+\.\d+", name or "") else ""


def _not_graded(out: Path, lesson: str) -> set[str]:
    """Return whose work in this lesson the machine could not grade, as the table of files says."""
    try:
        lines = csv.DictReader(io.StringIO((out / "files.csv").read_text("utf-8")))
    except OSError:
        return set()
    asked = ("not graded", lesson)
    return {each["student"] for each in lines if (each["state"], each["lesson"]) == asked}


def _moodle(rows: list[list[str]], path: Path) -> _Form:
    """Find the parts of a grading worksheet, whose headings are in the course's language.

    Moodle writes "Participant 123" or its like first; then come the grade, the maximum, and a
    column that says yes or no: whether the grade can be changed.
    """
    columns = list(zip(*rows[1:], strict=True))
    first = next(
        (at for at, every in enumerate(columns) if all(map(_PARTICIPANT, every))), len(columns)
    )
    pairs = [
        (maximum, editable)  # the nearest column to the left that repeats one number
        for editable, every in enumerate(columns)
        if {value.strip().casefold() for value in every} <= _YES | _NO
        for maximum in range(editable - 1, first + 1, -1)
        if _number(columns[maximum][0]) and len(set(columns[maximum])) == 1
    ]
    if not pairs:
        raise CollectError(
            f"{path} is no grading worksheet with points: in Moodle, tick 'Offline grading "
            "worksheet' in the assignment's settings and download it from its submissions."
        )
    maximum, editable = pairs[0]
    comments = [at for at in range(editable, len(columns)) if _COMMENT.search(rows[0][at])]
    lines = []
    for cells in rows[1:]:
        names = frozenset(map(_folded, cells[: maximum - 1])) - {""}
        locked = "" if cells[editable].strip().casefold() in _YES else "locked in Moodle"
        label, number = " ".join(cells[first : first + 2]), _PARTICIPANT(cells[first])[1]
        lines.append(_Line(label, cells, number, names, cells[maximum], locked))
    return lines, maximum - 1, comments[-1] if comments else None


def _canvas(rows: list[list[str]], path: Path, wanted: str) -> _Form:
    """Find the parts of a gradebook: the line of possible points, students, one assignment."""
    heading = rows[0] if rows else []
    if "Student" not in heading[:1] or "ID" not in heading:
        raise CollectError(f"{path} is no gradebook: export it in Canvas under Grades, Export.")
    number = heading.index("ID")
    students = [cells for cells in rows[1:] if cells[number].strip()]
    possible = [cells for cells in rows if not cells[number].strip()][-1:]  # Points Possible
    every = {at: match for at, text in enumerate(heading) if (match := _ASSIGNMENT(text))}
    fitting = [
        at
        for at, match in every.items()
        if not wanted or wanted.strip() in (match[0].strip(), match[1], match[2])
        if possible and _number(possible[0][at])
    ]
    if len(fitting) != 1:
        raise CollectError(
            f"{path} has {len(fitting)} assignments with points that could be meant: name one of "
            f"{', '.join(match[0] for match in every.values())} with --column."
        )
    (mark,) = fitting
    lines = []
    for cells in students:
        identity = [text for text, head in zip(cells, heading, strict=True) if "ID" in head]
        names = {cells[0], "".join(cells[0].split(",")[::-1]), *identity}
        fixed = {"ex": "excused", "n/a": "not assigned"}.get(cells[mark].strip().casefold(), "")
        folded = frozenset(map(_folded, names)) - {""}
        label = f"{cells[0]} {cells[number].strip()}"
        lines.append(_Line(label, cells, cells[number].strip(), folded, possible[0][mark], fixed))
    return lines, mark, None


def _fitting(result: Result, name: str, lines: list[_Line], kind: str) -> list[_Line]:
    """Return the lines that fit a student: by number where the origin has one, else by name."""
    if numbers := _NUMBER_IN_NAME[kind].findall(result.origin):
        return [line for line in lines if line.number == numbers[0]]
    wanted = {_folded(result.student), _folded(name)}
    return [line for line in lines if wanted & line.names]


def _mark(result: Result, maximum: str) -> str:
    """Return the share of the points, scaled to `maximum` and written as that is."""
    most = _number(maximum)
    share = result.earned / result.points if result.points else 0.0
    text = f"{share * most:.2f}".rstrip("0").rstrip(".")
    text = text if float(text) <= most else f"{most:g}"  # Moodle takes no grade above it
    return text.replace(".", ",") if "," in maximum else text


def _feedback(result: Result) -> str:
    """Return what to know of each exercise that is not right, as the HTML that Moodle keeps."""
    lines = [f"{_OURS} {result.earned:g} of {result.points:g} points.", result.ended]
    for each in result.exercises:
        if each.state == "wrong" or each.state == "stopped" and not result.ended:
            earned = f"{each.earned:g} of {each.points:g}"
            lines.append(f"Exercise {each.id}, {earned}, {each.state}: {each.message}")
    untried = [each.id for each in result.exercises if each.state == "not tried"]
    lines += [f"Not tried: {', '.join(untried)}."] if untried else []
    return "<br>".join(escape(" ".join(line.split())) for line in lines if line)


def _is_ours(text: str) -> bool:
    """Tell whether a comment is empty or an earlier one of ours, so that no person's is lost."""
    bare = re.sub("<[^<>]*>", "", text).strip()
    return not bare or bare.startswith(_OURS)


def _number(text: str) -> float | None:
    """Return the number that a cell holds, with a decimal point or comma, or None."""
    match = re.fullmatch(r"\s*(\d{1,9})(?:[.,](\d{0,9}))?\s*", text, re.ASCII)
    return float(f"{match[1]}.{match[2] or 0}") if match else None


def _folded(name: str) -> str:
    """Return a name's letters and digits in one normal form, without case."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(each for each in unicodedata.normalize("NFKC", text) if each.isalnum())
