"""Every node of a model at a readable size: its layers in full, one beside the other, in rows."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

from course_lib.graph.data import Graph, Node
from course_lib.graph.structure import collapse, layer_name
from course_lib.views.graph import describe, shape_labels
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.paint import paint
from course_lib.views.places import Layout
from course_lib.views.style import Picture, figure, show

Group = Callable[[Node], str]

_WIDTH = 940  # CSS pixels of a row of layers
_SCALE = 0.62  # of a layer: the smallest letters stay readable
_GAP = 24  # CSS pixels between two layers
_COLOURS = 32


def layer(graph: Graph, name: str, group: Group = layer_name) -> Graph:
    """Return one layer in full, and the nodes of other layers that it reads as placeholders."""
    inside = [node for node in graph if group(node) == name]
    names = {node.name for node in inside}
    outside = {source for node in inside for source in node.inputs} - names
    edge = [replace(graph[n], operation="Placeholder", inputs=(), value=None) for n in outside]
    read = {source for node in graph if node.name not in names for source in node.inputs}
    outputs = tuple(n for n in names if n in read or n in graph.outputs)
    order = {node.name: place for place, node in enumerate(graph)}
    nodes = sorted([*edge, *inside], key=lambda node: order[node.name])
    return Graph(tuple(nodes), tuple(sorted(outputs, key=order.__getitem__)))


def in_full(graph: Graph, group: Group = layer_name) -> Picture:
    """Return every node of a graph as a PNG picture: its layers side by side, in reading order.

    What a layer reads from others is drawn as a placeholder. `group` names the layer of a node.
    """
    names = [node.name for node in collapse(graph, group)]
    parts = {name: layer(graph, name, group) for name in names}
    layouts = {name: lay_out(part) for name, part in parts.items()}
    rows = _rows(layouts)
    heights = [max(layouts[name].height for name in row) * _SCALE + 34 for row in rows]
    fig, _ = figure(_WIDTH / 96, sum(heights) / 96, 1, 1)
    fig.clear()
    fig.set_layout_engine("none")
    top = 0.0
    for row, height in zip(rows, heights, strict=True):
        left = 0.0
        for name in row:
            width = _width(layouts[name])
            place = (left / _WIDTH, 1 - (top + height) / sum(heights))
            size = ((width - _GAP) / _WIDTH, (height - 26) / sum(heights))
            axes = fig.add_axes((*place, *size))
            tallest = max(layouts[each].height for each in row)
            paint(axes, layouts[name], Marks(labels=shape_labels(parts[name])), _SCALE, tallest)
            axes.set_title(name, loc="center", fontsize=11, fontweight="bold")
            left += width
        top += height
    picture = show(fig, f"every node, layer by layer ({', '.join(names)}): {describe(graph)}")
    return replace(picture, png=_with_few_colours(picture.png))


def _with_few_colours(png: bytes) -> bytes:
    """Return the same PNG with a palette: a quarter of the bytes, and no eye sees it."""
    from PIL import Image

    small = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def _rows(layouts: dict[str, Layout]) -> list[Sequence[str]]:
    """Break the layers into rows that are no wider than the page."""
    rows: list[list[str]] = []
    left = 0.0
    for name, layout in layouts.items():
        width = _width(layout)
        if not rows or left + width > _WIDTH:
            rows.append([])
            left = 0.0
        rows[-1].append(name)
        left += width
    return rows


def _width(layout: Layout) -> float:
    return min(_WIDTH, max(120, layout.width * _SCALE) + _GAP)
