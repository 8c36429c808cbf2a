"""A computational graph as plain data: evaluate it, level it, differentiate it.

`Graph` and `Node` are frozen; every function takes a graph and returns values or a new graph.
Nothing here draws, prints, or needs TensorFlow.
"""

from course_lib.graph.data import Graph, GraphError, Node
from course_lib.graph.evaluate import EvaluationError, Tally, evaluate
from course_lib.graph.gradients import EdgeGradient, Gradients, gradients, numeric_gradients
from course_lib.graph.operations import OPERATIONS, Operation, operation
from course_lib.graph.structure import (
    ancestors,
    collapse,
    compare,
    independent,
    layer_name,
    levels,
    longest_path,
    needed,
    span,
    work,
)

__all__ = [
    "OPERATIONS",
    "EdgeGradient",
    "EvaluationError",
    "Gradients",
    "Graph",
    "GraphError",
    "Node",
    "Operation",
    "Tally",
    "ancestors",
    "collapse",
    "compare",
    "evaluate",
    "gradients",
    "independent",
    "layer_name",
    "levels",
    "longest_path",
    "needed",
    "numeric_gradients",
    "operation",
    "span",
    "work",
]
