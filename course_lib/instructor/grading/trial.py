"""Try one work: lay its answers into a fresh reference notebook, run that in a sandbox, judge.

Of the reference's own cells only those run that an answer depends on.
"""

from __future__ import annotations

import ast
import atexit
import builtins
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from course_lib.instructor.grading import judge, sandbox
from course_lib.instructor.grading.course import Course, Reference, make_view, text_of
from course_lib.instructor.grading.results import Result, Verdicts, Work
from course_lib.instructor.grading.sandbox import Run
from course_lib.instructor.grading.submission import tried
from course_lib.instructor.grading.watch import Limits

_COULD_BE_OURS = ("NameError", "FileNotFoundError")
_BUILTINS = set(dir(builtins))
# Code that uses one of these may read any name of the notebook.
_REACHES_EVERYTHING = set("globals locals vars eval exec get_ipython dir __import__ In Out".split())


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
        return _result(work, reference, stopped, work.problem)
    answers = tried(work.answers, reference)
    verdicts, run = _attempt(reference, answers, settings, settings.everything)
    if run and not settings.everything and _may_need_more(run.events):
        again = _attempt(reference, answers, settings, everything=True)
        verdicts, run = max((verdicts, run), again, key=lambda attempt: _earned(attempt[0]))
    return _result(work, reference, verdicts, _how_it_ended(run) if run else "", run)


