"""A slider for the number of workers, and the schedule that they make of a graph."""

from __future__ import annotations

from course_lib.graph.data import Graph
from course_lib.graph.scheduling import schedule
from course_lib.graph.structure import span, work
from course_lib.views import shell
from course_lib.views.schedule import describe, gantts, svg


class Planner:
    """`workers` is the slider, `picture` the chart, `said` what it comes to."""

    def __init__(self, graph: Graph, most: int = 4) -> None:
        self.graph = graph
        self.most = most
        self.workers = shell.slider("workers", 1, 1, most, on_change=self._redraw)
        self.said = shell.html()
        self.picture = shell.html()
        self.widget = shell.column(self.workers, self.said, self.picture)
        self._redraw(1)

    def show(self) -> None:
        """Display the slider; where widgets cannot be shown, all charts one below the other."""
        plans = {
            f"{k} worker{'s' if k > 1 else ''}:": schedule(self.graph, k)
            for k in range(1, self.most + 1)
        }
        shell.show(self.widget, gantts(plans))

    def _redraw(self, workers: int) -> None:
        made = schedule(self.graph, workers)
        limits = f"work {work(self.graph):g}, span {span(self.graph):g}"
        self.said.value = shell.note(f"{describe(made)}. ({limits})")
        self.picture.value = svg(made, work(self.graph))


def plan(graph: Graph, most: int = 4) -> None:
    """Display the schedules of a graph for 1 to `most` workers, under a slider."""
    Planner(graph, most).show()
