"""A model's graph, as coarse or as fine as one likes: all layers, one of them, or every node."""

from __future__ import annotations

from collections.abc import Callable

from course_lib.graph.data import Graph, Node
from course_lib.graph.structure import collapse, layer_name
from course_lib.views import shell
from course_lib.views.graph import describe, picture, shape_labels
from course_lib.views.layers import layer
from course_lib.views.layout import lay_out
from course_lib.views.marks import Marks
from course_lib.views.svg import svg

Group = Callable[[Node], str]

_ALL, _FULL = "all layers", "every node"
_HOW = "Scroll inside the picture; or go there with Tab, and use the arrow keys."
_KEYS = 'data-lm-suppress-shortcuts="true"'  # else JupyterLab takes the arrow keys for itself


class LayerViewer:
    """`choice` selects what `picture` shows; `said` counts it."""

    def __init__(self, graph: Graph, group: Group = layer_name) -> None:
        self.graph = graph
        self.group = group
        self.layers = collapse(graph, group)
        names = [node.name for node in self.layers if node.name not in graph]
        self.choice = shell.dropdown("show", [_ALL, *names, _FULL], on_change=self._redraw)
        self.said = shell.html()
        self.picture = shell.html()
        self.widget = shell.column(self.choice, self.said, self.picture)
        self._redraw(_ALL)

    def show(self) -> None:
        """Display the viewer; where widgets cannot be shown, the picture of all layers."""
        shell.show(self.widget, picture(self.layers))

    def _redraw(self, chosen: str) -> None:
        graph = {_ALL: self.layers, _FULL: self.graph}.get(chosen) or layer(
            self.graph, chosen, self.group
        )
        said = f"{chosen}: {len(graph)} nodes, {len(graph.edges)} edges. {_HOW}"
        self.said.value = shell.note(said)
        marks = Marks(labels=shape_labels(graph))
        drawn = svg(lay_out(graph), marks, describe(graph), shrinks=False)
        self.picture.value = (
            f'<div tabindex="0" role="group" aria-label="the graph, to be scrolled" {_KEYS} '
            f'style="width:0;min-width:100%;max-height:70vh;overflow:auto">{drawn}</div>'
        )


def browse(graph: Graph, group: Group = layer_name) -> None:
    """Display a model's graph with a list to choose how much of it is shown.

    `group` names the layer that a node belongs to, as for `collapse`.
    """
    LayerViewer(graph, group).show()
