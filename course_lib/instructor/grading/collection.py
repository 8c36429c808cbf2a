"""Gather submissions from notebooks, folders and zips, as the learning platforms export them.

Nothing is ever unpacked to disk: zips are read in memory, entry by entry, within bounds, so that no
path in them can lead anywhere. Links, in folders and in zips, are not followed.
"""

from __future__ import annotations

import io
import lzma
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from course_lib.instructor.grading import submission
from course_lib.instructor.grading.course import Course
from course_lib.instructor.grading.results import Work
from course_lib.instructor.grading.roster import CollectError, Student, known
from course_lib.project import about

_REPORT = "report.json"  # of lesson 09: checked and told, worth no points
_MOST_ENTRIES = 20_000
_MOST_BYTES = 4 << 30  # entries are read one by one: this bounds time, not memory
_DEEPEST_ZIP = 3  # an export, a student's zip in it, and one packed by mistake
_PLATFORM_FOLDER = re.compile(
    r"^(?P<moodle>.+?)_\d+_assignsubmission_file_?$|^(?P<gradescope>submission_\d+)$"
)
_PLATFORM_FILE = re.compile(
    r"^(?P<moodle>.+?)_\d+_assignsubmission_file_.+$"
    r"|^(?P<canvas>[a-z0-9.'-]+)(?:_late)?_\d{2,}_\d{2,}_.+$",
    re.IGNORECASE,
)
_WRAPPER = re.compile(r"^(assignment.*_export|assignments?|submissions?|notebooks)$")
_LESSON_NAME = re.compile(r"^\d\d_[a-z_]+$")
_VERSION = re.compile(r"-(\d+)$")
_PASSED_BY = (".git", ".ipynb_checkpoints", "__MACOSX", "work")
_A_LINK = "The file is a link to another one: hand in a copy."
_ONLY_THAT = "hand in the notebook only."
# All that zipfile and its decompressors raise for bytes that are no zip, or only partly one.
_DAMAGED = (BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError)
_DAMAGED += (ValueError, RuntimeError, OverflowError)


@dataclass(frozen=True)
class Handed:
    """A notebook as it was handed in: whose it seems to be, where it was, its bytes.

    `problem` says why there are none.
    """

    student: str
    origin: str
    data: bytes = b""
    problem: str = ""


def collect(
    sources: Iterable[Path], course: Course, roster: tuple[Student, ...] = ()
) -> tuple[list[Work], list[str]]:
    """Return what there is to grade, one work for each student and lesson, and notes on the rest.

    Of several notebooks by one student for one lesson the last one counts (the highest version
    number, else the last in order of names). Raises CollectError where there is no notebook at all.
    """
    works: dict[tuple[str, str], Work] = {}
    notes: list[str] = []
    for handed in files(sources):
        work = _work(handed, course, roster)
        if isinstance(work, str):
            notes.append(work)
            continue
        before = works.get((work.student, work.lesson))
        if before is not None and before.key != work.key:
            notes.append(
                f"{work.student} handed in lesson {work.lesson} more than once: "
                f"{work.origin} counts, {before.origin} does not."
            )
        works[work.student, work.lesson] = work
    if not works and not notes:
        problem = "There is no notebook in what was named: give notebooks, folders or zips."
        raise CollectError(problem)
    return list(works.values()), notes


def files(sources: Iterable[Path]) -> Iterator[Handed]:
    """Yield every notebook in the sources, in order of names. Raises CollectError for none such.

    A single zip may be a platform's export of many students; where several are named, each is one
    student's. Inside what one student handed in, no name can stand for another student.
    """
    sources = list(sources)
    zips = sum(source.suffix == ".zip" for source in sources)
    for source in sources:
        if not source.exists():
            raise CollectError(f"There is no {source}: check the name.")
        if source.is_dir():
            yield from _folder(source)
        elif source.suffix == ".zip":
            whose = "" if zips == 1 and _is_export(source) else source.stem
            yield from _zip(source.name, source, whose, _Budget())
        else:
            student = _student(PurePosixPath(source.name), source.resolve().parent.name)
            yield _file(source, source.name, student)


