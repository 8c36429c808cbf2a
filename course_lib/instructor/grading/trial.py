"""Try one work: run its program, with the course's own cells, in a sandbox, and judge its answers.

Of all cells that are no answers only those run that an answer depends on.
"""

import atexit
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from course_lib.instructor.grading import judge, sandbox
from course_lib.instructor.grading.course import Course, Reference, make_view, text_of
from course_lib.instructor.grading.programs import MOST_LATER
from course_lib.instructor.grading.results import Part, Result, Verdicts, Work
from course_lib.instructor.grading.sandbox import Run
from course_lib.instructor.grading.scopes import Effects, effects, needed_statements, pictures
from course_lib.instructor.grading.submission import tried, with_answers
from course_lib.instructor.grading.watch import Limits

_MISSING = re.compile(r"name '(\w+)' is not defined")
_MOST_RUNS = 3  # of one work, where its own added cells end the runs


@dataclass(frozen=True)
class Settings:
    """How to grade: against which course, with which secret seed, limits and kind of sandbox."""

    course: Course
    seed: str
    limits: Limits = Limits()
    kind: str = ""
    everything: bool = False


def grade(work: Work, settings: Settings) -> Result:
    """Return the result of one work; its content never raises.

    Raises SandboxError where the sandbox could not be started.
    """
    reference = settings.course.lessons[work.lesson]
    if work.problem:
        stopped = tuple(judge.unreached(each, work.problem) for each in reference.questions)
        return result_of(work, reference, stopped, work.problem)
    answers = tried(work.answers, reference)
    whole = work.program or with_answers(reference, answers).program
    whole = tuple(
        part for part in whole if part.kind in ("course", "own") or part.exercise in answers
    )
    program = tuple(part for part in whole if part.kind != "late")
    events, run, program = _attempt(reference, program, answers, settings, settings.everything)
    ended = _how_it_ended(run) if run else ""
    if run and not settings.everything and _may_need_more(run.events, program, reference):
        # Once more with every cell, and the student's twice: a notebook may be run in any order.
        twice = (*program, *_again(program))
        more, _, _ = _attempt(reference, twice, answers, settings, everything=True)
        events = _completed(events, more)
    stopped = run.ended if run else ""
    verdicts = judge.verdicts(reference, answers, settings.seed, events, stopped)
    if not ended:
        verdicts = _corrected(verdicts, whole, answers, reference, settings)
    return result_of(work, reference, verdicts, ended, run)


def _corrected(
    verdicts: Verdicts,
    program: tuple[Part, ...],
    answers: Mapping[str, str],
    reference: Reference,
    settings: Settings,
) -> Verdicts:
    """Return verdicts in which wrong answers that are corrected below their checks are right."""
    wrong = {each.id for each in verdicts if each.state == "wrong"}
    wrong &= {part.exercise for part in program if part.kind == "late"}
    if not wrong:
        return verdicts
    again = [part for part in program if part.kind not in ("ask", "late") or part.exercise in wrong]
    asked = tuple(replace(each, kind="ask") if each.kind == "late" else each for each in again)
    theirs = {name: answers[name] for name in wrong}
    _, run, _ = _attempt(reference, asked, theirs, settings, settings.everything)
    replies = [each for each in run.events if each["kind"] == "answer" and _has_values(each)]
    right = {}
    for name in wrong:
        mine = [each for each in replies if each.get("exercise") == name]
        for event in mine[-MOST_LATER:]:
            found = judge.verdicts(reference, {name: answers[name]}, settings.seed, (event,))
            right |= {each.id: each for each in found if each.state == "right"}
    return tuple(right.get(each.id, each) for each in verdicts)


