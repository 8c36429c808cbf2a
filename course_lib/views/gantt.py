"""Schedules as Gantt charts: a row for each worker, a bar for each operation."""

from collections.abc import Mapping
from html import escape

from course_lib.graph.data import Graph, number
from course_lib.graph.scheduling import Schedule, schedule
from course_lib.graph.structure import span, work
from course_lib.views import shell
from course_lib.views.style import PALETTE, Picture, card, figure, show

_ROW, _LEFT, _WIDTH = 44, 96, 760  # pixels: height of a row, room for names, width of the chart
_RIGHT = 14  # pixels for the last number of the scale
_FILL = "#DCEFFA"


class ScheduleView(shell.View):
    """The schedules of a graph for 1 to `most` workers.

    `workers` is the slider, `picture` the chart, `said` what it comes to.
    """

    def __init__(self, graph: Graph, most: int = 4) -> None:
        self.graph, self.most = graph, most
        self.workers = shell.slider("workers", 1, 1, most, on_change=self._redraw)
        self.said, self.picture = shell.html(), shell.html()
        self.widget = shell.column(self.workers, self.said, self.picture)
        self._redraw(1)

    def still(self) -> Picture:
        counts = range(1, self.most + 1)
        return gantts({f"{k} worker{'s' * (k > 1)}": schedule(self.graph, k) for k in counts})

    def _redraw(self, workers: int) -> None:
        plan = schedule(self.graph, workers)
        limits = f"work {work(self.graph):g}, span {span(self.graph):g}"
        self.said.value = shell.note(f"{describe(plan)}. ({limits})")
        self.picture.value = svg(plan, work(self.graph))


def describe(plan: Schedule) -> str:
    """Return a schedule in a sentence, for whoever cannot see it."""
    rows = []
    for worker in range(plan.workers):
        names = [task.name for task in plan.tasks if task.worker == worker]
        rows.append(f"worker {worker + 1}: {', '.join(names) or 'nothing'}")
    return f"{number(plan.length)} steps, {number(plan.idle)} of them idle. " + "; ".join(rows)


def gantts(plans: Mapping[str, Schedule]) -> Picture:
    """Return the charts of several schedules, one below the other on the same scale of time."""
    heights = [plan.workers for plan in plans.values()]
    fig, axes = figure(
        8.5, 0.45 * sum(heights) + 0.75 * len(plans), len(plans), 1,
        squeeze=False, height_ratios=[h + 0.8 for h in heights], sharex=True,
    )  # fmt: skip
    end = max(plan.length for plan in plans.values())
    for ax, (title, plan) in zip(axes[:, 0], plans.items(), strict=True):
        for task in plan.tasks:
            width = task.end - task.start
            ax.barh(task.worker, width, 0.8, task.start, color=_FILL, edgecolor=PALETTE["ink"])
            middle = {"ha": "center", "va": "center"}
            ax.text(task.start + width / 2, task.worker, task.name, fontsize=11, **middle)
        rows = range(plan.workers)
        ax.set_yticks(rows, [f"worker {worker + 1}" for worker in rows])
        ax.set_ylim(plan.workers - 0.4, -0.6)
        ax.set_xlim(0, end)
        ax.set_title(title)
    axes[-1, 0].set_xlabel("time, in steps")
    return show(fig, " | ".join(f"{t}: {describe(p)}".lstrip(": ") for t, p in plans.items()))


def svg(plan: Schedule, end: float) -> str:
    """Return the chart as SVG for a widget; `end` is the time at its right edge."""
    unit = (_WIDTH - _LEFT - _RIGHT) / max(end, 1e-9)
    height = plan.workers * _ROW + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" '
        f'aria-label="{escape(describe(plan))}" '
        f'viewBox="0 0 {_WIDTH} {height}" style="max-width:100%;height:auto" '
        f'font-family="DejaVu Sans, Verdana, sans-serif" font-size="13" fill="{PALETTE["ink"]}">'
    ]
    for worker in range(plan.workers):
        y = worker * _ROW + _ROW / 2 + 4
        parts.append(f'<text x="4" y="{y:.0f}">worker {worker + 1}</text>')
    for task in plan.tasks:
        x, y = _LEFT + task.start * unit, task.worker * _ROW + 4
        width = (task.end - task.start) * unit
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 8}" rx="3" '
            f'fill="{_FILL}" stroke="{PALETTE["ink"]}"/>'
            f'<text x="{x + width / 2:.1f}" y="{y + 23}" text-anchor="middle">'
            f"{escape(task.name)}</text>"
        )
    for step in range(int(end) + 1):
        x = _LEFT + step * unit
        parts.append(
            f'<text x="{x:.1f}" y="{height - 6}" text-anchor="middle" font-size="12">{step}</text>'
        )
    return card("".join([*parts, "</svg>"]))
