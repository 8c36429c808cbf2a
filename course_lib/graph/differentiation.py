"""Reverse mode: one walk back through the graph gives the derivative by every value at once.

Source: S. Linnainmaa, "The representation of the cumulative rounding error ..." (1970); the same
walk is behind `tf.GradientTape`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.graph.data import Graph
from course_lib.graph.evaluation import EvaluationError, Tally, evaluate, operation


@dataclass(frozen=True)
class EdgeGradient:
    """What one edge carries on the way back.

    `local` is by how much the node `target` grows for a small step of this input (`position`);
    `contribution` is `local` times the gradient of `target`: what `source` gets through this edge.
    """

    source: str
    target: str
    position: int
    local: float
    contribution: float


@dataclass(frozen=True)
class Gradients:
    """The derivative of one result by every node.

    `values` are the forward results, `by_node` the derivatives, `edges` the contributions in the
    order of the backward walk. A node's derivative is the sum of the contributions of the edges
    that leave it.
    """

    output: str
    values: Mapping[str, float]
    by_node: Mapping[str, float]
    edges: tuple[EdgeGradient, ...]

    def __getitem__(self, name: str) -> float:
        return self.by_node[name]


def gradients(
    graph: Graph,
    feed: Mapping[str, float] | None = None,
    output: str | None = None,
    tally: Tally | None = None,
) -> Gradients:
    """Return the derivative of `output` (without it, of the first output) by every node.

    A node that the output does not need has the derivative 0. `tally` counts the run forward and
    the walk back. EvaluationError names a node where there is no result or no derivative.
    """
    target = output or graph.outputs[0]
    tally = tally or Tally()
    values = evaluate(graph, feed, tally=tally)
    tally.walks += 1
    by_node = {**dict.fromkeys(values, 0.0), target: 1.0}
    reached, edges = {target}, []
    for node in reversed(graph.nodes):
        if node.name not in reached or not node.inputs or node.name in (feed or ()):
            continue  # a fed value stands for itself: nothing flows through it
        slopes = _slopes(node, values)
        tally.operations += 1
        for position, (source, local) in enumerate(zip(node.inputs, slopes, strict=True)):
            contribution = local * by_node[node.name]
            by_node[source] += contribution
            reached.add(source)
            edges.append(EdgeGradient(source, node.name, position, local, contribution))
    return Gradients(target, values, by_node, tuple(edges))


def numeric_gradients(
    graph: Graph,
    feed: Mapping[str, float] | None = None,
    output: str | None = None,
    step: float = 1e-6,
    central: bool = True,
    tally: Tally | None = None,
) -> dict[str, float]:
    """Return the derivative of `output` by each of the n sources, by moving each a little.

    The central difference (f(x + h) - f(x - h)) / 2h, with h = `step` times the size of x, takes
    2n + 1 runs and is exact to the second order; without `central`, (f(x + h) - f(x)) / h takes
    n + 1. `tally` counts them.
    """
    target = output or graph.outputs[0]
    values = evaluate(graph, feed, tally=tally)
    slopes = {}
    for node in graph.sources:
        here, results = values[node.name], [values[target]]
        width = step * max(1.0, abs(here))
        for place in (here - width, here + width) if central else (here + width,):
            moved = {**(feed or {}), node.name: place}
            results.append(evaluate(graph, moved, tally=tally)[target])
        slopes[node.name] = (results[-1] - results[-2]) / (width + width * central)
    return slopes


def _slopes(node, values: Mapping[str, float]) -> tuple[float, ...]:
    known = operation(node.operation)
    if known is None:
        raise EvaluationError(f"{node.name} is a {node.operation}, which has no derivative here.")
    inputs = [values[name] for name in node.inputs]
    try:
        return known.backward(values[node.name], *inputs)
    except (ZeroDivisionError, OverflowError, ValueError):
        raise EvaluationError(f"{node.name} has no derivative where it stands.") from None
