"""Decide points, in a process that never runs a student's code: from plain values alone.

Points come from unseen inputs. A function is also asked for those inputs that its notebook's own
check tries: what is said about a wrong answer is what the check says, or that it calls it right. So
no message shows an expected value that its student could not see before, however often it is asked.
"""

import hashlib
import json
from collections.abc import Mapping

from course_lib.exercises import core
from course_lib.exercises.answers import Raised
from course_lib.instructor.grading import bounded
from course_lib.instructor.grading.course import Question, Reference
from course_lib.instructor.grading.inside import values
from course_lib.instructor.grading.results import Request, Verdict, Verdicts

_MEGABYTES = 1024
_REFUTED = "The notebook's own check calls it right, and inputs that it does not try refute it."
_NO_HINT = "Which inputs are possible that you did not try?"


def requests(reference: Reference, answers: Mapping[str, str], seed: str) -> dict[str, Request]:
    """Return what is asked of each answer: an expression, and arguments: unseen ones, then usual.

    The unseen ones are the same for every student, and known to none.
    """
    asked = {}
    for question in reference.questions:
        if question.id in answers:
            unseen, usual = _arguments(core.exercise(question.id), seed)
            every = None if unseen is None else [*unseen, *usual]
            asked[question.id] = Request(question.expression, values.written(every))
    return asked


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
            judged.append(_within_bounds(question, replies[question.id], error, seed))
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
    try:
        found = reply.get("values")
        answer = values.read(found if isinstance(found, str) else json.dumps(found))
    except (ValueError, RecursionError) as error:
        return _wrong(question, f"Your answer's values could not be read: {error}")
    if answer is Ellipsis:
        return _not_tried(question)
    outcome, refuted = _outcome(core.exercise(question.id), answer, seed)
    if isinstance(outcome, core.Right):
        return Verdict(question.id, question.points, question.points, "right", outcome.message)
    if isinstance(outcome, core.NotTried):
        return _not_tried(question)
    message = f"{outcome.hint} (The cell ended with {cell_error})" if cell_error else outcome.hint
    return _wrong(question, message, refuted)


def _within_bounds(question: Question, event: dict, cell_error: str, seed: str) -> Verdict:
    """Return the verdict on a reply, found within limits that cost this answer alone its points."""
    try:
        return bounded.call(verdict, question, event, cell_error, seed, megabytes=_MEGABYTES)
    except bounded.UnfinishedError as error:
        return unreached(question, f"Your answer's values could not be judged {error}.")


def _outcome(exercise: core.Exercise, answer: object, seed: str) -> tuple[core.Outcome, bool]:
    """Judge an answer's values; tell also whether its notebook's check calls a wrong one right."""
    unseen, usual = _arguments(exercise, seed)
    if unseen is None:
        return exercise.grade(None, answer), False
    if not isinstance(answer, list) or len(answer) != len(unseen) + len(usual):
        return core.Wrong("Your function did not give one value for each call."), False
    known = exercise.grade(usual, answer[len(unseen) :])
    outcome = exercise.grade(unseen, answer[: len(unseen)])
    if not isinstance(outcome, core.Wrong):
        return outcome, False
    if isinstance(known, core.Wrong):
        return known, False
    raised = [each.kind for each in answer[: len(unseen)] if isinstance(each, Raised)]
    hint = _NO_HINT
    if outcome.hint in {words for _, words in exercise.mistakes}:  # it quotes no value
        hint = outcome.hint
    elif raised:
        hint = f"For {len(raised)} of {len(unseen)} it raises {raised[0]}."
    return core.Wrong(f"{_REFUTED} {hint}"), True


def _arguments(exercise: core.Exercise, seed: str) -> list:
    """Return an exercise's unseen inputs and those of its check; None for a plain value."""
    return [exercise.arguments(each) for each in (_seed(seed, exercise.id), exercise.usual_seed)]


def unreached(question: Question, why: str) -> Verdict:
    """Return the verdict on an answer that was never asked, because the submission ended before."""
    return Verdict(question.id, question.points, 0.0, "stopped", why)


def _not_tried(question: Question) -> Verdict:
    return Verdict(question.id, question.points, 0.0, "not tried", "Not tried yet.")


def _wrong(question: Question, message: str, refuted: bool = False) -> Verdict:
    return Verdict(question.id, question.points, 0.0, "wrong", message[:1000], refuted)


def _sentence(reply: dict) -> str:
    """Return the reply's sentence, or nothing where it holds none."""
    why = reply.get("why")
    return why[:300] if isinstance(why, str) else ""


def _seed(seed: str, identifier: str) -> int:
    """Return the seed of one exercise's inputs: the same for every student, known to none."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{identifier}".encode()).digest()[:8], "big")
