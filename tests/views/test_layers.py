"""The layers of a model, in a viewer: all of them, one in full, or every node."""

from __future__ import annotations

from course_lib.graph import Graph, Node
from course_lib.views.layers import Layers, layer

MODEL = Graph(
    (
        Node("x", "Placeholder", shape=(1, 4)),
        Node("dense/kernel", "Const", shape=(4, 2)),
        Node("dense/MatMul", "MatMul", ("x", "dense/kernel"), shape=(1, 2)),
        Node("act/Relu", "Relu", ("dense/MatMul",), shape=(1, 2)),
    ),
    ("act/Relu",),
)


def test_layers_open_and_close():
    viewer = Layers(MODEL)
    assert viewer.choice.options == ("all layers", "dense", "act", "every node")
    assert "all layers: 3 nodes" in viewer.said.value
    viewer.choice.value = "dense"
    assert "dense: 3 nodes, 2 edges" in viewer.said.value and "1×2" in viewer.picture.value
    viewer.choice.value = "every node"
    assert "4 nodes" in viewer.said.value and 'tabindex="0"' in viewer.picture.value
    assert "max-width:none" in viewer.picture.value  # it is scrolled, not made small


def test_one_layer_reads_its_neighbours_as_placeholders():
    act = layer(MODEL, "act")
    assert [str(node) for node in act] == [
        "dense/MatMul = Placeholder()",
        "act/Relu = Relu(dense/MatMul)",
    ]
    assert act.outputs == ("act/Relu",)
