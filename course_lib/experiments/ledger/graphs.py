"""Claims about graphs: lessons 01 and 02."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_lib import graph, micro, quantize, session, tflite
from course_lib.experiments import distribute
from course_lib.experiments.ledger.claims import Claim, Ledger, Test
from course_lib.graph import compiler, freezing, trace

_SEVEN = """var1 = 6
var2 = 2
var3 = 4
temp1 = var1 + var2
temp2 = temp1 / var3
temp3 = var2 * temp2
res = temp3 - var2"""
_SLOPES = 30
_SAME_WORD = 0.995  # of the clips, for two runtimes to count as alike


def graphs(model: Any, int8_model: bytes, features: np.ndarray, labels: np.ndarray) -> Ledger:
    """Test six claims on a Keras model, the .tflite file made from it, and some of its clips.

    `features` (n, 49, 40) and `labels` (n,), at least 24 of them. Takes about 6 s.
    """
    return Ledger(
        (
            _a_model_is_a_graph(model),
            _constants_feed_variables(),
            _parallel_afterwards(model),
            _weights_are_averaged(model, features, labels),
            _slopes_are_cheap(),
            _graphs_travel(int8_model, features),
        )
    )


def _a_model_is_a_graph(model: Any) -> Claim:
    tf = session.import_tensorflow()
    count = len(freezing.program(model).graph.get_operations())
    ran = trace.executed(lambda: tf.constant(6.0) + tf.constant(2.0))
    return Claim(
        "01",
        "TensorFlow keeps a model as a graph",
        (
            Test("under tf.function it does", count > 0, f"{count} operations"),
            Test(
                "unasked, it keeps a graph instead of computing at once",
                not tf.executing_eagerly(),
                f"a sum ran at once, as {len(ran)} operation, and no graph was kept",
            ),
        ),
    )


def _constants_feed_variables() -> Claim:
    tf = session.import_tensorflow()

    def named() -> Any:
        var1, var2 = tf.constant(6.0), tf.constant(2.0)
        return var1 + var2

    operations = tf.function(named).get_concrete_function().graph.get_operations()
    kinds = [operation.type for operation in operations]
    variables = sum(kind in ("VarHandleOp", "ReadVariableOp") for kind in kinds)
    edges = sum(len(operation.inputs) for operation in operations)
    return Claim(
        "01",
        "In the graph, constants are joined to variables, and operations work on those",
        (
            Test("edges join what is computed", edges > 0, f"{edges} edges, each a tensor"),
            Test(
                "a name on the left of = becomes a variable there",
                variables > 0,
                f"{kinds.count('Const')} constants and {variables} variables for two names",
            ),
        ),
    )


def _parallel_afterwards(model: Any) -> Claim:
    tf = session.import_tensorflow()
    program = trace.from_source(_SEVEN)
    pairs = [("a", "b"), ("c", "d")]
    sums = trace.from_source(
        "\n".join(f"{name} = {value}" for value, name in enumerate("abcd", 1))
        + "".join(f"\n{x}{y} = {x} * {y}" for x, y in pairs)
        + "\nres = ab + cd"
    )

    def constants() -> Any:
        one, two, four = tf.constant(6.0), tf.constant(2.0), tf.constant(4.0)
        return two * ((one + two) / four) - two

    left = len(compiler.grappler(constants).operations)
    work, span = graph.work(sums), graph.span(sums)
    return Claim(
        "02",
        "A graph can be spread over several workers afterwards",
        (
            Test(
                "two products of a sum can run at the same time",
                span < work,
                f"work {work}, span {span}",
            ),
            Test(
                "so can the operations of the seven-line program",
                graph.span(program) < graph.work(program) and left > 1,
                f"work {graph.work(program)}, span {graph.span(program)}; "
                f"{left} operations left after folding",
            ),
        ),
    )


def _weights_are_averaged(model: Any, features: np.ndarray, labels: np.ndarray) -> Claim:
    rows = np.asarray(features[:24], np.float32)[..., np.newaxis]
    classes = np.asarray(labels[:24])
    halves = [(rows[0::2], classes[0::2]), (rows[1::2], classes[1::2])]
    trials = [
        distribute.averaging(model, halves, optimizer, steps)
        for optimizer, steps in (("sgd", 1), ("sgd", 3), ("adam", 1))
    ]
    names = ("one step of gradient descent", "three steps", "one step of Adam")
    return Claim(
        "02",
        "Machines that train together average their weights",
        tuple(
            Test(
                f"it is the same as averaging gradients, for {name}",
                trial.equal,
                f"{trial.share:.1%} apart",
            )
            for name, trial in zip(names, trials, strict=True)
        ),
    )


def _slopes_are_cheap() -> Claim:
    names = [f"w{number}" for number in range(_SLOPES)]
    text = "\n".join(f"{name} = 1.01" for name in names)
    product = trace.from_source(text + "\ny = " + " * ".join(names))
    back, steps = graph.Tally(), graph.Tally()
    walked = graph.gradients(product, tally=back)
    moved = graph.numeric_gradients(product, central=False, tally=steps)
    apart = max(abs(walked[name] - moved[name]) for name in names)
    return Claim(
        "02",
        "A graph makes derivatives cheap",
        (
            Test("one walk back finds every slope", apart < 1e-4, f"{apart:.0e} apart"),
            Test(
                "it takes fewer runs than trying small steps",
                back.runs + back.walks < steps.runs,
                f"{back.runs} run and {back.walks} walk against {steps.runs} runs",
            ),
        ),
    )


def _graphs_travel(int8_model: bytes, features: np.ndarray) -> Claim:
    rows = features[:40]
    compared = quantize.against_kernels(int8_model, rows[:4])
    total = sum(count for count, _ in compared.values())
    different = sum(wrong for _, wrong in compared.values())
    alike = None
    if micro.available():
        here, there = tflite.run(int8_model, rows), micro.run(int8_model, rows)
        alike = float((here.argmax(axis=1) == there.argmax(axis=1)).mean())
    return Claim(
        "02",
        "The same graph runs in other places",
        (
            Test(
                "integers in NumPy give what LiteRT's kernels give",
                different == 0,
                f"{different} of {total:,} bytes differ",
            ),
            Test(
                "a microcontroller's interpreter hears the same words",
                None if alike is None else alike >= _SAME_WORD,
                "tflite-micro is not installed" if alike is None else f"{alike:.1%} of the clips",
            ),
        ),
    )
