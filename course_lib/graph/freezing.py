"""Freezing: a model whose variables have become constants, as one self-contained graph.

A training program keeps its weights in variables, beside the graph. Freezing copies every value
into the graph as a `Const` node: one file then holds all that is needed to run the model. From
stage to stage something falls away: gradients, optimizer and dropout; then the variables; then the
arithmetic of batch normalisation, which only ever met constants.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from course_lib import session
from course_lib.graph import endings
from course_lib.graph.trace import parsed
from course_lib.session import internals

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
        return len(self.graph_def)

    def run(self, features: np.ndarray) -> np.ndarray:
        """Return the first output, (n, classes) float32, of the graph for `features` of (n, ...).

        A graph with a fixed batch is called once for every batch of rows; features that lack only
        the channel axis of the placeholder get one. Raises ValueError when the shapes cannot fit.
        """
        if len(self.inputs) != 1:
            named = ", ".join(self.inputs) or "none"
            raise ValueError(f"The graph has the inputs {named}: features can go into one alone.")
        function = self.function
        wanted = function.inputs[0].shape.as_list()
        rows = np.asarray(features, np.float32)
        if rows.ndim == len(wanted) - 1 and wanted[-1] == 1:
            rows = rows[..., np.newaxis]
        pairs = zip(wanted[1:], rows.shape[1:], strict=False)
        if rows.ndim != len(wanted) or any(w not in (None, n) for w, n in pairs):
            raise ValueError(f"The graph wants features of shape {wanted}, not {list(rows.shape)}.")
        tf = session.import_tensorflow()
        batch = wanted[0] or len(rows)
        if len(rows) == 0 or len(rows) % batch:
            problem = f"{batch} rows at a time: {len(rows)} rows cannot be split so."
            raise ValueError(f"The graph takes {problem}")
        parts = (tf.constant(rows[i : i + batch]) for i in range(0, len(rows), batch))
        return np.concatenate([function(part)[0].numpy() for part in parts])

    def save(self, path: str | Path) -> Path:
        """Write the bytes to `path` (by habit `*.pb`) and return it."""
        session.write_atomically(path, self.graph_def)
        return Path(path)

    def proto(self) -> Any:
        """Return the parsed `tf.compat.v1.GraphDef`."""
        return parsed(self.graph_def)

    @cached_property
    def function(self) -> Callable:
        """Build, once, a callable TensorFlow function from nothing but these bytes."""
        tf = session.import_tensorflow()
        graph_def = self.proto()

        def imported() -> None:
            tf.graph_util.import_graph_def(graph_def, name="")

        with session.quiet():
            wrapped = tf.compat.v1.wrap_function(imported, [])
            tensor = wrapped.graph.get_tensor_by_name
            sides = [[tensor(f"{n}:0") for n in names] for names in (self.inputs, self.outputs)]
            return wrapped.prune(*sides)


def frozen(model: Any, softmax: bool = True, batch: int | None = 1) -> Frozen:
    """Freeze a Keras model: variables become constants in one self-contained GraphDef.

    With `softmax`, logits become probabilities inside the graph; a model that ends in an activation
    keeps its own. Several inputs keep their names. `batch=None` leaves the number of clips open.
    Every constant that was a variable is named like it (`"listen/kernel"`). The answer equals the
    model's within 1e-5. Raises ValueError for a model that was never built.
    """
    traced = program(model, softmax, batch)
    return Frozen(_readable(internals.with_constants(traced), model, traced), *_ends(traced))


def concrete(model: Any, batch: int | None = 1) -> Any:
    """Return the frozen model as a concrete function, the form that the TFLite converter takes."""
    return frozen(model, batch=batch).function


def graph_before(model: Any) -> bytes:
    """Return the GraphDef of the model before freezing, with the names that `frozen` gives.

    The weights are not in it: for each there is a Placeholder, whose handle a ReadVariableOp reads.
    """
    traced = program(model)
    return _readable(traced.graph.as_graph_def(), model, traced)


def program(model: Any, softmax: bool = True, batch: int | None = 1) -> Any:
    """Return the model as a concrete function that still reads its variables: the graph before."""
    tf = session.import_tensorflow()
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise ValueError("This model knows no shape of its inputs: call it once, save it again.")
    names = [INPUT] if len(inputs) == 1 else [_plain(each.name) for each in inputs]
    specifications = [
        tf.TensorSpec((batch, *each.shape[1:]), each.dtype, name=name)
        for each, name in zip(inputs, names, strict=True)
    ]
    struct = getattr(model, "_inputs_struct", None)  # a model may want its inputs in a dict
    are_logits = tf.autograph.experimental.do_not_convert(endings.are_logits)  # plain Python

    def classify(*parts: Any) -> Any:
        given = parts[0] if len(parts) == 1 and not isinstance(struct, dict) else list(parts)
        given = tf.nest.pack_sequence_as(struct, given) if isinstance(struct, dict) else given
        answers = tf.nest.flatten(model(given, training=False))
        if softmax:  # logits become probabilities, what the model has activated itself stays
            answers = [tf.nn.softmax(a) if are_logits(a) else a for a in answers]
        if len(answers) == 1:
            return tf.identity(answers[0], name=OUTPUT)
        return [tf.identity(a, name=f"{OUTPUT}_{n}") for n, a in enumerate(answers)]

    with session.quiet():
        return tf.function(classify).get_concrete_function(*specifications)


def _ends(traced: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the operations that go into a program and come out of it."""
    taken = {id(inside) for _, inside in traced.graph.captures}
    given = (each for each in traced.inputs if id(each) not in taken)
    outputs = traced.outputs
    names = [OUTPUT] if len(outputs) == 1 else [f"{OUTPUT}_{n}" for n in range(len(outputs))]
    return tuple(each.op.name for each in given), tuple(names)


