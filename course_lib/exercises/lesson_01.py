"""The exercises of lesson 01: read a graph, order it, build one by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_lib.exercises.core import Exercise, when
from course_lib.exercises.judges import checked, function, items
from course_lib.exercises.material import ORCHARD, PROGRAM
from course_lib.exercises.remarks import about_quotes
from course_lib.graph import EvaluationError, Graph, Node, evaluate, independent, operation
from course_lib.graph.trace import from_source


def _mystery(a, b):
    return (a - b) * (a + b)


def _two_numbers(rng):
    return [(float(a), float(b)) for a, b in rng.integers(-9, 10, size=(8, 2))]


def _order(value: object) -> str:
    """Judge an order of evaluation of ORCHARD: any that computes each node after its inputs."""
    names = [node.name for node in ORCHARD]
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        if isinstance(value, (list, tuple)) and any(isinstance(e, (list, tuple)) for e in value):
            return "Your list holds lists: write all names in one row, as one worker runs them."
        return 'Give a list of names in quotes, such as ["kiwi", "plum"].'
    if unquoted := about_quotes(value, names):
        return unquoted
    if list(value) == sorted(names):
        return "That is the order of the alphabet, as of a set: who reads whom decides."
    done: set[str] = set()
    for name in value:
        if name not in names and name.lower() in names:
            return f"Write {name.lower()} as the picture does: capitals make another name."
        if name.lower() in ("mul", "sub", "add", "div", "const"):
            return f"{name} is what a box does: give the boxes' names, such as {names[0]}."
        if name not in names:
            return f"There is no {name} in this picture: its names are {', '.join(names)}."
        if name in done:
            return f"{name} stands there twice: one computation is enough for all its arrows."
        if value[0] == "date":
            return "You begin with the result: follow the arrows, not against them."
        late = [source for source in ORCHARD[name].inputs if source not in done]
        if late and late[0] not in value:
            return f"{late[0]} never runs in your list, and {name} reads it."
        if late:
            return f"{name} reads {late[0]}, which your list computes only later."
        done.add(name)
    missing = [name for name in names if name not in done]
    return f"{missing[0]} is missing: the list stops too early." if missing else ""


def _neuron(value: object) -> str:
    """Judge rows (name, operation, *inputs) that should build relu(w * x + b)."""
    if isinstance(value, (list, tuple)) and any(
        isinstance(row, (list, tuple)) and [*row[1:2]] == ["Placeholder"] and len(row) > 2
        for row in value
    ):
        return 'A Placeholder reads nothing and holds no value: ("w", "Placeholder") is all.'
    if not isinstance(value, (list, tuple)) or not all(
        isinstance(row, (list, tuple)) and len(row) >= 2 and all(isinstance(w, str) for w in row)
        for row in value
    ):
        return 'Each row is a tuple of texts: ("name", "Operation", "input", "input").'
    made = {row[0] for row in value}
    for row in value:
        if problem := _row_problem(*row) or _unmade(row, made):
            return problem
    try:
        graph = Graph(tuple(Node(row[0], row[1], tuple(row[2:])) for row in value))
    except ValueError as error:
        return str(error)
    fed = {node.name for node in graph.sources}
    if fed != {"w", "x", "b"} and len(fed) == 3:
        return "Name the three placeholders as the formula does: w, x and b."
    if fed != {"w", "x", "b"}:
        return "Three values come from outside: a Placeholder each for w, x and b."
    return _neuron_values(graph)


def _row_problem(name: str, kind: str, *inputs: str) -> str:
    known = operation(kind)
    if name == "Placeholder" or operation(name):
        return f'The name comes first, then the operation: ("y", "{name}", …).'
    if kind in ("Const", "Constant", "Variable"):
        return f"{name} comes from outside here: its operation is Placeholder."
    if kind != "Placeholder" and known is None:
        if kind.title() == "Placeholder" or operation(kind.title()):
            return f"Write it {kind.title()}: a capital, and small letters."
        return f"{kind} is no operation here; you need Placeholder, Mul, Add and Relu."
    if known and known.arity != len(inputs):
        count = f"{known.arity} input{'s' if known.arity > 1 else ''}"
        return f"{name}: {kind} reads {count}, and yours reads {len(inputs)}."
    return ""


def _unmade(row: Sequence[str], made: set[str]) -> str:
    """Say which input of a row has no row of its own."""
    missing = next((source for source in row[2:] if source not in made), "")
    if missing in ("w", "x", "b"):
        return f"{row[0]} reads {missing}, which no row makes: w, x and b need a Placeholder each."
    return f"{row[0]} reads {missing}, and no row has that name." if missing else ""


def _neuron_values(graph: Graph) -> str:
    cases = [(2.0, 3.0, 1.0), (2.0, -3.0, 1.0), (-1.5, 4.0, 2.0), (0.5, 2.0, -3.0), (3.0, 1.0, 2.0)]
    last = graph.nodes[-1].name
    try:
        results = _values(graph, last, cases)
    except EvaluationError as error:
        return str(error)
    wrong = {
        "w*x+b": "Right up to the end: a relu makes negative sums 0. Which row does that?",
        "relu(w*(x+b))": "You add b before you multiply: w * x comes first.",
        "relu(w*x)+b": "Your relu stands too early: it belongs after the sum.",
        "relu(w+x*b)": "w and b have changed places.",
        "relu(w*x-b)": "b is added, not subtracted.",
        "relu(w*x*b)": "b is added to the product, not multiplied with it.",
        "relu(relu(w*x)+b)": "One relu is enough, after the sum: yours drops w * x below 0.",
        "relu((w+x)*b)": "w and x are multiplied, b is added: you do it the other way round.",
        "relu(w+x+b)": "w weighs x: these two are multiplied.",
        "relu(b+x)*w": "The relu comes last, and w * x before b is added.",
        "relu(w*b+x)": "x and b have changed places.",
        "relu(x*x+b)": "One input of your Mul should be w.",
        "relu(w*w+b)": "One input of your Mul should be x.",
    }
    for formula, hint in wrong.items():
        other = from_source(f"def f(w, x, b):\n    return {formula}")
        if results == _values(other, other.outputs[0], cases):
            return hint
    read = {source for node in graph for source in node.inputs}
    asked = [max(0.0, w * x + b) for w, x, b in cases]
    if idle := [node.name for node in graph.nodes[:-1] if node.name not in read]:
        words = "leave it out" if results == asked else "which row should have it among its inputs"
        return f"Nobody reads {idle[0]}: {words}{'.' if results == asked else '?'}"
    if results == asked:
        return ""
    compared = zip(cases, results, asked, strict=True)
    case, got, right = next(each for each in compared if each[1] != each[2])
    fed = ", ".join(f"{name}={value:g}" for name, value in zip("wxb", case, strict=True))
    return f"For {fed} your graph gives {got:g}, and {right:g} is right."


def _values(graph: Graph, name: str, cases: list[tuple]) -> list[float]:
    return [evaluate(graph, dict(zip("wxb", case, strict=True)))[name] for case in cases]


_GRAPH = from_source(PROGRAM)
_BESIDE_TEMP1 = sorted(
    node.name for node in _GRAPH.operations if independent(_GRAPH, node.name, "temp1")
)
_ROWS = [
    ("w", "Placeholder"),
    ("x", "Placeholder"),
    ("b", "Placeholder"),
    ("product", "Mul", "w", "x"),
    ("sum", "Add", "product", "b"),
    ("out", "Relu", "sum"),
]

_IDLE = "it computes nothing. Name operations only."

EXERCISES = (
    Exercise(
        id="1.2",
        ask="mystery(a, b): what the picture computes",
        judge=function(_mystery, _two_numbers),
        mistakes=[
            (lambda a, b: (b - a) * (a + b), "Which arrow enters − first? It stands left."),
            (lambda a, b: (a - b) + (a + b), "Look at the sign in the last box."),
            (lambda a, b: (a + b) * (a + b), "Two boxes read a and b: are their signs equal?"),
            (lambda a, b: (a - b) ** 2, "Two boxes read a and b: are their signs equal?"),
            *(
                (wrong, "Look at the sign in the last box.")
                for wrong in (
                    lambda a, b: (a - b) / (a + b),
                    lambda a, b: (a + b) / (a - b) if a != b else 0,
                    lambda a, b: (a + b) / (a - b),
                    lambda a, b: (a - b) - (a + b),
                    lambda a, b: (a + b) - (a - b),
                )
            ),
            *(
                (wrong, "Which box multiplies, and whose results does it read?")
                for wrong in (
                    lambda a, b: a * b - (a + b),
                    lambda a, b: a * b + (a - b),
                    lambda a, b: a * b * 2,
                    lambda a, b: a * b,
                )
            ),
            *(
                (wrong, "Python multiplies first: do you need brackets?")
                for wrong in (
                    lambda a, b: a - b * a + b,
                    lambda a, b: a - b * (a + b),
                    lambda a, b: (a - b) * a + b,
                )
            ),
            *(
                (wrong, "That is one box of three: the last one takes both that read a and b.")
                for wrong in (lambda a, b: a - b, lambda a, b: a + b)
            ),
            *(
                (wrong, "The 1 of `sub_1` belongs to the name: both boxes read a and b.")
                for wrong in (
                    lambda a, b: (a - 1) * (b + 1),
                    lambda a, b: (b - 1) * (a + 1),
                    lambda a, b: (a - 1) * (a + 1),
                )
            ),
            *(
                (wrong, "Two arrows enter each of the two upper boxes: one from a, one from b.")
                for wrong in (lambda a, b: (a - b) * (a + a), lambda a, b: (a - b) * (b + b))
            ),
            (lambda a, b: (a - b) * (a * b), "Look at the sign in the box on the right."),
            (lambda a, b: a * b * (a + b), "Look at the sign in the box on the left."),
            (lambda a, b: a * a - b, "Multiplied out, b is squared as well: try two numbers."),
            (when(lambda _, value: "^" in value.message), "A power is `**` in Python, not `^`."),
            (lambda a, b: a * a + b * b, "Multiplied out, b * b is subtracted: try two numbers."),
            (
                when(lambda _, value: value.kind == "NameError"),
                "The names in the boxes are none of yours: work with a and b alone.",
            ),
            (
                when(lambda _, value: isinstance(value, (tuple, list))),
                "One arrow leaves the last box: return one number.",
            ),
            (
                when(lambda _, value: isinstance(value, str)),
                "That is a text: without the quotes Python computes it.",
            ),
        ],
        right="the difference of two squares, and every arrow is used.",
        hints=("Start at the last box and ask what it reads.", "Each box becomes one bracket."),
    ),
    Exercise(
        id="1.3",
        ask="order: a list of all names, each after what it reads",
        judge=checked(
            ["kiwi", "plum", "fig", "lime", "pear", "date"],
            _order,
            wrong=(
                ["kiwi", "plum", "pear", "fig", "lime", "date"],
                ["kiwi", "plum", "fig", "pear", "date"],
                ["date", "pear", "lime", "fig", "plum", "kiwi"],
                ["kiwi", "plum", "fig", "lime", "pear"],
            ),
        ),
        right="each node after its inputs; other orders are right as well.",
        hints=("Start with the boxes that no arrow enters.", "Cross out a box once you used it."),
    ),
    Exercise(
        id="1.4",
        ask="beside: the operations that could run at the same moment as temp1",
        judge=items(_BESIDE_TEMP1, ordered=False),
        mistakes=[
            (["temp2"], "temp2 is right, and it is not alone: does temp3 wait for temp1?"),
            (["temp2", "temp3", "res"], "res divides temp1: it has to wait for it."),
            (["temp3"], "Right, but what about temp2, which stands beside it?"),
            (["temp1", "temp2", "temp3"], "temp1 itself is not asked for."),
            *(
                (when(lambda value, name=name: name in value), f"{name} is a constant: {_IDLE}")
                for name in ("var1", "var2", "var3")
            ),
            (
                when(lambda value: "temp1" in value),
                "temp1 itself is not asked for: who neither waits for it nor is waited for?",
            ),
            (
                when(lambda value: "res" in value),
                "res divides temp1: it has to wait for it. Look at the other two.",
            ),
            (
                when(lambda value: {str(name).lower() for name in value} == set(_BESIDE_TEMP1)),
                "Right, but write each name once, and as the program does.",
            ),
            ([], "There are some: look for boxes that no path joins with temp1."),
            (
                when(lambda value: not {"temp2", "temp3"} & set(value)),
                "None of these is independent of temp1: use names of the program, as `temp1` is.",
            ),
        ],
        right="no path leads from temp1 to them or back, whatever the lines say.",
        hints=("Put a finger on temp1 and follow the arrows down: whom do you reach?",),
    ),
    Exercise(
        id="1.5",
        ask="rows: the nodes of relu(w * x + b)",
        judge=checked(
            _ROWS,
            _neuron,
            wrong=(
                _ROWS[:-1],
                [*_ROWS[:3], ("s", "Add", "x", "b"), ("p", "Mul", "w", "s"), ("o", "Relu", "p")],
                [*_ROWS[3:], *_ROWS[:3]],
                [*_ROWS[:3], ("p", "Times", "w", "x")],
            ),
        ),
        right="the smallest neural network there is.",
        hints=("Three placeholders first.", "Then one row for ×, one for +, one for relu."),
    ),
)
