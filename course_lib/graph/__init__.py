"""A computational graph as plain data: built, run, levelled, scheduled, differentiated, compiled.

`data` has `Graph` and `Node`, both frozen: every function takes a graph and returns values or a new
one. `trace` makes graphs of programs, `freezing` and `compiler` ask TensorFlow for them. This room
uses `session` alone, and nothing in it draws or prints; lessons 01, 02, 05 and 12, `views` and all
that convert a frozen model use it. Begin reading with `data`, then `evaluation`.
"""

from course_lib.graph.data import Graph, Node
from course_lib.graph.evaluation import (
    EvaluationError,
    Tally,
    evaluate,
    gradients,
    numeric_gradients,
    operation,
)
from course_lib.graph.structure import collapse, independent, levels, needed, span, work
