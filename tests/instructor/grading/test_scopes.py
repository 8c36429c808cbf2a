"""Names are read, bound and changed as Python itself does it."""

from __future__ import annotations

import builtins

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from course_lib.instructor.grading import scopes

NAMES = ("a", "b", "c", "d")
name = st.sampled_from(NAMES)
simple = st.one_of(
    st.builds("{} = {} + 1".format, name, name),
    st.builds("{} += {}".format, name, name),
    st.builds("{} = [{} for {} in range(3)]".format, name, name, name),
    st.builds("{} = (lambda {}: {})(1)".format, name, name, name),
    st.builds("def {}({}=1):\n    return {}".format, name, name, name),
    st.builds("for {} in range({}):\n    {} = 1".format, name, name, name),
    st.builds("if {}:\n    {} = 2".format, name, name),
    st.builds("class {}:\n    {} = {}".format, name, name, name),
    st.builds("import math as {}".format, name),
    st.builds("del {}".format, name),
)


class Watched(dict):
    """A namespace that notes which names are missed or read before they are bound in it."""

    def __init__(self) -> None:
        super().__init__({each: 3 for each in NAMES}, __builtins__=builtins, __name__="cell")
        self.read: set[str] = set()
        self.written: set[str] = set()

    def __getitem__(self, key):
        if key in NAMES and key not in self.written:
            self.read.add(key)
        return super().__getitem__(key)

    def __setitem__(self, key, value):
        self.written.add(key)
        super().__setitem__(key, value)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.lists(simple, min_size=1, max_size=6))
def test_nothing_that_runs_is_missed(statements):
    """What a cell really reads and binds, when it runs, is among what is found in its text."""
    code = "\n".join(statements)
    found, names = scopes.effects(code), Watched()
    try:
        exec(code, {"__builtins__": builtins}, names)  # noqa: S102
    except (TypeError, NameError, AttributeError):
        pass  # until there it ran
    assert names.read <= found.reads, code
    assert names.written & set(NAMES) <= found.writes, code
    assert found.binds <= found.writes


@pytest.mark.parametrize(
    "code, reads, writes",
    [
        ("def f(x):\n    y = [z * k for z in x]\n    return y", "k", "f"),
        ("def f(n):\n    return f(n - 1)", "", "f"),
        ("@wrap\ndef f():\n    global g\n    g = h", "wrap h", "f g"),
        ("total = sum(v for v in values if v > low)", "values low", "total"),
        ("x = 1\nprint(x)", "", "x"),
        ("print(x)\nx = 1", "x", "x"),
        ("if y:\n    x = 1\nprint(x)", "x y", "x"),
        ("with open(p) as f:\n    t = f.read()", "p f", "f t"),
        ("try:\n    import numpy as np\nexcept ImportError as e:\n    np = e", "e", "np e"),
        ("key = lambda row, n=n: row[n]", "n", "key"),
        ("class A(B):\n    c = w\n    def m(self):\n        return c", "B w c", "A"),
        ("sum = 3\nx = sum", "", "sum x"),
    ],
)  # fmt: skip
def test_scopes(code, reads, writes):
    found = scopes.effects(code)
    assert found.writes == set(writes.split())
    assert found.reads == set(reads.split())
    assert not found.unclear


@pytest.mark.parametrize(
    "code", ["globals()['x'] = 1", "get_ipython()", "import __main__", "exec('x')"]
)
def test_what_reaches_everything(code):
    assert scopes.effects(code).unclear


@pytest.mark.parametrize(
    "code, plain, magic",
    [
        ("%time x = y", "x = y", False),
        ("%%time\nx = y", "\nx = y", False),
        ("%timeit -n 10 f(y)", "f(y)", False),
        ("%matplotlib inline\nx = 1", "pass\nx = 1", False),
        ("if x:\n    !pip install \\\n      y\nz = 1", "if x:\n    pass\n\nz = 1", True),
        ("files = !ls", "files = None", False),
        ("x?", "pass", False),
        ("from math import *", "from math import *", True),
        ("%%writefile a.py\nx = 1 +", "pass", True),
        ("rest = 5 % 3", "rest = 5 % 3", False),
        ('text = """\n%x\n"""', 'text = """\n%x\n"""', False),
    ],
)
def test_what_only_ipython_understands(code, plain, magic):
    assert scopes.python_of(code) == plain
    assert scopes.effects(code).magic is magic


@pytest.mark.parametrize("code", ["(", "x = = 1", "\0", "-" * 100_000 + "1"])
def test_what_is_no_python_has_no_effects(code):
    assert scopes.effects(code) == scopes.Effects() and scopes.statements(code) == ()


@pytest.mark.parametrize(
    "code, wanted, kept",
    [
        ("import a, b\nimport c\nx = a.f(1)\ny = c.g()", "x", "import a, b\nx = a.f(1)"),
        ("import c\ndef f():\n    return c\ny = 2", "f", "import c\ndef f():\n    return c"),
        ("x = 1\nx = x + 1\ny = 2", "x", "x = 1\nx = x + 1"),
        ("a, (b, *c) = z\nd = 1", "c", "a, (b, *c) = z"),
        # whatever may do more than give a value to a name stays
        ("x = 1\nseed(7)\ny = 2", "x", "x = 1\nseed(7)"),
        ("x = []\nx.append(1)\nx[0] = 2\nx += [3]\ny = 1", "x", None),
        ("x = y = {}\nalias = x\nalias.update(a=1)\nz = 1", "x", None),
        ("x = 1\n@register\ndef f():\n    pass\ny = 2", "x", None),
        ("x = 1\nif x:\n    y = 2\nz = 1", "x", "x = 1\nif x:\n    y = 2"),
        ("x.a = 1\nz = 1", "x", "x.a = 1"),
        ("x = iter(z)\nfirst = next(x)\nlast = x.pop()\ny = f(1)", "x", None),
        ("x = z\ndef f(a=next(x)):\n    pass\ndef g():\n    return next(x)", "x", None),
        # a cell that may reach any name stays whole
        ("y = 1\nx = eval('y')", "x", "y = 1\nx = eval('y')"),
        ("from math import *\ny = 1", "y", "from math import *\ny = 1"),
        ("y = 1\n%time x = y", "x", "y = 1\n%time x = y"),
        ("x = 1; y = 2", "*", "x = 1; y = 2"),
        ("x = = 1", "x", "x = = 1"),
    ],
)
def test_only_what_is_read_stays(code, wanted, kept):
    kept = kept or "\n".join(scopes.statements(code)[:-1])
    assert scopes.needed_statements(code, frozenset({wanted})) == kept


@pytest.mark.parametrize(
    "code, kept",
    [
        ("from course_lib.views import draw\nx = 1\ndraw.bars(x)\nx + 1", "x = 1\nx + 1"),
        ("from course_lib.views.answer import Listen\nx = 1\nListen(x).show()", "x = 1"),
        ("x = load()\nx.play(3)", "x = load()"),
        # what is kept, or is called elsewhere, may be needed
        ("from course_lib.views import draw\nx = 1\nx = draw.bars(x)", None),
        ("from course_lib.sound import draw\nx = 1\ndraw.bars(x)", None),
        ("x = 1\nx.show.hide()", None),
    ],
)
def test_what_only_shows_something_goes(code, kept):
    found = scopes.needed_statements(code, frozenset({"x"}), scopes.pictures(code))
    assert found == (kept or code)


def test_no_python_draws_nothing():
    assert scopes.pictures("(") == frozenset()
