"""Where the boxes and arrows of a graph go: asked of graphviz once, kept as plain numbers.

Only positions are taken from `dot`; boxes, arrows and texts are drawn by ourselves, so that a
picture looks the same with every version of graphviz and a step of the player redraws texts, not
the layout. Without graphviz a simple layout by levels takes its place.
"""

import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import hypot

from course_lib.graph.data import Graph, Node, number
from course_lib.graph.evaluation import operation
from course_lib.graph.structure import levels

Point = tuple[float, float]
Edge = tuple[str, str, int]

_PIXELS_PER_INCH = 96
_CHARACTER = 8.4  # pixels that one character of a title takes, on average
_LONGEST = 22  # characters of a title; longer ones lose their middle
_MOST_ORDERED = 120  # nodes; in a larger graph the inputs of a node may stand in any order
_HEAD = 9  # pixels, the length of an arrow's head
_MOST_NODES = 1200  # more are too small to read, and dot takes a time that grows with their square
_PATIENCE_SECONDS = 60  # a graph that takes longer is no picture for a lesson

_SMALLER = "draw a part of it, or open the model's file with views.netron"


@dataclass(frozen=True)
class Box:
    """One node on the page: two lines of text around a centre, all in pixels, y downwards."""

    name: str
    title: str
    subtitle: str
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Arrow:
    """One edge, a chain of cubic Bezier curves; one that leaves a result has the target ""."""

    edge: Edge
    points: tuple[Point, ...]

    def at(self, share: float) -> Point:
        """Return the place so far on its way from the source, 0 to 1."""
        piece, t = divmod((len(self.points) - 1) // 3 * share, 1)
        ends = self.points[int(piece) * 3 : int(piece) * 3 + 4]
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x, y = (sum(w * p[axis] for w, p in zip(weights, ends, strict=True)) for axis in (0, 1))
        return x, y

    @property
    def head(self) -> tuple[Point, Point, Point]:
        """The triangle at its end, the tip first."""
        x, y = self.points[-1]
        # dot may repeat the last point, which has no direction
        before = next(
            (p for p in reversed(self.points[:-1]) if hypot(x - p[0], y - p[1]) > 0.5), (x, y - 1)
        )
        length = hypot(x - before[0], y - before[1])
        dx, dy = (x - before[0]) / length, (y - before[1]) / length
        back, side = (x - _HEAD * dx, y - _HEAD * dy), _HEAD * 0.45
        left = (back[0] - side * dy, back[1] + side * dx)
        return (x, y), left, (back[0] + side * dy, back[1] - side * dx)


@dataclass(frozen=True)
class Layout:
    """A graph with a place for everything, in pixels; `made_by` is "graphviz" or "levels"."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    made_by: str


@lru_cache(maxsize=1)
def dot_command() -> str | None:
    """Return the path of graphviz: `dot` on PATH, else the package graphviz-pure, else None."""
    scripts = sysconfig.get_path("scripts")
    names = ("dot", "graphviz-pure")
    paths = (shutil.which(name) or shutil.which(name, path=scripts) for name in names)
    return next(filter(None, paths), None)


@lru_cache(maxsize=64)
def lay_out(
    graph: Graph, by_level: bool | None = None, across: bool = False, roomy: bool = False
) -> Layout:
    """Return the layout of a graph, from top to bottom or, with `across`, from left to right.

    With `by_level` the nodes of a level stand in one row, which suits small programs; without it,
    constants stand beside the operation that reads them. None chooses: by level where all
    operations are arithmetic. The same graph is laid out once. Raises ValueError for a graph of
    more than 1,200 nodes, and for one that takes dot longer than 60 s.
    """
    if len(graph) > _MOST_NODES:
        problem = (
            f"A picture holds at most {_MOST_NODES:,} nodes, and this graph has {len(graph):,}"
        )
        raise ValueError(f"{problem}: {_SMALLER}.")
    if by_level is None:
        by_level = all(operation(node.operation) for node in graph.operations)
    boxes = [_box(node, 124 if roomy else 64) for node in graph]
    command = dot_command()
    if command and boxes:
        gap = 1.0 if roomy else 0.6 if any(node.shape for node in graph) else 0.3
        text = _run(command, _dot(graph, boxes, by_level, across, gap))
        return _from_plain(text, graph, boxes)
    return _from_levels(graph, boxes)


def _box(node: Node, least_width: float) -> Box:
    known = operation(node.operation)
    kind = _kind(node)
    if kind == "operation":
        title, subtitle = (known.sign if known else node.operation), node.name
        if node.operation == "ReadVariableOp":
            title = "read"
    elif kind == "constant" and node.name.startswith("const_") and node.value is not None:
        title, subtitle = number(node.value), "constant"
    else:
        title, subtitle = node.name, kind
        if node.value is not None and kind != "variable":
            subtitle = f"{kind} {number(node.value)}"
    title, subtitle = _shorten(title), _shorten(subtitle)
    width = max(
        least_width, len(title) * _CHARACTER * 1.24 + 20, len(subtitle) * _CHARACTER * 0.92 + 22
    )
    return Box(node.name, title, subtitle, kind, 0, 0, width, 46)


def _kind(node: Node) -> str:
    if node.computes:
        return "operation"
    if node.dtype == "resource" or node.operation in ("Variable", "VarHandleOp"):
        return "variable"
    return {"Const": "constant"}.get(node.operation, "placeholder")


def _shorten(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    tail = text.rpartition("/")[2]
    if len(tail) <= _LONGEST - 2:
        return "…/" + tail
    return text[:9] + "…" + text[-12:]


def _dot(graph: Graph, boxes: Sequence[Box], by_level: bool, across: bool, gap: float) -> str:
    index = {box.name: position for position, box in enumerate(boxes)}
    small = len(boxes) <= _MOST_ORDERED
    # a model of some hundred nodes takes dot minutes where it looks for the best curves and orders
    effort = "ordering=in;" if small else "splines=line; nslimit=2; nslimit1=2; mclimit=0.3;"
    lines = [
        "digraph {",
        f"rankdir={'LR' if across else 'TB'}; nodesep={gap}; ranksep={0.5 + gap / 4}; {effort}",
        'node [shape=box, fixedsize=true, label=""];',
        "edge [arrowhead=none];",
    ]
    lines += [
        f"n{position} [width={box.width / _PIXELS_PER_INCH:.4f}, "
        f"height={box.height / _PIXELS_PER_INCH:.4f}];"
        for position, box in enumerate(boxes)
    ]
    if by_level:
        for names in levels(graph):
            lines.append("{rank=same; " + "; ".join(f"n{index[name]}" for name in names) + "}")
    lines += [f"n{index[a]} -> n{index[b]};" for a, b, _ in graph.edges]
    for position, name in enumerate(graph.outputs):
        lines.append(f"out{position} [width=0.01, height=0.01];")
        lines.append(f"n{index[name]} -> out{position};")
    return "\n".join([*lines, "}"])


def _run(command: str, source: str) -> str:
    try:
        done = subprocess.run(
            [command, "-Tplain"],
            input=source.encode(),
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        problem = f"graphviz takes longer than {_PATIENCE_SECONDS} s for this graph"
        raise ValueError(f"{problem}: {_SMALLER}.") from None
    if done.returncode:
        raise OSError(f"graphviz ({command}) failed: {done.stderr.decode(errors='replace')[:200]}")
    return done.stdout.decode()


def _from_plain(text: str, graph: Graph, boxes: Sequence[Box]) -> Layout:
    """Read graphviz's plain format: inches, y upwards, one line for each node and edge.

    dot 2.43 rounds a box to whole points, so that the outermost may stick out of its picture by a
    fraction of a pixel: then the picture gets as much more room on every side.
    """
    rows = [line.split() for line in text.splitlines()]
    width, height = float(rows[0][2]), float(rows[0][3])
    size = (width * _PIXELS_PER_INCH, height * _PIXELS_PER_INCH)

    def pixel(x: str, y: str, margin: float = 0.0) -> Point:
        across, down = float(x) * _PIXELS_PER_INCH, (height - float(y)) * _PIXELS_PER_INCH
        return across + margin, down + margin

    nodes = {row[1]: (row[2], row[3]) for row in rows if row[0] == "node"}
    margin = max(0.0, *(_beyond(pixel(*nodes[f"n{i}"]), b, size) for i, b in enumerate(boxes)))
    placed = []
    for i, box in enumerate(boxes):
        x, y = pixel(*nodes[f"n{i}"], margin)
        placed.append(replace(box, x=x, y=y))
    waiting: dict[tuple[str, str], list[Edge]] = {}
    index = {box.name: f"n{position}" for position, box in enumerate(boxes)}
    for edge in graph.edges:
        waiting.setdefault((index[edge[0]], index[edge[1]]), []).append(edge)
    for position, name in enumerate(graph.outputs):
        waiting[index[name], f"out{position}"] = [(name, "", position)]
    arrows = []
    for row in rows:
        if row[0] == "edge":
            count = int(row[3])
            points = [pixel(*row[4 + 2 * k : 6 + 2 * k], margin) for k in range(count)]
            edge = waiting[row[1], row[2]].pop(0)
            arrows.append(Arrow(edge, tuple(points)))
    return Layout(*(side + 2 * margin for side in size), tuple(placed), tuple(arrows), "graphviz")


def _beyond(centre: Point, box: Box, size: Point) -> float:
    """Return by how many pixels a box sticks out of a picture at most, below 0 if inside."""
    halves = (box.width / 2, box.height / 2)
    sides = zip(centre, halves, size, strict=True)
    return max(half - min(at, whole - at) for at, half, whole in sides)


def _from_levels(graph: Graph, boxes: Sequence[Box]) -> Layout:
    """Place each level in a row of its own and join the boxes by straight arrows."""
    by_name = {box.name: box for box in boxes}
    rows = [[by_name[name] for name in names] for names in levels(graph)]
    gap, row_height = 40, 104
    widths = [sum(box.width + gap for box in row) for row in rows]
    placed: dict[str, Box] = {}
    for level, (row, row_width) in enumerate(zip(rows, widths, strict=True)):
        x = (max(widths) - row_width) / 2
        for box in row:
            middle = x + (gap + box.width) / 2
            placed[box.name] = replace(box, x=middle, y=30 + level * row_height)
            x += box.width + gap
    arrows = []
    for edge in (*graph.edges, *((name, "", i) for i, name in enumerate(graph.outputs))):
        start = placed[edge[0]]
        below = start.y + start.height / 2
        target = (start.x, below + 40)
        if edge[1]:
            end, count = placed[edge[1]], len(graph[edge[1]].inputs)
            step = end.width * 0.8 / (count + 1)
            target = (end.x + step * (edge[2] + 1 - (count + 1) / 2), end.y - end.height / 2)
        points = tuple(  # a straight line, as a curve like graphviz's
            (start.x + (target[0] - start.x) * part, below + (target[1] - below) * part)
            for part in (0, 1 / 3, 2 / 3, 1)
        )
        arrows.append(Arrow(edge, points))
    size = (max(widths, default=0), 30 + len(rows) * row_height)
    return Layout(*size, tuple(placed[box.name] for box in boxes), tuple(arrows), "levels")
