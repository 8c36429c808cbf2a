"""Run a graph: one node after the other, each reading the results that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from course_lib.graph.data import Graph, Node, number
from course_lib.graph.operations import operation
from course_lib.graph.structure import needed


class EvaluationError(ValueError):
    """A node whose result is not a number, such as a division by zero; the message names it."""


@dataclass
class Tally:
    """Counts what is done: `runs` forward, `walks` back, and the `operations` of both together.

    Pass one to `evaluate`, `gradients` or `numeric_gradients`; several calls add up.
    """

    runs: int = 0
    walks: int = 0
    operations: int = 0


def evaluate(
    graph: Graph,
    feed: Mapping[str, float] | None = None,
    fetch: str | None = None,
    tally: Tally | None = None,
) -> dict[str, float]:
    """Return the value of every node, by its name, in the order in which they were computed.

    `feed` replaces the results of nodes: a placeholder must be fed, a constant may be. With
    `fetch`, only the nodes that this result needs are run. `tally` counts the run and its
    operations. EvaluationError names the node that has no result.
    """
    tally = tally or Tally()
    tally.runs += 1
    feed = dict(feed or {})
    for name in feed:
        graph[name]  # a name that is not there is an error, not ignored
    values: dict[str, float] = {}
    for node in needed(graph, (fetch,)) if fetch else graph:
        if node.name in feed:
            values[node.name] = float(feed[node.name])
        else:
            values[node.name] = compute(node, tuple(values[name] for name in node.inputs))
            tally.operations += node.computes
    return values


def compute(node: Node, inputs: tuple[float, ...]) -> float:
    """Return the result of one node, given its inputs' values; EvaluationError says why not."""
    where = f"Line {node.line}: {node.name}" if node.line else node.name
    if not node.computes:
        if node.value is None:
            raise EvaluationError(f"{where} has no value yet: feed it a number.")
        return node.value
    known = operation(node.operation)
    if known is None or len(inputs) != known.arity:
        raise EvaluationError(f"{where} is a {node.operation}, which has no meaning for numbers.")
    try:
        return known.forward(*inputs)
    except ZeroDivisionError:
        raise EvaluationError(_zero(where, node, inputs)) from None
    except OverflowError:
        raise EvaluationError(f"{where} is too large for a number: use smaller ones.") from None
    except ValueError as error:
        shown = f"{node.operation} to {', '.join(map(number, inputs))}"
        problem = f"{where} applies {shown}, which has no real result ({error})."
        raise EvaluationError(problem) from None


def _zero(where: str, node: Node, inputs: tuple[float, ...]) -> str:
    if operation(node.operation) is operation("Div"):
        return f"{where} divides {number(inputs[0])} by {node.inputs[1]}, which is 0."
    return f"{where} raises 0 to the power {number(inputs[1])}, which divides by 0."
