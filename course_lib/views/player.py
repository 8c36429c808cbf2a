"""A graph that runs step by step: what is known after each, in values, words and marks."""

from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.graph.data import Graph, Node, number
from course_lib.graph.evaluation import EvaluationError, compute, operation
from course_lib.views.layout import lay_out
from course_lib.views.painting import Marks
from course_lib.views.stepping import Stepper, film
from course_lib.views.style import Picture

_MOST_FRAMES = 12  # more of them would be too small to read


class Player(Stepper):
    """The player of one graph: run it forward and back, with a slider for each constant."""

    scale = 1.15

    def still(self) -> Picture:
        return filmstrip(self.graph, self.feed)

    def evaluate(self) -> int:
        self.run = run(self.graph, self.feed)
        return self.run.steps

    def frame(self, step: int) -> tuple[str, Marks]:
        return sentence(self.run, step), frame_marks(self.run, step)


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
        """The number of nodes that were computed, and one more for the one that failed."""
        return len(self.values) + bool(self.problem)


def run(graph: Graph, feed: Mapping[str, float] | None = None) -> Run:
    """Evaluate a graph as far as it goes: what was computed before an error is kept."""
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
    """Say what happens in a step, such as "temp1 = var1 + var2 = 6 + 2 = 8"; 0 is before all."""
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
    """Return the marks after `step` steps: values on the edges, the node of this step."""
    graph = done.graph
    known = dict(list(done.values.items())[:step])
    states = {node.name: "waiting" for node in graph if node.name not in known}
    if 0 < step <= len(graph):
        states[graph.nodes[step - 1].name] = "now"
    labels = {edge: number(known[edge[0]]) for edge in graph.edges if edge[0] in known}
    for position, name in enumerate(graph.outputs):
        if name in known:
            labels[name, "", position] = number(known[name])
    # a constant without a name of its own has its value as its title already
    subtitles = {
        node.name: f"constant {number(done.values[node.name])}"
        for node in graph.sources
        if node.name in done.values and not node.name.startswith("const_")
    }
    return Marks(states, labels, subtitles=subtitles)


def filmstrip(graph: Graph, feed: Mapping[str, float] | None = None) -> Picture:
    """Return the frames of a run side by side in one picture: the static twin of the player.

    A long run shows its first frames and its last, twelve in all.
    """
    done = run(graph, feed)
    steps = list(range(done.steps + 1))
    if len(steps) > _MOST_FRAMES:
        steps = [*steps[: _MOST_FRAMES - 1], steps[-1]]
    frames = {f"step {step}": frame_marks(done, step) for step in steps}
    sentences = " ".join(sentence(done, step) for step in steps)
    return film(lay_out(graph), frames, 3, f"Frames of the run. {sentences}")


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
