"""Grappler, the optimiser that TensorFlow runs over every graph before it executes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_lib.graph.data import Graph
from course_lib.graph.trace.function import from_graph_def
from course_lib.session import import_tensorflow, quiet

__all__ = ["grappler"]


def grappler(function: Callable, *arguments: Any) -> Graph:
    """Return the graph of `function` for these arguments after Grappler's usual passes.

    They fold what is constant, share what is computed twice, and drop what no result needs.
    Source: tensorflow/core/grappler/optimizers/meta_optimizer.cc.
    """
    tensorflow = import_tensorflow()
    from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
    from tensorflow.python.grappler import tf_optimizer

    with quiet():
        graph = tensorflow.function(function).get_concrete_function(*arguments).graph
        meta = tensorflow.compat.v1.train.export_meta_graph(
            graph_def=graph.as_graph_def(), graph=graph
        )
        outputs = tuple(tensor.op.name for tensor in graph.outputs)
        meta.collection_def["train_op"].node_list.value.extend(outputs)
        config = config_pb2.ConfigProto()
        rewriting = config.graph_options.rewrite_options
        rewriting.min_graph_nodes = -1  # rewrite small graphs too
        rewriting.meta_optimizer_iterations = rewriter_config_pb2.RewriterConfig.TWO
        optimized = tf_optimizer.OptimizeGraph(config, meta)
        return from_graph_def(optimized, outputs)
