"""Decide points, in a process that never runs a student's code: from plain values alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.exercises import core
from course_lib.instructor.grading.course import Question, Reference
from course_lib.instructor.grading.inside import values

STATES = ("right", "wrong", "not tried", "stopped")


@dataclass(frozen=True)
class Verdict:
    """What one exercise earned, in what state it is, and a sentence for the student."""

    id: str
    points: float
    earned: float
    state: str
    message: str


def requests(reference: Reference, answers: Mapping[str, str], seed: str) -> dict[str, dict]:
    """Return what is asked of each answer: an expression, and arguments that nobody has seen."""
    asked = {}
    for question in reference.questions:
        if question.id in answers:
            arguments = core.exercise(question.id).arguments(_seed(seed, question.id))
            asked[question.id] = {
                "expression": question.expression,
                "arguments": values.written(arguments),
            }
    return asked


def verdict(question: Question, event: dict, cell_error: str, seed: str) -> Verdict:
    """Judge the reply that an "answer" event brought; any other event means that none came."""
    reply = event.get("reply")
    if event.get("kind") != "answer" or not isinstance(reply, dict):
        return _wrong(question, "Your answer's values could not be asked for.")
    state = reply.get("state")
    if state == "untouched":
        return Verdict(question.id, question.points, 0.0, "not tried", "Not tried yet.")
    if state == "missing":
        return _wrong(question, f"The cell gives no answer: {cell_error or _text(reply)}")
    if state == "refused":
        return _wrong(question, _text(reply))
    if state != "values":
        return _wrong(question, "Your answer's values could not be read.")
    return _judged(question, reply.get("values"), cell_error, seed)


def unreached(question: Question, why: str) -> Verdict:
    """Return the verdict on an answer that was never asked, because the submission ended before."""
    return Verdict(question.id, question.points, 0.0, "stopped", why)


def _judged(question: Question, data: object, cell_error: str, seed: str) -> Verdict:
    """Judge the values of one reply with the exercise's own judge."""
    exercise = core.exercise(question.id)
    arguments = exercise.arguments(_seed(seed, question.id))
    try:
        found = values.read(json.dumps(data))
    except (values.ValuesError, ValueError, RecursionError) as error:
        return _wrong(question, f"Your answer's values could not be read: {error}")
    if found is Ellipsis:
        return Verdict(question.id, question.points, 0.0, "not tried", "Not tried yet.")
    if arguments is not None and (not isinstance(found, list) or len(found) != len(arguments)):
        return _wrong(question, "Your function did not give one value for each call.")
    outcome = exercise.grade(arguments, found)
    if isinstance(outcome, core.Right):
        return Verdict(question.id, question.points, question.points, "right", outcome.message)
    if isinstance(outcome, core.NotTried):
        return Verdict(question.id, question.points, 0.0, "not tried", "Not tried yet.")
    message = f"{outcome.hint} (The cell ended with {cell_error})" if cell_error else outcome.hint
    return _wrong(question, message)


def _wrong(question: Question, message: str) -> Verdict:
    return Verdict(question.id, question.points, 0.0, "wrong", message[:1000])


def _text(reply: dict) -> str:
    """Return the reply's sentence, or nothing where it holds none."""
    why = reply.get("why")
    return why[:300] if isinstance(why, str) else ""


def _seed(seed: str, identifier: str) -> int:
    """Return the seed of one exercise's inputs: the same for every student, known to none."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{identifier}".encode()).digest()[:8], "big")
