"""Flip-books: what a lesson's widgets show in each of their states, recorded while there is Python.

    python -m tools.flipbook NOTEBOOK OUT

`walk` records any widget; here are the cells that a lesson's widgets need, and the places of their
books in a page, which `flipbook.js` fills.
"""

from __future__ import annotations

import ast
import base64
import gzip
import io
import json
import linecache
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_lib.session import files
from course_lib.views import shell
from tools.walk import Book, Store, record

__all__ = ["lay", "main", "needed", "packed", "run", "shown"]

_WAITING = tuple(
    f"<widget: {name}" for name in ("a training, live", "a recorder", "a button that records")
)


def run(notebook: NotebookNode, store: Store) -> tuple[dict[str, list[Book | None]], list[str]]:
    """Execute what a notebook's widgets need; return the books by cell, and what went wrong.

    Each cell that shows widgets has a list, an entry a widget. A widget that needs a training, or
    somebody who speaks, is left out. What cells print is dropped.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    slices = [
        needed([cell.source for cell in cells[: at + 1]])
        for at, cell in enumerate(cells)
        if shown(cell)
    ]
    kept = [
        places
        for places in slices
        if not any(_text(each).startswith(_WAITING) for at in places for each in shown(cells[at]))
    ]
    ends = {max(places) for places in kept}
    books: dict[str, list[Book | None]] = {}
    problems: list[str] = []
    names: dict[str, Any] = {"__name__": "__main__"}
    for at in sorted({at for places in kept for at in places}):
        widgets: list[Any] = []
        try:
            with _watched(widgets), redirect_stdout(io.StringIO()):
                _execute(cells[at], names)
        except Exception as error:  # whatever a lesson's cell raises: its still picture stays
            problems.append(f"{cells[at].id}: {type(error).__name__}: {error}")
        if at in ends and len(widgets) == len(shown(cells[at])):
            books[cells[at].id] = [record(widget, store) for widget in widgets]
    return books, problems


def _execute(cell: NotebookNode, names: dict[str, Any]) -> None:
    """Execute a cell; its source can be looked up, as tf.function does."""
    place = f"<cell {cell.id}>"
    linecache.cache[place] = len(cell.source), None, cell.source.splitlines(True), place
    exec(compile(cell.source, place, "exec"), names)


def needed(sources: Sequence[str]) -> list[int]:
    """Return the places of the cells that the last one needs, itself among them, in order.

    Those are the first, and each that binds a name which is needed later, sets a part of it, or
    whose statement is a call of its method.
    """
    trees = [list(ast.walk(ast.parse(source))) for source in sources]
    modules = {name for tree in trees for name in _imported(tree)}
    wanted: set[str] = set()
    places = []
    for at, nodes in reversed(list(enumerate(trees))):
        names = [node for node in nodes if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | _imported(nodes)
        bound |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        bound |= {_called(node) for node in nodes} - modules
        bound |= {_part_of(node) for node in nodes}
        if at in (0, len(trees) - 1) or bound & wanted:
            places.append(at)
            wanted |= {node.id for node in names}
    return places[::-1]


def _imported(nodes: Sequence[ast.AST]) -> set[str]:
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    return {each.asname or each.name.partition(".")[0] for node in imports for each in node.names}


def _part_of(node: ast.AST) -> str:
    """Return the name of which a part is set, as `a["b"] = c` and `a.b = c` do; else nothing."""
    part = isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store)
    return node.value.id if part and isinstance(node.value, ast.Name) else ""


def _called(node: ast.AST) -> str:
    """Return the name whose method a statement calls; empty where it is none."""
    call = node.value if isinstance(node, ast.Expr) else None
    method = call.func if isinstance(call, ast.Call) else None
    owner = method.value if isinstance(method, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def shown(cell: NotebookNode) -> list[NotebookNode]:
    """Return the outputs of a cell that were widgets when it was executed."""
    return [each for each in cell.get("outputs", ()) if _text(each).startswith("<widget: ")]


def lay(cell: NotebookNode, names: Sequence[str]) -> None:
    """Put the places of flip-books into a cell, each after the still picture of its widget."""
    for output, name in zip(shown(cell), names, strict=False):
        if name:
            place = {"text/html": f'<div data-flipbook="{name}"></div>'}
            at = next(at for at, each in enumerate(cell.outputs) if each is output)
            cell.outputs.insert(at + 1, nbformat.v4.new_output("display_data", place))


def packed(name: str, book: Book) -> str:
    """Return the script that brings a book to its page."""
    text = json.dumps(vars(book), separators=(",", ":"), ensure_ascii=False).encode()
    data = base64.b64encode(gzip.compress(text, mtime=0)).decode("ascii")
    return f'flipbook("{name}","{data}");\n'


def main(arguments: list[str]) -> int:
    """Record the flip-books of a notebook into a folder, and print their names by cell as JSON."""
    path, out = (Path(argument).resolve() for argument in arguments)
    notebook, store = nbformat.read(path, as_version=nbformat.NO_CONVERT), Store()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # a lesson writes into the folder that it runs in
        books, problems = run(notebook, store)
        os.chdir(here)
    names = {cell: _written(f"{path.stem[:2]}-{cell}", each, out) for cell, each in books.items()}
    for name, content in store.files.items():
        files.write_atomically(out / name, content)
    print(*(f"{path.stem}, {problem}" for problem in problems), sep="\n", file=sys.stderr)
    print(json.dumps(names))
    return 0


def _written(cell: str, books: Sequence[Book | None], out: Path) -> list[str]:
    """Write books into a folder; return their names, empty where a widget has none."""
    names = [f"{cell}-{place}" if book else "" for place, book in enumerate(books)]
    for name, book in zip(names, books, strict=True):
        if book:
            files.write_atomically(out / f"{name}.js", packed(name, book))
    return names


def _text(output: NotebookNode) -> str:
    return output.get("data", {}).get("text/plain", "")


@contextmanager
def _watched(widgets: list[Any]) -> Iterator[None]:
    """Collect the widgets that views show, instead of showing them."""
    original = shell.show
    shell.show = lambda widget, static, label="": widgets.append(widget)
    try:
        yield
    finally:
        shell.show = original


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
