"""Failures made on purpose: what a tool says, cut down to the line that tells."""

import re
import tempfile
from collections.abc import Callable
from typing import Any

from course_lib import session
from course_lib.formats.tflite_file import ModelError
from course_lib.micro import record
from course_lib.micro.interpreter import GENEROUS_BYTES, ArenaRun, Device, MicroError, available
from course_lib.micro.program import methods, operators

QUIET = "no message"
_MARKS = "Exception encountered:", "error:"  # behind these stands what a long message is about
_FOLDERS = re.compile(r"(?:[\w.~:-]*[/\\]){2,}(?=[\w.-])")
_ADVICE = re.compile(r"[.,;] ?(?:An older|likely|Make sure|See|Showing)\b")
_MISSING = re.compile(r"missing: (\d+)")
_TRIES = 40


def symptom(action: Callable[[], Any]) -> str:
    """Run `action()` quietly and return the telling line of its first error, or `QUIET`."""
    try:
        with session.quiet():
            action()
    except (ModelError, MicroError) as error:  # ours: theirs is what a student meets elsewhere
        return telling(str(error.__cause__ or error))
    except Exception as error:  # TensorFlow raises many kinds, and what it says is the result
        return telling(str(error))
    return QUIET


def telling(message: str) -> str:
    """Return the sentence of a message that says what is wrong, without folders.

    It stands behind a mark such as "error:" if there is one, else at the beginning.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    for mark in _MARKS:
        if behind := [line.partition(mark)[2] for line in lines if mark in line]:
            lines = behind
            break
    line = [*lines, "no reason given"][0].replace(tempfile.gettempdir(), "")  # spaces and all
    return _ADVICE.split(_FOLDERS.sub("", line))[0].strip(" .,")


def on_micro(model_bytes: bytes, arena_bytes: int = GENEROUS_BYTES) -> str:
    """Return what TensorFlow Lite Micro says when a model starts in an arena, or `QUIET`.

    Where it is not installed, this is worked out: from the list of its operators, and for the
    shipped model from the recorded arena.
    """
    return _answers(model_bytes, lambda said: said(arena_bytes))


def grown(
    model_bytes: bytes, arena_bytes: int, cure: Callable[[int, int], int]
) -> list[tuple[int, str]]:
    """Return each arena that was tried and what was said, the last one being enough.

    `cure(arena, missing)` gets the bytes that a message calls missing and returns the next arena.
    Raises MicroError where that leads nowhere.
    """

    def until_it_starts(said: Callable[[int], str]) -> list[tuple[int, str]]:
        tried = [(int(arena_bytes), said(int(arena_bytes)))]
        while (words := tried[-1][1]) != QUIET:
            missing = _MISSING.search(words)
            if missing is None or len(tried) == _TRIES:
                raise MicroError(f"No arena was found for this model: {words}.")
            arena = int(cure(tried[-1][0], int(missing[1])))
            tried.append((arena, said(arena)))
        return tried

    return _answers(model_bytes, until_it_starts)


def _answers(model_bytes: bytes, ask: Callable[[Callable[[int], str]], Any]) -> Any:
    """Return `ask(said)`, where `said(arena)` is what one process, or its stand-in, says."""
    if not available():
        return ask(lambda arena: worked_out(model_bytes, arena))

    with Device() as device:

        def said(arena: int) -> str:
            try:
                device.allocations(model_bytes, arena, runs=1)
            except MicroError as error:
                return str(error).rstrip(".")
            return QUIET

        return ask(said)


def worked_out(model_bytes: bytes, arena_bytes: int) -> str:
    """Return what TensorFlow Lite Micro would say, without it.

    Every model is taken to need the arena of the recorded one.
    """
    lacking = [kind for kind in operators(model_bytes) if kind not in methods()]
    if lacking:
        return f"Didn't find op for builtin opcode '{lacking[0]}'"
    recorded = ArenaRun.from_dict(record.load()["arena"], record.date_line())
    requested = recorded.allocations.head_bytes
    room = arena_bytes - (recorded.smallest_bytes - requested)
    if room >= requested:
        return QUIET
    missing = f"Requested: {requested}, available {room}, missing: {requested - room}"
    return f"Failed to resize buffer. {missing}"
