"""One model as four graphs: a training step, the program that answers, frozen, and folded.

From each to the next something falls away: gradients, optimizer and dropout; then the variables;
then the arithmetic of batch normalisation, which only ever met constants.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from course_lib import session
from course_lib.graph import freeze
from course_lib.session import internals


def of(model: Any) -> dict[str, bytes]:
    """Return the four GraphDefs of a Keras classifier, by name, in order; takes three seconds.

    The model's weights are not changed.
    """
    frozen = freeze.frozen(model)
    return {
        "training step": training_step(model),
        "program": freeze.graph_before(model),
        "frozen": frozen.graph_def,
        "folded": folded(frozen).graph_def,
    }


def operations(graph_def: bytes) -> Counter:
    """Count the nodes of a GraphDef by operation."""
    return Counter(node.op for node in internals.message("GraphDef").FromString(graph_def).node)


@dataclass(frozen=True)
class Thawed:
    """Hold a frozen graph with variables in the place of its constants: it can learn again.

    `variables` are by the name of the constant that each took the place of. Calling it gives
    probabilities (n, classes) for features (n, height, width, 1).
    """

    variables: dict[str, Any]
    function: Callable = field(repr=False)

    def __call__(self, features: Any) -> Any:
        """Run the graph on the variables' present values, so that gradients reach them."""
        return self.function(features, dict(self.variables))


def thawed(frozen: freeze.Frozen) -> Thawed:
    """Put variables in the place of the float32 constants that hold more than one number.

    No code of the model is needed. What freezing dropped, dropout and the optimizer, stays lost.
    """
    tf = session.import_tensorflow()
    graph_def = frozen.proto()
    found = {}
    for node in graph_def.node:
        if node.op == "Const" and node.attr["dtype"].type == tf.float32.as_datatype_enum:
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.size > 1:
                found[node.name] = tf.Variable(np.array(values), name=node.name)

    def run(features: Any, values: dict[str, Any]) -> Any:
        fed = {f"{name}:0": tf.convert_to_tensor(each) for name, each in values.items()}
        fed[f"{frozen.inputs[0]}:0"] = tf.convert_to_tensor(features)
        wanted = [f"{frozen.outputs[0]}:0"]
        return tf.graph_util.import_graph_def(graph_def, fed, wanted, name="")[0]

    return Thawed(found, tf.function(run))


def training_step(model: Any, batch: int = 32) -> bytes:
    """Return the GraphDef of one step of training with Adam: forwards, backwards, update.

    The step is traced and never run.
    """
    tf = session.import_tensorflow()
    with session.quiet():
        optimizer = tf.keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)

        def step(features: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                logits = model(features, training=True)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
                loss = tf.reduce_mean(losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return loss

        traced = tf.function(step).get_concrete_function(
            tf.TensorSpec((batch, *model.input_shape[1:])), tf.TensorSpec((batch,), tf.int32)
        )
        return traced.graph.as_graph_def().SerializeToString(deterministic=True)


def folded(frozen: freeze.Frozen) -> freeze.Frozen:
    """Let Grappler, TensorFlow's optimizer of graphs, compute all that depends on constants alone.

    Multiplications behind a convolution are worked into its kernel, where they are constant.
    """
    tf = session.import_tensorflow()
    graph = tf.Graph()
    with session.quiet(), graph.as_default():
        tf.graph_util.import_graph_def(frozen.proto(), name="")
    data = internals.optimized(graph, frozen.outputs).SerializeToString(deterministic=True)
    return freeze.Frozen(data, frozen.inputs, frozen.outputs)
