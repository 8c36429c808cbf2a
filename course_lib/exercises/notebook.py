"""What a notebook calls: check an answer, ask for a hint, guess, see what is left.

What was tried is remembered in the kernel's memory only.
"""

import re
import secrets
from dataclasses import dataclass
from html import escape

from course_lib.exercises import core

_SIGNS = {"right": "✔", "wrong": "✘", "not tried": "○"}
_LOOKS = {  # colours for either theme: dark text on its own ground, or the page's own
    "right": "background:#56b4e9;color:#000;border-color:#56b4e9",
    "wrong": "background:#e69f00;color:#000;border-color:#e69f00",
    "not tried": "border-style:dashed",
}
_BOX = (
    "display:inline-block;min-width:4em;padding:2px 6px;margin:0 3px 3px 0;text-align:center;"
    "border:2px solid #808080;border-radius:4px;"
)
_WARNING = "\x1b[1;30;43m ✘ Not yet. \x1b[0m"  # on its own ground, readable in either theme
_states: dict[str, str] = {}
_hints_given: dict[str, int] = {}
_solutions_seen: set[str] = set()


class WrongAnswer(Exception):
    """An answer that is not right yet. Its message is the hint; no traceback of ours is shown."""

    def __init__(self, message: str, identifier: str) -> None:
        super().__init__(message)
        self.identifier = identifier

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [f"{_WARNING} {self}", f'More help: hint("{self.identifier}")']


@dataclass(frozen=True)
class _Card:
    """What a check says: a sign, words and a colour; the same words as plain text."""

    state: str
    title: str
    message: str

    def __repr__(self) -> str:
        return f"{_SIGNS[self.state]} {self.title}: {self.message}"

    def _repr_html_(self) -> str:
        box = f"<span style='{_BOX}{_LOOKS[self.state]}'>{_SIGNS[self.state]} {self.title}</span>"
        return f"<div role='status' style='padding:4px 0'>{box} {_marked(self.message)}</div>"