def _work(handed: Handed, course: Course, roster: tuple[Student, ...]) -> Work | str:
    """Return the answers of one notebook, or a note on why it is left out.

    Of what cannot be read there is a work without answers where at least its lesson is known.
    """
    student, name = known(handed.student, roster), PurePosixPath(handed.origin).name
    cells, problem = (), handed.problem
    if name == _REPORT and not problem:
        return f"{student}: {handed.origin}: {about(handed.data)}"
    try:
        cells = () if problem else submission.read_cells(handed.data)
    except submission.UnreadableError as error:
        problem = str(error)
    lesson = submission.lesson_of(cells, name, course.lessons)
    if problem:
        if lesson is None and len(course.lessons) == 1:
            lesson = next(iter(course.lessons))
        if lesson is None:
            return f"{handed.origin} cannot be graded: {problem}"
        return Work(student, lesson, handed.origin, problem=problem)
    if lesson is None:
        return f"{handed.origin} belongs to no lesson of this course: it was left out."
    answers = submission.find_answers(cells, course.lessons[lesson])
    texts, notes, program = dict(answers.texts), answers.notes, answers.program
    return Work(student, lesson, handed.origin, texts, notes, program=program)


def _folder(folder: Path) -> Iterator[Handed]:
    """Yield the notebooks below a folder, and those in zips there; links are left out."""
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort(key=_in_order)
        folders[:] = [name for name in folders if name not in _PASSED_BY]
        for name in sorted(names, key=_in_order):
            path = Path(place, name)
            relative = PurePosixPath(*path.relative_to(folder).parts)
            student = _student(relative, folder.resolve().name)
            if not _wanted(name):
                continue
            if path.is_symlink() or not path.is_file():
                yield Handed(student, str(relative), problem=_A_LINK)
            elif not name.endswith(".zip"):
                yield _file(path, str(relative), student)
            else:
                yield from _zip(str(relative), path, student, _Budget())


def _file(path: Path, origin: str, student: str) -> Handed:
    size = path.stat().st_size
    if size <= submission.LARGEST_BYTES:
        return Handed(student, origin, path.read_bytes())
    allowed = f"{submission.LARGEST_BYTES >> 20} are allowed: clear the outputs."
    return Handed(student, origin, problem=f"The file has {size >> 20:,} MB and {allowed}")


@dataclass
class _Budget:
    """What the zips of one source may still cost: entries and unpacked bytes."""

    entries: int = _MOST_ENTRIES
    bytes: int = _MOST_BYTES


def _zip(
    origin: str, file: Path | io.BytesIO, whose: str, budget: _Budget, depth: int = 1
) -> Iterator[Handed]:
    """Yield the notebooks in a zip and in zips within it; `whose` is empty for an export."""
    try:
        with ZipFile(file) as archive:
            for entry in sorted(archive.infolist(), key=lambda each: _in_order(each.filename)):
                budget.entries -= 1
                if budget.entries < 0:
                    problem = f"The zip has more than {_MOST_ENTRIES:,} entries: {_ONLY_THAT}"
                    yield Handed(whose or origin, origin, problem=problem)
                    return
                yield from _entry(archive, entry, origin, whose, budget, depth)
    except _DAMAGED:
        yield Handed(whose or origin, origin, problem="The zip is damaged: pack it again.")


