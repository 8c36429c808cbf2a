"""Ask, judge and help: the small types that every exercise is made of.

A lesson keeps its exercises in `course_lib/exercises/lesson_NN.py`, in a tuple `EXERCISES`:

    from course_lib.exercises.core import Exercise
    from course_lib.exercises.judges import function

    def _follow(data, position):
        return position + int.from_bytes(data[position:position + 4], "little")

    def _backwards(data, position):
        return position + int.from_bytes(data[position:position + 4], "big")

    def _inputs(rng):                       # a seeded numpy Generator -> argument tuples
        return [(rng.bytes(12), int(p)) for p in rng.integers(0, 8, size=6)]

    EXERCISES = (
        Exercise(
            id="6.2",
            ask="follow(data, position): the place that the number at `position` points to",
            judge=function(_follow, _inputs),
            mistakes=[
                (_backwards, "Your number is the bytes read backwards: which end comes first?"),
                (lambda data, position: _follow(data, position) - position,
                 "You return the jump, not the place: where do you jump from?"),
            ],
            right="four bytes, one addition, no parsing.",
            hints=("int.from_bytes reads a number of any length.",),
        ),
    )

A wrong answer is a value (for `function`, a wrong implementation), or `when(predicate)`.
Judging has two parts, so that a grader can run the student's function in one process and judge in
another: `judge.probe(rng)` draws inputs, `judge.grade` sees plain data only.
"""

import copy
import fnmatch
import importlib
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy

from course_lib.exercises.answers import answer_values, is_untouched, unread

_LONGEST_HINT = 500  # some hints quote the answer


class UnknownExerciseError(ValueError):
    """A mistyped id or lesson; as with a wrong answer, the sentence is all that a cell shows."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [str(self)]


@dataclass(frozen=True)
class NotTried:
    """The answer is still the `...` of the student edition."""


@dataclass(frozen=True)
class Wrong:
    """An answer that is not right yet, and the hint that its mistake calls for."""

    hint: str


@dataclass(frozen=True)
class Right:
    """A right answer and what it shows."""

    message: str


Outcome = NotTried | Wrong | Right


@dataclass(frozen=True)
class when:  # noqa: N801  (reads as a word: `(when(lambda x: x < 0), "…")`)
    """A mistake recognised by a predicate of the value, or of (arguments, value)."""

    predicate: Callable[..., bool]

    def fits(self, *values: object) -> bool:
        """Return the predicate's verdict; an answer that it cannot be asked about does not fit."""
        try:
            return bool(self.predicate(*values))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return False


class otherwise(when):  # noqa: N801
    """A property of a wrong answer, told beside a case where nothing else is recognised."""


Mistakes = Sequence[tuple[object, str]]  # a wrong answer, or `when`, and the hint that it calls for


@dataclass(frozen=True)
class Judge:
    """A right answer, and two functions: which inputs to try, and what the values are worth.

    `probe(rng)` returns a list of argument tuples of plain values; None says that the answer is a
    plain value itself. `grade(arguments, values, mistakes)` gets that list and one value (or
    `Raised`) for each tuple; for a plain value it gets None and the answer. It returns a hint, ""
    where all is right. `wrong` are answers that it knows to be wrong by itself.
    """

    solution: object
    grade: Callable[[list[tuple] | None, object, Mistakes], str]
    probe: Callable[[numpy.random.Generator], list[tuple]] | None = None
    wrong: tuple = ()


@dataclass(frozen=True)
class Exercise:
    """One thing to find out: what is asked, how an answer is judged, what helps.

    `ask` is one line that begins with the name to fill in.
    """

    id: str
    ask: str
    judge: Judge
    right: str
    mistakes: Mistakes = ()
    hints: tuple[str, ...] = ()

    @property
    def usual_seed(self) -> int:
        """Return the seed of the inputs that everybody sees who checks an answer."""
        return zlib.crc32(self.id.encode())

    def outcome(self, answer: object, seed: int | None = None) -> Outcome:
        """Judge `answer` on inputs drawn from `seed` (default: fixed by the id)."""
        if is_untouched(answer):
            return NotTried()
        seed = self.usual_seed if seed is None else seed
        arguments = self.arguments(seed)
        try:
            values = answer_values(answer, arguments)
        except TypeError as error:
            return Wrong(f"{error} ({self.ask})")
        outcome = self.grade(self.arguments(seed), values)  # drawn anew: it may alter its own
        if not isinstance(outcome, Wrong) or unread(self.judge.solution):
            return outcome
        idle = unread(answer)
        if not idle or f"`{idle}`" in outcome.hint:
            return outcome
        return Wrong(f"{outcome.hint} Your function never uses `{idle}`.")

    def arguments(self, seed: int) -> list[tuple] | None:
        """Return the argument tuples that the judge draws from `seed`; None for a plain value."""
        if self.judge.probe is None:
            return None
        draw = numpy.random.default_rng(seed)
        return copy.deepcopy([tuple(each) for each in self.judge.probe(draw)])

    def grade(self, arguments: list[tuple] | None, values: object) -> Outcome:
        """Judge plain `values`, asked of the answer for `arguments` in any process."""
        try:
            hint = self.judge.grade(arguments, values, self.mistakes)
        except Exception as error:  # values that no judge expects are wrong values
            return Wrong(f"Your answer cannot be judged ({type(error).__name__}): {self.ask}")
        if len(hint) > _LONGEST_HINT:
            hint = f"{hint[:_LONGEST_HINT]} …"
        return Wrong(hint) if hint else Right(self.right)


def worked(identifier: str) -> str:
    """Return the code that the course's own lesson answers an exercise with."""
    text = files("course_lib.exercises").joinpath("worked.json").read_text(encoding="utf-8")
    return json.loads(text)[identifier]


def lesson_of(identifier: str) -> str:
    """Return the two digits of the lesson that an exercise id such as "6.2" belongs to."""
    number = str(identifier).split(".")[0]
    if not number.isdigit():
        raise UnknownExerciseError(f'{identifier!r} names no exercise: ids look like "6.2".')
    return f"{int(number):02d}"


def lessons() -> tuple[str, ...]:
    """Return the two digits of every lesson that has a module of exercises here, in order."""
    names = [each.name for each in files("course_lib.exercises").iterdir()]
    return tuple(sorted(name[7:9] for name in fnmatch.filter(names, "lesson_*.py")))


def of_lesson(lesson: str) -> Sequence[Exercise]:
    """Return the exercises of a lesson ("06"), in the order of the notebook."""
    name = f"course_lib.exercises.lesson_{lesson}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnknownExerciseError(
            f"Lesson {lesson} has no exercises; those that have are {', '.join(lessons())}."
        ) from None
    return module.EXERCISES


def exercise(identifier: str) -> Exercise:
    """Return the exercise with this id; raises UnknownExerciseError that lists the lesson's ids."""
    known = {each.id: each for each in of_lesson(lesson_of(identifier))}
    if identifier not in known:
        raise UnknownExerciseError(
            f"There is no exercise {identifier}; this lesson has {', '.join(known)}."
        )
    return known[identifier]
