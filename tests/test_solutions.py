"""Every official solution, spoilt in one place, is found out by its own check."""

from __future__ import annotations

import ast
import copy
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from types import FunctionType

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


def is_right(identifier: str, tree: ast.Module) -> bool:
    names: dict = {"__name__": "a_notebook"}
    exec(
        "import math, struct\nimport numpy as np\nfrom course_lib.sound.dataset import LABELS",
        names,
    )
    before = set(names)
    with redirect_stdout(StringIO()):
        try:
            with bounded(5):
                exec(compile(tree, identifier, "exec"), names)
                functions = [
                    value
                    for name, value in names.items()
                    if name not in before and isinstance(value, FunctionType)
                ]
                return isinstance(core.exercise(identifier).outcome(functions[-1]), Right)
        except TimeoutError:
            return False


SOLUTIONS = solutions()


@pytest.mark.parametrize("identifier", sorted(SOLUTIONS))
def test_no_spoilt_solution_passes(identifier: str) -> None:
    assert is_right(identifier, ast.parse(SOLUTIONS[identifier]))
    alive = [
        change for change, tree in mutants(SOLUTIONS[identifier]) if is_right(identifier, tree)
    ]
    assert sorted(set(alive) - set(SAME.get(identifier, ()))) == []