def assembled(reference: Reference, program: Sequence[Part], everything: bool = False) -> bytes:
    """Return the notebook to run: the parts of a program as cells without outputs.

    Where a value is asked for, and, unless `everything`, where no answer depends on a part, its
    cell is tagged `nbval-skip`. A cell's id is the course's own, or "part-" and a number.
    """
    needed = None if everything else needed_parts(reference, program)
    cells = []
    for index, part in enumerate(program):
        identifier, metadata = f"part-{index}", {"tags": []}
        if part.kind == "course" and not part.text:
            identifier = reference.cells[part.place].get("id", identifier)
        if part.kind == "answer":
            metadata["exercise"] = part.exercise
        elif part.kind == "ask":
            metadata |= {"ask": part.exercise, "spare": part.spare, "expression": part.text}
        elif part.kind == "own":
            metadata["own"] = True
        if part.kind == "ask" or needed is not None and index not in needed:
            metadata["tags"] = ["nbval-skip"]
        text = (needed or {}).get(index, _text(part, reference))
        cells.append(_fresh(identifier, text, metadata))
    metadata = {"language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook).encode("utf-8")


def needed_parts(reference: Reference, program: Sequence[Part]) -> dict[int, str]:
    """Return the code to run by its place in a program: answers, and what they depend on.

    The set-up cell always counts. A part counts where it binds, or may change in place, a name that
    a counted part below it reads or that is asked for below it; every part does that stands above
    code which can reach all names. Of a course cell that counts, imports, definitions and values
    which nothing reads stay out.
    """
    does = [effects(_text(part, reference)) for part in program]
    asked = {each.id: effects(each.expression).reads for each in reference.questions}
    course = [_text(part, reference) for part in program if part.kind == "course"]
    modules = frozenset().union(*(effects(each).imports for each in course))
    drawing = frozenset().union(*map(pictures, course))
    needed: dict[int, str] = {}
    while True:
        # What a function reads it reads when it is called: no sooner than its answer is asked for.
        later = set().union(*(does[i].later for i in needed if program[i].kind != "course"))
        before, wanted, needed = needed, set(), {}
        for index in reversed(range(len(program))):
            part, effect = program[index], does[index]
            if part.kind == "ask":
                wanted |= effects(part.text).reads if part.text else asked[part.exercise]
                wanted |= later | ({"*"} if effects(part.text).unclear else set())
            elif part.kind == "answer" or _counts(part, effect, wanted, modules, reference):
                needed[index] = text = _text(part, reference)
                if part.kind == "course" and not _is_setup(part, reference):
                    needed[index] = text = needed_statements(text, frozenset(wanted), drawing)
                    effect = effects(text)
                wanted = wanted - effect.binds | effect.reads
                if effect.unclear and part.kind != "course":
                    wanted.add("*")
        if needed == before:
            return needed


def _counts(
    part: Part, effect: Effects, wanted: set[str], modules: frozenset[str], reference: Reference
) -> bool:
    """Tell whether what stands below a part depends on it."""
    if part.kind == "course" and _is_setup(part, reference):
        return True
    # Only a student may also change what a module holds.
    changed = effect.changes if part.kind == "own" else effect.changes - modules
    anyway = effect.magic or effect.unclear or "*" in wanted
    return bool(wanted and (anyway or (effect.writes | changed) & wanted))


def _is_setup(part: Part, reference: Reference) -> bool:
    cell = reference.cells[part.place]
    return cell.get("id") == "setup" or "cellView" in cell["metadata"]


def _text(part: Part, reference: Reference) -> str:
    whole = part.kind != "course" or part.text
    return part.text if whole else text_of(reference.cells[part.place])


def _again(program: Sequence[Part]) -> list[Part]:
    """Return the student's parts of a program once more, each asked for where none was found."""
    theirs = [part for part in program if part.kind in ("own", "answer")]
    asks = dict.fromkeys((part.text, part.exercise) for part in program if part.kind == "ask")
    asks = sorted(asks, key=lambda each: not each[0])  # what the student had checked comes first
    return [*theirs, *(Part("ask", *each, spare=True) for each in asks)]


@lru_cache(maxsize=1)
def _view() -> Path:
    """Make, once a process, the copy of the helper package that sandboxes see."""
    place = tempfile.TemporaryDirectory(prefix="grading-view-")
    atexit.register(place.cleanup)
    Path(place.name).chmod(0o755)  # the sandbox's user may be another one
    return make_view(Path(place.name))


def _attempt(
    reference: Reference,
    program: tuple[Part, ...],
    answers: Mapping[str, str],
    settings: Settings,
    everything: bool,
) -> tuple[tuple[dict, ...], Run | None, tuple[Part, ...]]:
    """Run a program, where it has answers; return the events that count, and what was run.

    An added cell that ends the run, or without which it would not have ended, is left out of the
    next: it takes nobody's points.
    """
    if not answers:
        return (), None, program
    asked = judge.requests(reference, answers, settings.seed)
    for turn in range(1, _MOST_RUNS + 1):
        notebook = assembled(reference, program, everything)
        run = sandbox.run(notebook, reference.name, asked, _view(), settings.limits, settings.kind)
        blamed = _blamed(run)
        if not blamed or not _how_it_ended(run):
            break
        every = turn == _MOST_RUNS - 1  # no more patience
        program = tuple(
            Part("own") if part.kind == "own" and (every or index in blamed) else part
            for index, part in enumerate(program)
        )
    return _that_count(run.events), run, program


def _blamed(run: Run) -> set[int]:
    """Return the places of the added cells that ended a run, or were interrupted in it."""
    begun: dict[str, str] = {}
    for event in run.events:
        if event["kind"] == "own cell":
            begun[str(event.get("cell"))] = str(event.get("why", "KeyboardInterrupt"))
    return {
        int(cell.removeprefix("part-"))
        for cell, why in begun.items()
        if "KeyboardInterrupt" in why or "imeout" in why
    }


def _that_count(events: Sequence[dict]) -> tuple[dict, ...]:
    """Return of all replies for an exercise the one that counts: the last that has values.

    The error is that of the answer's cell which ran last before it.
    """
    replies: dict[str, dict] = {}
    errors: dict[str, dict] = {}
    rest = []
    last: dict[str, dict] = {}
    for event in events:
        name = event.get("exercise")
        if event["kind"] == "cell" and isinstance(name, str):
            last[name] = event
            errors.setdefault(name, event)
        elif event["kind"] in ("answer", "silent") and isinstance(name, str):
            if name not in replies or _has_values(event) or not _has_values(replies[name]):
                replies[name] = event
                errors[name] = last.get(name, errors.get(name, event))
        else:
            rest.append(event)
    kept = [each for each in errors.values() if each["kind"] == "cell"]
    return (*kept, *replies.values(), *rest)


def _has_values(event: dict) -> bool:
    reply = event.get("reply")
    return isinstance(reply, dict) and reply.get("state") == "values"


def _may_need_more(events: Sequence[dict], program: Sequence[Part], reference: Reference) -> bool:
    """Tell whether an answer lacked a file, or a name that some cell of the notebook may bind.

    A name that is missing because the cell that binds it failed for another reason is none.
    """
    errors = {each.get("exercise"): each.get("why") for each in events if each["kind"] == "cell"}
    text = " ".join(
        json.dumps(each.get("reply", each.get("why", "")))
        for each in events
        if each["kind"] != "answer" or _has_values(each) or not errors.get(each.get("exercise"))
    )
    missing = set(_MISSING.findall(text))
    bound = frozenset().union(*(effects(_text(part, reference)).writes for part in program))
    return "FileNotFoundError" in text or bool(missing & bound)


def _completed(events: Sequence[dict], more: Sequence[dict]) -> tuple[dict, ...]:
    """Return events in which the answers that lacked a name or a file are those of a later run.

    Only these: who has answered does not answer twice.
    """
    lacked = {event.get("exercise") for event in events if _lacks(event)}
    reached = {event.get("exercise") for event in more if event["kind"] == "answer"} & lacked
    kept = [event for event in events if event.get("exercise") not in reached]
    return (*kept, *(event for event in more if event.get("exercise") in reached))


def _lacks(event: dict) -> bool:
    text = json.dumps(event)
    return event["kind"] == "answer" and (
        not _has_values(event) or "NameError" in text or "FileNotFoundError" in text
    )


def _how_it_ended(run: Run) -> str:
    """Return a sentence where a submission did not end by itself."""
    kinds = {event["kind"] for event in run.events}
    if run.ended:
        return f"The run was stopped: {run.ended}."
    if "end" not in kinds:
        return "The run ended before its last cell."
    return "The kernel ended before the last cell." if "stopped" in kinds else ""


def result_of(
    work: Work, reference: Reference, verdicts: Verdicts, ended: str = "", run: Run | None = None
) -> Result:
    """Return everything about one work; without a `run`, no sandbox was needed."""
    return Result(
        key=work.key,
        student=work.student,
        lesson=work.lesson,
        notebook=reference.name,
        origin=work.origin,
        earned=sum(verdict.earned for verdict in verdicts),
        points=reference.points,
        exercises=verdicts,
        ended=ended,
        notes=work.notes,
        sandbox=run.kind if run else "none needed",
        seconds=round(run.seconds, 2) if run else 0.0,
    )


def _fresh(identifier: str, source: str, metadata: dict) -> dict:
    """Return a code cell without outputs; strict nbval then compares nothing and only runs it."""
    cell = {"cell_type": "code", "id": identifier, "metadata": metadata, "source": source}
    return cell | {"outputs": [], "execution_count": None}
