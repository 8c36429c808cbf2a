"""Freezing: a model whose variables have become constants, as one self-contained graph.

A training program keeps its weights in variables, beside the graph. Freezing copies every value
into the graph as a `Const` node: one file then holds all that is needed to run the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from course_lib import session
from course_lib.session import internals

if TYPE_CHECKING:
    from collections.abc import Callable

INPUT = "features"
OUTPUT = "probabilities"


@dataclass(frozen=True)
class Frozen:
    """Hold a frozen graph: the bytes of a GraphDef and the names of what goes in and comes out.

    `inputs` and `outputs` name operations (`"features"`), without the `:0` of a tensor.
    """

    graph_def: bytes = field(repr=False)
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of bytes."""
        return len(self.graph_def)

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return (n, classes) float32 for `features` of (n, ...); see the function `run`."""
        return run(self, features)

    def save(self, path: str | Path) -> Path:
        """Write the bytes to `path` (by habit `*.pb`) and return it."""
        session.write_atomically(path, self.graph_def)
        return Path(path)

    def proto(self) -> Any:
        """Return the parsed `tf.compat.v1.GraphDef`."""
        return _parsed(self.graph_def)

    @cached_property
    def function(self) -> Callable:
        """Build, once, a callable TensorFlow function from nothing but these bytes."""
        tf = session.import_tensorflow()
        graph_def = self.proto()

        def imported() -> None:
            tf.graph_util.import_graph_def(graph_def, name="")

        with session.quiet():
            wrapped = tf.compat.v1.wrap_function(imported, [])
            ends = [
                wrapped.graph.get_tensor_by_name(f"{name}:0")
                for name in (*self.inputs, *self.outputs)
            ]
            count = len(self.inputs)
            return wrapped.prune(ends[:count], ends[count:])


def frozen(model: Any, softmax: bool = True, batch: int | None = 1) -> Frozen:
    """Freeze a Keras model: variables become constants in one self-contained GraphDef.

    `model` has one float32 input. With `softmax` its logits become probabilities inside the
    graph; `batch=None` leaves the number of clips open. Every constant that was a variable is
    named like it (`"listen/kernel"`). The answer equals the model's within 1e-5.
    """
    traced = program(model, softmax, batch)
    graph_def = internals.with_constants(traced)
    _keep_only(graph_def, OUTPUT)
    _rename(graph_def, _plain_names(model, traced, [node.name for node in graph_def.node]))
    return Frozen(graph_def.SerializeToString(deterministic=True), (INPUT,), (OUTPUT,))


def concrete(model: Any, softmax: bool = True, batch: int | None = 1) -> Any:
    """Return the frozen model as a concrete function, the form that the TFLite converter takes."""
    return frozen(model, softmax, batch).function


def graph_before(model: Any, softmax: bool = True, batch: int | None = 1) -> bytes:
    """Return the GraphDef of the model before freezing, with the names that `frozen` gives.

    The weights are not in it: for each there is a Placeholder, whose handle a ReadVariableOp reads.
    """
    traced = program(model, softmax, batch)
    graph_def = traced.graph.as_graph_def()
    _keep_only(graph_def, OUTPUT)
    _rename(graph_def, _plain_names(model, traced, [node.name for node in graph_def.node]))
    return graph_def.SerializeToString(deterministic=True)


def program(model: Any, softmax: bool = True, batch: int | None = 1) -> Any:
    """Return the model as a concrete function that still reads its variables: the graph before."""
    tf = session.import_tensorflow()
    shape = (batch, *model.input_shape[1:])

    def classify(features: Any) -> Any:
        answer = model(features, training=False)
        answer = tf.nn.softmax(answer) if softmax else answer
        return tf.identity(answer, name=OUTPUT)

    with session.quiet():
        return tf.function(classify).get_concrete_function(
            tf.TensorSpec(shape, tf.float32, name=INPUT)
        )


def load(source: str | Path | bytes) -> Frozen:
    """Read a frozen graph from a file or from bytes; inputs and outputs are found, not assumed.

    Inputs are the placeholders. Outputs are the operations whose result nobody uses. Raise
    `ValueError` when the bytes are no GraphDef, and `OSError` when the file cannot be read.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    nodes = _parsed(data).node
    used = {name.lstrip("^").split(":")[0] for node in nodes for name in node.input}
    inputs = tuple(node.name for node in nodes if node.op == "Placeholder")
    outputs = tuple(
        node.name
        for node in nodes
        if node.name not in used and node.op not in ("Placeholder", "NoOp")
    )
    if not outputs:
        raise ValueError(
            "These bytes hold no graph with an output: was the file frozen and saved whole?"
        )
    return Frozen(data, inputs, outputs)