def assembled(reference: Reference, answers: Mapping[str, str], everything: bool = False) -> bytes:
    """Return the notebook to run: the reference's cells without outputs, and the given answers.

    A question without an answer, every check cell and, unless `everything`, every cell that no
    answer depends on is tagged `nbval-skip`.
    """
    needed = None if everything else needed_cells(reference, answers)
    cells = []
    for position, cell in enumerate(reference.cells):
        metadata = dict(cell["metadata"])
        source, skip = text_of(cell), False
        if cell["cell_type"] == "code":
            if "exercise" in metadata:
                skip = metadata["exercise"] not in answers
                source = answers.get(metadata["exercise"], "...")
            elif "check" in metadata:
                skip = True
            else:
                skip = needed is not None and position not in needed
        cells.append(_fresh(cell, source, metadata, skip))
    metadata = {"language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook).encode("utf-8")


def needed_cells(reference: Reference, answers: Mapping[str, str]) -> set[int]:
    """Return the positions of the reference's own cells that the answers depend on.

    The set-up cell always counts. A cell counts where it binds, or may change in place, a name that
    an answer or a counted cell reads; every earlier one does where an answer can reach all names.
    """
    effects = [_effects(text_of(cell)) if _is_own(cell) else None for cell in reference.cells]
    modules = set().union(*(each.imports for each in effects if each))
    needed: set[int] = set()
    wanted: set[str] = set()
    for position in reversed(range(len(reference.cells))):
        cell, effect = reference.cells[position], effects[position]
        identifier = cell["metadata"].get("exercise")
        if identifier in answers:
            asked = _effects(answers[identifier])
            wanted |= asked.reads | ({"*"} if asked.unclear else set())
        if effect is None:
            continue
        setup = cell.get("id") == "setup" or "cellView" in cell["metadata"]
        changed = effect.writes | effect.changes - modules
        if setup or "*" in wanted or changed & wanted or effect.unclear and wanted:
            needed.add(position)
            wanted |= effect.reads
    return needed


@lru_cache(maxsize=1)
def _view() -> Path:
    """Make, once a process, the copy of the helper package that sandboxes see."""
    place = tempfile.TemporaryDirectory(prefix="grading-view-")
    atexit.register(place.cleanup)
    Path(place.name).chmod(0o755)  # the sandbox's user may be another one
    return make_view(Path(place.name))


def _attempt(
    reference: Reference, answers: dict, settings: Settings, everything: bool
) -> tuple[Verdicts, Run | None]:
    """Run the answers, where there are any, in a fresh copy of the reference, and judge them."""
    run = None
    if answers:
        notebook = assembled(reference, answers, everything)
        asked = judge.requests(reference, answers, settings.seed)
        run = sandbox.run(notebook, reference.name, asked, _view(), settings.limits, settings.kind)
    events, ended = (run.events, run.ended) if run else ((), "")
    return judge.verdicts(reference, answers, settings.seed, events, ended), run


def _may_need_more(events: tuple[dict, ...]) -> bool:
    """Tell whether an answer lacked a name or a file that a skipped cell might have made."""
    text = json.dumps([e for e in events if e["kind"] in ("cell", "answer", "course cell")])
    return any(name in text for name in _COULD_BE_OURS)


def _how_it_ended(run: Run) -> str:
    """Return a sentence where a submission did not end by itself."""
    kinds = {event["kind"] for event in run.events}
    if run.ended:
        return f"The run was stopped: {run.ended}."
    if "end" not in kinds:
        return "The run ended before its last cell."
    return "The kernel ended before the last cell." if "stopped" in kinds else ""


def _earned(verdicts: Verdicts) -> float:
    return sum(verdict.earned for verdict in verdicts)


def _result(
    work: Work, reference: Reference, verdicts: Verdicts, ended: str = "", run: Run | None = None
) -> Result:
    """Return everything about one work; without a `run`, no sandbox was needed."""
    return Result(
        key=work.key,
        student=work.student,
        lesson=work.lesson,
        notebook=reference.name,
        origin=work.origin,
        earned=_earned(verdicts),
        points=reference.points,
        exercises=verdicts,
        ended=ended,
        notes=work.notes,
        sandbox=run.kind if run else "none needed",
        seconds=round(run.seconds, 2) if run else 0.0,
    )


def _fresh(cell: dict, source: str, metadata: dict, skip: bool) -> dict:
    """Return a cell without outputs; strict nbval then compares nothing and only runs it."""
    kept = [tag for tag in metadata.get("tags", []) if tag != "nbval-skip"]
    metadata["tags"] = [*kept, "nbval-skip"] if skip else kept
    kind = cell["cell_type"]
    fresh = {"cell_type": kind, "id": cell.get("id", ""), "metadata": metadata, "source": source}
    return fresh | ({"outputs": [], "execution_count": None} if kind == "code" else {})


@dataclass
class _Effects:
    """Which names a cell reads, binds, imports, or may change in place by a call or an item.

    `unclear` says that this is not known, as after a magic command or a star import.
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    unclear: bool = False


def _effects(code: str) -> _Effects:
    """Return the effects of a cell's code; code that cannot be parsed is unclear."""
    lines = code.splitlines()
    plain = [line for line in lines if not line.lstrip().startswith(("%", "!"))]
    effects = _Effects(unclear=len(plain) < len(lines))
    try:
        tree = ast.parse("\n".join(plain))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Effects(unclear=True)
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Load()):
                effects.reads.add(node.id)
            case ast.Name():
                effects.writes.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                effects.writes.add(node.name)
            case ast.Global() | ast.Nonlocal():
                effects.writes.update(node.names)
            case ast.Import() | ast.ImportFrom():
                names = [each.asname or each.name.split(".")[0] for each in node.names]
                effects.imports.update(names)
            case ast.Attribute() | ast.Subscript() if not isinstance(node.ctx, ast.Load):
                effects.changes.update(_root(node))
            case ast.Call(func=ast.Attribute()):
                effects.changes.update(_root(node.func))
    effects.writes |= effects.imports
    effects.unclear |= "*" in effects.imports or bool(effects.reads & _REACHES_EVERYTHING)
    effects.reads -= _BUILTINS - _REACHES_EVERYTHING
    return effects


def _root(node: ast.AST) -> set[str]:
    """Return the name at the start of `name.attribute[…]`, if there is one."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _is_own(cell: dict) -> bool:
    """Tell whether a cell is the reference's own code: neither an answer nor a check."""
    return cell["cell_type"] == "code" and not {"exercise", "check"} & set(cell["metadata"])
