"""Every official solution, spoilt in one place, is found out by its own check."""

from __future__ import annotations

import ast
import copy
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest

from course_lib.exercises import core
from course_lib.exercises.core import Right
from course_lib.instructor.authoring import source

ROOT = Path(__file__).resolve().parents[1]
SWAPPED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.And: ast.Or, ast.Or: ast.And, ast.USub: ast.UAdd,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "argmax": "argmin", "sum": "max"}
SAME = {  # mutants that answer alike wherever an answer is asked
    "4.5": ["line 6: 0 - 1"],  # the last item of a tuple of one is its first
    # an offset of less than 2 ** 23 needs three bytes; sizes of vtables are even
    "6.5": ["line 4: 4 - 1", "line 7: 4 + 1"],
    "8.4": ["line 4: 1 + 1"],  # nothing is needed in a step after the last
    # saved_model_cli writes no other bracket, and no other word before a colon and a name
    "25.5": ['line 6: "[\'" cut', "line 8: 'name: ' cut", "line 9: 'name: ' cut"],
}


def solutions() -> dict[str, str]:
    """Return the code of every solution that is a function, by exercise."""
    found = {}
    for path in sorted((ROOT / "notebooks" / "source").glob("*.py")):
        for cell in source.read(path).cells:
            if cell.exercise and "def " in cell.text:
                found[cell.exercise] = cell.text
    return found


def mutants(code: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield what was changed, and the tree that has it, for each place that can be spoilt."""
    tree = ast.parse(code)
    for place, node in enumerate(ast.walk(tree)):
        for change, spoil in spoilings(node):
            other = copy.deepcopy(tree)
            spoil(list(ast.walk(other))[place])
            yield f"line {getattr(node, 'lineno', 0)}: {change}", ast.fix_missing_locations(other)


def spoilings(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Yield ways to spoil a node: what it is called, and a function that does it."""
    kind = type(getattr(node, "op", None))
    if kind in SWAPPED:
        yield f"{ast.unparse(node)} with {SWAPPED[kind].__name__}", setter("op", SWAPPED[kind]())
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SWAPPED:
        other = SWAPPED[type(node.ops[0])]
        yield f"{ast.unparse(node)} with {other.__name__}", setter("ops", [other()])
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield f"{node.value} + 1", setter("value", node.value + 1)
        yield f"{node.value} - 1", setter("value", node.value - 1)
    if isinstance(node, ast.Constant) and type(node.value) in (str, bytes) and node.value:
        yield f"{node.value!r} cut", setter("value", node.value[:-1])
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield f"{node.id} is {NAMES[node.id]}", setter("id", NAMES[node.id])
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield f".{node.attr} is {NAMES[node.attr]}", setter("attr", NAMES[node.attr])
    if isinstance(node, ast.Return) and ast.unparse(node) != "return None":
        yield "nothing returned", setter("value", ast.Constant(None))
    if isinstance(node, ast.IfExp):
        yield "branches swapped", swap
    if isinstance(node, (ast.If, ast.While)) and not node.orelse:
        yield f"if not {ast.unparse(node.test)}", negate


def setter(name: str, value: object):
    return lambda node: setattr(node, name, value)


def swap(node: ast.IfExp) -> None:
    node.body, node.orelse = node.orelse, node.body


def negate(node: ast.If) -> None:
    node.test = ast.UnaryOp(ast.Not(), node.test)


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in a mutant that never ends."""

    def ring(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def answer_of(identifier: str, tree: ast.Module) -> FunctionType:
    """Return the last function that an answer defines."""
    names: dict = {"__name__": "a_notebook"}
    exec(
        "import math, struct\nimport numpy as np\nfrom course_lib.sound.dataset import LABELS",
        names,
    )
    before = set(names)
    exec(compile(tree, identifier, "exec"), names)
    made = [value for name, value in names.items() if name not in before]
    return [value for value in made if isinstance(value, FunctionType)][-1]


def is_right(identifier: str, tree: ast.Module) -> bool:
    with redirect_stdout(StringIO()):
        try:
            with bounded(5):
                outcome = core.exercise(identifier).outcome(answer_of(identifier, tree))
                return isinstance(outcome, Right)
        except TimeoutError:
            return False


def restyled(value: object, leaf: Callable, row: Callable) -> object:
    """Return a value with each item made another way by `leaf`, each list or tuple by `row`."""
    if type(value) in (list, tuple):
        return row(value, [restyled(each, leaf, row) for each in value])
    if type(value) is dict:
        return {key: restyled(each, leaf, row) for key, each in value.items()}
    return leaf(value)


def as_it_was(value: object) -> object:
    return value


def in_numpy(value: object) -> object:
    kinds = {int: np.int64, float: np.float64, str: np.str_, bool: np.bool_}
    return kinds.get(type(value), as_it_was)(value)


def as_array(value: list | tuple, made: list) -> object:
    numbers = made and all(type(each) in (int, float) for each in made)
    return np.array(made) if numbers else type(value)(made)


def same_row(value: list | tuple, made: list) -> object:
    return type(value)(made)


SOLUTIONS = solutions()
STYLES = {
    "NumPy's numbers": (in_numpy, same_row),
    "float32": (lambda x: np.float32(x) if type(x) is float else x, same_row),
    "arrays of no dimension": (lambda x: np.array(x) if type(x) in (int, float) else x, same_row),
    "tuples": (as_it_was, lambda value, made: tuple(made)),
    "lists": (lambda x: x.tolist() if isinstance(x, np.ndarray) else x, lambda value, made: made),
    "a bytearray": (lambda x: bytearray(x) if type(x) is bytes else x, same_row),
    "arrays": (as_it_was, as_array),
}
ASKED_AS_IT_IS = {("26.7", "lists")}  # its array's type is what is asked


@pytest.mark.parametrize("identifier", sorted(SOLUTIONS))
def test_no_spoilt_solution_passes(identifier: str) -> None:
    assert is_right(identifier, ast.parse(SOLUTIONS[identifier]))
    alive = [
        change for change, tree in mutants(SOLUTIONS[identifier]) if is_right(identifier, tree)
    ]
    assert sorted(set(alive) - set(SAME.get(identifier, ()))) == []


@pytest.mark.parametrize("style", STYLES)
def test_right_answers_of_every_type_pass(style: str) -> None:
    leaf, row = STYLES[style]
    refused = []
    for identifier in sorted(SOLUTIONS):
        answer = answer_of(identifier, ast.parse(SOLUTIONS[identifier]))
        outcome = core.exercise(identifier).outcome(lambda *a, f=answer: restyled(f(*a), leaf, row))
        if not isinstance(outcome, Right) and (identifier, style) not in ASKED_AS_IT_IS:
            refused.append((identifier, outcome))
    assert refused == []


def test_a_right_value_as_a_float_is_told_so_or_taken() -> None:
    for identifier in sorted(SOLUTIONS):
        answer = answer_of(identifier, ast.parse(SOLUTIONS[identifier]))
        outcome = core.exercise(identifier).outcome(
            lambda *a, f=answer: restyled(
                f(*a), lambda x: float(x) if type(x) is int else x, same_row
            )
        )
        words = getattr(outcome, "hint", "float")
        assert any(word in words for word in ("float", "whole", "integer", "a time")), identifier
