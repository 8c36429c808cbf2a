"""From files to works: which notebook counts for which student and lesson, and what became of each.

`archives` finds the files, `folders` and `platforms` tell whose they are, `submission` reads them.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from course_lib.instructor.grading import archives, folders, platforms, submission
from course_lib.instructor.grading.archives import Found
from course_lib.instructor.grading.course import Course, text_of
from course_lib.instructor.grading.platforms import Owner
from course_lib.instructor.grading.results import MOST_LISTED, Filed, Work, accounted
from course_lib.instructor.grading.roster import CollectError, Student, matches
from course_lib.project import about

_VERSION = re.compile(r"(?:-|_v| ?\()([0-9]{1,9})\)?$")
_NONE_OF_OURS = "It belongs to no lesson of this course that asks anything."
_OURS = "It is the course's own solved edition: it is never graded."
_NBGRADERS = "It is the course's own, or nbgrader's copy, beside what students handed in."


@dataclass(frozen=True)
class _Piece:
    """A file that may count: its work without a student, or what lesson 09's report says."""

    found: Found
    default: str
    work: Work | None = None
    answer: str = ""  # a digest of what is answered, empty for an untouched notebook
    stem: str = "report"  # what the course calls the notebook
    report: str = ""

    @property
    def lesson(self) -> str:
        """Return the work's lesson, or nothing for a report."""
        return self.work.lesson if self.work else ""


def collect(
    sources: Iterable[Path],
    course: Course,
    roster: tuple[Student, ...] = (),
    mapping: Mapping[str, str] | None = None,
) -> tuple[list[Work], list[Filed], list[str]]:
    """Return one work for each student and lesson, what became of each file, and notes.

    Of several notebooks by one student for one lesson one that is answered counts, of these the
    latest by the platform's time, else the highest version, else the last by name. `mapping` says
    whose a file or folder is. Raises CollectError where there is nothing at all, and where it is
    not clear whose a file is.
    """
    pieces: list[_Piece] = []
    filed: list[Filed] = []
    places: dict[str, tuple[str, ...]] = {}  # of what no work is made of
    rolls: dict[tuple[str, ...], bytes] = {}
    for default, found in files(sources):
        if found.kind == "roll" and found.data:
            rolls[found.place] = found.data
        if isinstance(piece := _piece(found, default, course), Filed):
            filed.append(piece)
            if found.kind != "roll" and found.why != archives.HIDDEN:
                places[found.origin] = found.place
        else:
            pieces.append(piece)
    inner = [each.found.place for each in pieces]
    where = {place[:end] for place in inner for end in range(1, len(place))}
    nbgraders = [each for each in pieces if platforms.is_nbgraders(each.found.place, where)]
    filed += [Filed(e.found.origin, "left out", "", e.lesson, _NBGRADERS) for e in nbgraders]
    pieces = [each for each in pieces if not platforms.is_nbgraders(each.found.place, where)]
    notes = _told(filed)
    if not pieces and not any(each.state == "refused" for each in filed):
        raise _nothing(notes)
    given = _given(pieces, rolls, roster, mapping or {}, notes)
    works = []
    for (student, lesson), every in given.items():
        if not lesson:
            notes += [f"{student}: {each.found.origin}: {each.report}" for each, _ in every]
            filed += [Filed(e.found.origin, "left out", student, why=e.report) for e, _ in every]
            continue
        work, told = _counting(student, lesson, every)
        works.append(work)
        filed += told
        if len({each.answer for each, _ in every if each.answer}) > 1:
            losers = [each.origin for each in told if each.state == "superseded"]
            others = f"{', '.join(losers[:3])}{' and more' if len(losers) > 3 else ''}"
            many = f"{student} handed in lesson {lesson} more than once"
            notes.append(f"{many}: {work.origin} counts, {others} does not.")
    students = {work.student for work in works}
    rest = folders.others(places, [each.found.place for each in pieces], rolls, roster)
    ids = _on_roster(list(rest.values()), roster, [])
    for place, each in enumerate(filed):
        owner = rest.pop(each.origin, None)
        student = owner and ids.get(owner, owner.label)
        if student and student not in students and not _mapped(each.origin, mapping or {}):
            filed[place] = replace(each, student=student)
            notes.append(f"{student} handed in nothing that can be graded: {each.origin}.")
    return works, accounted(filed), notes


def _nothing(reasons: Sequence[str]) -> CollectError:
    """Return the error of sources without a work, with why what they hold was left out."""
    told = "nothing to grade" if reasons else "no notebook"
    what = "." if reasons else ": give notebooks, folders or zips."
    return CollectError("\n".join((f"There is {told} in what was named{what}", *reasons)))


