"""One graph over two devices: what crosses between them, and how long an answer takes then.

A cut is a number: so many nodes, from the first on, stand on device A and all others on device B.
The order of a graph is one of evaluation, so whatever crosses goes from A to B.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from course_lib.graph.data import Graph, Node
from course_lib.graph.structure import layer_name
from course_lib.session import import_tensorflow, quiet

_BYTES = {"float32": 4, "int32": 4, "int64": 8, "float64": 8, "float16": 2, "int8": 1, "uint8": 1}


@dataclass(frozen=True)
class Devices:
    """Two devices in multiplications a second, and the link from A to B.

    The link takes `latency` seconds for each tensor, and carries `link_bytes` a second.
    """

    first: float
    second: float
    link_bytes: float
    latency: float


@dataclass(frozen=True)
class Seconds:
    """How long one answer takes on A, on the link, and on B; nothing overlaps."""

    first: float
    link: float
    second: float

    @property
    def total(self) -> float:
        """The time from the input to the answer."""
        return self.first + self.link + self.second


def crossing(graph: Graph, cut: int) -> tuple[tuple[str, str], ...]:
    """Return the edges from A to B as (from, to). Raises ValueError for a cut outside the graph."""
    if not 0 <= cut <= len(graph):
        raise ValueError(f"A cut of this graph is a number from 0 to {len(graph)}, not {cut}.")
    left = {node.name for node in graph.nodes[:cut]}
    return tuple((a, b) for a, b, _ in graph.edges if a in left and b not in left)


def sent(graph: Graph, cut: int) -> dict[str, int]:
    """Return the bytes of every tensor that is sent from A to B: once, however many read it."""
    return {name: tensor_bytes(graph[name]) for name, _ in crossing(graph, cut)}


def tensor_bytes(node: Node) -> int:
    """Return the bytes of a node's result. Raises ValueError where its size is not known."""
    if node.shape is None or None in node.shape or node.dtype not in _BYTES:
        raise ValueError(f"The size of {node.name} is not known: {node.shape} of {node.dtype}.")
    return prod(node.shape) * _BYTES[node.dtype]


def multiplications(graph: Graph, group: Callable[[Node], str] = layer_name) -> dict[str, int]:
    """Return the multiplications of convolutions and matrix products, by group of nodes."""
    counts: dict[str, int] = {}
    for node in graph:
        counts[group(node)] = counts.get(group(node), 0) + _products(graph, node)
    return counts


def seconds(graph: Graph, cut: int, work: Mapping[str, float], devices: Devices) -> Seconds:
    """Return the time of one answer; `work` has the multiplications of every node."""
    link = sum(devices.latency + size / devices.link_bytes for size in sent(graph, cut).values())
    here = sum(work[node.name] for node in graph.nodes[:cut])
    there = sum(work[node.name] for node in graph.nodes[cut:])
    return Seconds(here / devices.first, link, there / devices.second)


def run_divided(
    graph_def: bytes, left: Callable[[str], bool], feed: Mapping[str, Any], output: str
) -> tuple[Any, tuple[str, ...]]:
    """Run a GraphDef on two logical devices; return the result and the tensors sent from A to B.

    `left` tells of a node's name whether it stands on A. TensorFlow cuts the graph itself and
    puts a `_Send` and a `_Recv` at each cut; the names are those of its `_Send` on A.
    """
    tensorflow = import_tensorflow()
    v1 = tensorflow.compat.v1
    placed = v1.GraphDef.FromString(graph_def)
    for node in placed.node:
        node.device = f"/CPU:{0 if left(node.name) else 1}"
    config = v1.ConfigProto(device_count={"CPU": 2})
    config.graph_options.optimizer_options.opt_level = -1  # else constants are folded
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    told = v1.RunMetadata()
    options = v1.RunOptions(output_partition_graphs=True)
    with quiet(), tensorflow.Graph().as_default() as whole:
        tensorflow.import_graph_def(placed, name="")
        with v1.Session(graph=whole, config=config) as running:
            fed = {f"{name}:0": value for name, value in feed.items()}
            result = running.run(f"{output}:0", fed, options, told)
    names = [
        node.input[0].partition(":")[0]
        for part in told.partition_graphs
        for node in part.node
        if node.op == "_Send" and node.device.endswith("CPU:0")
    ]
    return result, tuple(sorted(name.removeprefix("_arg_").removesuffix("_0_0") for name in names))


def _products(graph: Graph, node: Node) -> int:
    if node.operation == "MatMul":
        return prod(node.shape) * graph[node.inputs[0]].shape[-1]
    if node.operation == "Conv2D":
        return prod(node.shape) * prod(graph[node.inputs[1]].shape[:-1])
    if node.operation == "DepthwiseConv2dNative":
        return prod(node.shape) * prod(graph[node.inputs[1]].shape[:2])
    return 0
