"""The object graph of a TF2 checkpoint: which Python object owned which tensor."""

from collections import deque
from typing import Any

from course_lib.formats.checkpoint.tensors import Contents, ObjectNode
from course_lib.formats.protobuf import fields, varint
from course_lib.graph import Graph, Node

_MOST_PATHS = 20  # objects may lead to each other: there can be endlessly many ways to one
_DEEPEST = 12  # objects of one way


def parse(graph: bytes) -> tuple[ObjectNode, ...]:
    """Return the nodes of a TrackableObjectGraph; raises ValueError where it is damaged."""
    nodes = [graph[raw.value_start : raw.end] for raw in fields(graph) if raw.number == 1]
    objects = tuple(_object(number, node) for number, node in enumerate(nodes))
    if any(child >= len(objects) for node in objects for _, child in node.children):
        raise ValueError("The object graph names a node that it does not have: it is damaged.")
    return objects


def paths(contents: Contents, name: str) -> list[str]:
    """Return the ways from the root to a tensor ("model/_operations/1/_kernel"), shortest first.

    One way is enough to find a value again: the code that restores need not have them all.
    """
    key = contents.tensor(name).key
    owner = next((n.number for n in contents.objects if any(k == key for _, k in n.tensors)), None)
    ways, to_visit = [], deque([(0, ())])
    while to_visit and owner is not None and len(ways) < _MOST_PATHS:
        number, way = to_visit.popleft()
        if number == owner:
            ways.append("/".join(local for local, _ in way))
            continue
        seen = {0, *(child for _, child in way)}
        for local, child in contents.objects[number].children:
            if child not in seen and len(way) < _DEEPEST:
                to_visit.append((child, (*way, (local, child))))
    return ways


def tree(contents: Contents, deepest: int = 2) -> Graph:
    """Return the object graph down to `deepest` steps from the root, as a graph to draw.

    Every object appears once, where it is met first. Objects that lead to no tensor are left out.
    The operation of a node says how many tensors, and how many bytes, lie below it.
    """
    below = _below(contents)
    nodes, met, to_visit = [], {0}, deque([(0, "root", "", 0)])
    while to_visit:
        number, name, parent, depth = to_visit.popleft()
        keys = below[number]
        size = sum(each.bytes for each in contents.tensors if each.key in keys)
        amount = f"{size / 1000:.0f} kB" if size >= 1000 else f"{size} B"
        plural = "tensor" if len(keys) == 1 else "tensors"
        nodes.append(Node(name, f"{len(keys)} {plural}, {amount}", (parent,) if parent else ()))
        for local, child in contents.objects[number].children:
            if child not in met and below[child] and depth < deepest:
                met.add(child)
                path = local if name == "root" else f"{name}/{local}"
                to_visit.append((child, path, name, depth + 1))
    return Graph(tuple(nodes), ())


def _below(contents: Contents) -> list[set[str]]:
    """Return, for every object, the keys of the tensors that it or anything below it owns."""
    below = []
    for start in range(len(contents.objects)):
        keys, seen, to_visit = set(), {start}, [start]
        while to_visit:
            node = contents.objects[to_visit.pop()]
            keys.update(key for _, key in node.tensors)
            fresh = {child for _, child in node.children} - seen
            seen |= fresh
            to_visit.extend(fresh)
        below.append(keys)
    return below


def _object(number: int, node: bytes) -> ObjectNode:
    children, tensors = [], []
    for raw in fields(node):
        if raw.wire_type != 2:
            continue
        part = _parts(node[raw.value_start : raw.end])
        if raw.number == 1:
            children.append((_text(part.get(2)), int(part.get(1, 0))))
        elif raw.number == 2:
            tensors.append((_text(part.get(2)) or _text(part.get(3)), _text(part.get(3))))
    return ObjectNode(number, tuple(children), tuple(tensors))


def _parts(message: bytes) -> dict[int, Any]:
    """Return the fields of a small message: numbers as int, the rest as bytes."""
    parts: dict[int, Any] = {}
    for raw in fields(message):
        content = message[raw.value_start : raw.end]
        parts[raw.number] = varint(content, 0)[0] if raw.wire_type == 0 else content
    return parts


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else ""
