"""What was handed in, what is asked and what it earned: typed data, from the judge to the page."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import Self

from course_lib.instructor.grading.roster import Student

MOST_LISTED = 12  # files of a folder that are no submissions: more are told in one line


@dataclass(frozen=True)
class Part:
    """One step of the program that is graded.

    `kind` is "course" (the reference's cell at `place`, or `text` in its stead), "answer" to an
    `exercise`, "own" for any other code of the student's, or "ask" where the exercise's value is
    asked for, by `text` if the student had that checked: a `spare` ask only where none before it
    found one. "late" is where it is asked for only if what was found is wrong.
    """

    kind: str
    text: str = ""
    exercise: str = ""
    place: int = -1
    spare: bool = False


@dataclass(frozen=True)
class Work:
    """One student's answers to one lesson, and the `program` of the notebook that was handed in.

    Without a program, the answers run at their places in the reference. `problem` says why nothing
    can be graded, where that is so.
    """

    student: str
    lesson: str
    origin: str
    answers: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""
    program: tuple[Part, ...] = ()

    @property
    def key(self) -> str:
        """Return a digest of who answered what: the same work is graded once."""
        parts = [astuple(part) for part in self.program]
        answers = sorted(self.answers.items())
        text = json.dumps([self.student, self.lesson, answers, self.problem, parts])
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


@dataclass(frozen=True)
class Request:
    """What is asked of one answer: an expression, and arguments as text of `inside.values`."""

    expression: str
    arguments: str


@dataclass(frozen=True)
class Verdict:
    """What one exercise earned, and a sentence for the student.

    `state` is "right", "wrong", "not tried", or "stopped" where the run ended before it. `refuted`
    says that the notebook's own check calls a wrong answer right: unseen inputs tell better.
    """

    id: str
    points: float
    earned: float
    state: str
    message: str
    refuted: bool = False


Verdicts = tuple[Verdict, ...]


@dataclass(frozen=True)
class Result:
    """Everything about one graded work, in the order in which it is kept as JSON.

    `ended` is a sentence where the run did not end by itself; `not_graded` one where the machine,
    not the work, ended it: such a result gives and takes no points, is never kept, and the next
    run grades the work again. `stamp` is a digest of the settings.
    """

    key: str
    student: str
    lesson: str
    notebook: str
    origin: str
    earned: float
    points: float
    exercises: Verdicts
    ended: str = ""
    notes: tuple[str, ...] = ()
    sandbox: str = "none needed"
    seconds: float = 0.0
    stamp: str = ""
    not_graded: str = ""

    def to_json(self) -> str:
        """Return the text that keeps this result."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the result that `to_json` wrote. Raises ValueError for any other text."""
        try:
            tree = json.loads(text)
            tree["exercises"] = tuple(Verdict(**each) for each in tree["exercises"])
            tree["notes"] = tuple(tree["notes"])
            return cls(**tree)
        except (TypeError, KeyError) as error:
            raise ValueError(f"This is no result of grading: {error}") from error


@dataclass(frozen=True)
class Filed:
    """What became of one file that came in: every file has one, so that none is lost silently.

    `state` is "graded", "not graded" (the machine's fault), "superseded" (`why` names by which
    file), "refused" (it cannot be graded: `why` says so to the student) or "left out" (it is no
    submission: `why` says what it is). `student` and `lesson` are empty where they are unknown.
    """

    origin: str
    state: str
    student: str = ""
    lesson: str = ""
    why: str = ""


@dataclass(frozen=True)
class Row:
    """All results of one student, in the order of lessons; none where nothing came in."""

    student: str
    name: str
    results: tuple[Result, ...]

    @property
    def graded(self) -> list[Result]:
        """Return the results that count: those that the machine did not end."""
        return [result for result in self.results if not result.not_graded]

    @property
    def earned(self) -> float:
        """Return the points earned in all lessons that were graded."""
        return sum(result.earned for result in self.graded)

    @property
    def points(self) -> float:
        """Return the points that were possible in the lessons that were graded."""
        return sum(result.points for result in self.graded)

    @property
    def exercises(self) -> list[Verdict]:
        """Return the verdict on every exercise that was graded, in order."""
        return [verdict for result in self.graded for verdict in result.exercises]


def rows(results: Sequence[Result], roster: Sequence[Student] = ()) -> list[Row]:
    """Return one row for each student, those of the roster who handed nothing in included."""
    by_student: dict[str, list[Result]] = {student.id: [] for student in roster}
    names = {student.id: student.name for student in roster}
    for result in sorted(results, key=lambda result: (result.student, result.lesson)):
        by_student.setdefault(result.student, []).append(result)
    return [
        Row(student, names.get(student, student), tuple(theirs))
        for student, theirs in by_student.items()
    ]


def place(out: Path, student: str, lesson: str) -> Path:
    """Return where the result of one student's lesson is kept below `out`."""
    return out / "works" / f"{slug(student)}_{lesson}.json"


def kept(out: Path) -> dict[tuple[str, str], Result]:
    """Return the results that earlier runs left in `out`, by student and lesson.

    Left out is what is damaged or of an older version: it is graded again.
    """
    found = {}
    for path in sorted((out / "works").glob("*.json")):
        try:
            result = Result.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if path == place(out, result.student, result.lesson):
            found[result.student, result.lesson] = result
    return found


def joined(
    results: Sequence[Result], earlier: Mapping[tuple[str, str], Result]
) -> tuple[list[Result], list[str]]:
    """Return the results of this run and of earlier ones into its folder, and notes on the joint.

    A student's lesson is what this run says of it; of all others, the earlier results stay.
    """
    now = {(result.student, result.lesson): result for result in results}
    stay = [result for key, result in earlier.items() if key not in now]
    notes = [
        f"{new.student}'s lesson {new.lesson}: {new.origin} replaces what an earlier run graded, "
        f"{earlier[key].origin}."
        for key, new in now.items()
        if key in earlier and earlier[key].key != new.key
    ]
    if stay:
        names = ", ".join(f"{each.student} {each.lesson}" for each in stay[:5])
        more = f" and {len(stay) - 5} more" if len(stay) > 5 else ""
        names = f"{len(stay)} results of earlier runs into this folder stay ({names}{more})"
        notes.append(f"{names}: grade into a new folder to be without them.")
    stamps = {each.stamp for each in results if each.stamp}
    if old := sum(each.stamp not in stamps for each in stay) if stamps else 0:
        why = "another seed, course or choice of cells: grade them again to compare."
        notes.append(f"{old} of them were graded with {why}")
    return [*results, *stay], notes


def slug(student: str) -> str:
    """Return a file name for a student: readable, harmless and different for different students.

    It has no capitals, which some file systems do not tell apart, and 128 bits of a digest.
    """
    words = re.sub(r"[^a-z0-9]+", "-", student.casefold()).strip("-")[:40]
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{words or 'student'}-{digest}"


def accounted(filed: Sequence[Filed]) -> list[Filed]:
    """Return one line for each file; many of one folder that are no submissions share one."""
    filed = _once_each(filed)
    idle: dict[tuple[str, str], list[Filed]] = defaultdict(list)
    for each in filed:
        if each.state == "left out" and not each.student and not each.lesson:
            folder = each.origin.rpartition("/")[0]
            idle[folder, each.why].append(each)
    many = {each for each, every in idle.items() if len(every) > MOST_LISTED}
    kept = [
        each
        for each in filed
        if each.state != "left out"
        or each.student
        or each.lesson
        or (each.origin.rpartition("/")[0], each.why) not in many
    ]
    return kept + [
        Filed(f"{folder or '.'}: {len(idle[folder, why])} files", "left out", why=why)
        for folder, why in sorted(many)
    ]


def _once_each(filed: Sequence[Filed]) -> list[Filed]:
    """Return one line for each file: a group's file is all of its members'."""
    together: dict[tuple[str, str, str], Filed] = {}
    seen: Counter[tuple] = Counter()
    for each in filed:
        key = (each.origin, each.state, each.lesson)
        before = together.get(key)
        if before and each.student and before.student and each.student != before.student:
            together[key] = replace(before, student=f"{before.student}, {each.student}")
            continue
        seen[key] += 1  # two entries of a zip may have one name
        together[key if seen[key] == 1 else (*key, seen[key])] = each
    return list(together.values())
