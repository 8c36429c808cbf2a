"""Ask an answer for its values, in the student's kernel, and leave them in a file as plain data.

Nothing is judged here. Whatever a student's code does to this module, all that can come out is
values, and they have to be the right ones.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import TextIO

from course_lib.exercises.answers import Raised, answer_values, is_untouched, plain
from course_lib.instructor.grading.inside import values

# Taken now, before any code of a student: what is done to these names later does not matter here.
_open, _dumps, _replace = open, json.dumps, os.replace


def ask(answer: Callable[[], object], request: str, reply: str) -> None:
    """Evaluate `answer()`, then its values for the arguments in the file `request`, into `reply`.

    The reply has a state: "untouched", "missing" or "refused" (with "why"), or "values" (with
    them, as text).
    """
    with _open(request, encoding="utf-8") as file:
        text = file.read()
    content = _dumps(_reply(answer, values.read(text)))
    partial = f"{reply}.partial"
    with _open(partial, "w", encoding="utf-8") as file:
        file.write(content)
    _replace(partial, reply)


def bound_output(largest: int) -> None:
    """End a cell that prints more than `largest` characters, with an error of its own.

    To be called outside a cell: while one runs, IPython has its own method on the streams.
    """
    left = {"cell": "", "characters": largest}

    def bounded(stream: TextIO) -> Callable[[str], int]:
        write = stream.write

        def write_some(text: str) -> int:
            cell = stream.parent_header.get("msg_id", "")
            if cell != left["cell"]:
                left.update(cell=cell, characters=largest)
            left["characters"] -= len(text)
            if left["characters"] < 0:
                raise OSError(f"The cell printed more than {largest:,} characters.")
            return write(text)

        return write_some

    for stream in (sys.stdout, sys.stderr):
        stream.write = bounded(stream)


def _reply(answer: Callable[[], object], arguments: list[tuple] | None) -> dict:
    """Return what is written into the reply."""
    try:
        value = answer()
    except BaseException as error:  # NameError where the cell failed, but it may be anything
        return {"state": "missing", "why": _words(error)}
    try:
        if is_untouched(value):
            return {"state": "untouched"}
        if arguments is None:
            plain_values = answer_values(value, None)
        elif callable(value):
            plain_values = _call_all(value, arguments)
        else:
            answer_values(value, arguments)  # raises the sentence
        return {"state": "values", "values": values.written(plain_values)}
    except Exception as error:
        return {"state": "refused", "why": _words(error, plain_text=True)}


def _call_all(function: Callable, arguments: list[tuple]) -> list:
    """Return one plain value, or what was raised, for each call; an interrupt ends them all."""
    results: list = []
    for each in arguments:
        try:
            value = plain(function(*each))
            values.encoded(value)
        except KeyboardInterrupt:
            late = Raised("TimeoutError", "it took too long")
            return [*results, *([late] * (len(arguments) - len(results)))]
        except BaseException as error:  # an exit counts as raised too
            value = Raised(type(error).__name__, _words(error, plain_text=True))
        results.append(value)
    return results


def _words(error: BaseException, plain_text: bool = False) -> str:
    """Return an error's message of at most 200 characters; one that cannot be written is empty."""
    try:
        text = str(error)[:200]
    except BaseException:  # a hostile __str__
        text = ""
    return text if plain_text else f"{type(error).__name__}: {text}"
