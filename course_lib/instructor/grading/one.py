"""Grade one notebook of one student: assemble, run in a sandbox, judge."""

from __future__ import annotations

import atexit
import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from course_lib.instructor.grading import assemble, judge, sandbox
from course_lib.instructor.grading.course import Course, Reference, make_view
from course_lib.instructor.grading.judge import Verdict

_COULD_BE_OURS = ("NameError", "FileNotFoundError")


@dataclass(frozen=True)
class Work:
    """One student's answers to one lesson: all that is left of the notebook that was handed in.

    `problem` says why nothing can be graded, where that is so.
    """

    student: str
    lesson: str
    origin: str
    answers: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""

    @property
    def key(self) -> str:
        """Return a digest of who answered what: the same work is graded once."""
        text = json.dumps([self.student, self.lesson, sorted(self.answers.items()), self.problem])
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]


@dataclass(frozen=True)
class Settings:
    """How to grade: against which course, with which secret seed, limits and kind of sandbox."""

    course: Course
    seed: str
    limits: sandbox.Limits = sandbox.Limits()
    kind: str = ""
    everything: bool = False


def grade(work: Work, settings: Settings) -> dict:
    """Return the result of one work as plain data, ready for JSON; never raises for its content."""
    reference = settings.course.lessons[work.lesson]
    if work.problem:
        return _result(
            work,
            reference,
            [judge.unreached(each, work.problem) for each in reference.questions],
            work.problem,
            None,
        )
    answers = _tried(work, reference)
    if not answers:
        return _result(
            work, reference, _verdicts(reference, answers, (), "", settings.seed), "", None
        )
    run = _run(reference, answers, settings, settings.everything)
    verdicts = _verdicts(reference, answers, run.events, run.ended, settings.seed)
    if not settings.everything and _may_need_more(run.events):
        again = _run(reference, answers, settings, everything=True)
        others = _verdicts(reference, answers, again.events, again.ended, settings.seed)
        if sum(each.earned for each in others) > sum(each.earned for each in verdicts):
            run, verdicts = again, others
    return _result(work, reference, verdicts, _how_it_ended(run), run)


@lru_cache(maxsize=1)
def _view() -> Path:
    """Make, once a process, the copy of the helper package that sandboxes see."""
    place = tempfile.TemporaryDirectory(prefix="grading-view-")
    atexit.register(place.cleanup)
    Path(place.name).chmod(0o755)
    return make_view(Path(place.name))


def _tried(work: Work, reference: Reference) -> dict[str, str]:
    """Return the answers that differ from what was handed out."""
    stubs = {each.id: _bare(each.stub) for each in reference.questions}
    return {
        name: text
        for name, text in work.answers.items()
        if name in stubs and _bare(text) and _bare(text) != stubs[name]
    }


def _run(reference: Reference, answers: dict, settings: Settings, everything: bool) -> sandbox.Run:
    """Run the answers in a fresh copy of the reference."""
    return sandbox.run(
        assemble.assembled(reference, answers, everything),
        reference.name,
        judge.requests(reference, answers, settings.seed),
        _view(),
        settings.limits,
        settings.kind,
    )


def _verdicts(
    reference: Reference, answers: dict, events: tuple[dict, ...], ended: str, seed: str
) -> list[Verdict]:
    """Judge every question from the first event that tells about it."""
    replies: dict[str, dict] = {}
    errors: dict[str, str] = {}
    for event in events:
        name = event.get("exercise")
        if event["kind"] in ("answer", "silent") and isinstance(name, str):
            replies.setdefault(name, event)
        elif event["kind"] == "cell" and isinstance(name, str):
            errors.setdefault(name, str(event.get("why", ""))[:300])
    verdicts = []
    for question in reference.questions:
        if question.id not in answers:
            verdicts.append(
                Verdict(question.id, question.points, 0.0, "not tried", "Not tried yet.")
            )
        elif question.id in replies:
            verdicts.append(
                judge.verdict(question, replies[question.id], errors.get(question.id, ""), seed)
            )
        else:
            why = errors.get(question.id) or ended or "the kernel ended before"
            verdicts.append(judge.unreached(question, f"Not reached: {why}."))
    return verdicts


def _may_need_more(events: tuple[dict, ...]) -> bool:
    """Tell whether an answer lacked a name or a file that a skipped cell might have made."""
    text = json.dumps(
        [
            event
            for event in events
            if event["kind"] in ("cell", "answer") or event["kind"] == "course cell"
        ]
    )
    return any(name in text for name in _COULD_BE_OURS)


def _how_it_ended(run: sandbox.Run) -> str:
    """Return a sentence where a submission did not end by itself."""
    if run.ended:
        return f"The run was stopped: {run.ended}."
    if not any(event["kind"] == "end" for event in run.events):
        return "The run ended before its last cell."
    if any(event["kind"] == "stopped" for event in run.events):
        return "The kernel ended before the last cell."
    return ""


def _result(
    work: Work, reference: Reference, verdicts: list[Verdict], ended: str, run: sandbox.Run | None
) -> dict:
    """Return everything about one work as plain data."""
    return {
        "key": work.key,
        "student": work.student,
        "lesson": work.lesson,
        "notebook": reference.name,
        "origin": work.origin,
        "earned": sum(each.earned for each in verdicts),
        "points": reference.points,
        "exercises": [asdict(each) for each in verdicts],
        "ended": ended,
        "notes": list(work.notes),
        "sandbox": run.kind if run else "none needed",
        "seconds": round(run.seconds, 2) if run else 0.0,
    }


def _bare(text: str) -> str:
    """Return a text without blank lines and spaces at line ends."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
