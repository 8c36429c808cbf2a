"""The frames of a graph that runs: what is known after each step, in values, words and marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.graph.data import Graph, Node, number
from course_lib.graph.evaluation import EvaluationError, compute
from course_lib.graph.operations import operation
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.paint import paint
from course_lib.views.style import Picture, figure, show

_MOST_FRAMES = 12


@dataclass(frozen=True)
class Run:
    """One evaluation of a graph: each node's value, in the order in which they were computed.

    Where a node has no value, `values` ends before it and `problem` says why.
    """

    graph: Graph
    values: Mapping[str, float]
    fed: frozenset[str]
    problem: str = ""

    @property
    def steps(self) -> int:
        """The number of steps: one for each node that was computed, and one for the one that
        failed."""
        return len(self.values) + bool(self.problem)


def run(graph: Graph, feed: Mapping[str, float] | None = None) -> Run:
    """Evaluate a graph as far as it goes; unlike `evaluate`, keep what was computed before an
    error."""
    feed = feed or {}
    values: dict[str, float] = {}
    for node in graph:
        try:
            if node.name in feed:
                values[node.name] = float(feed[node.name])
            else:
                values[node.name] = compute(node, tuple(values[name] for name in node.inputs))
        except EvaluationError as error:
            return Run(graph, values, frozenset(feed), str(error))
    return Run(graph, values, frozenset(feed))


def sentence(done: Run, step: int) -> str:
    """Say what happens in a step, such as "temp1 = var1 + var2 = 6 + 2 = 8"; step 0 is before the
    first."""
    total = len(done.graph)
    if step == 0:
        return f"Step 0 of {total}: nothing is computed yet."
    if step > len(done.values):
        return f"Step {step} of {total}: {done.problem}"
    node = done.graph.nodes[step - 1]
    value = number(done.values[node.name])
    if node.name in done.fed or not node.computes:
        return f"Step {step} of {total}: {node.name} is {value}."
    symbols = _call(node, list(node.inputs))
    numbers = _call(node, [number(done.values[name]) for name in node.inputs])
    return f"Step {step} of {total}: {node.name} = {symbols} = {numbers} = {value}"


def frame_marks(done: Run, step: int) -> Marks:
    """Return what the picture shows after `step` steps: values on the edges, the node of this
    step."""
    graph = done.graph
    known = dict(list(done.values.items())[:step])
    states = {node.name: "waiting" for node in graph if node.name not in known}
    if 0 < step <= len(graph):
        states[graph.nodes[step - 1].name] = "now"
    labels = {edge: number(known[edge[0]]) for edge in graph.edges if edge[0] in known}
    for position, name in enumerate(graph.outputs):
        if name in known:
            labels[name, "", position] = number(known[name])
    subtitles = {
        node.name: f"constant {number(done.values[node.name])}"
        for node in graph.sources
        if node.name in done.values and not node.name.startswith("const_")
    }
    return Marks(states, labels, subtitles=subtitles)


def filmstrip(
    graph: Graph, feed: Mapping[str, float] | None = None, columns: int = 3, alt: str = ""
) -> Picture:
    """Return the frames of a run side by side in one picture: the static twin of the player.

    A long run shows its first frames and its last, twelve in all.
    """
    done = run(graph, feed)
    layout = lay_out(graph)
    steps = list(range(done.steps + 1))
    if len(steps) > _MOST_FRAMES:
        steps = [*steps[: _MOST_FRAMES - 1], steps[-1]]
    columns = min(columns, len(steps))
    rows = -(-len(steps) // columns)
    scale = min(1, 900 / columns / (layout.width + 20))
    fig, axes = figure(
        columns * (layout.width + 20) * scale / 96,
        rows * (layout.height * scale + 34) / 96,
        rows,
        columns,
        squeeze=False,
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, step in zip(axes.flat, steps, strict=False):
        paint(ax, layout, frame_marks(done, step), max(scale, 0.5))
        ax.set_title(f"step {step}", loc="center", fontsize=11)
    return show(fig, alt or "Frames of the run. " + " ".join(sentence(done, s) for s in steps))


def _call(node: Node, inputs: list[str]) -> str:
    known = operation(node.operation)
    sign = known.sign if known else node.operation
    if len(inputs) == 2 and not sign.isalpha():
        return f"{inputs[0]} {sign} {_wrapped(inputs[1])}"
    if sign == "−x":
        return f"−{_wrapped(inputs[0])}"
    if sign == "=":
        return inputs[0]
    return f"{node.operation.lower()}({', '.join(inputs)})"


def _wrapped(text: str) -> str:
    return f"({text})" if text.startswith("−") else text
