"""Exercises: what is asked, how an answer is judged, hints. A notebook needs these five names.

from course_lib.exercises import check, compare, hint, predict, progress
"""

from __future__ import annotations

import secrets

from course_lib.exercises import core
from course_lib.exercises.predictions import compare, predict
from course_lib.exercises.progress import progress, remember, state_of

__all__ = ["WrongAnswer", "check", "compare", "hint", "predict", "progress", "require"]

_hints_given: dict[str, int] = {}


class WrongAnswer(Exception):
    """An answer that is not right yet. Its message is the hint; no traceback of ours is shown."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [f"Not yet. {self}"]


def check(identifier: str, answer: object) -> None:
    """Judge `answer`: print one line when it is right or `...`, raise WrongAnswer with a hint else.

    Source: the outcomes of core.py. Raises UnknownExerciseError for an unknown id.
    """
    asked = core.exercise(identifier)
    outcome = asked.outcome(answer)
    remember(identifier, outcome)
    match outcome:
        case core.Right(message):
            print(f"{identifier} right: {message}")
        case core.NotTried():
            print(f"{identifier} not tried yet: {asked.ask}")
        case core.Wrong(helpful):
            raise WrongAnswer(f"{identifier}: {helpful}") from None


def require(identifier: str, answer: object) -> None:
    """Raise WrongAnswer unless `answer` is right, on inputs drawn anew; print nothing.

    For the autograders of others, where a `...` must not pass: `check` lets it pass on purpose.
    """
    asked = core.exercise(identifier)
    match asked.outcome(answer, secrets.randbits(64)):
        case core.NotTried():
            raise WrongAnswer(f"{identifier} not tried yet: {asked.ask}") from None
        case core.Wrong(helpful):
            raise WrongAnswer(f"{identifier}: {helpful}") from None


def hint(identifier: str) -> None:
    """Print the next hint for an exercise; after the last one, begin again."""
    asked = core.exercise(identifier)
    if state_of(identifier) == "right":
        print(f"{identifier} is right already.")
        return
    if not asked.hints:
        print(f"{identifier} has no hints: try an answer and check it.")
        return
    turn = _hints_given.get(identifier, 0) % len(asked.hints)
    _hints_given[identifier] = turn + 1
    print(f"{identifier} hint {turn + 1} of {len(asked.hints)}: {asked.hints[turn]}")
