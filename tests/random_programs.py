"""Programs for the tests of graphs: the seven lines of lesson 01, and random straight-line ones."""

from __future__ import annotations

import ast
import math
from random import Random

from hypothesis import strategies as st

from course_lib.graph.trace import from_source

SEVEN = from_source(
    "var1 = 6\nvar2 = 2\ntemp1 = var1 + var2\ntemp2 = var1 - var2\nvar3 = 4\n"
    "temp3 = temp2 + var3\nres = temp1 / temp3"
)

NAMES = ("a", "b", "c", "d", "x_2", "add_1", "const_1")
NUMBERS = ("0.5", "1", "2", "3.25", "1e-1", "7", "0.3")


def _power(a: float, b: float) -> float:
    result = a**b
    if isinstance(result, complex):
        raise ValueError("no real number")
    return result


FUNCTIONS = {
    "sqrt": math.sqrt,
    "square": lambda a: a * a,
    "exp": math.exp,
    "log": math.log,
    "sin": math.sin,
    "cos": math.cos,
    "tanh": math.tanh,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a)),
    "relu": lambda a: a if a > 0 else 0.0,
    "abs": abs,
    "max": max,
    "min": min,
    "pow": _power,
}


def long_program(operations: int) -> str:
    """Return the text of a program whose lines read lines shortly before them."""
    random = Random(1)
    lines = ["x0 = 1", "x1 = 2"]
    for i in range(2, operations + 2):
        a, b = (random.randint(max(0, i - 8), i - 1) for _ in range(2))
        lines.append(f"x{i} = x{a} {random.choice('+-*')} x{b}")
    return "\n".join(lines)


def program(seed: int, lines: int) -> str:
    """Return the text of a program; it may divide by zero or take the root of a negative number."""
    random = Random(seed)
    known: list[str] = []
    text = []
    for _ in range(lines):
        name = random.choice(NAMES)
        if name in known and random.random() < 0.5:
            text.append(f"{name} {random.choice('+-*/')}= {_expression(random, known, 2)}")
        else:
            text.append(f"{name} = {_expression(random, known, 3)}")
        known.append(name)
    return "\n".join(text)


def _expression(random: Random, known: list[str], depth: int) -> str:
    if depth == 0 or random.random() < 0.2:
        return random.choice(known) if known and random.random() < 0.6 else random.choice(NUMBERS)
    a, b = (_expression(random, known, depth - 1) for _ in range(2))
    kind = random.randrange(6)
    if kind < 3:
        sign = random.choice("+-*/")
        return f"({a} {sign} {b})" if kind else f"{a} {sign} {b}"
    if kind == 3:
        return f"(-{a})" if random.random() < 0.5 else f"({a} ** {random.choice(['2', '3', '-1'])})"
    if kind == 4:
        return f"{random.choice(['max', 'min', 'pow'])}({a}, {b})"
    one = [name for name in FUNCTIONS if name not in ("max", "min", "pow")]
    return f"{random.choice(one)}({a})"


programs = st.builds(program, st.integers(0, 2**32), st.integers(1, 8))


class _Floats(ast.NodeTransformer):
    def visit_Constant(self, node):  # noqa: N802
        return ast.Constant(float(node.value))

    def visit_BinOp(self, node):  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("pow", ast.Load()), [node.left, node.right], [])
        return node


def as_floats(text: str) -> str:
    """Write whole numbers as floats and ** as a call, so that Python computes as a graph does."""
    return ast.unparse(ast.fix_missing_locations(_Floats().visit(ast.parse(text))))
