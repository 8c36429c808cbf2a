"""What a graph is: nodes in an order in which they can be computed, each naming its inputs."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import Self

SOURCES = frozenset({"Const", "Placeholder", "Variable", "VarHandleOp", "Arg", "NoOp"})
"""Operations that compute nothing: their value stands there, is fed, or is kept outside."""


_BACK = ("NextIteration", "RefNextIteration")  # what leads back in a loop of TensorFlow 1


class GraphError(ValueError):
    """A graph that cannot be: a name twice, an input that no node before it makes."""


@dataclass(frozen=True)
class Node:
    """One operation and what it reads.

    `name` is unique in its graph. `operation` is a word such as "Const", "Add" or "Conv2D".
    `inputs` are the names of the nodes whose results it reads, in order: each is an edge. `value`
    is the number of a constant. `shape` and `dtype` describe the result; shape () is a single
    number, None is not known. `line` is the line of source that it came from, 0 where there is
    none.
    """

    name: str
    operation: str
    inputs: tuple[str, ...] = ()
    value: float | None = None
    dtype: str = "float32"
    shape: tuple[int | None, ...] | None = ()
    line: int = 0

    @property
    def computes(self) -> bool:
        """Tell whether the node does any work, other than a constant, a placeholder, a variable."""
        return self.operation not in SOURCES

    def __str__(self) -> str:
        if self.value is not None and not self.inputs:
            return f"{self.name} = {self.operation}({number(self.value)})"
        return f"{self.name} = {self.operation}({', '.join(self.inputs)})"


@dataclass(frozen=True)
class Graph:
    """Nodes and the edges between them, as plain data.

    `nodes` stand in an order of evaluation: whatever a node reads was made before it. `outputs`
    are the names of the results. `names` pairs what a program calls a value with the node that
    makes it, (("res", "res"), ...); several names may stand for one node.

    Raises GraphError where a name is used twice or an input is made by no node before it.
    """

    nodes: tuple[Node, ...]
    outputs: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    _index: dict[str, Node] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        index: dict[str, Node] = {}
        for node in self.nodes:
            if node.name in index:
                raise GraphError(f"Two nodes are named {node.name}: give each a name of its own.")
            for source in node.inputs:
                if source not in index:
                    todo = "list every node after its inputs."
                    problem = f"reads {source}, which no node before it makes: {todo}"
                    raise GraphError(f"{node.name} {problem}")
            index[node.name] = node
        for name in (*self.outputs, *(target for _, target in self.names)):
            if name not in index:
                raise GraphError(f"{name} is no node of this graph: choose one of its names.")
        object.__setattr__(self, "_index", index)

    def __getitem__(self, name: str) -> Node:
        """Return the node of this name. KeyError names the ones there are."""
        try:
            return self._index[name]
        except KeyError:
            known = ", ".join(list(self._index)[:12])
            raise KeyError(f"There is no node {name}; there are {known}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        edges = sum(len(node.inputs) for node in self.nodes)
        return f"<Graph: {len(self)} nodes, {edges} edges, result {', '.join(self.outputs)}>"

    def __str__(self) -> str:
        return "\n".join(map(str, self.nodes))

    @cached_property
    def edges(self) -> tuple[tuple[str, str, int], ...]:
        """Every edge as (from, to, which input of `to`: 0 is the first)."""
        inputs = ((node, *pair) for node in self.nodes for pair in enumerate(node.inputs))
        return tuple((source, node.name, position) for node, position, source in inputs)

    @property
    def operations(self) -> tuple[Node, ...]:
        """The nodes that compute something."""
        return tuple(node for node in self.nodes if node.computes)

    @property
    def sources(self) -> tuple[Node, ...]:
        """The nodes that compute nothing: constants, placeholders, variables."""
        return tuple(node for node in self.nodes if not node.computes)

    def count(self) -> Counter[str]:
        """Return how many nodes there are of each operation."""
        return Counter(node.operation for node in self.nodes)

    @classmethod
    def sorted(cls, nodes: Iterable[Node], outputs: tuple[str, ...]) -> Self:
        """Return a graph of `nodes` given in any order, put into an order of evaluation.

        Where several nodes are ready, the one that was given first comes first. GraphError names a
        node that can never run, because it waits for itself or for an input that is not there.
        """
        given = list(nodes)
        place = {node.name: position for position, node in enumerate(given)}
        users: dict[str, list[int]] = {}
        missing = [len(set(node.inputs)) for node in given]
        for position, node in enumerate(given):
            for source in set(node.inputs):
                users.setdefault(source, []).append(position)
        ready = [position for position, count in enumerate(missing) if count == 0]
        order: list[Node] = []
        while ready:
            node = given[heappop(ready)]
            order.append(node)
            for position in users.get(node.name, ()):
                missing[position] -= 1
                if missing[position] == 0:
                    heappush(ready, position)
        if len(order) < len(given):
            stuck = next(node for node, count in zip(given, missing, strict=True) if count)
            waits = next(n for n in stuck.inputs if n not in place or missing[place[n]])
            raise GraphError(_why_never(stuck, waits, given))
        return cls(tuple(order), outputs)


def _why_never(stuck: Node, waits: str, nodes: list[Node]) -> str:
    """Say why a node never runs: it waits for itself, round a loop of TF1's or by mistake."""
    back = next((node.name for node in nodes if node.operation in _BACK), None)
    if back:
        return (
            f"This graph has a loop of TensorFlow 1 (back through {back}), which has no order of "
            "evaluation: convert it with tf.compat.v1.enable_control_flow_v2() first."
        )
    return f"{stuck.name} waits for {waits}, which never comes."


def number(value: float) -> str:
    """Return a number as a person writes it: 8 for 8.0, 0.333 for a third, at most 4 digits."""
    if not math.isfinite(value):
        return str(value)
    whole = value == int(value) and abs(value) < 1e6  # beyond that, digits are hard to count
    return (str(int(value)) if whole else f"{value:.4g}").replace("-", "−")
