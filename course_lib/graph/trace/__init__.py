"""Programs into graphs: from Python source, from a TensorFlow function, from a GraphDef."""

from course_lib.graph.trace.functions import executed, from_function, from_graph_def, parsed
from course_lib.graph.trace.source import TraceError, from_source
