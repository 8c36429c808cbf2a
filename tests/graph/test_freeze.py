"""Freezing: the same answers as the model, plain names, clear errors; stages and thawing."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib import session, spotter
from course_lib.graph import freeze, stages, trace


@pytest.fixture(scope="module")
def tf():
    return session.import_tensorflow()


@pytest.fixture(scope="module")
def model(tf):
    """The spotter with weights and averages that no layer has by default."""
    made, rng = spotter.build(), np.random.default_rng(5)
    made.set_weights(
        [
            each * rng.uniform(0.8, 1.2, each.shape) + rng.normal(0, 0.02, each.shape)
            for each in made.get_weights()
        ]
    )
    return made


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(6).normal(size=(7, 49, 40)).astype("float32")


@pytest.fixture(scope="module")
def frozen(model):
    return freeze.frozen(model)


def test_frozen_answers_like_the_model(model, frozen, features):
    expected = spotter.predict(model, features)
    assert np.abs(frozen.run(features) - expected).max() < 1e-5
    assert np.abs(freeze.run(frozen, features[..., np.newaxis]) - expected).max() < 1e-5
    any_batch = freeze.frozen(model, batch=None)
    assert np.abs(any_batch.run(features) - expected).max() < 1e-5


def test_without_softmax_the_answers_are_logits(model, features):
    expected = model(features[..., np.newaxis]).numpy()
    assert np.abs(freeze.frozen(model, softmax=False).run(features) - expected).max() < 1e-5


def test_a_saved_file_answers_the_same(frozen, features, tmp_path):
    path = frozen.save(tmp_path / "frozen.pb")
    assert path.stat().st_size == len(frozen)
    loaded = freeze.load(path)
    assert (loaded.inputs, loaded.outputs) == (("features",), ("probabilities",))
    assert np.array_equal(loaded.run(features), frozen.run(features))


def test_it_is_the_same_bytes_every_time(model, frozen):
    assert freeze.frozen(model).graph_def == frozen.graph_def


def test_constants_are_named_like_their_variables(tf, model, frozen):
    nodes = {node.name: node for node in frozen.proto().node}
    for variable in model.weights:
        assert nodes[variable.path].op == "Const"
        values = tf.make_ndarray(nodes[variable.path].attr["value"].tensor)
        assert np.array_equal(values, variable.numpy())
    assert not [name for name in nodes if "spotter" in name or "_1_1" in name]


def test_no_variable_is_left_and_nothing_is_random(frozen):
    kinds = {node.op for node in frozen.proto().node}
    assert not kinds & {"ReadVariableOp", "VarHandleOp", "VariableV2", "NoOp"}
    assert not [kind for kind in kinds if "Random" in kind]


def test_concrete_is_what_the_converter_takes(tf, model):
    function = freeze.concrete(model)
    assert not function.variables
    assert function.inputs[0].shape == (1, 49, 40, 1)
    with session.quiet():
        data = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    assert data[4:8] == b"TFL3"


def test_before_freezing_the_graph_is_the_same_but_for_the_variables(model, frozen):
    before = trace.from_graph_def(freeze.graph_before(model))
    after = trace.from_graph_def(frozen.graph_def)
    assert {node.name: node.inputs for node in before.nodes} == {
        node.name: node.inputs for node in after.nodes
    }
    changed = {(b.operation, a.operation) for b in before.nodes for a in after.nodes
               if a.name == b.name and a.operation != b.operation}  # fmt: skip
    assert changed == {("Placeholder", "Const"), ("ReadVariableOp", "Identity")}
    kernel = model.get_layer(spotter.FIRST_LAYER).kernel.numpy().tobytes()
    assert kernel in frozen.graph_def and kernel not in freeze.graph_before(model)


@pytest.mark.parametrize("data", [b"\xff\xff", b"hello", b"\x0a\x05abc"])
def test_what_is_no_graph_is_refused(tf, data):
    with pytest.raises(ValueError, match="no GraphDef"):
        freeze.load(data)


def test_an_empty_graph_has_no_output(tf):
    with pytest.raises(ValueError, match="no graph with an output"):
        freeze.load(b"")


@pytest.mark.parametrize("shape", [(2, 49, 39), (49, 40), (0, 49, 40), (2, 49, 40, 2)])
def test_features_of_another_shape_are_refused(frozen, shape):
    with pytest.raises(ValueError, match="graph (wants|takes)"):
        frozen.run(np.zeros(shape))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(OSError):
        freeze.load(tmp_path / "none.pb")


def test_stages_lose_gradients_then_variables_then_normalisation(model, features):
    graphs = stages.of(model)
    counts = {name: stages.operations(each) for name, each in graphs.items()}
    convolutions = len(spotter.facts().kernels) - 1  # the last layer is dense
    assert counts["training step"]["Conv2DBackpropFilter"] == convolutions
    assert counts["program"]["Conv2DBackpropFilter"] == 0
    assert (
        counts["program"]["ReadVariableOp"] == len(model.weights)
        and counts["frozen"]["ReadVariableOp"] == 0
    )
    assert counts["frozen"]["Rsqrt"] == convolutions and counts["folded"]["Rsqrt"] == 0
    assert counts["folded"]["Conv2D"] == convolutions
    folded = freeze.load(graphs["folded"])
    assert np.abs(folded.run(features) - spotter.predict(model, features)).max() < 1e-5


def test_thawed_answers_the_same_and_learns(tf, model, features):
    frozen = freeze.frozen(model, batch=None)
    thawed = stages.thawed(frozen)
    assert set(thawed.variables) == {each.path for each in model.weights}
    inputs = tf.constant(features[..., np.newaxis])
    assert np.abs(thawed(inputs).numpy() - frozen.run(features)).max() < 1e-6
    variables = list(thawed.variables.values())
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(tf.math.log(thawed(inputs)[:, 2]))
    gradients = tape.gradient(loss, variables)
    assert all(each is not None for each in gradients)
    for variable, gradient in zip(variables, gradients, strict=True):
        variable.assign_sub(1e-4 * gradient)
    assert -tf.reduce_mean(tf.math.log(thawed(inputs)[:, 2])) < loss
