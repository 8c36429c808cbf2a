"""The rooms of course_lib: their order, their faces, what stands in one place only, their size."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "course_lib"
MODULES = sorted(PACKAGE.rglob("*.py"))
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"][0]
SCRIPTS = {"cli.py"}
"""What may import late: the command line (its help is instant), and scripts of other processes."""


def _name(path: Path) -> str:
    """Return the dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _ids(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_imports_point_down_only() -> None:
    """The order stands in pyproject.toml; a broken one is printed with the lines that break it."""
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_every_room_has_its_floor() -> None:
    floors = [name for layer in CONTRACT["layers"] for name in layer.split(" : ")]
    rooms = {_name(path) for path in MODULES if len(path.relative_to(PACKAGE).parts) == 1}
    rooms |= {_name(path) for path in PACKAGE.glob("*/__init__.py")}
    assert set(floors) == rooms - {"course_lib"}


def test_no_module_imports_itself_by_a_detour() -> None:
    """A circle is named with its modules by graphlib.CycleError; late imports count too."""
    graph = grimp.build_graph("course_lib", cache_dir=None)
    order = TopologicalSorter(
        {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    )
    assert set(order.static_order()) == graph.modules


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_a_module_is_short_and_imports_ours_at_its_top(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert text.count("\n") <= 350
    long = [each.name for each in functions if each.end_lineno - each.lineno > 60]
    assert not long, long
    late = {
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib")
    }
    assert not late or path.as_posix().endswith(tuple(SCRIPTS)), late


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_a_docstring_speaks_the_dialect(path: Path) -> None:
    """Single backticks, "Raises X where"; ruff's own rules hold the rest."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            words = ast.get_docstring(node) or ""
            where = getattr(node, "name", "the module")
            assert not re.search("(?<!`)``(?!`)|:param|:return", words), where
            assert not re.search(r"\n.*\bRaise [A-Z]|\. Raise [A-Z]", words), where


def test_no_face_hides_a_module_and_no_function_has_its_modules_name() -> None:
    hidden = []
    for path in MODULES:
        if path.name == "__main__.py" or path.as_posix().endswith(tuple(SCRIPTS)):
            continue
        module = importlib.import_module(_name(path))
        own = _name(path).rpartition(".")[2]
        if path.name != "__init__.py" and inspect.isroutine(getattr(module, own, None)):
            hidden.append(f"{_name(path)}.{own}")
        if path.name == "__init__.py":
            inside = {each.stem for each in path.parent.glob("*.py")}
            inside |= {each.parent.name for each in path.parent.glob("*/__init__.py")}
            hidden += [
                f"{_name(path)}.{name}"
                for name in inside - {"__init__", "__main__"}
                if not inspect.ismodule(getattr(module, name, module))
            ]
    assert not hidden


def test_a_room_introduces_itself() -> None:
    """Its docstring says what lives here, what it may use, who uses it, where to begin."""
    for face in PACKAGE.glob("*/__init__.py"):
        words = ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))) or ""
        assert 4 <= len(words.splitlines()) <= 16, face
        assert re.search("[Bb]egin reading|[Bb]egin with|[Ss]tart reading", words), face


def test_importing_every_room_loads_nothing_heavy() -> None:
    rooms = [_name(path.parent / "x.py")[:-2] for path in PACKAGE.glob("*/__init__.py")]
    code = (
        "import importlib, sys\n"
        f"for name in {rooms!r}: importlib.import_module(name)\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'IPython', 'ipywidgets'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


ONE_PLACE = {
    r"tensorflow\.(python|core)\b|keras\.src": {"session/internals.py"},
    r"sys\.executable": {
        "session/processes.py",
        "instructor/authoring/editions.py",  # in the text of the set-up cell
    },
    r"os\.replace|NamedTemporaryFile": {
        "session/files.py",
        "instructor/grading/inside/asking.py",  # kept from before a student's code can change it
    },
    r"schema_py_generated": {"formats/tflite_file.py", "formats/flatbuffer/schema.py"},
    r"b\"TFL3\"": {"formats/tflite_file.py"},
}


@pytest.mark.parametrize("pattern", ONE_PLACE)
def test_what_has_one_place_stands_in_no_other(pattern: str) -> None:
    places = {
        _ids(path)
        for path in MODULES
        if path.parent.name != "exercises" and re.search(pattern, path.read_text(encoding="utf-8"))
    }
    assert places <= ONE_PLACE[pattern]


def test_the_house_stays_small() -> None:
    """The figures are what a newcomer can still walk; make room before you add.

    What is known of wrong answers, a lesson's or everybody's, does not count: the more, the better.
    """
    known = "exercises/lesson_*.py", "exercises/remarks.py"
    walked = [path for path in MODULES if not any(map(path.match, known))]
    assert len(walked) <= 200
    assert sum(path.read_text(encoding="utf-8").count("\n") for path in walked) <= 31_750


def test_tests_mirror_the_modules_that_they_test() -> None:
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    strangers = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        *folders, file = path.relative_to(ROOT / "tests").parts
        if not folders or folders[0] not in rooms:
            continue  # the house itself, the notebooks, the browser
        subject = PACKAGE.joinpath(*folders, file.removeprefix("test_"))
        whole_room = subject.stem == folders[-1]
        if not (subject.is_file() or subject.with_suffix("").is_dir() or whole_room):
            strangers.append(path.relative_to(ROOT).as_posix())
    assert not strangers
