"""Walk back through a graph step by step: the derivatives appear on its edges."""

from __future__ import annotations

from course_lib.graph.data import Graph
from course_lib.graph.differentiation import Gradients, gradients
from course_lib.graph.evaluation import EvaluationError
from course_lib.views import constants, shell
from course_lib.views.backward import filmstrip, frame_marks, sentence, steps
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.svg import svg

_SCALE = 1.0


class BackwardPlayer:
    """`step` and `sliders` are the controls, `picture` and `text` the views, as in `Player`.

    Where the program has no derivative, `text` says why and the last picture stays.
    """

    back: Gradients | None = None

    def __init__(self, graph: Graph, ranges: dict[str, tuple[float, float]] | None = None) -> None:
        self.graph = graph
        self.layout = lay_out(graph, roomy=True)
        self.sliders = constants.sliders(graph, ranges, self._moved)
        self.step = shell.slider("step", 0, 0, 1, on_change=lambda _: self._redraw())
        self.text = shell.html()
        self.picture = shell.html()
        moves = shell.row(
            shell.button("|◀ start", lambda: self.go(0), "to the start"),
            shell.button("◀ back", lambda: self.go(self.step.value - 1), "one step back"),
            shell.button("forward ▶", lambda: self.go(self.step.value + 1), "one step forward"),
            shell.button("end ▶|", lambda: self.go(self.step.max), "to the end"),
            self.step,
        )
        controls = shell.row(*self.sliders.values())
        self.widget = shell.column(controls, moves, self.text, self.picture)
        self._change()

    def go(self, step: int) -> None:
        """Jump to a step; one that is not there is the nearest that is."""
        self.step.value = max(0, min(step, self.step.max))

    def show(self) -> None:
        """Display the walk; where widgets cannot be shown, its frames stand there."""
        static = filmstrip(self.graph, constants.feed(self.sliders)) if self.back else ""
        shell.show(self.widget, static, "" if self.back else "a program without a derivative")

    def _moved(self, _: object) -> None:
        """Follow a slider; who has not begun yet sees the whole walk."""
        self._change()
        if self.step.value == 0:
            self.go(self.step.max)

    def _change(self) -> None:
        try:
            self.back = gradients(self.graph, constants.feed(self.sliders))
        except EvaluationError as error:
            self.back = None
            self.text.value = shell.note(str(error))
            if not self.picture.value:
                self.picture.value = svg(self.layout, Marks(), str(error), _SCALE)
            return
        if self.step.max != steps(self.back):
            self.step.max = steps(self.back)
        self._redraw()

    def _redraw(self) -> None:
        if self.back is None:
            return
        said = sentence(self.back, self.step.value)
        marks = frame_marks(self.graph, self.back, self.step.value)
        self.picture.value = svg(self.layout, marks, said, _SCALE)
        self.text.value = shell.note(said)


def play_back(graph: Graph, **ranges: tuple[float, float]) -> None:
    """Display the walk back through a graph; `var1=(0, 12)` gives that node a slider.

    Without ranges, the first constants get one each.
    """
    BackwardPlayer(graph, ranges).show()
