"""Claims about graphs: lessons 01, 02 and 12."""

from typing import Any

import numpy as np

from course_lib import graph, micro, quantize, session, tflite
from course_lib.experiments import replicas
from course_lib.experiments.ledger.claims import Claim, Ledger, Test, claim
from course_lib.graph import compiler, freezing, trace

_SEVEN = (  # lesson 01's
    "var1 = 6\nvar2 = 2\ntemp1 = var1 + var2\ntemp2 = var1 - var2\n"
    "var3 = 4\ntemp3 = temp2 + var3\nres = temp1 / temp3\n"
)
_TWO_PRODUCTS = "a = 1\nb = 2\nc = 3\nd = 4\nab = a * b\ncd = c * d\nres = ab + cd"
_SLOPES = 30  # small steps need 31 runs then; walking back, one run and one walk
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
    figure = f"a sum ran at once, as {len(ran)} operation, and no graph was kept"
    kept = not tf.executing_eagerly()
    return claim(
        "01",
        "TensorFlow keeps a model as a graph",
        Test("under tf.function it does", count > 0, f"{count} operations"),
        Test("unasked, it keeps a graph instead of computing at once", kept, figure),
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
    figure = f"{kinds.count('Const')} constants and {variables} variables for two names"
    return claim(
        "01",
        "In the graph, constants are joined to variables, and operations work on those",
        Test("edges join what is computed", edges > 0, f"{edges} edges, each a tensor"),
        Test("a name on the left of = becomes a variable there", variables > 0, figure),
    )


def _parallel_afterwards(model: Any) -> Claim:
    tf = session.import_tensorflow()
    program, sums = trace.from_source(_SEVEN), trace.from_source(_TWO_PRODUCTS)

    def constants() -> Any:
        six, two, four = tf.constant(6.0), tf.constant(2.0), tf.constant(4.0)
        return (six + two) / ((six - two) + four)

    left = len(compiler.grappler(constants).operations)
    work, span = graph.work(sums), graph.span(sums)
    whole, longest = graph.work(program), graph.span(program)
    sizes = f"work {work}, span {span}"
    seven = f"work {whole}, span {longest}"
    return claim(
        "02",
        "A graph can be spread over several workers afterwards",
        Test("two products of a sum can run at the same time", span < work, sizes),
        Test("so can some of the seven-line program", longest < whole, seven),
        Test("also after its constants are folded", left > 1, f"{left} operations left"),
    )


def _weights_are_averaged(model: Any, features: np.ndarray, labels: np.ndarray) -> Claim:
    rows = np.asarray(features[:24], np.float32)[..., np.newaxis]
    classes = np.asarray(labels[:24])
    halves = [(rows[0::2], classes[0::2]), (rows[1::2], classes[1::2])]
    ways = {
        "one step of gradient descent": ("sgd", 1),
        "three steps": ("sgd", 3),
        "one step of Adam": ("adam", 1),
    }
    averaged = {name: replicas.train_both_ways(model, halves, *way) for name, way in ways.items()}
    same = "it is the same as averaging gradients, for"
    tests = (
        Test(f"{same} {name}", each.equal, f"{each.share:.1%} apart")
        for name, each in averaged.items()
    )
    return claim("12", "Machines that train together average their weights", *tests)


def _slopes_are_cheap() -> Claim:
    names = [f"w{number}" for number in range(_SLOPES)]
    text = "\n".join(f"{name} = 1.01" for name in names)
    product = trace.from_source(text + "\ny = " + " * ".join(names))
    back, steps = graph.Tally(), graph.Tally()
    walked = graph.gradients(product, tally=back)
    moved = graph.numeric_gradients(product, central=False, tally=steps)
    apart = max(abs(walked[name] - moved[name]) for name in names)
    fewer = back.runs + back.walks < steps.runs
    figure = f"{back.runs} run and {back.walks} walk against {steps.runs} runs"
    return claim(
        "02",
        "A graph makes derivatives cheap",
        Test("one walk back finds every slope", apart < 1e-4, f"{apart:.0e} apart"),
        Test("it takes fewer runs than trying small steps", fewer, figure),
    )


def _graphs_travel(int8_model: bytes, features: np.ndarray) -> Claim:
    rows = features[:40]
    compared = quantize.against_kernels(int8_model, rows[:4])
    total = sum(count for count, _ in compared.values())
    different = sum(wrong for _, wrong in compared.values())
    figure = f"{different} of {total:,} bytes differ"
    words = "a microcontroller's interpreter hears the same words"
    hears = Test(words, None, "tflite-micro is not installed")
    if micro.available():
        here, there = tflite.run(int8_model, rows), micro.Interpreter(int8_model).run(rows)
        alike = float((here.argmax(axis=1) == there.argmax(axis=1)).mean())
        hears = Test(words, alike >= _SAME_WORD, f"{alike:.1%} of the clips")
    return claim(
        "12",
        "The same graph runs in other places",
        Test("integers in NumPy give what LiteRT's kernels give", different == 0, figure),
        hears,
    )
