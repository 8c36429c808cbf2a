"""The layers of a model, in a viewer: all of them, one in full, or every node."""

from collections.abc import Callable
from dataclasses import replace

from course_lib.graph.data import Graph, Node
from course_lib.graph.structure import collapse, layer_name
from course_lib.views import shell
from course_lib.views.graph import describe, picture, shape_labels
from course_lib.views.layout import lay_out
from course_lib.views.painting import Marks, svg
from course_lib.views.style import Picture

Group = Callable[[Node], str]

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
