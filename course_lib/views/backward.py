"""The walk back through a graph, frame by frame: what each edge passes on to its source."""

from __future__ import annotations

from collections.abc import Mapping

from course_lib.graph.data import Graph, number
from course_lib.graph.differentiation import Gradients, gradients
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.paint import paint
from course_lib.views.style import Picture, figure, show

_MOST_FRAMES = 8


def steps(back: Gradients) -> int:
    """Return the number of steps: one for the result, one for each edge that is walked back."""
    return 1 + len(back.edges)


def sentence(back: Gradients, step: int) -> str:
    """Say what happens in a step; step 0 is before the first."""
    total = steps(back)
    if step == 0:
        return f"Step 0 of {total}: all values are known, no derivative is."
    if step == 1:
        return f"Step 1 of {total}: {back.output} moves by 1 when {back.output} moves by 1."
    edge = back.edges[step - 2]
    above = number(_so_far(back, step - 1)[edge.target])
    gained = number(edge.contribution)
    now = number(_so_far(back, step)[edge.source])
    return (
        f"Step {step} of {total}: {edge.source} gets {above} × {number(edge.local)} = {gained} "
        f"from {edge.target}, and has {now}."
    )


def frame_marks(graph: Graph, back: Gradients, step: int) -> Marks:
    """Return what the picture shows after `step` steps: contributions on edges, sums in boxes."""
    known = _so_far(back, step)
    walked = back.edges[: max(step - 1, 0)]
    labels = {(e.source, e.target, e.position): number(e.contribution) for e in walked}
    states = {node.name: "waiting" for node in graph if node.name not in known}
    if step > 0:
        states[walked[-1].source if walked else back.output] = "here"
    subtitles = {name: f"{name}: {number(value)}" for name, value in known.items()}
    for node in graph:
        if not node.computes:
            shown = known.get(node.name)
            subtitles[node.name] = "not yet" if shown is None else number(shown)
    return Marks(states, labels, subtitles=subtitles, strong=tuple(labels)[-1:])


def filmstrip(graph: Graph, feed: Mapping[str, float] | None = None, columns: int = 2) -> Picture:
    """Return frames of the walk back side by side, one for each node that was walked over.

    There are eight at most; it is the static twin of the widget.
    """
    back = gradients(graph, feed)
    layout = lay_out(graph, roomy=True)
    last_edge = {edge.target: step for step, edge in enumerate(back.edges, start=2)}
    shown = list(last_edge.values())[:_MOST_FRAMES] or [1]
    columns = min(columns, len(shown))
    scale = min(1, 900 / columns / (layout.width + 20))
    rows = -(-len(shown) // columns)
    size = (columns * (layout.width + 20) * scale / 96, rows * (layout.height * scale + 34) / 96)
    fig, axes = figure(*size, rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, step in zip(axes.flat, shown, strict=False):
        paint(ax, layout, frame_marks(graph, back, step), max(scale, 0.5))
        ax.set_title(f"after step {step}", loc="center", fontsize=11)
    said = (sentence(back, step) for step in range(1, steps(back) + 1))
    return show(fig, "The walk back. " + " ".join(said))


def _so_far(back: Gradients, step: int) -> dict[str, float]:
    """Return the derivatives that are known after a step; a sum may still grow."""
    if step == 0:
        return {}
    known = {back.output: 1.0}
    for edge in back.edges[: step - 1]:
        known[edge.source] = known.get(edge.source, 0.0) + edge.contribution
    return known
