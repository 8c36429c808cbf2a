"""TensorFlow's inner parts: each function against what TensorFlow itself computes."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.session import import_tensorflow, internals


@pytest.fixture(scope="module")
def tf():
    return import_tensorflow()


@pytest.fixture(scope="module")
def traced(tf):
    """A program that reads two variables and multiplies two constants, as a concrete function."""
    weight, bias = tf.Variable([[1.0, 2.0], [3.0, 4.0]]), tf.Variable([0.5, -0.5])

    def program(x):
        scale = tf.constant(2.0) * tf.constant(3.0)
        return tf.nn.relu(x @ weight + bias) * scale

    kept = [weight, bias]  # a concrete function doesn't keep its variables alive
    function = tf.function(program)
    yield function.get_concrete_function(tf.TensorSpec([None, 2], tf.float32, name="x"))
    kept.clear()


def answers(tf, graph_def, output: str, rows: np.ndarray) -> np.ndarray:
    """Run a GraphDef whose placeholder is called x."""

    def imported(x):
        return tf.graph_util.import_graph_def(graph_def, {"x:0": x}, [f"{output}:0"], name="")[0]

    return tf.function(imported)(tf.constant(rows)).numpy()


ROWS = np.array([[1.0, -2.0], [0.0, 0.25], [3.0, 1.0]], np.float32)


def output_of(traced) -> str:
    return traced.outputs[0].op.name


def test_constants_in_place_of_variables_change_no_answer(tf, traced):
    before = {node.op for node in traced.graph.as_graph_def().node}
    graph_def = internals.with_constants(traced)
    assert "ReadVariableOp" in before
    assert not {node.op for node in graph_def.node} & {"ReadVariableOp", "VarHandleOp"}
    assert [node.name for node in graph_def.node if node.op == "Placeholder"] == ["x"]
    expected = traced(tf.constant(ROWS)).numpy()
    np.testing.assert_array_equal(answers(tf, graph_def, output_of(traced), ROWS), expected)


@pytest.mark.parametrize("twice", [False, True])
def test_an_optimized_graph_is_folded_and_answers_the_same(tf, traced, twice):
    frozen, graph, output = internals.with_constants(traced), tf.Graph(), output_of(traced)
    with graph.as_default():
        tf.graph_util.import_graph_def(frozen, name="")
    folded = internals.optimized(graph, [output], twice=twice)
    count = sum(node.op == "Mul" for node in graph.as_graph_def().node)
    assert count == 2 and sum(node.op == "Mul" for node in folded.node) == 1
    assert not any("_output_shapes" in node.attr for node in folded.node)
    expected = traced(tf.constant(ROWS)).numpy()
    np.testing.assert_array_equal(answers(tf, folded, output, ROWS), expected)


def test_a_program_of_constants_folds_into_its_result(tf):
    graph = tf.Graph()
    with graph.as_default():
        tf.add(tf.constant(2.0) * 3.0, 4.0, name="result")
    folded = internals.optimized(graph, ["result"])
    assert [(node.name, node.op) for node in folded.node] == [("result", "Const")]
    assert tf.make_ndarray(folded.node[0].attr["value"].tensor) == 10.0


def test_every_operation_of_an_eager_program_is_noted_once(tf):
    a, b = tf.constant(3.0), tf.constant(4.0)
    noted = []
    with internals.executed_operations(lambda name, graph: noted.append((name, graph))):
        result = tf.sqrt(a * a + b * b)
    assert float(result) == 5.0
    assert noted == [("Mul", None), ("Mul", None), ("AddV2", None), ("Sqrt", None)]
    tf.exp(a)
    assert len(noted) == 4  # nobody listens any more


def test_operations_that_are_only_added_to_a_graph_come_with_it(tf):
    noted = []
    with internals.executed_operations(lambda name, graph: noted.append((name, graph))):
        traced = tf.function(lambda x: x * x).get_concrete_function(tf.TensorSpec([], tf.float32))
    graphs = {name: graph for name, graph in noted}
    assert graphs["Mul"] is traced.graph and None not in graphs.values()


def test_nobody_listens_after_an_error(tf):
    noted = []
    with pytest.raises(RuntimeError, match="on purpose"):
        with internals.executed_operations(lambda name, graph: noted.append(name)):
            raise RuntimeError("on purpose")
    tf.exp(1.0)
    assert not noted


def test_all_operations_of_a_program_are_among_the_names(tf, traced):
    names = internals.operation_names()
    assert {node.op for node in traced.graph.as_graph_def().node} <= names
    assert {"Conv2D", "FusedBatchNormV3", "Softmax", "AudioSpectrogram"} <= names
    assert len(names) > 1000 and not any(name.startswith("_") for name in names)


def test_messages_are_those_that_tensorflow_writes(tf, traced):
    for name in internals._MESSAGES:
        assert internals.message(name).DESCRIPTOR.full_name == f"tensorflow.{name}"
    graph_def = traced.graph.as_graph_def()
    again = internals.message("GraphDef").FromString(graph_def.SerializeToString())
    assert again == graph_def and isinstance(graph_def, internals.message("GraphDef"))


def test_a_message_that_is_not_read_here_is_refused():
    with pytest.raises(ValueError, match="No schema 'Grph' here; there are .*GraphDef"):
        internals.message("Grph")
