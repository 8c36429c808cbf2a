"""What is walked over a graph step by step: its controls, and its frames side by side."""

from collections.abc import Mapping

from course_lib.graph.data import Graph
from course_lib.graph.evaluation import EvaluationError
from course_lib.views import shell
from course_lib.views.layout import Layout, lay_out
from course_lib.views.painting import Marks, paint, svg
from course_lib.views.style import Picture, figure, show

_MOST_SLIDERS = 5  # more push the picture off the screen


class Stepper(shell.View):
    """A walk over a graph: `step` and `sliders` are its controls, `picture` and `text` its views.

    The graph is laid out once; a move of a control evaluates it and writes the picture anew. Where
    it cannot be evaluated, `text` says why and the last picture stays. `var1=(0, 12)` gives that
    node a slider from 0 to 12; without any, the first constants and placeholders that have a name
    get one, twice as far as their value.
    """

    roomy = False
    scale = 1.0  # of the picture on the page

    def __init__(self, graph: Graph, /, **ranges: tuple[float, float]) -> None:
        self.graph = graph
        self.layout = lay_out(graph, roomy=self.roomy)
        self.sliders = {
            name: shell.slider(name, *_start(graph, name, low, high), on_change=self._moved)
            for name, (low, high) in (ranges or _usual_ranges(graph)).items()
        }
        self.step = shell.slider("step", 0, 0, len(graph), on_change=lambda _: self._redraw())
        self.picture, self.text = shell.html(), shell.html()
        moves = shell.row(
            shell.button("|◀ start", lambda: self.go(0), "to the start"),
            shell.button("◀ back", lambda: self.go(self.step.value - 1), "one step back"),
            shell.button("forward ▶", lambda: self.go(self.step.value + 1), "one step forward"),
            shell.button("end ▶|", lambda: self.go(self.step.max), "to the end"),
            self.step,
        )
        sliders = shell.row(*self.sliders.values())
        self.widget = shell.column(sliders, moves, self.text, self.picture)
        self._change()

    @property
    def feed(self) -> dict[str, float]:
        """The values of the sliders, as `evaluate` wants them."""
        return {name: float(slider.value) for name, slider in self.sliders.items()}

    def go(self, step: int) -> None:
        """Jump to a step; one that is not there is the nearest that is."""
        self.step.value = max(0, min(step, self.step.max))

    def evaluate(self) -> int:
        """Walk over the graph with the values of the sliders; return the number of steps.

        Raises EvaluationError where that is not possible.
        """
        raise NotImplementedError

    def frame(self, step: int) -> tuple[str, Marks] | None:
        """Return what happens in a step, in words and on the picture; None where nothing does."""
        raise NotImplementedError

    def _moved(self, _: object) -> None:
        """Follow a slider; who has not begun yet sees the whole walk, so that values can follow."""
        self._change()
        if self.step.value == 0:
            self.go(self.step.max)

    def _change(self) -> None:
        try:
            self.step.max = self.evaluate()
        except EvaluationError as error:
            self.text.value = shell.note(str(error))
            if not self.picture.value:
                self.picture.value = svg(self.layout, Marks(), str(error), self.scale)
        else:
            self._redraw()

    def _redraw(self) -> None:
        frame = self.frame(self.step.value)
        if frame is not None:
            sentence, marks = frame
            # the picture first: it is looked at
            self.picture.value = svg(self.layout, marks, sentence, self.scale)
            self.text.value = shell.note(sentence)


def film(layout: Layout, frames: Mapping[str, Marks], columns: int, alt: str) -> Picture:
    """Return frames of a walk side by side in one picture, each under the key that is its title."""
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    scale = min(1, 900 / columns / (layout.width + 20))
    size = (columns * (layout.width + 20) * scale / 96, rows * (layout.height * scale + 34) / 96)
    fig, axes = figure(*size, rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (title, marks) in zip(axes.flat, frames.items(), strict=False):
        paint(ax, layout, marks, max(scale, 0.5))  # smaller, it would have no texts
        ax.set_title(title, loc="center", fontsize=11)
    return show(fig, alt)


def _usual_ranges(graph: Graph) -> dict[str, tuple[float, float]]:
    names = [node.name for node in graph.sources if not node.name.startswith("const_")]
    ranges = {}
    for name in names[:_MOST_SLIDERS]:
        reach = 2 * abs(graph[name].value or 0) or 10
        reach = int(reach) if reach == int(reach) else reach
        ranges[name] = (-reach, reach)
    return ranges


def _start(graph: Graph, name: str, low: float, high: float) -> tuple[float, float, float, float]:
    """Return a slider's value, bounds and step: whole numbers where value and bounds are whole."""
    value = graph[name].value
    value = (low + high) / 2 if value is None else min(max(value, low), high)
    if value == int(value) and isinstance(low, int) and isinstance(high, int):
        return int(value), low, high, 1
    return value, low, high, (high - low) / 100