def run(frozen: Frozen, features: np.ndarray) -> np.ndarray:
    """Return the first output, (n, classes) float32, of the graph for `features` of (n, ...).

    A graph with a fixed batch is called once for every batch of rows; features that lack only the
    channel axis of the placeholder get one. Raises ValueError when the shapes cannot fit.
    """
    function = frozen.function
    wanted = function.inputs[0].shape.as_list()
    rows = np.asarray(features, np.float32)
    if rows.ndim == len(wanted) - 1 and wanted[-1] == 1:
        rows = rows[..., np.newaxis]
    if rows.ndim != len(wanted) or any(
        w not in (None, n) for w, n in zip(wanted[1:], rows.shape[1:], strict=True)
    ):
        raise ValueError(f"The graph wants features of shape {wanted}, not {list(rows.shape)}.")
    tf = session.import_tensorflow()
    batch = wanted[0] or len(rows)
    if len(rows) == 0 or len(rows) % batch:
        raise ValueError(
            f"The graph takes {batch} rows at a time: {len(rows)} rows cannot be split so."
        )
    answers = [
        function(tf.constant(rows[i : i + batch]))[0].numpy() for i in range(0, len(rows), batch)
    ]
    return np.concatenate(answers)


def _parsed(data: bytes) -> Any:
    """Parse a GraphDef or raise `ValueError` in one sentence."""
    tf = session.import_tensorflow()
    from google.protobuf.message import DecodeError

    graph_def = tf.compat.v1.GraphDef()
    try:
        graph_def.ParseFromString(data)
    except DecodeError as error:
        raise ValueError(
            "These bytes are no GraphDef: was the file cut short or damaged?"
        ) from error
    return graph_def


def _keep_only(graph_def: Any, output: str) -> None:
    """Drop, in place, every node that `output` does not need."""
    inputs = {node.name: node.input for node in graph_def.node}
    needed, to_visit = set(), [output]
    while to_visit:
        name = to_visit.pop().lstrip("^").split(":")[0]
        if name not in needed:
            needed.add(name)
            to_visit.extend(inputs[name])
    kept = [node for node in graph_def.node if node.name in needed]
    del graph_def.node[:]
    graph_def.node.extend(kept)


def _plain_names(model: Any, traced: Any, names: list[str]) -> dict[str, str]:
    """Map node names to readable ones: constants as their variable, scopes as their layer.

    Keras numbers its scopes (`spotter_1/listen_1/…`) by how often a model was called. Names that
    would no longer be unique are left as they are.
    """
    paths = {id(variable.value.handle): variable.path for variable in model.variables}
    scopes = {f"{layer.name}_1": layer.name for layer in model.layers}
    top = {f"{model.name}/", f"{model.name}_1/"}
    wanted = {}
    for name in names:
        short = next((name[len(scope) :] for scope in top if name.startswith(scope)), name)
        first, *rest = short.split("/")
        wanted[name] = "/".join([scopes.get(first, first), *rest])
    for handle, inside in traced.graph.captures:
        if id(handle) in paths:
            wanted[inside.op.name] = paths[id(handle)]
    taken = list(wanted.values())
    return {old: new if taken.count(new) == 1 else old for old, new in wanted.items()}


def _rename(graph_def: Any, names: dict[str, str]) -> None:
    """Rename nodes in place, where they are defined and wherever they are used."""

    def renamed(reference: str) -> str:
        control = "^" if reference.startswith("^") else ""
        name, colon, port = reference.lstrip("^").partition(":")
        return f"{control}{names.get(name, name)}{colon}{port}"

    for node in graph_def.node:
        node.name = names.get(node.name, node.name)
        node.input[:] = [renamed(reference) for reference in node.input]
