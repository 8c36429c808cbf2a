"""What each form of a model can do, as a table: every entry was tried."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field

from course_lib.experiments.alone.viewer import Drawn

# The columns after the bytes, in words, and the attribute that each shows.
_COLUMNS = {
    "answers without its code": "complete",
    "can learn on": "learns",
    "runs in TensorFlow’s Python": "tensorflow",
    "runs in TensorFlow’s C++": "cpp",
    "runs in LiteRT": "litert",
    "is a graph in Netron": "netron",
}


@dataclass(frozen=True)
class Ability:
    """Hold what one form of a model weighs and can do; None where it could not be tried here.

    `complete`: answers rightly, within 1e-5, in a process without the model's code. `learns`:
    one step down the gradient, with the code where it is needed, lowers the loss. `tensorflow`:
    TensorFlow's Python gets the right answers from it, again with the code where it is needed.
    `cpp`: TensorFlow's C++ library does. `litert`: LiteRT does. `netron`: the viewer draws
    nodes that are joined, and not weights alone.
    """

    name: str
    bytes: int
    complete: bool
    learns: bool
    tensorflow: bool
    cpp: bool | None
    litert: bool
    netron: bool | None


@dataclass(frozen=True)
class Abilities:
    """Hold the table, by name; shows itself as HTML and as text. `viewed` is about Netron."""

    rows: tuple[Ability, ...]
    viewed: Drawn | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[Ability]:
        """Yield the rows."""
        return iter(self.rows)

    def __getitem__(self, name: str) -> Ability:
        """Return the row with this name; raise `KeyError`."""
        return {row.name: row for row in self.rows}[name]

    def __repr__(self) -> str:
        """Return the abilities as lines that are the same in every run: no bytes."""
        return "\n".join(
            f"{row.name}: " + (", ".join(_abilities(row)) or "none of it") for row in self.rows
        )

    def _repr_html_(self) -> str:
        heads = ("", "kB, to the nearest ten", *_COLUMNS)
        lines = "".join(
            f"<tr><th style='text-align:left'>{html.escape(row.name)}</th>"
            f"<td>{round(row.bytes / 1000, -1):.0f}</td>"
            + "".join(
                f"<td style='text-align:center'>{_sign(getattr(row, attribute))}</td>"
                for attribute in _COLUMNS.values()
            )
            + "</tr>"
            for row in self.rows
        )
        head = "".join(
            f"<th style='text-align:center;white-space:normal;max-width:8em'>{each}</th>"
            for each in heads
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _abilities(row: Ability) -> Iterator[str]:
    """Yield the words of what a form can do."""
    yield from (words for words, attribute in _COLUMNS.items() if getattr(row, attribute))


def _sign(value: bool | None) -> str:
    return "not tried here" if value is None else "yes" if value else "–"