def files(sources: Iterable[Path]) -> Iterator[tuple[str, Found]]:
    """Yield every file in the sources with whose it is if its path names nobody.

    A single zip may hold what many students handed in, as a folder does; where several are named,
    each is one student's, unless a platform named all that is in all of them. Inside what one
    student handed in, no name can stand for another student. Raises CollectError for what is not
    there.
    """
    sources = [_alone(source) for source in sources]
    if missing := next((source for source in sources if not source.exists()), None):
        raise CollectError(f"There is no {missing}: check the name.")
    zips = [source for source in sources if archives.is_zip(source)]
    export = len(zips) == 1 or all(platforms.is_export(archives.entries(each)) for each in zips)
    for source in sources:
        whole = source.resolve()
        is_file = source.is_file() and source not in zips
        default = archives.printable((whole.parent if is_file else whole).name)
        if source in zips:
            default = re.sub(r"\.zip$", "", default, flags=re.IGNORECASE)
        around = len(sources) > 1 and (source.is_dir() or source in zips and export)
        for found in archives.walk(source, export):
            if around:  # the sources are folders beside each other
                origin = found.origin if source in zips else f"{default}/{found.origin}"
                found = replace(found, origin=origin, place=(default, *found.place))
            yield default, found


def _alone(source: Path) -> Path:
    """Return the zip that is all there is in a folder, else the source itself."""
    if source.is_dir():
        inside = [each for each in source.iterdir() if not each.name.startswith(".")]
        if len(inside) == 1 and archives.is_zip(inside[0]) and not inside[0].is_symlink():
            if platforms.is_export(archives.entries(inside[0])):
                return inside[0]
    return source


def _piece(found: Found, default: str, course: Course) -> _Piece | Filed:
    """Return a file that may count, or what became of it at once."""
    if not found.problem and found.kind not in ("notebook", "report"):
        return Filed(found.origin, "left out", why=found.why or "It is a platform's list.")
    if found.kind == "report" and not found.problem:
        report, answer = about(found.data), hashlib.sha256(found.data).hexdigest()
        return _Piece(replace(found, data=b""), default, answer=answer, report=report)
    cells, problem, name = (), found.problem, found.origin.rpartition("/")[2]
    try:
        cells = () if problem else submission.read_cells(found.data)
    except submission.UnreadableError as error:
        problem = str(error)
    lesson = submission.lesson_of(cells, name, course.lessons)
    if lesson is None and problem and len(course.lessons) == 1:
        lesson = next(iter(course.lessons))
    if lesson is None:
        why = problem or _NONE_OF_OURS
        return Filed(found.origin, "refused" if problem else "left out", why=why)
    bare, reference = replace(found, data=b""), course.lessons[lesson]
    stem = reference.name.removesuffix(".ipynb")
    if problem:
        return _Piece(bare, default, Work("", lesson, found.origin, problem=problem), "", stem)
    answers = submission.find_answers(cells, reference)
    if _is_reference(cells, answers.texts, course, lesson):
        return Filed(found.origin, "left out", "", lesson, _OURS)
    texts, notes = dict(answers.texts), answers.notes
    work = Work("", lesson, found.origin, texts, notes, program=answers.program)
    tried = submission.tried(answers.texts, reference)
    digest = hashlib.sha256(json.dumps(sorted(tried.items())).encode()).hexdigest()
    return _Piece(bare, default, work, digest if tried else "", stem)


def _is_reference(
    cells: Sequence[submission.Cell], answers: Mapping[str, str], course: Course, lesson: str
) -> bool:
    """Tell whether a notebook is the solved edition itself: its title says so, no answer differs.

    A student may have found the very same answers, below the title of the student edition.
    """
    ours = {cell.get("metadata", {}).get("exercise"): cell for cell in course.lessons[lesson].cells}
    titles = [text_of(each) for each in course.lessons[lesson].cells[:1]]
    bare = submission.bare
    return [bare(cell.text) for cell in cells[:1]] == [bare(each) for each in titles] and all(
        bare(answers.get(question.id, "")) == bare(text_of(ours[question.id]))
        for question in course.lessons[lesson].questions
    )


_Given = dict[tuple[str, str], list[tuple[_Piece, Owner]]]


def _given(
    pieces: Sequence[_Piece],
    rolls: Mapping[tuple[str, ...], bytes],
    roster: tuple[Student, ...],
    mapping: Mapping[str, str],
    notes: list[str],
) -> _Given:
    """Return the pieces of each student and lesson. Raises CollectError where that is not clear."""
    mapped = [_mapped(piece.found.origin, mapping) for piece in pieces]
    notes += [f"--students names {each}, which did not come in." for each in mapping
              if each not in mapped]  # fmt: skip
    items = [
        folders.Item(each.found.place, each.stem, each.answer, each.default)
        for each, line in zip(pieces, mapped, strict=True)
        if not line
    ]
    rest = iter(folders.owners(items, rolls, roster))
    people = [_named(mapping[line]) if line else next(rest) for line in mapped]
    ids = _on_roster([owner for every in people for owner in every], roster, notes)
    given: _Given = defaultdict(list)
    for piece, owners in zip(pieces, people, strict=True):
        for owner in owners:
            given[ids.get(owner, owner.label), piece.lesson].append((piece, owner))
    known = set(ids.values())
    for (student, lesson), every in given.items():
        _check_one_person(student, lesson, every, student in known)
    return dict(sorted(given.items()))


