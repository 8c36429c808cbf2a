"""Run a graph step by step, with a slider for each constant."""

from __future__ import annotations

from course_lib.graph.data import Graph
from course_lib.views import constants, shell
from course_lib.views.layout import lay_out
from course_lib.views.player import filmstrip, frame_marks, run, sentence
from course_lib.views.svg import svg

_SCALE = 1.15  # of the picture on the page


class Player:
    """The player of one graph: `step` and `sliders` are its controls, `picture` and `text` its
    views.

    The graph is laid out once; a move of a control evaluates it and writes the picture anew.
    `ranges` gives the lowest and highest value of the sliders by the name of their node; without
    it, the first constants and placeholders get one, twice as far as their value.
    """

    def __init__(self, graph: Graph, ranges: dict[str, tuple[float, float]] | None = None) -> None:
        self.graph = graph
        self.layout = lay_out(graph)
        self.sliders = constants.sliders(graph, ranges, self._moved)
        self.step = shell.slider("step", 0, 0, len(graph), on_change=lambda _: self._redraw())
        self.picture = shell.html()
        self.text = shell.html()
        moves = shell.row(
            shell.button("|◀ start", lambda: self.go(0), "to the start"),
            shell.button("◀ back", lambda: self.go(self.step.value - 1), "one step back"),
            shell.button("forward ▶", lambda: self.go(self.step.value + 1), "one step forward"),
            shell.button("end ▶|", lambda: self.go(len(graph)), "to the end"),
            self.step,
        )
        controls = shell.row(*self.sliders.values())
        self.widget = shell.column(controls, moves, self.text, self.picture)
        self._change()

    @property
    def feed(self) -> dict[str, float]:
        """The values of the sliders."""
        return constants.feed(self.sliders)

    def go(self, step: int) -> None:
        """Jump to a step; one that is not there is the nearest that is."""
        self.step.value = max(0, min(step, self.step.max))

    def show(self) -> None:
        """Display the player; where widgets cannot be shown, its frames stand there."""
        shell.show(self.widget, filmstrip(self.graph, self.feed))

    def _moved(self, _: object) -> None:
        """Follow a slider; who has not begun yet sees the whole run, so that values can follow."""
        self._change()
        if self.step.value == 0:
            self.go(self.run.steps)

    def _change(self) -> None:
        self.run = run(self.graph, self.feed)
        if self.step.max != self.run.steps:
            self.step.max = self.run.steps
        self._redraw()

    def _redraw(self) -> None:
        said = sentence(self.run, self.step.value)
        marks = frame_marks(self.run, self.step.value)
        self.picture.value = svg(self.layout, marks, said, _SCALE)  # first: it is looked at
        self.text.value = shell.note(said)


def play(graph: Graph, **ranges: tuple[float, float]) -> None:
    """Display the player of a graph; `var1=(0, 12)` gives that node a slider from 0 to 12."""
    Player(graph, ranges).show()
