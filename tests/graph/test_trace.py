"""From text, functions and GraphDefs to graphs."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import assume, example, given, settings
from random_programs import FUNCTIONS, as_floats, programs

from course_lib.graph import EvaluationError, Graph, Node, evaluate, gradients, levels
from course_lib.graph.trace import MOST_LINES, TraceError, from_source

# Found by chance: summands of about 1e8 cancel, and what is left is the rounding of their sum.
CANCELS = """
c = ((min(0.3, 1e-1) + sqrt(1)) / 3.25)
const_1 = (c * (c * c) + ((c - c) * (7 * 3.25)))
const_1 /= pow(const_1 / 7, min(3.25, 1))
add_1 = (pow(const_1, pow(const_1, 1)) - (const_1 + 0.5) + (7 * 0.5))
"""
REFUSED = {
    "for i in range(3):\n    x = 1": "Line 1: has a loop",
    "x = 1\nwhile x:\n    x = x - 1": "Line 2: has a loop",
    "import math\nx = 1": "Line 1: has an import",
    "x = 1\nfrom math import pi": "Line 2: has an import",
    "x = 1\ny = z": "Line 2: uses z, which no line before it sets",
    "y = x\nx = 1": "Line 1: uses x",
    "x = 1\nif x:\n    y = 2": "Line 2: has a choice",
    "x = 1 if 2 else 3": "Line 1: has a choice",
    "x = math.sqrt(2)": "Line 1: has a dot",
    "x = foo(2)": "Line 1: calls foo, and only sqrt",
    "x = 1\nprint(x)": "Line 2: prints; leave it out",
    "x, y = 1, 2": "Line 1: has several values",
    "x = [1, 2]": "Line 1: has a list",
    "x = 1\nx[0] = 2": "Line 2: has an index",
    "x = 'text'": "Line 1: holds something that is not a number",
    "x = True": "Line 1: holds something that is not a number",
    "x = 2j": "Line 1: holds something that is not a number",
    "x = 1e999": "Line 1: holds a number that is too large",
    "x = 1 % 2": "Line 1: has something other than arithmetic",
    "x = 1 < 2": "Line 1: has a comparison",
    "x = sqrt(1, 2)": "Line 1: gives sqrt 2 values, and it takes 1",
    "x = max(1)": "Line 1: gives max 1 values, and it takes 2",
    "x = sqrt(*y)": "Line 1: calls sqrt with more",
    "x = (lambda: 1)()": "Line 1: has a function inside",
    "x = __import__('os').system('true')": "Line 1: has a dot",
    "return 1": "Line 1: has a return outside",
    "def f(x):\n    return x\n    y = 1": "Line 3: never runs",
    "def f(*x):\n    return 1": "Line 1: has arguments that are not plain names",
    "def f(x):\n    return x\nf(1)": "Line 1: has a function inside",
    "": "Line 1: gives no value",
    "# only a remark": "Line 1: gives no value",
    "x = 1\ny = 2 +": "Line 2: is not Python",
    "x = (1": "Line 1: is not Python",
    "x = " + "9" * 5000: "Line 1: is not Python",
    "x = 1" + "+1" * 20_000: "Line 1: ",
    "x = " + "-" * 20_000 + "y": "Line 1: ",
    "x = " + "(" * 400 + "1" + ")" * 400: "Line 1: is not Python",
    "x = \0": "Line 1: ",
    "x = 1\n" * (MOST_LINES + 1): f"Line {MOST_LINES}: is the last that can be drawn",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_cannot_be_drawn_is_said_in_one_sentence(text, message):
    with pytest.raises(TraceError) as caught:
        from_source(text)
    said = str(caught.value)
    assert said.startswith(message)
    assert said.count("\n") == 0 and said.endswith(".") and len(said) < 200
    assert caught.value.line == int(message.split()[1].rstrip(":"))


def test_the_text_is_never_executed(tmp_path):
    trap = tmp_path / "trap"
    for text in (f"x = open({str(trap)!r}, 'w')", f"import os\nos.mkdir({str(trap)!r})"):
        with pytest.raises(TraceError):
            from_source(text)
    assert not trap.exists()


def test_reuse_renaming_and_another_value_for_a_name():
    graph = from_source("x = 2\nx = x * x\ny = x\nx += y\n-x")
    assert [str(node) for node in graph] == [
        "x = Const(2)", "x_2 = Mul(x, x)", "x_3 = Add(x_2, x_2)", "neg_1 = Neg(x_3)",
    ]  # fmt: skip
    assert dict(graph.names) == {"x": "x_3", "y": "x_2"}
    assert evaluate(graph)["neg_1"] == -8


def test_names_of_ones_own_are_never_taken():
    graph = from_source("add_1 = 3\ny = 1 + add_1 * 2\nx = 1\nx = 2\nx_2 = 5\nz = x + x_2")
    assert len({node.name for node in graph}) == len(graph)
    assert evaluate(graph)[graph.outputs[0]] == 7


def test_literals_and_signs():
    assert str(from_source("x = -3")) == "x = Const(−3)"
    assert evaluate(from_source("y = -3 ** 2"))["y"] == -9
    assert evaluate(from_source("y = +3"))["y"] == 3
    assert evaluate(from_source("y = max(1, 5, 3, 2) - min(4, 2)"))["y"] == 3
    assert evaluate(from_source("a = b = 3\nc: float = a + b; d = c"))["c"] == 6


def test_lines_are_counted_as_they_are_seen():
    with pytest.raises(TraceError, match="Line 2: "):
        from_source("""
            x = 1
            y = z
        """)
    assert [node.line for node in from_source("x = 1\n\n# a remark\ny = x + x")] == [1, 4]


def program(var1, var2, var3=4.0):
    """Say what the lesson says."""
    temp1 = var1 + var2
    return temp1 / (var1 - var2 + var3)


def test_a_function_gives_placeholders():
    graph = from_source(program)
    assert [n.operation for n in graph.sources] == ["Placeholder"] * 3
    assert evaluate(graph, {"var1": 6, "var2": 2})[graph.outputs[0]] == 1.0


def test_a_function_without_source_says_so():
    with pytest.raises(TraceError, match="source of this function cannot be found"):
        from_source(len)


def chain(lines: int) -> str:
    return "\n".join(["x0 = 1"] + [f"x{i} = x{i - 1} + {i % 7}" for i in range(1, lines)])


def test_a_program_as_long_as_can_be():
    graph = from_source(chain(MOST_LINES))
    assert len(graph) == 2 * MOST_LINES - 1
    last = MOST_LINES - 1
    assert evaluate(graph)[f"x{last}"] == 1 + sum(i % 7 for i in range(1, MOST_LINES))
    assert len(levels(graph)) == MOST_LINES
    assert gradients(graph)["x0"] == 1


def test_ten_thousand_lines_are_too_many_and_the_line_is_named():
    with pytest.raises(TraceError) as caught:
        from_source(chain(10_000))
    assert str(caught.value) == "Line 5000: is the last that can be drawn, and there are 10,000."


def test_every_refusal_of_a_run_names_its_line():
    with pytest.raises(EvaluationError) as caught:
        evaluate(from_source("a = 4\nb = a - 4\n\nc = a / b"))
    assert str(caught.value) == "Line 4: c divides 4 by b, which is 0."


@given(programs)
@settings(max_examples=3000, deadline=None)
def test_tracer_and_evaluate_agree_with_python(text):
    graph = from_source(text)
    scope = {**FUNCTIONS, "__builtins__": {}}
    try:
        exec(as_floats(text), scope)  # the oracle is Python itself; the text is ours
    except (ArithmeticError, ValueError):
        scope = None
    if scope is None:
        with pytest.raises(EvaluationError):
            evaluate(graph)
        return
    values = evaluate(graph)
    for name, node in graph.names:
        same = values[node] == scope[name] or (math.isnan(values[node]) and math.isnan(scope[name]))
        assert same, name


@pytest.mark.slow
@given(programs)
@example(CANCELS)
@settings(max_examples=2500, deadline=None)
def test_gradients_agree_with_gradient_tape(text):
    tf = pytest.importorskip("tensorflow")
    graph = from_source(text)
    try:
        back = gradients(graph)
    except EvaluationError:
        assume(False)
    assume(all(abs(value) < 1e6 for value in back.values.values()))
    tensors = {node.name: tf.constant(node.value, tf.float64) for node in graph.sources}
    values = dict(tensors)
    with tf.GradientTape() as tape:
        tape.watch(list(tensors.values()))
        for node in graph.operations:
            values[node.name] = in_tensorflow(tf, node, [values[name] for name in node.inputs])
    assume(
        all(
            math.isclose(back.values[name], float(values[name]), rel_tol=1e-9, abs_tol=1e-12)
            for name in values
        )
    )  # where the last bit of one exp() is blown up, so are slopes
    found = tape.gradient(values[graph.outputs[0]], tensors, unconnected_gradients="zero")
    largest = largest_summands(back)
    for name, gradient in found.items():
        if not math.isfinite(gradient):
            continue  # TensorFlow multiplies 0 by an infinite slope where we walk no such path
        bound = 1e-9 + 1e-12 * largest[name]
        assert math.isclose(back[name], float(gradient), rel_tol=1e-6, abs_tol=bound), name


def largest_summands(back) -> dict[str, float]:
    """Return, for each node, the sum that its derivative would be if nothing cancelled.

    Two orders of adding up may differ by a rounding of this sum, however small the derivative is.
    """
    sums = dict.fromkeys(back.by_node, 0.0)
    sums[back.output] = 1.0
    for edge in back.edges:
        sums[edge.source] += abs(edge.local) * sums[edge.target]
    return sums


def in_tensorflow(tf, node: Node, inputs: list):
    functions = {
        "Add": tf.add, "Sub": tf.subtract, "Mul": tf.multiply, "Div": tf.divide, "Pow": tf.pow,
        "Maximum": tf.maximum, "Minimum": tf.minimum, "Neg": tf.negative, "Sqrt": tf.sqrt,
        "Square": tf.square, "Exp": tf.exp, "Log": tf.math.log, "Sin": tf.sin, "Cos": tf.cos,
        "Tanh": tf.tanh, "Sigmoid": tf.sigmoid, "Relu": tf.nn.relu, "Abs": tf.abs,
    }  # fmt: skip
    return functions[node.operation](*inputs)


# --- TensorFlow -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tf():
    from course_lib.session import import_tensorflow

    return import_tensorflow()


def test_python_numbers_are_folded_and_tensors_are_not(tf):
    from course_lib.graph.trace import from_function

    folded = from_function(program, 6.0, 2.0)
    assert [node.operation for node in folded] == ["Const", "Identity"]
    built = from_function(program, tf.constant(6.0), tf.constant(2.0), tf.constant(4.0))
    assert built.count() == {
        "Placeholder": 3, "AddV2": 2, "Sub": 1, "RealDiv": 1, "Identity": 1,
    }  # fmt: skip
    assert levels(built)[0] == ("var1", "var2", "var3")
    assert evaluate(built, {"var1": 6, "var2": 2, "var3": 4})["Identity"] == 1.0


def test_a_variable_is_a_handle_and_a_read(tf):
    from course_lib.graph.trace import from_function

    weight = tf.Variable(2.0)
    graph = from_function(lambda x: x * weight, tf.constant(3.0))
    handle = next(node for node in graph if node.dtype == "resource")
    assert handle.value == 2.0 and graph.count()["ReadVariableOp"] == 1
    assert evaluate(graph, {"x": 3})["Identity"] == 6


def test_shapes_and_types_are_kept(tf):
    from course_lib.graph.trace import from_function

    graph = from_function(lambda x: tf.reduce_sum(x, 1), tf.TensorSpec([None, 3], tf.float64))
    assert graph["x"].shape == (None, 3) and graph["x"].dtype == "float64"
    assert graph["Identity"].shape == (None,)


def test_the_same_graph_from_bytes(tf):
    from course_lib.graph.trace import from_function, from_graph_def

    function = tf.function(lambda x: (x + 1.0) * 2.0)
    definition = function.get_concrete_function(tf.constant(1.0)).graph.as_graph_def()
    graph = from_graph_def(definition.SerializeToString())
    assert str(graph) == str(from_function(function, tf.constant(1.0)))
    assert evaluate(graph, {"x": 3})["Identity"] == 8
    with pytest.raises(ValueError, match="no GraphDef"):
        from_graph_def(b"no graph at all")


def test_the_shipped_model_in_two_levels_of_detail(tf):
    from course_lib.graph import collapse
    from course_lib.graph.trace import from_graph_def
    from course_lib.session import data_path

    graph = from_graph_def(data_path("models", "spotter.pb").read_bytes())
    layers = collapse(graph)
    assert isinstance(layers, Graph) and 5 < len(layers) < len(graph) / 2
    assert graph["features"].shape == (1, 49, 40, 1)


def test_requests_are_counted(tf):
    from course_lib.graph.trace import executed

    x = tf.constant(3.0)
    eager = executed(lambda a: (a + a) * a, x)
    assert eager.operations == ("AddV2", "Mul") and float(eager.result) == 18
    compiled = tf.function(lambda a: (a + a) * a)
    compiled(x)
    assert executed(compiled, x).operations == ("graph",)
    with pytest.raises(RuntimeError, match="on purpose"):
        executed(failing)
    assert len(executed(lambda: None)) == 0  # the failed call left no listener behind


def failing():
    raise RuntimeError("on purpose")


def test_graph_and_trace_import_no_tensorflow():
    code = (
        "import sys; import course_lib.graph.trace, course_lib.graph, course_lib.views.graph; "
        "import course_lib.views.player, course_lib.views.netron; "
        "bad = [m for m in ('tensorflow', 'matplotlib') if m in sys.modules]; print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