def _plain(name: str) -> str:
    """Return a Keras input's name as a node may have it."""
    return re.sub(r"[^A-Za-z0-9_.]", "_", name.split(":")[0]) or INPUT


def load(source: str | Path | bytes) -> Frozen:
    """Read a frozen graph from a file or from bytes; inputs and outputs are looked up, not assumed.

    Inputs are the placeholders. Outputs are the operations that compute something from an input and
    whose result nobody uses; where there are none, those that need no input. Raises ValueError
    where the bytes are no GraphDef, and OSError where the file cannot be read.
    """
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    nodes = parsed(data).node
    readers: dict[str, list[str]] = {}
    for node in nodes:
        for name in node.input:
            readers.setdefault(name.lstrip("^").split(":")[0], []).append(node.name)
    inputs = tuple(node.name for node in nodes if node.op == "Placeholder")
    reached, waiting = set(inputs), list(inputs)
    while waiting:
        found = set(readers.get(waiting.pop(), ())) - reached
        reached |= found
        waiting += found
    unused = [node for node in nodes if node.name not in readers and node.op != "Placeholder"]
    ends = [node for node in unused if internals.has_result(node.op)]
    outputs = [node.name for node in ends if node.name in reached] or [node.name for node in ends]
    if not outputs:
        problem = "These bytes hold no graph with an output: was the file frozen and saved whole?"
        raise ValueError(problem)
    return Frozen(data, inputs, tuple(outputs))


def stages(model: Any) -> dict[str, bytes]:
    """Return four GraphDefs of a Keras classifier by name, the model unchanged; takes 3 s."""
    kept = frozen(model)
    return {
        "training step": _training_step(model),
        "program": graph_before(model),
        "frozen": kept.graph_def,
        "folded": _folded(kept).graph_def,
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


def thawed(frozen: Frozen) -> Thawed:
    """Put variables in the place of the float32 constants that hold more than one number.

    No code of the model is needed. What freezing dropped, dropout and the optimizer, stays lost.
    """
    tf = session.import_tensorflow()
    graph_def = frozen.proto()
    variables = {}
    for node in graph_def.node:
        if node.op == "Const" and node.attr["dtype"].type == tf.float32.as_datatype_enum:
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.size > 1:
                variables[node.name] = tf.Variable(np.array(values), name=node.name)

    def run(features: Any, values: dict[str, Any]) -> Any:
        fed = {f"{name}:0": tf.convert_to_tensor(each) for name, each in values.items()}
        fed[f"{frozen.inputs[0]}:0"] = tf.convert_to_tensor(features)
        wanted = [f"{frozen.outputs[0]}:0"]
        return tf.graph_util.import_graph_def(graph_def, fed, wanted, name="")[0]

    return Thawed(variables, tf.function(run))


def _training_step(model: Any) -> bytes:
    """Return the GraphDef of a step of training with Adam, 32 clips, traced and never run."""
    tf = session.import_tensorflow()
    with session.quiet():
        optimizer = tf.keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)

        def step(features: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                logits = model(features, training=True)
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
                loss = tf.reduce_mean(losses)
            variables = model.trainable_variables
            optimizer.apply(tape.gradient(loss, variables), variables)
            return loss

        traced = tf.function(step).get_concrete_function(
            tf.TensorSpec((32, *model.input_shape[1:])), tf.TensorSpec((32,), tf.int32)
        )
        return traced.graph.as_graph_def().SerializeToString(deterministic=True)


def _folded(frozen: Frozen) -> Frozen:
    """Let Grappler, TensorFlow's optimizer of graphs, compute all that depends on constants alone.

    Multiplications behind a convolution are worked into its kernel, where they are constant.
    """
    tf = session.import_tensorflow()
    graph = tf.Graph()
    with session.quiet(), graph.as_default():
        tf.graph_util.import_graph_def(frozen.proto(), name="")
    data = internals.optimized(graph, frozen.outputs).SerializeToString(deterministic=True)
    return Frozen(data, frozen.inputs, frozen.outputs)


def _readable(graph_def: Any, model: Any, traced: Any) -> bytes:
    """Return the bytes of what the output needs of a graph, its nodes with plain names."""
    inputs, outputs = _ends(traced)
    with session.quiet():  # TensorFlow calls this one deprecated and offers nothing in its place
        tools = session.import_tensorflow().compat.v1.graph_util
        kept = tools.extract_sub_graph(graph_def, [*inputs, *outputs]).node
    del graph_def.node[:]
    graph_def.node.extend(kept)
    _rename(graph_def, _plain_names(model, traced, [node.name for node in graph_def.node]))
    return graph_def.SerializeToString(deterministic=True)


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
    ends = itertools.chain(*_ends(traced))
    wanted |= {name: name for name in ends}  # an input's name may look like a scope's
    for handle, inside in traced.graph.captures:
        if id(handle) in paths:
            wanted[inside.op.name] = paths[id(handle)]
    taken = list(wanted.values())
    return {old: new if taken.count(new) == 1 else old for old, new in wanted.items()}


def _rename(graph_def: Any, names: dict[str, str]) -> None:
    def renamed(reference: str) -> str:
        control = "^" if reference.startswith("^") else ""
        name, colon, port = reference.lstrip("^").partition(":")
        return f"{control}{names.get(name, name)}{colon}{port}"

    for node in graph_def.node:
        node.name = names.get(node.name, node.name)
        node.input[:] = [renamed(reference) for reference in node.input]
