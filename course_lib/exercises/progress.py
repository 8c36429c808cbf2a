"""Remember what was tried, and show what is done and what is left in a lesson."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from course_lib.exercises import core

_SIGNS = {"right": "✔", "wrong": "✘", "not tried": "○"}
_LOOKS = {  # colours for either theme: dark text on its own ground, or the page's own
    "right": "background:#56b4e9;color:#000;border-color:#56b4e9",
    "wrong": "background:#e69f00;color:#000;border-color:#e69f00",
    "not tried": "border-style:dashed",
}
_states: dict[str, str] = {}
_latest: list[str] = []


@dataclass(frozen=True)
class Progress:
    """The state of every exercise of a lesson; displays as boxes and a table, and as text."""

    lesson: str
    rows: tuple[tuple[str, str, str], ...]  # (id, state, ask)

    @property
    def right(self) -> int:
        """Return how many are right."""
        return sum(state == "right" for _, state, _ in self.rows)

    def __repr__(self) -> str:
        lines = [f"Lesson {self.lesson}: {self.right} of {len(self.rows)} right"]
        lines += [f"{_SIGNS[state]} {name} {state}: {ask}" for name, state, ask in self.rows]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        boxes = "".join(
            f"<span title='{name} {state}' style='display:inline-block;min-width:4em;"
            f"padding:2px 4px;margin:0 3px 3px 0;text-align:center;border:2px solid #808080;"
            f"border-radius:4px;{_LOOKS[state]}'>{_SIGNS[state]} {name}</span>"
            for name, state, _ in self.rows
        )
        items = "".join(
            f"<tr><td style='text-align:left'>{_SIGNS[state]} {name}</td>"
            f"<td style='text-align:left'>{state}</td>"
            f"<td style='text-align:left'>{escape(ask)}</td></tr>"
            for name, state, ask in self.rows
        )
        return (
            f"<p><strong>Lesson {self.lesson}: {self.right} of {len(self.rows)} right</strong></p>"
            f"<div role='img' aria-label='{self.right} of {len(self.rows)} exercises right'>"
            f"{boxes}</div><table>{items}</table>"
        )


def remember(identifier: str, outcome: core.Outcome) -> None:
    """Keep the latest outcome of an exercise, in this kernel's memory only."""
    words = {core.Right: "right", core.Wrong: "wrong", core.NotTried: "not tried"}
    _states[identifier] = words[type(outcome)]
    _latest[:] = [identifier]


def state_of(identifier: str) -> str:
    """Return "right", "wrong" or "not tried"."""
    return _states.get(identifier, "not tried")


def progress(lesson: str | int | None = None) -> Progress:
    """Return what is done and what is left in a lesson (default: that of the latest check)."""
    if lesson is None:
        if not _latest:
            raise core.UnknownExerciseError(
                "Nothing was checked yet: name the lesson, such as progress(6)."
            )
        lesson = core.lesson_of(_latest[0])
    lesson = core.lesson_of(str(lesson))
    rows = tuple((each.id, state_of(each.id), each.ask) for each in core.of_lesson(lesson))
    return Progress(lesson, rows)
