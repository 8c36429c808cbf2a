"""The layers of a model: one after the other in a viewer, or all in full in one picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace

from course_lib.graph.data import Graph, Node
from course_lib.graph.structure import collapse, layer_name
from course_lib.views import shell
from course_lib.views.graph import describe, picture, shape_labels
from course_lib.views.layout import Layout, lay_out
from course_lib.views.painting import Marks, paint, svg
from course_lib.views.style import Picture, figure, show

Group = Callable[[Node], str]

_WIDTH = 940  # CSS pixels of a row of layers
_SCALE = 0.62  # of a layer: the smallest letters stay readable
_GAP = 24  # CSS pixels between two layers
_COLOURS = 32  # of the PNG in which every node is drawn
_ALL, _FULL = "all layers", "every node"
_HOW = "Scroll inside the picture; or go there with Tab, and use the arrow keys."
_KEYS = 'data-lm-suppress-shortcuts="true"'  # else JupyterLab takes the arrow keys for itself


class Layers(shell.View):
    """A model's graph, as coarse or as fine as one likes: all layers, one of them, or every node.

    `choice` selects what `picture` shows, `said` counts it. `group` names the layer of a node, as
    for `collapse`.
    """

    def __init__(self, graph: Graph, group: Group = layer_name) -> None:
        self.graph, self.group = graph, group
        self.layers = collapse(graph, group)
        names = [node.name for node in self.layers if node.name not in graph]
        self.choice = shell.dropdown("show", [_ALL, *names, _FULL], on_change=self._redraw)
        self.said, self.picture = shell.html(), shell.html()
        self.widget = shell.column(self.choice, self.said, self.picture)
        self._redraw(_ALL)

    def still(self) -> Picture:
        return picture(self.layers)

    def _redraw(self, chosen: str) -> None:
        whole = {_ALL: self.layers, _FULL: self.graph}.get(chosen)
        graph = whole or layer(self.graph, chosen, self.group)
        said = f"{chosen}: {len(graph)} nodes, {len(graph.edges)} edges. {_HOW}"
        self.said.value = shell.note(said)
        marks = Marks(labels=shape_labels(graph))
        drawn = svg(lay_out(graph), marks, describe(graph), shrinks=False)
        self.picture.value = (
            f'<div tabindex="0" role="group" aria-label="the graph, to be scrolled" {_KEYS} '
            f'style="width:0;min-width:100%;max-height:70vh;overflow:auto">{drawn}</div>'
        )


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
    fig.set_layout_engine("none")  # places are our own: a row is as tall as its tallest layer
    top = 0.0
    for row, height in zip(rows, heights, strict=True):
        left = 0.0
        for name in row:
            width = _width(layouts[name])
            place = (left / _WIDTH, 1 - (top + height) / sum(heights))
            size = ((width - _GAP) / _WIDTH, (height - 26) / sum(heights))
            axes = fig.add_axes((*place, *size))
            tallest = max(layouts[one].height for one in row)
            paint(axes, layouts[name], Marks(labels=shape_labels(parts[name])), _SCALE, tallest)
            axes.set_title(name, loc="center", fontsize=11, fontweight="bold")
            left += width
        top += height
    full = show(fig, f"every node, layer by layer ({', '.join(names)}): {describe(graph)}")
    return replace(full, png=_with_few_colours(full.png))


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
