"""Walk back through a graph step by step: the derivatives appear on its edges."""

from __future__ import annotations

from course_lib.draw.backward import filmstrip, frame_marks, sentence, steps
from course_lib.draw.layout import lay_out
from course_lib.draw.svg import svg
from course_lib.graph.data import Graph
from course_lib.graph.evaluate import EvaluationError
from course_lib.graph.gradients import gradients
from course_lib.widgets import shell

__all__ = ["BackwardPlayer", "play_back"]

_SCALE = 1.0


class BackwardPlayer:
    """`step` and `sliders` are the controls, `picture` and `text` the views, as in `Player`."""

    def __init__(self, graph: Graph, ranges: dict[str, tuple[int, int]]) -> None:
        self.graph = graph
        self.layout = lay_out(graph, roomy=True)
        self.sliders = {
            name: shell.slider(name, int(graph[name].value), low, high, on_change=self._change)
            for name, (low, high) in ranges.items()
        }
        self.back = gradients(graph)
        self.step = shell.slider("step", 0, 0, steps(self.back), on_change=self._redraw)
        self.text = shell.html()
        self.picture = shell.html()
        moves = shell.row(
            shell.button("◀ back", lambda: self.go(self.step.value - 1), "one step back"),
            shell.button("forward ▶", lambda: self.go(self.step.value + 1), "one step forward"),
            shell.button("end ▶|", lambda: self.go(self.step.max), "to the end"),
            self.step,
        )
        controls = shell.row(*self.sliders.values())
        self.widget = shell.column(controls, moves, self.text, self.picture)
        self._redraw()

    def go(self, step: int) -> None:
        """Jump to a step; one that is not there is the nearest that is."""
        self.step.value = max(0, min(step, self.step.max))

    def show(self) -> None:
        """Display the walk; where widgets cannot be shown, its frames stand there."""
        shell.show(self.widget, filmstrip(self.graph))

    def _change(self, _: object = None) -> None:
        feed = {name: float(slider.value) for name, slider in self.sliders.items()}
        try:
            self.back = gradients(self.graph, feed)
        except EvaluationError as error:
            self.text.value = shell.note(str(error))
            return  # the last picture stays until there is a derivative again
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        said = sentence(self.back, self.step.value)
        marks = frame_marks(self.graph, self.back, self.step.value)
        self.picture.value = svg(self.layout, marks, said, _SCALE)
        self.text.value = shell.note(said)


def play_back(graph: Graph, **ranges: tuple[int, int]) -> None:
    """Display the walk back through a graph; `var1=(0, 12)` gives that node a slider."""
    BackwardPlayer(graph, ranges).show()
