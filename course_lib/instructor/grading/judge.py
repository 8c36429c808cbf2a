"""Decide points, in a process that never runs a student's code: from plain values alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from course_lib.exercises import core
from course_lib.instructor.grading.course import Question, Reference
from course_lib.instructor.grading.inside import values
from course_lib.instructor.grading.results import Request, Verdict, Verdicts


def requests(reference: Reference, answers: Mapping[str, str], seed: str) -> dict[str, Request]:
    """Return what is asked of each answer: an expression, and arguments that nobody has seen."""
    return {
        question.id: Request(
            question.expression,
            values.written(core.exercise(question.id).arguments(_seed(seed, question.id))),
        )
        for question in reference.questions
        if question.id in answers
    }


def verdicts(
    reference: Reference, answers: Mapping[str, str], seed: str, events: tuple = (), ended: str = ""
) -> Verdicts:
    """Judge every question from the first event that tells about it.

    `events` are a sandbox's lines, `ended` says what stopped it, empty where nothing did.
    """
    replies: dict[str, dict] = {}
    errors: dict[str, str] = {}
    for event in events:
        name = event.get("exercise")
        if event["kind"] in ("answer", "silent") and isinstance(name, str):
            replies.setdefault(name, event)  # the first counts: later ones may be forged
        elif event["kind"] == "cell" and isinstance(name, str):
            errors.setdefault(name, str(event.get("why", ""))[:300])
    judged = []
    for question in reference.questions:
        error = errors.get(question.id, "")
        if question.id not in answers:
            judged.append(_not_tried(question))
        elif question.id in replies:
            judged.append(verdict(question, replies[question.id], error, seed))
        else:
            why = error or ended or "the kernel ended before"
            judged.append(unreached(question, f"Not reached: {why}."))
    return tuple(judged)


def verdict(question: Question, event: dict, cell_error: str, seed: str) -> Verdict:
    """Judge the reply that an "answer" event brought; any other event means that none came."""
    reply = event.get("reply")
    if event.get("kind") != "answer" or not isinstance(reply, dict):
        return _wrong(question, "Your answer's values could not be asked for.")
    state = reply.get("state")
    if state == "untouched":
        return _not_tried(question)
    if state == "missing":
        return _wrong(question, f"The cell gives no answer: {cell_error or _sentence(reply)}")
    if state == "refused":
        return _wrong(question, _sentence(reply))
    if state != "values":
        return _wrong(question, "Your answer's values could not be read.")
    exercise = core.exercise(question.id)
    arguments = exercise.arguments(_seed(seed, question.id))
    try:
        answer = values.read(json.dumps(reply.get("values")))
    except (ValueError, RecursionError) as error:
        return _wrong(question, f"Your answer's values could not be read: {error}")
    if answer is Ellipsis:
        return _not_tried(question)
    if arguments is not None and (not isinstance(answer, list) or len(answer) != len(arguments)):
        return _wrong(question, "Your function did not give one value for each call.")
    outcome = exercise.grade(arguments, answer)
    if isinstance(outcome, core.Right):
        return Verdict(question.id, question.points, question.points, "right", outcome.message)
    if isinstance(outcome, core.NotTried):
        return _not_tried(question)
    message = f"{outcome.hint} (The cell ended with {cell_error})" if cell_error else outcome.hint
    return _wrong(question, message)


def unreached(question: Question, why: str) -> Verdict:
    """Return the verdict on an answer that was never asked, because the submission ended before."""
    return Verdict(question.id, question.points, 0.0, "stopped", why)


def _not_tried(question: Question) -> Verdict:
    return Verdict(question.id, question.points, 0.0, "not tried", "Not tried yet.")


def _wrong(question: Question, message: str) -> Verdict:
    return Verdict(question.id, question.points, 0.0, "wrong", message[:1000])


def _sentence(reply: dict) -> str:
    """Return the reply's sentence, or nothing where it holds none."""
    why = reply.get("why")
    return why[:300] if isinstance(why, str) else ""


def _seed(seed: str, identifier: str) -> int:
    """Return the seed of one exercise's inputs: the same for every student, known to none."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{identifier}".encode()).digest()[:8], "big")