@dataclass(frozen=True)
class Progress:
    """The state of every exercise of a lesson; displays as boxes and a table, and as text."""

    lesson: str
    rows: tuple[tuple[str, str, str], ...]  # (id, state, ask)
    seen: frozenset[str] = frozenset()  # the ids whose worked solution was shown

    @property
    def right(self) -> int:
        """Return how many are right."""
        return sum(state == "right" for _, state, _ in self.rows)

    def __repr__(self) -> str:
        lines = [f"Lesson {self.lesson}: {self.right} of {len(self.rows)} right"]
        lines += [
            f"{_SIGNS[state]} {name} {self._words(name, state)}: {ask}"
            for name, state, ask in self.rows
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        boxes = "".join(
            f"<span title='{name} {state}' style='{_BOX}{_LOOKS[state]}'>"
            f"{_SIGNS[state]} {name}</span>"
            for name, state, _ in self.rows
        )
        items = "".join(
            f"<tr><td style='text-align:left'>{_SIGNS[state]} {name}</td>"
            f"<td style='text-align:left'>{self._words(name, state)}</td>"
            f"<td style='text-align:left'>{_marked(ask)}</td></tr>"
            for name, state, ask in self.rows
        )
        return (
            f"<p><strong>Lesson {self.lesson}: {self.right} of {len(self.rows)} right</strong></p>"
            f"<div role='img' aria-label='{self.right} of {len(self.rows)} exercises right'>"
            f"{boxes}</div><table>{items}</table>"
        )

    def _words(self, name: str, state: str) -> str:
        return f"{state}, solution seen" if name in self.seen else state


def _marked(text: str) -> str:
    """Return text as HTML: names in backticks as code, all else as it stands."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def check(identifier: str, answer: object) -> None:
    """Judge `answer`: show a card when it is right or `...`, raise WrongAnswer with a hint else.

    Raises UnknownExerciseError for an unknown id.
    """
    asked = core.exercise(identifier)
    outcome = asked.outcome(answer)
    _states.pop(identifier, None)  # put last: `progress()` shows the lesson of the latest check
    match outcome:
        case core.Right(message):
            _states[identifier] = "right"
            _show("right", f"{identifier} right", message)
        case core.NotTried():
            _states[identifier] = "not tried"
            _show("not tried", f"{identifier} not tried yet", asked.ask)
        case core.Wrong(helpful):
            _states[identifier] = "wrong"
            raise WrongAnswer(f"{identifier}: {helpful}", identifier) from None


def require(identifier: str, answer: object) -> None:
    """Raise WrongAnswer unless `answer` is right, on inputs drawn anew; print nothing.

    For the autograders of others, where a `...` must not pass: `check` lets it pass on purpose.
    """
    asked = core.exercise(identifier)
    match asked.outcome(answer, secrets.randbits(64)):
        case core.NotTried():
            raise WrongAnswer(f"{identifier} not tried yet: {asked.ask}", identifier) from None
        case core.Wrong(helpful):
            raise WrongAnswer(f"{identifier}: {helpful}", identifier) from None


def hint(identifier: str) -> None:
    """Print the next hint for an exercise; after the last one, begin again."""
    asked = core.exercise(identifier)
    if _states.get(identifier) == "right":
        print(f"{identifier} is right already.")
        return
    if not asked.hints:
        print(f"{identifier} has no hints: try an answer and check it.")
        return
    given = _hints_given.get(identifier, 0)
    _hints_given[identifier] = given + 1
    turn = given % len(asked.hints)
    print(f"{identifier} hint {turn + 1} of {len(asked.hints)}: {asked.hints[turn]}")
    if turn + 1 == len(asked.hints):
        print(f'That was the last one. solution("{identifier}") shows one way to do it.')


def solution(identifier: str) -> None:
    """Print a worked answer: once it is right, or after the last hint and a try. Costs no points.

    `progress` says that it was seen.
    """
    asked = core.exercise(identifier)
    left = len(asked.hints) - _hints_given.get(identifier, 0)
    state = _states.get(identifier, "not tried")
    if state == "not tried":
        print(f'{identifier}: try an answer and check it first; hint("{identifier}") helps.')
    elif state == "wrong" and left > 0:
        print(f'{identifier}: hints come first, {left} are left. Call hint("{identifier}").')
    else:
        _solutions_seen.add(identifier)
        print(f"{identifier}, one way to do it:\n\n{core.worked(identifier)}")


def yours(identifier: str, answer: object, ours: object) -> object:
    """Return `answer` where its check called it right and still would, else `ours`."""
    asked = core.exercise(identifier)
    right = _states.get(identifier) == "right" and isinstance(asked.outcome(answer), core.Right)
    return answer if right else ours


def progress(lesson: str | int | None = None) -> Progress:
    """Return what is done and what is left in a lesson (default: that of the latest check)."""
    if lesson is None:
        if not _states:
            raise core.UnknownExerciseError(
                "Nothing was checked yet: name the lesson, such as progress(6)."
            )
        lesson = list(_states)[-1]
    lesson = core.lesson_of(str(lesson))
    rows = (
        (each.id, _states.get(each.id, "not tried"), each.ask) for each in core.of_lesson(lesson)
    )
    return Progress(lesson, tuple(rows), frozenset(_solutions_seen))


def compare(identifier: str, guess: object, measured: object) -> None:
    """Print a guess beside what was measured (pass it rounded); `...` means none. Never graded."""
    core.lesson_of(identifier)
    told = "" if guess is Ellipsis else f" you guessed {_words(guess)},"
    print(f"{identifier}{told} measured {_words(measured)}{'' if told else '; you made no guess'}")


def _show(state: str, title: str, message: str) -> None:
    from IPython.display import display

    display(_Card(state, title, message))


def _words(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:200]
