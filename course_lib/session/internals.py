"""TensorFlow's inner parts, those that it promises nobody: the only module that imports them.

With a new TensorFlow, this is the file to look at. `tests/session/test_internals.py` holds each
function against what TensorFlow itself computes.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from course_lib.session.beginning import import_tensorflow, quiet

_MESSAGES = {  # in which module of tensorflow.core each message is described
    "BundleEntryProto": "protobuf.tensor_bundle_pb2",
    "BundleHeaderProto": "protobuf.tensor_bundle_pb2",
    "ConfigProto": "protobuf.config_pb2",
    "GraphDef": "framework.graph_pb2",
    "MetaGraphDef": "protobuf.meta_graph_pb2",
    "NodeDef": "framework.node_def_pb2",
    "SavedModel": "protobuf.saved_model_pb2",
    "TrackableObjectGraph": "protobuf.trackable_object_graph_pb2",
}


def message(name: str) -> Any:
    """Return the class of one of TensorFlow's protobuf messages, such as "GraphDef".

    Raises ValueError for a name that is not among those that the workbook reads.
    """
    if name not in _MESSAGES:
        raise ValueError(f"No schema {name!r} here; there are {', '.join(_MESSAGES)}.")
    import_tensorflow()
    return getattr(importlib.import_module(f"tensorflow.core.{_MESSAGES[name]}"), name)


def with_constants(traced: Any) -> Any:
    """Return a concrete function's GraphDef with every variable turned into a constant."""
    import_tensorflow()
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    with quiet():
        return convert_variables_to_constants_v2(traced).graph.as_graph_def()


def optimized(graph: Any, outputs: Sequence[str], twice: bool = False) -> Any:
    """Return the GraphDef that Grappler makes of `graph`, a tf.Graph whose `outputs` are wanted.

    `twice` runs its passes a second time. Source:
    tensorflow/core/grappler/optimizers/meta_optimizer.cc.
    """
    tf = import_tensorflow()
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
    from tensorflow.python.grappler import tf_optimizer

    config = message("ConfigProto")()
    rewriting = config.graph_options.rewrite_options
    rewriting.min_graph_nodes = -1  # rewrite small graphs too
    if twice:
        rewriting.meta_optimizer_iterations = RewriterConfig.TWO
    with quiet():
        meta = tf.compat.v1.train.export_meta_graph(
            graph_def=graph.as_graph_def(add_shapes=True), graph=graph
        )
        meta.collection_def["train_op"].node_list.value.extend(outputs)
        found = tf_optimizer.OptimizeGraph(config, meta)
    for node in found.node:
        node.attr.pop("_output_shapes", None)
    return found


@contextmanager
def executed_operations(note: Callable[[str, Any], None]) -> Iterator[None]:
    """Call `note(operation, graph)` for each operation that Python asks TensorFlow to run inside.

    `graph` is None where it runs at once, else the graph that it is only added to.
    """
    import_tensorflow()
    from tensorflow.python.framework import op_callbacks

    def callback(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        note(op_type.decode() if isinstance(op_type, bytes) else op_type, graph)

    op_callbacks.add_op_callback(callback)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(callback)


def operation_names() -> frozenset[str]:
    """Return the names of all operations that TensorFlow has, such as "FusedBatchNormV3"."""
    raw = import_tensorflow().raw_ops
    from tensorflow.python.framework import op_def_registry  # noqa: F401  (fills the registry)

    return frozenset(name for name in dir(raw) if not name.startswith("_"))


def has_result(operation: str) -> bool:
    """Tell whether an operation hands on a tensor; one that TensorFlow does not know may."""
    import_tensorflow()
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(operation)
    return definition is None or bool(definition.output_arg)


def quantized(calibrated: bytes, float_outputs: set[str]) -> bytes:
    """Return an int8 .tflite from a float one that knows its ranges, int8 at both ends.

    The operations that make `float_outputs`, names of tensors, still compute in floats. It is the
    function behind TensorFlow's QuantizationDebugger.
    """
    tf = import_tensorflow()
    from tensorflow.lite.python import convert

    with quiet():
        return bytes(
            convert.mlir_quantize(
                calibrated,
                disable_per_channel=True,
                fully_quantize=True,
                denylisted_nodes=float_outputs,
                input_data_type=tf.int8,
                output_data_type=tf.int8,
            )
        )
