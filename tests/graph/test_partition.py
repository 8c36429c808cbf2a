"""One graph over two devices: held against every edge one by one, and TensorFlow's own cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import programs

from course_lib import session
from course_lib.graph import Graph, Node, collapse, partition, trace
from course_lib.graph.trace import from_source

SPOTTER = session.data_path("models", "spotter.pb").read_bytes()
DEVICES = partition.Devices(4.0, 10.0, 100.0, 0.5)
TWICE = Graph(  # `a` is read twice on the other side of a cut after it
    (
        Node("a", "Placeholder", shape=(3, 4)),
        Node("b", "Relu", ("a",), dtype="int8", shape=(5,)),
        Node("c", "AddV2", ("a", "b"), shape=(3, 4)),
    ),
    ("c",),
)


@given(programs, st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_what_crosses_is_what_brute_force_finds(text, cut):
    graph = from_source(text)
    cut = min(cut, len(graph))
    place = {node.name: row for row, node in enumerate(graph)}
    expected = []
    for node in graph:
        for name in node.inputs:
            if place[name] < cut <= place[node.name]:
                expected.append((name, node.name))
    assert list(partition.crossing(graph, cut)) == expected
    assert partition.sent(graph, cut) == dict.fromkeys((a for a, _ in expected), 4)


def test_a_tensor_is_sent_once_and_has_the_bytes_of_its_type():
    assert partition.crossing(TWICE, 1) == (("a", "b"), ("a", "c"))
    assert partition.sent(TWICE, 1) == {"a": 48}
    assert partition.sent(TWICE, 2) == {"a": 48, "b": 5}
    assert partition.sent(TWICE, 0) == partition.sent(TWICE, 3) == {}


@pytest.mark.parametrize("cut", [-1, 4])
def test_a_cut_outside_the_graph_is_refused(cut):
    with pytest.raises(ValueError, match="from 0 to 3"):
        partition.crossing(TWICE, cut)


@pytest.mark.parametrize("shape", [None, (None, 4)])
def test_a_size_that_is_not_known_is_refused(shape):
    with pytest.raises(ValueError, match="size of a is not known"):
        partition.tensor_bytes(replace(TWICE["a"], shape=shape))


def test_the_time_is_work_latency_and_bytes():
    work = {"a": 0, "b": 8, "c": 20}
    assert partition.seconds(TWICE, 2, work, DEVICES) == partition.Seconds(2, 1.53, 2)
    assert partition.seconds(TWICE, 3, work, DEVICES).total == 7
    assert partition.seconds(TWICE, 1, work, DEVICES).total == pytest.approx(0.98 + 2.8)


def test_multiplications_are_those_of_the_loops():
    """The same layers as .tflite, whose multiply-accumulates plain C counts."""
    from course_lib import micro, tflite

    graph = trace.from_graph_def(SPOTTER)
    ours = [each for each in partition.multiplications(graph).values() if each]
    program = micro.plain_c.generate(tflite.load("spotter_int8"))
    theirs = [layer.macs for layer in program.layers if layer.kind.startswith(("CONV", "FULLY"))]
    assert sum(ours) == sum(theirs)


@pytest.mark.parametrize("cut", [1, 4, 5, 10, 13])
def test_tensorflow_sends_the_same_and_answers_the_same(cut):
    graph = trace.from_graph_def(SPOTTER)

    def layer_of(node):
        return node.name.split("/")[0].removesuffix("_norm").removesuffix("_relu")

    layers = collapse(graph, layer_of)
    left = {node.name for node in layers.nodes[:cut]}
    home = {node.name: layer_of(node) for node in graph}
    features = {"features": np.random.default_rng(1).random((1, 49, 40, 1), np.float32)}
    whole, nothing = partition.run_divided(SPOTTER, lambda name: True, features, "probabilities")
    divided, names = partition.run_divided(
        SPOTTER, lambda name: home[name] in left, features, "probabilities"
    )
    assert nothing == ()
    assert {home[name] for name in names} == set(partition.sent(layers, cut))
    assert len(names) == len(partition.sent(layers, cut))
    np.testing.assert_allclose(divided, whole, atol=1e-6)


@pytest.mark.parametrize(
    ("left", "names"),
    [({"x", "twice"}, ("twice",)), ({"x"}, ("x",)), ({"x", "twice", "sum"}, ())],
)
def test_run_divided_names_what_was_sent_once(left, names):
    """A graph of three nodes whose middle one is read twice."""
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, (2,), name="x")
        twice = tf.add(x, x, name="twice")
        tf.multiply(twice, twice, name="sum")
    divided, sent = partition.run_divided(
        graph.as_graph_def().SerializeToString(), left.__contains__, {"x": [1.0, 3.0]}, "sum"
    )
    assert sent == names
    np.testing.assert_array_equal(divided, [4.0, 36.0])
