"""What can be said of a graph without running it: levels, paths, what waits for what."""

from collections.abc import Callable, Iterable

from course_lib.graph.data import Graph, Node

_COPIES = ("Identity", "ReadVariableOp")


def levels(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """Return the names of the nodes level by level: each one below the deepest of its inputs.

    Level 0 needs nothing; all nodes of a level could be computed at the same moment.
    """
    depth: dict[str, int] = {}
    for node in graph:
        depth[node.name] = 1 + max((depth[name] for name in node.inputs), default=-1)
    rows: dict[int, list[str]] = {level: [] for level in sorted(depth.values())}
    for name, level in depth.items():
        rows[level].append(name)
    return tuple(map(tuple, rows.values()))


def work(graph: Graph) -> int:
    """Return the number of operations: the steps of one worker who does them all."""
    return len(graph.operations)


def span(graph: Graph) -> int:
    """Return the steps of the longest path: even endlessly many workers cannot be faster."""
    done: dict[str, int] = {}
    for node in graph:
        done[node.name] = node.computes + max((done[name] for name in node.inputs), default=0)
    return max(done.values(), default=0)


def longest_path(graph: Graph) -> tuple[tuple[str, ...], tuple[tuple[str, str, int], ...]]:
    """Return one longest path through a graph: the names of its nodes, and its edges, in order.

    It begins at the first node that computes and ends at the last; `span` counts those between.
    """
    done: dict[str, int] = {}
    before: dict[str, tuple[str, str, int] | None] = {}
    for node in graph:
        edges = [(name, node.name, place) for place, name in enumerate(node.inputs)]
        edge = max(edges, key=lambda each: done[each[0]], default=None)
        before[node.name] = edge if edge and done[edge[0]] > 0 else None
        done[node.name] = node.computes + (done[edge[0]] if edge else 0)
    name = max(done, key=done.__getitem__, default="")
    edges = []
    while name and (edge := before[name]):
        edges.append(edge)
        name = edge[0]
    edges.reverse()
    names = (edges[0][0], *(edge[1] for edge in edges)) if edges else ((name,) if name else ())
    return names, tuple(edges)


def ancestors(graph: Graph, name: str) -> frozenset[str]:
    """Return the names of all nodes that `name` waits for, directly or not; not itself."""
    met: set[str] = set()
    to_visit = list(graph[name].inputs)
    while to_visit:
        current = to_visit.pop()
        if current not in met:
            met.add(current)
            to_visit.extend(graph[current].inputs)
    return frozenset(met)


def independent(graph: Graph, first: str, second: str) -> bool:
    """Tell whether no path leads from one node to the other: they may run at the same moment."""
    waits = first in ancestors(graph, second) or second in ancestors(graph, first)
    return first != second and not waits


def needed(graph: Graph, outputs: Iterable[str] | None = None) -> Graph:
    """Return the part of a graph that `outputs` need; without them, the graph's own outputs.

    What falls away is what no result reads: the dead code of the program.
    """
    wanted = graph.outputs if outputs is None else tuple(outputs)
    keep = set(wanted).union(*(ancestors(graph, name) for name in wanted))
    names = tuple(pair for pair in graph.names if pair[1] in keep)
    return Graph(tuple(node for node in graph if node.name in keep), wanted, names)


def layer_name(node: Node) -> str:
    """Return the layer of a Keras model that a node belongs to: its name up to the first "/"."""
    return node.name.partition("/")[0]


def collapse(graph: Graph, group: Callable[[Node], str] = layer_name) -> Graph:
    """Return a coarser graph with one node for each group of nodes.

    `group` gives the name of the group that a node belongs to; without it, its layer. The
    operation of a group names those in it, "Conv2D" or "MatMul + BiasAdd", or counts them where
    there are three or more. GraphError is raised where two groups would wait for each other.
    """
    members: dict[str, list[Node]] = {}
    for node in graph:
        members.setdefault(group(node), []).append(node)
    home = {node.name: name for name, nodes in members.items() for node in nodes}
    merged = []
    for name, nodes in members.items():
        inputs = dict.fromkeys(home[source] for node in nodes for source in node.inputs)
        inputs.pop(name, None)  # a group does not wait for itself
        last = next((node for node in reversed(nodes) if node.computes), nodes[-1])
        kind = _kind_of_group(nodes)
        merged.append(Node(name, kind, tuple(inputs), last.value, last.dtype, last.shape))
    return Graph.sorted(merged, tuple(dict.fromkeys(home[name] for name in graph.outputs)))


def _kind_of_group(nodes: list[Node]) -> str:
    if len(nodes) == 1:
        return nodes[0].operation
    working = [n.operation for n in nodes if n.computes and n.operation not in _COPIES]
    kinds = list(dict.fromkeys(working)) or [nodes[-1].operation]
    return " + ".join(kinds) if len(kinds) <= 2 else f"{kinds[0]} + {len(working) - 1} more"
