"""What is shown on top of a bare graph, and how each state of a node and an edge looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from math import hypot

from course_lib.views.places import Arrow, Box, Edge
from course_lib.views.style import PALETTE

FILLS = {
    "constant": "#FFF6CC",
    "placeholder": "#DCEFFA",
    "variable": "#D5EFE6",
    "operation": "#FFFFFF",
}
_FADED = "#9A9A9A"
_HEAD = 9  # pixels, the length of an arrow's head


@dataclass(frozen=True)
class Marks:
    """What a picture shows on top of the bare graph.

    `states` gives nodes a state: "waiting" is faint, "now" and "here" stand out; all others are
    plain. `labels` puts text on edges, by (from, to, position), or by (name, "", n) on the arrow of
    a result; a second line is written smaller. `notes` puts a small text to the right below a node,
    `subtitles` another text into its box. The edges in `strong` stand out.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[Edge, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    subtitles: Mapping[str, str] = field(default_factory=dict)
    strong: Collection[Edge] = frozenset()


@dataclass(frozen=True)
class Look:
    """How something is drawn: the colour and width of its line, dashed or not, colour of its
    text."""

    pen: str
    width: float
    dashed: bool = False
    ink: str = PALETTE["ink"]


def box_look(box: Box, marks: Marks) -> Look:
    """Return how a node looks, by its state and its kind."""
    state = marks.states.get(box.name, "")
    if state == "waiting":
        return Look(_FADED, 1, True, PALETTE["grey"])
    dashed = box.kind == "placeholder"
    if state in ("now", "here"):
        return Look(PALETTE["red"], 4, dashed)
    return Look(PALETTE["ink"], 1.5, dashed)


def arrow_look(arrow: Arrow, marks: Marks) -> Look:
    """Return how an edge looks: faint where one of its ends waits, strong into the node of now.

    So are the edges that `marks` names.
    """
    ends = [marks.states.get(name, "") for name in arrow.edge[:2]]
    if "waiting" in ends:
        return Look(_FADED, 1)
    if ends[1] == "now" or arrow.edge in marks.strong:
        return Look(PALETTE["red"], 2.5)
    return Look(PALETTE["ink"], 1.3)


def arrow_head(arrow: Arrow) -> list[tuple[float, float]]:
    """Return the triangle at the end of an arrow, its tip first."""
    x, y = arrow.points[-1]
    before = next(
        (p for p in reversed(arrow.points[:-1]) if hypot(x - p[0], y - p[1]) > 0.5), (x, y - 1)
    )
    length = hypot(x - before[0], y - before[1])
    dx, dy = (x - before[0]) / length, (y - before[1]) / length
    back, side = (x - _HEAD * dx, y - _HEAD * dy), _HEAD * 0.45
    left = (back[0] - side * dy, back[1] + side * dx)
    return [(x, y), left, (back[0] + side * dy, back[1] - side * dx)]
