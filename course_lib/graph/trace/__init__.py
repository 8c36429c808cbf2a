"""Programs into graphs: from Python source, from a TensorFlow function, from a GraphDef."""

from course_lib.graph.trace.function import (
    ExecutedOperations,
    executed,
    from_function,
    from_graph_def,
)
from course_lib.graph.trace.source import MOST_LINES, TraceError, from_source

__all__ = [
    "MOST_LINES",
    "ExecutedOperations",
    "TraceError",
    "executed",
    "from_function",
    "from_graph_def",
    "from_source",
]