def _entry(
    archive: ZipFile, entry: ZipInfo, origin: str, whose: str, budget: _Budget, depth: int
) -> Iterator[Handed]:
    """Yield the notebook that an entry is, or those in the zip that it is."""
    name = _harmless(entry.filename)
    leftovers = {"__MACOSX", ".ipynb_checkpoints"} & set(name.parts)  # copies that nobody meant
    if entry.is_dir() or leftovers or not _wanted(name.name):
        return
    label, student = f"{origin}/{name}", whose or _student(name, PurePosixPath(origin).stem)
    if stat.S_ISLNK(entry.external_attr >> 16):  # the upper half is Unix's mode
        yield Handed(student, label, problem=_A_LINK)
        return
    data, problem = _unpacked(archive, entry, budget)
    if name.suffix != ".zip" or problem:
        yield Handed(student, label, data, problem)
    elif depth < _DEEPEST_ZIP:
        yield from _zip(label, io.BytesIO(data), student, budget, depth + 1)
    else:
        yield Handed(student, label, problem=f"There are zips in zips in zips: {_ONLY_THAT}")


def _wanted(name: str) -> bool:
    """Tell whether a file is a notebook, a zip, or what lesson 09 reports, and not hidden."""
    return name == _REPORT or name.endswith((".ipynb", ".zip")) and not name.startswith(".")


def _harmless(name: str) -> PurePosixPath:
    """Return a name from a zip without what could lead out of it; it is only a label."""
    parts = [part for part in re.split(r"[\\/]", name) if not part.endswith(":")]
    return PurePosixPath(*[part for part in parts if part not in ("", ".", "..")] or ["_"])


def _unpacked(archive: ZipFile, entry: ZipInfo, budget: _Budget) -> tuple[bytes, str]:
    """Return an entry's bytes and no problem, or nothing and a sentence."""
    largest = submission.LARGEST_BYTES * (8 if entry.filename.endswith(".zip") else 1)
    if entry.flag_bits & 1:  # the bit that says encrypted
        return b"", "The zip has a password: pack it without one."
    try:
        with archive.open(entry) as file:
            data = file.read(largest + 1)
    except _DAMAGED:  # this entry alone: another student's may be whole
        return b"", "The file is damaged inside its zip: pack it again."
    budget.bytes -= len(data)
    if len(data) > largest or budget.bytes < 0:
        return b"", f"The file unpacks to more than {largest >> 20} MB: {_ONLY_THAT}"
    return data, ""


def _is_export(source: Path) -> bool:
    """Tell whether a zip holds several students, so that its own name says nothing."""
    try:
        with ZipFile(source) as archive:
            names = [_harmless(each.filename) for each in archive.infolist() if not each.is_dir()]
    except _DAMAGED:
        return False
    inner = [_unwrapped(name) for name in names]
    if any(_named_by_platform(parts[0]) for parts in inner):
        return True
    return len({parts[0] for parts in inner if len(parts) > 1} - {"__MACOSX"}) > 1


def _unwrapped(name: PurePosixPath) -> tuple[str, ...]:
    """Return a place's parts without the outer folders that platforms add around all students."""
    parts = list(name.parts)
    while len(parts) > 1 and _WRAPPER.match(parts[0]):
        del parts[0]
    return tuple(parts)


def _student(place: PurePosixPath, default: str) -> str:
    """Return whose a notebook is: its outermost folder, or what a platform wrote before its name.

    A lone file is named by its own name; where that is only the lesson's, by `default`.
    """
    parts = _unwrapped(place)
    if student := _named_by_platform(parts[0]):
        return student
    if len(parts) > 1:
        return parts[0]
    stem = _VERSION.sub("", PurePosixPath(parts[0]).stem)
    return default if _LESSON_NAME.match(stem) else stem or default


def _named_by_platform(part: str) -> str:
    """Return the student that a platform wrote into a folder's or a file's name, else nothing."""
    match = _PLATFORM_FOLDER.match(part) or _PLATFORM_FILE.match(part)
    return next(filter(None, match.groups())) if match else ""


def _in_order(name: str) -> list:
    """Order names as people do: version 10 after version 9, and none before -1."""
    stem = re.sub(r"\.(ipynb|zip)$", "", name)
    return [int(each) if each.isdigit() else each.casefold() for each in re.split(r"(\d+)", stem)]