def _mapped(origin: str, mapping: Mapping[str, str]) -> str:
    """Return the line of the mapping that says most exactly whose a file is, or nothing."""
    parts = origin.split("/")
    for end in range(len(parts), 0, -1):
        if (line := "/".join(parts[:end])) in mapping:
            return line
    return ""


def _named(student: str) -> tuple[Owner, ...]:
    return (Owner(student, ("mapping", student), ids=(student,)),)


def _on_roster(
    owners: Sequence[Owner], roster: tuple[Student, ...], notes: list[str]
) -> dict[Owner, str]:
    """Return the roster's ids of the owners whom it names, and them alone."""
    if not roster:
        return {}
    found = {owner: owner.on(roster) for owner in dict.fromkeys(owners)}
    ids = {owner: people[0].id for owner, people in found.items() if len(people) == 1}
    sure = {owner for owner in ids if matches((), owner.ids, roster)}
    labels: dict[tuple, set[str]] = defaultdict(set)
    for owner, student in ids.items():
        labels[student, owner.scope].add(owner.label)
    for owner in found:
        several = [each.id for each in found[owner]]
        if owner in ids and owner not in sure and len(labels[ids[owner], owner.scope]) > 1:
            several = sorted(labels[ids.pop(owner), owner.scope])
        if len(several) > 1:
            problem = f"it may be one of {', '.join(several[:4])}: say which with --students CSV."
            note = f"{owner.label} was not matched with the roster: {problem}"
            notes += [note] if note not in notes else []
    return ids


def _check_one_person(
    student: str, lesson: str, every: Sequence[tuple[_Piece, Owner]], known: bool
) -> None:
    """Raise CollectError where different answers to a lesson may be those of several people."""
    answered = [(piece, owner) for piece, owner in every if piece.answer]
    if len({piece.answer for piece, _ in answered}) < 2:
        return
    holders = {owner.holder: owner.scope for _, owner in answered}
    apart = len(set(holders.values())) == len(holders)
    folder = all(owner.scope[-1:] == (owner.label,) for _, owner in answered)
    if len(holders) > 1 and not (known and (apart or folder)):
        of = f"lesson {lesson}" if lesson else "report.json"
        origins = [piece.found.origin for piece, _ in answered]
        shown = f"{', '.join(origins[:4])}{' and more' if len(origins) > 4 else ''}"
        readings = [f"all are {student!r}'s, and one counts", "they are several people's"]
        raise folders.unclear(f"It is not clear whose these files of {of} are ({shown})", readings)


def _counting(
    student: str, lesson: str, every: Sequence[tuple[_Piece, Owner]]
) -> tuple[Work, list[Filed]]:
    """Return the work that counts of one student's for one lesson, and what became of each file."""
    best, _ = max(every, key=lambda each: _rank(*each))
    filed = []
    for piece, _ in every:
        origin, problem = piece.found.origin, piece.work.problem
        state, why = "graded", ""
        if problem:
            state, why = "refused", problem
        elif piece is not best:
            state, why = "superseded", best.found.origin
        filed.append(Filed(origin, state, student, lesson, why))
    return replace(best.work, student=student), filed


def _rank(piece: _Piece, owner: Owner) -> tuple:
    """Return what decides between two files: readable, answered, time, version, place, name."""
    origin = piece.found.origin
    parts = origin.split("/")
    stem = re.sub(r"\.ipynb(\.txt|\.json)?$", "", parts[-1], flags=re.IGNORECASE)
    version = _VERSION.search(stem)
    number = int(version[1]) if version else 0
    own = not {"reference", "solutions"} & {each.casefold() for each in parts[:-1]}
    readable = not piece.work.problem
    return (readable, bool(piece.answer), own, owner.time, number, archives.in_order(origin))


def _told(filed: Sequence[Filed]) -> list[str]:
    """Return notes on notebooks that are left out and files that are refused, a few of a kind."""
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in filed:
        if each.state == "refused" or each.lesson or each.why == _NONE_OF_OURS:
            state = "cannot be graded" if each.state == "refused" else "was left out"
            alike[state, each.why].append(each.origin)
    notes = []
    for (state, why), every in alike.items():
        notes += [f"{origin} {state}: {why}" for origin in every[:MOST_LISTED]]
        more = len(every) - MOST_LISTED
        notes += [f"So it is with {more} more files: {why}"] if more > 0 else []
    return notes
