"""Run a graph one node after the other, and walk back through it for the derivative by every value.

What each operation does stands here, too. TensorFlow's names for the same operations lead to the
same entries: "AddV2" is "Add", "RealDiv" is "Div". The derivatives at a kink are TensorFlow's (the
gradient of relu at 0 is 0). Reverse mode: S. Linnainmaa, "The representation of the cumulative
rounding error ..." (1970); the same walk is behind `tf.GradientTape`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from course_lib.graph.data import Graph, Node, number
from course_lib.graph.structure import needed


@dataclass(frozen=True)
class Operation:
    """An operation on numbers.

    `forward(*inputs)` gives the result. `backward(result, *inputs)` gives, for each input, by how
    much the result grows for a small step of that input. `sign` is what a picture shows.
    """

    name: str
    sign: str
    arity: int
    forward: Callable[..., float]
    backward: Callable[..., tuple[float, ...]]


def _power(a: float, b: float) -> float:
    result = a**b
    if isinstance(result, complex):
        raise ValueError("a negative number to a broken power is no real number")
    return result


def _power_backward(result: float, a: float, b: float) -> tuple[float, float]:
    by_base = 0.0 if b == 0 else b * _power(a, b - 1)  # 0 to the power -1 would divide by 0
    return by_base, result * math.log(a) if a > 0 else 0.0


def _sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


def _first_is_chosen(chosen: bool) -> tuple[float, float]:
    return (1.0, 0.0) if chosen else (0.0, 1.0)


_ALL = (
    Operation("Add", "+", 2, lambda a, b: a + b, lambda r, a, b: (1.0, 1.0)),
    Operation("Sub", "−", 2, lambda a, b: a - b, lambda r, a, b: (1.0, -1.0)),
    Operation("Mul", "×", 2, lambda a, b: a * b, lambda r, a, b: (b, a)),
    Operation("Div", "÷", 2, lambda a, b: a / b, lambda r, a, b: (1 / b, -a / b / b)),
    Operation("Pow", "^", 2, _power, _power_backward),
    Operation("Maximum", "max", 2, max, lambda r, a, b: _first_is_chosen(a >= b)),
    Operation("Minimum", "min", 2, min, lambda r, a, b: _first_is_chosen(a <= b)),
    Operation("Neg", "−x", 1, lambda a: -a, lambda r, a: (-1.0,)),
    Operation("Identity", "=", 1, lambda a: a, lambda r, a: (1.0,)),
    Operation("Sqrt", "√", 1, math.sqrt, lambda r, a: (0.5 / r,)),
    Operation("Square", "x²", 1, lambda a: a * a, lambda r, a: (2 * a,)),
    Operation("Exp", "exp", 1, math.exp, lambda r, a: (r,)),
    Operation("Log", "log", 1, math.log, lambda r, a: (1 / a,)),
    Operation("Sin", "sin", 1, math.sin, lambda r, a: (math.cos(a),)),
    Operation("Cos", "cos", 1, math.cos, lambda r, a: (-math.sin(a),)),
    Operation("Tanh", "tanh", 1, math.tanh, lambda r, a: (1 - r * r,)),
    Operation("Sigmoid", "σ", 1, _sigmoid, lambda r, a: (r * (1 - r),)),
    Operation("Relu", "relu", 1, lambda a: a if a > 0 else 0.0, lambda r, a: (float(a > 0),)),
    Operation("Abs", "|x|", 1, abs, lambda r, a: (float((a > 0) - (a < 0)),)),
)

OPERATIONS: Mapping[str, Operation] = MappingProxyType({entry.name: entry for entry in _ALL})

_TENSORFLOW = {"AddV2": "Add", "RealDiv": "Div", "ReadVariableOp": "Identity"}
_SAME_NAME = ("Sqrt", "Square", "Exp", "Log", "Sin", "Cos", "Tanh", "Sigmoid", "Relu", "Abs")
FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {name.lower(): name for name in _SAME_NAME} | {"max": "Maximum", "min": "Minimum", "pow": "Pow"}
)
"""What a program may call, and the operation that each call becomes."""


def operation(name: str) -> Operation | None:
    """Return the operation of this name, ours or TensorFlow's; None where numbers have none."""
    return OPERATIONS.get(_TENSORFLOW.get(name, name))


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
    graph: Graph, step: float = 1e-6, central: bool = True, tally: Tally | None = None
) -> dict[str, float]:
    """Return the derivative of the first output by each of the n sources, by moving each a little.

    The central difference (f(x + h) - f(x - h)) / 2h, with h = `step` times the size of x, takes
    2n + 1 runs and is exact to the second order; without `central`, (f(x + h) - f(x)) / h takes
    n + 1. `tally` counts them.
    """
    target, values, slopes = graph.outputs[0], evaluate(graph, tally=tally), {}
    for node in graph.sources:
        here, results = values[node.name], [values[target]]
        width = step * max(1.0, abs(here))
        for place in (here - width, here + width) if central else (here + width,):
            results.append(evaluate(graph, {node.name: place}, tally=tally)[target])
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
