"""From TensorFlow to a graph: a function under `tf.function`, a GraphDef, what eager code runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from course_lib.graph.data import Graph, Node
from course_lib.session import import_tensorflow, internals, quiet

_GRAPH_CALL = re.compile(r"__(inference|forward)_.*|(Stateful)?PartitionedCall")


@dataclass(frozen=True)
class ExecutedOperations:
    """What a call computed and which operations TensorFlow ran for it; a whole graph is "graph"."""

    result: Any
    operations: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.operations)


def from_function(function: Callable, *arguments: Any) -> Graph:
    """Return the graph that TensorFlow builds of `function` for these arguments.

    `function` is plain Python or a `tf.function`; `arguments` are tensors, numbers or
    `tf.TensorSpec`. Names and operations are TensorFlow's own. A variable of the function appears
    as a Placeholder of dtype "resource" that holds its present value; nodes that compute nothing
    and are read by nothing (NoOp) are left out.
    """
    tensorflow = import_tensorflow()
    if not hasattr(function, "get_concrete_function"):
        function = tensorflow.function(function)
    with quiet():
        concrete = function.get_concrete_function(*arguments)
    kept = {
        placeholder.op.name: variable
        for variable in concrete.graph.variables
        for handle, placeholder in concrete.graph.captures
        if handle is variable.handle
    }
    values = {name: float(variable) for name, variable in kept.items() if variable.shape.rank == 0}
    outputs = tuple(tensor.op.name for tensor in concrete.graph.outputs)
    return _from_operations(concrete.graph.get_operations(), outputs, values)


def from_graph_def(graph_def: Any, outputs: tuple[str, ...] = ()) -> Graph:
    """Return the graph of a GraphDef, given as bytes (a frozen .pb) or as TensorFlow's own object.

    Without `outputs`, the results are the nodes that no other node reads. ValueError is raised for
    bytes that are no GraphDef. Shapes are inferred, unknown dimensions are None.
    """
    tensorflow = import_tensorflow()
    if isinstance(graph_def, (bytes, bytearray, memoryview)):
        graph_def = parsed(bytes(graph_def))
    graph = tensorflow.Graph()
    with quiet(), graph.as_default():
        tensorflow.graph_util.import_graph_def(graph_def, name="")
    return _from_operations(graph.get_operations(), outputs, {})


def parsed(graph_def: bytes) -> Any:
    """Return the bytes of a GraphDef as TensorFlow's own object; raises ValueError for others."""
    from google.protobuf.message import DecodeError

    try:
        return import_tensorflow().compat.v1.GraphDef.FromString(graph_def)
    except DecodeError as error:
        problem = "These bytes are no GraphDef: was the file cut short or damaged?"
        raise ValueError(problem) from error


def executed(function: Callable, *arguments: Any) -> ExecutedOperations:
    """Call `function` and return its result with the operations that TensorFlow ran for it.

    Only requests made from Python are seen: of a `tf.function` that was traced before, one.
    """
    seen: list[str] = []

    def note(operation: str, graph: Any) -> None:
        if graph is None:  # operations inside of a graph are recorded, not run
            seen.append("graph" if _GRAPH_CALL.fullmatch(operation) else operation)

    with internals.executed_operations(note):
        result = function(*arguments)
    return ExecutedOperations(result, tuple(seen))


def _from_operations(operations: Any, outputs: tuple[str, ...], values: dict) -> Graph:
    nodes = [_node(operation, values) for operation in operations if operation.type != "NoOp"]
    if not outputs:
        read = {name for node in nodes for name in node.inputs}
        outputs = tuple(node.name for node in nodes if node.name not in read)
    return Graph.sorted(nodes, tuple(dict.fromkeys(outputs)))


def _node(operation: Any, values: dict[str, float]) -> Node:
    result = operation.outputs[0] if operation.outputs else None
    known = result is not None and result.shape.rank is not None
    shape = tuple(result.shape.as_list()) if known else None
    value = values.get(operation.name)
    if operation.type == "Const" and shape == ():
        value = _scalar(operation.get_attr("value"))
    inputs = tuple(tensor.op.name for tensor in operation.inputs)
    dtype = result.dtype.name if result is not None else ""
    return Node(operation.name, operation.type, inputs, value, dtype, shape)


def _scalar(proto: Any) -> float | None:
    from tensorflow import make_ndarray

    array = make_ndarray(proto)
    return float(array) if array.dtype.kind in "fiub" and array.size == 1 else None
