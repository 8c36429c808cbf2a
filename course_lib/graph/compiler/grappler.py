"""Grappler, the optimiser that TensorFlow runs over every graph before it executes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from course_lib.graph.data import Graph
from course_lib.graph.trace.function import from_graph_def
from course_lib.session import import_tensorflow, internals, quiet


def grappler(function: Callable, *arguments: Any) -> Graph:
    """Return the graph of `function` for these arguments after Grappler's usual passes.

    They fold what is constant, share what is computed twice, and drop what no result needs.
    """
    tensorflow = import_tensorflow()
    with quiet():
        graph = tensorflow.function(function).get_concrete_function(*arguments).graph
    outputs = tuple(tensor.op.name for tensor in graph.outputs)
    return from_graph_def(internals.optimized(graph, outputs, twice=True), outputs)
